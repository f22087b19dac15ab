"""What is no plan, or a plan made to harm: one sentence, exit code 1, and nothing written. For every format alike.

A format that is new in `swarm-mcp import` gets a row in `PLANS`, which says how a sound plan of it is written; each
damage is then done to that.
"""

from __future__ import annotations

import json
import os
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from swarm_mcp.cli.importing import FORMATS
from swarm_mcp.interchange.foreign.source_file import SIZE_LIMIT
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository.sqlite import driver
from swarm_mcp.repository.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Program

TASKS = {"1": ("Dig", ["2"]), "2": ("Fetch a spade", [])}
"""A sound plan: ids, titles and what each waits for."""


class Plan(NamedTuple):
    """How a format is written: what is given to the importer, and the file in it that is damaged."""

    write: Callable[[Path, dict[str, tuple[str, list[str]]]], tuple[Path, Path]]
    nested: bytes
    """A file that nests more deeply than anybody can walk."""
    twice: Callable[[Path], None]
    """Let a sound plan say the same id twice."""
    spared: frozenset[str] = frozenset()
    """The damages that do no harm to this format: of a page of prose, half is a page of prose."""


def write_taskmaster(folder: Path, tasks: dict[str, tuple[str, list[str]]]) -> tuple[Path, Path]:
    path = folder / "tasks.json"
    listed = [
        {"id": int(name), "title": title, "status": "pending", "dependencies": [int(each) for each in after]}
        for name, (title, after) in tasks.items()
    ]
    path.write_text(json.dumps({"tasks": listed}, ensure_ascii=False), encoding="utf-8")
    return path, path


def write_beads(folder: Path, tasks: dict[str, tuple[str, list[str]]]) -> tuple[Path, Path]:
    path = folder / "issues.jsonl"
    lines: list[dict[str, Any]] = [
        {
            "id": name, "title": title, "status": "open",
            "dependencies": [{"issue_id": name, "depends_on_id": each, "type": "blocks"} for each in after],
        }
        for name, (title, after) in tasks.items()
    ]  # fmt: skip
    path.write_text("".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in lines), encoding="utf-8")
    return path, path


def write_task_orchestrator(folder: Path, tasks: dict[str, tuple[str, list[str]]]) -> tuple[Path, Path]:
    (given := folder / ".task-orchestrator").mkdir()
    with closing(driver().connect(given / "tasks.db")) as connection, connection:
        connection.execute("CREATE TABLE tasks (id TEXT PRIMARY KEY, title TEXT NOT NULL, status TEXT)")
        connection.execute("CREATE TABLE dependencies (task_id TEXT NOT NULL, depends_on TEXT NOT NULL)")
        for name, (title, after) in tasks.items():
            connection.execute("INSERT INTO tasks VALUES (?, ?, 'pending')", (name, title))
            connection.executemany("INSERT INTO dependencies VALUES (?, ?)", [(name, each) for each in after])
    return given, given / "tasks.db"


def say_it_twice_in_sql(path: Path) -> None:
    """Both tasks get the same number, with a blank beside it that the key does not know."""
    with closing(driver().connect(path)) as connection, connection:
        connection.execute("UPDATE tasks SET id = '1 ' WHERE id = '2'")


def write_tickets(folder: Path, tasks: dict[str, tuple[str, list[str]]]) -> tuple[Path, Path]:
    (given := folder / "plan").mkdir()
    for name, (title, after) in tasks.items():
        said = {"id": name, "title": title, "status": "open", "dependencies": after}
        lines = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in said.items())
        (given / f"{name}.md").write_text(f"---\n{lines}---\n", encoding="utf-8")
    return given, given / "1.md"


def say_it_twice(path: Path) -> None:
    """Both tasks get the same number."""
    path.write_text(path.read_text(encoding="utf-8").replace('"id": 2', '"id": 1').replace('"id": "2"', '"id": "1"'))


PLANS = {
    "taskmaster": Plan(write_taskmaster, b'{"tasks": ' + b"[" * 500_000, say_it_twice),
    # To SQLite a text may be anything, and is kept as far as it can be read; and a file may have room at its end.
    "task-orchestrator": Plan(
        write_task_orchestrator, b"[" * 500_000, say_it_twice_in_sql, frozenset({"encode_wrongly", "stretch"})
    ),
    "beads": Plan(write_beads, b'{"id": "1", "design": ' + b"[" * 500_000, say_it_twice),
    # Of several files in a folder, those that are none are left out, and two with one id are both kept.
    "tickets": Plan(
        write_tickets,
        b"---\nid: " + b"[" * 60_000 + b"\n---\n",
        say_it_twice,
        frozenset({"empty", "repeat", "link_in_a_circle", "link_to_nowhere", "link_to_a_device", "make_a_folder"}),
    ),
}


# --- what can be done to a file -------------------------------------------------------------------------------------


def truncate(path: Path, _: Plan) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def empty(path: Path, _: Plan) -> None:
    path.write_bytes(b"")


def make_binary(path: Path, _: Plan) -> None:
    path.write_bytes(bytes(range(256)) * 64)


def encode_wrongly(path: Path, _: Plan) -> None:
    path.write_bytes(path.read_bytes().replace(b"Dig", "Düg".encode("cp1252")))


def nest(path: Path, plan: Plan) -> None:
    path.write_bytes(plan.nested)


def grow(path: Path, _: Plan) -> None:
    """One line of more than a gigabyte, which takes no room on the disk and should not be read."""
    with path.open("r+b") as target:
        target.truncate(2**30 + 1)


def stretch(path: Path, _: Plan) -> None:
    """One line of as much as is read at all, in which there is nothing."""
    with path.open("r+b") as target:
        target.truncate(SIZE_LIMIT // 8)


def repeat(path: Path, plan: Plan) -> None:
    plan.twice(path)


def link_in_a_circle(path: Path, _: Plan) -> None:
    path.unlink()
    path.symlink_to(path.with_name("other"))
    path.with_name("other").symlink_to(path)


def link_to_nowhere(path: Path, _: Plan) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def make_a_pipe(path: Path, _: Plan) -> None:
    path.unlink()
    os.mkfifo(path)


def link_to_a_device(path: Path, _: Plan) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def make_a_folder(path: Path, _: Plan) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [
    truncate, empty, make_binary, encode_wrongly, nest, grow, stretch, repeat, link_in_a_circle, link_to_nowhere,
    make_a_pipe, link_to_a_device, make_a_folder,
]  # fmt: skip


# --- what becomes of it ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board on which nothing is."""
    path = tmp_path_factory.mktemp("hostile") / "board.db"
    open_swarm(path).close()
    return path


def rows(place: Path) -> dict[str, int]:
    """How many there are in every table."""
    with closing(driver().connect(place)) as connection:
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in metadata.tables}


def refused(program: Program, place: Path, *words: object) -> str:
    """The sentence with which an import is refused, and nothing else."""
    before = rows(place)
    code, out, err = program("import", *words, "--database", place)
    assert (code, out, err.count("\n")) == (1, "", 1), err
    assert "Traceback" not in err
    assert rows(place) == before
    return err


def test_every_format_is_tried() -> None:
    assert PLANS.keys() == FORMATS.keys()


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
def test_a_damaged_plan_is_refused_in_one_sentence(
    program: Program, place: Path, tmp_path: Path, name: str, damage: Callable[[Path, Plan], None]
) -> None:
    plan = PLANS[name]
    given, part = plan.write(tmp_path, TASKS)
    damage(part, plan)
    if damage.__name__ in plan.spared:
        assert program("import", name, given, "--dry-run", "--database", place)[0] == 0
        return
    sentence = refused(program, place, name, given)
    assert str(tmp_path) not in sentence
    assert part.name in sentence or given.name in sentence


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_waits_for_itself_is_refused_with_its_path(
    program: Program, place: Path, tmp_path: Path, name: str
) -> None:
    given, _ = PLANS[name].write(tmp_path, {"1": ("Hen", ["3"]), "2": ("Egg", ["1"]), "3": ("Nest", ["2"])})
    sentence = refused(program, place, name, given)
    assert sentence.startswith("Nothing was imported. The plan waits for itself: ")
    assert sentence.count(" → ") == 3


@pytest.mark.parametrize("name", PLANS)
def test_text_from_the_wrong_code_page_is_kept_and_reported(
    program: Program, place: Path, tmp_path: Path, name: str
) -> None:
    given, _ = PLANS[name].write(tmp_path, {"1": ("BrÃ¶tchen â€“ zwei", [])})
    code, out, err = program("import", name, given, "--dry-run", "--json", "--database", place)
    report = json.loads(out)
    assert (code, err, report["created"]) == (0, "", 1)
    assert any("wrong code page" in each for each in report["guessed"]), report
