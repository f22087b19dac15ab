"""Rules of the state machine: messages, questions and answers, and everybody's inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule
from plain_task import OPERATOR
from playing import SOME, WILD, Playing, some
from twin import PLACES, STAFF

from swarm_mcp import operations

if TYPE_CHECKING:
    from swarm_mcp.model.message import Inbox

READERS = st.sampled_from([*STAFF, OPERATOR])
MESSAGE_TYPES = {"question", "answer", "message"}


class MessageRules(Playing):
    """What agents write to each other, and read."""

    @rule(
        who=READERS, n=SOME, about=st.booleans(),
        to=st.sampled_from([*PLACES, "team:blue", "specialty:coding", "all", "all", "superior", OPERATOR, ""]),
    )  # fmt: skip
    def write(self, who: str, n: int, about: bool, to: str) -> None:
        self._send(who, to, self.task(n) if about else None, None)

    @precondition(lambda machine: machine.model.post.messages)
    @rule(who=READERS, n=SOME, about=st.booleans(), to=st.sampled_from(["", "", "", "all", *STAFF]))
    def reply(self, who: str, n: int, about: bool, to: str) -> None:
        """Mostly to what one has sent or got."""
        post = self.model.post
        numbers = range(len(post.messages))
        good = [each for each in numbers if post.concerns(who, each)] if n % 5 != WILD else []
        self._send(who, to, self.task(n) if about else None, (good or numbers)[n // 5 % len(good or numbers)])

    @some(lambda task: task.asked)
    @rule(who=READERS, n=SOME, named=st.booleans())
    def answer(self, who: str, n: int, named: bool) -> None:
        """By the one asked or by anybody, as a reply or simply to whoever asked."""
        asking = [task for task in self.model.tasks.values() if task.asked]
        task = asking[n // 2 % len(asking)]
        who = who if n % 2 else task.asked[-1]
        if named:
            self._send(who, "", None, task.question)
        else:
            self._send(who, task.holder if n % 3 else "", task.id, None)

    def _send(self, who: str, to: str, task: str | None, reply_to: int | None) -> None:
        number = f"m{self.twin.sent[reply_to]}" if reply_to is not None else ""
        self.twin.on(
            who,
            lambda db: operations.send_message(db, text="So it is.", to=to, task=task or "", reply_to=number),
            lambda: self.model.send(who, to, task, reply_to),
            resting=True,
        )

    @precondition(lambda machine: machine.model.post.copies)
    @rule(
        readers=st.lists(READERS, min_size=1, max_size=3),
        reread=st.sampled_from([False, False, True]),
        limit=st.sampled_from([20, 20, 1, 2, 5]),
    )
    def read(self, readers: list[str], reread: bool, limit: int) -> None:
        """One after the other."""
        for reader in readers:
            self._read(reader, reread=reread, limit=limit)

    def _read(self, who: str, *, reread: bool, limit: int) -> None:
        def plain(inbox: Inbox | None) -> None:
            got: list[Any] = inbox.items if inbox is not None else []
            shown = [self.twin.sent.index(int(each.id[1:])) for each in got if each.type in MESSAGE_TYPES]
            kinds = [each.type in MESSAGE_TYPES or each.type == "system" for each in got]
            assert kinds == sorted(kinds, reverse=True), "notifications come last"
            self.model.post.check(who, shown, reread=reread, more=inbox.more if inbox is not None else 0)

        self.twin.do(who, lambda db: operations.check_inbox(db, reread=reread, limit=limit), plain, resting=True)
