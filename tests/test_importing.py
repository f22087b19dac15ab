"""What a foreign plan can say, on the board: everything, once, in the right places, and nothing of it by mistake."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from recount import looking
from sqlalchemy import select

from swarm_mcp import operations
from swarm_mcp.interchange.foreign.document import (
    PlanContext,
    PlanCriterion,
    PlanDocument,
    PlanFeedback,
    PlanItem,
    PlanNotice,
    PlanParticipant,
    PlanRemark,
)
from swarm_mcp.interchange.importing import import_document
from swarm_mcp.model.errors import CycleRefused, Invalid
from swarm_mcp.model.task import EdgeType
from swarm_mcp.repository import events, graph, memory, messages, participants, tables, work

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.interchange.imported import Imported

PACIFIC = timezone(timedelta(hours=-8))
BORN, BEGUN, DONE = (datetime(2025, 5, day, 9, 30, tzinfo=PACIFIC) for day in (1, 2, 3))

WELL = PlanItem(
    ref="W-1", id="w3llwell", title="Dig a well", description="Deep.", status="completed", source_status="closed",
    archived=True, priority="critical", complexity="very_high", task_type="chore", area="garden", phase=3,
    assignee="bob", creator="Old Joe", tags=("water", "deep"), summary="Nine metres.",
    criteria=(
        PlanCriterion(text="Water comes"), PlanCriterion(text="Deep enough", measurable="depth > 8"),
        PlanCriterion(text="Dry walls", measurable="not really CEL"), PlanCriterion(measurable="true"),
    ),
    estimated_hours=Decimal("2.25"), actual_hours=Decimal("30.5"), deadline=DONE, created_at=BORN, updated_at=DONE,
    started_at=BEGUN, completed_at=DONE,
    comments=(PlanRemark(text="Later.", by="crew/jane", at=DONE), PlanRemark(text="Sooner.", by="bob", at=BORN)),
    notes=(PlanRemark(text="I hate digging.", by="bob", at=BEGUN), PlanRemark(text="He hates it.", by="")),
    progress=(PlanRemark(text="Half", by="bob", at=BEGUN, percent=50), PlanRemark(text="Began", by="bob", at=BORN)),
    context=(
        PlanContext(key="depth", value={"metres": 9}, kind="decision", rationale="Sand", by="bob", at=DONE),
        PlanContext(key="depth", value=8, at=BORN), PlanContext(key="", value=1),
    ),
    participants=(PlanParticipant(agent="crew/jane", role="watcher", joined_at=BORN),),
    feedback=(PlanFeedback(quality=5, timeliness=1, notes="Late.", by="lead", at=DONE), PlanFeedback(quality=9)),
    notices=(
        PlanNotice(kind="created", text="A well!", agent="bob", at=BORN, read=True),
        PlanNotice(kind="completed", text="First", agent="bob", at=BEGUN),
        PlanNotice(kind="completed", text="Last", agent="bob", at=DONE), PlanNotice(kind="started", text="Begun"),
    ),
    raw={"title": "Dig a well", "colour": "green"},
)  # fmt: skip
PUMP = PlanItem(
    ref="W-2", id="w3llpump", title="Set the pump", parent="W-3", depends_on=("W-1",), assignee="bob",
    relations=((EdgeType.RELATED, "W-1"), (EdgeType.DISCOVERED_FROM, "W-4")), raw={"title": "Set the pump"},
)  # fmt: skip
GARDEN = PlanItem(ref="W-3", title="Water the garden", raw={"title": "Water the garden"})
HOSE = PlanItem(
    ref="W-4", id="no id!", title="Roll up the hose", parent="W-3", depends_on=("W-2",), status="blocked",
    hold="winter", archived=True, completed_at=DONE, raw={"title": "Roll up the hose"},
)  # fmt: skip


def plan(*items: PlanItem, **said: Any) -> PlanDocument:
    return PlanDocument(format="well", name="well.txt", items=items or (WELL, PUMP, GARDEN, HOSE), **said)


def put(board: Board, *items: PlanItem, **said: Any) -> Imported:
    return import_document(board.swarm, plan(*items), **said)


def contents(board: Board) -> dict[str, int]:
    """How many rows every table has."""
    with looking(board.place) as connection:
        names = [name for name in tables.metadata.tables if name != "alembic_version"]
        return {name: next(iter(connection.execute(f"SELECT count(*) FROM {name}")))[0] for name in names}


def test_whatever_a_plan_says_is_on_the_board_and_in_the_report(board: Board) -> None:
    report = put(board)
    garden, hose = report.ids["W-3"], report.ids["W-4"]
    assert report.ids == {"W-1": "w3llwell", "W-2": "w3llpump", "W-3": garden, "W-4": hose}
    assert (report.created, report.subtasks, report.archived) == (4, 2, 2)
    assert report.edges == {"blocks": 2, "discovered_from": 1, "related": 1}
    assert report.brought == {
        "criteria": 4, "comments": 2, "notes": 2, "progress": 2, "context": 2, "participants": 1, "feedback": 1,
        "notices": 4,
    }  # fmt: skip
    assert report.people == ["old_joe", "crew_jane"]
    assert report.renamed == [
        f"W-4: its id no id! became {hose}, because it is none here.",
        "`crew/jane` is called crew_jane here.",
    ]
    assert len(report.guessed) == 1
    assert report.guessed[0].startswith("W-1: `not really CEL` is no check and was taken as words.")
    assert report.skipped == [
        "W-4: it is blocked and was completed once; the time was left out.",
        "W-4: it was put away there, but is not finished; here it stays.",
        "W-1: context could not be kept: a key has 1 to 200 characters; got 0.",
        "W-1: feedback could not be kept: quality is 1 (very poor) to 5 (excellent); got 9.",
    ]
    assert {ref: board.status(each) for ref, each in report.ids.items()} == {
        "W-1": "completed", "W-2": "pending", "W-3": "blocked", "W-4": "blocked",
    }  # fmt: skip
    assert report.statuses == {"completed": 1, "pending": 1, "blocked": 2}
    assert (board.row(garden).subtasks, board.row(garden).open_subtasks) == (2, 2)
    assert (board.row(hose).hold_reason, board.row(hose).archived_at) == ("winter", None)
    edges = board.swarm.read(lambda db: {(e.type, e.depends_on_id) for e in graph.edges_of(db, "w3llpump")})
    assert edges == {("blocks", "w3llwell"), ("related", "w3llwell"), ("discovered_from", hose)}


def test_a_task_has_the_columns_and_the_belongings_that_it_had(board: Board) -> None:
    put(board)
    row = board.row("w3llwell")
    assert (row.task_type, row.area, row.phase, row.complexity) == ("chore", "garden", 3, "very_high")
    assert (row.priority, row.tags, row.completion_summary) == ("critical", ["water", "deep"], "Nine metres.")
    assert (row.estimated_hours, row.actual_hours) == (Decimal("2.25"), Decimal("30.5"))
    assert (row.created_at, row.started_at) == (BORN, BEGUN)
    assert row.updated_at == row.completed_at == row.deadline == DONE
    assert (row.source_status, row.archived_at) == ("closed", board.clock.now)
    assert [board.name_of(each) for each in (row.creator_id, row.assignee_id)] == ["old_joe", "bob"]
    assert board.agent("old_joe").title == "Old Joe"

    def belongings(db: Any) -> None:
        assert [(each.text, each.measurable) for each in work.criteria(db, row.id)] == [
            ("Water comes", ""), ("Deep enough", "depth > 8"), ("Dry walls: not really CEL", ""), ("", "true"),
        ]  # fmt: skip
        latest = memory.context_of(db, [row.id], limit=9)
        assert [(each.value, each.kind, each.rationale, each.at) for each in latest] == [
            ({"metres": 9}, "decision", "Sand", DONE)
        ]
        notes = memory.all_notes(db, row.id, after=0, limit=9)
        assert [(each.text, board.name_of(each.agent_id)) for each in notes] == [
            ("He hates it.", ""), ("I hate digging.", "bob"),
        ]  # fmt: skip
        reports = work.progress_of(db, row.id, after=0, limit=9)
        assert [(each.percent, each.message, each.at) for each in reports] == [
            (None, "Began", BORN), (50, "Half", BEGUN),
        ]  # fmt: skip
        (rating,) = work.feedback_of(db, row.id)
        assert (rating.quality, rating.timeliness, rating.worker_id) == (5, 1, row.assignee_id)
        (part,) = participants.participants(db, row.id)
        assert (board.name_of(part.agent_id), part.role, part.joined_at) == ("crew_jane", "watcher", BORN)
        inbox = db.execute(select(tables.inbox).where(tables.inbox.c.task_id == row.id).order_by("id")).all()
        assert [(each.kind, each.text, each.state) for each in inbox] == [
            ("created", "A well!", "read"), ("completed", "First", "read"), ("completed", "Last", "new"),
            ("started", "Begun", "new"),
        ]  # fmt: skip

    board.swarm.read(belongings)
    assert row.progress == 50


def test_comments_are_for_everybody_and_notes_for_their_author_alone(board: Board) -> None:
    put(board)
    for reader in ("ada", "bob"):
        found = board.swarm.read(
            lambda db: messages.about_task(db, "w3llwell", db.actor.id, everything=False, limit=9, after=1),
            agent=reader,
        )
        assert [(each.text, board.name_of(each.sender_id), each.at) for each in found] == [
            ("Sooner.", "bob", BORN), ("Later.", "crew_jane", DONE),
        ]  # fmt: skip
        shown = board.brief(reader, "w3llwell", include=["notes"], max_tokens=8000).model_dump_json()
        assert ("I hate digging." in shown) == (reader == "bob")
    assert "completed" in board.news("bob")
    assert "answer" not in board.news("ada")
    found = (
        board.swarm.read(lambda db: operations.search(db, query="sooner")) if hasattr(operations, "search") else None
    )
    assert found is None or found


def test_the_ledger_says_what_came_and_nothing_that_was_said(board: Board) -> None:
    put(board, namespace="yard")
    first = board.events("w3llwell")[0]
    assert (first.kind, first.version) == ("imported", 1)
    assert first.data["brought"] == {
        "comments": 2, "notes": 2, "progress": 2, "context": 3, "participants": 1, "feedback": 2, "notices": 4,
    }  # fmt: skip
    assert "hate" not in str(
        [each.data for each in board.swarm.read(lambda db: events.project_events(db, limit=99, after=0))]
    )
    assert board.swarm.read(lambda db: operations.get_task(db, task="yard/W-1")).message.startswith("w3llwell")


def test_twice_is_once_a_rehearsal_is_nothing_and_what_is_new_is_added(board: Board) -> None:
    empty = contents(board)
    rehearsal = put(board, dry_run=True)
    assert contents(board) == empty
    report = put(board)
    words = {"message": rehearsal.message, "dry_run": True, "ids": {}, "renamed": rehearsal.renamed}
    assert rehearsal == report.model_copy(update=words)
    full = contents(board)
    again = put(board)
    assert (again.created, again.already, again.message) == (
        0, 4, "Imported 0 tasks from well.txt; 4 were there already.",
    )  # fmt: skip
    assert contents(board) == full
    tap = PlanItem(
        ref="W-5", title="A tap", parent="W-3", depends_on=("W-4",), assignee="crew/jane", raw={"title": "A"}
    )
    drop = PlanItem(ref="W-6", title="A drop", parent="W-5", status="completed", comments=WELL.comments, raw={})
    later = put(board, WELL, PUMP, GARDEN, HOSE, tap, drop)
    assert (later.created, later.already, later.people, later.renamed) == (2, 4, [], [])
    assert (board.row(report.ids["W-3"]).subtasks, board.status(later.ids["W-5"])) == (3, "blocked")
    assert board.assignee(later.ids["W-5"]) == "crew_jane"


def test_whoever_waits_for_a_tombstone_is_told_of(board: Board) -> None:
    grave = PlanItem(ref="a", title="Dead", status="cancelled", source_status="tombstone", archived=True)
    waiting = PlanItem(ref="b", title="Waits", depends_on=("a",))
    report = put(board, grave, waiting, replace(waiting, ref="c", status="cancelled"))
    assert report.contradictions == ["b: it waits for a, which was put away and is not done."]
    assert board.status(report.ids["b"]) == "blocked"


def test_names_that_cannot_be_kept_get_others_and_stay_apart(board: Board) -> None:
    board.team("diggers", "ada")
    names = ["x/y", "x y", "x@y", "王伟", "Zoë", "operator", "all", "diggers", "x/y", ""]
    items = [
        PlanItem(ref=str(n), title="Dig", assignee=name, comments=(PlanRemark(text="Yes", by=name),))
        for n, name in enumerate(names)
    ]
    report = put(board, *items)
    assert [board.assignee(each) for each in report.ids.values()] == [
        "x_y", "x_y", "x_y_2", "somebody", "zoe", "", "", "", "x_y", "",
    ]  # fmt: skip
    spelt = {"x_y": "x/y", "x_y_2": "x@y", "somebody": "王伟", "zoe": "Zoë"}
    assert report.people == list(spelt)
    assert {name: board.agent(name).title for name in report.people} == spelt
    assert report.renamed == [f"`{was}` is called {name} here." for name, was in spelt.items()]
    assert [each.partition(".")[0] for each in report.skipped] == [
        "5: it was assigned to nobody", "6: it was assigned to nobody",
        "What `all` did and said has no author here", "What `diggers` did and said has no author here",
    ]  # fmt: skip
    pool = board.row(report.ids["7"])
    assert (pool.pool_team_id is not None, pool.status) == (True, "pending")


def test_what_a_reader_lets_through_is_caught(board: Board) -> None:
    """Readers promise better; a mistake of theirs is reported, and not the database's to find."""
    lost = replace(PUMP, relations=((EdgeType.RELATED, "W-2"), (EdgeType.ENABLES, "W-3"), (EdgeType.ENABLES, "W-3")))
    told = PlanNotice(kind="delegated", text="It was yours there too.", agent="bob", at=BORN)
    report = put(board, replace(lost, parent="nowhere", depends_on=("gone",), notices=(told,)), GARDEN)
    assert (report.created, report.subtasks, report.edges) == (2, 0, {"enables": 1})
    assert report.dangling == [
        f"W-2: it refers to {each}, which is not there; that was left out." for each in ("nowhere", "gone")
    ]
    assert [each.text for each in board.inbox("bob") if each.task == "w3llpump"] == [told.text]


def test_an_id_that_is_taken_is_replaced_and_said(board: Board) -> None:
    first = put(board, replace(PUMP, depends_on=(), parent="", relations=()))
    other = import_document(board.swarm, replace(plan(PlanItem(ref="x", id="w3llpump", title="Another")), format="tap"))
    assert first.ids["W-2"] == "w3llpump"
    assert other.renamed == [f"x: its id w3llpump became {other.ids['x']}, because another task has it here."]
    twins = [PlanItem(ref=ref, id="twintwin", title=ref) for ref in "ab"]
    report = import_document(board.swarm, replace(plan(*twins), format="twins"))
    assert report.ids["a"] == "twintwin" != report.ids["b"]


def test_what_cannot_be_a_task_is_refused_whole_with_every_reason(board: Board) -> None:
    before = contents(board)
    wrong = [
        PlanItem(ref="a", title=" "), PlanItem(ref="b", title="B", phase=99),
        PlanItem(ref="c", title="C", estimated_hours=Decimal("0.0000001")),
    ]  # fmt: skip
    with pytest.raises(Invalid, match=r"Nothing was imported\. a: A task needs a title\. b: phase is 1 to 10.* c: est"):
        put(board, GARDEN, *wrong)
    with pytest.raises(Invalid, match="uses an id for several tasks"):
        put(board, GARDEN, GARDEN)
    parent = board.create("Above")
    board.create("Around", depends_on=[parent])
    with pytest.raises(CycleRefused, match=r"waits for itself: a → b|b → a"):
        put(board, *(PlanItem(ref=ref, title=ref, depends_on=(other,)) for ref, other in ("ab", "ba")))
    after = contents(board)
    assert after["task"] == before["task"] + 2
    assert after["external_ref"] == before["external_ref"]


def test_deep_and_long_plans_find_their_place_in_the_order(board: Board) -> None:
    """Deeper, and with longer chains, than there is room for where tasks are put one by one."""
    top = board.create("Above")
    deep = [PlanItem(ref=f"d{n}", title=f"Level {n}", parent=f"d{n - 1}" if n else "") for n in range(40)]
    chain = [
        PlanItem(ref=f"c{n}", title=f"Link {n}", parent="d3", depends_on=(f"c{n - 1}",) if n else ())
        for n in range(600)
    ]
    report = put(board, *deep, *chain, parent=top)
    assert (report.created, board.status(top), board.status(report.ids["c0"])) == (640, "blocked", "pending")
    below = board.create("Put there by hand", parent=report.ids["d39"])
    more = PlanItem(ref="more", title="More", parent="d39", depends_on=("c599",))
    assert put(board, *deep, *chain, more, parent=top).created == 1
    assert board.row(below).parent_id == report.ids["d39"]
