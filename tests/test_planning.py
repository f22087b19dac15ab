"""Planning: one task or a whole graph at once, every mistake named, nothing half made."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp import operations
from swarm_mcp.model.draft import PlanItem
from swarm_mcp.model.errors import Ambiguous, CycleRefused, Invalid, NotAllowed, Refusal, TaskNotFound
from swarm_mcp.repository import graph, tasks

if TYPE_CHECKING:
    from board import Board


def waits_for(board: Board, task: str) -> set[str]:
    return {each.id for each in board.swarm.read(lambda db: graph.blockers(db, [task])).get(task, [])}


def count(board: Board) -> int:
    return sum(board.swarm.read(tasks.tallies).values())


# --- words ------------------------------------------------------------------------------------------------------------


def test_a_title_is_trimmed_and_otherwise_as_written(board: Board) -> None:
    assert board.row(board.create("  build AUTH api ")).title == "build AUTH api"


@pytest.mark.parametrize("title", ["", "   ", "x" * 501])
def test_a_title_has_one_to_five_hundred_characters(board: Board, title: str) -> None:
    with pytest.raises(Invalid):
        board.create(title)
    board.create("x" * 500)


def test_a_long_description_is_kept_whole(board: Board) -> None:
    text = "ä" * 50_000
    assert board.row(board.create(description=text)).description == text


def test_every_word_about_a_task_is_kept(board: Board) -> None:
    row = board.row(
        board.create(
            tags=["b", "a", "b"], task_type="bug", area="ui", phase=3, complexity="HIGH", source="plan.md",
            touches=["src/ui"], estimated_hours=2.5, priority="Low", needs_review=True,
        )
    )  # fmt: skip
    assert (row.tags, row.task_type, row.area, row.phase, row.complexity) == (["b", "a"], "bug", "ui", 3, "high")
    assert (row.source, row.touches, row.estimated_hours) == ("plan.md", ["src/ui"], Decimal("2.5"))
    assert (row.priority, row.needs_review, board.name_of(row.creator_id)) == ("low", True, "lead")


@pytest.mark.parametrize(
    "said", [{"phase": 11}, {"phase": -1}, {"complexity": "hard"}, {"priority": "soon"}, {"estimated_hours": -1}]
)
def test_words_out_of_range_are_refused(board: Board, said: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        board.create(**said)


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("2026-12-31", datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-12-31T17:00:00+01:00", datetime(2026, 12, 31, 16, tzinfo=UTC)),
        ("2026-12-31T17:00:00Z", datetime(2026, 12, 31, 17, tzinfo=UTC)),
    ],
)
def test_a_deadline_has_an_offset_and_a_bare_date_is_the_end_of_that_day_in_utc(
    board: Board, words: str, moment: datetime
) -> None:
    assert board.row(board.create(deadline=words)).deadline == moment


@pytest.mark.parametrize("words", ["2026-12-31T17:00:00", "tomorrow", "2026-13-01"])
def test_a_naive_time_and_what_is_no_time_are_refused(board: Board, words: str) -> None:
    with pytest.raises(Invalid):
        board.create(deadline=words)


@pytest.mark.parametrize("text", ["a\x00b", "half \ud800 pair"])
def test_nul_characters_and_lone_surrogates_are_refused_wherever_they_stand(board: Board, text: str) -> None:
    deeds = [
        lambda: board.create(text),
        lambda: board.create(tags=["a", text]),
        lambda: board.plan({"title": "A", "description": text}),
        lambda: board.plan(PlanItem(title="A", criteria=[text])),
        lambda: board.call("ada", operations.share_context, key="a", value={"deep": [{text: 1}]}),
        lambda: board.send("ada", text, to="bob"),
    ]
    for deed in deeds:
        with pytest.raises(Invalid, match="NUL"):
            deed()
    assert count(board) == 0


# --- a graph ----------------------------------------------------------------------------------------------------------


def test_a_graph_is_made_at_once_whatever_the_order_of_its_items(board: Board) -> None:
    made = board.plan(
        {"ref": "test", "title": "Test", "depends_on": ["build"]},
        {"ref": "build", "title": "Build", "parent": "ship", "depends_on": ["design"]},
        {"ref": "design", "title": "Design"},
        {"ref": "ship", "title": "Ship"},
    )
    ids = made.ids
    assert list(ids) == ["test", "build", "design", "ship"]
    assert waits_for(board, ids["test"]) == {ids["build"]}
    assert board.row(ids["build"]).parent_id == ids["ship"]
    assert made.ready == [ids["design"]]
    assert made.order == [[ids["design"]], [ids["build"]], [ids["test"], ids["ship"]]]


def test_items_without_a_ref_are_called_by_their_number(board: Board) -> None:
    assert list(board.plan({"title": "A"}, {"title": "B", "depends_on": ["#1"]}).ids) == ["#1", "#2"]


def test_items_may_name_tasks_that_are_there(board: Board) -> None:
    task = board.create()
    ids = board.plan({"ref": "a", "title": "A", "depends_on": [task]}, {"ref": "b", "title": "B", "parent": task}).ids
    assert waits_for(board, ids["a"]) == {task}
    assert board.row(ids["b"]).parent_id == task


def test_a_plan_below_a_parent_goes_there_unless_an_item_says_otherwise(board: Board) -> None:
    parent, other = board.create(), board.create()
    ids = board.plan(
        {"ref": "a", "title": "A"}, {"title": "B", "parent": "a"}, {"title": "C", "parent": other}, parent=parent
    ).ids
    assert [board.row(task).parent_id for task in ids.values()] == [parent, ids["a"], other]


def test_softer_relations_may_look_ahead_and_go_both_ways(board: Board) -> None:
    ids = board.plan(
        {"ref": "a", "title": "A", "depends_on": ["related:b"]}, {"ref": "b", "title": "B", "depends_on": ["enables:a"]}
    ).ids
    edges = {
        (each.type, each.task_id, each.depends_on_id)
        for task in ids.values()
        for each in board.swarm.read(lambda db, task=task: graph.edges_of(db, task))
    }
    assert edges == {("related", ids["a"], ids["b"]), ("enables", ids["b"], ids["a"])}


def test_a_backwards_graph_shows_in_the_waves(board: Board) -> None:
    made = board.plan({"ref": "a", "title": "Deploy"}, {"ref": "b", "title": "Build", "depends_on": ["a"]})
    assert made.order == [[made.ids["a"]], [made.ids["b"]]]
    assert "2 waves" in made.message


def test_every_mistake_is_named_at_once_and_nothing_is_written(board: Board) -> None:
    with pytest.raises(Invalid, match="4 mistakes") as refusal:
        board.plan(
            {"ref": "a", "title": "", "priority": "soon", "parent": "nowhere", "depends_on": ["zzzzz"]},
            {"ref": "b", "title": "B", "depends_on": ["yyyyy"]},
            {"ref": "c", "title": "C", "deadline": "tomorrow", "checks": ["p95 <"], "assignee": "adaa"},
            {"ref": "d", "title": "D", "depends_on": ["e"]},
            {"ref": "e", "title": "E", "depends_on": ["d"], "assignee": "brandnew"},
        )
    first, second, third, last = refusal.value.facts["mistakes"]
    assert all(word in first for word in ("item 1 (`a`)", "title", "`soon`", "`nowhere`", "`zzzzz`"))
    assert all(word in second for word in ("item 2 (`b`)", "`yyyyy`"))
    assert all(word in third for word in ("item 3 (`c`)", "`tomorrow`", "p95 <", "`ada`"))
    assert "waits for itself" in last
    assert count(board) == 0
    with pytest.raises(AssertionError):
        board.agent("brandnew")


def test_every_mistake_about_one_task_is_named_at_once_too(board: Board) -> None:
    with pytest.raises(Invalid) as refusal:
        board.create("", priority="soon", parent="nowhere", depends_on=["zzzzz"], assignee="adaa")
    assert all(word in refusal.value.message for word in ("title", "`soon`", "`nowhere`", "`zzzzz`", "`ada`"))


@pytest.mark.parametrize(
    ("items", "kind"),
    [
        ([{"ref": "a", "title": "A", "depends_on": ["a"]}], CycleRefused),
        ([{"ref": "a", "title": "A"}, {"title": "B", "parent": "a", "depends_on": ["a"]}], CycleRefused),
        ([{"ref": "a", "title": "A", "depends_on": ["related:a"]}], CycleRefused),
        ([{"title": "A", "depends_on": ["zzzzzzzz"]}], TaskNotFound),
        ([{"title": "A", "assignee": "adaa"}], Ambiguous),
        ([{"ref": "a", "title": "A"}, {"ref": "a", "title": "B"}], Invalid),
        ([{"title": "A", "parent": "zzzzzzzz"}, {"title": ""}], Invalid),
        ([], Invalid),
    ],
)
def test_a_plan_with_mistakes_of_one_kind_is_refused_as_that_kind(
    board: Board, items: list[dict[str, Any]], kind: type[Refusal]
) -> None:
    with pytest.raises(kind) as refusal:
        board.plan(*items)
    assert type(refusal.value) is kind
    assert count(board) == 0


def test_a_plan_has_at_most_a_thousand_tasks(board: Board) -> None:
    with pytest.raises(Invalid, match="at most 1000"):
        board.plan(*({"title": str(n)} for n in range(1001)))


def test_several_new_names_in_one_plan_become_agents(board: Board) -> None:
    made = board.plan(*({"title": f"Part {n}", "assignee": f"worker-{n}"} for n in range(1, 4)))
    assert [board.assignee(task) for task in made.ids.values()] == ["worker-1", "worker-2", "worker-3"]
    assert len(made.warnings) == 3


def test_work_that_is_critical_and_very_hard_is_warned_of_without_criteria(board: Board) -> None:
    said = board.call("lead", operations.create_task, title="A", priority="critical", complexity="very_high")
    assert "cannot be completed without criteria" in said.warnings[0]


def test_a_worker_may_plan_inside_its_own_task_and_split_it_in_several_levels(board: Board) -> None:
    task = board.task_in("in_progress")
    ids = board.plan(
        {"ref": "a", "title": "A"}, {"ref": "b", "title": "B", "parent": "a", "assignee": "ada"}, by="ada", parent=task
    ).ids
    assert board.row(ids["a"]).parent_id == task
    assert board.assignee(ids["b"]) == "ada"


def test_a_worker_hands_nothing_to_others(board: Board) -> None:
    task = board.task_in("in_progress")
    with pytest.raises(NotAllowed, match="does not stand above bob"):
        board.plan({"title": "A", "assignee": "bob"}, by="ada", parent=task)


# --- edits ------------------------------------------------------------------------------------------------------------


def test_an_edit_changes_what_is_given_and_says_so(board: Board) -> None:
    task = board.create(description="Old", tags=["a"])
    said = board.update(
        "lead", task, title="New", priority="high", deadline="2026-12-31", estimated_hours=2, tags=["b"]
    )
    row = board.row(task)
    assert (row.title, row.description, row.priority, row.tags) == ("New", "Old", "high", ["b"])
    assert "title" in said.message
    assert said.task.version == row.version


def test_clear_empties_the_fields_that_it_names(board: Board) -> None:
    task = board.create(
        description="Old", tags=["a"], deadline="2026-12-31", estimated_hours=1, assignee="ada", parent=board.create()
    )
    board.update("lead", task, clear=["assignee", "parent", "deadline", "tags", "description", "estimated_hours"])
    row = board.row(task)
    assert not any((row.assignee_id, row.parent_id, row.deadline, row.tags, row.description, row.estimated_hours))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"clear": ["title"]},
        {"clear": ["tags"], "tags": ["a"]},
        {"action": "explode"},
        {"title": "x" * 501},
        {"drop_criteria": [1]},
    ],
)
def test_an_edit_that_says_nothing_or_nonsense_is_refused(board: Board, said: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        board.update("lead", board.create(), **said)


def test_an_unknown_action_is_refused_with_the_nearest(board: Board) -> None:
    with pytest.raises(Invalid, match="Did you mean `cancel`"):
        board.update("lead", board.create(), action="cancle")
