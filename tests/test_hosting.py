"""`config`: each host's own file, and the program that really starts from it; and what a shell completes."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client, StdioServerParameters

from swarm_mcp import open_swarm, operations
from swarm_mcp.cli import hosting
from swarm_mcp.cli.hosting import Host, Server, starts, working
from swarm_mcp.model.errors import Unavailable

if TYPE_CHECKING:
    from conftest import Program

MEASURED = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
QUOTES = 'a "b" \\c $d é 日\x7f\n'


def read(host: Host, printed: str) -> dict[str, Any]:
    """A server's entry, out of what the host would read."""
    if host is Host.CODEX:
        return tomllib.loads(printed)["mcp_servers"]["swarm-mcp"]
    if host is Host.CLAUDE_CODE:
        *command, entry = shlex.split(printed)
        assert command == ["claude", "mcp", "add-json", "--scope", "user", "swarm-mcp"]
        return json.loads(entry)
    file = json.loads(printed)
    ((key, servers),) = file.items()
    assert key == ("servers" if host is Host.VSCODE else "mcpServers")
    return servers["swarm-mcp"]


async def test_a_host_starts_the_server_that_it_was_told_of(program: Program, tmp_path: Path) -> None:
    code, out, err = program("config", "cursor", "--database", "here/board.db", "--profile", "worker")
    assert code == 0
    assert err == (
        "It belongs into ~/.cursor/mcp.json, or a project's .cursor/mcp.json; "
        "merge it under `mcpServers` if the file is there already.\n"
    )
    entry = read(Host.CURSOR, out)
    assert entry["env"] == {"SWARM_DATABASE": str(tmp_path / "here" / "board.db")}
    (foreign := tmp_path / "foreign").mkdir()
    (foreign / ".env").write_text("SWARM_AGENT=mallory\nSWARM_PROFILE=observer\nSWARM_TRANSPORT=http\n")
    (foreign / "swarm_mcp.py").write_text("raise SystemExit('another module of that name')")
    parameters = StdioServerParameters(
        command=entry["command"], args=entry["args"], env={**MEASURED, **entry["env"]}, cwd=foreign
    )
    async with Client(parameters) as client:
        assert len((await client.list_tools()).tools) == 9, "a worker's"
        assert not (await client.call_tool("check_inbox", {})).is_error
    swarm = open_swarm(tmp_path / "here" / "board.db")
    assert [each.name for each in swarm.read(operations.list_agents).agents] == ["cursor"]
    swarm.close()


def test_every_host_is_told_the_same_program_in_its_own_words(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(hosting, "starts", lambda command: asked.append(command) or True)
    monkeypatch.setenv("SWARM_AGENT", "ada")
    entries: dict[str, dict[str, Any]] = {}
    for host in Host:
        code, out, err = program("config", host, "--project", "garden")
        assert (code, err.count("\n")) == (0, 1)
        entries[host] = read(host, out)
        assert entries[host].pop("type", "stdio") == "stdio"
        told = json.loads(program("config", host, "--project", "garden", "--json")[1])
        assert told == {"host": host, "name": "swarm-mcp", **entries[host], "place": err.strip()}
    names = [entry["args"].pop(entry["args"].index("--agent") + 1) for entry in entries.values()]
    assert names == list(Host), "not what the environment says of this terminal"
    assert all(entry == entries["cursor"] for entry in entries.values())
    assert entries["cursor"]["args"][-1] == "garden"
    assert asked[0][0] == entries["cursor"]["command"]
    assert Path(asked[0][0]).is_absolute()
    chosen = read(Host.GEMINI, program("config", "gemini", "--agent", "Ada B", "--profile", "observer")[1])
    assert chosen["args"][3:7] == ["--agent", "ada_b", "--profile", "observer"]


def test_what_hosts_read_survives_any_path() -> None:
    server = Server(QUOTES, ["serve", QUOTES], {"SWARM_DATABASE": QUOTES})
    for host, shape in hosting.SHAPES.items():
        entry = read(host, shape.write(server))
        assert (entry["command"], entry["args"], entry["env"]) == server


def test_a_project_that_cannot_be_is_told_to_no_host(program: Program) -> None:
    code, out, err = program("config", "codex", "--project", "x y")
    assert (code, out, err.startswith("`x y` is no name for a project: ")) == (1, "", True)


def test_an_address_is_kept_and_its_password_told_of(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "starts", lambda _: True)
    address = "postgresql://swarm:secret@db.example.com/board"
    code, out, err = program("config", "claude-desktop", "--database", address)
    assert (code, read(Host.CLAUDE_DESKTOP, out)["env"]) == (0, {"SWARM_DATABASE": address})
    assert "has a password in it" in err
    assert "secret" not in err
    assert program("config", "emacs")[0] == 2
    assert program("config", "cursor", "--profile", "king")[0] == 2
    assert program("config", "cursor", "--agent", "operator")[:2] == (1, "")


def test_a_program_that_starts_only_from_here_is_no_hosts(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(f"#!{sys.executable}\nprint('0.0.1')\n")
    other.chmod(0o755)
    module = hosting.candidates()[-1]
    assert not starts([str(other)]), "another version"
    assert not starts([str(tmp_path / "missing")])
    assert working([[str(tmp_path / "missing")], module]) == module
    with pytest.raises(Unavailable, match="starts only from here"):
        working([[str(other)]])


# --- shells ----------------------------------------------------------------------------------------------------------


def offered(program: Program, monkeypatch: pytest.MonkeyPatch, line: str) -> list[str]:
    """What bash is offered for the last word of a line."""
    words = line.split(" ")
    monkeypatch.setenv("_SWARM_MCP_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    code, out, err = program()
    monkeypatch.delenv("_SWARM_MCP_COMPLETE")
    assert (code, err) == (0, "")
    return out.split()


def test_a_shell_completes_commands_and_what_is_on_the_board(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(line: str) -> list[str]:
        return offered(program, monkeypatch, line)

    assert ask("swarm-mcp tasks done ") == []
    assert not (tmp_path / "board.db").exists(), "completing makes no board"
    swarm = open_swarm(tmp_path / "board.db")
    with swarm.writing(agent="lead") as db:
        plan = operations.create_plan(db, tasks=[{"ref": "a", "title": "Sow"}, {"ref": "b", "title": "Reap"}])
    swarm.close()
    first, second = plan.ids.values()
    assert {"stats", "stuck"} <= set(ask("swarm-mcp st"))
    assert set(ask("swarm-mcp tasks done ")) == {first, second}
    assert ask(f"swarm-mcp critical-path --under {first[:5]}") == [first]
    assert ask("swarm-mcp undo --agent l") == ["lead"]
    assert ask("swarm-mcp stuck --project d") == ["default"]
    assert ask("swarm-mcp config cl") == ["claude-desktop", "claude-code"]
    assert ask("swarm-mcp serve --profile w") == ["worker"]
    for named in ("export csv - --task", "import tickets . --parent"):
        assert set(ask(f"swarm-mcp {named} ")) == {first, second}
    assert ask("swarm-mcp import tickets . --timezone Europe/Berl") == ["Europe/Berlin"]
    assert ask("swarm-mcp token create l") == ["lead"]
    assert ask("swarm-mcp token create lead --scope op") == ["operator"]
    token = json.loads(program("token", "create", "lead", "--json")[1])["token"]["id"]
    assert ask("swarm-mcp token revoke ") == [token]
    assert ask("swarm-mcp db downgrade 0001") == ["0001"]
    assert ask("swarm-mcp db schema --dialect p") == ["postgresql"]
    (tmp_path / "board.db").write_bytes(b"no board")
    assert ask("swarm-mcp tasks done ") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_no_title_breaks_the_line_that_is_being_typed(
    shell: str, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program("tasks", "add", "\x1b[2J[red]Sow\nand \u202egnitaerc [/nope]")[0] == 0
    monkeypatch.setenv("_SWARM_MCP_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "swarm-mcp tasks show ")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    code, out, err = program()
    assert (code, err) == (0, "")
    assert "␛[2J[red]Sow and �gnitaerc [/nope]" in out


def test_bash_really_completes_what_was_installed(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")  # of this test's parent, whatever it is
    monkeypatch.setenv("HOME", str(tmp_path))
    code, script, _ = program("--show-completion", "bash")
    assert (code, program("--install-completion", "bash")[0]) == (0, 0)
    assert script.strip() in (tmp_path / ".bash_completions" / "swarm-mcp.sh").read_text()
    (tmp_path / "complete.sh").write_text(
        """. ~/.bashrc
        COMP_WORDS=(swarm-mcp vers)
        COMP_CWORD=1
        _swarm_mcp_completion "$1"
        echo "${COMPREPLY[@]}"
        """
    )
    done = subprocess.run(
        ["bash", tmp_path / "complete.sh", hosting.candidates()[0][0]], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["version"]
