"""What calls itself a store of Task Orchestrator and is none, or a trap: a sentence, and nothing has happened."""

from __future__ import annotations

import gzip
import os
import tarfile
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from orchestrator_stores import SCHEMA_22, made, packed, put, state

from swarm_mcp.interchange.foreign import sqlite_copy, task_orchestrator_archive, yaml_text
from swarm_mcp.interchange.foreign.task_orchestrator import read
from swarm_mcp.model.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _torn(folder: Path) -> Path:
    path = made(folder, SCHEMA_22) / "tasks.db"
    path.write_bytes(path.read_bytes()[:9000])
    return folder


def _journal(folder: Path) -> Path:
    return put(made(folder, SCHEMA_22), "tasks.db-journal", sqlite_copy.UNFINISHED + b"\0" * 600)


def _linked(folder: Path) -> Path:
    real = made(folder / "elsewhere", SCHEMA_22) / "tasks.db"
    (folder / "tasks.db").symlink_to(real)
    return folder


def _linked_log(folder: Path) -> Path:
    (made(folder, SCHEMA_22) / "tasks.db-wal").symlink_to("/etc/hostname")
    return folder


def _deep_yaml(folder: Path) -> Path:
    return put(made(folder, SCHEMA_22), "contexts/abc12345.yaml", "context: " + "[" * 80 + "]" * 80)


def _laughing_yaml(folder: Path) -> Path:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return put(made(folder, SCHEMA_22), "contexts/abc12345.yaml", "\n".join(lines))


def _merging_yaml(folder: Path) -> Path:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12)]
    return put(made(folder, SCHEMA_22), "contexts/abc12345.yaml", "\n".join(lines))


def _yaml(text: str | bytes) -> Callable[[Path], Path]:
    return lambda folder: put(made(folder, SCHEMA_22), "contexts/abc12345.yaml", text)


def _archive(*members: Any) -> Callable[[Path], Path]:
    return lambda folder: put(
        made(folder, SCHEMA_22), "archives/task_abc12345_20250101_000000.tar.gz",
        members[0] if isinstance(members[0], bytes) else packed(*members),
    )  # fmt: skip


def _member(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def _store(*scripts: str) -> Callable[[Path], Path]:
    return lambda folder: made(folder, *scripts)


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, i AS title FROM n"
HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "nothing": (lambda folder: folder, "There is no file `tasks.db`"),
    "empty": (lambda folder: put(folder, "tasks.db", ""), "is empty"),
    "text": (lambda folder: put(folder, "tasks.db", "id,title\n1,x\n"), "is no SQLite file"),
    "a header alone": (lambda folder: put(folder, "tasks.db", sqlite_copy.HEADER + b"\0" * 500), "is damaged"),
    "torn": (_torn, "is damaged"),
    "no tasks": (_store("CREATE TABLE things (id TEXT)"), "is no store of Task Orchestrator"),
    "other tasks": (_store("CREATE TABLE tasks (name TEXT)"), "is no store of Task Orchestrator"),
    "an endless view": (_store(f"CREATE VIEW tasks AS {ENDLESS}"), "is no store of Task Orchestrator"),
    "a virtual table": (_store("CREATE VIRTUAL TABLE tasks USING fts5(id, title)"), "is no store"),
    "a computed column": (
        _store("CREATE TABLE tasks (id, title AS (hex(zeroblob(100000000))))", "INSERT INTO tasks VALUES (1)"),
        "computed columns",
    ),
    "no id": (_store("CREATE TABLE tasks (id TEXT, title TEXT)", "INSERT INTO tasks VALUES (NULL, 'x')"), "row 1 of"),
    "an id twice": (_store("CREATE TABLE tasks (id, title)", "INSERT INTO tasks VALUES (1, 2), ('1', 3)"), "another"),
    "a change half done": (_journal, "was not finished"),
    "a link to a database": (_linked, "is a symbolic link"),
    "a link to a log": (_linked_log, "is a symbolic link"),
    "no YAML": (_yaml("a: [1, 2"), "is no plain YAML: line"),
    "objects in YAML": (_yaml("context: !!python/object/apply:os.system [ls]"), "is no plain YAML: line 1"),
    "YAML that is no map": (_yaml("- 1"), "is no map"),
    "binary YAML": (_yaml(b"\x80\x81\x82"), "is not text in UTF-8"),
    "two documents": (_yaml("a: 1\n---\nb: 2"), "is no plain YAML"),
    "YAML in itself": (_yaml("context: &a [*a]"), "too deeply"),
    "deep YAML": (_deep_yaml, "too deeply"),
    "a billion laughs": (_laughing_yaml, "too often"),
    "progress that is none": (
        lambda folder: put(made(folder, SCHEMA_22), "contexts/abc12345_progress.jsonl", '{"a": 1}\n{"b": '), "line 2",
    ),
    "no archive": (_archive(b"PK\x03\x04"), "is damaged or no archive"),
    "half an archive": (_archive(packed(("task_x/context.json", os.urandom(50_000)))[:20_000]), "is damaged"),
    "a name that leads out": (_archive(("../../etc/passwd", b"x")), "leads out of it"),
    "an absolute name": (_archive(("/etc/passwd", b"x")), "leads out of it"),
    "a drive": (_archive(("C:\\x", b"x")), "leads out of it"),
    "a link in it": (_archive(_member("task_x/notes/a.md", tarfile.SYMTYPE, "/etc/passwd")), "a link or a device"),
    "a hard link in it": (_archive(_member("task_x/notes/a.md", tarfile.LNKTYPE, "b")), "a link or a device"),
    "a device in it": (_archive(_member("task_x/null", tarfile.CHRTYPE)), "a link or a device"),
    "a bomb": (_archive(gzip.compress(bytes(task_orchestrator_archive.UNPACKED_LIMIT + 1), 9)), "MiB when unpacked"),
    "crowds": (_archive(*[(f"task_x/{n}", b"") for n in range(1001)]), "more than 1,000 files"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_sound_store_is_refused_in_a_sentence_and_stays_as_it_is(tmp_path: Path, what: str) -> None:
    make, sentence = HOSTILE[what]
    folder = tmp_path / "store"
    folder.mkdir()
    make(folder)
    before = state(folder)
    with pytest.raises((Invalid, NotFound)) as refused:
        read(folder, UTC)
    assert sentence in refused.value.message
    assert refused.value.message.count("\n") == 0
    assert str(tmp_path) not in refused.value.message
    assert state(folder) == before


def test_maps_that_would_be_merged_without_end_stay_apart(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="too often"):
        read(_merging_yaml(tmp_path), UTC)
    plain = yaml_text.parse_yaml("a: &a {x: 1}\nb: {<<: *a, y: .inf, z: 2025-01-01, 1: !!binary aGk=}", "a.yaml")
    assert plain == {"a": {"x": 1}, "b": {"<<": {"x": 1}, "y": "inf", "z": "2025-01-01", "1": "b'hi'"}}
