"""Where the words of a search are found: in a task, in what was shared about it, in what its reader may read of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import Integer, Text, and_, bindparam, case, cast, func, or_, select

from swarm_mcp.repository import tables
from swarm_mcp.repository.statement import among

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, ColumnElement, Table

task, context, message, inbox = tables.task, tables.context, tables.message, tables.inbox


class Reader(StrEnum):
    """Who searches: the operator reads every message, an agent its own and the public ones, a stranger only these."""

    OPERATOR = "operator"
    AGENT = "agent"
    STRANGER = "stranger"


def pattern(word: str) -> str:
    """A word anywhere in a text, for LIKE."""
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def mentions(word: BindParameter[str], reader: Reader) -> ColumnElement[bool]:
    """Whether a word is found in a task or in what belongs to it."""
    latest = select(func.max(context.c.id)).where(_in_project(context)).group_by(context.c.task_id, context.c.key)
    shared = select(context.c.task_id).where(
        context.c.id.in_(latest),
        context.c.task_id.is_not(None),
        or_(_has(context.c.key, word), _has(cast(context.c.value, Text), word)),
    )
    said = select(message.c.task_id).where(
        _in_project(message), message.c.task_id.is_not(None), _has(message.c.text, word), *_readable(reader)
    )
    return or_(_in_its_words(word), task.c.id.in_(shared), task.c.id.in_(said))


def distance(words: list[BindParameter[str]]) -> ColumnElement[int]:
    """How good a find is: 0 if the title has every word, 1 if the task's own words have, else 2."""
    in_title = and_(*(_has(task.c.title, word) for word in words))
    in_words = and_(*(_in_its_words(word) for word in words))
    return case((in_title, 0), (in_words, 1), else_=2).cast(Integer)


def _in_its_words(word: BindParameter[str]) -> ColumnElement[bool]:
    return or_(*(_has(column, word) for column in (task.c.title, task.c.description, task.c.completion_summary)))


def _has(column: ColumnElement[str], word: BindParameter[str]) -> ColumnElement[bool]:
    return column.ilike(word, escape="\\")


def _in_project(table: Table) -> ColumnElement[bool]:
    return table.c.project == bindparam("project")


def _readable(reader: Reader) -> list[ColumnElement[bool]]:
    """Questions and answers are everybody's; other messages are their sender's and their recipients'."""
    if reader is Reader.OPERATOR:
        return []
    public = among(message.c.type, "question", "answer")
    if reader is Reader.STRANGER:
        return [public]
    me = bindparam("reader")
    got = select(inbox.c.id).where(inbox.c.message_id == message.c.id, inbox.c.agent_id == me).exists()
    return [or_(public, message.c.sender_id == me, got)]
