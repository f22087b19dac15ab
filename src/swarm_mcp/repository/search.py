"""Searching: which tasks have the words that are searched for, how good a find each is, and who may find it.

This and `indexing`, which says what is indexed, are the only modules that know SQLite's FTS5 (sqlite.org/fts5.html).
On PostgreSQL the same questions are put to tables of vectors, in the language of `postgres_words`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    Float,
    Integer,
    Text,
    bindparam,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
    union_all,
)

from swarm_mcp.model import ids
from swarm_mcp.repository import postgres_words, tables
from swarm_mcp.repository.indexing import fresh_words
from swarm_mcp.repository.statement import Statement, among
from swarm_mcp.repository.words import Sought

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Table, TableClause

    from swarm_mcp.repository.database import Transaction

task, context, message, inbox = tables.task, tables.context, tables.message, tables.inbox
wording, unindexed, ref = tables.wording, tables.unindexed, tables.external_ref
VECTOR_KEYS = {"task_words": "task_id", "context_words": "id", "message_words": "id"}
task_words, context_words, message_words = (
    table(name, column("rowid", Integer)) for name in ("task_words", "context_words", "message_words")
)
task_vectors, context_vectors, message_vectors = (
    table(name, column(key), column("words")) for name, key in VECTOR_KEYS.items()
)
RANKED = 1000
"""How many finds are ranked against each other. Words that are in more tasks say little about any of them …"""
LISTED = 500
"""… so of those tasks the newest are listed, so many, the ones with all words in the title first."""
NO_ID = "~"
"""Comes after every id."""
TITLE, TEXT, BELONGING = 0, 1000, 2000
"""How good a find is, the lower the better: every word in the title, in the task's own words, or elsewhere too …"""
BEST_OF_ITS_KIND = 999
"""… less what the index says about it, as far as it says something; what has just changed comes first of its kind."""


class Reader(StrEnum):
    """Who searches: the operator reads every message, an agent its own and the public ones, a stranger only these."""

    OPERATOR = "operator"
    AGENT = "agent"
    STRANGER = "stranger"


@dataclass(slots=True)
class Finds:
    """Tasks by id, with how good a find each is; `complete` unless there are more than are listed."""

    distances: dict[str, int] = field(default_factory=dict[str, int])
    complete: bool = True

    def __or__(self, other: Finds) -> Finds:
        """What either found."""
        return Finds(self.distances | other.distances, self.complete and other.complete)


IN_TASK = text("task_words MATCH :words")
NEWEST_FIRST = task_words.c.rowid.desc()
_found = func.json_each(bindparam("found", type_=JSON)).table_valued("key", "value")
FOUND = select(_found.c.key)
"""The ids of what was found, for a list that filters and sorts them …"""
FOUND_ID, DISTANCE = _found.c.key, _found.c.value.cast(Text).cast(Integer)
"""… and for one that takes them in the best order."""

SOUGHT = text("CAST(:words AS tsquery)")
MARKS = text("'{0, 0.1, 0.1, 1}'")
"""What an occurrence weighs: in a summary and a description a tenth of one in a title."""
_vectors = (
    select(task_vectors.c.task_id)
    .join_from(task_vectors, task, task.c.id == task_vectors.c.task_id)
    .where(task_vectors.c.words.bool_op("@@")(SOUGHT), task.c.project == bindparam("project"))
)
LATEST_FIRST = (task.c.created_at.desc(), task.c.rank.desc())
HITS = Statement(
    select(task_words.c.rowid).where(IN_TASK).order_by(NEWEST_FIRST).limit(bindparam("limit")),
    postgres=_vectors.limit(bindparam("limit")),
)
_own = (
    select(wording.c.task_id)
    .join_from(task_words, wording, wording.c.number == task_words.c.rowid)
    .where(IN_TASK, wording.c.task_id.not_in(select(unindexed.c.task_id)))
)
IN_OWN_WORDS = Statement(_own, postgres=_vectors)
RANKED_BY_WORDS = Statement(
    _own.add_columns(literal_column("bm25(task_words, 10, 1, 1)", Float).label("score")),
    postgres=_vectors.add_columns(
        (func.ts_rank(MARKS, task_vectors.c.words, SOUGHT, type_=Float) * -10).label("score")
    ),
)
_unsought = literal_column("+task_words.rowid", Integer)
"""Compared with many numbers: looked up one by one, each would execute the whole search."""
_among = select(wording.c.number).where(
    wording.c.task_id.in_(select(func.json_each(bindparam("tasks", type_=JSON)).table_valued("value").c.value))
)
_these = select(func.json_array_elements_text(bindparam("tasks", type_=JSON)).column_valued())
AMONG_THESE = Statement(
    _own.where(_unsought.in_(_among)).order_by(NEWEST_FIRST).limit(bindparam("limit")),
    postgres=_vectors.where(task.c.id.in_(_these)).order_by(*LATEST_FIRST).limit(bindparam("limit")),
)


def _newest_with(words: TableClause, vectors: TableClause, owner: Table, *conditions: ColumnElement[bool]) -> Statement:
    """The tasks of the newest rows of `owner` that have the words in their index."""
    rows = select(owner.c.task_id).where(owner.c.project == bindparam("project"), *conditions).limit(bindparam("limit"))
    return Statement(
        rows.join_from(words, owner, owner.c.id == words.c.rowid)
        .where(text(f"{words.name} MATCH :words"))
        .order_by(words.c.rowid.desc()),
        postgres=rows.join_from(vectors, owner, owner.c.id == vectors.c.id)
        .where(vectors.c.words.bool_op("@@")(SOUGHT))
        .order_by(owner.c.id.desc()),
    )


SHARED = _newest_with(context_words, context_vectors, context)
NAMED = Statement(
    union_all(
        select(ref.c.task_id).where(
            ref.c.project == bindparam("project"), ref.c.foreign_id.in_([bindparam("name"), bindparam("shouted")])
        ),
        select(task.c.id).where(
            task.c.project == bindparam("project"), task.c.id >= bindparam("low"), task.c.id < bindparam("high")
        ),
    ).limit(bindparam("limit"))
)


def find_own(db: Transaction, words: Sequence[Sought]) -> Finds | None:
    """Every task whose own words contain all of these, ranked; None if they are too many for that."""
    query = ""
    hits = -1
    here = {"project": db.project.slug, "limit": RANKED + 1}
    for probe in _forms(db, words):
        found = len(HITS.all(db, {**here, "words": probe}))
        if found > RANKED:
            return None
        if found > hits:  # else whole words find as much, and are faster
            query, hits = probe, found
    in_title = set(IN_OWN_WORDS.scalars(db, {**here, "words": _in_title(db, query)}))
    return Finds(
        {
            row.task_id: (TITLE if row.task_id in in_title else TEXT) - min(BEST_OF_ITS_KIND, round(-10 * row.score))
            for row in RANKED_BY_WORDS.all(db, {**here, "words": query})
        }
    )


def newest_of(conditions: Sequence[Any]) -> Statement:
    """The statement for the newest tasks that contain words and pass a list's conditions."""
    passing = _own.join(task, task.c.id == wording.c.task_id).where(*conditions)
    return Statement(
        passing.order_by(NEWEST_FIRST).limit(bindparam("limit")),
        postgres=_vectors.where(*conditions).order_by(*LATEST_FIRST).limit(bindparam("limit")),
    )


def find_newest(db: Transaction, words: Sequence[Sought], statement: Statement, values: Mapping[str, Any]) -> Finds:
    """The newest tasks that contain words which are in very many: first those with all of them in the title.

    Whole words come before beginnings of words, which take the index milliseconds to collect.
    """
    whole, begun = _forms(db, words)
    found: dict[str, int] = {}
    for query, distance in ((_in_title(db, whole), TITLE), (_in_title(db, begun), TITLE), (whole, TEXT), (begun, TEXT)):
        if len(found) <= LISTED:
            for each in statement.scalars(
                db, {**values, "project": db.project.slug, "limit": LISTED + 1, "words": query}
            ):
                found.setdefault(each, distance)
    return Finds(dict(list(found.items())[:LISTED]), complete=len(found) <= LISTED)


def add_rest(db: Transaction, words: Sequence[Sought], finds: Finds, reader: Reader, reader_id: str | None) -> None:
    """Add what the index cannot tell: tasks just changed, and those that have words in what belongs to them."""
    query = _forms(db, words)[-1]
    elsewhere = [_elsewhere(db, each, finds, reader, reader_id) for each in words]
    lacking: dict[tuple[Sought, ...], list[str]] = defaultdict(list)
    for each in sorted(set().union(*elsewhere)):
        lacking[tuple(word for word, found in zip(words, elsewhere, strict=True) if each not in found)].append(each)
    with fresh_words(db) as fresh:
        finds.distances |= dict.fromkeys(fresh(query), TEXT - BEST_OF_ITS_KIND)
        finds.distances |= dict.fromkeys(fresh(_in_title(db, query)), TITLE - BEST_OF_ITS_KIND)
        for rest, candidates in lacking.items():
            for each in _having(db, rest, candidates, fresh):
                nearest = min(found.get(each, BELONGING) for found in elsewhere)
                finds.distances[each] = min(nearest, finds.distances.get(each, nearest))


def _having(
    db: Transaction, words: Sequence[Sought], candidates: list[str], fresh: Callable[[str], set[str]]
) -> Iterable[str]:
    """Those tasks that have all of the words among their own."""
    if not words:
        return candidates
    found = fresh(_forms(db, words)[-1]).intersection(candidates)
    for query in _forms(db, words):
        left = sorted(set(candidates).difference(found))
        if left:
            found.update(
                AMONG_THESE.scalars(db, {"words": query, "tasks": left, "limit": len(left), "project": db.project.slug})
            )
    return sorted(found)


def _elsewhere(db: Transaction, sought: Sought, finds: Finds, reader: Reader, reader_id: str | None) -> dict[str, int]:
    """The tasks with a word in what belongs to them and its reader may read, and how good a find that is."""
    here = {"project": db.project.slug, "limit": RANKED}
    found: dict[str, int] = {}
    phrase = postgres_words.phrase(sought, whole=False) if db.is_postgres else sought.phrase
    for statement in (SHARED, _said(reader)):
        hits = statement.scalars(db, {**here, "words": phrase, "reader": reader_id})
        finds.complete = finds.complete and len(hits) < RANKED
        found |= dict.fromkeys(hits, BELONGING)
    low = sought.word.lower()
    if not (len(low) >= ids.PREFIX_MINIMUM and low.isascii() and low.isalnum()):
        low = NO_ID
    names = {"name": sought.word, "shouted": sought.word.upper(), "low": low, "high": f"{low}~"}
    return found | dict.fromkeys(NAMED.scalars(db, {**here, **names}), TITLE)


@cache
def _said(reader: Reader) -> Statement:
    """Questions and answers are everybody's; other messages are their sender's and their recipients'."""
    return _newest_with(message_words, message_vectors, message, *_readable(reader))


def _readable(reader: Reader) -> list[ColumnElement[bool]]:
    public = among(message.c.type, "question", "answer")
    if reader is Reader.OPERATOR:
        return []
    if reader is Reader.STRANGER:
        return [public]
    me = bindparam("reader")
    got = select(inbox.c.id).where(inbox.c.message_id == message.c.id, inbox.c.agent_id == me).exists()
    return [or_(public, message.c.sender_id == me, got)]


def _forms(db: Transaction, words: Sequence[Sought]) -> tuple[str, str]:
    """The query for whole words, which the index finds in no time, and the one for beginnings of words too."""
    if db.is_postgres:
        return postgres_words.query(words, whole=True), postgres_words.query(words, whole=False)
    return _all_of(each.whole for each in words), _all_of(each.phrase for each in words)


def _all_of(phrases: Iterable[str]) -> str:
    return " AND ".join(phrases)


def _in_title(db: Transaction, query: str) -> str:
    if db.is_postgres:
        return postgres_words.in_title(query)
    return f"{{title}} : ({query})"
