"""Prompts and instructions: short, true of the tools that there are, and enough to finish a plan by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from calls_named import Call, arguments_in, calls_in
from mcp.shared.exceptions import MCPError
from serving import LEGACY, MODERN, Desk, serving
from tokenizer import count

from swarm_mcp.model.agent import Profile
from swarm_mcp.server.instructions import INSTRUCTIONS
from swarm_mcp.server.prompts import PROMPTS, offered
from swarm_mcp.server.toolbox import every_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

LONGEST = 320
TOOLS = {tool["name"]: tool["inputSchema"]["properties"].keys() | {"agent"} for tool in every_tool()}
PROFILES = {tool["name"]: set(tool["profiles"]) for tool in every_tool()}
GIVEN = {"goal": "Build the billing service.", "agent": "backend_dev", "task": "k3x9m2qa", "since": "yesterday"}


def text_of(name: str) -> str:
    argument = PROMPTS[name].argument.name
    return PROMPTS[name].filled({argument: GIVEN[argument]})


@pytest.fixture(scope="module", params=[MODERN, LEGACY])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with serving(tmp_path_factory.mktemp("board") / "swarm.db", mode=request.param) as desk:
        yield desk


def prompt(desk: Desk, name: str, **arguments: str) -> str:
    """A prompt as a host gets it."""
    (message,) = desk.run("get_prompt", name=name, arguments=arguments).messages
    assert message.role == "user"
    return message.content.text


# --- what they say ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_costs_little(name: str) -> None:
    assert count(text_of(name)) < LONGEST


@pytest.mark.parametrize("text", [*map(text_of, PROMPTS), INSTRUCTIONS], ids=[*PROMPTS, "instructions"])
def test_every_tool_and_argument_that_is_named_exists(text: str) -> None:
    calls = calls_in(text)
    assert calls
    for call in calls:
        assert call.said.keys() <= TOOLS[call.tool], call
    assert arguments_in(text) <= set().union(*(TOOLS[call.tool] for call in calls))


@pytest.mark.parametrize("name", PROMPTS)
def test_a_profile_offers_the_prompts_of_which_it_has_every_tool(name: str) -> None:
    able = set.intersection(*(PROFILES[call.tool] for call in calls_in(text_of(name))))
    assert {profile.value for profile in PROMPTS[name].profiles} == able


def test_an_observers_prompt_writes_nothing() -> None:
    reads = {tool["name"] for tool in every_tool() if tool["annotations"]["readOnlyHint"]}
    (only,) = offered(Profile.OBSERVER)
    assert {call.tool for call in calls_in(text_of(only.name))} <= reads


# --- over the wire ---------------------------------------------------------------------------------------------------


def test_a_host_lists_the_prompts_and_what_they_want_to_know(desk: Desk) -> None:
    listed = {each.name: each for each in desk.run("list_prompts").prompts}
    assert list(listed) == ["direct", "work", "review", "standup", "hand_over"]
    assert {name: [(each.name, each.required) for each in found.arguments] for name, found in listed.items()} == {
        "direct": [("goal", True)], "work": [("agent", False)], "review": [("task", True)],
        "standup": [("since", False)], "hand_over": [("task", True)],
    }  # fmt: skip
    assert all(found.description and found.title and found.arguments[0].description for found in listed.values())


def test_arguments_stand_in_the_text_and_optional_ones_may_be_absent(desk: Desk) -> None:
    assert "others do it:\nBuild a bridge.\n" in prompt(desk, "direct", goal="Build a bridge.")
    assert prompt(desk, "work").startswith("You are a worker.\n")
    assert prompt(desk, "work", agent="ada").startswith("You are the worker ada: say agent=… in every call.\n")
    assert "begun since Monday, and" in prompt(desk, "standup", since="Monday")
    assert "failed or begun, and" in prompt(desk, "standup")
    assert r'get_task(task="k3\"x", ' in prompt(desk, "review", task='k3"x')


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("nothing", {}, "No prompt `nothing`; this profile has direct, work, review, standup, hand_over."),
        ("direct", {}, "The prompt `direct` needs `goal`: what is to be reached, in a few sentences."),
        ("direct", {"goal": " "}, "The prompt `direct` needs `goal`"),
        ("review", {"task": "k3x9m2qa", "verdict": "accept"}, "The prompt `review` takes `task`, not `verdict`."),
        ("direct", {"goal": "x" * 4001}, "`goal` has at most 4,000 characters; this one has 4,001."),
        ("direct", {"goal": "a\x00b"}, "prompt direct has a NUL character"),
    ],
)
def test_a_prompt_that_cannot_be_given_is_an_error_of_the_request(
    desk: Desk, name: str, arguments: dict[str, str], words: str
) -> None:
    with pytest.raises(MCPError) as caught:
        desk.run("get_prompt", name=name, arguments=arguments)
    assert caught.value.error.code == -32602
    assert caught.value.error.message.startswith(words)


@pytest.mark.parametrize("profile", Profile)
def test_a_profile_has_its_prompts_and_no_others(tmp_path: Path, profile: Profile) -> None:
    with serving(tmp_path / "swarm.db", "--profile", profile) as desk:
        names = [each.name for each in desk.run("list_prompts").prompts]
        assert names == [each.name for each in offered(profile)]
        for name in PROMPTS.keys() - set(names):
            with pytest.raises(MCPError, match="No prompt"):
                desk.run("get_prompt", name=name, arguments={})


# --- newcomers that know nothing but a prompt ------------------------------------------------------------------------


def nothing(call: Call) -> None:
    """Skip a call for which there is no reason."""


class Newcomer:
    """Makes the calls of a prompt in the order in which it names them, with what a reader would fill in.

    A step of the script is a function that takes the call as the prompt has it, and may skip it by returning None.
    """

    def __init__(self, desk: Desk, agent: str) -> None:
        self.desk = desk
        self.agent = agent
        self.made: list[str] = []

    def follow(self, text: str, steps: dict[str, Callable[[Call], dict[str, Any] | None]]) -> None:
        for call in calls_in(text):
            arguments = steps.get(call.tool, lambda call: call.said)(call)
            if arguments is None:
                continue
            named = {} if call.tool in {"get_overview", "list_tasks"} else {"agent": self.agent}
            answer = self.desk.call(call.tool, **{**arguments, **named})
            self.made.append(call.tool)
            self.heard(call.tool, answer.facts)

    def heard(self, tool: str, facts: dict[str, Any]) -> None:
        """Keep what later calls need."""


class Worker(Newcomer):
    """Follows `work` from top to bottom once: a task at a time, or a wait."""

    held = ""

    def heard(self, tool: str, facts: dict[str, Any]) -> None:
        if tool == "claim_task" and facts.get("task"):
            self.held = facts["task"]["id"]
        elif tool == "complete_task":
            self.held = ""

    def round(self) -> bool:
        """Whether a task was completed."""
        before = self.made.count("complete_task")
        self.follow(
            prompt(self.desk, "work", agent=self.agent),
            {
                "claim_task": lambda call: None if self.held else call.said,
                "check_inbox": lambda call: call.said if not (self.held or call.said) else None,
                "report_progress": lambda call: (
                    {**call.said, "task": self.held} if self.held and "status" not in call.said else None
                ),
                "share_context": lambda call: {**call.said, "task": self.held, "key": "port"} if self.held else None,
                "create_plan": nothing,
                "complete_task": lambda call: (
                    {**call.said, "task": self.held, "summary": "Done.", "measurements": {"failed": 0}}
                    if self.held
                    else None
                ),
            },
        )
        return self.made.count("complete_task") > before


class Director(Newcomer):
    """Follows `direct` from top to bottom; in the middle, the workers do theirs."""

    def __init__(self, desk: Desk, agent: str, worker: Worker) -> None:
        super().__init__(desk, agent)
        self.worker = worker
        self.ids: dict[str, str] = {}
        self.claimed = 0

    def heard(self, tool: str, facts: dict[str, Any]) -> None:
        if tool == "create_plan":
            self.ids = facts["ids"]
        elif tool == "delegate":
            while self.worker.round():
                pass

    def direct(self, goal: str) -> None:
        plan = [
            {"ref": "goal", "title": goal, "assignee": self.agent, "criteria": ["It runs"]},
            {"ref": "schema", "title": "Lay out the database", "parent": "goal", "checks": ["failed == 0"]},
            {"ref": "api", "title": "Build it", "parent": "goal", "depends_on": ["schema"], "criteria": ["Reviewed"],
             "needs_review": True},
        ]  # fmt: skip
        steps: dict[str, Callable[[Call], dict[str, Any] | None]] = {
            "create_plan": lambda call: {**call.said, "tasks": plan},
            "delegate": lambda call: {**call.said, "task": self.ids["schema"], "to": self.worker.agent},
            "send_message": nothing,
            "get_task": lambda call: {**call.said, "task": self.ids["api"]} if call.said else call.said,
            "review_task": lambda call: {**call.said, "task": self.ids["api"]},
            "claim_task": lambda call: {**call.said, "task": self.ids["goal"]},
            "complete_task": lambda call: {**call.said, "task": self.ids["goal"], "summary": "It runs."},
        }
        self.follow(prompt(self.desk, "direct", goal=goal), steps)


def test_newcomers_that_follow_their_prompts_finish_a_plan(tmp_path: Path) -> None:
    board = tmp_path / "swarm.db"
    with serving(board, "--profile", "director", name="lead") as chief, serving(board, "--profile", "worker") as other:
        worker = Worker(other, "ada")
        director = Director(chief, "lead", worker)
        director.direct("Build the billing service")
        assert chief.call("list_tasks", status=["completed"])["total"] == 3
        assert chief.call("get_overview")["completion_percentage"] == 100
    assert [tool for tool in director.made if tool != "get_task"] == [
        "get_overview", "list_tasks", "create_plan", "delegate", "check_inbox", "review_task", "get_overview",
        "claim_task", "complete_task",
    ]  # fmt: skip
    assert worker.made[:6] == [
        "get_task", "claim_task", "report_progress", "share_context", "complete_task", "check_inbox",
    ]  # fmt: skip


def test_a_newcomer_that_hands_over_leaves_what_the_next_one_needs(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db", name="lead") as desk:
        task = desk.call("create_task", title="Half done", agent="lead").task
        desk.call("claim_task", task=task, agent="ada")
        ada = Newcomer(desk, "ada")
        ada.follow(prompt(desk, "hand_over", task=task), {})
        assert ada.made == [call.tool for call in calls_in(text_of("hand_over"))]
        brief = desk.call("claim_task", task=task, agent="bob")["brief"]
        assert [each["key"] for each in brief["context"]] == ["state"]
        heard = [each for each in desk.call("check_inbox", agent="lead")["items"] if each["type"] == "message"]
        assert [(each["from"], each["task"]) for each in heard] == [("ada", task)]


def test_a_newcomer_that_reviews_accepts(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db", name="lead") as desk:
        task = desk.call("create_task", title="Look at it", needs_review=True, agent="lead").task
        desk.call("claim_task", task=task, agent="ada")
        desk.call("complete_task", task=task, summary="Looked.", agent="ada")
        Newcomer(desk, "lead").follow(prompt(desk, "review", task=task), {})
        assert desk.call("list_tasks")["tasks"][0]["status"] == "completed"


def test_a_newcomer_that_reports_changes_nothing(tmp_path: Path) -> None:
    board = tmp_path / "swarm.db"
    with serving(board, name="lead") as lead, serving(board, "--profile", "observer", name="eye") as desk:
        lead.call("create_task", title="Something")
        before = lead.read("swarm://events")
        Newcomer(desk, "eye").follow(prompt(desk, "standup"), {})
        assert lead.read("swarm://events") == before
