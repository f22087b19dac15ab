"""Arguments as models really send them: what is understood, and the sentence for what is not."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from serving import Desk, serving, wired

from swarm_mcp.interchange.arguments import read_arguments
from swarm_mcp.model.errors import Invalid
from swarm_mcp.server.calls import OPERATIONS, model_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

A, B = {"ref": "a", "title": "A"}, {"ref": "b", "title": "B"}


pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with serving(tmp_path_factory.mktemp("board") / "swarm.db") as desk:
        yield desk


def refusal(tool: str, arguments: dict[str, Any] | None) -> str:
    """The sentence for arguments that cannot be understood."""
    with pytest.raises(Invalid) as caught:
        read_arguments(model_of(tool), arguments)
    return caught.value.message


def read(tool: str, /, **arguments: Any) -> dict[str, Any]:
    return read_arguments(model_of(tool), arguments)


# What is not understood


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("create_task", {"titel": "T"},
         "create_task needs `title`. create_task has no argument `titel`; did you mean `title`?"),
        ("claim_task", {"id": "x"},
         "claim_task has no argument `id`; it takes task, pool, under, lease_minutes, agent."),
        (
            "create_plan",
            {"tasks": [A, B, {"title": "C", "dependency": "a"}]},
            "item 3 has no argument `dependency`; did you mean `depends_on`?",
        ),
        ("create_plan", {"tasks": [{"title": "A", "pariority": "high"}]},
         "item 1 has no argument `pariority`; did you mean `priority`?"),
        ("create_plan", {"tasks": [{"ref": "a"}]}, "item 1 needs `title`."),
        ("update_task", {"task": "x", "waits_for": ["y"]},
         "update_task has no argument `waits_for`; did you mean `add_depends_on` or `drop_depends_on`?"),
    ],
)  # fmt: skip
def test_a_misspelt_argument_is_refused_by_name(tool: str, arguments: dict[str, Any], sentence: str) -> None:
    assert refusal(tool, arguments) == sentence


@pytest.mark.parametrize("tool", OPERATIONS)
def test_no_tool_ignores_what_it_does_not_know(desk: Desk, tool: str) -> None:
    refused = desk.refusal(tool, surprise=1)
    assert f"{tool} has no argument `surprise`; " in refused.text
    assert refused["code"] == "invalid"


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("create_task", {"title": "T", "estimated_hours": "long"},
         "create_task: `estimated_hours` must be a number, not `long`."),
        ("create_task", {"title": {"text": "T"}}, 'create_task: `title` must be text, not `{"text": "T"}`.'),
        ("create_task", {"title": "T", "needs_review": "perhaps"},
         "create_task: `needs_review` must be true or false, not `perhaps`."),
        ("create_task", {"title": "T", "tags": {"a": 1}}, 'create_task: `tags` (at 1) must be text, not `{"a": 1}`.'),
        ("create_task", {"title": "T", "tags": ["a", {}]}, "create_task: `tags` (at 2) must be text, not `{}`."),
        ("report_progress", {"task": "x", "message": "m", "percent": 12.5},
         "report_progress: `percent` must be a whole number, not `12.5`."),
        ("report_progress", {"task": "x", "message": "m", "percent": "half"},
         "report_progress: `percent` must be a whole number, not `half`."),
        ("complete_task", {"task": "x", "summary": "s", "measurements": [1]},
         "complete_task: `measurements` must be a map, not `[1]`."),
        ("complete_task", {"task": "x", "summary": "s", "evidence": {"1": ["a"]}},
         'complete_task: `evidence` (at 1) must be text, not `["a"]`.'),
        ("update_task", {"task": "x", "version": 10**30},
         f"update_task: `version` must be a smaller number, not `{10**30}`."),
        ("create_plan", {"tasks": 5}, "item 1 must be an object, not `5`."),
        ("create_plan", {"tasks": [A | {"depends_on": [{"ref": "b"}]}]},
         'item 1: `depends_on` (at 1) must be text, not `{"ref": "b"}`.'),
        ("create_plan", {"tasks": [A, B | {"criteria": 5.5, "title": []}]}, "item 2: `title` must be text, not `[]`."),
    ],
)  # fmt: skip
def test_a_wrong_type_is_one_short_sentence(tool: str, arguments: dict[str, Any], sentence: str) -> None:
    assert refusal(tool, arguments) == sentence


def test_many_mistakes_are_told_at_once_but_not_all() -> None:
    words = refusal("create_plan", {"tasks": [{"title": "T", "colour": n} for n in range(9)]})
    assert words.count("has no argument `colour`") == 5
    assert words.endswith("And 4 more.")


def test_what_is_quoted_is_cut(desk: Desk) -> None:
    huge = "x" * 1_000_000
    for arguments in (
        {"title": "T", huge: 1},
        {"title": "T", "estimated_hours": huge},
        {"title": huge},
        {"title": "T", "priority": huge},
    ):
        assert len(desk.refusal("create_task", **arguments).text) < 500
    for arguments in (
        {"task": huge},
        {"task": "abcd", "agent": huge},
        {"include": huge},
        {"cursor": huge, "task": "abcd"},
    ):
        assert len(json.dumps(desk.refusal("get_task", **arguments).facts)) < 1000


@pytest.mark.parametrize(
    "arguments",
    [
        {"title": "A\0B"}, {"title": "T", "tags": ["a", "b\0"]}, {"title": "T", "A\0": 1}, {"title": "\ud800"},
        {"title": "T", "description": "half of it: \udc00"}, {"title": "T", "\ud800": 1},
    ],
)  # fmt: skip
def test_nul_characters_and_lone_surrogates_are_refused(arguments: dict[str, Any]) -> None:
    words = refusal("create_task", arguments)
    assert re.search(r"has a NUL character or half a surrogate pair; leave it out\.$", words)
    words.encode()


def test_they_are_found_at_every_depth(desk: Desk) -> None:
    for tool, arguments in [
        ("create_plan", {"tasks": [A, {"title": "B", "criteria": ["done\0"]}]}),
        ("create_plan", {"tasks": '[{"title": "A\\u0000"}]'}),
        ("share_context", {"key": "k", "value": {"deep": [{"a\0": 1}]}}),
        ("complete_task", {"task": "x", "summary": "s", "outputs": {"a": ["\0"]}}),
        ("list_tasks", {"text": "\0"}),
    ]:
        assert "has a NUL character" in desk.refusal(tool, **arguments).text


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 10**400])
def test_numbers_that_json_cannot_carry_are_refused(number: float) -> None:
    assert "has a number that JSON cannot carry" in refusal("share_context", {"key": "k", "value": {"deep": [number]}})


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(50_000):
        deep = [deep]
    assert refusal("share_context", {"key": "k", "value": deep}) == "The arguments are nested too deeply."


def test_nothing_is_written_when_an_argument_is_refused(desk: Desk) -> None:
    before = desk.call("list_tasks")["total"]
    desk.refusal("create_plan", tasks=[A, {"title": "B", "depnds_on": "a"}])
    desk.refusal("create_plan", tasks=[A, {"title": "B", "depends_on": "c"}])
    assert desk.call("list_tasks")["total"] == before


# What is understood


@pytest.mark.parametrize("word", ["waits_for", "blocked_by", "dependencies"])
def test_other_words_for_a_dependency_are_understood_everywhere(word: str) -> None:
    assert read("create_task", title="T", **{word: "a"})["depends_on"] == ["a"]
    assert read("create_plan", tasks=[A, B | {word: ["a"]}])["tasks"][1].depends_on == ["a"]
    assert read("report_progress", task="x", message="m", **{word: "a"})["depends_on"] == ["a"]
    assert read("delegate", task="x", to="ada", **{word: "a"})["depends_on"] == ["a"]


def test_two_words_for_a_dependency_add_up() -> None:
    assert read("create_task", title="T", depends_on=["a"], blocked_by="b", waits_for=["c"])["depends_on"] == [
        "a",
        "b",
        "c",
    ]


def test_null_is_absent_at_every_level() -> None:
    assert read("claim_task", task=None, pool=None, lease_minutes=None, agent=None) == read("claim_task")
    assert (
        read("complete_task", task="x", summary="s", evidence=None, artifacts=None, confidence=None)["confidence"] == -1
    )
    item = read("create_plan", tasks=[{"title": "A", "parent": None, "depends_on": None, "estimated_hours": None}])[
        "tasks"
    ][0]
    assert (item.parent, item.depends_on, item.estimated_hours) == ("", [], 0)
    assert read("create_task", title="T", tags=[None, "a", None])["tags"] == ["a"]
    assert refusal("add_note", {"task": None, "text": "t"}) == "add_note needs `task`."


def test_empty_text_is_an_absent_number_list_or_map() -> None:
    empty = dict.fromkeys(("percent", "attempt", "depends_on"), "")
    assert read("report_progress", task="x", message="m", **empty) == read("report_progress", task="x", message="m")
    assert read("complete_task", task="x", summary="s", evidence="", outputs="")["outputs"] == {}


def test_a_single_value_is_a_list_of_one() -> None:
    assert read("create_task", title="T", tags="a", criteria="b", depends_on="c")["tags"] == ["a"]
    assert [item.title for item in read("create_plan", tasks={"title": "A", "waits_for": None})["tasks"]] == ["A"]
    assert [item.title for item in read("create_plan", tasks="Just this")["tasks"]] == ["Just this"]
    assert [item.title for item in read("create_plan", tasks=["This", "that"])["tasks"]] == ["This", "that"]
    assert read("update_task", task="x", drop_criteria=2)["drop_criteria"] == [2]
    assert read("list_tasks", status="pending")["status"] == ["pending"]


def test_a_list_or_map_may_come_as_json_text() -> None:
    assert read("create_task", title="T", tags='["a", "b"]')["tags"] == ["a", "b"]
    assert read("create_task", title="T", tags='[\n  "a"\n]')["tags"] == ["a"]
    assert read("create_task", title="T", tags="[]")["tags"] == []
    assert read("complete_task", task="x", summary="s", measurements='{"p95_ms": 120}')["measurements"] == {
        "p95_ms": 120
    }
    plan = read("create_plan", tasks='[{"title": "A"}, {"title": "B", "blocked_by": 1, "tags": "[\\"a\\"]"}]')["tasks"]
    assert (plan[1].depends_on, plan[1].tags) == (["1"], ["a"])
    assert [item.title for item in read("create_plan", tasks='{"title": "A"}')["tasks"]] == ["A"]


def test_text_that_looks_like_json_stays_text(desk: Desk) -> None:
    for text in ('["a", "b"]', '{"a": 1}', "null", "true", "12", "[1] first, [2] second"):
        task = desk.call("create_task", title=text, description=text).task
        brief = desk.call("get_task", task=task)
        assert (brief["task"]["title"], brief["description"]) == (text, text)
        assert read("share_context", key="k", value=text)["value"] == text
    assert read("create_task", title="T", criteria="[WIP] is gone")["criteria"] == ["[WIP] is gone"]


def test_numbers_may_come_as_text_and_text_as_numbers() -> None:
    assert read("report_progress", task=12345678, message=7, percent="30") | {} == read(
        "report_progress", task="12345678", message="7", percent=30
    )
    item = read("create_plan", tasks=[{"ref": 2, "title": 2026, "depends_on": [1], "estimated_hours": "1.5"}])["tasks"][
        0
    ]
    assert (item.ref, item.title, item.depends_on, item.estimated_hours) == ("2", "2026", ["1"], 1.5)
    assert read("complete_task", task="x", summary="s", evidence={"1": 200})["evidence"] == {"1": "200"}


def test_a_huge_text_is_kept_whole(desk: Desk) -> None:
    text = "All work and no play. " * 100_000
    task = desk.call("create_task", title="Write it", description=text).task
    assert len(desk.call("get_task", task=task)["description"]) < 10_000
    assert f'description: get_task(task="{task}", max_tokens=8000)' in desk.call("get_task", task=task)["left_out"]
    assert desk.call("list_tasks", text="no play")["tasks"][0]["id"] == task


def test_arguments_may_be_null_or_missing(tmp_path: Path) -> None:
    with wired(tmp_path / "swarm.db") as wire:
        for params in ({"name": "get_overview", "arguments": None}, {"name": "get_overview"}):
            assert wire.request("tools/call", params)["result"]["isError"] is False
        assert (
            wire.call("add_note", None)["structuredContent"]["message"]
            == "add_note needs `task`. add_note needs `text`."
        )
        assert wire.request("tools/call", {"name": "get_overview", "arguments": []})["error"]["code"] == -32602


def test_half_a_surrogate_pair_on_the_wire_is_answered_with_a_refusal(tmp_path: Path) -> None:
    with wired(tmp_path / "swarm.db") as wire:
        answer = wire.call("create_task", {"title": "half of it: \ud83d"})
    assert "half a surrogate pair" in answer["structuredContent"]["message"]
