"""Agents and teams from the command line: what each command does to the board, and how it shows what is there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from terminals import terminal

from swarm_mcp import operations
from swarm_mcp.cli import completing, exporting
from swarm_mcp.cli.importing import KNOWN
from swarm_mcp.operations.profiles import agent_facts, list_teams, team_facts
from swarm_mcp.operations.swarm import open_swarm
from swarm_mcp.repository.events import events_after

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Program

    from swarm_mcp.operations.swarm import Swarm

HOSTILE = "[red]now[/red]\x1b[2J\nsecond line\twith a tab"
LONG = "a-specialist-with-quite-a-long-name-of-59-characters-in-all"
SHOWN = "[red]now[/red]␛[2J second line with a tab"


@pytest.fixture
def swarm(tmp_path: Path) -> Iterator[Swarm]:
    """The board that `program` works on: lead above ada and bob."""
    swarm = open_swarm(tmp_path / "board.db")
    for agent in ("lead", "ada", "bob"):
        swarm.write(operations.check_inbox, agent=agent)
    yield swarm
    swarm.close()


def facts(swarm: Swarm, name: str) -> dict[str, Any]:
    return swarm.read(lambda db: agent_facts(db, name))


def members(swarm: Swarm, team: str) -> dict[str, str]:
    found = swarm.read(lambda db: operations.list_agents(db, team=team)).agents
    return {each.name: each.team_role for each in found}


def hostile(swarm: Swarm) -> str:
    """A board with somebody's bad words wherever there is room for words; a task that ada holds."""

    def change(db: Any) -> str:
        operations.register_agent(
            db, name="ada", title=HOSTILE, description=HOSTILE, capabilities=[HOSTILE], team="backend"
        )
        operations.configure_agent(db, name="ada", config={"words": HOSTILE})
        operations.register_team(db, name="backend", objective=HOSTILE, description=HOSTILE, supervisor="lead")
        operations.create_task(db, title="Wait", assignee="team:backend")
        task = operations.create_task(db, title=HOSTILE, assignee="ada").task
        assert task is not None
        return task.id

    task = swarm.write(change)
    swarm.write(lambda db: operations.claim_task(db, task=task), agent="ada")
    return task


def test_an_agent_is_added_changed_paused_resumed_and_ended(swarm: Swarm, program: Program) -> None:
    code, out, err = program(
        "agents", "add", "Eve", "--role", "specialist", "--superior", "ada", "--specialty", "testing", "--capability",
        "pytest", "--capability", "rust", "--capacity", 2, "--team", "backend", "--team-role", "lead", "--title",
        HOSTILE, "--description", "Tests.", "--config", '{"model": "small"}',
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "new, a specialist below ada" in out
    added = facts(swarm, "eve")
    assert {name: added[name] for name in ("role", "superior", "specialty", "capabilities", "capacity")} == {
        "role": "specialist", "superior": "ada", "specialty": "testing", "capabilities": ["pytest", "rust"],
        "capacity": 2,
    }  # fmt: skip
    assert (added["title"], added["config"]) == (HOSTILE, {"model": "small"})
    assert members(swarm, "backend") == {"eve": "lead"}
    for words, expected in (
        (("update", "eve", "--superior", "bob", "--capacity", 0), {"superior": "bob", "capacity": 0}),
        (("update", "EVE", "--leave-team", "backend", "--capability", "go"), {"teams": [], "capabilities": ["go"]}),
        (("update", "eve", "--config", '{"model": "large"}'), {"config": {"model": "large"}}),
        (("pause", "eve"), {"lifecycle": "paused"}),
        (("resume", "eve"), {"lifecycle": "spawning"}),
        (("end", "eve"), {"lifecycle": "terminated"}),
        (("resume", "eve"), {"lifecycle": "spawning"}),
        (("end", "eve", "--failed"), {"lifecycle": "failed"}),
    ):
        code, out, err = program("agents", *words)
        assert (code, err) == (0, ""), words
        assert out.startswith("eve: ")
        after = facts(swarm, "eve")
        assert {name: after[name] for name in expected} == expected
    answer = json.loads(program("agents", "add", "zoe", "--json")[1])
    assert answer["agent"] == {"name": "zoe", "role": "worker", "lifecycle": "spawning", "superior": "lead", "level": 1}


def test_pausing_gives_back_what_was_held(swarm: Swarm, program: Program) -> None:
    task = hostile(swarm)
    assert "claims back in the queue: 1" in program("agents", "pause", "ada")[1]
    assert swarm.read(lambda db: operations.get_task(db, task=task)).task.status == "pending"


def test_teams_are_made_changed_joined_and_left(swarm: Swarm, program: Program) -> None:
    for words, expected in (
        (("create", "backend", "--supervisor", "lead", "--config", '{"on": true}'), ("lead", "", {"on": True}, {})),
        (("update", "team:backend", "--objective", "Fast."), ("lead", "Fast.", {"on": True}, {})),
        (("add", "backend", "ada"), ("lead", "Fast.", {"on": True}, {"ada": "member"})),
        (("add", "backend", "ada", "--role", "trainee"), ("lead", "Fast.", {"on": True}, {"ada": "trainee"})),
        (("add", "backend", "bob", "--role", "supervisor"), ("bob", "Fast.", {"on": True}, {"ada": "trainee"})),
        (("remove", "backend", "ada"), ("bob", "Fast.", {"on": True}, {})),
    ):
        code, _, err = program("teams", *words)
        assert (code, err) == (0, ""), words
        known = swarm.read(lambda db: team_facts(db, "backend"))
        found = (known["supervisor"], known["objective"], known["config"], members(swarm, "backend"))
        assert found == expected, words
    assert program("teams", "list") == (0, "backend\tbob\t0\t0\tFast.\n", "")
    program("teams", "add", "backend", "ada", "--role", "trainee")
    with terminal(80) as screen:
        program("teams", "show", "backend")
    assert re.search(r"in the team.*\n.*\n ?ada +worker .* trainee", screen.text)


def test_who_acts_is_the_operator_or_whom_the_command_names(
    swarm: Swarm, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_AGENT", "ada")
    assert program("teams", "create", "ours")[0] == 0
    assert program("teams", "create", "theirs", "--agent", "lead")[0] == 0
    bosses = {each.name: each.supervisor for each in swarm.read(list_teams)}
    assert bosses == {"ours": "", "theirs": "lead"}
    for words, said in (
        (("agents", "update", "bob", "--capacity", 3), "ada does not stand above bob"),
        (("agents", "pause", "ada"), "ada may not change its own lifecycle"),
        (("agents", "update", "ada", "--capacity", 3, "--config", '{"a": 1}'), "ada may not change its own config"),
        (("teams", "add", "ours", "ada"), "Only the supervisor of team:ours"),
        (("teams", "create", "mine"), "ada is a worker, which makes none"),
    ):
        code, out, err = program(*words, "--agent", "ada")
        assert (code, out, len(err.splitlines())) == (1, "", 1), words
        assert said in err
    assert facts(swarm, "ada")["capacity"] == 0, "nothing of what is refused in part is kept"
    assert program("agents", "update", "ada", "--capacity", 3, "--agent", "ada")[0] == 0
    assert facts(swarm, "ada")["capacity"] == 3


MISTAKES: list[tuple[list[str], int, str]] = [
    (["agents", "show", "adda"], 1, "No agent `adda`. Did you mean `ada`?"),
    (["agents", "pause", "adda"], 1, "No agent `adda`. Did you mean `ada`?"),
    (["agents", "update", "adda", "--role", "worker"], 1, "No agent `adda`. Did you mean `ada`?"),
    (["agents", "add", "ADA"], 1, "There is an agent `ada` already: `swarm-mcp agents update ada` changes it."),
    (["agents", "resume", "fay"], 1, "fay has not called yet; it becomes active by itself"),
    (["agents", "pause", "gus"], 1, "gus has ended (terminated), and there is nothing to pause: "),
    (["agents", "add", "operator"], 1, "`operator` is a reserved word"),
    (["agents", "add", HOSTILE], 1, "is not a name"),
    (["agents", "add", "new", "--role", "boss"], 1, "boss"),
    (["agents", "add", "new", "--superior", "leed"], 1, "No agent `leed`. Did you mean `lead`?"),
    (["agents", "add", "new", "--team-role", "lead"], 1, "team_role goes with team"),
    (["agents", "add", "new", "--config", "[1]"], 1, "`--config` is no JSON object"),
    (["agents", "add", "new", "--config", "{"], 1, "`--config` is not JSON"),
    (["agents", "add", "new", "--config", "[" * 100_000], 1, "`--config` nests lists or objects too deeply"),
    (["agents", "add", "new", "--config", '{"a": 1, "a": 2}'], 1, "--config"),
    (["agents", "add", "new", "--config", '{"a": NaN}'], 1, "`--config` holds NaN"),
    (["agents", "add", "new", "--capacity", "-1"], 2, "--capacity"),
    (["agents", "update", "ada"], 2, "Say what shall change"),
    (["agents", "list", "--role", "boss"], 1, "boss"),
    (["agents", "list", "--status", "idel"], 1, "Did you mean `idle`?"),
    (["agents", "list", "--team", "crews"], 1, "No team `crews`. Did you mean `crew`?"),
    (["teams", "show", "crews"], 1, "No team `crews`. Did you mean `crew`?"),
    (["teams", "update", "crews", "--objective", "x"], 1, "No team `crews`. Did you mean `crew`?"),
    (["teams", "update", "crew"], 2, "Say what shall change"),
    (["teams", "add", "crews", "ada"], 1, "No team `crews`. Did you mean `crew`?"),
    (["teams", "add", "crew", "adda"], 1, "No agent `adda`. Did you mean `ada`?"),
    (["teams", "remove", "crew", "ada"], 1, "ada is not in team:crew"),
    (["teams", "create", "crew"], 1, "There is a team `crew` already"),
    (["teams", "create", "ada"], 1, "ada"),
    (["teams", "create", "other", "--supervisor", "adda"], 1, "No agent `adda`. Did you mean `ada`?"),
]


def test_a_mistake_is_one_sentence_and_changes_nothing(swarm: Swarm, program: Program) -> None:
    swarm.write(lambda db: operations.register_team(db, name="crew"))
    for words in (("add", "fay"), ("add", "gus"), ("end", "gus")):
        assert program("agents", *words)[0] == 0
    before = swarm.read(lambda db: events_after(db, (0, 0), limit=100))
    for words, code, said in MISTAKES:
        found, out, err = program(*words)
        assert (found, out) == (code, ""), words
        assert said in " ".join(err.replace("│", " ").split()), words
        assert code == 2 or len(err.splitlines()) == 1, words
        assert "\x1b" not in err
    assert swarm.read(lambda db: events_after(db, (0, 0), limit=100)) == before


def test_in_a_pipe_there_are_lines_and_json(swarm: Swarm, program: Program) -> None:
    task = hostile(swarm)
    rows = [line.split("\t") for line in program("agents", "list")[1].splitlines()]
    assert rows == [
        ["lead", "director", "active", "idle", "", "", "", "0", "0", "0", "0"],
        ["ada", "worker", "active", "busy", "lead", "", "backend", "1", "0", "0", "0"],
        ["bob", "worker", "active", "idle", "lead", "", "", "0", "0", "0", "0"],
    ]
    assert program("agents", "list", "--status", "busy", "--team", "backend")[1].split("\t")[6] == "member"
    code, out, err = program("agents", "list", "--limit", 1)
    assert (code, out.split("\t")[0], err) == (0, "lead", "2 more were left out: --limit 0 lists all.\n")
    shown = program("agents", "show", "ada")[1].splitlines()
    assert f"title\t{SHOWN}" in shown
    assert f"description\t{SHOWN}" in shown
    assert f"holds\t{task}\tin_progress\t{SHOWN}" in shown
    assert program("teams", "list")[1] == f"backend\tlead\t1\t1\t{SHOWN}\n"
    shown = program("teams", "show", "backend")[1].splitlines()
    assert {f"objective\t{SHOWN}", "pool\t1 pending", "member\tada\tmember\tbusy"} <= set(shown)
    assert json.loads(program("agents", "list", "--json")[1])["total"] == 3
    known = json.loads(program("agents", "show", "ada", "--json")[1])
    assert known == facts(swarm, "ada")
    assert (known["title"], [each["id"] for each in known["holds"]]) == (HOSTILE, [task])
    assert json.loads(program("teams", "list", "--json")[1])[0]["objective"] == HOSTILE
    known = json.loads(program("teams", "show", "backend", "--json")[1])
    assert (known["pool"], [each["name"] for each in known["members"]]) == ({"pending": 1}, ["ada"])


def width_of(lines: list[str], after: str) -> int:
    """How wide the first column of a table is: up to where the next one begins."""
    return next(line.index(after) for line in lines if line.split()[:1] == ["agent"])


@pytest.mark.parametrize("columns", [80, 200])
def test_on_a_terminal_there_are_tables_that_fit(
    swarm: Swarm, program: Program, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    task = hostile(swarm)
    swarm.write(lambda db: operations.register_agent(db, name=LONG, superior="ada", specialty="documentation"))
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def seen(*words: object) -> list[str]:
        with terminal(columns) as screen:
            ended = program(*words)
        assert (ended, screen.obeyed) == ((0, "", ""), [])
        lines = screen.text.split("\n")
        assert max(map(len, lines)) <= columns
        return lines

    lines = seen("agents", "list")
    assert lines[0] == "4 of 4 agents."
    assert re.search(r"^ ?· ada +worker +busy +backend +1$", "\n".join(lines), re.MULTILINE)
    first = "".join(line[: width_of(lines, "role")].strip() for line in lines)
    assert LONG in first, "names are wanted whole: one has to type them"
    assert any(SHOWN[:12] in line for line in seen("agents", "show", "ada"))
    assert any(line.split()[:2] == [task, "in_progress"] for line in seen("agents", "show", "ada"))
    assert seen("teams", "list")[0] == "1 team."
    lines = seen("teams", "show", "backend")
    assert "1 of 1 agent in the team backend." in lines
    assert any(line.split()[:4] == ["ada", "worker", "busy", "member"] for line in lines)


def test_every_agent_is_listed_however_many_there_are(swarm: Swarm, program: Program) -> None:
    def crowd(db: Any) -> None:
        for n in range(260):
            operations.register_agent(db, name=f"w{n:03}", superior="lead")

    swarm.write(crowd)
    names = [line.split("\t")[0] for line in program("agents", "list")[1].splitlines()]
    assert (len(names), len(set(names))) == (263, 263)
    found = json.loads(program("agents", "list", "--json", "--limit", 230)[1])
    assert (len(found["agents"]), found["message"]) == (230, "230 of 263 agents.")


def test_shells_are_offered_teams_and_formats(swarm: Swarm, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    swarm.write(lambda db: operations.register_team(db, name="backend"))
    assert completing.words(KNOWN)("ta") == ["taskmaster", "task-orchestrator"]
    assert set(exporting.offered("ta")) == {"taskmaster", "task-orchestrator"}
    typed = {
        "swarm-mcp teams show b": "backend",
        "swarm-mcp agents add new --team b": "backend",
        "swarm-mcp agents show b": "bob",
        "swarm-mcp import bea": "beads",
        "swarm-mcp export mer": "mermaid",
    }
    for line, offer in typed.items():
        monkeypatch.setenv("_SWARM_MCP_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
        assert program()[1].split() == [offer], line
