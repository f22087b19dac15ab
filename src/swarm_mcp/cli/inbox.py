"""`inbox`: what was said to the operator, or to an agent, and is unread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from swarm_mcp.cli.acting import VIA, opened_there
from swarm_mcp.cli.calls import CALL, in_commands, with_commands_behind
from swarm_mcp.cli.options import ActingAgent, AsJson, Database, Project, settings
from swarm_mcp.cli.printing import Column, on_terminal, print_answer, print_rows, print_table

if TYPE_CHECKING:
    from swarm_mcp.model.message import Inbox, InboxItem
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction

COLUMNS = [
    Column("id"), Column("type"), Column("from"), Column("task"), Column("at"),
    Column("words", flexible=True, wraps=True),
]  # fmt: skip


def inbox(
    *,
    wait: Annotated[
        float, typer.Option(min=0, max=86_400, metavar="SECONDS", help="Wait so long for something to come.")
    ] = 0,
    again: Annotated[bool, typer.Option("--again", help="Show once more what was shown the last time.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    agent: ActingAgent = "",
    as_json: AsJson = False,
    database: Database = "",
    project: Project = "",
) -> None:
    """Show unread messages and notifications, questions first; what was shown counts as read when you ask again.

    Example: swarm-mcp inbox --wait 60
    """
    chosen = settings(database=database, project=project)
    with opened_there(chosen) as swarm:
        found = _asked(swarm, agent, limit=limit, again=again)
        if wait and not found.items:
            found = _awaited(swarm, agent, limit, time.monotonic() + wait) or found
    if as_json:
        print_answer(found, as_json=True)
    elif on_terminal():
        print_table(COLUMNS, (drawn(each) for each in found.items), title=found.message)
    else:
        print_rows(row(each) for each in found.items)


def _asked(swarm: Swarm, agent: str, *, limit: int, again: bool = False) -> Inbox:
    from swarm_mcp import operations  # noqa: PLC0415 - help must not import the board
    from swarm_mcp.model.agent import Profile  # noqa: PLC0415

    def change(db: Transaction) -> Inbox:
        return operations.check_inbox(db, reread=again, limit=limit)

    return swarm.write(change, agent=agent, profile=Profile.WORKER, via=VIA)


def _awaited(swarm: Swarm, agent: str, limit: int, until: float) -> Inbox | None:
    """What comes in time, if anything does: looked for after every commit, and taken once it is there."""
    from swarm_mcp.cli.pause import Pause  # noqa: PLC0415
    from swarm_mcp.operations.conversing import look_into  # noqa: PLC0415

    changes = swarm.database.changes
    changes.open()
    with Pause(keys=False) as pause:
        while time.monotonic() < until:
            if changes.happened() and swarm.read(look_into, agent=agent, via=VIA).items:
                return _asked(swarm, agent, limit=limit)
            if pause.ends(changes.seconds, changes.descriptor()):
                return None
    return None


def row(item: InboxItem) -> tuple[str, ...]:
    """One thing in an inbox: its id, type, sender, task, words and time."""
    ours = (item.type == "system" or not item.sender) and not CALL.search(item.title)
    words = in_commands(item.text) if ours else with_commands_behind(item.text)
    return item.id, item.type, item.sender, item.task, words, item.at


def drawn(item: InboxItem) -> tuple[str, ...]:
    """The same for a terminal, where the words need the room more than the time does."""
    *known, words, at = row(item)
    return *known, f"{at[5:10]} {at[11:16]}Z", words
