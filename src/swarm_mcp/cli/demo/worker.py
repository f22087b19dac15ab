"""What a scripted worker does: the loop that a real one follows, with the thinking left out."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from swarm_mcp.cli.demo.hand import Refused

if TYPE_CHECKING:
    from swarm_mcp.cli.demo.hand import Hand

SHORTEST_REST = 0.05
LONGEST_REST = 0.4
WHOLE_BRIEF = 8000
"""Tokens for a brief of which a long description has pushed out what counts for completion."""
PATIENCE = 20.0
"""Seconds for which a worker waits for an answer before it goes on without."""
QUESTION = "Shall this go the plain way or the thorough one? (a scripted question)"


class Worker:
    """One worker on the board."""

    def __init__(self, hand: Hand, *, director: str, asks: bool) -> None:
        self.hand = hand
        self.director = director
        self.asks = asks
        self.asked: dict[str, tuple[int, float]] = {}
        """The attempts that wait for an answer, by task, and since when."""
        self.complained: set[str] = set()
        self.seen = 0

    async def work(self) -> None:
        """Claim and carry out until every task on the board is finished."""
        rest = SHORTEST_REST
        while True:
            claimed = await self.hand.call("claim_task")
            if claimed.get("task"):
                self.hand.tell("claim_task", said={}, answer={"task": claimed["task"], "attempt": claimed["attempt"]})
                await self.carry_out(claimed["task"]["id"], claimed["attempt"], claimed["brief"])
                rest = SHORTEST_REST
            elif not claimed.get("open"):
                return
            else:
                await asyncio.sleep(rest)
                rest = min(rest * 1.5, LONGEST_REST)
            await self.hear()

    async def carry_out(self, task: str, attempt: int, brief: dict[str, Any]) -> None:
        """Report, share and complete one task; what goes wrong is put to the director."""
        self.seen += 1
        if any(each.startswith("criteria") for each in brief.get("left_out", [])):
            brief = await self.hand.call("get_task", task=task, max_tokens=WHOLE_BRIEF)
        try:
            if self.asks and self.seen > 1 and await self.ask(task, attempt, QUESTION, patience=0):
                self.asks = False
                return
            await self.report_and_share(task, attempt, brief)
        except Refused as refused:
            if refused.code == "claim_lost":
                return
            raise
        await self.complete_or_ask(task, attempt, brief)

    async def complete_or_ask(self, task: str, attempt: int, brief: dict[str, Any]) -> None:
        """Complete a task; what the board finds missing is put to the director, once for each task."""
        try:
            await self.complete(task, attempt, brief)
        except Refused as refused:
            if refused.code == "claim_lost":
                return
            if task in self.complained or refused.code not in {"criteria_unmet", "blocked"}:
                raise
            self.complained.add(task)
            if not await self.ask(task, attempt, refused.message):
                raise

    async def report_and_share(self, task: str, attempt: int, brief: dict[str, Any]) -> None:
        """Say how it goes, and leave others what they may need."""
        parts = brief.get("subtasks", [])
        words = f"All {len(parts)} parts are done; wrapping up." if parts else "Read the brief and began."
        await self.hand.write("report_progress", task=task, message=words, percent=80 if parts else 40, attempt=attempt)
        if parts or brief.get("criteria") or self.seen % 3 == 0:
            await self.hand.write(
                "share_context", task=task, key=f"outcome of {task}, attempt {attempt}", kind="artifact",
                value={"by": self.hand.agent, "parts": len(parts), "criteria": len(brief.get("criteria", []))},
            )  # fmt: skip

    async def complete(self, task: str, attempt: int, brief: dict[str, Any]) -> None:
        """Complete with a summary, and with evidence for every criterion."""
        evidence = {
            str(each["n"]): f"Looked at by {self.hand.agent}, a scripted agent: nothing was really built."
            for each in brief.get("criteria", [])
        }
        await self.hand.write(
            "complete_task", task=task, attempt=attempt, evidence=evidence,
            summary=f"Carried out by {self.hand.agent}, a scripted agent.",
        )  # fmt: skip

    async def ask(self, task: str, attempt: int, question: str, *, patience: float = PATIENCE) -> bool:
        """Put a question to the director; False if it is not there in so many seconds."""
        began = time.monotonic()
        while True:
            try:
                await self.hand.write(
                    "report_progress", task=task, message=question, status="requires_assistance", ask=self.director,
                    attempt=attempt,
                )  # fmt: skip
                break
            except Refused as refused:
                if refused.code != "not_found":
                    raise
            if time.monotonic() - began >= patience:
                return False
            await asyncio.sleep(LONGEST_REST)
        self.asked[task] = (attempt, time.monotonic())
        return True

    async def hear(self) -> None:
        """Read the inbox; go on with what was answered, and with what nobody answers."""
        inbox = await self.hand.call("check_inbox")
        for item in inbox.get("items", []):
            if item["type"] == "answer" and item.get("task") in self.asked:
                await self.go_on(item["task"])
        for task, (attempt, since) in list(self.asked.items()):
            if time.monotonic() - since > PATIENCE:
                await self.hand.write(
                    "report_progress",
                    task=task,
                    message="Going on without an answer.",
                    status="in_progress",
                    attempt=attempt,
                )
                await self.go_on(task)

    async def go_on(self, task: str) -> None:
        """Complete a task about which a question was asked; its criteria may be others by now."""
        attempt, _ = self.asked.pop(task)
        brief = await self.hand.call("get_task", task=task, max_tokens=WHOLE_BRIEF)
        await self.complete_or_ask(task, attempt, brief)
