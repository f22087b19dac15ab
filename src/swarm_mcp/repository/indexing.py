"""The indexes of words, written in the transaction of the change, or a few changes later.

`task_words` has a task's own words, by the number that `wording` gives it; `context_words` the latest value of each key
and `message_words` the messages, by the ids of these rows, so that every find in them passes its reader's rights. Only
what belongs to a task is indexed, and never a note. The indexes are contentless, which costs the least to write: what
leaves one has to be said again exactly as it went in.

A change of a task's words is only noted (`unindexed`), because an insert into the index costs more than one into the
task itself; every `BATCH`th writes down what was noted. A search looks at those few tasks by themselves.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, bindparam, delete, func, insert, select, text

from swarm_mcp.repository import postgres_words, tables
from swarm_mcp.repository.sqlite import driver
from swarm_mcp.repository.statement import ListStatement, Statement
from swarm_mcp.repository.words import spaced, value_text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

task, context, message = tables.task, tables.context, tables.message
wording, unindexed = tables.wording, tables.unindexed
OWN = ("title", "description", "completion_summary")
"""The columns of a task that are indexed, each as a column of the index."""
BATCH = 64
"""How many changes are noted before they are written down together."""
END_OF_PLACES = 1 << 62
AT_ONCE = 1000
"""Rows that are in memory at once while everything is indexed anew."""

NOTE = Statement(insert(unindexed).returning(unindexed.c.place))
NOTE_CHANGE = Statement(
    text(
        "INSERT INTO unindexed (task_id, number, title, description, summary) "
        "SELECT task.id, wording.number, task.title, task.description, task.completion_summary "
        "FROM task LEFT JOIN wording ON wording.task_id = task.id "
        "WHERE task.id = :id AND NOT EXISTS (SELECT 1 FROM unindexed WHERE unindexed.task_id = :id) RETURNING place"
    ).columns(place=Integer)
)
NOTED = Statement(
    select(unindexed, *(task.c[name].label(f"present_{name}") for name in OWN))
    .join(task, task.c.id == unindexed.c.task_id)
    .where(unindexed.c.place < bindparam("before"))
    .order_by(unindexed.c.place)
)
FORGET = Statement(delete(unindexed).where(unindexed.c.place < bindparam("before")))
NUMBER = Statement(insert(wording).returning(wording.c.number))
LAST_NUMBER = Statement(select(func.max(wording.c.number)))
SET_NUMBER = Statement(insert(wording).values(number=bindparam("number"), task_id=bindparam("task_id")))
ADDING_TASK = (
    "INSERT INTO task_words (rowid, title, description, summary) VALUES (:number, :title, :description, :summary)"
)
ADD_TASK = Statement(text(ADDING_TASK))
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

DROP_MESSAGE = Statement(
    text("INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', :number, :text)")
)
NOTED_OF = ListStatement(lambda wanted: select(unindexed).where(unindexed.c.task_id.in_(wanted)))
WORDS_OF = ListStatement(
    lambda wanted: (
        select(task.c.id, wording.c.number, *(task.c[name] for name in OWN))
        .outerjoin_from(task, wording, wording.c.task_id == task.c.id)
        .where(task.c.id.in_(wanted))
    )
)


def note_new(db: Transaction, task_id: str, values: Mapping[str, Any]) -> None:
    """A task was stored: its words have to be indexed."""
    if db.is_postgres:
        postgres_words.note_new(db, task_id, values)
        return
    nothing = {"number": None, "title": None, "description": None, "summary": None}
    _write_down(db, NOTE.scalar(db, {"task_id": task_id, **nothing}))


def index_new(db: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Many tasks were stored: their words are indexed at once."""
    if db.is_postgres:
        postgres_words.index_new(db, rows)
        return
    numbered = list(enumerate(rows, (LAST_NUMBER.scalar(db, {}) or 0) + 1))
    SET_NUMBER.run_many(db, [{"number": number, "task_id": row["id"]} for number, row in numbered])
    ADD_TASK.run_many(db, [_own_words(number, *(row[name] for name in OWN)) for number, row in numbered])


def note_change(db: Transaction, task_id: str, values: Mapping[str, Any]) -> None:
    """A task is about to get these values; nothing happens if no searched word is among them."""
    if not values.keys() & OWN:
        return
    if db.is_postgres:
        postgres_words.note_change(db, task_id, values)
        return
    place = NOTE_CHANGE.scalar(db, {"id": task_id})
    if place is not None:  # else it was noted before
        _write_down(db, place)


def _write_down(db: Transaction, place: int) -> None:
    """Bring the index up to date whenever a batch is full, except for the last change, which may not be made yet."""
    if place % BATCH:
        return
    for row in NOTED.all(db, {"before": place}):
        number = row.number
        if number is None:
            number = NUMBER.scalar(db, {"task_id": row.task_id})
        else:
            DROP_TASK.run(db, _own_words(number, row.title, row.description, row.summary))
        present = (row.present_title, row.present_description, row.present_completion_summary)
        ADD_TASK.run(db, _own_words(number, *present))
    FORGET.run(db, {"before": place})


@contextmanager
def fresh_words(db: Transaction) -> Generator[Callable[[str], set[str]]]:
    """An index of the few tasks that the index does not have as they are: the ids that a query finds there."""
    rows = [] if db.is_postgres else NOTED.all(db, {"before": END_OF_PLACES})
    if not rows:
        yield lambda _: set()
        return
    with closing(driver().connect(":memory:", isolation_level=None)) as index:
        index.execute(tables.index_of_words("task_words"))
        words = [_own_words(n, *row[-len(OWN) :]) for n, row in enumerate(rows)]
        index.executemany(ADDING_TASK, words)

        def find(query: str) -> set[str]:
            found = index.execute("SELECT rowid FROM task_words WHERE task_words MATCH ?", (query,))
            return {rows[number].task_id for (number,) in found}

        yield find


def index_context(db: Transaction, number: int, values: Mapping[str, Any], replaced: Row | None) -> None:
    """Index a value that was shared, instead of the one that was under its key before."""
    if db.is_postgres:
        words = shared_words(values["key"], values["value"], values.get("rationale", ""))
        postgres_words.index_context(db, number, words, replaced.id if replaced is not None else None)
        return
    if replaced is not None:
        words = shared_words(replaced.key, replaced.value, replaced.rationale)
        DROP_CONTEXT.run(db, {"number": replaced.id, "text": words})
    words = shared_words(values["key"], values["value"], values.get("rationale", ""))
    ADD_CONTEXT.run(db, {"number": number, "text": words})


def index_message(db: Transaction, number: int, words: str) -> None:
    """Index a message about a task."""
    if db.is_postgres:
        postgres_words.index_message(db, number, words)
        return
    ADD_MESSAGE.run(db, {"number": number, "text": spaced(words)})


def add_tasks(db: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Index the words of tasks that were stored together, at once."""
    if db.is_postgres:
        postgres_words.add_tasks(db, rows)
        return
    (last,) = db.driver.execute("SELECT max(number) FROM wording").fetchone()
    numbered = list(enumerate(rows, start=(last or 0) + 1))
    db.driver.executemany(
        "INSERT INTO wording (number, task_id) VALUES (?, ?)", [(n, row["id"]) for n, row in numbered]
    )
    db.driver.executemany(ADDING_TASK, [_own_words(n, *(row[name] for name in OWN)) for n, row in numbered])


def add_messages(db: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Index messages that were stored together, those about tasks."""
    found = [(row["id"], row["text"]) for row in rows if row["task_id"] is not None]
    if db.is_postgres:
        postgres_words.copy(db, "message_words", "id", [(n, postgres_words.vector(words)) for n, words in found])
        return
    statement = "INSERT INTO message_words (rowid, text) VALUES (?, ?)"
    db.driver.executemany(statement, [(n, spaced(words)) for n, words in found])


def add_context(db: Transaction, rows: Sequence[Row]) -> None:
    """Index values that were shared, of which none took the place of one that is indexed."""
    found = [(row.id, shared_words(row.key, row.value, row.rationale)) for row in rows]
    if db.is_postgres:
        postgres_words.copy(db, "context_words", "id", [(n, postgres_words.vector(words)) for n, words in found])
        return
    db.driver.executemany("INSERT INTO context_words (rowid, text) VALUES (?, ?)", found)


def forget_tasks(db: Transaction, task_ids: Sequence[str]) -> None:
    """Take the words of tasks out of the index, which are about to be deleted."""
    if db.is_postgres:
        postgres_words.forget(db, "task_words", task_ids)
        return
    noted = {row.task_id: row for row in NOTED_OF.all(db, task_ids)}
    for row in WORDS_OF.all(db, task_ids):
        old = noted.get(row.id)
        texts = (row.title, row.description, row.completion_summary)
        if old is not None:  # the index has its former words, or none
            texts = (old.title, old.description, old.summary)
        if row.number is not None and (old is None or old.number is not None):
            DROP_TASK.run(db, _own_words(row.number, *texts))


def forget_context(db: Transaction, rows: Sequence[Row]) -> None:
    """Take shared values out of the index: those that were the latest under their keys."""
    if db.is_postgres:
        postgres_words.forget(db, "context_words", [row.id for row in rows])
        return
    for row in rows:
        DROP_CONTEXT.run(db, {"number": row.id, "text": shared_words(row.key, row.value, row.rationale)})


def forget_messages(db: Transaction, rows: Sequence[Row]) -> None:
    """Take messages about tasks out of the index."""
    if db.is_postgres:
        postgres_words.forget(db, "message_words", [row.id for row in rows])
        return
    for row in rows:
        DROP_MESSAGE.run(db, {"number": row.id, "text": spaced(row.text)})


def index_everything(db: Transaction) -> None:
    """Make the indexes anew from what there is, after rows were written past them."""
    of_tasks = select(task.c.id, *(task.c[name] for name in OWN)).order_by(task.c.created_at, task.c.rank)
    if db.is_postgres:
        postgres_words.clear(db)
    else:
        for name in tables.WORD_INDEXES:
            db.driver.execute(f"INSERT INTO {name} ({name}) VALUES ('delete-all')")  # noqa: S608 - names of ours
        db.execute(delete(unindexed))
        db.execute(delete(wording))
    for row in db.execute(of_tasks.execution_options(yield_per=AT_ONCE)):
        if db.is_postgres:
            postgres_words.note_new(db, row.id, row._asdict())
            continue
        number = NUMBER.scalar(db, {"task_id": row.id})
        ADD_TASK.run(db, _own_words(number, row.title, row.description, row.completion_summary))
    latest = select(func.max(context.c.id)).where(context.c.task_id.is_not(None))
    of_context = select(context).where(context.c.id.in_(latest.group_by(context.c.task_id, context.c.key)))
    for row in db.execute(of_context.order_by(context.c.id).execution_options(yield_per=AT_ONCE)):
        index_context(db, row.id, row._asdict(), None)
    of_messages = select(message).where(message.c.task_id.is_not(None)).order_by(message.c.id)
    for row in db.execute(of_messages.execution_options(yield_per=AT_ONCE)):
        index_message(db, row.id, row.text)


def _own_words(number: int, title: str, description: str, summary: str) -> dict[str, Any]:
    return {
        "number": number,
        "title": spaced(title),
        "description": spaced(description),
        "summary": spaced(summary),
    }


def shared_words(key: str, value: Any, rationale: str) -> str:
    """What is indexed of a shared value."""
    return spaced(f"{key} {value_text(value)} {rationale}")
