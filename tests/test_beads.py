"""Beads' JSON lines: every issue, edge and person of a real tracker, and what is doubtful said."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from recount import looking

from swarm_mcp.interchange.foreign import beads
from swarm_mcp.interchange.importing import import_document
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.task import EdgeType
from swarm_mcp.repository import tasks

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.interchange.foreign.document import PlanDocument, PlanItem

SAMPLE = Path(__file__).parent / "data" / "beads.jsonl"
EDGES = {"blocks": "blocks", "discovered-from": "discovered_from"}
STATUSES = {"closed": "completed", "tombstone": "cancelled", "hooked": "pending"}


def records() -> list[dict[str, Any]]:
    return [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


def stored(board: Board, question: str) -> dict[str, int]:
    """Counts, straight from the tables."""
    with looking(board.place) as connection:
        return {str(name): count for name, count in connection.execute(question)}


def test_the_figures_of_the_sample_are_those_of_its_file(board: Board) -> None:
    issues = {each["id"]: each for each in records()}
    edges = [edge for each in issues.values() for edge in each.get("dependencies", [])]
    there = Counter(edge["type"] for edge in edges if edge["depends_on_id"] in issues)
    children = {edge["issue_id"] for edge in edges if edge["type"] == "parent-child"}
    children |= {name for name in issues if name.rpartition(".")[0] in issues}
    people = {each[role] for each in issues.values() for role in ("assignee", "created_by") if each.get(role)}
    comments = [said for each in issues.values() for said in each.get("comments", [])]
    people |= {said["author"] for said in comments}

    report = import_document(board.swarm, beads.read(SAMPLE, UTC))
    assert (report.created, report.subtasks) == (len(issues), len(children))
    assert report.archived == sum(each["status"] == "tombstone" for each in issues.values())
    assert report.edges == {ours: there[word] for word, ours in EDGES.items()}
    assert len(report.dangling) == len(edges) - there.total() == 2
    assert report.statuses == Counter(STATUSES[each["status"]] for each in issues.values())
    assert report.brought == {"comments": len(comments)}
    assert len(report.people) == len(people)
    assert len(report.renamed) == sum("/" in name for name in people)

    assert stored(board, "SELECT type, count(*) FROM dependency GROUP BY type") == report.edges
    assert stored(board, "SELECT status, count(*) FROM task GROUP BY status") == report.statuses
    assert stored(board, "SELECT 'archived', count(*) FROM task WHERE archived_at IS NOT NULL")["archived"] == 5
    said = stored(board, "SELECT text, count(*) FROM message WHERE task_id IS NOT NULL GROUP BY text")
    assert said == {each["text"]: 1 for each in comments}
    priorities = Counter(("critical", "high", "medium", "low", "low")[each["priority"]] for each in issues.values())
    assert stored(board, "SELECT priority, count(*) FROM task GROUP BY priority") == priorities
    for name, issue in issues.items():
        row = board.row(report.ids[name])
        assert (row.title, row.task_type, row.source_status) == (issue["title"], issue["issue_type"], issue["status"])
        assert row.created_at == datetime.fromisoformat(issue["created_at"])
        assert issue.get("description", "").strip() in row.description
        assert issue.get("notes", "") in row.description
        assert row.completion_summary == issue.get("close_reason", issue.get("delete_reason", ""))
        assert board.agent(board.assignee(row.id)).title in {"", issue["assignee"]} if row.assignee_id else True
    kept = board.swarm.read(lambda db: tasks.resolve_task(db, "bd-1dez.3"))
    assert board.row(kept.parent_id).id == report.ids["bd-1dez"]

    again = import_document(board.swarm, beads.read(SAMPLE, UTC))
    assert (again.created, again.already, again.skipped, again.people) == (0, len(issues), [], [])
    parent = board.create("Other people's work")
    copy = import_document(board.swarm, beads.read(SAMPLE, UTC), parent=parent, namespace="copy")
    assert (copy.created, copy.people) == (len(issues), [])
    assert board.row(copy.ids["bd-44d0"]).parent_id == parent
    assert board.row(copy.ids["bd-0088"]).parent_id == copy.ids["bd-44d0"]


def write(folder: Path, *issues: dict[str, Any]) -> Path:
    path = folder / "issues.jsonl"
    path.write_text("".join(f"{json.dumps(each)}\n" for each in issues), encoding="utf-8")
    return path


def issue(name: str, **said: Any) -> dict[str, Any]:
    return {"id": name, "title": f"Issue {name}", "status": "open", "priority": 2, **said}


def edges(name: str, **others: str) -> list[dict[str, str]]:
    """Dependencies of an issue: `a="blocks"`."""
    return [{"issue_id": name, "depends_on_id": other, "type": kind} for other, kind in others.items()]


def read(folder: Path, *issues: dict[str, Any], zone: str = "UTC") -> tuple[PlanDocument, dict[str, PlanItem]]:
    document = beads.read(write(folder, *issues), ZoneInfo(zone) if zone != "UTC" else UTC)
    return document, {item.ref: item for item in document.items}


def test_an_issue_keeps_everything_that_it_says(tmp_path: Path) -> None:
    full = issue(
        "bd-1", description="Why.", design="How.", notes="By the way.", external_ref="gh-9", priority=0,
        acceptance_criteria="- [ ] It rings\n- [x] It shines\n", issue_type="bug", labels=["bell", "bell", "brass"],
        assignee="ann", created_by="bob", estimated_minutes=100, due_at="2026-01-05T10:00:00+01:00",
        created_at="2025-12-01T10:00:00.123456789Z", updated_at="2025-12-02", started_at="0001-01-01T00:00:00Z",
        closed_at="2025-12-03T08:00:00", status="closed", close_reason="Rang.",
        comments=[{"author": "cid", "text": "Ding", "created_at": "2025-12-01T12:00:00-05:00"}],
    )  # fmt: skip
    document, items = read(
        tmp_path, full, issue("bd-2", acceptance_criteria="It rings.\nLoudly."), zone="Europe/Berlin"
    )
    item = items["bd-1"]
    assert item.description == "Why.\n\n## Design\n\nHow.\n\n## Notes\n\nBy the way.\n\n## External reference\n\ngh-9"
    assert [each.text for each in item.criteria] == ["It rings", "It shines"]
    assert [each.text for each in items["bd-2"].criteria] == ["It rings.\nLoudly."]
    assert (item.priority, item.task_type, item.tags) == ("critical", "bug", ("bell", "brass"))
    assert (item.assignee, item.creator, item.summary) == ("ann", "bob", "Rang.")
    assert item.estimated_hours == Decimal("1.666667")
    assert item.deadline == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert item.created_at == datetime(2025, 12, 1, 10, 0, 0, 123456, tzinfo=UTC)
    assert item.updated_at == datetime(2025, 12, 1, 23, tzinfo=UTC)
    assert item.completed_at == datetime(2025, 12, 3, 7, tzinfo=UTC)
    assert item.started_at is None
    assert [(each.text, each.by, each.at) for each in item.comments] == [
        ("Ding", "cid", datetime(2025, 12, 1, 17, tzinfo=UTC))
    ]
    assert item.raw == full
    assert document.guessed == ("2 times without an offset were taken as Europe/Berlin.",)


def test_every_word_for_a_status_has_a_meaning(tmp_path: Path) -> None:
    words = {
        "open": "pending", "in_progress": "in_progress", "hooked": "in_progress", "closed": "completed",
        "tombstone": "cancelled", "deferred": "blocked", "pinned": "blocked", "blocked": "blocked", "odd": "pending",
    }  # fmt: skip
    said = {"deferred": {"defer_until": "2026-02-01T00:00:00Z"}}
    document, items = read(tmp_path, *(issue(word, status=word, **said.get(word, {})) for word in words))
    assert {ref: item.status for ref, item in items.items()} == words
    assert {ref: item.hold for ref, item in items.items() if item.hold} == {
        "deferred": "deferred until 2026-02-01T00:00:00Z", "pinned": "pinned", "blocked": "blocked",
    }  # fmt: skip
    assert [ref for ref, item in items.items() if item.archived] == ["tombstone"]
    assert document.guessed == (
        "odd: its status `odd` is unknown and was taken as pending.",
        "blocked: it is blocked with nothing in its way; it was put on hold.",
    )


def test_every_kind_of_edge_finds_its_place_or_is_reported(tmp_path: Path) -> None:
    kinds = {
        "a": "blocks", "b": "parent-child", "c": "related", "d": "discovered-from", "e": "duplicates",
        "f": "supersedes", "g": "waits-for", "h": "parent-child", "x": "blocks", "zz": "blocks",
    }  # fmt: skip
    others = [issue(name) for name in "abcdefgh"]
    document, items = read(
        tmp_path, issue("x", dependencies=[*edges("x", **kinds), *edges("x", a="blocks")]), *others,
        issue("b.1"), issue("b.1.7", dependencies=edges("b.1.7", a="parent-child")),
        issue("b.2", dependencies=edges("b.2", **{"b": "blocks", "b.1": "blocks"})), issue("q.1"),
    )  # fmt: skip
    x = items["x"]
    assert (x.parent, x.depends_on) == ("b", ("a",))
    assert x.relations == (
        (EdgeType.RELATED, "c"), (EdgeType.DISCOVERED_FROM, "d"), (EdgeType.DUPLICATES, "e"),
        (EdgeType.SUPERSEDES, "f"), (EdgeType.RELATED, "g"), (EdgeType.RELATED, "h"),
    )  # fmt: skip
    assert {ref: items[ref].parent for ref in ("b.1", "b.1.7", "b.2", "q.1")} == {
        "b.1": "b", "b.1.7": "a", "b.2": "b", "q.1": "",
    }  # fmt: skip
    assert items["b.2"].depends_on == ("b.1",)
    assert document.dangling == (("x", "zz (blocks)"),)
    assert document.guessed == (
        "x: its dependency on g became related, because `waits-for` is no type of ours.",
        "x: its dependency on h became related, because its parent is b.",
    )
    assert document.skipped == (
        "x: it has a dependency on itself (blocks); that was left out.",
        "x: it names a as a dependency (blocks) more than once.",
        "b.2: it waits for b, with which it forms one tree; that was left out.",
    )


def test_priorities_go_from_0_to_4_and_what_is_none_is_reported(tmp_path: Path) -> None:
    said = [0, 1, 2, 3, 4, 5, "P1", None, -1]
    document, items = read(tmp_path, *(issue(str(n), priority=each) for n, each in enumerate(said)))
    assert [item.priority for item in items.values()] == [
        "critical", "high", "medium", "low", "low", "medium", "high", "medium", "medium",
    ]  # fmt: skip
    assert [each.partition(":")[0] for each in document.guessed] == ["5", "8"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("[1]", "`issues.jsonl`, line 2: it is no issue of beads, which is an object."),
        ('{"title": "x"}', "`issues.jsonl`, line 2: its `id` should be a text of 1 to 200 characters."),
        ('{"id": "b", "comments": ["a"]}', "`issues.jsonl`, line 2: `comments` holds something that is no object."),
        ('{"id": "a"}', "`issues.jsonl` uses an id for several issues: `a`. Give every issue its own."),
        ("<<<<<<< HEAD", "`issues.jsonl, line 2` is not JSON: line 1, column 1 cannot be read."),
    ],
)
def test_what_is_no_issue_is_refused_with_its_line(tmp_path: Path, line: str, sentence: str) -> None:
    path = write(tmp_path, issue("a"))
    path.write_text(f"{path.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        beads.read(path, UTC)
    assert refused.value.message == sentence
