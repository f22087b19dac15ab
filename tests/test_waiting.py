"""Waiting at the inbox: woken by other processes, at no cost while nothing happens, and gone without a trace."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from facts import unsaid
from serving import LEGACY, MODERN, Answer, Desk, Wire, serving, wired

from swarm_mcp import operations
from swarm_mcp.model.errors import Invalid
from swarm_mcp.operations import claiming, waiting
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository.sqlite import driver
from swarm_mcp.server.notices import Notices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from board import Board

    from swarm_mcp.operations.waiting import Look

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

# Nothing here waits for the clock: what would have to is answered long before the server's 45 seconds are over, and
# GIVE_UP_SECONDS of a desk, or the timer of a wire, fails a test in which it is not.


class Bystander:
    """A call that waits, and what the server says while it does."""

    def __init__(self, desk: Desk, agent: str) -> None:
        self._began = threading.Event()
        self.progress: list[tuple[float, float | None, str | None]] = []
        self.answer: Future[Answer] = desk.begin("check_inbox", progress=self._hear, wait_seconds=45, agent=agent)
        assert self._began.wait(30), "the server does not say that it waits"

    async def _hear(self, progress: float, total: float | None, message: str | None) -> None:
        self.progress.append((progress, total, message))
        self._began.set()


@contextmanager
def two_desks(board: Path, mode: str) -> Iterator[tuple[Desk, Desk]]:
    """Two server processes on one board: `lead`, its root director, and `ada`, a worker."""
    with serving(board, name="lead") as lead:
        lead.call("share_context", key="language", value="Python")
        with serving(board, name="ada", mode=mode) as ada:
            ada.call("check_inbox")
            yield lead, ada


@pytest.fixture(scope="module", params=[MODERN, LEGACY])
def desks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Desk]]:
    with two_desks(tmp_path_factory.mktemp("board") / "swarm.db", request.param) as both:
        yield both


# --- what wakes ------------------------------------------------------------------------------------------------------


def test_a_message_from_another_process_wakes_whoever_waits(desks: tuple[Desk, Desk]) -> None:
    lead, ada = desks
    waiter = Bystander(ada, "ada")
    lead.call("send_message", to="ada", text="Lunch!")
    answer = waiter.answer.result()
    assert [(item["from"], item["text"]) for item in answer["items"]] == [("lead", "Lunch!")]
    assert waiter.progress[0][:2] == (0, 45)


def test_a_task_that_becomes_ready_wakes_a_worker_who_is_told_how_many_there_are(desks: tuple[Desk, Desk]) -> None:
    lead, ada = desks
    ada.call("check_inbox", agent="ada")
    waiter = Bystander(ada, "ada")
    task = lead.call("create_task", title="Wake up").task
    answer = waiter.answer.result()
    assert (answer["ready"], answer.facts.get("items", [])) == (1, [])
    assert answer.text == "No news, but 1 task is ready for you: claim_task() takes one. 1 task is open."
    assert not unsaid(answer)
    lead.call("update_task", task=task, action="cancel")


def test_a_change_that_concerns_others_wakes_nobody(desks: tuple[Desk, Desk]) -> None:
    lead, ada = desks
    ada.call("check_inbox", agent="ada")
    waiter = Bystander(ada, "ada")
    lead.call("share_context", key="language", value="Rust")
    lead.call("send_message", to="operator", text="All is well.")
    # The one change that concerns ada comes last, and its answer tells of nothing else.
    lead.call("send_message", to="ada", text="Now.")
    assert [item["text"] for item in waiter.answer.result()["items"]] == ["Now."]


def test_other_calls_of_the_connection_go_on_meanwhile_and_may_bring_the_news(desks: tuple[Desk, Desk]) -> None:
    _, ada = desks
    ada.call("check_inbox", agent="ada")
    waiter = Bystander(ada, "ada")
    assert ada.call("get_task", agent="ada").text.startswith("ada holds nothing.")
    ada.call("send_message", to="ada", text="From next door.", agent="neighbour")
    assert [item["from"] for item in waiter.answer.result()["items"]] == ["neighbour"]


def test_whoever_waits_without_a_name_is_still_meant_when_another_acts_meanwhile(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db", "--profile", "worker", "--agent", "ada") as desk:
        waiter = Bystander(desk, "")
        desk.call("send_message", to="ada", text="I am new here.", agent="bob")
        assert [item["from"] for item in waiter.answer.result()["items"]] == ["bob"]
        assert desk.refusal("check_inbox", wait_seconds=45)["code"] == "ambiguous"


def test_what_is_unread_already_is_answered_at_once(desks: tuple[Desk, Desk]) -> None:
    lead, ada = desks
    lead.call("send_message", to="ada", text="Early.")
    answer = ada.call("check_inbox", wait_seconds=45, agent="ada")
    assert [item["text"] for item in answer["items"]] == ["Early."]


def test_the_time_is_up_without_news(desks: tuple[Desk, Desk]) -> None:
    lead, ada = desks
    ada.call("check_inbox", agent="ada")
    task = lead.call("create_task", title="Not for ada", assignee="lead").task
    answer = ada.call("check_inbox", wait_seconds=1, agent="ada")
    assert answer.text == "Nothing new. 1 task is open."
    assert not unsaid(answer)
    assert {name: answer[name] for name in ("ready", "open")} == {"ready": 0, "open": 1}
    lead.call("update_task", task=task, action="cancel")
    assert ada.call("check_inbox", wait_seconds=1, agent="ada").text == "Nothing new. All is finished."


@pytest.mark.parametrize("seconds", [46, -1, 10**20, "soon"])
def test_who_wants_to_wait_too_long_is_refused(desks: tuple[Desk, Desk], seconds: object) -> None:
    refused = desks[1].refusal("check_inbox", wait_seconds=seconds, agent="ada")
    assert refused["code"] == "invalid"


def test_a_script_is_answered_at_once(board: Board) -> None:
    board.create(assignee="ada")
    inbox = board.call("bob", operations.check_inbox, wait_seconds=45)
    assert (inbox.items, inbox.ready, inbox.open) == ([], 0, 1)
    with pytest.raises(Invalid, match="wait_seconds is 0 to 45; got 46"):
        board.call("bob", operations.check_inbox, wait_seconds=46)


# --- whoever goes away -----------------------------------------------------------------------------------------------


def test_a_cancelled_wait_leaves_nothing_and_takes_no_message(tmp_path: Path) -> None:
    with wired(tmp_path / "swarm.db", "--profile", "worker") as wire:
        asked = wait(wire, "ada")
        cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": asked}}
        wire.write(json.dumps(cancelled).encode())
        other = wait(wire, "bob")
        assert wire.call("send_message", {"text": "Hello.", "to": "ada", "agent": "bob"})["isError"] is False
        wire.send("tools/call", {"name": "send_message", "arguments": {"text": "Up!", "to": "bob", "agent": "eve"}})
        heard = [wire.hear(), wire.hear()]
        assert other in {each["id"] for each in heard}  # by then whoever still waited has been woken too
        inbox = wire.call("check_inbox", {"agent": "ada"})["structuredContent"]
        assert [each["text"] for each in inbox["items"]] == ["Hello."]


def test_a_client_that_stops_waiting_loses_nothing(desks: tuple[Desk, Desk]) -> None:
    lead, ada = desks
    ada.call("check_inbox", agent="ada")
    assert Bystander(ada, "ada").answer.cancel()
    lead.call("send_message", to="ada", text="Still there?")
    # The answer may have been on its way when the client gave up: what it did not see it asks for again.
    assert [item["text"] for item in ada.call("check_inbox", agent="ada", reread=True)["items"]] == ["Still there?"]


@pytest.mark.parametrize("transport", ["", "stock"])
def test_a_closed_stdin_ends_a_server_in_which_somebody_waits(tmp_path: Path, transport: str) -> None:
    with wired(tmp_path / "swarm.db", "--profile", "worker", SWARM_STDIO=transport) as wire:
        asked = wait(wire, "ada")
        last = [json.loads(line) for line in wire.rest().splitlines()]
        assert [each["id"] for each in last if "error" in each] == [asked]
        assert wire.process.wait() == 0
        assert "Traceback" not in wire.log.read_text()


def test_a_signal_ends_a_server_in_which_somebody_waits(tmp_path: Path) -> None:
    with wired(tmp_path / "swarm.db", "--profile", "worker") as wire:
        wait(wire, "ada")
        wire.process.send_signal(signal.SIGTERM)
        assert wire.process.wait() == 0


def wait(wire: Wire, agent: str) -> int:
    """Send a call that waits, and return its number when the server says that it does."""
    arguments = {"wait_seconds": 45, "agent": agent}
    asked = wire.send("tools/call", {"name": "check_inbox", "arguments": arguments}, progressToken="inbox")
    heard = wire.hear()
    assert heard["method"] == "notifications/progress"
    assert heard["params"] == {
        "progressToken": "inbox", "progress": 0, "total": 45, "message": "Waiting for news.",
    }  # fmt: skip
    return asked


# --- what it costs ---------------------------------------------------------------------------------------------------


class Tally:
    """Stands in for `Changes`: counts the questions, and says yes when told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.has_changed = False

    def happened(self) -> bool:
        self.asked += 1
        changed, self.has_changed = self.has_changed, False
        return changed

    def descriptor(self) -> None:
        """Nobody hints."""

    def rest(self) -> None:
        """Nothing to let go of."""


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - nothing tells that somebody has asked
        await asyncio.sleep(0)


async def test_nobody_asks_the_database_while_nobody_waits() -> None:
    changes = Tally()
    notices = Notices(changes, seconds=0)  # type: ignore[arg-type]
    with notices.listening(), notices.listening():
        assert notices.listeners == 2
        await until(lambda: changes.asked > 10)
    assert notices.listeners == 0
    asked = changes.asked
    for _ in range(100):
        await asyncio.sleep(0)
    assert changes.asked == asked


async def test_only_a_change_is_heard_and_by_all_who_listen() -> None:
    changes = Tally()
    notices = Notices(changes, seconds=0)  # type: ignore[arg-type]
    with notices.listening() as one, notices.listening() as other:
        await until(lambda: changes.asked > 10)
        assert not one.is_set()
        changes.has_changed = True
        await one.wait()
        assert other.is_set()


def test_a_change_is_noticed_whoever_made_it_and_only_once(board: Board) -> None:
    changes = board.swarm.database.changes
    changes.open()
    assert changes.happened()
    assert not changes.happened()
    board.create()
    assert changes.happened()
    elsewhere = open_swarm(board.place)
    with elsewhere.writing(agent="lead") as db:
        operations.create_task(db, title="Elsewhere")
    assert changes.happened()
    assert not changes.happened()
    elsewhere.close()
    changes.close()  # the board is used again by other tests, and nobody would read what comes


@pytest.mark.sqlite
def test_asking_reads_no_table_and_holds_no_transaction_open(board: Board) -> None:
    changes = board.swarm.database.changes
    changes.open()
    assert changes._raw is not None
    said: list[str] = []
    changes._raw.set_trace_callback(said.append)
    for _ in range(5):
        changes.happened()
    assert said == ["PRAGMA data_version"] * 5
    assert not changes._raw.in_transaction
    with closing(driver().connect(changes.path)) as raw:
        (busy, _, _) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0


@pytest.mark.sqlite
def test_in_doubt_a_change_has_happened(board: Board) -> None:
    changes = board.swarm.database.changes
    path = board.swarm.database.path
    assert path is not None
    changes.open()
    changes.happened()
    moved = path.rename(path.with_name("moved.db"))
    assert changes.happened()
    moved.rename(path)
    assert changes.happened()
    changes.happened()
    assert not changes.happened()


# --- what a task that is ready means ---------------------------------------------------------------------------------


def look(board: Board, agent: str) -> Look:
    return board.swarm.read(waiting.look, agent=agent)


def test_a_worker_that_came_for_work_is_woken_by_what_is_ready_already(board: Board) -> None:
    assert not look(board, "ada").wakes(0)
    board.create()
    assert look(board, "ada").wakes(1)
    assert look(board, "bob").wakes(1)


def test_a_worker_with_work_in_hand_and_a_director_are_woken_when_more_becomes_ready(board: Board) -> None:
    board.claim("ada", board.create())
    board.create()
    for agent in ("ada", "lead"):
        board.inbox(agent)
        board.inbox(agent)
        assert (look(board, agent).ready, look(board, agent).wakes(1)) == (1, False)
    board.create()
    assert all(look(board, agent).wakes(1) for agent in ("ada", "lead"))


def test_what_is_ready_is_what_claiming_would_give(board: Board) -> None:
    released = board.create()
    board.claim("ada", released)
    board.report("ada", released, "Not for me.", status="released")
    board.create(assignee="bob")
    board.create(assignee="ada")
    board.create(depends_on=[released])

    def would_get(agent: str) -> int:
        return board.swarm.read(claiming.would_get, agent=agent)

    assert (would_get("ada"), would_get("bob"), would_get("lead"), would_get("")) == (1, 2, 1, 0)
    board.enlist("bob", capacity=1)
    board.claim("bob")
    assert would_get("bob") == 0
    board.enlist("ada", lifecycle="paused")
    assert would_get("ada") == 0


def test_whoever_has_ended_is_woken_to_hear_of_it(board: Board) -> None:
    board.enlist("ada", lifecycle="terminated")
    assert look(board, "ada").wakes(0)
