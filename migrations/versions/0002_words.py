"""Full-text search: the words of tasks, of what is shared and of messages are indexed.

Revision 0002, after 0001. Two indexes of other tables come along: a worker's ratings are found by the worker, and
whether somebody got a message is seen without reading everybody's copy.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

from swarm_mcp.repository.types import bytewise
from swarm_mcp.repository.words import spaced, value_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

revision = "0002"
down_revision = "0001"

INDEXES = {"task_words": "title, description, summary", "context_words": "text", "message_words": "text"}
TABLES = {
    "task_words": ('task_id varchar(8) COLLATE "C"', "task"),
    "context_words": ("id bigint", "context"),
    "message_words": ("id bigint", "message"),
}
BATCH = 1000


def upgrade() -> None:
    """Make the indexes and fill them with what there is."""
    op.create_index("ix_feedback_worker_id", "feedback", ["worker_id", "id"], unique=False)
    op.drop_index("ix_inbox_message_id", "inbox")
    op.create_index("ix_inbox_message_id", "inbox", ["message_id", "agent_id"], unique=False)
    op.create_table(
        "wording",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_wording_task_id_task")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_wording")),
        sa.UniqueConstraint("task_id", name=op.f("uq_wording_task_id")),
    )
    op.create_table(
        "unindexed",
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", bytewise(sa.String(8)), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("title", bytewise(sa.Text()), nullable=True),
        sa.Column("description", bytewise(sa.Text()), nullable=True),
        sa.Column("summary", bytewise(sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_unindexed_task_id_task")),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_unindexed")),
    )
    if op.get_bind().dialect.name == "postgresql":
        for name, (key, table) in TABLES.items():
            op.execute(f"CREATE TABLE {name} ({key} PRIMARY KEY REFERENCES {table} (id), words tsvector NOT NULL)")
            op.execute(f"CREATE INDEX ix_{name}_words ON {name} USING gin (words)")
        return  # no board on PostgreSQL is older than this revision
    for name, columns in INDEXES.items():
        op.execute(
            f"CREATE VIRTUAL TABLE {name} USING fts5({columns}, content='', tokenize='unicode61 remove_diacritics 2')"
        )
    _index_everything(op.get_bind())


def downgrade() -> None:
    """Take the indexes away; everything in them is elsewhere too."""
    for name in INDEXES:
        op.drop_table(name)
    op.drop_table("unindexed")
    op.drop_table("wording")
    op.drop_index("ix_inbox_message_id", "inbox")
    op.create_index("ix_inbox_message_id", "inbox", ["message_id"], unique=False)
    op.drop_index("ix_feedback_worker_id", "feedback")


def _index_everything(board: Connection) -> None:
    board.exec_driver_sql("INSERT INTO wording (task_id) SELECT id FROM task ORDER BY created_at, rank")
    _fill(
        board,
        "SELECT number, title, description, completion_summary FROM wording JOIN task ON task.id = task_id",
        "INSERT INTO task_words (rowid, title, description, summary) VALUES (?, ?, ?, ?)",
        lambda *texts: texts,
    )
    _fill(
        board,
        "SELECT id, key, value, rationale FROM context WHERE id IN "
        "(SELECT max(id) FROM context WHERE task_id IS NOT NULL GROUP BY task_id, key)",
        "INSERT INTO context_words (rowid, text) VALUES (?, ?)",
        lambda key, value, rationale: (f"{key} {value_text(json.loads(value))} {rationale}",),
    )
    _fill(
        board,
        "SELECT id, text FROM message WHERE task_id IS NOT NULL",
        "INSERT INTO message_words (rowid, text) VALUES (?, ?)",
        lambda text: (text,),
    )


def _fill(board: Connection, question: str, statement: str, words: Callable[..., tuple[str, ...]]) -> None:
    """Index what a question finds, a batch at a time: a board may have more text than fits into memory."""
    found = board.exec_driver_sql(f"{question} ORDER BY 1")
    while rows := found.fetchmany(BATCH):
        board.exec_driver_sql(statement, [(number, *map(spaced, words(*texts))) for number, *texts in rows])
