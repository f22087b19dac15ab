"""The catalogue of operations: which there are, what each does to the board, and which profiles offer it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.agent import Lifecycle, Profile
from swarm_mcp.model.draft import check_clean
from swarm_mcp.model.errors import Invalid, NotAllowed
from swarm_mcp.repository import tracing
from swarm_mcp.repository.database import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

P = ParamSpec("P")
T = TypeVar("T")
EVERY = frozenset(Profile)
WORKING = frozenset({Profile.WORKER, Profile.DIRECTOR})
DIRECTING = frozenset({Profile.DIRECTOR})
SCRIPTS: frozenset[Profile] = frozenset()
"""What is no tool: for scripts and the command line alone."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be done."""

    name: str
    run: Callable[..., object]
    writes: bool
    destroys: bool
    repeatable: bool
    """Calling it again with the same arguments has no further effect."""
    profiles: frozenset[Profile]
    takes_agent: bool
    long: bool
    """It may look at much of the board, whatever its arguments …"""
    long_with: frozenset[str]
    """… or with one of these."""

    def is_long(self, arguments: Iterable[str]) -> bool:
        """Whether a call with these arguments may take so long that nothing else should wait for it."""
        return self.long or not self.long_with.isdisjoint(arguments)


CATALOG: dict[str, Operation] = {}
"""Every operation by name, in the order in which agents see them."""

RESTING = frozenset(
    {"get_task", "list_tasks", "get_overview", "check_inbox", "add_note", "send_message", "list_agents"}
)
"""What a paused agent may do; of messages, only answers."""


def paused(db: Transaction) -> NotAllowed:
    """The refusal of what a paused agent may not do."""
    return NotAllowed(f"{db.actor.name} is paused: it may read, note and answer until it is resumed.")


@contextmanager
def _undone_if_refused(db: Transaction) -> Generator[None]:
    """A script may catch a refusal and go on in its transaction: what the operation had written by then is undone."""
    before = db.connection.begin_nested()
    try:
        yield
    except BaseException:
        with suppress(Exception):  # after a full disk, say, there is nothing left to go back to
            before.rollback()
        raise
    before.commit()


def operation(
    *,
    profiles: frozenset[Profile] = WORKING,
    writes: bool = True,
    destroys: bool = False,
    repeatable: bool = False,
    takes_agent: bool = True,
    long: bool = False,
    long_with: Iterable[str] = (),
) -> Callable[[Callable[Concatenate[Transaction, P], T]], Callable[Concatenate[Transaction, P], T]]:
    """Enter a function into the catalogue; its signature is the tool's schema, its docstring speaks to the agent."""

    def enter(function: Callable[Concatenate[Transaction, P], T]) -> Callable[Concatenate[Transaction, P], T]:
        name = function.__name__
        defaults: dict[str, object] = getattr(function, "__kwdefaults__", None) or {}
        lists = frozenset(argument for argument, default in defaults.items() if isinstance(default, list))

        @wraps(function)
        @tracing.operation(name)
        def run(db: Transaction, *args: P.args, **kwargs: P.kwargs) -> T:
            for argument, value in kwargs.items():
                check_clean(value, argument)
            if not db.connection_id:  # a script: nothing has read its arguments by their types
                kwargs.update({argument: arg.as_list(kwargs[argument]) for argument in lists & kwargs.keys()})
            if db.actor.lifecycle is Lifecycle.PAUSED and name not in RESTING:
                raise paused(db)
            if not writes:
                return function(db, *args, **kwargs)
            if not db.writable:
                raise Invalid(f"{name} writes, and this transaction only reads: open the board with writing().")
            if db.connection_id:  # a call through a connection is a transaction of its own, and ends with its refusal
                return function(db, *args, **kwargs)
            with _undone_if_refused(db):
                return function(db, *args, **kwargs)

        CATALOG[name] = Operation(
            name, run, writes, destroys, repeatable, profiles, takes_agent, long, frozenset(long_with)
        )
        return run

    return enter
