"""What only its reader may see, and whether it has changed: an inbox, notes, what one may read of a conversation.

The ledger, which everybody reads, does not speak of them. So whoever listens looks, after every commit, as it would
when reading: nobody is told of a change that it could not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from swarm_mcp.interchange.addresses import task_of
from swarm_mcp.repository import marks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.marks import Mark

CONVERSATION = "swarm://conversations/"
WITH_NOTES = ("", "/notes")
"""The documents of a task in which its reader's own notes are."""


class Belonging(NamedTuple):
    """An address, and in whose name it is read."""

    address: str
    reader: str


def is_private(address: str) -> bool:
    """Whether a document shows something that its reader alone may see."""
    return address.endswith("/inbox") or address.startswith(CONVERSATION) or bool(task_of(address, WITH_NOTES))


def look(db: Transaction, wanted: Iterable[Belonging]) -> dict[Belonging, Mark]:
    """How far each of these is; what differs from an earlier look has changed."""
    wanted = set(wanted)
    inboxes = {each.reader for each in wanted if each.address.endswith("/inbox")}
    tasks = {each.address: task_of(each.address, WITH_NOTES) for each in wanted}
    of_inbox = marks.inbox_marks(db, inboxes) if inboxes else {}
    of_notes = marks.note_marks(db, set(tasks.values()) - {""}) if any(tasks.values()) else {}
    found: dict[Belonging, Mark] = {}
    for each in wanted:
        if each.reader in inboxes and each.address.endswith("/inbox"):
            found[each] = of_inbox.get(each.reader)
        elif each.address.startswith(CONVERSATION):
            found[each] = marks.conversation_mark(db, each.address.removeprefix(CONVERSATION), each.reader)
        elif task_id := tasks[each.address]:
            found[each] = of_notes.get((task_id, each.reader))
    return found
