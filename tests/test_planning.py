"""Planning: one task or a whole graph at once, every mistake named, nothing half made."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp import operations
from swarm_mcp.model.draft import PlanItem
from swarm_mcp.model.errors import Ambiguous, CycleRefused, IllegalMove, Invalid, NotAllowed, Refusal, TaskNotFound
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


# --- more about words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", ["0.1", "2.25", "0.000001", "1000000"])
def test_hours_are_exact_decimals(board: Board, hours: str) -> None:
    assert board.row(board.create(estimated_hours=float(hours))).estimated_hours == Decimal(hours)


@pytest.mark.parametrize("hours", [1_000_001, 0.0000001, float("nan"), float("inf")])
def test_hours_that_are_absurd_or_finer_than_six_places_are_refused(board: Board, hours: float) -> None:
    with pytest.raises(Invalid):
        board.create(estimated_hours=hours)


def test_a_priority_is_read_in_any_case_and_medium_where_none_is_said(board: Board) -> None:
    said = ["CRITICAL", " High ", "medium", "Low", ""]
    assert [board.row(board.create(priority=word)).priority for word in said] == [
        "critical", "high", "medium", "low", "medium",
    ]  # fmt: skip


def test_an_edge_is_answered_as_a_sentence(board: Board) -> None:
    first, second = board.create(), board.create()
    said = board.call("lead", operations.create_task, title="A", depends_on=[first, f"enables:{second}"])
    assert said.task is not None
    assert f"{said.task.id} waits for {first}" in said.message
    assert f"{second} enables {said.task.id}" in said.message


# --- more about graphs ------------------------------------------------------------------------------------------------


def test_what_a_parent_waits_for_comes_before_its_subtasks_and_those_before_the_parent(board: Board) -> None:
    made = board.plan(
        {"ref": "ship", "title": "Ship", "depends_on": ["design"]},
        {"ref": "build", "title": "Build", "parent": "ship"},
        {"ref": "design", "title": "Design"},
    )
    assert made.order == [[made.ids["design"]], [made.ids["build"]], [made.ids["ship"]]]
    assert made.ready == [made.ids["design"]]


def test_waves_are_about_the_plan_alone(board: Board) -> None:
    made = board.plan({"ref": "a", "title": "A", "depends_on": [board.create()]}, {"ref": "b", "title": "B"})
    assert sorted(made.order[0]) == sorted(made.ids.values())
    assert made.ready == [made.ids["b"]]


def test_a_ref_goes_before_a_task_of_that_name(board: Board) -> None:
    task = board.create()
    ids = board.plan({"ref": task, "title": "A"}, {"ref": "b", "title": "B", "depends_on": [task]}).ids
    assert waits_for(board, ids["b"]) == {ids[task]} != {task}


def test_a_cycle_through_what_is_there_is_shown_in_words_that_the_caller_knows(board: Board) -> None:
    top = board.create()
    last = board.create(depends_on=[top])
    for deed, name in (
        (
            lambda: board.plan({"title": "Fine"}, {"ref": "part", "title": "A", "depends_on": [last]}, parent=top),
            "part",
        ),
        (lambda: board.create(parent=top, depends_on=[last]), "this task"),
        (lambda: board.create(parent=top, depends_on=[top]), "this task"),
    ):
        with pytest.raises(CycleRefused, match=f"Nothing was created: .*{name} → {top} → ") as refusal:
            deed()
        assert set(re.findall(r"\b[a-z0-9]{8}\b", refusal.value.message)) <= {top, last}
    assert count(board) == 2


def test_an_item_below_a_finished_task_is_a_mistake_of_that_item(board: Board) -> None:
    done = board.task_in("completed")
    with pytest.raises(IllegalMove, match=r"item 2 \(`#2`\): .*reopen"):
        board.plan({"title": "Fine"}, {"title": "A", "parent": done})


def test_of_many_mistakes_all_are_counted_and_the_first_are_named(board: Board) -> None:
    with pytest.raises(Invalid, match=r"25 mistakes: .* and 5 more") as refusal:
        board.plan(*({"title": ""} for _ in range(25)))
    assert len(refusal.value.facts["mistakes"]) == 20


def test_the_answer_to_a_large_plan_is_cut_and_says_which_call_shows_the_rest(board: Board) -> None:
    made = board.plan(*({"title": f"Part {n}"} for n in range(300)))
    assert "Created 300 tasks: 300 ready now" in made.message
    assert "list_tasks(" in made.more
    assert len(made.structured()["ids"]) < 300


def test_a_new_name_that_is_said_twice_is_one_agent(board: Board) -> None:
    made = board.plan({"title": "A", "assignee": "zoe"}, {"title": "B", "assignee": " Zoe"})
    assert [board.assignee(task) for task in made.ids.values()] == ["zoe", "zoe"]
    assert len(made.warnings) == 1


def test_a_graph_that_a_worker_discovers_goes_beside_its_work_as_a_whole_and_to_nobody(board: Board) -> None:
    parent = board.create()
    task = board.create(parent=parent)
    board.claim("ada", task)
    made = board.plan(
        {"ref": "a", "title": "A"}, {"ref": "b", "title": "B", "parent": "a", "assignee": "ada"}, by="ada"
    )
    assert [board.row(each).parent_id for each in made.ids.values()] == [parent, made.ids["a"]]
    assert [board.assignee(each) for each in made.ids.values()] == ["", ""]
    assert (board.holder(task), board.delegations(made.ids["b"])) == ("ada", [])
    assert "assigned to nobody" in made.warnings[0]
