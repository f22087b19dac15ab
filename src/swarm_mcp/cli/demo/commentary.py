"""The commentary: what each agent does, as a word for the picture and as lines for a pipe."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from swarm_mcp.cli.demo.troupe import Telling

VERBS = {
    "claim_task": "works on", "report_progress": "reports on", "share_context": "shares on",
    "complete_task": "completed", "delegate": "hands on", "send_message": "writes", "update_task": "frees",
    "review_task": "reviewed", "register_agent": "registers", "create_plan": "plans", "ready": "is ready",
    "lingers": "works for long on", "summary": "sums up",
}  # fmt: skip
SPOKEN = frozenset({"ready", "create_plan", "delegate", "review_task", "summary"})
"""What is told in the words of the board's answer."""


class Commentary:
    """What has been heard of a performance so far."""

    def __init__(self, names: Sequence[str], say: Callable[[str], None]) -> None:
        self.doing = dict.fromkeys(names, "is starting")
        self.completed = 0
        self.last_completion = 0.0
        self._say = say

    def ended(self, name: str, how: str = "has ended") -> None:
        """Somebody's process has ended."""
        self.doing[name] = how

    def heard(self, telling: Telling) -> None:
        """Note what an agent tells, and say the line that belongs to it."""
        name, what, said, answer = telling["agent"], telling["what"], telling["said"], telling["answer"]
        task = answer.get("task") or {}
        is_done = what == "complete_task" and task["status"] == "completed"
        if is_done or (what == "review_task" and said.get("verdict") == "accept"):
            self.completed += 1
            self.last_completion = time.monotonic()
        self.doing[name] = f"{VERBS.get(what, what)} {about(what, said, answer)}".strip()
        if is_done:
            self._say(f"{self.completed:>4} {name} completed {task['id']}")
        elif what == "send_message":
            self._say(f"     {name} to {', '.join(answer['to'])}: {said['text']}")
        elif is_spoken(what, said, answer):
            self._say(f"     {name}: {answer['message']}")


def about(what: str, said: dict[str, Any], answer: dict[str, Any]) -> str:
    """What an agent's word is about, as far as there is room for it."""
    task = answer.get("task") or {}
    if what == "register_agent":
        return f"{said['name']} as {said['lifecycle']}" if said.get("lifecycle") else str(said["name"])
    if what in {"delegate", "send_message"}:
        to = answer.get("chosen") or said.get("to") or ", ".join(answer.get("to", []))
        return f"{task.get('id', '')} to {to}".strip()
    if what == "review_task":
        return f"{task['id']}: {said.get('verdict', '')}"
    return f"{task.get('id', '')} {task.get('title', '') if what == 'claim_task' else ''}".strip()


def is_spoken(what: str, said: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Whether something is worth a line: not each report, and not each of many registrations."""
    if what == "claim_task" or not answer.get("message"):
        return False
    wants = said.get("status") == "requires_assistance" or said.get("lifecycle")
    waits = what == "complete_task" and answer["task"]["status"] == "in_review"
    return what in SPOKEN or bool(wants) or waits
