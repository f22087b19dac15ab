"""Files of other programs: read whole and at one moment, or refused in a sentence."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from swarm_mcp.interchange.foreign.source_file import LINE_LIMIT, SIZE_LIMIT, read_lines, read_source
from swarm_mcp.model.errors import Invalid, NotFound, Refusal


def refusal(path: Path) -> str:
    with pytest.raises(Refusal) as refused:
        read_source(path)
    assert type(refused.value) in {Invalid, NotFound}
    assert str(path.parent) not in refused.value.message
    return refused.value.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_text_in_any_unicode_encoding_is_read_without_its_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "tasks.json"
    path.write_bytes('{"title": "Brötchen 🥐"}'.encode(encoding))
    assert read_source(path) == '{"title": "Brötchen 🥐"}'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "`plan` is empty."),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "`plan` is not text in UTF-8: byte 1 belongs to no character."),
        ("title: é".encode("cp1252"), "`plan` is not text in UTF-8: byte 8 belongs to no character."),
    ],
)
def test_what_is_not_text_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "plan").write_bytes(content)
    assert refusal(tmp_path / "plan") == sentence


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.json") == "There is no file `no.json` in that place."
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere")
    assert refusal(tmp_path / "link.json") == "There is no file `link.json` in that place."


def test_what_is_no_regular_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link"):
        assert refusal(tmp_path / name) == f"`{name}` is a device, a pipe or a socket, not a file."
    assert refusal(Path("/dev/zero")) == "`zero` is a device, a pipe or a socket, not a file."
    assert refusal(tmp_path) == f"`{tmp_path.name}` is a folder; name a file in it."


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("ear")
        assert refusal(tmp_path / "ear") == "`ear` is a device, a pipe or a socket, not a file."


def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    assert refusal(tmp_path / "ring") == "`ring` cannot be read: its symbolic links lead in a circle."
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file" / "below") == "`below` cannot be read: part of its path is not a folder."
    assert refusal(tmp_path / ("n" * 300)).endswith("cannot be read: its path is too long.")
    assert refusal(tmp_path / "a\0b") == "That is no path of a file."


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_one_may_not_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0)
    assert refusal(tmp_path / "secret") == "`secret` cannot be read: you may not read it."


def test_a_symbolic_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_source(tmp_path / "link") == "text"


def test_a_file_beyond_all_measure_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(SIZE_LIMIT + 1)  # sparse: takes no room
    assert refusal(tmp_path / "huge") == "`huge` has more than 256 MiB, which is too much for a plan. Split it."


READ_WHILE_ANOTHER_WRITES = """
import os, sys
from pathlib import Path
from swarm_mcp.interchange.foreign.source_file import read_source

path, change = sys.argv[1:]
def interfere(event, arguments):
    global change
    if event == "open" and str(arguments[0]) == path and change:
        now, change = change, ""
        if now == "grow":
            with open(path, "a") as other:
                other.write("more")
        else:
            os.replace(path + ".new", path)

sys.addaudithook(interfere)
try:
    print(read_source(Path(path)))
except Exception as refused:
    print(type(refused).__name__, refused)
"""
"""An audit hook runs after the first look at the file and before its opening. It cannot be taken back,
hence a process of its own."""


@pytest.mark.parametrize("change", ["grow", "replace"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, change: str) -> None:
    (tmp_path / "plan").write_text("text")
    (tmp_path / "plan.new").write_text("TEXT")
    command = [sys.executable, "-c", READ_WHILE_ANOTHER_WRITES, str(tmp_path / "plan"), change]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == "Invalid `plan` changed while it was read; import it again when nothing writes to it.\n"


def test_lines_come_one_by_one_and_are_refused_where_they_are_none(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\ntwo")
    assert list(read_lines(path)) == ["one", "", "two"]
    path.write_bytes(b"one\n\xff\n")
    lines = read_lines(path)
    assert next(lines) == "one"
    with pytest.raises(Invalid, match="`lines` is not text in UTF-8: byte 1 of line 2 belongs to no character"):
        next(lines)
    with path.open("wb") as huge:
        huge.truncate(LINE_LIMIT + 1)
    with pytest.raises(Invalid, match="`lines`, line 1 has more than 16 MiB"):
        list(read_lines(path))
    path.write_bytes(b"one\ntwo\n")
    growing = read_lines(path)
    next(growing)
    with path.open("ab") as more:
        more.write(b"three\n")
    with pytest.raises(Invalid, match="`lines` changed while it was read"):
        list(growing)
