"""A Taskmaster plan on the board: everything that it says, once, and honest about what cannot be so."""

from __future__ import annotations

import json
import os
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp import operations
from swarm_mcp.interchange.foreign import taskmaster
from swarm_mcp.interchange.importing import import_document
from swarm_mcp.model.errors import Conflict, CycleRefused, IllegalMove, Invalid
from swarm_mcp.operations.browsing import list_tasks
from swarm_mcp.repository import events, graph, tasks, work

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.interchange.imported import Imported

PACKAGED = Path(str(resources.files("swarm_mcp.interchange") / "plans" / "newsletter.json"))
PLANS = [PACKAGED, *(Path(each) for each in os.environ.get("SWARM_TEST_PLANS", "").split(os.pathsep) if each)]
"""The plan that comes along, and those that the environment names, if it does."""

SHOP = [
    {"id": 1, "title": "Draw the shop", "status": "done", "testStrategy": "Two people recognise it."},
    {
        "id": 2, "title": "Build the counter", "status": "pending", "dependencies": [1],
        "subtasks": [
            {"id": 1, "title": "Saw the boards", "status": "done"},
            {"id": 2, "title": "Nail them", "status": "pending", "dependencies": [1]},
        ],
    },
    {"id": 3, "title": "Open", "status": "pending", "dependencies": [2], "priority": "high"},
]  # fmt: skip


def put(board: Board, folder: Path, plan: list[dict[str, Any]], **said: Any) -> Imported:
    """Import a plan, as the file that it would be."""
    path = folder / "tasks.json"
    path.write_text(json.dumps({"tasks": plan}))
    return import_document(board.swarm, taskmaster.read(path), **said)


def task(n: int, status: str = "pending", **more: Any) -> dict[str, Any]:
    return {"id": n, "title": f"Task {n}", "status": status, **more}


def ledger_length(board: Board) -> int:
    return len(board.swarm.read(lambda db: events.project_events(db, after=0, limit=10_000)))


def test_tasks_come_with_their_parents_their_dependencies_and_in_the_order_of_the_file(
    board: Board, tmp_path: Path
) -> None:
    ids = put(board, tmp_path, SHOP).ids
    assert {ref: board.status(each) for ref, each in ids.items()} == {
        "1": "completed", "2": "blocked", "2.1": "completed", "2.2": "pending", "3": "blocked",
    }  # fmt: skip
    assert board.row(ids["2.2"]).parent_id == ids["2"]
    edges = board.swarm.read(lambda db: graph.blockers(db, list(ids.values())))
    assert {each: [other.id for other in found] for each, found in edges.items()} == {
        ids["2"]: [ids["1"]], ids["2.2"]: [ids["2.1"]], ids["3"]: [ids["2"]],
    }  # fmt: skip
    listed = board.swarm.read(lambda db: list_tasks(db, sort="created")).tasks
    assert [each.id for each in listed] == list(ids.values())


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_the_figures_of_an_import_are_those_of_its_file(board: Board, path: Path) -> None:
    tops = json.loads(path.read_text())["tasks"]
    parts = [part for top in tops for part in top.get("subtasks", [])]
    report = import_document(board.swarm, taskmaster.read(path))
    assert (report.created, report.subtasks) == (len(tops) + len(parts), len(parts))
    assert report.edges == {"blocks": sum(len(each.get("dependencies", [])) for each in tops + parts)}
    done = sum(each["status"] == "done" for each in tops + parts)
    assert report.statuses.get("completed", 0) == done
    assert board.swarm.read(tasks.tallies) == report.statuses
    edges = board.swarm.read(lambda db: graph.blockers(db, list(report.ids.values())))
    assert sum(map(len, edges.values())) == report.edges["blocks"]


def test_every_word_for_a_status_finds_its_place_and_is_kept(board: Board, tmp_path: Path) -> None:
    words = ["pending", "done", "in-progress", "review", "deferred", "cancelled", "tombstone"]
    report = put(board, tmp_path, [task(n, word) for n, word in enumerate(words, 1)])
    rows = [board.row(each) for each in report.ids.values()]
    assert [row.source_status for row in rows] == words
    assert [row.status for row in rows] == [
        "pending", "completed", "pending", "in_review", "blocked", "cancelled", "cancelled",
    ]  # fmt: skip
    assert [bool(row.archived_at) for row in rows] == [False] * 6 + [True]
    assert Counter({(each.word, each.status): each.tasks for each in report.mapped}).total() == len(words)
    assert report.guessed == ["Nobody here holds what is in progress there, so that it waits to be claimed: 3."]


def test_deferred_work_is_on_hold_until_somebody_lifts_it(board: Board, tmp_path: Path) -> None:
    deferred = put(board, tmp_path, [task(1, "deferred")]).ids["1"]
    assert board.row(deferred).hold_reason == "deferred"
    board.update("lead", deferred, action="resume")
    assert board.claimed("ada") == deferred


def test_contradictions_are_kept_as_stated_and_reported(board: Board, tmp_path: Path) -> None:
    plan = [
        task(1, "done", subtasks=[task(1), task(2, "done")]),
        task(2, "review", dependencies=[1, 3]),
        task(3, "in-progress", dependencies=[4]),
        task(4, priority="critical", complexity="very-complex"),
    ]
    report = put(board, tmp_path, plan)
    assert board.status(report.ids["1"]) == "completed"
    assert report.contradictions == [
        "1: it is done, with this in its way: unfinished subtasks 1.1 (pending).",
        "2: it is review, with this in its way: it waits for 3 (blocked).",
        "3: it is in-progress, with this in its way: it waits for 4 (pending).",
        "4: it is critical and very hard, and cannot be completed before it has criteria.",
    ]


def test_a_second_import_adds_nothing(board: Board, tmp_path: Path) -> None:
    put(board, tmp_path, SHOP)
    before = ledger_length(board)
    again = put(board, tmp_path, SHOP)
    assert (again.created, again.already, again.ids) == (0, 5, {})
    assert again.message == "Imported 0 tasks from tasks.json; 5 were there already."
    assert ledger_length(board) == before


def test_of_a_plan_that_has_grown_only_what_is_new_is_added(board: Board, tmp_path: Path) -> None:
    first = put(board, tmp_path, SHOP).ids
    board.update("lead", first["3"], title="Open on Monday")
    grown = [*SHOP[:2], {**SHOP[2], "priority": "low"}, task(4, dependencies=[3])]
    report = put(board, tmp_path, grown)
    assert list(report.ids) == ["4"]
    assert report.skipped == ["3: it has changed since it was imported; the task was left as it is."]
    assert (board.row(first["3"]).title, board.row(first["3"]).priority) == ("Open on Monday", "high")
    blockers = board.swarm.read(lambda db: graph.blockers(db, [report.ids["4"]]))
    assert [each.id for each in blockers[report.ids["4"]]] == [first["3"]]


def test_another_plan_with_the_same_ids_needs_a_namespace(board: Board, tmp_path: Path) -> None:
    put(board, tmp_path, SHOP)
    other = [{**task(n), "title": f"Something else {n}"} for n in (1, 2)]
    with pytest.raises(Conflict, match="--namespace"):
        put(board, tmp_path, other)
    assert put(board, tmp_path, other, namespace="garden").created == 2
    found = board.swarm.read(lambda db: tasks.resolve_task(db, "garden/2"))
    assert found.title == "Something else 2"
    with pytest.raises(Invalid, match="is no namespace"):
        put(board, tmp_path, other, namespace="a b")


def test_a_dry_run_reports_the_same_and_writes_nothing(board: Board, tmp_path: Path) -> None:
    before = ledger_length(board)
    rehearsal = put(board, tmp_path, SHOP, dry_run=True)
    assert ledger_length(board) == before
    assert board.swarm.read(tasks.tallies) == {}
    real = put(board, tmp_path, SHOP)
    assert rehearsal.message == "Would import 5 tasks with 3 dependencies from tasks.json."
    assert rehearsal == real.model_copy(update={"message": rehearsal.message, "dry_run": True, "ids": {}})


def test_a_plan_can_go_under_a_task(board: Board, tmp_path: Path) -> None:
    parent = board.create("The market")
    report = put(board, tmp_path, SHOP, parent=parent)
    assert {board.row(report.ids[ref]).parent_id for ref in ("1", "2", "3")} == {parent}
    assert board.status(parent) == "blocked"
    finished = put(board, tmp_path, [task(9, "done")]).ids["9"]
    with pytest.raises(IllegalMove, match="reopen"):
        put(board, tmp_path, [task(10)], parent=finished)


def test_a_plan_that_waits_for_itself_is_refused_whole_with_its_path(board: Board, tmp_path: Path) -> None:
    with pytest.raises(CycleRefused, match=r"Nothing was imported\. The plan waits for itself: 2 → 3 → 2|3 → 2 → 3"):
        put(board, tmp_path, [task(1), task(2, dependencies=[3]), task(3, dependencies=[2])])
    assert board.swarm.read(tasks.tallies) == {}


def test_assignees_become_agents_and_finished_work_is_not_handed_to_them(board: Board, tmp_path: Path) -> None:
    report = put(board, tmp_path, [task(1, assignee="Zoe"), task(2, "done", assignee="Zoe"), task(3, assignee="a@b")])
    assert [board.assignee(report.ids[ref]) for ref in "123"] == ["zoe", "zoe", "a_b"]
    assert (report.people, report.renamed) == (["zoe", "a_b"], ["`a@b` is called a_b here."])
    delegated = board.swarm.read(lambda db: [len(work.delegations(db, report.ids[ref])) for ref in "123"])
    assert delegated == [1, 0, 1]
    assert board.claimed("zoe") == report.ids["1"]


def test_a_task_is_found_by_its_foreign_id_and_keeps_its_foreign_record(board: Board, tmp_path: Path) -> None:
    put(board, tmp_path, [task(1, effort="3 days", subtasks=[task(1, owner={"team": "saws"})])])
    assert board.brief("ada", "1.1").message.endswith("Task 1")
    row = board.swarm.read(lambda db: tasks.resolve_task(db, "1.1"))
    assert (row.source, row.source_status) == ("tasks.json", "pending")


def test_imported_work_goes_on_like_any_other(board: Board, tmp_path: Path) -> None:
    ids = put(board, tmp_path, [task(1, "review", testStrategy="It rings."), task(2, "done", dependencies=[1])]).ids
    board.review("lead", ids["1"], "waive", notes="Heard it.")
    board.review("lead", ids["1"], "accept")
    board.update("lead", ids["2"], action="reopen")
    assert [board.status(each) for each in ids.values()] == ["completed", "pending"]
    board.finish("ada", ids["2"])
    assert board.status(ids["2"]) == "completed"


def test_the_ledger_says_that_tasks_were_imported_and_what_the_file_said_besides(board: Board, tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps({"tasks": SHOP[:1], "metadata": {"author": "Ann"}}))
    import_document(board.swarm, taskmaster.read(path), namespace="shop")
    found = board.swarm.read(lambda db: events.project_events(db, after=0, limit=10_000))[-2:]
    assert [(each.kind, each.agent_id) for each in found] == [("imported", None), ("plan_imported", None)]
    assert found[0].data["status"] == [None, "completed"]
    assert found[1].data == {
        "format": "taskmaster", "name": "tasks.json", "namespace": "shop", "tasks": 1,
        "beside": {"metadata": {"author": "Ann"}},
    }  # fmt: skip


def test_scripts_can_import_inside_a_transaction_of_their_own(board: Board, tmp_path: Path) -> None:
    from swarm_mcp.interchange.importing import import_plan

    path = tmp_path / "tasks.json"
    path.write_text(json.dumps({"tasks": SHOP}))
    with board.swarm.writing() as db:
        ids = import_plan(db, taskmaster.read(path)).ids
        operations.update_task(db, task=ids["3"], title="Open the doors")
    assert board.row(ids["3"]).title == "Open the doors"
