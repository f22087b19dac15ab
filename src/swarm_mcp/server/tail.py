"""The tail of the ledger: what has happened since the last look, as the documents that it touched."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from swarm_mcp.interchange import addresses, private
from swarm_mcp.repository import connections, events

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from swarm_mcp.interchange.private import Belonging
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.marks import Mark
    from swarm_mcp.repository.statement import Row

PAGE = 500


class News(NamedTuple):
    """What a look has found."""

    touched: frozenset[str]
    """The watched addresses of which something changed that everybody may know."""
    marks: dict[Belonging, Mark]
    """How far every watched private document is now."""
    is_list_changed: bool
    """Whether hosts are offered other resources than before."""
    revoked: frozenset[str]
    """The tokens that open nothing any more."""
    are_tokens_demanded: bool
    """Whether there is a token now, so that nobody is let in without one."""
    subscribed: dict[str, frozenset[str]]
    """What each session has subscribed to, through whatever server."""


class Tail:
    """Reads the events of one project as they come, each once, and misses none. Blocks: for a worker thread.

    On PostgreSQL an event can be seen while an older transaction is still open. It is read then, and its number
    remembered until nothing older can appear before it: the place from which the next look reads goes no further.
    """

    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm
        self._place = (0, 0)
        self._ahead: frozenset[int] = frozenset()

    def begin(self) -> None:
        """Begin here: what is committed from now on will be found."""
        self._place, self._ahead = self._swarm.read(events.end_of_events), frozenset()

    def news(
        self, watched: Collection[str], belongings: Collection[Belonging] = (), sessions: Collection[str] = ()
    ) -> News:
        """What has happened since the last look, for whoever watches these, and for these sessions."""
        ask = partial(self._look, watched=watched, belongings=belongings, sessions=sessions)
        found, self._place, self._ahead = self._swarm.read(ask)
        return found

    def _look(
        self, db: Transaction, watched: Collection[str], belongings: Collection[Belonging], sessions: Collection[str]
    ) -> tuple[News, tuple[int, int], frozenset[int]]:
        """The news, and from where the next look reads. Changes nothing: it may be run again."""
        settled = events.end_of_events(db) if db.is_postgres else None
        place, ahead = self._place, set[int]()
        touched: set[str] = set()
        revoked: set[str] = set()
        is_list_changed = are_demanded = False
        for page in self._pages(db):
            for event in page:
                if settled is None or events.place_in_order(event) <= settled:
                    place = events.place_in_order(event)
                else:
                    ahead.add(event.seq)
            new = [each for each in page if each.seq not in self._ahead and each.project == self._swarm.project]
            touched |= addresses.touched(db, new, watched)
            is_list_changed = is_list_changed or any(map(addresses.changes_list, new))
            revoked |= {each.data["token"] for each in new if each.kind == "token_revoked"}
            are_demanded = are_demanded or any(each.kind == "token_created" for each in page)
        marks = private.look(db, belongings)
        subscribed = connections.subscriptions(db, sessions)
        news = News(frozenset(touched), marks, is_list_changed, frozenset(revoked), are_demanded, subscribed)
        return news, place, frozenset(ahead)

    def _pages(self, db: Transaction) -> Iterator[Sequence[Row]]:
        place = self._place
        while page := events.events_in_sight(db, place, limit=PAGE):
            yield page
            if len(page) < PAGE:
                return
            place = events.place_in_order(page[-1])
