"""The messages of the plain model: each is kept once for everybody who gets it, with a mark of its own."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = ("question", "answer", "message")
"""Questions come first in an inbox."""


@dataclass
class Message:
    """What somebody said, perhaps about a task, perhaps to something that was said before."""

    sender: str
    type: str
    task: str | None = None
    reply_to: int | None = None


@dataclass
class Copy:
    """One reader's copy of a message."""

    reader: str
    message: int
    state: str = "new"


class Post:
    """Every message, and every copy in the order in which they arrived."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.copies: list[Copy] = []

    def send(self, message: Message, readers: list[str]) -> int:
        """Keep a message, and a copy for each reader; its number."""
        self.messages.append(message)
        number = len(self.messages) - 1
        for reader in readers:
            self.deliver(number, reader)
        return number

    def deliver(self, number: int, reader: str) -> None:
        self.copies.append(Copy(reader, number))

    def readers(self, number: int) -> list[str]:
        """Everybody who got a copy."""
        return [copy.reader for copy in self.copies if copy.message == number]

    def concerns(self, who: str, number: int) -> bool:
        """Whether somebody has sent or got a message."""
        return who == self.messages[number].sender or who in self.readers(number)

    def is_public(self, number: int) -> bool:
        """Questions and answers are for everybody to read."""
        return self.messages[number].type in {"question", "answer"}

    def unread(self, reader: str) -> list[Copy]:
        """What somebody has not read, in the order of its inbox."""
        mine = [copy for copy in self.copies if copy.reader == reader and copy.state != "read"]
        return sorted(mine, key=lambda copy: FIRST.index(self.messages[copy.message].type))

    def check(self, reader: str, shown: list[int] | None, *, reread: bool, more: int) -> None:
        """Somebody asks for its unread messages: what was shown the last time counts as read, unless it asks to reread.

        Args:
            reader: who asks.
            shown: the numbers of the messages that it gets, in order.
            reread: whether it wants once more what it got the last time.
            more: how many items there are that it does not get now.

        """
        if not reread:
            for copy in self.unread(reader):
                copy.state = "read" if copy.state == "shown" else copy.state
        wanted = self.unread(reader)
        shown = shown or []
        expected = [copy.message for copy in wanted[: len(shown)]]
        assert shown == expected, f"{reader} gets {shown} instead of {expected}"
        assert more or len(shown) == len(wanted), f"{reader} gets only {shown} of {[each.message for each in wanted]}"
        for copy in wanted[: len(shown)]:
            copy.state = "shown"
