"""Privacy over every surface: nobody comes by what is not for it, whatever it calls, reads, lists or completes.

The words that must not be found are the ends of sentences: their beginnings may be searched for, and be repeated by an
answer, without having been read.
"""

from __future__ import annotations

import inspect
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from board import Board
from conftest import Clock
from serving import LEGACY, MODERN, serving
from surfaces import SECTIONS, Names, Walk, calls

from swarm_mcp import operations
from swarm_mcp.model import ids
from swarm_mcp.operations import projects
from swarm_mcp.operations.catalog import CATALOG
from swarm_mcp.operations.swarm import Swarm, open_swarm
from swarm_mcp.repository import references
from swarm_mcp.server.toolbox import every_tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

NOTE, NOTED = "swordfish opens the door of the nautilus", "nautilus"
WORDS, WRITTEN = "mackerel feeds the old narwhal", "narwhal"


@dataclass
class Scene:
    """A board on which ada has written a note, and said something to bob, who both work below others."""

    path: Path
    board: Board
    task: str
    others: list[str]

    def names(self, viewer: str) -> Names:
        """What somebody may name here."""
        with closing(sqlite3.connect(self.path)) as connection:
            threads = [row[0] for row in connection.execute("SELECT id FROM conversation")]
            said = [f"m{row[0]}" for row in connection.execute("SELECT id FROM message")]
        everybody = ["ada", "bob", "cy", "boss", "lead"]
        return Names(
            viewer,
            tasks=[self.task, *self.others],
            agents=[each for each in everybody if each != viewer],
            teams=["backend"],
            messages=said,
            conversations=threads,
            words=["swordfish", "mackerel", "sword fish", "mack"],
        )


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Ada's task, the tasks around it, and everything that is private about them."""
    board = Board(open_swarm(tmp_path / "swarm.db"), Clock())
    for agent in ("lead", "ada", "bob", "cy"):
        board.inbox(agent)
    board.enlist("boss", below="lead", role="supervisor")
    for agent in ("ada", "cy"):
        board.enlist(agent, below="boss", specialty="coding")
    board.team("backend", "ada", "cy", supervisor="boss")
    parent = board.create("Everything", by="boss")
    task = board.create("Ada's part", by="boss", parent=parent, criteria=["Seen"], estimated_hours=2)
    waiter = board.create("What comes after", depends_on=[task], assignee="bob", deadline="2020-01-01")
    done = board.create("Done before", assignee="ada")
    board.call("ada", operations.add_note, task=done, text=NOTE)
    board.finish("ada", done)
    board.claim("ada", task)
    board.ask("ada", task, "Left or right?")
    board.send("boss", "Left.", to="ada", task=task)
    board.report("ada", task, "Half.", percent=50)
    board.call("ada", operations.share_context, task=task, key="port", value=8080)
    for each in (task, parent):
        board.call("ada", operations.add_note, task=each, text=NOTE)
    board.send("ada", WORDS, to="bob", task=task)
    board.send("bob", f"{WORDS} indeed", to="ada", task=waiter)
    board.send("ada", f"{WORDS} too", to="bob")
    board.send("ada", f"{WORDS} and me", to="operator", task=task)
    free = board.create("For anybody", needs_review=True)
    yield Scene(tmp_path / "swarm.db", board, task, [free, waiter, parent, done])
    board.swarm.close()


def test_every_tool_has_its_calls_in_the_table() -> None:
    table = calls(Names("lead", tasks=["k3x9m2qa"], agents=["ada"]))
    assert {tool["name"] for tool in every_tool()} | CATALOG.keys() <= table.keys(), (
        "add its widest calls to surfaces.py"
    )


OTHERS = {"cy": "director", "boss": "director", "lead": "director", "stranger": "worker", "watcher": "observer"}


@pytest.mark.parametrize("viewer", OTHERS)
def test_nobody_comes_by_a_note_or_a_message_of_others_through_any_surface(scene: Scene, viewer: str) -> None:
    mode = LEGACY if viewer == "boss" else MODERN
    with serving(scene.path, "--agent", viewer, "--profile", OTHERS[viewer], mode=mode) as desk:
        walk = Walk(desk, scene.names(viewer))
        heard = walk.everything() + walk.log()
    assert len(walk.heard) > 150
    assert "swarm://tasks/{task_id}" in walk.walked
    assert "Left or right?" in heard, "what is public is seen"
    assert NOTED not in heard
    assert WRITTEN not in heard


@pytest.mark.parametrize(("viewer", "sees"), [("ada", (True, True)), ("bob", (False, True))])
def test_the_walk_finds_what_its_caller_may_read(scene: Scene, viewer: str, sees: tuple[bool, bool]) -> None:
    with serving(scene.path, "--agent", viewer) as desk:
        walk = Walk(desk, scene.names(viewer))
        walk.tools(writing=False)
        walk.resources()
    heard = "\n".join(walk.heard)
    assert (NOTED in heard, WRITTEN in heard) == sees


@pytest.mark.parametrize("viewer", ["cy", "boss", "lead", "stranger"])
def test_scripts_that_act_as_an_agent_come_by_no_more(scene: Scene, viewer: str) -> None:
    heard: list[object] = []
    for name, table in calls(scene.names(viewer)).items():
        for said in table if name in CATALOG else ():
            heard += [tried(scene.board.swarm, viewer, name, said), look(scene, viewer)]
    assert len(heard) > 300
    assert NOTED not in str(heard)
    assert WRITTEN not in str(heard)


def tried(swarm: Swarm, agent: str, name: str, said: dict[str, Any]) -> object:
    """What an operation answers to an agent, or the error instead."""
    operation = CATALOG[name]
    takes = inspect.signature(operation.run).parameters
    given = {key: value for key, value in said.items() if key in takes}
    try:
        return repr(swarm.write(lambda db: operation.run(db, **given), agent=agent))
    except Exception as error:
        return repr((error, getattr(error, "facts", "")))


def look(scene: Scene, agent: str) -> object:
    """What a task shows of itself to an agent."""
    return tried(scene.board.swarm, agent, "get_task", {"task": scene.task, "include": SECTIONS, "max_tokens": 8000})


def test_the_operator_reads_both(scene: Scene) -> None:
    brief = scene.board.brief("", scene.task, include=["notes", "messages"])
    assert NOTED in str(brief.notes)
    assert f"{WRITTEN} and me" in str(brief.messages)
    assert WRITTEN in str(scene.board.inbox(""))


@pytest.mark.parametrize(
    ("viewer", "found"), [("cy", 0), ("boss", 0), ("lead", 0), ("stranger", 0), ("bob", 2), ("", 2)]
)
def test_a_search_counts_only_what_its_reader_may_read(scene: Scene, viewer: str, found: int) -> None:
    def search(word: str) -> int:
        return scene.board.swarm.read(lambda db: operations.list_tasks(db, text=word), agent=viewer).total

    assert search("mackerel") == found
    assert search("swordfish") == 0, "notes are found by nobody"


# --- projects -------------------------------------------------------------------------------------------------------


@pytest.fixture
def walls(scene: Scene) -> tuple[Scene, Swarm]:
    """The scene with a marked word in every place, and another project on the same file where the same people work."""
    board = scene.board
    board.enlist("quokka_dev", below="lead", specialty="quokkology", title=f"Of the {WRITTEN}", capabilities=["quokka"])
    board.team("quokka_team", "quokka_dev")
    marked = board.create(
        f"Feed the {WRITTEN}",
        description=NOTE,
        assignee="quokka_dev",
        tags=["quokka"],
        area="quokka",
        criteria=[f"The {WRITTEN} eats"],
        key="quokka",
        touches=["quokka/"],
        source="quokka",
        priority="critical",
    )
    board.call("lead", operations.share_context, key="quokka", value=NOTE)
    board.swarm.write(lambda db: references.insert_references(db, "quokkas", [(marked, "QUOKKA-1", {"said": NOTE})]))
    board.swarm.write(lambda db: projects.create_project(db, "other"))
    other = Swarm(board.swarm.database, "other")
    other.write(lambda db: operations.create_task(db, title="Something else"), agent="lead")
    other.write(lambda db: operations.share_context(db, key="k", value="v"), agent="ada")
    scene.others.append(marked)
    return scene, other


@pytest.mark.parametrize("viewer", ["lead", "ada"])
def test_nothing_crosses_from_one_project_to_another(walls: tuple[Scene, Swarm], viewer: str) -> None:
    scene, other = walls
    here = [row.id for row in other.read(operations.list_tasks).tasks]
    there = scene.names(viewer)
    theirs = there.tasks
    cut = [each[:6] for each in theirs]
    at = Names(
        viewer, tasks=[*here, *cut, "QUOK-1"], agents=["quoka_dev", "ada", "bob"], teams=["backend", "quoka_team"],
        messages=there.messages, conversations=there.conversations, words=["mackerel", "sword", "door", "Feed", "q"],
    )  # fmt: skip
    with serving(scene.path, "--agent", viewer, "--project", "other") as desk:
        walk = Walk(desk, at)
        heard = walk.everything() + walk.log()
    assert "Something else" in heard, "it was read"
    found = [each for each in (NOTED, WRITTEN, "quokka", "QUOKKA-1", "8080", "Left or right", *theirs) if each in heard]
    assert found == []


def test_the_walk_finds_all_of_it_in_its_own_project(walls: tuple[Scene, Swarm]) -> None:
    scene, _ = walls
    with serving(scene.path, "--agent", "lead") as desk:
        walk = Walk(desk, scene.names("lead"))
        walk.tools(writing=False)
        walk.resources()
    heard = "\n".join(walk.heard)
    assert [
        each for each in (NOTED, WRITTEN, "quokka", "8080", "Left or right", *walk.at.tasks) if each not in heard
    ] == []


def test_what_is_done_in_one_project_leaves_no_trace_in_the_other(walls: tuple[Scene, Swarm]) -> None:
    scene, other = walls

    def counted() -> list[Any]:
        with closing(sqlite3.connect(scene.path)) as connection:
            tables = ("task", "event", "message", "inbox", "context", "agent", "team", "external_ref", "idempotency")
            return [
                connection.execute(f"SELECT count(*) FROM {each} WHERE project = 'default'").fetchone()
                for each in tables
            ]

    before = counted()
    for name, table in calls(Names("lead", tasks=[*scene.others], agents=["ada", "bob"], teams=["backend"])).items():
        for said in table if name in CATALOG else ():
            tried(other, "lead", name, said)
    assert counted() == before


def test_an_agent_that_works_in_two_projects_is_two_agents(walls: tuple[Scene, Swarm]) -> None:
    scene, other = walls
    assert scene.board.swarm.read(operations.list_tasks).total > other.read(operations.list_tasks).total == 1
    assert other.write(operations.check_inbox, agent="ada").items == []
    with scene.board.swarm.reading() as mine, other.reading() as its:
        from swarm_mcp.repository import agents

        assert agents.find_agent(mine, "ada").id != agents.find_agent(its, "ada").id


def test_an_id_is_unique_in_the_whole_store_so_that_none_can_be_mistaken_for_another_projects() -> None:
    assert len({ids.new_task_id() for _ in range(1000)}) == 1000
