"""What a scripted director does: it gathers a crew, plans, hands work down, stays with it, wraps up and sums up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from swarm_mcp.cli.demo.cast import DIRECTOR
from swarm_mcp.cli.demo.hand import Refused
from swarm_mcp.cli.demo.superior import GOODBYE, Superior
from swarm_mcp.model.lifecycle import FINISHED, TaskStatus

if TYPE_CHECKING:
    from swarm_mcp.cli.demo.cast import Cast
    from swarm_mcp.cli.demo.hand import Hand

LINES = 150
TOP = re.compile(rf"\S ([a-z0-9]{{8}}) .*?\[({'|'.join(TaskStatus)})\b")
"""A task at the top, as the tree shows it: not indented."""
DONE = frozenset({"in_review", "completed"})
TOPS_HANDED = 4
NAMED = 3
CHECK = "trial.failures == 0"
MEASURED = {"trial": {"failures": 0}}
"""What a trial measures that went well."""


class Director(Superior):
    """The root director of the demo's board."""

    def __init__(self, hand: Hand, cast: Cast) -> None:
        super().__init__(hand, leads=True)
        self.cast = cast
        self.teams = [each for each in cast.supervisors if cast.team(each.team)]
        """The supervisors of those teams that have members."""
        self.goal = ""
        self.for_the_best: list[str] = []
        """Tasks that will go to whoever fits best, as soon as the crew is at work."""

    async def direct(self) -> None:
        """Begin the work, stay with it until nothing is open, and say so."""
        await self.gather_crew()
        tree = await self.hand.call("get_overview", view="tree", limit=LINES)
        tops = [found.groups() for found in map(TOP.match, tree.get("lines", ())) if found]
        unfinished = [task for task, status in tops if status not in FINISHED]
        await self.plan(unfinished)
        await self.hand_down(unfinished)
        await self.lead()
        overview = await self.hand.call("get_overview")
        self.hand.tell("summary", said={}, answer={"message": overview["message"]})
        await self.hand.write("send_message", to="all", text=GOODBYE)

    async def gather_crew(self) -> None:
        """Register everybody, superiors first, and tell the demo that they may come."""
        for member in self.cast.below:
            await self.hand.write("register_agent", **member.registration())
        words = f"{len(self.cast.below)} agents are registered, in {len(self.cast.supervisors)} teams."
        self.hand.tell("ready", said={}, answer={"message": words})
        await self.hand.write(
            "share_context", key="how we work", kind="requirement", value="Claim, report, show evidence, complete."
        )

    async def plan(self, tops: list[str]) -> None:
        """Add what the plan lacks: what counts as done, reviewed checklists, documentation, and a trial at the end."""
        lists = [f"checklist of the {each.team}" for each in self.teams]
        items: list[dict[str, Any]] = [
            {"ref": "goal", "title": "Hand everything over", "assignee": DIRECTOR, "priority": "high",
             "criteria": ["All else is completed."]},
            *({"ref": ref, "title": f"Write the {ref}", "parent": "goal", "assignee": boss.name, "priority": "high",
               "criteria": ["Every part is on it."], "needs_review": True}
              for ref, boss in zip(lists, self.teams, strict=True)),
            # By name, so that whoever will ask, or be killed, has something to ask about, or to hold.
            {"ref": "scope", "title": "Agree on what counts as done", "parent": "goal", "assignee": self.cast.asker},
            {"ref": "documents", "title": "Write the documentation of what was decided", "parent": "goal",
             "assignee": self.cast.victim},
            {"ref": "trial", "title": "Test the whole once more", "parent": "goal", "checks": [CHECK],
             "depends_on": ["scope", "documents", *lists, *tops]},
        ]  # fmt: skip
        made = (await self.hand.write("create_plan", tasks=items, key="what the plan lacks"))["ids"]
        self.goal = made["goal"]
        self.entrusted = {made[each] for each in lists}
        self.for_the_best = [made["trial"]]

    async def hand_down(self, tops: list[str]) -> None:
        """Give branches to teams and supervisors, and what cannot begin yet to a specialty and by name."""
        found = await self.hand.call("list_tasks", status=["blocked"], limit=50)
        blocked = [each["id"] for each in found["tasks"] if each.get("depends_on")]
        later = [each for each in tops if each in blocked]
        for n, task in enumerate(later[:TOPS_HANDED]):
            boss = self.teams[n // 2 % len(self.teams)]
            to = boss.name if n % 2 else f"team:{boss.team}"
            await self.give(task, to, f"All of it is for the {boss.team}.")
        leaves = [each for each in blocked if each not in tops and each not in self.for_the_best]
        for task in leaves[:1]:
            specialty = self.cast.workers[0].specialty
            await self.give(task, f"specialty:{specialty}", f"It is a matter of {specialty}.")
        for task, worker in zip(leaves[1:], self.cast.workers[:NAMED], strict=False):
            await self.give(task, worker.name, f"{worker.name} takes what follows from its work.")
        self.for_the_best += leaves[NAMED + 1 : NAMED + 2]

    async def give(self, task: str, to: str, reasoning: str) -> None:
        """Hand a task down, unless somebody was faster."""
        deliverables = ["a summary"]
        await self.hand.attempt("delegate", task=task, to=to, reasoning=reasoning, expected_deliverables=deliverables)

    async def take_up(self, item: dict[str, Any]) -> None:
        """Choose the best when work has begun, and whatever every superior does."""
        if item["type"] in DONE:
            while self.for_the_best:
                await self.give(self.for_the_best.pop(), "auto", "Whoever fits best.")
        else:
            await super().take_up(item)

    async def free(self) -> None:
        """Free what is stuck; but nobody is late before the first has done something."""
        if not self.for_the_best:
            await super().free()

    async def consider(self, still_open: int) -> int:
        """Wrap up when nothing but one's own task is open."""
        if still_open != 1:
            return still_open
        try:
            attempt = (await self.hand.claim(self.goal))["attempt"]
        except Refused:  # what is open is not this one, or this one is not ready yet
            return still_open
        summary = "Everything on the board is completed. (a scripted summary)"
        evidence = {"1": "get_overview() has nothing else open."}
        await self.hand.write("complete_task", task=self.goal, attempt=attempt, summary=summary, evidence=evidence)
        return 0
