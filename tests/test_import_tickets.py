"""Both samples of tickets on the board: what the files say, counted by the test, is what the board says."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from test_tickets_reader import DIRECTOR, HOURS, OMOIOS, boxes, edges, fields, samples

from swarm_mcp.interchange.exporting import Wanted, export
from swarm_mcp.interchange.foreign import taskmaster, tickets
from swarm_mcp.interchange.importing import import_document
from swarm_mcp.repository import memory, tasks, work

if TYPE_CHECKING:
    from board import Board
    from conftest import Program


def task(board: Board, name: str) -> str:
    return board.swarm.read(lambda db: tasks.resolve_task(db, name)).id


def test_the_tickets_of_omoios_are_on_the_board_once(board: Board, tmp_path: Path) -> None:
    texts = samples(OMOIOS)
    told = {name: fields(text) for name, text in texts.items()}
    waits = edges(told)
    report = import_document(board.swarm, tickets.read(OMOIOS, UTC))
    assert (report.created, report.edges) == (len(told), {"blocks": len(waits)})
    parts = {name: one["parent_ticket"] for name, one in told.items() if "parent_ticket" in one}
    assert report.subtasks == len(parts)
    gated = {name for name, _ in waits}
    gated |= {name for name, parent in parts.items() if parent in gated} | set(parts.values())
    assert report.statuses == {"blocked": len(gated), "pending": len(told) - len(gated)}
    assert {each.word: each.tasks for each in report.mapped if each.status == "blocked"} == Counter(
        one["status"] for name, one in told.items() if name in gated
    )
    for name, one in told.items():
        brief = board.brief("lead", task(board, name))
        row = board.swarm.read(lambda db, name=name: tasks.resolve_task(db, name))
        assert (row.title, row.estimated_hours) == (one["title"], HOURS[str(one["estimate"])])
        assert row.parent_id == (task(board, str(parts[name])) if name in parts else None)
        assert len(brief.criteria) == boxes(texts[name])
        assert row.description == texts[name].split("---\n", 2)[2].strip("\n")
        shared = board.swarm.read(lambda db, row=row: memory.context_of(db, [row.id], limit=10))
        assert {each.key: each.value for each in shared}.get("requirements", []) == one.get("requirements", [])
    again = import_document(board.swarm, tickets.read(OMOIOS, UTC))
    assert (again.created, again.already, again.edges) == (0, len(told), {})

    export(board.swarm, "taskmaster", tmp_path / "tasks.json", Wanted())
    back = {item.title: item for item in taskmaster.read(tmp_path / "tasks.json", UTC).items}
    titles = {item.ref: item.title for item in back.values()}
    assert {(item.title, titles[each]) for item in back.values() for each in item.depends_on} == {
        (told[name]["title"], told[each]["title"]) for name, each in waits
    }
    assert {item.title: titles[item.parent] for item in back.values() if item.parent} == {
        told[name]["title"]: told[str(parent)]["title"] for name, parent in parts.items()
    }


def test_the_tickets_of_swarmdirector_are_on_the_board_with_what_is_missing_named(board: Board) -> None:
    texts = samples(DIRECTOR)
    report = import_document(board.swarm, tickets.read(DIRECTOR, UTC))
    assert (report.created, report.subtasks, report.edges) == (len(texts), 1, {})
    assert report.statuses == {"pending": 1, "completed": 1}
    assert [sentence for sentence in report.dangling if "task_001/subtask_002" in sentence]
    assert sum("wrong code page" in sentence for sentence in report.guessed) == len(texts)
    part = task(board, "task_001/subtask_003")
    row = board.swarm.read(lambda db: tasks.task_row(db, part))
    assert (row.status, row.source_status, row.parent_id) == ("completed", "done", task(board, "task_001"))
    assert f"{row.completed_at:%Y-%m-%d}" == "2025-06-11"
    assert len(board.swarm.read(lambda db: work.criteria(db, part))) == boxes(texts["subtask_003"])


def test_the_command_line_takes_tickets_in_and_gives_a_table_out(program: Program, tmp_path: Path) -> None:
    board = tmp_path / "board.db"
    code, out, _ = program("import", "tickets", DIRECTOR, "--timezone", "Europe/Berlin", "--database", board)
    assert (code, out.splitlines()[0]) == (0, "Imported 2 tasks from tickets-swarmdirector.")
    assert "dangling: task_001/subtask_003: it refers to task_001/subtask_002, which is not there" in out
    assert "taken as whole days in Europe/Berlin (5)." in out
    code, out, _ = program("export", "csv", tmp_path / "board.csv", "--database", board)
    assert (code, out) == (0, "Wrote 2 rows.\n")
    rows = list(csv.DictReader((tmp_path / "board.csv").read_bytes().decode().splitlines(keepends=True)))
    assert [row["foreign_names"] for row in rows] == ["tickets:task_001", "tickets:task_001/subtask_003"]
    assert rows[1]["completed_at"] == "2025-06-10T22:00:00+00:00"
