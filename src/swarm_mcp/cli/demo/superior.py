"""What whoever has others below it does: it answers, frees what is stuck, and takes the work of the dead back."""

from __future__ import annotations

import ast
import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swarm_mcp.cli.demo.hand import Hand

WAIT_SECONDS = 1
QUIET_ROUNDS = 2
PATIENCE = 3
"""How often something that is another's to move must be seen standing still before one moves it oneself."""
ANSWER = "The plain way; note on the task what the thorough one would add. (a scripted answer)"
LACKS_CRITERIA = "has no criteria"
MESSAGE_ID = re.compile(r"\bm\d+\b")
DEATH = "The process of {name} has ended."
"""What the operator writes to the superior of an agent whose process is gone."""
THE_DEAD = re.compile(re.escape(DEATH).replace(r"\{name\}", r"(\S+)"))
GOODBYE = "Nothing is open any more. Thank you all. (a scripted goodbye)"


class Superior:
    """Somebody with others below it."""

    def __init__(self, hand: Hand, *, leads: bool = False) -> None:
        self.hand = hand
        self.leads = leads
        """Whether it is the root director; a supervisor becomes it when there is none any more."""
        self.entrusted: set[str] = set()
        """Tasks that are another's to judge."""
        self.seen_stuck: Counter[str] = Counter()

    async def lead(self) -> None:
        """Stay with the work until nothing is open."""
        quiet = 0
        while True:
            began = time.monotonic()
            news = await self.hand.news(WAIT_SECONDS)
            items = news.get("items", [])
            for item in items:
                await self.take_up(item)
            still_open = (await self.hand.call("get_overview")).get("open_tasks", 0) if items else news.get("open", 0)
            if not await self.consider(still_open):
                return
            waited = not items and time.monotonic() - began >= WAIT_SECONDS
            quiet = quiet + 1 if waited else 0
            if self.leads and quiet >= QUIET_ROUNDS:
                await self.free()
                quiet = 0

    async def consider(self, still_open: int) -> int:
        """Do what follows from how much is open, such as wrapping up; how much is open then."""
        return still_open

    async def take_up(self, item: dict[str, Any]) -> None:
        """Do what one item of the inbox asks for, if anything."""
        text = item["text"]
        dead = THE_DEAD.search(text)
        if item["type"] == "question":
            await self.reply(item["id"], item["task"], text)
        elif item["type"] == "message" and LACKS_CRITERIA in text:  # passed on by somebody who may not mend that
            await self.reply(MESSAGE_ID.findall(text)[-1], item["task"], text)
        elif item["type"] == "message" and item.get("from") == "operator" and dead:
            await self.hand.attempt("register_agent", name=dead[1], lifecycle="failed")
        elif item["type"] == "system" and f"{self.hand.agent} is now the root director" in text:
            self.leads = True

    async def reply(self, question: str, task: str, text: str) -> None:
        """Answer one question; a task that needs criteria gets one first, or the question goes a level up."""
        if LACKS_CRITERIA in text and not await self.add_criterion(task):
            words = f"{text} Please answer {question}: I may not change that task."
            await self.hand.write("send_message", to="superior", task=task, text=words)
        else:
            await self.hand.attempt("send_message", reply_to=question, text=ANSWER)

    async def add_criterion(self, task: str) -> bool:
        """Say when a task is done that nobody had said it of; False if one may not."""
        criteria = ["Somebody else has looked at it."]
        refused = await self.hand.attempt("update_task", task=task, add_criteria=criteria)
        return refused is None or refused.code != "not_allowed"

    async def free(self) -> None:
        """Make the calls that the board itself proposes for what does not move."""
        stuck = await self.hand.call("get_overview", view="stuck", limit=10)
        items = stuck.get("items", [])
        self.seen_stuck = Counter({each["task"]: self.seen_stuck[each["task"]] + 1 for each in items})
        for item in items:
            tool, arguments = read_call(item["call"])
            if tool == "claim_task" or (self.is_anothers(item) and self.seen_stuck[item["task"]] < PATIENCE):
                continue
            if LACKS_CRITERIA in item["why"]:
                await self.add_criterion(item["task"])
            refused = await self.hand.attempt(tool, **arguments)
            if refused and refused.code == "criteria_unmet":
                notes = "Taken over from the plan as it was."
                await self.hand.attempt("review_task", task=item["task"], verdict="waive", notes=notes)

    def is_anothers(self, item: dict[str, Any]) -> bool:
        """Whether somebody else is expected to move what is stuck: who was asked, who judges it, who comes for it."""
        whys = (" has not answered", "ready, but")
        return item["task"] in self.entrusted or any(why in item["why"] for why in whys)


def read_call(words: str) -> tuple[str, dict[str, Any]]:
    """A call as the board writes it, `update_task(task="k3x9m2qa", action="resume")`, as a name and arguments."""
    call = ast.parse(words.replace("…", f'"{ANSWER}"'), mode="eval").body
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
        return call.func.id, {each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg}
    raise SyntaxError(words)
