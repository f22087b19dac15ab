"""Whether the indexes of words have what they should: compared with indexes made anew from the present words."""

from __future__ import annotations

from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, text

from swarm_mcp.repository import indexing, postgres_words, tables
from swarm_mcp.repository.sqlite import driver
from swarm_mcp.repository.words import spaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from swarm_mcp.repository.database import Transaction

task, context, message, unindexed = tables.task, tables.context, tables.message, tables.unindexed
BATCH: Final = 500
TERMS = "SELECT term, col, doc, cnt FROM temp.terms_of_{} ORDER BY term, col"


def misindexed(db: Transaction) -> Iterator[tuple[str, str]]:
    """Where an index and the words differ: the index, and how, as a phrase."""
    if db.is_postgres:
        for name, rows in _vectors(db).items():
            yield from _compared_vectors(db, name, rows)
        return
    numbered = db.driver.execute(
        "SELECT count(*) FROM task LEFT JOIN wording ON wording.task_id = task.id LEFT JOIN unindexed "
        "ON unindexed.task_id = task.id WHERE wording.number IS NULL AND unindexed.place IS NULL"
    ).fetchone()[0]
    if numbered:
        yield "task_words", f"{numbered} tasks have no number in it and do not wait for one"
    for name, rows in _texts(db).items():
        yield from _compared_terms(db, name, rows)


def _texts(db: Transaction) -> dict[str, Iterable[tuple[Any, ...]]]:
    """What each index of SQLite should have: numbers, and texts."""
    tasks = db.driver.execute(
        "SELECT wording.number, CASE WHEN noted.place IS NULL THEN task.title ELSE noted.title END, "
        "CASE WHEN noted.place IS NULL THEN task.description ELSE noted.description END, "
        "CASE WHEN noted.place IS NULL THEN task.completion_summary ELSE noted.summary END "
        "FROM wording JOIN task ON task.id = wording.task_id "
        "LEFT JOIN unindexed AS noted ON noted.task_id = task.id WHERE noted.place IS NULL OR noted.number IS NOT NULL"
    )
    return {
        "task_words": ((number, *map(spaced, texts)) for number, *texts in tasks),
        "context_words": ((row.id, indexing.shared_words(row.key, row.value, row.rationale)) for row in _latest(db)),
        "message_words": ((row.id, spaced(row.text)) for row in _messages(db)),
    }


def _compared_terms(db: Transaction, name: str, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, str]]:
    """How often each word is in how many texts, here and in an index made of these rows.

    In a temporary file, because a million tasks have more words than there may be memory.
    """
    columns = tables.WORD_INDEXES[name]
    with closing(driver().connect("", isolation_level=None)) as fresh:
        fresh.execute(tables.index_of_words(name))
        places = ", ".join("?" * (columns.count(",") + 2))
        fresh.execute("BEGIN")
        fresh.executemany(f"INSERT INTO {name} (rowid, {columns}) VALUES ({places})", rows)  # noqa: S608 - names of ours
        fresh.execute("COMMIT")
        sizes = f"SELECT id, sz FROM {name}_docsize ORDER BY id"  # noqa: S608 - likewise
        differing = _differences(db.driver.execute(sizes), fresh.execute(sizes))
        if differing:
            yield name, f"{differing} texts are missing from it, or should not be in it, or are longer or shorter there"
            return
        made = f"CREATE VIRTUAL TABLE temp.terms_of_{name} USING fts5vocab(main, {name}, col)"
        kept = _terms(db, made, name)
        fresh.execute(made)
        differing = _differences(kept, fresh.execute(TERMS.format(name)))
        if differing:
            yield name, f"{differing} words are in it too often, too seldom, or where they should not be"


def _terms(db: Transaction, made: str, name: str) -> list[tuple[Any, ...]]:
    """The words of an index: asked through a table that is gone again afterwards, and changes nothing that lasts."""
    (forbidden,) = db.driver.execute("PRAGMA query_only").fetchone()  # even this
    db.driver.execute("PRAGMA query_only=OFF")
    try:
        db.driver.execute(made)
        try:
            return db.driver.execute(TERMS.format(name)).fetchall()
        finally:
            db.driver.execute(f"DROP TABLE temp.terms_of_{name}")
    finally:
        db.driver.execute(f"PRAGMA query_only={forbidden}")


def _differences(here: Iterable[Any], there: Iterable[Any]) -> int:
    """How many rows of two ordered lists are in only one of them."""
    ours, others = iter(here), iter(there)
    one, other = next(ours, None), next(others, None)
    count = 0
    while one is not None or other is not None:
        if one == other:
            one, other = next(ours, None), next(others, None)
            continue
        count += 1
        if other is None or (one is not None and one[:2] <= other[:2]):
            one = next(ours, None)
        else:
            other = next(others, None)
    return count


def _vectors(db: Transaction) -> dict[str, Iterable[tuple[Any, str]]]:
    """What each index of PostgreSQL should have: keys, and vectors."""
    tasks = db.execute(select(task.c.id, *(task.c[name] for name in indexing.OWN)).execution_options(yield_per=BATCH))
    return {
        "task_words": ((key, postgres_words.vector(*texts)) for key, *texts in tasks),
        "context_words": (
            (row.id, postgres_words.vector(indexing.shared_words(row.key, row.value, row.rationale)))
            for row in _latest(db)
        ),
        "message_words": ((row.id, postgres_words.vector(spaced(row.text))) for row in _messages(db)),
    }


def _compared_vectors(db: Transaction, name: str, rows: Iterable[tuple[Any, str]]) -> Iterator[tuple[str, str]]:
    key, kind = ("task_id", "text[]") if name == "task_words" else ("id", "bigint[]")
    # The order of an object's keys is not kept, and so not that of its words.
    bare = "strip" if name == "context_words" else ""
    question = (
        f"SELECT count(*) FROM unnest($1::{kind}, $2::text[]) AS made (key, words) LEFT JOIN {name} "  # noqa: S608 - names of ours
        f"ON {name}.{key} = made.key WHERE {bare}({name}.words) IS DISTINCT FROM {bare}(made.words::tsvector)"
    )
    count = differing = 0
    batch: list[tuple[Any, str]] = []
    for each in chain(rows, (None,)):
        if each is not None:
            batch.append(each)
        if batch and (each is None or len(batch) == BATCH):
            keys, vectors = zip(*batch, strict=True)
            differing += db.driver.execute(question, (list(keys), list(vectors))).fetchone()[0]
            count += len(batch)
            batch.clear()
    if differing:
        yield name, f"{differing} texts have other words in it than they say"
    kept = db.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608 - as above
    if kept > count:
        yield name, f"{kept - count} texts should not be in it"


def _latest(db: Transaction) -> Iterable[Any]:
    """What is shared about tasks, the latest of each key."""
    latest = select(func.max(context.c.id)).where(context.c.task_id.is_not(None))
    of_tasks = select(context).where(context.c.id.in_(latest.group_by(context.c.task_id, context.c.key)))
    return db.execute(of_tasks.order_by(context.c.id).execution_options(yield_per=BATCH))


def _messages(db: Transaction) -> Iterable[Any]:
    """What was said about tasks."""
    about = select(message.c.id, message.c.text).where(message.c.task_id.is_not(None)).order_by(message.c.id)
    return db.execute(about.execution_options(yield_per=BATCH))
