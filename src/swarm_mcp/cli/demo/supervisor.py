"""What a scripted supervisor does: it hands work on to its team, answers its workers, and reviews what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.cli.demo.cast import TEAMS
from swarm_mcp.cli.demo.superior import Superior

if TYPE_CHECKING:
    from swarm_mcp.cli.demo.cast import Member
    from swarm_mcp.cli.demo.hand import Hand

PARTS = 2
"""How many parts of a branch go to whoever fits best; the others are anyone's."""
OPEN = frozenset({"pending", "blocked"})
REWORK = "Say for each part who has looked at it. (a scripted review)"
PRAISE = "Now it is complete. (a scripted review)"


class Supervisor(Superior):
    """Somebody with a team."""

    def __init__(self, hand: Hand, me: Member) -> None:
        super().__init__(hand)
        self.me = me
        self.branches: list[str] = []
        """Tasks with parts, of which some go to whoever fits best as soon as the team is at work."""
        self.sent_back: set[str] = set()

    async def supervise(self) -> None:
        """Say that one is there, and stay with the team until nothing is open."""
        await self.hand.write("send_message", to="superior", text=f"{self.me.name} is here, for team:{self.me.team}.")
        self.hand.tell("ready", said={}, answer={})
        await self.lead()

    async def take_up(self, item: dict[str, Any]) -> None:
        """Hand on what is handed to one, review what is done, and whatever every superior does."""
        if item["type"] == "delegated":
            await self.hand_on(item["task"])
        elif item["type"] == "started":
            while self.branches:
                await self.hand_on_parts(self.branches.pop(0))
        elif item["type"] == "in_review":
            await self.review(item["task"])
        else:
            await super().take_up(item)

    async def hand_on(self, task: str) -> None:
        """Give a task to the team."""
        brief = await self.hand.call("get_task", task=task)
        if brief["task"].get("assignee") != self.me.name:  # others hear of it, too
            return
        team = await self.manned_team()
        await self.hand.attempt("delegate", task=task, to=f"team:{team}", reasoning=f"For any of the {team}.")
        self.branches += [task] if brief.get("subtasks") else []

    async def hand_on_parts(self, task: str) -> None:
        """Give parts of a task to whoever fits best."""
        brief = await self.hand.call("get_task", task=task)
        parts = [each["id"] for each in brief.get("subtasks", []) if each["status"] in OPEN]
        for part in parts[:PARTS]:
            reasoning = f"Part of {task}, for whoever of the {self.me.team} fits best."
            await self.hand.attempt("delegate", task=part, to="auto", reasoning=reasoning)

    async def manned_team(self) -> str:
        """One's own team, or another one if nobody is left in it."""
        for team in dict.fromkeys([self.me.team, *TEAMS]):
            if (await self.hand.call("list_agents", team=team))["agents"]:
                return team
        return self.me.team

    async def review(self, task: str) -> None:
        """Send the first work back, once, and accept what was made of it."""
        brief = await self.hand.call("get_task", task=task, include=["executions", "progress"])
        if brief["task"]["status"] != "in_review":
            return
        if not self.sent_back:
            self.sent_back.add(task)
            await self.hand.attempt("review_task", task=task, verdict="rework", notes=REWORK)
        else:
            await self.hand.attempt(
                "review_task", task=task, verdict="accept", quality=4, timeliness=4, notes=PRAISE
            )  # fmt: skip
