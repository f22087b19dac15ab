"""The indexes of words, written in the transaction of the change.

`task_words` has a task's own words, by the number that `wording` gives it; `context_words` the latest value of each key
and `message_words` the messages, by the ids of these rows, so that every find in them passes its reader's rights. Only
what belongs to a task is indexed, and never a note. The indexes are contentless, which costs the least to write: what
leaves one has to be said again exactly as it went in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, text

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement
from swarm_mcp.repository.words import spaced, value_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task, context, message, wording = tables.task, tables.context, tables.message, tables.wording
OWN = ("title", "description", "completion_summary")
"""The columns of a task that are indexed, each as a column of the index."""

NUMBER = Statement(insert(wording).returning(wording.c.number))
WORDED = Statement(
    select(wording.c.number, *(task.c[name] for name in OWN))
    .join_from(task, wording, wording.c.task_id == task.c.id, isouter=True)
    .where(task.c.id == bindparam("id"))
)
ADD_TASK = Statement(
    text("INSERT INTO task_words (rowid, title, description, summary) VALUES (:number, :title, :description, :summary)")
)
DROP_TASK = Statement(
    text(
        "INSERT INTO task_words (task_words, rowid, title, description, summary) "
        "VALUES ('delete', :number, :title, :description, :summary)"
    )
)
ADD_CONTEXT = Statement(text("INSERT INTO context_words (rowid, text) VALUES (:number, :text)"))
DROP_CONTEXT = Statement(
    text("INSERT INTO context_words (context_words, rowid, text) VALUES ('delete', :number, :text)")
)
ADD_MESSAGE = Statement(text("INSERT INTO message_words (rowid, text) VALUES (:number, :text)"))


def index_task(db: Transaction, values: Mapping[str, Any]) -> None:
    """Index the words of a task that was just stored."""
    number = NUMBER.scalar(db, {"task_id": values["id"]})
    ADD_TASK.run(db, _own_words(number, *(values.get(name, "") for name in OWN)))


def change_words(db: Transaction, task_id: str, values: Mapping[str, Any]) -> None:
    """Index a task anew that is about to get these values; nothing happens if no searched word is among them."""
    if not values.keys() & OWN:
        return
    number, *before = WORDED.first(db, {"id": task_id})
    if number is None:  # its row was written past this module
        number = NUMBER.scalar(db, {"task_id": task_id})
    else:
        DROP_TASK.run(db, _own_words(number, *before))
    ADD_TASK.run(db, _own_words(number, *(values.get(name, old) for name, old in zip(OWN, before, strict=True))))


def index_context(db: Transaction, number: int, values: Mapping[str, Any], replaced: Row | None) -> None:
    """Index a value that was shared, instead of the one that was under its key before."""
    if replaced is not None:
        words = _shared_words(replaced.key, replaced.value, replaced.rationale)
        DROP_CONTEXT.run(db, {"number": replaced.id, "text": words})
    words = _shared_words(values["key"], values["value"], values.get("rationale", ""))
    ADD_CONTEXT.run(db, {"number": number, "text": words})


def index_message(db: Transaction, number: int, words: str) -> None:
    """Index a message about a task."""
    ADD_MESSAGE.run(db, {"number": number, "text": spaced(words)})


def index_everything(db: Transaction) -> None:
    """Make the indexes anew from what there is, after rows were written past them."""
    for name in tables.WORD_INDEXES:
        db.driver.execute(f"INSERT INTO {name} ({name}) VALUES ('delete-all')")  # noqa: S608 - names of ours
    db.execute(delete(wording))
    of_tasks = select(task.c.id, *(task.c[name] for name in OWN)).order_by(task.c.created_at, task.c.rank)
    for row in db.execute(of_tasks):
        index_task(db, row._asdict())
    latest = select(func.max(context.c.id)).where(context.c.task_id.is_not(None))
    of_context = select(context).where(context.c.id.in_(latest.group_by(context.c.task_id, context.c.key)))
    for row in db.execute(of_context.order_by(context.c.id)):
        index_context(db, row.id, row._asdict(), None)
    for row in db.execute(select(message).where(message.c.task_id.is_not(None)).order_by(message.c.id)):
        index_message(db, row.id, row.text)


def _own_words(number: int, title: str, description: str, summary: str) -> dict[str, Any]:
    return {
        "number": number,
        "title": spaced(title),
        "description": spaced(description),
        "summary": spaced(summary),
    }


def _shared_words(key: str, value: Any, rationale: str) -> str:
    return spaced(f"{key} {value_text(value)} {rationale}")
