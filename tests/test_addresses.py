"""Which documents a change touches: those that show something of it, and not those that have nothing to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import postgres
import pytest

from swarm_mcp import operations
from swarm_mcp.interchange import addresses
from swarm_mcp.operations import moves
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import events
from swarm_mcp.server.resources import TEMPLATES
from swarm_mcp.server.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from board import Board


class Watch:
    """A tail on a board, and what it finds."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._tail = Tail(board.swarm)
        self._tail.begin()

    def after(self, change: Callable[[], object], *watched: str) -> set[str]:
        """What of these a change touches, by the short names of addresses."""
        self._tail.news(())
        change()
        return {
            each.removeprefix("swarm://") for each in self._tail.news([f"swarm://{each}" for each in watched]).touched
        }


@pytest.fixture
def watch(board: Board) -> Watch:
    return Watch(board)


def test_a_brief_is_touched_by_what_is_shared_above_it_and_not_beside_it(watch: Watch) -> None:
    board = watch.board
    house = board.create()
    room, garden = board.create(parent=house), board.create()
    inner = board.create(parent=room)

    def share(task: str) -> Callable[[], object]:
        return lambda: board.call("lead", operations.share_context, key="k", value=task, task=task)

    briefs = [f"tasks/{each}" for each in (house, room, inner, garden)]
    assert watch.after(share(house), *briefs) == {f"tasks/{each}" for each in (house, room, inner)}
    assert watch.after(share(garden), *briefs) == {f"tasks/{garden}"}
    assert watch.after(share(""), *briefs) == set(briefs)
    assert watch.after(share(room), f"tasks/{room}/context", f"tasks/{house}/context") == {f"tasks/{room}/context"}


def test_a_brief_is_touched_by_what_it_waits_for_and_what_those_above_it_wait_for(watch: Watch) -> None:
    board = watch.board
    first, other = board.create(), board.create()
    house = board.create(depends_on=[first])
    room = board.create(parent=house)
    briefs = [f"tasks/{each}" for each in (first, other, house, room)]
    assert watch.after(lambda: board.finish("ada", first), *briefs) == {
        f"tasks/{each}" for each in (first, house, room)
    }
    assert watch.after(lambda: board.finish("ada", other), *briefs) == {f"tasks/{other}"}


def test_trees_and_graphs_are_touched_by_what_is_below_and_by_what_that_waits_for(watch: Watch) -> None:
    board = watch.board
    first, house = board.create(), board.create()
    room = board.create(parent=house, depends_on=[first])
    shown = [f"tasks/{each}/{part}" for each in (first, house, room) for part in ("tree", "graph")]

    def rename(task: str) -> Callable[[], object]:
        return lambda: board.call("lead", operations.update_task, task=task, title=f"New {task}")

    assert watch.after(rename(first), *shown) == set(shown)
    assert watch.after(rename(house), *shown) >= {f"tasks/{house}/tree", f"tasks/{house}/graph"}


def test_what_a_task_has_left_is_touched_too(watch: Watch) -> None:
    board = watch.board
    first, house = board.create(), board.create()
    room = board.create(parent=house, depends_on=[first])

    def edit(**said: object) -> Callable[[], object]:
        return lambda: board.call("lead", operations.update_task, task=room, **said)

    assert watch.after(edit(drop_depends_on=[first]), f"tasks/{first}/graph") == {f"tasks/{first}/graph"}
    assert watch.after(edit(clear=["parent"]), f"tasks/{house}/tree") == {f"tasks/{house}/tree"}


def test_an_agent_is_touched_by_what_becomes_of_its_tasks(watch: Watch) -> None:
    board = watch.board
    task = board.create(assignee="ada")
    both = ("agents/ada", "agents/bob")

    def call(agent: str, operation: Callable[..., object], **said: object) -> Callable[[], object]:
        return lambda: board.call(agent, operation, task=task, **said)

    assert watch.after(call("ada", operations.claim_task), *both) == {"agents/ada"}
    assert watch.after(call("ada", operations.report_progress, message="Half", percent=50), *both) == {"agents/ada"}
    assert watch.after(call("lead", operations.update_task, action="recall"), *both) == {"agents/ada"}
    task = board.create(assignee="ada")
    assert watch.after(call("lead", operations.delegate, to="bob"), *both) == set(both)


def test_the_list_of_resources_is_changed_by_what_is_offered_and_by_nothing_else(watch: Watch) -> None:
    board = watch.board
    tail = Tail(board.swarm)
    tail.begin()

    def changes(change: Callable[[], object]) -> bool:
        change()
        return tail.news(()).is_list_changed

    task = board.create()
    assert tail.news(()).is_list_changed
    assert not changes(lambda: board.call("ada", operations.claim_task, task=task))
    assert not changes(lambda: board.call("ada", operations.report_progress, task=task, message="Half"))
    assert changes(lambda: board.call("lead", operations.update_task, task=task, title="Another"))
    assert changes(lambda: board.call("ada", operations.complete_task, task=task, summary="Done."))
    assert not changes(lambda: board.call("ada", operations.share_context, key="k", value="v"))


def test_there_is_an_address_for_every_document_that_can_be_read(board: Board) -> None:
    task = board.create(assignee="ada")
    board.call("ada", operations.claim_task, task=task)
    board.call("ada", operations.share_context, task=task, key="k", value="v")
    with board.swarm.reading() as db:
        touched = {each for event in events.task_events(db, task) for each in addresses.of_event(event)}
    told = {each.replace(task, "{task_id}") for each in touched} | {"swarm://agents/{name}"}
    private = {"swarm://agents/{name}/inbox", "swarm://conversations/{id}", "swarm://tasks/{task_id}/notes"}
    known = {template.partition("{?")[0] for template, *_ in TEMPLATES} | {"swarm://overview"}
    assert known == told | private


def test_an_older_transaction_that_is_still_open_holds_back_nobodys_news() -> None:
    with postgres.new_database() as address:
        swarm = open_swarm(address)
        tail, watched = Tail(swarm), ["swarm://events"]
        tail.begin()
        with swarm.writing() as slow:
            moves.record(slow, "policy_changed", None, {"by": "the slow one"})
            with swarm.writing() as fast:
                moves.record(fast, "policy_changed", None, {"by": "the fast one"})
            assert tail.news(watched).touched
            assert not tail.news(watched).touched
        assert tail.news(watched).touched
        assert not tail.news(watched).touched
        swarm.close()
