"""One that listens: to what, in whose name, and how it is told."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from mcp.shared.subscriptions import ResourceUpdated

from swarm_mcp.interchange import private
from swarm_mcp.interchange.private import Belonging
from swarm_mcp.model.errors import LimitReached

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Sequence

    from mcp.shared.subscriptions import ServerEvent

    from swarm_mcp.repository.marks import Mark
    from swarm_mcp.server.identity import Caller
    from swarm_mcp.server.tail import News

MOST_WATCHED = 500
"""Resources to which one listener listens."""


class Watched(NamedTuple):
    """A resource that somebody may listen to."""

    uri: str
    """As its listener calls it, and wants to be told."""
    address: str
    """As events have it."""
    mark: Mark
    """How far it was, if it is private."""


class Listener:
    """Whoever is told of changes: through a stream of its own, or through its connection."""

    def __init__(
        self,
        caller: Caller,
        tell: Callable[[ServerEvent], object],
        *,
        end: Callable[[], object],
        lists: bool = False,
        token: str | None = None,
        session: str = "",
    ) -> None:
        """Describe one.

        Args:
            caller: in whose name it listens.
            tell: called with each change; returns at once.
            end: called when it may not listen any more.
            lists: whether it hears that the list of resources changes.
            token: the token that let it in; empty if it was let in without one, None if it needs none.
            session: the session whose subscriptions are on the board; empty if they are here alone.

        """
        self.caller = caller
        self.tell = tell
        self.end = end
        self.lists = lists
        self.token = token
        self.session = session
        self.revision = 0
        """Odd while its session's subscriptions are being changed on the board, and another one afterwards."""
        self._addresses: dict[str, str] = {}
        self._marks: dict[str, Mark] = {}

    def watch(self, wanted: Sequence[Watched]) -> None:
        """Listen to these, too.

        Raises:
            LimitReached: nobody listens to so many.

        """
        check_count(self._addresses.keys() | {each.uri for each in wanted})
        for each in wanted:
            self._addresses[each.uri] = each.address
            if private.is_private(each.address):
                self._marks.setdefault(each.address, each.mark)

    def leave(self, uri: str) -> None:
        """Listen to it no longer."""
        address = self._addresses.pop(uri, "")
        if address not in self._addresses.values():
            self._marks.pop(address, None)

    @contextmanager
    def changing(self) -> Generator[None]:
        """Within the block its subscriptions here and on the board may differ."""
        self.revision += 1
        try:
            yield
        finally:
            self.revision += 1

    @property
    def uris(self) -> set[str]:
        """What it listens to, as it calls it."""
        return set(self._addresses)

    @property
    def addresses(self) -> set[str]:
        """What it listens to, as events have it."""
        return set(self._addresses.values())

    @property
    def belongings(self) -> set[Belonging]:
        """Those of them in which there is something that only it may read."""
        return {Belonging(address, self.caller.name) for address in self._marks}

    def hear(self, news: News) -> None:
        """Tell it what of this concerns it."""
        changed = news.touched & self.addresses
        for address, before in self._marks.items():
            now = news.marks.get(Belonging(address, self.caller.name), before)
            if now != before:
                changed |= {address}
                self._marks[address] = now
        for uri, address in self._addresses.items():
            if address in changed:
                self.tell(ResourceUpdated(uri))


def check_count(uris: Collection[str]) -> None:
    """Refuse to listen to more than anybody can."""
    if len(uris) > MOST_WATCHED:
        raise LimitReached(f"One listener listens to {MOST_WATCHED} resources at most; swarm://events is all of it.")
