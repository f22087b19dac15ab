"""The door of all exports: a whole file or folder, or nothing, and never over what is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from swarm_mcp import operations
from swarm_mcp.interchange.exporting import replacing
from swarm_mcp.interchange.writing.task_orchestrator import strangers
from swarm_mcp.model.errors import Conflict, Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    Program = Callable[..., tuple[int, str, str]]


def test_a_file_appears_when_it_is_whole_and_never_over_another(tmp_path: Path) -> None:
    target = tmp_path / "plan.csv"
    with replacing(target) as partial:
        partial.write_text("half")
        assert not target.exists()
        partial.write_text("whole")
    assert target.read_text() == "whole"
    with pytest.raises(Conflict, match=r"There is a `plan\.csv` already"), replacing(target):
        raise AssertionError
    with replacing(target, forced=True) as partial:
        partial.write_text("another")
    assert target.read_text() == "another"
    with pytest.raises(KeyError), replacing(target, forced=True) as partial:
        partial.write_text("half")
        raise KeyError
    assert target.read_text() == "another"
    assert [each.name for each in tmp_path.iterdir()] == ["plan.csv"]


def test_a_folder_takes_the_place_of_a_folder_of_its_kind_only_when_forced(tmp_path: Path) -> None:
    target = tmp_path / "plan"
    for words, forced in (("first", False), ("second", True)):
        with replacing(target, forced=forced, strangers=lambda _: []) as partial:
            (partial / "deep").mkdir(parents=True)
            (partial / "deep" / words).write_text(words)
        assert [each.name for each in target.rglob("*")] == ["deep", words]
    assert [each.name for each in tmp_path.iterdir()] == ["plan"]


def test_force_replaces_no_folder_of_other_things_and_nothing_of_another_kind(tmp_path: Path) -> None:
    home, plan, pipe = tmp_path / "home", tmp_path / "plan.csv", tmp_path / "pipe"
    (home / "letters").mkdir(parents=True)
    plan.write_text("ours")
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to(plan)  # as /dev/stdout is one where output goes to a file
    for target, told, words in (
        (home, strangers, "`home` has other things in it \\(`letters`\\), and is not replaced"),
        (home, None, "`home` is a folder, and a file is to be written"),
        (plan, strangers, r"`plan\.csv` is a file, and a folder is to be written"),
        (pipe, None, "`pipe` is a device or a pipe"),
        (link, None, "`link` is a link, which is not replaced"),
    ):
        with pytest.raises(Conflict, match=words), replacing(target, forced=True, strangers=told):
            raise AssertionError
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["home", "letters", "link", "pipe", "plan.csv"]


def test_force_replaces_no_database_and_nothing_beside_one(tmp_path: Path, program: Program) -> None:
    from swarm_mcp.operations.swarm import open_swarm

    board = tmp_path / "b.db"
    swarm = open_swarm(board)
    try:
        swarm.write(operations.check_inbox, agent="ada")
        before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
        assert {"b.db", "b.db-wal", "b.db.gate", "b.db.gate.next"} <= set(before)
        for name in (*before, "b.db-journal"):
            for words in (("export", "csv", name, "--database", board), ("db", "schema", "--to", name)):
                code, out, err = program(*words, "--force")
                is_board = name == "b.db"
                why = "is a database, which no export replaces" if is_board else "belongs to the database `b.db`"
                assert (code, out, err.startswith(f"`{name}` {why}")) == (1, "", True), err
        assert {each.name for each in tmp_path.iterdir()} == set(before)
        assert (tmp_path / "b.db").read_bytes() == before["b.db"]
        os.link(tmp_path / "b.db.gate", tmp_path / "lock")
        with (
            pytest.raises(Conflict, match="`lock` is a database"),
            replacing(tmp_path / "lock", forced=True, board=board),
        ):
            raise AssertionError
        with (
            pytest.raises(Conflict, match="has the open board in it"),
            replacing(tmp_path, forced=True, strangers=lambda _: [], board=board),
        ):
            raise AssertionError
    finally:
        swarm.close()
    (tmp_path / "schema.sql").write_text("old")
    assert program("db", "schema", "--to", "schema.sql", "--force") == (0, "", "")
    assert "CREATE TABLE" in (tmp_path / "schema.sql").read_text()


def test_what_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "plan.csv"
    with pytest.raises(Conflict), replacing(target) as partial:
        partial.write_text("ours")
        target.write_text("theirs")
    assert target.read_text() == "theirs"
    assert [each.name for each in tmp_path.iterdir()] == ["plan.csv"]


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    for target, kind in ((tmp_path / "no" / "plan.csv", NotFound), (Path("/"), Invalid), (tmp_path / "..", Invalid)):
        with pytest.raises(kind), replacing(target):
            raise AssertionError
    with (
        pytest.raises(Unavailable, match=r"`plan\.csv` cannot be written: No space left"),
        replacing(tmp_path / "plan.csv"),
    ):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []
