"""Task Orchestrator's stores: what all of its versions wrote is read, and stays as it is."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from orchestrator_stores import CONTEXT, NOTES, PROGRESS, SCHEMA_22, TO_23, at, made, packed, put, sample, state

from swarm_mcp.interchange.foreign.document import PlanContext, PlanCriterion, PlanFeedback, PlanParticipant, PlanRemark
from swarm_mcp.interchange.foreign.task_orchestrator import read

if TYPE_CHECKING:
    from pathlib import Path


def test_the_real_store_is_read_as_plain_sql_sees_it_and_stays_as_it_is(tmp_path: Path) -> None:
    folder = sample(tmp_path / ".task-orchestrator")
    with closing(sqlite3.connect(folder / "tasks.db")) as connection:
        rows = list(connection.execute("SELECT id, title, status, priority, assignee FROM tasks ORDER BY rowid"))
        edges = set(connection.execute("SELECT task_id, depends_on FROM dependencies"))
        people = set(connection.execute("SELECT task_id, agent_id FROM participants"))
        kinds = Counter(kind for (kind,) in connection.execute("SELECT event_type FROM collaboration_events"))
        notices = set(connection.execute("SELECT task_id, type, message, read FROM notifications"))
    before = state(folder)
    document = read(tmp_path, ZoneInfo("Europe/Berlin"))  # the project's folder
    assert state(folder) == before
    items = {item.ref: item for item in document.items}
    assert [(i.ref, i.title, i.status, i.priority, i.assignee) for i in document.items] == [
        (ref, title, status, priority or "medium", who or "") for ref, title, status, priority, who in rows
    ]
    assert all(item.id == ref for ref, item in items.items())
    assert {(ref, other) for ref, item in items.items() for other in item.depends_on} == edges
    assert {(ref, each.agent) for ref, item in items.items() for each in item.participants} == people
    said = {(ref, each.kind, each.text, each.read) for ref, item in items.items() for each in item.notices}
    assert said == {(*notice, bool(is_read)) for *notice, is_read in notices}
    shared = Counter(each.key.partition(" ")[0] for item in items.values() for each in item.context)
    reports = [each for item in items.values() for each in item.progress]
    assert shared | {"progress": len(reports)} == kinds
    assert (reports[0].percent, reports[0].text) == (50, "login endpoint done")
    auth = items["9fe14424"]
    assert auth.notes == (PlanRemark(text="Using Redis for token cache", by="backend_dev"),)
    assert auth.criteria[0] == PlanCriterion(text="All tests pass", measurable="test_suite.exit_code == 0")
    assert auth.created_at == at("2026-11-21T21:35:51.975764+01:00")
    assert auth.deadline == at("2026-12-31T00:00:00+00:00")
    assert items["7cc4c669"].feedback == (PlanFeedback(quality=5, timeliness=4, notes="clear"),)
    assert items["7cc4c669"].raw["archives"] == ["task_7cc4c669_20261121_213604.tar.gz"]
    assert document.raw == {"schema": "2.9"}
    assert (document.format, document.dangling, document.skipped) == ("task-orchestrator", (), ())
    assert document.guessed == ("15 times without an offset were taken as Europe/Berlin.",)
    assert read(folder / "tasks.db", ZoneInfo("Europe/Berlin")).items == document.items


def test_the_documented_layout_of_2_3_is_read_with_its_files(tmp_path: Path) -> None:
    folder = made(tmp_path, SCHEMA_22, TO_23)
    put(folder, "contexts/abc12345.yaml", CONTEXT)
    put(folder, "contexts/abc12345_progress.jsonl", PROGRESS)
    put(folder, "notes/abc12345_backend_specialist.md", NOTES)
    put(folder, "notes/abc12345_qa.md", "first\n\n---\n2025-01-16T08:00:00\nsecond")
    put(folder, "notes/zzz_qa.md", "whose?")
    put(folder, "templates/feature.yaml", "name: Feature\n")
    put(folder, "telemetry/events.jsonl", "{}")
    document = read(folder, UTC)
    first, second = document.items
    assert first.criteria == (
        PlanCriterion(text="Query time < 100ms", measurable="true"), PlanCriterion(text="It is kept"),
    )  # fmt: skip
    assert (first.estimated_hours, first.actual_hours) == (Decimal(8), Decimal("6.5"))
    assert first.deadline == at("2025-02-01T23:59:59.999999+00:00")
    assert (first.summary, first.feedback[0].quality, first.feedback[0].notes) == ("Indexed", 5, "Ahead of schedule")
    joined = at("2025-01-15T08:00:00+00:00")
    assert first.participants == (PlanParticipant(agent="qa_tester", role="Testing", joined_at=joined),)
    told, decided = at("2025-01-15T10:30:00+00:00"), at("2025-01-14T15:00:00+00:00")
    assert first.context == (
        PlanContext(
            key="requirement 1", value="Must support 1000 concurrent users", kind="requirement", by="agent_001", at=told
        ),
        PlanContext(key="requirement 2", value="Response time < 200ms", kind="requirement", by="agent_001", at=told),
        PlanContext(
            key="decision 1", value="Use PostgreSQL for data store", kind="decision",
            rationale="Better concurrency than SQLite", by="database_specialist", at=decided,
        ),
        PlanContext(
            key="schema", value="designs/db_schema.sql", kind="artifact", by="database_specialist", at=told
        ),
        PlanContext(
            key="api_endpoints", value={"login": "/api/v1/auth/login", "since": "2025-01-14"}, by="agent_001", at=told
        ),
    )  # fmt: skip
    assert [(each.percent, each.text) for each in first.progress] == [
        (25, "API endpoints defined"),
        (None, "half of it"),
    ]
    assert first.notes == (
        PlanRemark(text="### Approach\nToken bucket", by="backend_specialist", at=told),
        PlanRemark(text="first", by="qa"),
        PlanRemark(text="second", by="qa", at=at("2025-01-16T08:00:00+00:00")),
    )
    assert "Token bucket" not in json.dumps(first.raw)  # which everybody may read
    assert [(each.kind, each.text, each.read) for each in first.notices] == [("started", "Off it goes", True)]
    assert (second.status, second.hold, second.depends_on) == ("blocked", "", ("abc12345",))
    assert document.raw == {"schema": "2.3", "templates": {"feature.yaml": "name: Feature\n"}}
    assert [each.split("`")[1] for each in document.skipped if "`" in each] == ["notes/zzz_qa.md", "telemetry"]


def test_a_store_of_2_2_lacks_columns_and_nothing_else(tmp_path: Path) -> None:
    document = read(made(tmp_path, SCHEMA_22), UTC)
    first, second = document.items
    assert (first.ref, first.id, first.status, first.priority) == ("abc12345", "abc12345", "in_progress", "critical")
    assert (first.criteria, first.feedback, first.participants, first.deadline) == ((), (), (), None)
    assert second.depends_on == ("abc12345",)
    assert document.raw == {"schema": "2.2"}
    assert document.guessed == document.skipped == ()


def test_what_versions_between_wrote_is_read_and_said_once(tmp_path: Path) -> None:
    said = {"agent": "ada", "timestamp": "2025-09-01T10:00:00+00:00", "type": "update", "content": "Ports are open"}
    folder = sample(tmp_path / "store")
    with closing(sqlite3.connect(folder / "tasks.db")) as connection:
        connection.executescript("""
            UPDATE tasks SET context = 'WHY: a WHAT: b DONE: c', phase_id = 'p2', created_by = 'user'
                WHERE id = '05957b63';
            UPDATE tasks SET status = 'blocked', phase_id = 'gone' WHERE id = '9fe14424';
            INSERT INTO phases (id, name) VALUES ('p2', 'Build'), ('p1', 'Phase 1');
            INSERT INTO phase_dependencies (id, phase_id, depends_on_phase_id) VALUES ('d', 'p2', 'p1');
            INSERT INTO phase_gates (id, phase_id, gate_type, criteria) VALUES ('g', 'p1', 'approval', '[]');
            INSERT INTO dependencies
                VALUES ('9fe14424', '9fe14424'), ('9fe14424', 'nowhere1'), ('nowhere2', '9fe14424');
            CREATE TABLE file_refs (id INTEGER, task_id TEXT, file_path TEXT, line_start INTEGER);
            INSERT INTO file_refs VALUES (1, '9fe14424', 'src/auth.py', 42);
            CREATE TABLE agent_messages (id TEXT, content TEXT);
            CREATE TABLE agents (id TEXT PRIMARY KEY, name TEXT);
            INSERT INTO agents VALUES ('a', 'Ada');
        """)
    put(
        folder,
        "contexts/4beb3d8c.yaml",
        json.dumps({"task_id": "4beb3d8c", "contributions": [said, said], "mood": "good"}),
    )
    archive = {"task_id": "4beb3d8c", "contributions": [said, {**said, "type": "comment", "content": "Well done"}]}
    stem = "task_4beb3d8c_20250902_080000"
    note = (f"{stem}/notes/4beb3d8c_qa.md", b"Slow in the evening")
    put(folder, f"archives/{stem}.tar.gz", packed((f"{stem}/context.json", json.dumps(archive).encode()), note))
    gone = (f"{(lost := 'task_0badcafe_20250903_090000')}/context.yaml", b"title: Old work\ncontributions: []\n")
    put(folder, f"archives/{lost}.tar.gz", packed(gone, (f"{lost}/diary.txt", b"?")))
    put(folder, "contexts/0badcafe_progress.jsonl", '{"agent": "ada", "update": "100%"}')
    put(folder, "archives/readme.txt", "?")
    (folder / "notes" / "9fe14424_eve.md").symlink_to("/etc/hostname")
    put(folder, "notes/9fe14424_two\nlines.md", "?")
    os.link(folder / "notes" / "9fe14424_backend_dev.md", os.fsencode(folder / "notes") + b"/9fe14424_\xff.md")
    os.mkfifo(folder / "notes" / "9fe14424_pipe.md")
    document = read(folder, UTC)
    items = {item.ref: item for item in document.items}
    ui, auth, end, old = (items[each] for each in ("05957b63", "9fe14424", "4beb3d8c", "0badcafe"))
    intent = PlanContext(key="intent", value="WHY: a WHAT: b DONE: c", kind="requirement", at=ui.created_at)
    assert (ui.phase, ui.tags, ui.creator, ui.context) == (2, ("phase:Build",), "", (intent,))
    assert (auth.phase, auth.tags, auth.hold, auth.depends_on) == (0, ("phase:gone",), "blocked", ())
    assert auth.context[0] == PlanContext(
        key="src/auth.py", value={"file_path": "src/auth.py", "line_start": 42}, kind="artifact"
    )
    assert [each.value for each in end.context] == ["Ports are open"]
    assert [each.text for each in end.comments] == ["Well done"]
    assert [(each.text, each.by) for each in end.notes] == [("Slow in the evening", "qa")]
    assert end.raw["context_file"] == {"mood": "good"}
    assert (old.title, old.status, old.archived, old.id) == ("Old work", "completed", True, "0badcafe")
    assert old.progress == (PlanRemark(text="", by="ada", percent=100),)
    assert old.completed_at == at("2025-09-03T09:00:00+00:00")
    assert document.dangling == (("9fe14424", "nowhere1"),)
    assert document.raw["agents"] == [{"id": "a", "name": "Ada"}]
    assert {"phases", "phase_gates", "phase_dependencies"} <= set(document.raw)
    told = "\n".join((*document.guessed, *document.skipped))
    for word in ("depends on itself", "phase `gone`", "taken from its archive", "`agent_messages`", "readme.txt",
                 "symbolic link", "diary.txt", "1 row is about no task", "Gates of phases", "put on hold",
                 "two\ufffdlines", "9fe14424_\ufffd.md", "pipe.md` is no file"):  # fmt: skip
        assert word in told, word


def test_what_a_log_beside_the_file_holds_is_there_though_its_program_still_runs(tmp_path: Path) -> None:
    folder = made(tmp_path / "store", "PRAGMA journal_mode = WAL", SCHEMA_22)
    with closing(sqlite3.connect(folder / "tasks.db")) as writer:
        writer.execute("UPDATE tasks SET title = 'Only in the log' WHERE id = 'abc12345'")
        writer.commit()
        before = state(folder)
        assert "tasks.db-wal" in before
        assert read(folder, UTC).items[0].title == "Only in the log"
        assert state(folder) == before


def test_rows_of_the_wrong_kind_cost_a_field_and_not_the_task(tmp_path: Path) -> None:
    folder = made(tmp_path, SCHEMA_22, TO_23)
    with closing(sqlite3.connect(folder / "tasks.db")) as connection:
        connection.executescript("""
            UPDATE tasks SET title = 42, description = CAST(x'c3286e' AS TEXT), status = 'on fire', priority = 7,
                created_at = 'yesterday', completed_at = 12345, deadline = '9999-12-31T23:59:59-05:00',
                estimated_hours = 'eight', actual_hours = 9e999, feedback_quality = 6, feedback_timeliness = 'good',
                success_criteria = '{not json', completion_summary = x'ff00' WHERE id = 'abc12345';
            UPDATE tasks SET title = '   ', description = 'â€œquotedâ€\u009d', id = 'UPPER-1', status = NULL,
                success_criteria = '[{"measurable": 3}, {"what": "else"}, null, [1]]' WHERE id = 'def67890';
            INSERT INTO notifications (task_id, event_type, message, created_at) VALUES ('nobody', 'x', 'y', 'z');
        """)
    document = read(folder, UTC)
    first, second = document.items
    assert (first.title, first.status, first.priority, first.source_status) == ("42", "pending", "medium", "on fire")
    assert first.description == "\ufffd(n"
    assert (first.created_at, first.completed_at, first.deadline) == (None, None, None)
    assert (first.estimated_hours, first.actual_hours) == (None, None)
    assert (first.feedback[0].quality, first.feedback[0].timeliness) == (None, None)
    assert first.criteria == (PlanCriterion(text="{not json"),)
    assert first.summary == "0xff00"
    assert first.raw["actual_hours"] == "inf"
    json.dumps(first.raw, allow_nan=False)
    assert (second.ref, second.id, second.status) == ("UPPER-1", "", "pending")
    assert second.criteria == (
        PlanCriterion(measurable="3"), PlanCriterion(text="what: else"), PlanCriterion(text="[1]"),
    )  # fmt: skip
    assert len(document.renamed) == 1
    told = "\n".join((*document.guessed, *document.skipped))
    for word in ("created_at", "completed_at", "deadline", "estimated_hours", "actual_hours", "feedback_quality",
                 "feedback_timeliness", "success_criteria", "on fire", "`7`", "wrong code page", "none of ours",
                 "has no status", "in 1 of its texts", "about no task"):  # fmt: skip
        assert word in told, word
