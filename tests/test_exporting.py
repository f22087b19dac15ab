"""The door of all exports: a whole file or folder, or nothing, and never over what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm_mcp.interchange.exporting import replacing
from swarm_mcp.model.errors import Conflict, Invalid, NotFound, Unavailable


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


def test_a_folder_takes_the_place_of_a_folder_or_file_only_when_forced(tmp_path: Path) -> None:
    target = tmp_path / "plan"
    for words, forced in (("first", False), ("second", True)):
        with replacing(target, forced=forced) as partial:
            (partial / "deep").mkdir(parents=True)
            (partial / "deep" / words).write_text(words)
        assert [each.name for each in target.rglob("*")] == ["deep", words]
    with replacing(target, forced=True) as partial:
        partial.write_text("a file now")
    assert target.read_text() == "a file now"
    assert [each.name for each in tmp_path.iterdir()] == ["plan"]


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
