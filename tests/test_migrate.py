"""Migrations: once, completely, from every start, and never by a program that is too old."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from postgres import place_of
from recount import Recount, looking
from sqlalchemy import text

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.errors import Invalid, Unavailable
from swarm_mcp.repository import migrate, sqlite
from swarm_mcp.repository.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = """
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

def upgrade():
    op.create_table("project", sa.Column("slug", sa.String(), primary_key=True))
    op.create_table(
        "task",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("project", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name="fk_task_project"),
    )

def downgrade():
    op.drop_table("task")
    op.drop_table("project")
"""

SECOND = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

def upgrade():
    with op.batch_alter_table("project") as project:
        project.alter_column("slug", type_=sa.String(64), existing_type=sa.String())
        project.add_column(sa.Column("title", sa.Text(), server_default="", nullable=False))
    {more}

def downgrade():
    with op.batch_alter_table("project") as project:
        project.drop_column("title")
"""


@pytest.fixture
def revisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A migrations folder of our own, with one revision; its path holds what would confuse an ini file."""
    folder = tmp_path / "100% ours"
    versions = folder / "versions"
    versions.mkdir(parents=True)
    shutil.copy(migrate.folder() / "env.py", folder)
    (versions / "0001_first.py").write_text(FIRST)
    monkeypatch.setattr(migrate, "folder", lambda: folder)
    monkeypatch.setattr(migrate, "HEAD", "0001")
    monkeypatch.setattr(sqlite, "HEAD", "0001")
    return versions


@pytest.fixture
def board(revisions: Path, database_path: Path) -> Iterator[Database]:
    """A board at revision 0001 with a task in it, and a program that knows 0002."""
    board = Database(database_path)
    migrate.upgrade(board)
    with board.writing() as db:
        db.execute(text("INSERT INTO project VALUES ('p')"))
        db.execute(text("INSERT INTO task VALUES (1, 'p')"))
    yield board
    board.close()


def release(revisions: Path, monkeypatch: pytest.MonkeyPatch, *, more: str = "pass") -> None:
    """Turn this program into the next version."""
    (revisions / "0002_second.py").write_text(SECOND.format(more=more))
    monkeypatch.setattr(migrate, "HEAD", "0002")
    monkeypatch.setattr(sqlite, "HEAD", "0002")


def tasks_and_titles(board: Database) -> list[tuple[object, ...]]:
    """What a board at 0002 holds."""
    question = text("SELECT task.id, title FROM task JOIN project ON project.slug = task.project")
    return board.read(lambda db: [tuple(row) for row in db.execute(question)])


def snapshots(board: Database) -> list[Path]:
    """The copies beside a board."""
    assert board.path
    return sorted(board.path.parent.glob(f"{board.path.name}.before-*"))


def test_the_constant_names_the_newest_revision_and_numbers_sort_as_text() -> None:
    script = ScriptDirectory.from_config(migrate.alembic_config())
    assert script.get_heads() == [migrate.HEAD]
    assert all(len(step.revision) == 4 and step.revision.isdigit() for step in script.walk_revisions())


def test_a_new_board_is_brought_to_the_newest_revision(database_path: Path) -> None:
    board = Database(database_path)
    assert migrate.pending(board) == migrate.HEAD
    migrate.upgrade(board)
    assert migrate.pending(board) is None
    assert board.revision() == migrate.HEAD
    assert not snapshots(board), "there was nothing to lose"
    board.close()


def test_a_migration_prints_nothing_and_leaves_logging_alone(
    database_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with contextlib.closing(Database(database_path)) as board:
        migrate.upgrade(board)
        migrate.downgrade(board, "base")
    assert capfd.readouterr() == ("", "")


def test_a_start_on_a_current_board_does_not_even_import_alembic(database: Database) -> None:
    script = """
import sys
from swarm_mcp.repository import migrate
from swarm_mcp.repository.database import Database
migrate.upgrade(Database(sys.argv[1]))
print([name for name in sys.modules if name.startswith(("alembic", "mako"))])
"""
    words = [sys.executable, "-c", script, str(place_of(database))]
    assert subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip() == "[]"


def test_eight_processes_on_a_new_board_migrate_it_once_and_none_fails(place: Path | str) -> None:
    script = """
import sys
from swarm_mcp.repository import migrate
from swarm_mcp.repository.database import Database
board = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate.upgrade(board)
print(board.revision())
"""
    words = [sys.executable, "-c", script, str(place)]
    with contextlib.ExitStack() as stack:
        children = [
            stack.enter_context(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(8)
        ]
        for child in children:
            assert child.stdout
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin
            child.stdin.write("\n")
            child.stdin.flush()
        answers = [child.communicate(timeout=60)[0].strip() for child in children]
    assert answers == [migrate.HEAD] * 8
    if isinstance(place, Path):
        assert not list(place.parent.glob("*.before-*")), "seven found nothing to do"


def test_a_board_with_content_is_copied_first_and_then_migrated(
    board: Database, revisions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(revisions, monkeypatch)
    assert migrate.pending(board) == "0002"
    migrate.upgrade(board)
    assert tasks_and_titles(board) == [(1, "")]
    (snapshot,) = snapshots(board)
    assert ".before-0001-to-0002-" in snapshot.name
    copy = Database(snapshot)
    assert copy.revision() == "0001"
    assert copy.read(lambda db: db.execute(text("SELECT * FROM project")).all()) == [("p",)]
    copy.close()


def test_foreign_keys_are_enforced_again_after_a_migration(
    board: Database, revisions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(revisions, monkeypatch)
    migrate.upgrade(board)
    with board.writing() as db:
        assert db.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_a_board_goes_back_and_forth_without_loss(
    board: Database, revisions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(revisions, monkeypatch)
    migrate.upgrade(board)
    migrate.downgrade(board, "0001")
    assert board.revision() == "0001"
    migrate.upgrade(board)
    assert tasks_and_titles(board) == [(1, "")]
    assert len(snapshots(board)) == 3


@pytest.mark.parametrize(
    ("more", "failure"),
    [
        ("raise ZeroDivisionError", ZeroDivisionError),
        ("op.execute('DELETE FROM project')", Unavailable),
    ],
)
def test_a_migration_that_fails_leaves_the_board_as_it_was(
    board: Database,
    revisions: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: str,
    failure: type[Exception],
) -> None:
    release(revisions, monkeypatch, more=more)
    with pytest.raises(failure) as caught:
        migrate.upgrade(board)
    if failure is Unavailable:
        assert "rows of task refer to rows that are missing" in str(caught.value)
    assert board.revision() == "0001"
    assert board.read(lambda db: db.execute(text("SELECT * FROM project")).all()) == [("p",)]


def test_a_newer_board_is_refused_by_an_older_program(
    board: Database, revisions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        release(revisions, newer)
        migrate.upgrade(board)
    for attempt in (
        lambda: migrate.pending(board),
        lambda: migrate.upgrade(board),
        lambda: migrate.downgrade(board, "0001"),
    ):
        with pytest.raises(Unavailable, match="Upgrade swarm-mcp"):
            attempt()


def test_an_unknown_revision_is_refused(board: Database) -> None:
    with pytest.raises(Invalid, match="from revision 0001 to 0815"):
        migrate.downgrade(board, "0815")
    assert board.revision() == "0001"


def test_a_board_can_be_emptied_of_its_schema(board: Database) -> None:
    migrate.downgrade(board, "base")
    assert board.revision() is None
    migrate.upgrade(board)
    assert migrate.pending(board) is None


def test_a_board_from_before_the_search_is_searched_after_its_upgrade(board_of_0001: Database) -> None:
    migrate.upgrade(board_of_0001)
    (snapshot,) = snapshots(board_of_0001)
    assert ".before-0001-to-" in snapshot.name
    assert board_of_0001.path
    assert problems_of_words(board_of_0001.path) == []
    swarm = open_swarm(board_of_0001.path)
    for words, ids in FOUND_AFTER_UPGRADE.items():
        found = swarm.read(lambda db, words=words: operations.list_tasks(db, text=words, limit=200))
        assert {line.id for line in found.tasks} == set(ids), words
    swarm.close()


def test_a_board_loses_nothing_but_its_indexes_on_the_way_back(board_of_0001: Database) -> None:
    before = dump(board_of_0001)
    migrate.upgrade(board_of_0001)
    migrate.downgrade(board_of_0001, "0001")
    assert dump(board_of_0001) == before
    migrate.upgrade(board_of_0001)
    assert board_of_0001.path
    assert problems_of_words(board_of_0001.path) == []


def test_attempts_of_one_id_are_told_apart_on_the_way_back(database_path: Path) -> None:
    swarm = open_swarm(database_path)
    with swarm.writing(agent="ada") as db:
        for title in ("First", "Second"):
            operations.create_task(db, title=title)
            operations.claim_task(db)
        db.driver.execute("UPDATE execution SET id = 'the same'")
    swarm.close()
    with contextlib.closing(Database(database_path)) as board:
        migrate.downgrade(board, "0005")
        found = board.read(lambda db: [row[0] for row in db.driver.execute("SELECT id FROM execution").fetchall()])
    assert len(found) == 2
    assert len(set(found)) == 2
    assert "the same" in found


FOUND_AFTER_UPGRADE = {
    "parser": ["aaaaaaa0", "aaaaaaa1", "aaaaaaa2", "aaaaaaa3", "aaaaaaa4"],
    "构建": ["aaaaaaa5"],
    "lisp": [],
    "aaaaaaa4": ["aaaaaaa4"],
    "many": [f"many{n:04}" for n in range(150)],
}


@pytest.fixture
def board_of_0001(database_path: Path) -> Iterator[Database]:
    """A board as the first revision left it, with words in every place where they are searched for."""
    with contextlib.closing(Database(database_path)) as board:
        with board.migrating() as link:
            command.upgrade(migrate.alembic_config(link.connection), "0001")
        with board.writing() as db:
            words = {
                "aaaaaaa0": ("The parser", "", ""), "aaaaaaa1": ("b", "It needs a parser.", ""),
                "aaaaaaa2": ("c", "", "The parser is done."), "aaaaaaa3": ("d", "", ""), "aaaaaaa4": ("e", "", ""),
                "aaaaaaa5": ("请构建认证服务", "", ""), **{f"many{n:04}": (f"many {n}", "", "") for n in range(150)},
            }  # fmt: skip
            for rank, (task, texts) in enumerate(words.items()):
                db.driver.execute(TASK, (task, *texts, 2 * rank, 2 * rank + 1))
            for value in ("lisp", {"tools": ["parser"]}):
                db.driver.execute(CONTEXT, ("aaaaaaa3", json.dumps(value)))
            db.driver.execute(MESSAGE, ("aaaaaaa4", "Which parser?"))
            db.driver.execute(MESSAGE, (None, "Which parser, in general?"))
        yield board


NOW = "'2026-01-02T03:04:05.678901+00:00'"
TASK = f"""
INSERT INTO task (id, project, title, description, completion_summary, rank, end_rank, tags, task_type, area,
    complexity, source, touches, created_at, updated_at, status, priority, attempt, needs_review, source_status,
    version, outputs, artifacts, error, lease_minutes, connection_id, lapses, waits, gates, subtasks,
    open_subtasks, due)
VALUES (?, 'default', ?, ?, ?, ?, ?, '[]', '', '', '', '', '[]', {NOW}, {NOW}, 'pending', 'medium', 0, 0, '', 1, '{{}}',
    '[]', '', 0, '', 0, 0, 0, 0, 0, {NOW})
"""
CONTEXT = f"""
INSERT INTO context (project, task_id, key, value, kind, rationale, at) VALUES ('default', ?, 'k', ?, 'fact', '', {NOW})
"""
MESSAGE = f"INSERT INTO message (project, task_id, type, text, at) VALUES ('default', ?, 'question', ?, {NOW})"


def problems_of_words(path: Path) -> list[str]:
    """What a recount finds wrong with the indexes of words."""
    with looking(path) as connection:
        recount = Recount(connection)
        recount.check_words()
    return recount.found


def dump(board: Database) -> dict[str, list[tuple[object, ...]]]:
    """Everything in a board but its revision: what it is made of, and the rows of each table."""
    with board.reading() as db:
        schema = db.driver.execute("SELECT name, type, sql FROM sqlite_master ORDER BY name").fetchall()
        tables = [name for name, kind, _ in schema if kind == "table" and not name.startswith(("alembic_", "sqlite_"))]
        return {"": schema, **{name: db.driver.execute(f"SELECT * FROM {name}").fetchall() for name in tables}}
