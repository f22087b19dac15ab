"""What a scripted director does: it looks, hands some work down, answers, frees what is stuck, and sums up."""

from __future__ import annotations

import ast
import asyncio
from typing import TYPE_CHECKING, Any

from swarm_mcp.cli.demo.hand import Refused

if TYPE_CHECKING:
    from swarm_mcp.cli.demo.hand import Hand

DELEGATED = 4
PAUSE = 0.3
QUIET_ROUNDS = 2
ANSWER = "The plain way; note on the task what the thorough one would add. (a scripted answer)"


class Director:
    """The root director of the demo's board."""

    def __init__(self, hand: Hand, workers: list[str]) -> None:
        self.hand = hand
        self.workers = workers

    async def direct(self) -> None:
        """Begin the work, and stay with it until nothing is open."""
        await self.hand.write(
            "share_context", key="how we work", kind="requirement", value="Claim, report, show evidence, complete."
        )
        await self.hand.call("get_overview", view="tree", limit=40)
        await self.hand_down()
        quiet = 0
        while True:
            quiet = 0 if await self.answer() else quiet + 1
            if quiet >= QUIET_ROUNDS:
                await self.free()
                quiet = 0
            overview = await self.hand.call("get_overview")
            if not overview.get("open_tasks"):
                self.hand.tell("summary", said={}, answer={"message": overview["message"]})
                return
            await asyncio.sleep(PAUSE)

    async def hand_down(self) -> None:
        """Give a few tasks that cannot begin yet to workers by name."""
        found = await self.hand.call("list_tasks", status=["blocked"], limit=50)
        leaves = [each for each in found["tasks"] if each.get("depends_on")]
        for task, worker in zip(leaves[:DELEGATED], self.workers * DELEGATED, strict=False):
            try:
                await self.hand.write(
                    "delegate", task=task["id"], to=worker, reasoning=f"{worker} takes what follows from its work.",
                    expected_deliverables=["a summary"],
                )  # fmt: skip
            except Refused as refused:
                if refused.code not in {"conflict", "illegal_move"}:  # somebody was faster
                    raise

    async def answer(self) -> bool:
        """Answer every question; whether there was anything new at all."""
        inbox = await self.hand.call("check_inbox", limit=50)
        items = inbox.get("items", [])
        for item in items:
            if item["type"] == "question":
                await self.reply(item)
        return bool(items)

    async def reply(self, item: dict[str, Any]) -> None:
        """Answer one question; a task without criteria that needs some gets one first."""
        if "has no criteria" in item["text"]:
            await self.hand.write("update_task", task=item["task"], add_criteria=["Somebody else has looked at it."])
        await self.hand.write("send_message", reply_to=item["id"], text=ANSWER)

    async def free(self) -> None:
        """Make the calls that the board itself proposes for what does not move."""
        stuck = await self.hand.call("get_overview", view="stuck", limit=10)
        for item in stuck.get("items", []):
            if item["why"].startswith("ready, but"):
                continue
            tool, arguments = read_call(item["call"])
            try:
                await self.hand.write(tool, **arguments)
            except Refused as refused:
                if refused.code == "criteria_unmet":
                    notes = "Taken over from the plan as it was."
                    await self.hand.write("review_task", task=item["task"], verdict="waive", notes=notes)
                elif refused.code not in {"conflict", "illegal_move", "blocked"}:
                    raise


def read_call(words: str) -> tuple[str, dict[str, Any]]:
    """A call as the board writes it, `update_task(task="k3x9m2qa", action="resume")`, as a name and arguments."""
    call = ast.parse(words.replace("…", f'"{ANSWER}"'), mode="eval").body
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
        return call.func.id, {each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg}
    raise SyntaxError(words)
