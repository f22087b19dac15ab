"""Stores of Task Orchestrator, made as its versions make them."""

from __future__ import annotations

import hashlib
import io
import shutil
import sqlite3
import tarfile
from contextlib import closing
from datetime import datetime
from pathlib import Path

SAMPLE = Path(__file__).parent / "data" / "task-orchestrator-2.9"
"""A store that `tm` 2.9 wrote, its database as the statements that make it."""

SCHEMA_22 = """
    CREATE TABLE tasks (
        id TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT, status TEXT DEFAULT 'pending',
        priority TEXT DEFAULT 'medium', assignee TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
        completed_at TEXT
    );
    CREATE TABLE dependencies (
        id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, depends_on TEXT NOT NULL, created_at TEXT NOT NULL,
        FOREIGN KEY (task_id) REFERENCES tasks(id), FOREIGN KEY (depends_on) REFERENCES tasks(id),
        UNIQUE(task_id, depends_on)
    );
    CREATE TABLE notifications (
        id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, event_type TEXT NOT NULL, message TEXT,
        created_at TEXT NOT NULL, read BOOLEAN DEFAULT 0, FOREIGN KEY (task_id) REFERENCES tasks(id)
    );
    INSERT INTO tasks VALUES ('abc12345', 'Store the data', 'All of it', 'in_progress', 'critical', 'backend_dev',
                              '2025-01-14T10:00:00Z', '2025-01-15T10:30:00Z', NULL);
    INSERT INTO tasks VALUES ('def67890', 'Show the data', NULL, 'blocked', 'low', NULL,
                              '2025-01-14T11:00:00Z', '2025-01-14T11:00:00Z', NULL);
    INSERT INTO dependencies (task_id, depends_on, created_at) VALUES ('def67890', 'abc12345', '2025-01-14T11:00:00Z');
    INSERT INTO notifications (task_id, event_type, message, created_at, read)
        VALUES ('abc12345', 'started', 'Off it goes', '2025-01-14T12:00:00Z', 1);
"""
"""As documented, without what the migration to 2.3 adds."""

TO_23 = """
    ALTER TABLE tasks ADD COLUMN success_criteria TEXT;
    ALTER TABLE tasks ADD COLUMN feedback_quality INTEGER;
    ALTER TABLE tasks ADD COLUMN feedback_timeliness INTEGER;
    ALTER TABLE tasks ADD COLUMN feedback_notes TEXT;
    ALTER TABLE tasks ADD COLUMN completion_summary TEXT;
    ALTER TABLE tasks ADD COLUMN deadline TEXT;
    ALTER TABLE tasks ADD COLUMN estimated_hours REAL;
    ALTER TABLE tasks ADD COLUMN actual_hours REAL;
    CREATE TABLE IF NOT EXISTS participants (
        id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, agent_id TEXT NOT NULL, role TEXT,
        joined_at TEXT NOT NULL, FOREIGN KEY (task_id) REFERENCES tasks(id), UNIQUE(task_id, agent_id)
    );
    UPDATE tasks SET success_criteria = '[{"criterion": "Query time < 100ms", "measurable": "true"}, "It is kept"]',
        deadline = '2025-02-01', estimated_hours = 8.0, actual_hours = 6.5, feedback_quality = 5,
        feedback_timeliness = 4, feedback_notes = 'Ahead of schedule', completion_summary = 'Indexed'
        WHERE id = 'abc12345';
    INSERT INTO participants (task_id, agent_id, role, joined_at)
        VALUES ('abc12345', 'qa_tester', 'Testing', '2025-01-15T09:00:00+01:00');
"""
"""The documented migration, and what it makes room for."""

CONTEXT = """\
task_id: "abc12345"
updated_at: "2025-01-15T10:30:00Z"
updated_by: "agent_001"
context:
  requirements:
    - "Must support 1000 concurrent users"
    - "Response time < 200ms"
  decisions:
    - decision: "Use PostgreSQL for data store"
      rationale: "Better concurrency than SQLite"
      made_by: "database_specialist"
      date: "2025-01-14T15:00:00Z"
  artifacts:
    - type: "schema"
      path: "designs/db_schema.sql"
      created_by: "database_specialist"
  api_endpoints: {login: /api/v1/auth/login, since: 2025-01-14}
"""
PROGRESS = """\
{"timestamp": "2025-01-15T10:00:00Z", "agent": "backend_dev", "progress": 25, "message": "API endpoints defined"}

{"timestamp": "2025-01-15T11:00:00Z", "agent": "backend_dev", "update": "half of it"}
"""
NOTES = """\
# Task Notes: abc12345
## Agent: backend_specialist
## Updated: 2025-01-15T10:30:00Z

### Approach
Token bucket"""


def made(folder: Path, *scripts: str) -> Path:
    """A store whose database these statements make."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "tasks.db")) as connection:
        for script in scripts:
            connection.executescript(script)
    return folder


def sample(folder: Path) -> Path:
    """The real store."""
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("*.sql"))
    return made(folder, (SAMPLE / "tasks.sql").read_text())


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def packed(*members: tarfile.TarInfo | tuple[str, bytes]) -> bytes:
    """An archive with these members; those without content are as they come."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for each in members:
            if isinstance(each, tarfile.TarInfo):
                tar.addfile(each, io.BytesIO(bytes(each.size)))
            else:
                member = tarfile.TarInfo(each[0])
                member.size = len(each[1])
                tar.addfile(member, io.BytesIO(each[1]))
    return target.getvalue()


def at(words: str) -> datetime:
    return datetime.fromisoformat(words)


def state(folder: Path) -> dict[str, str]:
    """Everything in a folder, by name."""
    return {
        str(each.relative_to(folder)): hashlib.sha256(each.read_bytes()).hexdigest() if each.is_file() else ""
        for each in folder.rglob("*")
    }
