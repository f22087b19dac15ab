"""Taskmaster files: everything they say is read, what is doubtful is reported, what is broken is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from swarm_mcp.interchange.foreign.taskmaster import read
from swarm_mcp.model.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from swarm_mcp.interchange.foreign.document import PlanDocument, PlanItem

SMALL = Path(__file__).parent / "data" / "taskmaster-small.json"

REAL_SHAPE: dict[int, tuple[list[int], dict[int, list[int]]]] = {
    1: ([], {1: [], 2: [1], 3: [2], 4: [3]}),
    2: ([1], {1: [], 2: [1], 3: [1, 2]}),
    3: ([1, 2], {1: [], 2: [1], 3: [1, 2], 4: [3]}),
    4: ([1], {1: [], 2: [1], 3: [2], 4: [3]}),
    5: ([3, 4], {1: [], 2: [1], 3: [1, 2]}),
    6: ([4], {1: [], 2: [1], 3: [1]}),
    7: ([4], {1: [], 2: [1], 3: [2]}),
    8: ([3], {1: [], 2: [1], 3: [1, 2]}),
    9: ([5, 6, 7, 8], {1: [], 2: [1], 3: [1, 2], 4: [1, 2, 3]}),
    10: ([4], {1: [], 2: [1], 3: [2]}),
    11: ([2], {1: [], 2: [1], 3: [1, 2]}),
    12: ([9, 11], {1: [], 2: [1], 3: [1, 2]}),
    13: ([9], {1: [], 2: [1], 3: [1, 2], 4: [1, 3]}),
    14: ([2], {1: [], 2: [1], 3: [1, 2]}),
    15: ([9, 10, 12, 13], {1: [], 2: [1], 3: [1, 2]}),
    16: ([8, 10], {1: [], 2: [1], 3: [2], 4: [2], 5: [3], 6: []}),
    17: ([1, 2, 3, 4, 5, 6], {1: [], 2: [1], 3: [2], 4: [2]}),
    18: ([1, 3, 4], {4: [2], 5: [3, 4], 6: [2], 7: [5], 1: [], 2: [1], 3: [2]}),
}
"""The ids and dependencies of a plan that somebody worked by, subtask ids local to their task."""


@pytest.fixture
def small() -> dict[str, PlanItem]:
    return {item.ref: item for item in read(SMALL).items}


@pytest.fixture
def write(tmp_path: Path) -> Callable[[object], Path]:
    """Write a plan, or raw bytes, to a file."""

    def written(content: object) -> Path:
        path = tmp_path / "tasks.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return written


def refusal(path: Path) -> str:
    with pytest.raises(Invalid) as refused:
        read(path)
    assert str(path.parent) not in refused.value.message
    return refused.value.message


def test_items_come_in_the_order_of_the_file_with_parents_before_their_parts() -> None:
    document = read(SMALL)
    assert [item.ref.removeprefix("master/") for item in document.items] == [
        *["1", "1.1", "1.2", "1.3", "1.4", "2", "2.1", "2.2", "2.3", "3", "4", "5", "6", "7", "8", "9"],
        *["next year/1", "next year/2"],
    ]
    assert (document.format, document.name) == ("taskmaster", "taskmaster-small.json")


def test_a_plan_of_a_real_shape_is_read_with_every_edge(write: Callable[[object], Path]) -> None:
    tasks = [
        {
            "id": task,
            "title": f"Task {task}",
            "status": "done",
            "dependencies": waits,
            "subtasks": [
                {"id": part, "title": f"Part {part}", "status": "done", "dependencies": local}
                for part, local in parts.items()
            ],
        }
        for task, (waits, parts) in REAL_SHAPE.items()
    ]
    document = read(write({"tasks": tasks}))
    found = {item.ref: list(item.depends_on) for item in document.items}
    expected = {str(task): [str(each) for each in waits] for task, (waits, _) in REAL_SHAPE.items()} | {
        f"{task}.{part}": [f"{task}.{each}" for each in local]
        for task, (_, parts) in REAL_SHAPE.items()
        for part, local in parts.items()
    }
    assert found == expected
    tops = [item for item in document.items if not item.parent]
    parts = [item for item in document.items if item.parent]
    assert (len(tops), sum(len(item.depends_on) for item in tops)) == (18, 34)
    assert (len(parts), sum(len(item.depends_on) for item in parts)) == (67, 62)
    assert (document.dangling, document.guessed, document.skipped, document.renamed) == ((), (), (), ())


def test_both_texts_make_the_description_and_the_strategy_a_criterion(small: dict[str, PlanItem]) -> None:
    item = small["master/1"]
    assert item.title == "Keep orders in a file"
    assert item.description == "One line per order.\n\nAppend only.\nNever rewrite a line."
    assert [each.text for each in item.criteria] == ["Write 1,000 orders, read them back, compare."]
    assert small["master/2"].description == "Per kind and day."
    assert [each.text for each in small["master/6"].criteria] == ["He answered"]


def test_every_status_word_is_understood_and_kept(small: dict[str, PlanItem]) -> None:
    found = {ref.removeprefix("master/"): (each.source_status, each.status, each.hold) for ref, each in small.items()}
    assert {ref: found[ref] for ref in ["1", "1.2", "1.3", "1.4", "2", "3", "4", "5", "6", "7", "9"]} == {
        "1": ("done", "completed", ""),
        "1.2": ("completed", "completed", ""),
        "1.3": ("in-progress", "in_progress", ""),
        "1.4": ("review", "in_review", ""),
        "2": ("pending", "pending", ""),
        "3": ("blocked", "blocked", ""),  # it waits for 2.1
        "4": ("deferred", "blocked", "deferred"),
        "5": ("cancelled", "cancelled", ""),
        "6": ("blocked", "blocked", "blocked"),  # nothing else would keep it blocked
        "7": ("weighing", "pending", ""),
        "9": ("", "pending", ""),
    }


def test_priorities_complexities_and_tags_are_in_our_words(small: dict[str, PlanItem]) -> None:
    assert [small[f"master/{each}"].priority for each in (1, 2, 3, 5)] == [
        "high",
        "critical",
        "medium",
        "medium",
    ]
    assert [small[f"master/{each}"].complexity for each in (1, 2, 3, 4, 5)] == [
        "low",
        "very_high",
        "high",
        "",
        "",
    ]
    assert small["master/2"].tags == ("master", "counting", "daily")
    assert small["master/2"].assignee == "Ada"
    assert small["next year/2"].priority == "low"


@pytest.mark.parametrize(
    ("score", "level"),
    [
        *[
            (1, "low"),
            (3, "low"),
            (4, "medium"),
            (6, "medium"),
            (7, "high"),
            (8.5, "very_high"),
            (10, "very_high"),
        ],
        *[
            ("5", "medium"),
            ("tricky", ""),
            (0, ""),
            (11, ""),
            ("nan", ""),
            ("simple", "low"),
            ("Very High", "very_high"),
            (None, ""),
        ],
    ],
)
def test_complexity_scores_become_levels(write: Callable[[object], Path], score: object, level: str) -> None:
    task = {"id": 1, "title": "x", "status": "done", "complexityScore": score}
    assert read(write({"tasks": [task]})).items[0].complexity == level


def test_subtask_dependencies_are_local_and_dotted_ones_are_not(small: dict[str, PlanItem]) -> None:
    edges = {ref.removeprefix("master/"): each.depends_on for ref, each in small.items() if each.depends_on}
    assert edges == {
        "1.2": ("master/1.1",),
        "1.3": ("master/1.1", "master/1.2"),
        "1.4": ("master/1.3", "master/1.2"),
        "2": ("master/1",),
        "2.1": ("master/1.2",),
        "2.2": ("master/7",),
        "2.3": ("master/2.2",),
        "3": ("master/2.1", "master/2.2"),
        "4": ("master/3",),
        "8": ("master/9",),
        "9": ("master/8",),
        "next year/1": ("next year/2",),
    }


def test_what_is_doubtful_is_reported() -> None:
    document = read(SMALL)
    assert document.dangling == (
        ("master/2.1", "master/2.9"),
        ("master/3", "master/41"),
        ("master/3", "master/42.1"),
    )
    assert document.skipped == (
        "`version` holds no tasks and was left out.",
        "master/2: it names master/1 as a dependency more than once.",
        "master/2: it names master/1 as a dependency more than once.",
        "master/2: it depends on itself; that was left out.",
        "master/2.2: it depends on itself; that was left out.",
    )
    assert document.renamed == ("master/7: it has no title; it was called `Weigh the flour üéØ`.",)
    assert document.guessed == (
        "Characters that cannot be stored became \ufffd in 1 of its texts.",
        "master/1.3: its dependency `1` was taken as its sibling master/1.1, not as task master/1.",
        "master/2.2: its dependency `7` was taken as task master/7, for it has no such sibling.",
        "master/2.3: its dependency `2` was taken as its sibling master/2.2, not as task master/2.",
        "master/3: its dependency 2.2 is written as a number and was taken as master/2.2, not as 2.20.",
        "master/4: its complexity `11` is unknown and was left out.",
        "master/5: its priority `someday` is unknown and was taken as medium.",
        "master/7: `description` seems decoded with the wrong code page (`üéØ`); it was kept as it is.",
        "master/7: `details` is a list; its items were joined as lines.",
        "master/7: its status `weighing` is unknown and was taken as pending.",
        "master/9: it has no status and was taken as pending.",
        "next year/2: `title` seems decoded with the wrong code page (`ğŸš²`); it was kept as it is.",
        "Efforts without a unit were taken as hours.",
        "Complexity scores were read as low up to 3, medium up to 6, high up to 8, very_high above.",
        "master/6: it is blocked with nothing in its way; it was put on hold.",
    )


def test_times_and_efforts_are_read_and_what_is_finished_without_a_time_was_last_changed_then(
    write: Callable[[object], Path],
) -> None:
    day = "2025-06-10T10:00:00"
    tasks = [
        {"id": 1, "title": "A", "status": "done", "createdAt": day, "updatedAt": "2025-06-11T10:00:00Z", "effort": 2.5},
        {"id": 2, "title": "B", "status": "done", "completedAt": day, "updatedAt": "2025-07-01T10:00:00Z"},
        {"id": 3, "title": "C", "status": "pending", "updatedAt": "soon", "effort": "much", "actualEffort": 1},
    ]
    document = read(write({"tasks": tasks}), ZoneInfo("Europe/Berlin"))
    first, second, third = document.items
    morning = datetime(2025, 6, 10, 8, tzinfo=UTC)
    assert (first.created_at, first.completed_at) == (morning, datetime(2025, 6, 11, 10, tzinfo=UTC))
    assert (first.estimated_hours, second.completed_at, third.actual_hours) == (Decimal("2.5"), morning, 1)
    assert (third.updated_at, third.completed_at, third.estimated_hours) == (None, None, None)
    assert document.guessed == (
        "What is finished was taken as finished when it was last changed there (1).",
        "Efforts without a unit were taken as hours.",
        "2 times without an offset were taken as Europe/Berlin.",
    )
    assert document.skipped == (
        "3: its `updatedAt` is `soon`, which is no time; that was left out.",
        "3: its `effort` is `much`, which is no effort; that was left out.",
    )


def test_a_time_or_effort_of_an_odd_kind_is_left_out_and_refuses_no_plan(write: Callable[[object], Path]) -> None:
    odd = {"effort": {"low": 1}, "actualEffort": True, "createdAt": [1], "updatedAt": {}, "completedAt": False}
    tasks = [
        {"id": 1, "title": "A", "status": "done", **odd},
        {"id": 2, "title": "B", "status": "done", "completedAt": ["x"], "updatedAt": "2025-06-11", "effort": "M"},
        {"id": 3, "title": "C", "status": "pending", "effort": "2-4 days"},
    ]
    document = read(write({"tasks": tasks}), UTC)
    first, second, third = document.items
    assert (first.estimated_hours, first.actual_hours, first.created_at, first.updated_at) == (None,) * 4
    assert (first.completed_at, first.raw["updatedAt"]) == (None, {})
    assert (second.completed_at, second.estimated_hours) == (datetime(2025, 6, 11, tzinfo=UTC), 3)
    assert third.estimated_hours == 24
    odd_ones = [("1", key) for key in odd] + [("2", "completedAt")]
    assert document.skipped == tuple(
        f"{ref}: its `{key}` is neither a number nor a text; that was left out." for ref, key in odd_ones
    )
    assert document.guessed == (
        "What is finished was taken as finished when it was last changed there (1).",
        "Sizes were read as hours: XS 0.5, S 1, M 3, L 6, XL 12, XXL 24.",
        "Of efforts from one figure to another the middle was taken.",
        "1 time without an offset was taken as UTC.",
    )


def test_nothing_that_the_file_says_is_lost(small: dict[str, PlanItem]) -> None:
    assert small["master/2"].raw["effort"] == 4
    assert small["master/2"].raw["dependencies"] == [1, "1", 1.0, 2]
    assert "subtasks" not in small["master/1"].raw
    assert read(SMALL).raw == {
        "master": {"metadata": {"created": "2026-01-05T08:00:00Z", "description": "A bakery's order book"}},
        "next year": {},
        "version": "1.0",
    }


def test_a_single_list_has_no_prefix_in_either_shape(write: Callable[[object], Path]) -> None:
    tasks = [{"id": 1, "title": "x", "subtasks": [{"id": 1, "title": "y"}]}]
    for plan in (
        {"tasks": tasks, "projectName": "p"},
        {"master": {"tasks": tasks}},
        {"tasks": {"tasks": tasks}},
    ):
        assert [item.ref for item in read(write(plan)).items] == ["1", "1.1"]
    assert read(write({"tasks": tasks, "projectName": "p"})).raw == {"projectName": "p"}


def test_a_tag_beside_the_files_own_list_is_left_out_and_said(write: Callable[[object], Path]) -> None:
    document = read(write({"tasks": [], "later": {"tasks": [{"id": 1, "title": "x"}]}}))
    assert document.items == ()
    assert document.skipped == ("The tag `later` beside the file's own tasks was left out.",)


def test_a_task_and_its_parts_do_not_wait_for_each_other(write: Callable[[object], Path]) -> None:
    parts = [{"id": 1, "title": "y", "status": "done", "dependencies": ["5"]}]
    document = read(
        write({"tasks": [{"id": 5, "title": "x", "status": "done", "dependencies": ["5.1"], "subtasks": parts}]})
    )
    assert [item.depends_on for item in document.items] == [(), ()]
    assert document.skipped == (
        "5: it depends on 5.1, with which it forms one tree; that was left out.",
        "5.1: it depends on 5, with which it forms one tree; that was left out.",
    )


def test_a_large_number_in_a_subtask_is_a_task(write: Callable[[object], Path]) -> None:
    part = {"id": 1, "title": "y", "status": "done", "dependencies": [120]}
    tasks = [
        {"id": 7, "title": "x", "status": "done", "subtasks": [part]},
        {"id": 120, "title": "z", "status": "done"},
    ]
    document = read(write({"tasks": tasks}))
    assert document.items[1].depends_on == ("120",)
    assert document.guessed == ("7.1: its dependency `120` was taken as task 120, for it has no such sibling.",)


def test_subtasks_of_subtasks_are_read(write: Callable[[object], Path]) -> None:
    inner = {"id": 2, "title": "z", "status": "done", "dependencies": [1]}
    first = {"id": 1, "title": "w", "status": "done"}
    middle = {"id": 3, "title": "y", "status": "done", "subtasks": [first, inner]}
    items = read(write({"tasks": [{"id": 4, "title": "x", "status": "done", "subtasks": [middle]}]})).items
    assert [(item.ref, item.parent, item.depends_on) for item in items][2:] == [
        ("4.3.1", "4.3", ()),
        ("4.3.2", "4.3", ("4.3.1",)),
    ]


def test_an_overlong_title_is_cut_between_words_and_stands_whole_in_the_description(
    write: Callable[[object], Path],
) -> None:
    title = "word " * 200
    document = read(write({"tasks": [{"id": 1, "title": title, "description": "Short.", "status": "done"}]}))
    assert document.items[0].title == ("word " * 100).strip()
    assert document.items[0].description == f"{title.strip()}\n\nShort."
    assert document.renamed == ("1: its title of 999 characters was cut; the whole begins the description.",)


def test_texts_of_any_length_are_kept(write: Callable[[object], Path]) -> None:
    text = "x" * 1_000_000
    assert read(write({"tasks": [{"id": 1, "title": "t", "details": text}]})).items[0].description == text


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ([], "it should be an object such as"),
        ("x", "it should be an object such as"),
        ({}, "it holds no list of tasks such as"),
        ({"tasks": 3}, "it holds no list of tasks such as"),
        ({"master": {"tasks": {}}}, "tag `master`: `tasks` is not a list."),
        ({"tasks": [3]}, "task number 1: it is not an object."),
        ({"tasks": [{"title": "x"}]}, "task number 1: its `id` is missing."),
        ({"tasks": [{"id": True}]}, "task number 1: its `id` is neither a number nor a text."),
        ({"tasks": [{"id": [1]}]}, "task number 1: its `id` is neither a number nor a text."),
        ({"tasks": [{"id": " "}]}, "task number 1: its `id` has 0 characters; it should have 1 to 100."),
        (
            {"tasks": [{"id": "9" * 5_000}]},
            "task number 1: its `id` has 5,000 characters; it should have 1 to 100.",
        ),
        ({"tasks": [{"id": 3, "title": {}}]}, "task 3: `title` is not text."),
        ({"tasks": [{"id": 3, "title": True}]}, "task 3: `title` is not text."),
        ({"tasks": [{"id": 3, "details": [1]}]}, "task 3: `details` holds something that is not text."),
        ({"tasks": [{"id": 3, "dependencies": "1, 2"}]}, "task 3: `dependencies` is not a list."),
        (
            {"tasks": [{"id": 3, "dependencies": [{"id": 1}]}]},
            "task 3: an item of `dependencies` is neither a number nor a text.",
        ),
        ({"tasks": [{"id": 3, "dependencies": [None]}]}, "task 3: an item of `dependencies` is missing."),
        ({"tasks": [{"id": 3, "subtasks": {"id": 1}}]}, "task 3: `subtasks` is not a list."),
        (
            {"tasks": [{"id": 3, "subtasks": [{"id": 2, "dependencies": {}}]}]},
            "task 3, subtask 2: `dependencies` is not a list.",
        ),
        ({"tasks": [{"id": 3, "subtasks": ["x"]}]}, "task 3, subtask number 1: it is not an object."),
        (
            {"a": {"tasks": []}, "b": {"tasks": [{"id": 1, "tags": 7}]}},
            "tag `b`, task 1: `tags` is not a list.",
        ),
        (
            {"tasks": [{"id": 3}, {"id": "3"}, {"id": 4}]},
            "uses an id for several tasks: `3`. Give every task its own.",
        ),
        (
            {"tasks": [{"id": 3, "subtasks": [{"id": 1}, {"id": "3.1"}]}]},
            "uses an id for several tasks: `3.1`.",
        ),
        ({"tasks": [{"id": each % 7} for each in range(14)]}, "`0`, `1`, `2`, `3`, `4` and 2 more."),
    ],
)
def test_a_plan_of_the_wrong_shape_is_refused_with_the_place(
    write: Callable[[object], Path], plan: object, sentence: str
) -> None:
    message = refusal(write(plan))
    assert sentence in message
    assert message.startswith("`tasks.json`")


def test_subtasks_without_end_are_refused(write: Callable[[object], Path]) -> None:
    task: dict[str, object] = {"id": 1, "title": "x"}
    for _ in range(30):
        task = {"id": 1, "title": "x", "subtasks": [task]}
    assert "subtasks are nested too deeply" in refusal(write({"tasks": [task]}))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "`tasks.json` is empty."),
        (b"  \n ", "is not JSON: line 2, column 2 cannot be read."),
        (SMALL.read_bytes()[:900], "is not JSON: line 22, column 3 cannot be read."),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is not text in UTF-8: byte 1 belongs to no character."),
        ('{"tasks": "é"}'.encode("cp1252"), "is not text in UTF-8: byte 12 belongs to no character."),
        (b'{"tasks": [' + b"[" * 100_000, "nests lists or objects too deeply."),
        (b'{"tasks": [' + b"[" * 200 + b"]" * 200 + b"]}", "nests lists or objects too deeply."),
        (b'{"a":' * 100_000, "nests lists or objects too deeply."),
        (b'{"tasks": [{"id": NaN}]}', "holds NaN, which is not a number."),
        (b'{"tasks": [{"id": 1, "effort": -Infinity}]}', "holds -Infinity, which is not a number."),
        (b'{"tasks": [{"id": 1, "effort": 1e999}]}', "holds the number 1e999, which is too large."),
        (b'{"tasks": [{"id": ' + b"9" * 5_000 + b"}]}", "holds a number that is too long."),
        (b'{"tasks": [], "tasks": []}', "has the key `tasks` twice in one object; keep one of them."),
        (b'{"tasks": []} {"tasks": []}', "is not JSON: line 1, column 15 cannot be read."),
        (b'{"tasks": [{"id": 1, "title": "a\x00b"}]}', "is not JSON: line 1, column 33 cannot be read."),
    ],
)
def test_a_file_that_is_no_sound_json_is_refused(
    write: Callable[[object], Path], content: bytes, sentence: str
) -> None:
    assert sentence in refusal(write(content))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"`{tmp_path.name}` is a folder; name a file in it."
    with pytest.raises(NotFound, match=r"There is no file `no\.json`"):
        read(tmp_path / "no.json")


def newsletter() -> PlanDocument:
    with as_file(files("swarm_mcp.interchange") / "plans" / "newsletter.json") as path:
        return read(path)


def test_the_plan_that_the_demo_ships_needs_no_guesses() -> None:
    plan = newsletter()
    assert (plan.dangling, plan.guessed, plan.skipped, plan.renamed) == ((), (), (), ())
    assert {item.status for item in plan.items} == {"pending"}
    assert {item.priority for item in plan.items} == {"critical", "high", "medium", "low"}
    assert all(len(item.title) <= 60 and len(item.description) <= 300 for item in plan.items)
    assert all(item.criteria for item in plan.items if not item.parent)


def test_the_plan_that_the_demo_ships_has_the_shapes_worth_showing() -> None:
    items = {item.ref: item for item in newsletter().items}
    waits = {ref: set(item.depends_on) for ref, item in items.items()}
    tops = [ref for ref, item in items.items() if not item.parent]
    assert len(tops) == 12
    diamonds = [(low, high) for low in tops for high in tops if sum(low in waits[middle] for middle in waits[high]) > 1]
    assert diamonds
    assert any(item.parent and item.depends_on for item in items.values())
    assert any(waits[ref] and items[next(iter(waits[ref]))].parent != items[ref].parent for ref in items)
    order: list[str] = []
    while ready := [ref for ref in items if ref not in order and waits[ref] <= set(order)]:
        order += ready
    assert len(order) == len(items)


def test_a_complexity_report_is_found_where_taskmaster_puts_it(tmp_path: Path) -> None:
    folders = tmp_path / ".taskmaster" / "tasks", tmp_path / ".taskmaster" / "reports"
    for folder in folders:
        folder.mkdir(parents=True)
    plan, reports = folders[0] / "tasks.json", folders[1]
    tasks = [{"id": 1, "title": "One", "status": "done"}, {"id": 2, "title": "Two", "status": "done", "complexity": 2}]
    plan.write_text(json.dumps({"master": {"tasks": tasks}, "Next Year": {"tasks": tasks}, "no": {"tasks": tasks}}))
    said = [{"taskId": n, "complexityScore": 9, "recommendedSubtasks": 4, "reasoning": "Big."} for n in (1, 2, 3)]
    report = json.dumps({"meta": {"tasksAnalyzed": 3}, "complexityAnalysis": said})
    (reports / "task-complexity-report.json").write_text(report)
    (reports / "task-complexity-report_next-year.json").write_text(report.replace("9", "5"))
    (reports / "task-complexity-report_no.json").write_text("{")
    document = read(plan)
    items = {item.ref: item for item in document.items}
    assert {ref: item.complexity for ref, item in items.items()} == {
        "master/1": "very_high", "master/2": "low", "Next Year/1": "medium", "Next Year/2": "low", "no/1": "",
        "no/2": "low",
    }  # fmt: skip
    assert items["master/2"].raw["complexityAnalysis"] == said[1]
    (left_out,) = document.skipped
    assert left_out.startswith("The complexity report was left out. `task-complexity-report_no.json` is not JSON: line")
    alone = tmp_path / "tasks.json"
    alone.write_bytes(plan.read_bytes())
    assert {item.complexity for item in read(alone).items} == {"", "low"}


def test_every_status_of_taskmaster_has_a_meaning(write: Callable[[object], Path]) -> None:
    words = ["pending", "done", "in-progress", "review", "deferred", "cancelled", "blocked"]
    items = read(write({"tasks": [{"id": n, "title": word, "status": word} for n, word in enumerate(words)]})).items
    assert [(item.status, item.hold) for item in items] == [
        ("pending", ""), ("completed", ""), ("in_progress", ""), ("in_review", ""), ("blocked", "deferred"),
        ("cancelled", ""), ("blocked", "blocked"),
    ]  # fmt: skip
