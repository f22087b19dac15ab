"""Words in PostgreSQL's index: what is kept of a text, and how a search is put.

The rule is the one of `words`: every run of letters and digits is a word, whatever its case and accents, and the end of
a word may be missing. PostgreSQL's own parser has other rules (it knows addresses, paths and hyphens), so texts are
parted here and handed over as finished vectors. They live in tables of their own (`tables.WORD_INDEXES`), because in
the task's row every change of its status would write all of its words anew.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, text

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import Statement
from swarm_mcp.repository.words import spaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.words import Sought

WORD = re.compile(r"[^\W_]+")
SEEN = re.compile(r"'(\w+)'(:\*)?")
LONGEST = 255
"""Characters of a word that are kept; a vector takes some 2,000 bytes."""
LAST_PLACE = 16_383
"""Words after this one are found, but as part of no phrase."""
ROOM = 900_000
"""Bytes of words in one vector, which has room for a million."""
APART = 8
"""Places left free between two columns, so that no phrase reaches from one into the next."""
NOTHING = "'_'"
"""Is in no text: the underscore is no part of a word."""
TITLE_FIRST = ("A", "B", "C")
"""The marks of a title's, a description's and a summary's words."""

OF_TASK = Statement(
    select(tables.task.c.title, tables.task.c.description, tables.task.c.completion_summary).where(
        tables.task.c.id == bindparam("id")
    )
)
NEW_TASK = Statement(text("INSERT INTO task_words (task_id, words) VALUES (:id, CAST(:words AS tsvector))"))
CHANGED_TASK = Statement(text("UPDATE task_words SET words = CAST(:words AS tsvector) WHERE task_id = :id"))
NEW_CONTEXT = Statement(text("INSERT INTO context_words (id, words) VALUES (:id, CAST(:words AS tsvector))"))
OLD_CONTEXT = Statement(text("DELETE FROM context_words WHERE id = :id"))
NEW_MESSAGE = Statement(text("INSERT INTO message_words (id, words) VALUES (:id, CAST(:words AS tsvector))"))


def parts(words: str) -> Iterator[str]:
    """The words of a text, folded."""
    plain = spaced(words).lower()
    if not plain.isascii():
        bare = (each for each in unicodedata.normalize("NFD", plain) if unicodedata.category(each) != "Mn")
        plain = unicodedata.normalize("NFC", "".join(bare))
    return (each.group()[:LONGEST] for each in WORD.finditer(plain))


def vector(*texts: str) -> str:
    """Texts as a vector, each with the mark of its column."""
    found: list[str] = []
    place = size = 0
    for mark, words in zip(TITLE_FIRST, texts, strict=False):
        for word in parts(words):
            place += 1
            found.append(f"'{word}':{min(place, LAST_PLACE)}{mark}")
            size += len(word.encode())
            if size > ROOM:
                return " ".join(found)
        place += APART
    return " ".join(found)


def query(words: Sequence[Sought], *, whole: bool) -> str:
    """The query for all of these words, whole ones or such as begin so."""
    return " & ".join(phrase(each, whole=whole) for each in words)


def phrase(sought: Sought, *, whole: bool) -> str:
    """The query for one word, which punctuation may make a phrase."""
    lexemes = [f"'{each}'" for each in parts(sought.word)] or [NOTHING]
    if not whole and sought.phrase.endswith("*"):
        lexemes[-1] += ":*"
    return f"({' <-> '.join(lexemes)})"


def in_title(asked: str) -> str:
    """The same query, of titles alone."""
    return SEEN.sub(lambda found: f"'{found[1]}':{'*' if found[2] else ''}{TITLE_FIRST[0]}", asked)


def note_new(db: Transaction, task_id: str, values: Mapping[str, Any]) -> None:
    """Index the words of a task that was stored."""
    index_new(db, [{**values, "id": task_id}])


def index_new(db: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Index the words of tasks that were stored."""
    words = (vector(row["title"], row.get("description", ""), row.get("completion_summary", "")) for row in rows)
    NEW_TASK.run_many(db, [{"id": row["id"], "words": each} for row, each in zip(rows, words, strict=True)])


def add_tasks(db: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Index the words of tasks that were stored together."""
    found = [(row["id"], vector(row["title"], row["description"], row["completion_summary"])) for row in rows]
    copy(db, "task_words", "task_id", found)


def copy(db: Transaction, index: str, key: str, rows: Sequence[tuple[Any, str]]) -> None:
    """Put many vectors into an index at once."""
    with db.driver.copy(f"COPY {index} ({key}, words) FROM STDIN") as copying:
        for row in rows:
            copying.write_row(row)


def note_change(db: Transaction, task_id: str, values: Mapping[str, Any]) -> None:
    """Index the words of a task that is about to get these values."""
    row = OF_TASK.first(db, {"id": task_id})
    texts = {**row._asdict(), **values}
    words = vector(texts["title"], texts["description"], texts["completion_summary"])
    CHANGED_TASK.run(db, {"id": task_id, "words": words})


def index_context(db: Transaction, number: int, words: str, replaced: int | None) -> None:
    """Index a value that was shared, instead of the one before it."""
    if replaced is not None:
        OLD_CONTEXT.run(db, {"id": replaced})
    NEW_CONTEXT.run(db, {"id": number, "words": vector(words)})


def index_message(db: Transaction, number: int, words: str) -> None:
    """Index a message."""
    NEW_MESSAGE.run(db, {"id": number, "words": vector(words)})


def forget(db: Transaction, name: str, keys: Sequence[str] | Sequence[int]) -> None:
    """Take rows out of an index."""
    key = "task_id" if name == "task_words" else "id"
    db.driver.executemany(f"DELETE FROM {name} WHERE {key} = $1", [(each,) for each in keys])  # noqa: S608 - as below


def clear(db: Transaction) -> None:
    """Empty the indexes."""
    for name in tables.WORD_INDEXES:
        db.driver.execute(f"DELETE FROM {name}")  # noqa: S608 - names of ours
