"""Tool calls: from the wire's arguments to an operation in one transaction, and back to text and structure."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.arguments import read_arguments
from swarm_mcp.interchange.calling import model_of
from swarm_mcp.interchange.text import render
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.errors import Busy, Refusal
from swarm_mcp.model.task import Brief, Claimed
from swarm_mcp.operations import upkeep
from swarm_mcp.server.refusals import broken, refused
from swarm_mcp.server.schemas import operations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from swarm_mcp.model.record import Answer
    from swarm_mcp.operations.catalog import Operation
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.server.identity import Caller

_log = logging.getLogger(__name__)

OPERATIONS = operations()
RENEWING = frozenset({"claim_task"})
"""These renew the claims of their agent by themselves."""


class Calls:
    """Runs tools for one profile on one board. Everything here blocks and belongs on a worker thread."""

    def __init__(self, swarm: Swarm, profile: Profile) -> None:
        self.swarm = swarm
        self.profile = profile
        self._registering = threading.Lock()

    def call(
        self,
        name: str,
        given: dict[str, Any] | None,
        caller: Caller,
        client: str,
        *,
        show: Callable[[Answer], dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Run one tool; refusals are answers too. `show` makes the wire's form of what it answers, if not as usual."""
        try:
            answer = self._run(OPERATIONS[name], given, caller, client)
        except Refusal as refusal:
            return refused(refusal)
        except Exception:
            _log.exception("%s failed", name)
            return broken()
        return (show or answered)(answer)

    def call_at_once(
        self, name: str, given: dict[str, Any] | None, caller: Caller, client: str
    ) -> dict[str, Any] | None:
        """Run one tool if that is short and nobody else is writing; None if it was not run and `call` has to."""
        if not caller.is_known or not self.swarm.database.is_embedded or OPERATIONS[name].is_long(given or ()):
            return None
        try:
            return answered(self._run(OPERATIONS[name], given, caller, client, patience=0))
        except Busy:
            return None
        except Refusal as refusal:
            return refused(refusal)
        except Exception:
            _log.exception("%s failed", name)
            return broken()

    def _run(
        self,
        operation: Operation,
        given: dict[str, Any] | None,
        caller: Caller,
        client: str,
        *,
        patience: float | None = None,
    ) -> Answer:
        said = dict(given or {})
        # Agents are told to say who calls with every call: those that need not know it accept it all the same.
        named = said.pop("agent") if not operation.takes_agent and isinstance(said.get("agent"), str) else ""
        arguments = read_arguments(model_of(operation.name), said)
        named = arguments.pop("agent", named)
        self.make_known(caller, client)
        agent = caller.agent(named, writing=operation.writes)
        if arguments.get("attempt") == 0:
            arguments["attempt"] = caller.attempt(agent, arguments["task"])

        about_one = str(arguments.get("task", "")).strip()

        def change(db: Transaction) -> Answer:
            if not about_one and operation.name not in RENEWING:
                upkeep.renew_all(db)
            return operation.run(db, **arguments)  # type: ignore[return-value]

        if operation.writes:
            named = caller.spelt(agent)
            answer = self.swarm.write(
                change,
                agent=named,
                profile=self.profile,
                via=caller.name,
                connection=caller.id,
                patience=patience,
                subject=caller.subject,
            )
            caller.has_acted(agent)
        else:
            answer = self.ask(lambda db: operation.run(db, **arguments), caller, agent)  # type: ignore[arg-type,return-value]
            caller.has_read(agent)
        self._remember(caller, agent, arguments, answer)
        return answer

    def ask(self, question: Callable[[Transaction], Answer], caller: Caller, agent: str) -> Answer:
        """A read in the name of an agent."""
        return self.swarm.read(question, agent=agent, via=caller.name, connection=caller.id, subject=caller.subject)

    def make_known(self, caller: Caller, client: str) -> None:
        """Enter a connection into the board with its first call."""
        if caller.is_known:
            return
        with self._registering:
            if caller.is_known:
                return
            try:
                name = self.swarm.write(lambda db: caller.register(db, client))
            except Refusal as refusal:  # a board that cannot be written can still be read
                if refusal.retryable:
                    raise
                caller.unregistered(caller.name or caller.fallback(client))
            else:
                caller.registered(name)

    def note_readers(self, caller: Caller) -> None:
        """Tell the board who is alive, and give their claims time again where that is due.

        Off the reading path, and never on the director's profile: nobody becomes the root director by reading. Who only
        observes leaves no trace.
        """
        for agent in caller.readers_to_note():
            if self.profile == Profile.OBSERVER:
                continue
            try:
                self.swarm.write(
                    upkeep.renew_all,
                    agent=agent,
                    profile=Profile.WORKER,
                    via=caller.name,
                    connection=caller.id,
                    subject=caller.subject,
                )
            except Refusal as refusal:
                _log.debug("no heartbeat for %s: %s", agent, refusal)
            except Exception:
                _log.exception("the heartbeat of %s failed", agent)

    def sweep(self, callers: Sequence[Caller]) -> None:
        """What the board does by itself from time to time; these are the connections that live."""
        try:
            alive = [each.id for each in callers if each.is_known]
            if alive:
                self.swarm.write(lambda db: upkeep.keep_connections(db, alive))
            if self.swarm.read(upkeep.due):
                self.swarm.write(upkeep.sweep, via="sweep")
        except Refusal as refusal:
            _log.warning("the sweep was put off: %s", refusal)
        except Exception:
            _log.exception("the sweep failed")

    def forget(self, caller: Caller) -> None:
        """The connection ends."""
        if caller.is_known:
            try:
                self.swarm.write(caller.leave)
            except Refusal as refusal:
                _log.debug("the connection could not be forgotten: %s", refusal)
            except Exception:
                _log.exception("the connection could not be forgotten")

    def _remember(self, caller: Caller, agent: str, arguments: dict[str, Any], answer: Answer) -> None:
        """Keep the attempt that this connection now knows of."""
        if not isinstance(answer, Claimed | Brief) or answer.task is None:
            return
        caller.remember(agent, answer.task.id, answer.attempt, said=str(arguments.get("task", "")))


def answered(answer: Answer) -> dict[str, Any]:
    """An answer on the wire: the same facts as text and as structure."""
    try:
        text, facts = render(answer), answer.structured()
    except Exception:  # it is done and committed: whoever called must not take it for refused
        _log.exception("an answer could not be written out")
        text, facts = answer.message, {"message": answer.message}
    return {"content": [{"type": "text", "text": text}], "structuredContent": facts, "isError": False}
