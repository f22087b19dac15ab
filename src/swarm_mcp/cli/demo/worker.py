"""What a scripted worker does: the loop that a real one follows, with the thinking left out."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from swarm_mcp.cli.demo.director import CHECK, MEASURED
from swarm_mcp.cli.demo.hand import Refused

if TYPE_CHECKING:
    from swarm_mcp.cli.demo.hand import Hand

WAIT_SECONDS = 2
WHOLE_BRIEF = 8000
"""Tokens for a brief of which a long description has pushed out what counts for completion."""
PATIENCE = 20.0
"""Seconds for which a worker waits for an answer before it goes on without."""
LINGER_SECONDS = 15.0
"""How long the one that is to be killed stays with its first task, if it is not."""
QUESTION = "Shall this go the plain way or the thorough one? (a scripted question)"


class Worker:
    """One worker on the board."""

    def __init__(self, hand: Hand, *, asks: bool, lingers: bool) -> None:
        self.hand = hand
        self.asks = asks
        self.lingers = lingers
        self.asked: dict[str, tuple[int, float]] = {}
        """The attempts that wait for an answer, by task, and since when."""
        self.complained: set[str] = set()
        self.seen = 0

    async def work(self) -> None:
        """Claim and carry out until every task on the board is finished."""
        while True:
            claimed = await self.hand.claim()
            if claimed.get("task"):
                await self.carry_out(claimed["task"]["id"], claimed["attempt"], claimed["brief"])
                await self.hear(0)
            elif claimed.get("open"):
                await self.hear(WAIT_SECONDS)
            else:
                return

    async def carry_out(self, task: str, attempt: int, brief: dict[str, Any]) -> None:
        """Report, share and complete one task; what goes wrong is put to the superior."""
        self.seen += 1
        if any(each.startswith("criteria") for each in brief.get("left_out", [])):
            brief = await self.hand.call("get_task", task=task, max_tokens=WHOLE_BRIEF)
        try:
            if self.asks:
                self.asks = False
                await self.ask(task, attempt, QUESTION)
                return
            await self.report_and_share(task, attempt, brief)
            if self.lingers:
                self.lingers = False
                self.hand.tell("lingers", said={}, answer={"task": {"id": task}})
                await asyncio.sleep(LINGER_SECONDS)
        except Refused as refused:
            if refused.code == "claim_lost":
                return
            raise
        await self.complete_or_ask(task, attempt, brief)

    async def complete_or_ask(self, task: str, attempt: int, brief: dict[str, Any]) -> None:
        """Complete a task; what the board finds missing is put to the superior, once for each task."""
        try:
            await self.complete(task, attempt, brief)
        except Refused as refused:
            if refused.code == "claim_lost":
                return
            if task in self.complained or refused.code not in {"criteria_unmet", "blocked"}:
                raise
            self.complained.add(task)
            await self.ask(task, attempt, refused.message)

    async def report_and_share(self, task: str, attempt: int, brief: dict[str, Any]) -> None:
        """Say how it goes, and leave others what they may need."""
        parts = brief.get("subtasks", [])
        words = f"All {len(parts)} parts are done; wrapping up." if parts else "Read the brief and began."
        if brief.get("review"):
            words = f"Mending what the review asked for: {brief['review'][-1]}"
        await self.hand.write("report_progress", task=task, message=words, percent=80 if parts else 40, attempt=attempt)
        if parts or brief.get("criteria") or self.seen % 3 == 0:
            await self.hand.write(
                "share_context", task=task, key=f"outcome of {task}, attempt {attempt}", kind="artifact",
                value={"by": self.hand.agent, "parts": len(parts), "criteria": len(brief.get("criteria", []))},
            )  # fmt: skip

    async def complete(self, task: str, attempt: int, brief: dict[str, Any]) -> None:
        """Complete with a summary, with evidence for every criterion, and with what a trial measures."""
        criteria = brief.get("criteria", [])
        evidence = {
            str(each["n"]): f"Looked at by {self.hand.agent}, a scripted agent: nothing was really built."
            for each in criteria
            if not each.get("check")
        }
        measured = MEASURED if any(each.get("check") == CHECK for each in criteria) else {}
        await self.hand.write(
            "complete_task", task=task, attempt=attempt, evidence=evidence, measurements=measured,
            summary=f"Carried out by {self.hand.agent}, a scripted agent.",
        )  # fmt: skip

    async def ask(self, task: str, attempt: int, question: str) -> None:
        """Put a question to the superior; meanwhile there are other tasks."""
        await self.hand.write(
            "report_progress", task=task, message=question, status="requires_assistance", attempt=attempt
        )  # fmt: skip
        self.asked[task] = (attempt, time.monotonic())

    async def hear(self, seconds: int) -> None:
        """Read the inbox; go on with what was answered, and with what nobody answers."""
        for item in (await self.hand.news(seconds)).get("items", []):
            if item["type"] == "answer" and item.get("task") in self.asked:
                await self.go_on(item["task"])
        for task, (_, since) in list(self.asked.items()):
            if time.monotonic() - since > PATIENCE:
                await self.go_on(task, "Going on without an answer.")

    async def go_on(self, task: str, words: str = "Going on with the answer.") -> None:
        """Complete a task about which a question was asked; its criteria may be others by now."""
        attempt, _ = self.asked.pop(task)
        try:
            await self.hand.write("report_progress", task=task, message=words, status="in_progress", attempt=attempt)
        except Refused as refused:
            if refused.code == "claim_lost":
                return
            raise
        brief = await self.hand.call("get_task", task=task, max_tokens=WHOLE_BRIEF)
        await self.complete_or_ask(task, attempt, brief)
