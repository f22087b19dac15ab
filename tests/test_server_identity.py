"""Who calls: names of connections, several agents on one, the first director, attempts, leases and heartbeats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from serving import GIVE_UP_SECONDS, Desk, Wire, serving, wired
from sqlalchemy import select, update

from swarm_mcp import operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.ids import RESERVED
from swarm_mcp.operations.swarm import Swarm, open_swarm
from swarm_mcp.repository import connections
from swarm_mcp.repository.tables import AgentRow, TaskRow
from swarm_mcp.server.calls import Calls
from swarm_mcp.server.identity import HEARTBEAT_SECONDS, Caller, name_of_client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Clock

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A connection with the root director `lead`; other agents use it too."""
    with serving(tmp_path_factory.mktemp("board") / "swarm.db", name="desk") as desk:
        desk.call("share_context", key="k", value="v", agent="lead")
        desk.call("share_context", key="k", value="v", agent="ada")
        yield desk


@pytest.fixture(scope="module")
def swarm(desk: Desk) -> Iterator[Swarm]:
    """The same board from inside."""
    swarm = open_swarm(desk.board)
    yield swarm
    swarm.close()


def task_of(swarm: Swarm, task: str) -> Any:
    return swarm.read(lambda db: db.execute(select(TaskRow.__table__).where(TaskRow.id == task)).one())


def agent_of(swarm: Swarm, name: str) -> Any:
    return swarm.read(lambda db: db.execute(select(AgentRow.__table__).where(AgentRow.name == name)).one_or_none())


def set_lease(swarm: Swarm, task: str, left: timedelta) -> datetime:
    """Let a claim end so long from now."""
    until = datetime.now(UTC) + left
    swarm.write(lambda db: db.execute(update(TaskRow).where(TaskRow.id == task).values(lease_until=until)))
    return until


def claimed(desk: Desk, agent: str) -> str:
    """A new task that an agent holds."""
    task = desk.call("create_task", title=f"A task of {agent}", agent="lead").task
    assert desk.call("claim_task", task=task, agent=agent)["attempt"] == 1
    return task


def lost(desk: Desk, swarm: Swarm, agent: str) -> str:
    """A task that an agent has claimed, and whose lease has run out."""
    task = claimed(desk, agent)
    set_lease(swarm, task, -MINUTE)
    return task


# Names


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("Claude Code", "claude-code"), ("claude-ai", "claude-ai"), ("", "agent"), ("operator", "agent"),
        ("日本", "agent"), ("x" * 99, "x" * 50),
    ],
)  # fmt: skip
def test_a_connection_is_named_after_its_client(client: str, name: str) -> None:
    assert name_of_client(client) == name


def me(wire: Wire) -> str:
    """Who a connection is."""
    return wire.call("get_task", {})["structuredContent"]["agent"]


def test_two_windows_of_one_host_get_two_names_and_a_name_is_free_again_after_its_end(tmp_path: Path) -> None:
    board = tmp_path / "swarm.db"
    with wired(board) as first, wired(board) as second:
        assert [me(first), me(second)] == ["wire", "wire-2"]
        first.process.kill()
        first.process.wait()
        with wired(board) as third:
            assert [me(third), me(second)] == ["wire", "wire-2"]
            assert third.rest() == b""
            assert third.process.wait() == 0
        with open_swarm(board).reading() as db:
            assert [each.agent for each in connections.connections(db)] == ["wire-2"]


def test_a_name_can_be_given(tmp_path: Path) -> None:
    board = tmp_path / "swarm.db"
    with wired(board, "--agent", "Ada Lovelace", SWARM_AGENT="bob") as ada, wired(board, SWARM_AGENT="bob") as bob:
        assert [me(ada), me(bob)] == ["ada_lovelace", "bob"]


def test_a_server_cannot_be_started_as_the_operator(tmp_path: Path) -> None:
    with wired(tmp_path / "swarm.db", "--agent", "operator") as wire:
        assert wire.rest() == b""
        assert wire.process.wait() == 1
        assert wire.log.read_text() == "`operator` is a reserved word; choose another name.\n"


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_call_can_act_under_a_reserved_name(desk: Desk, name: str) -> None:
    for tool, arguments in [
        ("share_context", {"key": "k", "value": "v"}), ("get_task", {}), ("check_inbox", {}),
        ("create_task", {"title": "T"}),
    ]:  # fmt: skip
        refusal = desk.refusal(tool, agent=f" {name.upper()} ", **arguments)
        assert (refusal["code"], refusal.text) == ("invalid", f"`{name}` is a reserved word; choose another name.")


def test_once_two_have_acted_a_write_must_say_whose_it_is(desk: Desk) -> None:
    refusal = desk.refusal("create_task", title="Whose?")
    assert refusal["code"] == "ambiguous"
    assert {"ada", "lead"} <= set(refusal["candidates"])
    assert refusal.text.startswith("Several agents act through this connection (ada, ")
    assert desk.call("get_task")["agent"] == "desk"
    assert not desk.ask("create_task", title="Mine.", agent="lead").refused


def test_names_are_folded(desk: Desk, swarm: Swarm) -> None:
    desk.call("share_context", key="k", value="v", agent="  Grace HOPPER ")
    assert agent_of(swarm, "grace_hopper").title == "Grace HOPPER"


# The first director


def test_the_first_that_writes_on_the_directors_profile_becomes_the_root_director(tmp_path: Path) -> None:
    board = tmp_path / "swarm.db"
    with wired(board, "--profile", "worker", "--agent", "hand") as worker, wired(board, "--agent", "head") as director:
        worker.call("share_context", {"key": "k", "value": "v"})
        director.call("get_overview", {})
        director.call("get_task", {})
        swarm = open_swarm(board)
        assert not {agent.role for agent in everybody(swarm)} - {"worker"}
        director.call("share_context", {"key": "k", "value": "v"})
        director.call("share_context", {"key": "k", "value": "v", "agent": "neck"})
        roles = {agent.name: (agent.role, agent.superior_id) for agent in everybody(swarm)}
        head = agent_of(swarm, "head").id
        swarm.close()
    assert roles == {"head": ("director", None), "hand": ("worker", head), "neck": ("worker", head)}


def everybody(swarm: Swarm) -> list[Any]:
    return list(swarm.read(lambda db: db.execute(select(AgentRow.__table__)).all()))


# Attempts


def test_a_late_worker_is_told_who_has_its_task_now(desk: Desk, swarm: Swarm) -> None:
    task = lost(desk, swarm, "ada")
    assert desk.call("claim_task", task=task, agent="bob")["attempt"] == 2
    for tool, words in (("report_progress", {"message": "Half."}), ("complete_task", {"summary": "Done."})):
        refusal = desk.refusal(tool, task=task, agent="ada", **words)
        assert (refusal["code"], refusal["holder"], refusal["attempt"]) == ("claim_lost", "bob", 2)
        assert f'send_message(to="bob", task="{task}", text=…)' in refusal.text
    desk.call("complete_task", task=task, summary="Done.", agent="bob")


def test_a_connection_remembers_the_attempt_that_it_last_claimed(desk: Desk, swarm: Swarm) -> None:
    task = lost(desk, swarm, "ada")
    desk.call("claim_task", task=task, agent="bob")
    set_lease(swarm, task, -MINUTE)
    assert desk.call("claim_task", task=task, agent="ada")["attempt"] == 3
    assert desk.call("report_progress", task=task[:6], message="Again.", agent="ada")["attempt"] == 3
    refusal = desk.refusal("report_progress", task=task, message="From then.", attempt=1, agent="ada")
    assert (refusal["code"], refusal["attempt"], refusal["holder"]) == ("claim_lost", 3, "ada")


def test_an_attempt_is_remembered_whatever_the_task_was_called(desk: Desk, swarm: Swarm) -> None:
    task = desk.call("create_task", title="By many names", agent="lead").task
    desk.call("claim_task", task=task[:5], agent="ada")
    set_lease(swarm, task, -MINUTE)
    desk.call("claim_task", task=task, agent="bob")
    set_lease(swarm, task, -MINUTE)
    assert desk.call("claim_task", task=task, agent="ada")["attempt"] == 3
    for name in (task[:5], task[:6], task.upper()):
        assert desk.call("report_progress", task=name, message="Still.", agent="ada")["attempt"] == 3


def test_a_restarted_server_that_knows_no_attempt_asks_rather_than_guesses(desk: Desk, swarm: Swarm) -> None:
    once, twice = claimed(desk, "ada"), lost(desk, swarm, "ada")
    desk.call("claim_task", task=twice, agent="bob")
    set_lease(swarm, twice, -MINUTE)
    desk.call("claim_task", task=twice, agent="ada")
    with serving(desk.board, "--agent", "ada") as restarted:
        assert restarted.call("report_progress", task=once, message="The only attempt there was.")["attempt"] == 1
        refusal = restarted.refusal("report_progress", task=twice, message="Which?")
        assert refusal["code"] == "claim_lost"
        assert f'get_task(task="{twice}")' in refusal.text
        assert restarted.call("get_task", task=twice)["attempt"] == 3
        assert restarted.call("report_progress", task=twice, message="This one.")["attempt"] == 3


# Leases


def test_a_call_that_names_no_task_renews_the_claims_of_that_agent_on_that_connection_only(
    desk: Desk, swarm: Swarm
) -> None:
    here, of_another = claimed(desk, "ida"), claimed(desk, "ben")
    there = desk.call("create_task", title="Elsewhere", agent="lead").task
    swarm.write(lambda db: operations.claim_task(db, task=there), agent="ida", connection="another")
    before = {task: set_lease(swarm, task, 5 * MINUTE) for task in (here, there, of_another)}
    desk.call("check_inbox", agent="ida")
    renewed = {task for task in before if task_of(swarm, task).lease_until > before[task]}
    assert renewed == {here}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("claim_task", {"under": "own"}),
        ("share_context", {"key": "k", "value": "v"}),
        ("send_message", {"to": "lead", "text": "Hi."}),
    ],
)  # fmt: skip
def test_whether_a_call_names_a_task_is_a_matter_of_its_arguments(
    desk: Desk, swarm: Swarm, tool: str, arguments: dict[str, Any]
) -> None:
    task = claimed(desk, "kim")
    before = set_lease(swarm, task, 5 * MINUTE)
    desk.call(tool, agent="kim", **{name: task if value == "own" else value for name, value in arguments.items()})
    assert task_of(swarm, task).lease_until > before
    desk.call("complete_task", task=task, summary="Done.", agent="kim")


def test_a_sweep_ends_what_has_lapsed(desk: Desk, swarm: Swarm) -> None:
    task = lost(desk, swarm, "ada")
    with serving(desk.board, name="broom") as broom:
        deadline = datetime.now(UTC) + timedelta(seconds=GIVE_UP_SECONDS)
        while broom.call("get_task", task=task)["task"]["status"] == "in_progress":
            assert datetime.now(UTC) < deadline, "no sweep"
    assert (task_of(swarm, task).status, task_of(swarm, task).lapses) == ("pending", 1)
    refusal = desk.refusal("report_progress", task=task, message="Half.", agent="ada")
    assert (refusal["code"], refusal["status"]) == ("claim_lost", "pending")


def test_the_first_call_of_an_announced_agent_makes_it_active_even_if_it_only_reads(desk: Desk, swarm: Swarm) -> None:
    desk.call("create_task", title="For somebody new", assignee="newcomer", agent="lead")
    assert agent_of(swarm, "newcomer").lifecycle == "spawning"
    deadline = datetime.now(UTC) + timedelta(seconds=GIVE_UP_SECONDS)
    desk.call("get_task", agent="newcomer")
    while agent_of(swarm, "newcomer").lifecycle == "spawning":
        assert datetime.now(UTC) < deadline, "no heartbeat"
    assert agent_of(swarm, "newcomer").lifecycle == "active"


# Connections from within, with a clock in hand


class Reading:
    """Calls as a server makes them, at the time that the test says."""

    def __init__(self, board: Path, clock: Clock) -> None:
        self.clock = clock
        self.swarm = open_swarm(board, clock=clock)
        self.seconds = 0.0
        self.calls = {profile: Calls(self.swarm, profile) for profile in Profile}
        self.caller = Caller("lead", clock=lambda: self.seconds)

    def __call__(self, tool: str, profile: Profile = Profile.DIRECTOR, /, **arguments: Any) -> dict[str, Any]:
        calls = self.calls[profile]
        result = calls.call(tool, arguments, self.caller, "test")
        assert not result["isError"], result["content"]
        calls.note_readers(self.caller)
        return result["structuredContent"]

    def wait(self, **duration: float) -> None:
        self.seconds += timedelta(**duration).total_seconds()
        self.clock.advance(**duration)


@pytest.fixture
def reading(database_path: Path, clock: Clock) -> Iterator[Reading]:
    reading = Reading(database_path, clock)
    yield reading
    reading.swarm.close()


def test_reads_of_the_whole_board_accept_who_calls_although_they_do_not_ask(reading: Reading) -> None:
    reading("list_tasks", agent="scout")
    reading("get_overview", agent="scout")
    assert agent_of(reading.swarm, "scout").role == "worker"
    refused = reading.calls[Profile.DIRECTOR].call("list_tasks", {"agent": "operator"}, reading.caller, "test")
    assert refused["structuredContent"]["code"] == "invalid"


def test_a_refused_write_is_no_act(reading: Reading) -> None:
    refused = reading.calls[Profile.DIRECTOR].call(
        "create_task", {"title": "", "agent": "nobody"}, reading.caller, "test"
    )
    assert refused["isError"]
    reading("create_task", title="First")
    reading("create_task", title="Second")


def test_connections_to_which_one_name_was_given_share_it(reading: Reading) -> None:
    again = Caller("Lead")
    assert (
        reading("get_task")["agent"]
        == reading.calls[Profile.WORKER].call("get_task", {}, again, "test")["structuredContent"]["agent"]
    )


def test_a_read_renews_a_claim_of_which_less_than_half_is_left(reading: Reading) -> None:
    task = reading("create_task", title="Read on")["task"]["id"]
    until = reading("claim_task", task=task)["lease_until"]
    reading.wait(minutes=14)
    assert reading("get_task", task=task)["lease_until"] == until
    reading.wait(minutes=2)
    reading("get_overview")
    assert task_of(reading.swarm, task).lease_until == reading.clock.now + 30 * MINUTE


def test_reading_keeps_the_shortest_lease_alive(reading: Reading) -> None:
    task = reading("create_task", title="Be quick")["task"]["id"]
    reading("claim_task", task=task, lease_minutes=1)
    for _ in range(10):
        reading.wait(seconds=HEARTBEAT_SECONDS + 1)
        reading("get_task", task=task)
    assert task_of(reading.swarm, task).lease_until > reading.clock.now


def test_reading_makes_nobody_the_root_director(reading: Reading) -> None:
    reading("get_task")
    assert agent_of(reading.swarm, "lead").role == "worker"
    reading("share_context", key="k", value="v")
    reading("share_context", key="k", value="v", agent="deputy")
    reading.wait(days=2)
    reading("get_task", agent="deputy")
    assert agent_of(reading.swarm, "deputy").role == "worker"
    reading("share_context", key="k", value="v", agent="deputy")
    assert agent_of(reading.swarm, "deputy").role == "director"


def test_who_only_observes_leaves_no_trace(reading: Reading) -> None:
    reading("get_overview", Profile.OBSERVER)
    reading("get_task", Profile.OBSERVER, agent="watcher")
    assert everybody(reading.swarm) == []


def test_a_reader_is_noted_as_seen_at_most_once_a_minute(reading: Reading) -> None:
    reading("get_task")
    seen = agent_of(reading.swarm, "lead").last_seen_at
    reading.wait(seconds=59)
    reading("get_task")
    assert agent_of(reading.swarm, "lead").last_seen_at == seen
    reading.wait(seconds=16)
    reading("get_task")
    assert agent_of(reading.swarm, "lead").last_seen_at == reading.clock.now
