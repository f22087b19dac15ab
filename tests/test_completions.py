"""Completions: what may stand in an argument of a prompt or in an address, from the first letter on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference
from serving import LEGACY, MODERN, Desk, serving
from sqlalchemy import insert

from swarm_mcp import operations
from swarm_mcp.model import ids
from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import tables
from swarm_mcp.server.resources import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

MANY = 250
TASK = "swarm://tasks/{task_id}"
LIST = "swarm://tasks{?status,assignee,ready,limit,cursor}"


@pytest.fixture(scope="module", params=[MODERN, LEGACY])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """On the board: 250 open chores, two tasks about the API, one of them completed, three agents and a team."""
    board = tmp_path_factory.mktemp("board") / "swarm.db"
    swarm = open_swarm(board)
    with swarm.writing(agent="lead") as db:
        operations.create_plan(db, tasks=[{"title": f"Chore {n}"} for n in range(MANY)])  # type: ignore[list-item]
        operations.create_task(db, title="Draw the API", assignee="ada")
        operations.create_task(db, title="Build the Größen-API", priority="high", assignee="albert")
        operations.share_context(db, key="secret API key", value="swordfish")
        operations.send_message(db, text="the API key is swordfish", to="ada")
        team = {"id": ids.new_uuid(), "project": "default", "name": "analysis", "created_at": db.now}
        db.execute(insert(tables.team), {**team, "updated_at": db.now})
    with swarm.writing(agent="ada") as db:
        drawn = operations.list_tasks(db, assignee="ada").tasks[0].id
        operations.claim_task(db, task=drawn)
        operations.complete_task(db, task=drawn, summary="Drawn.")
    swarm.close()
    with serving(board, mode=request.param) as desk:
        yield desk


def complete(desk: Desk, ref: PromptReference | ResourceTemplateReference, name: str, value: str = "") -> list[str]:
    return desk.run("complete", ref=ref, argument={"name": name, "value": value}).completion.values


def of_prompt(name: str) -> PromptReference:
    return PromptReference(name=name)


def of_address(template: str) -> ResourceTemplateReference:
    return ResourceTemplateReference(uri=template)


def id_of(desk: Desk, title: str) -> str:
    return next(each["id"] for each in desk.call("list_tasks", text=title)["tasks"] if title in each["title"])


def test_a_task_is_found_by_the_words_of_its_title_open_ones_first(desk: Desk) -> None:
    both = [id_of(desk, "Build the Größen-API"), id_of(desk, "Draw the API")]
    for ref, name in ((of_prompt("review"), "task"), (of_address(TASK), "task_id")):
        assert complete(desk, ref, name, "api") == both
        assert complete(desk, ref, name, "the GRÖSSEN api") == both[:1]
        assert complete(desk, ref, name, "nothing like it") == []


def test_a_task_is_found_by_the_beginning_of_its_id(desk: Desk) -> None:
    task = id_of(desk, "Draw the API")
    for length in (2, 5, 8):  # two letters may be the beginning of a word in other titles too
        found = complete(desk, of_prompt("hand_over"), "task", task[:length])
        assert task in found
        assert length == 2 or all(each.startswith(task[:length]) for each in found)


def test_there_are_at_most_a_hundred_and_it_is_said_how_many_more(desk: Desk) -> None:
    answer = desk.run("complete", ref=of_prompt("review"), argument={"name": "task", "value": ""}).completion
    assert (len(answer.values), answer.total, answer.has_more) == (100, MANY + 2, True)
    answer = desk.run("complete", ref=of_prompt("review"), argument={"name": "task", "value": "api"}).completion
    assert (len(answer.values), answer.total, answer.has_more) == (2, 2, False)


def test_agents_teams_and_statuses_are_completed(desk: Desk) -> None:
    assert complete(desk, of_prompt("work"), "agent", "A") == ["ada", "albert", "lead"]
    assert complete(desk, of_address("swarm://agents/{name}"), "name", "be") == ["albert"]
    assert complete(desk, of_address(LIST), "assignee", "an") == ["analysis", "anyone"]
    assert complete(desk, of_address(LIST), "status") == list(TaskStatus)
    assert complete(desk, of_address(LIST), "status", "comp") == ["completed"]
    assert complete(desk, of_address(LIST), "status", "failed,comp") == ["failed,completed"]
    assert complete(desk, of_address(LIST), "ready", "t") == ["true"]


def test_free_text_and_numbers_are_not_guessed(desk: Desk) -> None:
    assert complete(desk, of_prompt("direct"), "goal", "Build") == []
    assert complete(desk, of_address(LIST), "limit", "1") == []


def test_every_variable_of_every_address_can_be_asked_for(desk: Desk) -> None:
    for template, *_ in TEMPLATES:
        for name in template.replace("{?", "{").split("{")[1:]:
            for each in name.partition("}")[0].split(","):
                assert isinstance(complete(desk, of_address(template), each), list)


def test_nothing_but_public_names_is_offered(desk: Desk) -> None:
    for ref, name in ((of_prompt("review"), "task"), (of_address(LIST), "assignee"), (of_prompt("work"), "agent")):
        assert complete(desk, ref, name, "swordfish") == []
        assert complete(desk, ref, name, "secret") == []


@pytest.mark.parametrize(
    ("ref", "name", "words"),
    [
        (of_prompt("nothing"), "task", "No prompt `nothing`"),
        (of_prompt("review"), "verdict", "`verdict` is no argument there; it takes task."),
        (of_address("swarm://nothing/{x}"), "x", "No template `swarm://nothing/{x}`"),
        (of_address(TASK), "name", "`name` is no argument there; it takes task_id."),
    ],
)
def test_what_cannot_be_completed_is_an_error_of_the_request(
    desk: Desk, ref: PromptReference | ResourceTemplateReference, name: str, words: str
) -> None:
    with pytest.raises(MCPError) as caught:
        complete(desk, ref, name)
    assert caught.value.error.code == -32602
    assert caught.value.error.message.startswith(words)
