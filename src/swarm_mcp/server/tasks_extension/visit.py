"""One request with a handle: who sends it, and the board in the name of the agent that the handle belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from swarm_mcp.model.agent import Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import mcp_types as types

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.server.calls import Calls
    from swarm_mcp.server.identity import Caller
    from swarm_mcp.server.tasks_extension.handle import Handle
    from swarm_mcp.server.waiting import Waiting

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Visit:
    """Whoever sends a request, and what may be done for it. Everything here blocks.

    The board lets a credential's subject act in an agent's name or not, as it does for calls of tools; it is asked
    before anything is told.
    """

    calls: Calls
    waiting: Waiting
    caller: Caller
    client: str
    can_be_asked: bool
    """Whether the client puts questions to somebody."""

    def read(self, question: Callable[[Transaction], T], agent: str) -> T:
        """Ask the board in an agent's name.

        Raises:
            NotAllowed: that is not for whoever sends this.

        """
        answer = self.calls.swarm.read(
            question, agent=agent, via=self.caller.name, connection=self.caller.id, subject=self.caller.subject
        )
        self.caller.has_read(agent)
        return answer

    def write(self, change: Callable[[Transaction], T], agent: str, *, profile: Profile | None = None) -> T:
        """Change the board in an agent's name; without the director's profile nobody becomes the root by it."""
        self.calls.make_known(self.caller, self.client)
        return self.calls.swarm.write(
            change,
            agent=agent,
            profile=profile or self.calls.profile,
            via=self.caller.name,
            connection=self.caller.id,
            subject=self.caller.subject,
        )


class Kind(Protocol):
    """A tool whose calls can be answered with a handle. All of it blocks, and runs on a worker thread."""

    def knows(self, handle: str) -> bool:
        """Whether an id looks like one of these handles."""
        ...

    def wants(self, params: types.CallToolRequestParams) -> bool:
        """Whether a call may be answered with a handle."""
        ...

    def call(self, params: types.CallToolRequestParams, visit: Visit) -> dict[str, Any]:
        """Answer a call: with a handle that is on the board by then, or with the tool's own result."""
        ...

    def find(self, handle: str, visit: Visit) -> object:
        """Look whether there is one; nothing is marked by that, and nothing kept.

        Raises:
            NotFound, NotAllowed: there is none that whoever sends this may know of.

        """
        ...

    def get(self, handle: str, visit: Visit) -> Handle:
        """How it stands; what is told then, is told."""
        ...

    def update(self, handle: str, visit: Visit, responses: Mapping[str, Any]) -> None:
        """Take what the client was asked for. What it was not asked for is ignored."""
        ...

    def cancel(self, handle: str, visit: Visit) -> None:
        """See that it ends, if it has not."""
        ...
