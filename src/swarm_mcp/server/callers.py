"""Who is calling over HTTP, where one process serves many and any process may serve anybody.

The older generation has sessions: each is a connection with a name of its own, written on the board, so that another
server can go on with it. The newer has none: a request says who calls by its token, or else by the client's name, and
nothing is remembered between two requests. So for them an empty `agent` always means the token's agent (or the
client), however many others have acted; and `attempt=0` is the attempt that the agent holds, unless it has claimed
the task more than once: then a write that does not say its attempt is refused, since nobody knows which it means.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from typing import TYPE_CHECKING

from swarm_mcp.server.identity import Caller, name_of_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swarm_mcp.model.bearer import Bearer

KEPT = 10_000
"""Callers that a server remembers; what it forgets costs a heartbeat too many, or a number in a name."""
SPACE = uuid.UUID("7c4d6e0a-52b1-4a52-9f0c-3a3f5d0e6b1d")
"""What the ids of those without a session are derived from."""


class Session(Caller):
    """A connection over HTTP that lasts for several requests."""

    def __init__(self, session_id: str, name: str, subject: str = "") -> None:
        super().__init__(name)
        self.id = session_id
        self.subject = subject

    def process(self) -> int:
        """None: another server may go on with it."""
        return 0


class Sessionless(Caller):
    """Whoever sends requests that have nothing to do with each other."""

    def __init__(self, project: str, name: str, subject: str = "") -> None:
        super().__init__(name)
        # The same in every process: its claims are renewed by its calls, whichever server they come to.
        self.id = str(uuid.uuid5(SPACE, f"{project}/{self.name}"))
        self.subject = subject
        self.registered(self.name)

    def agent(self, given: str, *, writing: bool) -> str:
        """Whose call this is: whom it names, else the caller itself."""
        name = super().agent(given, writing=False)
        _ = writing
        return name

    def has_acted(self, agent: str) -> None:
        """Remember nothing but that it was heard of."""
        super().has_acted(agent)
        self.acted.clear()

    def remember(self, agent: str, task: str, attempt: int, *, said: str = "") -> None:
        """Remember nothing: the next request may come to another server, or from another program."""


class Callers:
    """Everybody who has called lately."""

    def __init__(self, project: str, agent: str = "") -> None:
        self.project = project
        self.agent = agent
        """What those without a token are called, if the server was told."""
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._sessionless: OrderedDict[tuple[str, bool], Sessionless] = OrderedDict()

    def session(self, session_id: str, bearer: Bearer | None) -> Session:
        """The caller of a session, made now if this server has not heard of it."""
        found = self._sessions.get(session_id)
        if found is None:
            subject = bearer.agent if bearer is not None else ""
            found = self._sessions[session_id] = Session(session_id, subject or self.agent, subject)
            _keep(self._sessions)
        self._sessions.move_to_end(session_id)
        return found

    def continued(self, session_id: str, name: str, bearer: Bearer | None) -> None:
        """Go on with a session that another server began, under the name that it has on the board."""
        session = self._sessions[session_id] = Session(session_id, name, bearer.agent if bearer is not None else "")
        session.registered(name)
        _keep(self._sessions)

    def sessionless(self, client: str, bearer: Bearer | None) -> Sessionless:
        """The caller of a request that belongs to no session."""
        name = bearer.agent if bearer is not None else (self.agent or name_of_client(client))
        key = (name, bearer is not None)
        found = self._sessionless.get(key)
        if found is None:
            found = self._sessionless[key] = Sessionless(self.project, name, name if bearer is not None else "")
            _keep(self._sessionless)
        self._sessionless.move_to_end(key)
        return found

    def forget(self, session_id: str) -> Session | None:
        """A session has ended; who that was, if this server knew."""
        return self._sessions.pop(session_id, None)

    def alive(self) -> Iterator[Session]:
        """The sessions that this server serves."""
        yield from list(self._sessions.values())


def _keep(known: OrderedDict[str, Session] | OrderedDict[tuple[str, bool], Sessionless]) -> None:
    while len(known) > KEPT:
        known.popitem(last=False)
