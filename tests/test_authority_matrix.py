"""Who may do what: every tool that writes, tried by everybody who stands in some relation to its task, agent or team.

Each table says what shall be: `x` it may, `.` it is refused as not allowed, `r` it may once the claim is recalled, and
an empty place where there is nothing to try. `^creator` stands above the creator. Everything is tried for real, and
undone.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from board import Board
from conftest import Clock
from recount import problems

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.errors import Conflict, NotAllowed
from swarm_mcp.operations.catalog import CATALOG
from swarm_mcp.repository import tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from swarm_mcp.repository.database import Transaction

PEOPLE = """
kim   supervisor lead
carl  supervisor kim
dan   supervisor lead
dora  supervisor dan
sue   supervisor dora
ada   worker     sue
pat   worker     sue
kid   worker     ada
tom   supervisor lead
bob   worker     tom
tim   supervisor lead
tess  supervisor tim
mia   worker     lead
"""
"""Who is on the board, what for, and below whom. `lead` is the root director."""


@pytest.fixture(scope="module")
def house(manned_board: tuple[Board, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """One board for all tables: whatever is tried on it is undone."""
    path = shutil.copy(manned_board[1], tmp_path_factory.mktemp("matrix") / "swarm.db")
    clock = Clock()
    board = Board(open_swarm(path, clock=clock), clock)
    for name, role, superior in map(str.split, PEOPLE.strip().splitlines()):
        board.register("", name, role=role, superior=superior)
        board.inbox(name)
    board.call("", operations.register_team, name="backend", supervisor="tess")
    board.register("", "mia", team="backend")
    board.register("", "ada", specialty="coding")
    yield board
    board.swarm.close()
    assert problems(path) == []


class Undone(Exception):
    """What was tried shall leave nothing."""


def verdict(board: Board, agent: str, deed: Callable[[Transaction], object]) -> str:
    """Whether an agent may do it, tried in a transaction that is then undone."""

    def attempt(db: Transaction) -> None:
        deed(db)
        raise Undone

    with pytest.raises((Undone, NotAllowed, Conflict)) as met:
        board.swarm.write(attempt, agent=agent, profile=Profile.WORKER, connection="host")
    assert met.type is not Conflict or 'action="recall"' in str(met.value)
    return {Undone: "x", NotAllowed: ".", Conflict: "r"}[met.type]


def rows(table: str) -> dict[str, dict[str, str]]:
    """A table as it is written: what shall be, by deed and by relation."""
    head, *lines = table.strip("\n").splitlines()
    columns = [(name[0], name.start()) for name in re.finditer(r"\S+", head)]
    label = columns[0][1]
    return {line[:label].strip(): {name: line[at : at + 1].strip() for name, at in columns} for line in lines}


# --- tasks ------------------------------------------------------------------------------------------------------------


class Scene(NamedTuple):
    """Who stands in which relation to a task, and who works on it."""

    who: dict[str, str]
    worker: str


SCENES = {  # of the scene `part`, those of its parent
    "assigned": Scene(
        {
            "creator": "carl", "^creator": "kim", "delegator": "dora", "^delegator": "dan",
            "^assignee": "sue", "assignee": "ada", "peer": "pat", "below": "kid", "stranger": "bob",
            "root": "lead", "operator": "",
        },
        "ada",
    ),
    "claimed": Scene(
        {
            "creator": "carl", "^creator": "kim", "holder": "ada", "^holder": "sue", "peer": "pat",
            "stranger": "bob", "root": "lead", "operator": "",
        },
        "ada",
    ),
    "pooled": Scene(
        {
            "supervisor": "tess", "^supervisor": "tim", "member": "mia", "stranger": "bob", "root": "lead",
            "operator": "",
        },
        "mia",
    ),
    "part": Scene(
        {
            "creator": "carl", "^creator": "kim", "delegator": "dora", "assignee": "sue",
            "worker": "pat", "stranger": "bob", "root": "lead", "operator": "",
        },
        "pat",
    ),
}  # fmt: skip


def new_task(board: Board, scene: str, **said: Any) -> str:
    """A task that lies as the scene says; nobody has claimed it yet."""
    if scene == "pooled":
        return board.create(by="", assignee="backend", **said)
    if scene == "claimed":
        return board.create(by="carl", **said)
    task = board.create(by="carl", **(said if scene == "assigned" else {}))
    board.delegate("lead", task, "dora")
    board.delegate("dora", task, "ada" if scene == "assigned" else "sue")
    return task if scene == "assigned" else board.create(by="", parent=task, **said)


def task_in(board: Board, scene: str, state: str) -> str:
    """A task of the scene, brought to a state by its worker and the operator."""
    worker = SCENES[scene].worker
    criteria = {"criteria": ["It works."]} if state == "with criteria" else {}
    task = new_task(board, scene, needs_review=state == "in_review", **criteria)
    if state in {"claimed", "in_review", "failed", "completed", "archived"} or (scene, state) == (
        "claimed",
        "as it is",
    ):
        board.claim(worker, task)
    if state in {"in_review", "completed", "archived"}:
        board.complete(worker, task)
    if state == "failed":
        board.complete(worker, task, outcome="failed")
    if state == "held":
        board.update("", task, action="hold", reason="not now")
    if state == "archived":
        board.update("", task, action="archive")
    if state == "waiting":
        board.update("", task, add_depends_on=[board.create(by="", title="Before")])
    return task


Deed = tuple[str, "Callable[[Transaction, str], object]"]


def act(action: str, state: str = "as it is") -> Deed:
    """An action of update_task."""
    return state, lambda db, task: operations.update_task(db, task=task, action=action, reason="so it is")


def judge(verdict: str, state: str = "in_review") -> Deed:
    """A verdict of review_task."""
    return state, lambda db, task: operations.review_task(db, task=task, verdict=verdict, notes="so it is")


def report(status: str) -> Deed:
    return "claimed", lambda db, task: operations.report_progress(db, task=task, message="So it is.", status=status)


def under(db: Transaction, task: str, part: str) -> None:
    """What a worker discovers goes beside its own work, if it is not allowed where it wanted it."""
    if tasks.task_row(db, part).parent_id != task:
        raise NotAllowed


def edges(db: Transaction, task: str) -> list[str]:
    """What a task waits for."""
    found = operations.get_task(db, task=task)
    return found.task.depends_on  # type: ignore[union-attr]


DEEDS: dict[str, Deed] = {
    "claim_task": ("pending", lambda db, task: operations.claim_task(db, task=task)),
    "report_progress": report(""),
    "report_progress: hold": report("blocked"),
    "report_progress: ask": report("requires_assistance"),
    "report_progress: release": report("released"),
    "complete_task": ("claimed", lambda db, task: operations.complete_task(db, task=task, summary="Done.")),
    "share_context": ("as it is", lambda db, task: operations.share_context(db, task=task, key="a", value=1)),
    "add_note": ("as it is", lambda db, task: operations.add_note(db, task=task, text="Mine.")),
    "send_message": ("as it is", lambda db, task: operations.send_message(db, task=task, to="all", text="Hello.")),
    "join_task": ("as it is", lambda db, task: operations.join_task(db, task=task)),
    "create_task: under it": ("as it is", lambda db, task: under(
        db, task, operations.create_task(db, title="Part", parent=task).task.id
    )),
    "create_plan: under it": ("as it is", lambda db, task: under(
        db, task, operations.create_plan(db, tasks=[{"title": "Part"}], parent=task).ids["#1"]
    )),
    "update_task: words": ("as it is", lambda db, task: operations.update_task(db, task=task, title="Other words")),
    "update_task: unassign": ("as it is", lambda db, task: operations.update_task(db, task=task, clear=["assignee"])),
    "update_task: parent": ("as it is", lambda db, task: operations.update_task(db, task=task, clear=["parent"])),
    "update_task: criteria": ("as it is", lambda db, task: operations.update_task(db, task=task, add_criteria=["So."])),
    "update_task: add edge": ("waiting", lambda db, task: operations.update_task(
        db, task=task, add_depends_on=[f"related:{edges(db, task)[0]}"]
    )),
    "update_task: drop edge": (
        "waiting", lambda db, task: operations.update_task(db, task=task, drop_depends_on=edges(db, task))
    ),
    "update_task: hold": act("hold"),
    "update_task: resume": act("resume", "held"),
    "update_task: recall": act("recall", "claimed"),
    "update_task: cancel": act("cancel"),
    "update_task: retry": act("retry", "failed"),
    "update_task: reopen": act("reopen", "completed"),
    "update_task: archive": act("archive", "completed"),
    "update_task: unarchive": act("unarchive", "archived"),
    "delegate": ("as it is", lambda db, task: operations.delegate(db, task=task, to="specialty:coding")),
    "review_task: accept": judge("accept"),
    "review_task: rework": judge("rework"),
    "review_task: fail": judge("fail"),
    "review_task: waive": judge("waive", "with criteria"),
    "review_task: rate": ("as it is", lambda db, task: operations.review_task(db, task=task, quality=4)),
}  # fmt: skip
"""What is tried, and in which state of the task. `as it is` is claimed in the scene `claimed`, else pending. In no
other state than `claimed` does anybody hold it."""

TASKS = {
    "assigned": """
                         creator ^creator delegator ^delegator ^assignee assignee peer below stranger root operator
claim_task               .       .        .         .          .         x        .    .     .        .    .
report_progress          .       .        .         .          .         x        .    .     .        .    .
report_progress: hold    .       .        .         .          .         x        .    .     .        .    .
report_progress: ask     .       .        .         .          .         x        .    .     .        .    .
report_progress: release .       .        .         .          .         x        .    .     .        .    .
complete_task            .       .        .         .          .         x        .    .     .        .    .
share_context            x       x        x         x          x         x        x    x     x        x    x
add_note                 x       x        x         x          x         x        x    x     x        x    x
send_message             x       x        x         x          x         x        x    x     x        x    x
join_task                x       x        x         x          x         x        x    x     x        x    .
create_task: under it    x       x        x         x          x         x        .    .     .        x    x
create_plan: under it    x       x        x         x          x         x        .    .     .        x    x
update_task: words       x       x        x         x          x         .        .    .     .        x    x
update_task: unassign    x       x        x         x          x         .        .    .     .        x    x
update_task: parent      x       x        x         x          x         .        .    .     .        x    x
update_task: criteria    x       x        x         x          x         .        .    .     .        x    x
update_task: add edge    x       x        x         x          x         x        .    .     .        x    x
update_task: drop edge   x       x        x         x          x         .        .    .     .        x    x
update_task: hold        x       x        x         x          x         x        .    .     .        x    x
update_task: resume      x       x        x         x          x         .        .    .     .        x    x
update_task: recall      x       x        x         x          x         .        .    .     .        x    x
update_task: cancel      x       x        x         x          x         .        .    .     .        x    x
update_task: retry       x       x        x         x          x         .        .    .     .        x    x
update_task: reopen      x       x        x         x          x         .        .    .     .        x    x
update_task: archive     x       x        x         x          x         .        .    .     .        x    x
update_task: unarchive   x       x        x         x          x         .        .    .     .        x    x
delegate                 x       x        x         x          x         x        .    .     .        x    x
review_task: accept      x       x        x         x          x         .        .    .     .        x    x
review_task: rework      x       x        x         x          x         .        .    .     .        x    x
review_task: fail        x       x        x         x          x         .        .    .     .        x    x
review_task: waive       x       x        x         x          x         .        .    .     .        x    x
review_task: rate        x       x        x         x          x         .        .    .     .        x    x
""",
    "claimed": """
                         creator ^creator holder ^holder peer stranger root operator
claim_task               x       x        x      x       x    x        x    .
report_progress          .       .        x      .       .    .        .    .
report_progress: hold    .       .        x      .       .    .        .    .
report_progress: ask     .       .        x      .       .    .        .    .
report_progress: release .       .        x      .       .    .        .    .
complete_task            .       .        x      .       .    .        .    .
share_context            x       x        x      x       x    x        x    x
add_note                 x       x        x      x       x    x        x    x
send_message             x       x        x      x       x    x        x    x
join_task                x       x        x      x       x    x        x    .
create_task: under it    x       x        x      .       .    .        x    x
create_plan: under it    x       x        x      .       .    .        x    x
update_task: words       x       x        .      .       .    .        x    x
update_task: unassign    x       x        .      .       .    .        x    x
update_task: parent      x       x        .      .       .    .        x    x
update_task: criteria    x       x        .      .       .    .        x    x
update_task: add edge    x       x        .      .       .    .        x    x
update_task: drop edge   x       x        .      .       .    .        x    x
update_task: hold        x       x        x      .       .    .        x    x
update_task: resume      x       x        .      .       .    .        x    x
update_task: recall      x       x        .      x       .    .        x    x
update_task: cancel      x       x        .      .       .    .        x    x
update_task: retry       x       x        .      .       .    .        x    x
update_task: reopen      x       x        .      .       .    .        x    x
update_task: archive     x       x        .      .       .    .        x    x
update_task: unarchive   x       x        .      .       .    .        x    x
delegate                 r       r        x      .       .    .        r    r
review_task: accept      x       x        .      .       .    .        x    x
review_task: rework      x       x        .      .       .    .        x    x
review_task: fail        x       x        .      .       .    .        x    x
review_task: waive       x       x        .      .       .    .        x    x
review_task: rate        x       x        .      .       .    .        x    x
""",
    "pooled": """
                         supervisor ^supervisor member stranger root operator
claim_task               .          .           x      .        .    .
report_progress          .          .           x      .        .    .
report_progress: hold    .          .           x      .        .    .
report_progress: ask     .          .           x      .        .    .
report_progress: release .          .           x      .        .    .
complete_task            .          .           x      .        .    .
share_context            x          x           x      x        x    x
add_note                 x          x           x      x        x    x
send_message             x          x           x      x        x    x
join_task                x          x           x      x        x    .
create_task: under it    x          x           .      .        x    x
create_plan: under it    x          x           .      .        x    x
update_task: words       x          x           .      .        x    x
update_task: unassign    x          x           .      .        x    x
update_task: parent      x          x           .      .        x    x
update_task: criteria    x          x           .      .        x    x
update_task: add edge    x          x           .      .        x    x
update_task: drop edge   x          x           .      .        x    x
update_task: hold        x          x           .      .        x    x
update_task: resume      x          x           .      .        x    x
update_task: recall      x          x           .      .        x    x
update_task: cancel      x          x           .      .        x    x
update_task: retry       x          x           .      .        x    x
update_task: reopen      x          x           .      .        x    x
update_task: archive     x          x           .      .        x    x
update_task: unarchive   x          x           .      .        x    x
delegate                 x          x           .      .        x    x
review_task: accept      x          x           .      .        x    x
review_task: rework      x          x           .      .        x    x
review_task: fail        x          x           .      .        x    x
review_task: waive       x          x           .      .        x    x
review_task: rate        x          x           .      .        x    x
""",
    "part": """
                         creator ^creator delegator assignee worker stranger root operator
claim_task               x       x        x         x        x      x        x    .
report_progress          .       .        .         .        x      .        .    .
report_progress: hold    .       .        .         .        x      .        .    .
report_progress: ask     .       .        .         .        x      .        .    .
report_progress: release .       .        .         .        x      .        .    .
complete_task            .       .        .         .        x      .        .    .
share_context            x       x        x         x        x      x        x    x
add_note                 x       x        x         x        x      x        x    x
send_message             x       x        x         x        x      x        x    x
join_task                x       x        x         x        x      x        x    .
create_task: under it    x       x        x         x        .      .        x    x
create_plan: under it    x       x        x         x        .      .        x    x
update_task: words       x       x        x         x        .      .        x    x
update_task: unassign    x       x        x         x        .      .        x    x
update_task: parent      x       x        x         x        .      .        x    x
update_task: criteria    x       x        x         x        .      .        x    x
update_task: add edge    x       x        x         x        .      .        x    x
update_task: drop edge   x       x        x         x        .      .        x    x
update_task: hold        x       x        x         x        .      .        x    x
update_task: resume      x       x        x         x        .      .        x    x
update_task: recall      x       x        x         x        .      .        x    x
update_task: cancel      x       x        x         x        .      .        x    x
update_task: retry       x       x        x         x        .      .        x    x
update_task: reopen      x       x        x         x        .      .        x    x
update_task: archive     x       x        x         x        .      .        x    x
update_task: unarchive   x       x        x         x        .      .        x    x
delegate                 x       x        x         x        .      .        x    x
review_task: accept      x       x        x         x        .      .        x    x
review_task: rework      x       x        x         x        .      .        x    x
review_task: fail        x       x        x         x        .      .        x    x
review_task: waive       x       x        x         x        .      .        x    x
review_task: rate        x       x        x         x        .      .        x    x
""",
}


def show(found: dict[str, str]) -> str:
    """A row of a table, to be compared as a whole."""
    return " ".join(f"{name}:{value}" for name, value in found.items())


def compare(house: Board, row: dict[str, str], who: dict[str, str], do: Callable[[Transaction], object]) -> None:
    """Let everybody of whom a row of a table says something try a deed."""
    expected = {name: value for name, value in row.items() if value}
    assert show({name: verdict(house, who[name], do) for name in expected}) == show(expected)


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("scene", SCENES)
def test_everybody_may_do_to_a_task_what_the_table_says(house: Board, scene: str, deed: str) -> None:
    state, do = DEEDS[deed]
    task = task_in(house, scene, state)
    found = {name: verdict(house, agent, lambda db: do(db, task)) for name, agent in SCENES[scene].who.items()}
    assert show(found) == show(rows(TASKS[scene])[deed])


# --- agents and teams -------------------------------------------------------------------------------------------------

RELATED = {
    "itself": "ada", "superior": "sue", "^superior": "dora", "below": "kid", "peer": "pat", "stranger": "bob",
    "teams_supervisor": "tess", "root": "lead", "operator": "",
}  # fmt: skip
"""Who is tried on the agent ada, of whom the table speaks."""


def register(**said: Any) -> Callable[[Transaction], object]:
    return lambda db: operations.register_agent(db, **{"name": "ada", **said})


def team_of(db: Transaction) -> object:
    """Put ada into a team of the caller's own."""
    operations.register_team(db, name="frontend")
    return operations.register_agent(db, name="ada", team="frontend")


REGISTERING: dict[str, Callable[[Transaction], object]] = {
    "words": register(title="Ada L.", description="Reads.", specialty="testing", capabilities=["sql"], capacity=2),
    "role": register(role="specialist"),
    "superior": register(superior="lead"),
    "superior: the caller": lambda db: register(superior=db.actor.name)(db),
    "lifecycle": register(lifecycle="paused"),
    "root director": register(role="director", superior="operator"),
    "a new one below it": register(name="new", superior="ada"),
    "a new specialist below it": register(name="new", superior="ada", role="specialist"),
    "into the team backend": register(team="backend"),
    "into a team of the caller's": team_of,
    "config": lambda db: operations.configure_agent(db, name="ada", config={"a": 1}),
    "health": lambda db: operations.configure_agent(db, name="ada", health={"a": 1}),
    "policies": lambda db: operations.set_policy(db, lease_minutes=10),
}

AGENTS = """
                             itself superior ^superior below peer stranger teams_supervisor root operator
words                        x      x        x         .     .    .        .                x    x
role                         .      x        x         .     .    .        .                x    x
superior                     .      .        .         .     .    .        .                x    x
superior: the caller                         x         .     .    .        .                x
lifecycle                    .      x        x         .     .    .        .                x    x
root director                .      .        .         .     .    .        .                x    x
a new one below it           x      x        x         .     .    .        .                x    x
a new specialist below it    .      x        x         .     .    .        .                x    x
into the team backend        .      .        .         .     .    .        .                x    x
into a team of the caller's  .      x        x         .     .    .        .                x    x
config                       .      x        x         .     .    .        .                x    x
health                       x      x        x         .     .    .        .                x    x
policies                     .      .        .         .     .    .        .                .    x
"""


@pytest.mark.parametrize("deed", REGISTERING)
def test_everybody_may_make_of_an_agent_what_the_table_says(house: Board, deed: str) -> None:
    compare(house, rows(AGENTS)[deed], RELATED, REGISTERING[deed])


TEAMED = {
    "member": "mia", "supervisor": "tess", "^supervisor": "tim", "members_superior": "lead", "stranger": "bob",
    "other_supervisor": "tom", "operator": "",
}  # fmt: skip
GROUPING: dict[str, Callable[[Transaction], object]] = {
    "its words": lambda db: operations.register_team(db, name="backend", objective="Fast answers."),
    "its supervisor: itself": lambda db: operations.register_team(db, name="backend", supervisor=db.actor.name),
    "take in bob": lambda db: operations.register_agent(db, name="bob", team="backend"),
    "take in itself": lambda db: operations.register_agent(db, name=db.actor.name, team="backend"),
    "take in itself as lead": lambda db: operations.register_agent(
        db, name=db.actor.name, team="backend", team_role="lead"
    ),
    "end mia's stay": lambda db: operations.register_agent(db, name="mia", leave_team="backend"),
}
TEAMS = """
                         member supervisor ^supervisor members_superior stranger other_supervisor operator
its words                .      x          x           x                .        .                x
its supervisor: itself   .      x          x           x                .        .
take in bob              .      .          .           x                .        .                x
take in itself                  x          x           x                .        x
take in itself as lead   .      x          x           x                .        .
end mia's stay           x      x          x           x                .        .                x
"""


@pytest.mark.parametrize("deed", GROUPING)
def test_everybody_may_make_of_a_team_what_the_table_says(house: Board, deed: str) -> None:
    compare(house, rows(TEAMS)[deed], TEAMED, GROUPING[deed])


# --- completeness -----------------------------------------------------------------------------------------------------

NOBODYS = {
    "check_inbox": "each reads its own",
    "undo": "see test_undo.py",
    "complete_from_text": "complete_task, read out of prose",
    "create_task_from_delegation": "create_task and delegate, read out of prose",
    "describe_task": "the guards of update_task, see test_describing.py",
}
"""What concerns no task, agent or team of somebody's."""
ELSEWHERE = {"register_agent", "register_team", "configure_agent", "set_policy"}
"""What the tables of agents and teams try."""


def test_every_operation_that_writes_is_in_a_table() -> None:
    writing = {name for name, operation in CATALOG.items() if operation.writes}
    tried = {deed.partition(":")[0] for deed in DEEDS}
    assert writing - tried - ELSEWHERE - NOBODYS.keys() == set(), "add it to the tables, or say here why not"


def test_every_table_has_every_deed_and_every_relation() -> None:
    for scene, table in TASKS.items():
        found = rows(table)
        assert list(found) == list(DEEDS), scene
        assert all(list(row) == list(SCENES[scene].who) for row in found.values()), scene
        assert all(value in set("x.r") for row in found.values() for value in row.values()), scene
