"""A server's beginning, and boards that cannot be used: what it says then, and that nothing else is on its stdout."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from serving import Wire, wired

from swarm_mcp import operations
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository import agents
from swarm_mcp.repository.sqlite import driver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

INSIDE = re.compile(r"sqlite|sqlalchemy|alembic|traceback|\.py\b|/tmp|errno|0x", re.IGNORECASE)
HARMFUL = re.compile(r"\b(delete|rm|drop|reset|restore|force|purge|wipe)\b", re.IGNORECASE)


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """A board with one task on it, at rest."""
    path = tmp_path / "swarm.db"
    swarm = open_swarm(path)
    swarm.write(lambda db: operations.create_task(db, title="Carry on"))
    swarm.close()
    return path


def refusal_of(wire: Wire, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool says when it cannot; in both forms the same, and nothing of how it looks inside."""
    result = wire.call(tool, arguments)
    facts = result["structuredContent"]
    assert result["isError"]
    assert result["content"] == [{"type": "text", "text": facts["message"]}]
    assert not INSIDE.search(json.dumps(facts).replace("sqlite:///", ""))
    assert not HARMFUL.search(json.dumps(facts))
    return facts


# Beginnings


def test_eight_servers_that_start_at_once_on_no_file_all_answer(tmp_path: Path) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(8) as pool:
        wires = [stack.enter_context(wired(tmp_path / "swarm.db")) for _ in range(8)]
        answers = list(pool.map(lambda wire: wire.call("share_context", {"key": "k", "value": "v"}), wires))
        assert [answer["isError"] for answer in answers] == [False] * 8
        names = pool.map(lambda wire: wire.call("get_task", {})["structuredContent"]["agent"], wires)
        assert sorted(names) == ["wire", *(f"wire-{n}" for n in range(2, 9))]
        swarm = open_swarm(tmp_path / "swarm.db")
        leaders = swarm.read(lambda db: [each.role for each in agents.everybody(db)].count("director"))
        assert leaders == 1


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    board = tmp_path / "deep" / "down" / "swarm.db"
    with wired(tmp_path / "swarm.db", "--database", str(board)) as wire:
        assert not wire.call("get_overview", {})["isError"]
        assert board.exists()


def test_nothing_but_the_protocol_is_on_stdout(board: Path) -> None:
    with wired(board, "--log-level", "debug") as wire:
        asked = [wire.send("tools/list"), wire.send("tools/call", {"name": "get_overview"}), wire.send("nonsense")]
        wire.write(b"This is no message.")
        asked.append(wire.send("tools/call", {"name": "nothing"}))
        asked.append(wire.send("tools/call", {"name": "add_note", "arguments": {}}))
        asked.append(wire.send("resources/read", {"uri": "swarm://tasks/zzzzzzzz"}))
        heard = [wire.hear() for _ in asked]
        rest = [json.loads(line) for line in wire.rest().splitlines()]
        assert wire.process.wait() == 0
    assert sorted(message["id"] for message in heard) == asked
    assert all(message["jsonrpc"] == "2.0" for message in [*heard, *rest])


def test_a_project_that_was_never_created_is_refused(board: Path) -> None:
    with wired(board, "--project", "another") as wire:
        facts = refusal_of(wire, "get_overview")
    assert (facts["code"], facts["message"][:22]) == ("not_found", "No project `another`. ")


# Boards that cannot be used


def foreign_text(board: Path) -> None:
    board.write_text("This is no database.\n" * 400)


def foreign_database(board: Path) -> None:
    board.unlink()
    with closing(driver().connect(board)) as raw:
        raw.executescript("CREATE TABLE invoices (id); INSERT INTO invoices VALUES (1);")


def of_a_newer_version(board: Path) -> None:
    with closing(driver().connect(board)) as raw:
        raw.executescript("UPDATE alembic_version SET version_num = '9999'")


def damaged(board: Path) -> None:
    with board.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(board.stat().st_size - 4096))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (foreign_database, "not a board of swarm-mcp"),
        (of_a_newer_version, "Upgrade swarm-mcp"),
        (damaged, "damaged"),
    ],
)
def test_a_board_that_cannot_be_used_is_a_refusal_of_every_request(
    board: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(board)
    with wired(board) as wire:
        assert wire.request("tools/list")["result"]["tools"]
        for tool, arguments in (("get_overview", {}), ("create_task", {"title": "T"})):
            facts = refusal_of(wire, tool, **arguments)
            assert (facts["code"], facts["retryable"]) == ("unavailable", False)
            assert words in facts["message"]
        for method, params in (("resources/list", {}), ("resources/read", {"uri": "swarm://overview"})):
            error = wire.request(method, params)["error"]
            assert (error["code"], error["message"]) == (-32603, facts["message"])


def test_a_board_that_becomes_usable_is_used_without_a_new_start(board: Path) -> None:
    aside = shutil.move(board, board.with_name("aside.db"))
    foreign_text(board)
    with wired(board) as wire:
        assert refusal_of(wire, "get_overview")["code"] == "unavailable"
        shutil.move(aside, board)
        assert wire.call("get_overview", {})["structuredContent"]["total_tasks"] == 1


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process are Linux's")
def test_a_full_disk_is_told_and_nothing_is_lost(board: Path) -> None:
    with wired(board) as wire:
        wire.call("create_task", {"title": "Before"})
        full = board.with_name(f"{board.name}-wal").stat().st_size + 10_000
        resource.prlimit(wire.process.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
        facts = refusal_of(wire, "create_task", title="Too much", description="x" * 20_000)
        assert (facts["code"], facts["retryable"]) == ("unavailable", False)
        assert "is full" in facts["message"]
        assert wire.call("get_overview", {})["structuredContent"]["total_tasks"] == 2
        resource.prlimit(wire.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert not wire.call("create_task", {"title": "After", "description": "x" * 20_000})["isError"]


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that a user without rights can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_read_only_board_can_be_read_and_says_why_it_cannot_be_written(board: Path, public_folder: Path) -> None:
    copy = Path(shutil.copy(board, public_folder))
    copy.chmod(0o444)
    public_folder.chmod(0o555)
    with wired(copy, unprivileged=True) as wire:
        assert wire.call("get_overview", {})["structuredContent"]["total_tasks"] == 1
        assert wire.call("get_task", {})["structuredContent"]["agent"] == "wire"
        facts = refusal_of(wire, "create_task", title="T")
        assert (facts["code"], facts["retryable"]) == ("unavailable", False)
        assert "Whoever runs swarm-mcp" in facts["message"]
        assert "Carry on" in wire.request("resources/read", {"uri": "swarm://tasks"})["result"]["contents"][0]["text"]
    public_folder.chmod(0o755)
