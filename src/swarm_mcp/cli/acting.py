"""Acting from the command line: the board opened for one change or one question, in one transaction."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from swarm_mcp.cli.printing import note, print_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from swarm_mcp.config import Settings
    from swarm_mcp.model.record import Answer
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction

T = TypeVar("T")
VIA = "command line"
"""What the ledger says of whoever really called."""


@contextmanager
def opened(chosen: Settings) -> Generator[Swarm]:
    """The board, migrated if need be."""
    from swarm_mcp.operations.swarm import open_swarm  # noqa: PLC0415 - help must not import the board

    swarm = open_swarm(chosen.database, project=chosen.project)
    try:
        yield swarm
    finally:
        swarm.close()


@contextmanager
def opened_there(chosen: Settings) -> Generator[Swarm]:
    """The board, if there is one: at a mistyped place, somebody who looks would take a new one for their own, empty.

    Raises:
        Unavailable: there is none.

    """
    from swarm_mcp.operations import custody  # noqa: PLC0415
    from swarm_mcp.repository.database import Database  # noqa: PLC0415

    stored = Database(chosen.database)
    try:
        custody.require_board(stored)
    finally:
        stored.close()
    with opened(chosen) as swarm:
        yield swarm


def act(chosen: Settings, change: Callable[[Transaction], Answer], *, agent: str, as_json: bool) -> None:
    """Do something to the board as the operator, or as an agent that is named, and print what came of it."""
    print_answer(changed(chosen, change, agent=agent), as_json=as_json)


def changed(chosen: Settings, change: Callable[[Transaction], T], *, agent: str = "") -> T:
    """Do something to the board; an agent that is named so does not come to lead the project by it."""
    from swarm_mcp.model.agent import Profile  # noqa: PLC0415

    newcomers: list[str] = []

    def told(db: Transaction) -> T:
        answer = change(db)
        newcomers[:] = _newcomer(db) if agent else []
        return answer

    with opened(chosen) as swarm:
        answer = swarm.write(told, agent=agent, profile=Profile.WORKER, via=VIA)
    for each in newcomers:
        note(each)
    return answer


def _newcomer(db: Transaction) -> list[str]:
    """That whoever acts was not here before, with whom it might have been meant: a name is quickly mistyped."""
    from swarm_mcp.model import ids  # noqa: PLC0415
    from swarm_mcp.repository import agents  # noqa: PLC0415

    if db.actor.id is None or agents.agent_row(db, db.actor.id).created_at != db.now:
        return []
    name = db.actor.name
    near = ids.misspelt(name, [each for each in agents.all_agent_names(db) if each != name])
    return [f"{name} is new; there is also {' and '.join(near)}." if near else f"{name} is new."]


def asked(chosen: Settings, question: Callable[[Transaction], T], *, agent: str = "") -> T:
    """Ask the board something; nothing is written, and where none is, none is made."""
    with opened_there(chosen) as swarm:
        return swarm.read(question, agent=agent, via=VIA)
