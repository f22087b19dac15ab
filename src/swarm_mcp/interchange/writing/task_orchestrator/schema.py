"""The tables of `tm` 2.9, and one more, which that program does not look at."""

from __future__ import annotations

TABLES = """
CREATE TABLE tasks (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT, status TEXT DEFAULT 'pending',
    priority TEXT DEFAULT 'medium', assignee TEXT, created_by TEXT NOT NULL DEFAULT 'user', created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, completed_at TEXT, success_criteria TEXT, feedback_quality INTEGER,
    feedback_timeliness INTEGER, feedback_notes TEXT, completion_summary TEXT, deadline TEXT, estimated_hours REAL,
    actual_hours REAL, context TEXT, phase_id TEXT REFERENCES phases(id)
);
CREATE TABLE dependencies (
    task_id TEXT NOT NULL, depends_on TEXT NOT NULL, PRIMARY KEY (task_id, depends_on)
);
CREATE TABLE notifications (
    id INTEGER PRIMARY KEY AUTOINCREMENT, agent_id TEXT, task_id TEXT, type TEXT NOT NULL, message TEXT NOT NULL,
    created_at TEXT NOT NULL, read BOOLEAN DEFAULT 0
);
CREATE TABLE participants (
    task_id TEXT NOT NULL, agent_id TEXT NOT NULL, role TEXT, joined_at TEXT NOT NULL, PRIMARY KEY (task_id, agent_id)
);
CREATE TABLE collaboration_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, agent_id TEXT NOT NULL, event_type TEXT NOT NULL,
    content TEXT NOT NULL, request_id TEXT, created_at TEXT NOT NULL, UNIQUE (task_id, request_id)
);
CREATE TABLE phases (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT,
    status TEXT DEFAULT 'planning' CHECK (status IN ('planning', 'active', 'blocked', 'completed', 'archived')),
    parent_phase_id TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, started_at TIMESTAMP, completed_at TIMESTAMP,
    FOREIGN KEY (parent_phase_id) REFERENCES phases(id)
);
CREATE TABLE phase_dependencies (
    id TEXT PRIMARY KEY, phase_id TEXT NOT NULL, depends_on_phase_id TEXT NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY (phase_id) REFERENCES phases(id),
    FOREIGN KEY (depends_on_phase_id) REFERENCES phases(id), UNIQUE (phase_id, depends_on_phase_id)
);
CREATE TABLE phase_gates (
    id TEXT PRIMARY KEY, phase_id TEXT NOT NULL,
    gate_type TEXT NOT NULL CHECK (gate_type IN ('task_completion', 'approval', 'custom')), criteria TEXT NOT NULL,
    status TEXT DEFAULT 'pending' CHECK (status IN ('pending', 'passed', 'failed', 'overridden')),
    override_reason TEXT, override_by TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, evaluated_at TIMESTAMP,
    FOREIGN KEY (phase_id) REFERENCES phases(id)
);
CREATE TABLE swarm_tasks (task_id TEXT PRIMARY KEY, said TEXT NOT NULL);
"""
"""What a store of 2.9 says about itself, with the roles of participants that 2.3 has.

`swarm_tasks` has, as JSON, what the columns of the others cannot say.
"""

INDEXES = """
CREATE INDEX idx_collab_events_task_seq ON collaboration_events(task_id, seq);
"""
"""Made when the rows are there."""

COLUMNS = {
    "tasks": (
        "id", "title", "description", "status", "priority", "assignee", "created_by", "created_at", "updated_at",
        "completed_at", "success_criteria", "feedback_quality", "feedback_timeliness", "feedback_notes",
        "completion_summary", "deadline", "estimated_hours", "actual_hours", "context", "phase_id",
    ),
    "dependencies": ("task_id", "depends_on"),
    "notifications": ("agent_id", "task_id", "type", "message", "created_at", "read"),
    "participants": ("task_id", "agent_id", "role", "joined_at"),
    "collaboration_events": ("task_id", "agent_id", "event_type", "content", "request_id", "created_at"),
    "phases": ("id", "name"),
    "swarm_tasks": ("task_id", "said"),
}  # fmt: skip
"""What is written, in this order."""


def insert(table: str) -> str:
    """The statement that writes a row."""
    columns = COLUMNS[table]
    return f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - fixed
