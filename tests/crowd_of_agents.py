"""Replicas of one board and agents who call them: each call goes to the next replica, and again if one dies under it.

What the agents ask and are told is kept, so that it can be compared with what the board says afterwards.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
from history import NOT_HEARD, Call
from listening import Listener, call, listening

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_SECONDS = 60.0
WAIT_SECONDS = 1
"""How long an agent lets itself be woken when nothing is ready."""


class Lost(Exception):
    """No answer came: what was asked for may have been done."""


class Replicas:
    """Server processes on one database, of which some are killed and started again."""

    def __init__(self, address: str, folder: Path, count: int) -> None:
        self._address = address
        self._log = folder / "fleet.db"
        self._stack = ExitStack()
        self._born = 0
        self.alive: list[Listener] = [self._start() for _ in range(count)]
        self.answered: dict[int, int] = {}
        """How many answers came from each port."""

    def _start(self) -> Listener:
        self._born += 1
        program = listening(self._log, "--transport", "http", name=str(self._born), address=self._address)
        return self._stack.enter_context(program)

    async def replace(self, number: int) -> int:
        """Kill one in the middle of whatever it does, and start another in its place; the new one's port."""
        old = self.alive[number]
        old.process.kill()
        await asyncio.to_thread(old.process.wait)
        self.alive[number] = await asyncio.to_thread(self._start)
        return self.alive[number].port

    def close(self) -> None:
        """End them all."""
        self._stack.close()


@dataclass
class Told:
    """What all agents were told together."""

    claims: list[tuple[str, int, str]] = field(default_factory=list)
    """Task, attempt, agent."""
    reports: list[tuple[str, str, str]] = field(default_factory=list)
    """Task, agent, words."""
    completions: list[tuple[str, int, str, str]] = field(default_factory=list)
    """Task, attempt, agent, summary."""
    releases: list[tuple[str, int, str]] = field(default_factory=list)
    """Task, attempt, agent."""
    calls: list[Call] = field(default_factory=list)
    """All of it, as the history of claims has it."""
    seconds: dict[str, list[float]] = field(default_factory=dict)
    """How long answers took that came at the first attempt, by tool."""
    lost: int = 0
    """Calls that were not answered."""


class Agent:
    """One agent, known by its client's name, at one replica after the other."""

    def __init__(self, name: str, number: int, replicas: Replicas, http: httpx2.AsyncClient, told: Told) -> None:
        self.name = name
        self.told = told
        self.chance = random.Random(name)
        self._turn = number
        self._replicas = replicas
        self._http = http
        self._path = "/mcp/worker"

    async def once(self, tool: str, **said: Any) -> dict[str, Any]:
        """Call a tool at the next replica; `code` is in what comes back if it was refused."""
        self._turn += 1
        port = self._replicas.alive[self._turn % len(self._replicas.alive)].port
        body, headers = call(tool, **said)
        body["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] = {"name": self.name, "version": "1"}
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        began = time.monotonic()
        try:
            heard = await self._http.post(f"http://127.0.0.1:{port}{self._path}", json=body, headers=headers)
        except httpx2.TransportError as error:
            self.told.lost += 1
            raise Lost from error
        self.told.seconds.setdefault(tool, []).append(time.monotonic() - began)
        self._replicas.answered[port] = self._replicas.answered.get(port, 0) + 1
        assert heard.status_code == 200, heard.text
        text = heard.text
        if heard.headers["content-type"].startswith("text/event-stream"):
            text = [line[6:] for line in text.splitlines() if line.startswith("data: ")][-1]
            heard = httpx2.Response(200, text=text)
        return heard.json()["result"]["structuredContent"]

    async def ask(self, tool: str, **said: Any) -> tuple[dict[str, Any], bool]:
        """Call a tool until an answer comes; it, and whether it may have been done before."""
        unheard, until = False, time.monotonic() + PATIENCE_SECONDS
        while True:
            assert time.monotonic() < until, f"{self.name}: no answer to {tool}"
            try:
                answer = await self.once(tool, **said)
            except Lost:
                unheard = True
                await asyncio.sleep(0.02)  # the others still serve, but a port that refuses answers at once
                continue
            if not answer.get("retryable"):
                return answer, unheard

    def note(self, what: str, task: str, attempt: int, began: int, answer: int | None) -> None:
        """Keep a call for the history."""
        ended = None if answer is NOT_HEARD else time.monotonic_ns()
        self.told.calls.append(Call(what, task, self.name, self.name, attempt, 0, began, ended, answer))

    async def work(self) -> None:
        """Claim, report and complete until everything is done; some of it is given back."""
        while True:
            task, attempt, is_over = await self._claim()
            if task:
                await self._carry_out(task, attempt)
            elif is_over:
                return
            else:
                await self.ask("check_inbox", wait_seconds=WAIT_SECONDS)

    async def _claim(self) -> tuple[str, int, bool]:
        """What it gets or has, in which attempt, and whether nothing is left.

        A claim whose answer was lost may have been made: then it is among what the agent holds.
        """
        began = time.monotonic_ns()
        while True:
            try:
                answer = await self.once("claim_task")
            except Lost:
                held = await self._held(began)
                if held is not None:
                    return *held, False
                continue
            break
        assert "code" not in answer, answer
        if answer.get("task") is None:
            held = await self._held(began)  # of a call whose server died while the database was still at it
            return (*held, False) if held is not None else ("", 0, answer.get("open", 0) == 0)
        self.take(answer["task"]["id"], answer["attempt"], began)
        return answer["task"]["id"], answer["attempt"], False

    async def _held(self, began: int) -> tuple[str, int] | None:
        answer, _ = await self.ask("get_task")
        if "attempt" not in answer:
            assert not answer.get("held"), answer
            return None
        task, attempt = answer["task"]["id"], answer["attempt"]
        self.take(task, attempt, began)
        return task, attempt

    def take(self, task: str, attempt: int, began: int) -> None:
        """Note what it was given."""
        self.told.claims.append((task, attempt, self.name))
        self.note("next", task, 0, began, attempt)

    async def _carry_out(self, task: str, attempt: int) -> None:
        words = f"{self.name} is half way with {task} ({attempt})"
        await self._write("report", "report_progress", task, attempt, message=words, percent=50)
        self.told.reports.append((task, self.name, words))
        if attempt == 1 and self.chance.random() < 0.05:
            await self._write("release", "report_progress", task, attempt, message="Not mine.", status="released")
            self.told.releases.append((task, attempt, self.name))
            return
        summary = f"{self.name} did {task} ({attempt})"
        await self._write("completed", "complete_task", task, attempt, summary=summary)
        self.told.completions.append((task, attempt, self.name, summary))

    async def _write(self, what: str, tool: str, task: str, attempt: int, **said: Any) -> None:
        """Write about a task that it holds, which nobody may refuse, unless it has been done already, unheard."""
        began = time.monotonic_ns()
        answer, unheard = await self.ask(tool, task=task, attempt=attempt, **said)
        if "code" in answer:
            assert (what, unheard, answer["code"]) == ("release", True, "claim_lost"), answer
        self.note(what, task, attempt, began, 1)


class Director(Agent):
    """Plans while the others work."""

    def __init__(self, replicas: Replicas, http: httpx2.AsyncClient, told: Told) -> None:
        super().__init__("lead", 0, replicas, http, told)
        self._path = "/mcp"

    async def plan(self, count: int, at_once: int, reach: int, last: asyncio.Event) -> list[str]:
        """Make a plan in parts under keys, so that a part whose answer was lost is made once; the ids of all tasks.

        Two of three tasks of every part but the first wait for two of the latest `reach` tasks, the rest for one. The
        last part waits for an event.
        """
        made: list[str] = []
        for start in range(0, count, at_once):
            if start + at_once >= count:
                await last.wait()
            items: list[dict[str, Any]] = []
            for n in range(start, min(start + at_once, count)):
                before = self.chance.sample(made[-reach:], 2 if n % 3 else 1) if made else []
                items.append({"ref": f"n{n}", "title": f"Task {n}", "depends_on": before})
            answer, _ = await self.ask("create_plan", tasks=items, key=f"part {start}")
            assert len(answer.get("ids", ())) == len(items), answer
            made += answer["ids"].values()
        return made
