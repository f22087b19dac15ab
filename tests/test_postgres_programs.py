"""The programs on a board on PostgreSQL: servers of several hosts, and every command; a password is shown by none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import postgres
import pytest
from handles import Holder, able, accepted
from listening import call, handshake, listening, old_call, visiting
from recount import problems
from serving import LEGACY, MODERN, serving
from test_cli import PLAN
from test_http import WAYS, begin_to_wait, keep_busy, use_every_tool

from swarm_mcp.repository import migrate
from swarm_mcp.server.schemas import ORDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

SECRET = "swordfish"  # noqa: S105 - it opens nothing


@pytest.fixture
def address() -> Iterator[str]:
    """An empty database, with a password in its address that the server does not ask for."""
    with postgres.new_database() as address:
        before, after = address.split("@", 1)
        yield f"{before.rstrip(':')}:{SECRET}@{after}" if postgres.is_ours() else address


def program(address: str, *words: str) -> tuple[int, str]:
    """Run a command; its exit code and everything that it said."""
    environment = {**os.environ, "SWARM_DATABASE": address}
    done = subprocess.run(
        [sys.executable, "-m", "swarm_mcp", *words],
        env=environment, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_every_command_works_and_shows_no_password(address: str, tmp_path: Path) -> None:
    plan = tmp_path / "tasks.json"
    plan.write_text(json.dumps(PLAN))
    code, said = program(address, "doctor")
    assert (code, "health:       new" in said, "***" in said) == (0, True, True)
    rehearsed, planned = (program(address, "import", "taskmaster", str(plan), *more) for more in (("--dry-run",), ()))
    assert (rehearsed[0], planned[0]) == (0, 0), (rehearsed, planned)
    assert program(address, "import", "taskmaster", str(plan), "--dry-run")[0] == 0
    assert program(address, "project", "create", "garden")[0] == 0
    assert "garden" in program(address, "project", "list")[1]
    assert program(address, "stuck")[0] in {0, 1}
    code, said = program(address, "undo", "999")
    assert (code, "No event 999" in said) == (1, True)
    code, said = program(address, "doctor", "--json")
    found = json.loads(said)
    assert (code, found["health"], found["revision"]) == (0, "ok", migrate.HEAD)
    assert found["postgresql"].split(".")[0].isdigit()
    assert problems(address) == []


def test_a_server_that_cannot_be_reached_is_a_sentence(tmp_path: Path) -> None:
    code, said = program(f"postgresql://ada:{SECRET}@/board?host={tmp_path}", "doctor")
    assert (code, "cannot be reached" in said) == (1, True)
    code, said = program(f"postgresql://ada:{SECRET}@/board?host={tmp_path}", "stuck")
    assert (code, "cannot be reached" in said) == (1, True)


@pytest.mark.parametrize("mode", [MODERN, LEGACY])
def test_two_hosts_share_a_board_and_one_hears_what_the_other_did(address: str, tmp_path: Path, mode: str) -> None:
    with ExitStack() as stack:
        boss, hand = (
            stack.enter_context(serving(tmp_path / "a.db", *words, name=words[1], mode=mode, address=address))
            for words in (("--agent", "lead"), ("--agent", "ada", "--profile", "worker"))
        )
        boss.call("list_tasks")
        hand.call("check_inbox")
        waiting = hand.begin("check_inbox", wait_seconds=45)
        task = boss.call("create_task", title="One", assignee="ada").task
        woken = waiting.result(50)
        assert not woken.refused, woken.text
        assert hand.call("claim_task").task == task
        assert hand.call("complete_task", task=task, summary="Done.")["task"]["status"] == "completed"
        assert boss.call("get_task", task=task)["task"]["status"] == "completed"
        said = boss.log.read_text() + hand.log.read_text()
    assert SECRET not in said
    assert problems(address) == []


def test_a_handle_is_served_by_every_host(address: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        first, second = (
            Holder(stack.enter_context(serving(tmp_path / "a.db", name=name, able=able(), address=address)))
            for name in ("one", "two")
        )
        task = first.desk.call("create_task", title="Build", agent="lead").task
        handle = first.begin("delegate", task=task, to="kid", agent="lead")
        for _ in range(2):
            first.desk.call("check_inbox", agent="lead")
        wait = first.begin("check_inbox", wait_seconds=45, agent="lead")
        second.desk.call("claim_task", task=task, agent="kid")
        second.desk.call("report_progress", task=task, message="Well?", status="requires_assistance", agent="kid")
        (key,) = second.get(handle)["inputRequests"]
        news = second.get(wait)
        assert [item["text"] for item in news["result"]["structuredContent"]["items"] if item["type"] == "question"]
        assert first.get(wait) == news
        second.answer(handle, **{key: accepted("Yes.")})
        assert first.get(handle)["status"] == "working"
        first.cancel(handle)
        assert second.get(handle)["status"] == "cancelled"


def test_a_host_goes_on_when_its_connections_were_ended(address: str, tmp_path: Path) -> None:
    with serving(tmp_path / "a.db", "--agent", "lead", address=address) as desk:
        task = desk.call("create_task", title="One").task
        for _ in range(3):
            postgres.end_others(address)
            assert desk.call("get_task", task=task)["task"]["title"] == "One"
            desk.call("update_task", task=task, description="Still here.")
    assert SECRET not in desk.log.read_text()


def test_over_http_every_tool_answers_and_whoever_waits_is_woken_at_another_server(
    address: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.db"
    with listening(file, name="one", address=address) as one, listening(file, name="two", address=address) as two:
        body, headers = call("share_context", key="begun", value="yes", agent="lead")
        assert not one.ask("POST", "/mcp", body, **headers).facts["result"]["isError"]
        for n, (path, mode) in enumerate(WAYS):
            with visiting(one, path, mode=mode) as desk:
                assert use_every_tool(desk, "lead", f"ada-{n}") == set(ORDER)
                assert "Build" in desk.read("swarm://tasks?status=completed")
            with visiting(one, path, mode=mode, name=f"eva-{n}") as desk, visiting(two) as other:
                keep_busy(other, f"eva-{n}")
                waiting = begin_to_wait(desk)
                other.call("send_message", text="Wake up!", to=f"eva-{n}", agent="lead")
                assert [item["text"] for item in waiting.result()["items"]] == ["Wake up!"]
        for health in (one.ask("GET", "/health"), two.ask("GET", "/health/detailed")):
            assert (health.status, health.facts["status"]) == (200, "healthy")
        session = handshake(one, name="stayer")
        assert one.stop() == 0
        assert old_call(two, session, "get_task")["structuredContent"]["agent"] == "stayer"
        assert SECRET not in one.log.read_text() + two.log.read_text()
    assert problems(address) == []
