"""Messages, notifications and the inbox."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from swarm_mcp.model.record import Answer, Record


class MessageType(StrEnum):
    """What a message is. Questions and answers about a task are readable by the whole project."""

    MESSAGE = "message"
    QUESTION = "question"
    ANSWER = "answer"
    SYSTEM = "system"


class InboxState(StrEnum):
    """A copy is new, then shown; it counts as read when its reader asks the next time."""

    NEW = "new"
    SHOWN = "shown"
    READ = "read"


class InboxItem(Record):
    """One thing in an inbox."""

    id: str
    type: str
    sender: str = Field(default="", serialization_alias="from")
    task: str = ""
    title: str = ""
    text: str = ""
    at: str


class Inbox(Answer):
    """Unread messages and notifications, questions first."""

    items: list[InboxItem] = Field(default_factory=list)
    more: int = 0
    ready: int | None = None
    """How many tasks one could claim; told to whoever waits for news when there are none."""
    open: int = 0
    """How many tasks are unfinished; likewise."""


class Sent(Answer):
    """A message that was delivered."""

    id: str
    to: list[str] = Field(default_factory=list)
    resumed: str = ""
    unread: int = 0
