"""Tool calls: from the wire's arguments to an operation in one transaction, and back to text and structure."""

from __future__ import annotations

import logging
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.text import render
from swarm_mcp.model.errors import Refusal
from swarm_mcp.model.task import Brief, Claimed
from swarm_mcp.operations import upkeep
from swarm_mcp.server.arguments import read_arguments
from swarm_mcp.server.schemas import arguments_model, operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from swarm_mcp.model.agent import Profile
    from swarm_mcp.model.record import Answer
    from swarm_mcp.operations.catalog import Operation
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.server.identity import Caller

_log = logging.getLogger(__name__)

OPERATIONS = operations()
BROKEN = (
    "Something is wrong inside the board and nothing was written. The server's log says what; calling again may help."
)


@cache
def model_of(name: str) -> type[BaseModel]:
    """The arguments of a tool."""
    return arguments_model(OPERATIONS[name])


class Calls:
    """Runs tools for one profile on one board. Everything here blocks and belongs on a worker thread."""

    def __init__(self, swarm: Swarm, profile: Profile) -> None:
        self.swarm = swarm
        self.profile = profile
        self._registering = threading.Lock()

    def call(self, name: str, given: dict[str, Any] | None, caller: Caller, client: str) -> dict[str, Any]:
        """Run one tool; refusals are answers too."""
        try:
            return answered(self._run(OPERATIONS[name], given, caller, client))
        except Refusal as refusal:
            return refused(refusal)
        except Exception:
            _log.exception("%s failed", name)
            return broken()

    def _run(self, operation: Operation, given: dict[str, Any] | None, caller: Caller, client: str) -> Answer:
        arguments = read_arguments(model_of(operation.name), given)
        named = arguments.pop("agent", "")
        self.make_known(caller, client)
        agent = caller.agent(named, writing=operation.writes)
        if arguments.get("attempt") == 0:
            arguments["attempt"] = caller.attempt(agent, arguments["task"])

        def change(db: Transaction) -> Answer:
            if not operation.names_task:
                upkeep.renew_all(db)
            return operation.run(db, **arguments)  # type: ignore[return-value]

        if operation.writes:
            answer = self.swarm.write(change, agent=agent, profile=self.profile, via=caller.name, connection=caller.id)
            caller.has_acted(agent)
        else:
            answer = self.ask(lambda db: operation.run(db, **arguments), caller, agent)  # type: ignore[arg-type,return-value]
        self._remember(caller, agent, arguments, answer)
        return answer

    def ask(self, question: Callable[[Transaction], Answer], caller: Caller, agent: str) -> Answer:
        """A read in the name of an agent."""
        return self.swarm.read(question, agent=agent, via=caller.name, connection=caller.id)

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
                name = caller.name or caller.fallback(client)
                caller.unregistered(name)
            else:
                caller.registered(name)

    def touch(self, caller: Caller, agent: str) -> None:
        """Note that a reader is alive and give its claims time again, where that is due."""
        try:
            self.swarm.write(upkeep.renew_all, agent=agent, profile=self.profile, via=caller.name, connection=caller.id)
        except Refusal as refusal:
            _log.debug("no heartbeat for %s: %s", agent, refusal)

    def sweep(self, caller: Caller) -> None:
        """What the board does by itself from time to time."""
        try:
            if caller.is_known:
                self.swarm.write(lambda db: upkeep.keep_connection(db, caller.id))
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
                self.swarm.write(lambda db: caller.leave(db))
            except Refusal as refusal:
                _log.debug("the connection could not be forgotten: %s", refusal)

    def _remember(self, caller: Caller, agent: str, arguments: dict[str, Any], answer: Answer) -> None:
        """Keep the attempt that this connection now knows of."""
        task = ""
        if (isinstance(answer, Claimed) and answer.task is not None) or (isinstance(answer, Brief) and answer.task is not None):
            task = answer.task.id
        if isinstance(answer, Claimed | Brief) and task:
            caller.remember(agent, task, answer.attempt)
            said = str(arguments.get("task", "")).strip()
            if said and said != task:
                caller.remember(agent, said, answer.attempt)


def answered(answer: Answer) -> dict[str, Any]:
    """An answer on the wire: the same facts as text and as structure."""
    structured = answer.structured()
    return {
        "content": [{"type": "text", "text": render(answer)}],
        "structuredContent": structured,
        "isError": False,
    }


def refused(refusal: Refusal) -> dict[str, Any]:
    """A refusal on the wire: what is true, what to call next, and the facts for programs."""
    facts = {"code": refusal.code, "retryable": refusal.retryable, "message": refusal.message, **refusal.facts}
    return {"content": [{"type": "text", "text": refusal.message}], "structuredContent": facts, "isError": True}


def broken() -> dict[str, Any]:
    """What a caller hears of a mistake of ours: nothing of how it looks inside."""
    facts = {"code": "unavailable", "retryable": False, "message": BROKEN}
    return {"content": [{"type": "text", "text": BROKEN}], "structuredContent": facts, "isError": True}
