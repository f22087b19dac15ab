"""Short calls run on the event loop; what is long, or has to wait for another writer, takes a thread meanwhile."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from recount import looking
from serving import serving

from swarm_mcp.model.agent import Profile
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.server.calls import Calls
from swarm_mcp.server.identity import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def written_by_somebody_else(path: Path) -> Iterator[None]:
    """Keep SQLite's own write lock, as a program that knows nothing of the gate would."""
    with looking(path) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


def test_while_a_write_waits_for_another_program_the_connection_goes_on(tmp_path: Path) -> None:
    board = tmp_path / "swarm.db"
    with serving(board) as desk:
        task = desk.call("create_task", title="One").task
        with written_by_somebody_else(board):
            waiting = desk.begin("create_task", title="Two")
            assert desk.call("get_task", task=task)["task"]["title"] == "One"
            assert not waiting.done()
        assert not waiting.result().refused
        assert desk.call("list_tasks")["total"] == 2


@pytest.fixture
def calls(database_path: Path) -> Iterator[Calls]:
    swarm = open_swarm(database_path)
    yield Calls(swarm, Profile.DIRECTOR)
    swarm.close()


def known(calls: Calls) -> Caller:
    caller = Caller("ada")
    calls.make_known(caller, "")
    return caller


def test_a_short_call_is_answered_at_once_and_a_refusal_is_an_answer(calls: Calls) -> None:
    caller = known(calls)
    written = calls.call_at_once("create_task", {"title": "One"}, caller, "")
    assert written is not None
    assert written["structuredContent"]["task"]["status"] == "pending"
    refused = calls.call_at_once("get_task", {"task": "nothing2"}, caller, "")
    assert refused is not None
    assert refused["isError"]


def test_nothing_is_written_at_once_while_somebody_else_writes(calls: Calls, database_path: Path) -> None:
    caller = known(calls)
    with written_by_somebody_else(database_path):
        assert calls.call_at_once("create_task", {"title": "One"}, caller, "") is None
        assert calls.call_at_once("list_tasks", {}, caller, "") is not None
    listed = calls.call_at_once("list_tasks", {}, caller, "")
    assert listed is not None
    assert listed["structuredContent"].get("total", 0) == 0


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ("get_overview", {}),
        ("create_plan", {"tasks": [{"title": "One"}]}),
        ("list_tasks", {"text": "auth"}),
        ("claim_task", {"under": "k3x9m2qa"}),
        ("get_task", {"include": ["tree"]}),
        ("list_agents", {}),
        ("delegate", {"task": "k3x9m2qa", "to": "auto"}),
        ("register_agent", {"name": "bob", "lifecycle": "terminated"}),
        ("update_task", {"task": "k3x9m2qa", "action": "cancel", "subtree": True}),
    ],
)
def test_what_may_look_at_much_of_the_board_is_left_to_a_thread(
    calls: Calls, tool: str, said: dict[str, object]
) -> None:
    assert calls.call_at_once(tool, said, known(calls), "") is None


def test_the_first_call_of_a_connection_is_left_to_a_thread_since_it_registers(calls: Calls) -> None:
    assert calls.call_at_once("list_tasks", {}, Caller("ada"), "") is None
