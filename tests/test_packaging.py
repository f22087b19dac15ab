"""What others start us by: the MCP bundle and the registry's description agree with the package, and work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator
from mcp import Client, StdioServerParameters
from test_house import README, ROOT

import swarm_mcp
from swarm_mcp.config import Settings
from swarm_mcp.model.agent import Profile

if TYPE_CHECKING:
    from javascript import Programs

DATA = Path(__file__).parent / "data"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MANIFEST = json.loads((ROOT / "packaging" / "mcpb" / "manifest.json").read_text(encoding="utf-8"))
SERVER = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))


def schema(name: str) -> Draft7Validator:
    """A copy of what a schema demands, without its prose."""
    return Draft7Validator(json.loads((DATA / f"{name}.schema.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle as the documented command builds it, unpacked as a host does."""
    folder = tmp_path_factory.mktemp("bundle")
    built = subprocess.run(
        [sys.executable, ROOT / "dev.py", "bundle", folder], check=True, capture_output=True, text=True
    )
    path = Path(built.stdout.strip())
    assert path.name == f"swarm-mcp-{swarm_mcp.__version__}.mcpb"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_bundle_registry_and_package_are_one_version_of_one_thing() -> None:
    (package,) = SERVER["packages"]
    versions = [MANIFEST["version"], SERVER["version"], package["version"], PROJECT["version"]]
    assert versions == [swarm_mcp.__version__] * 4
    assert (package["identifier"], package["transport"]) == (PROJECT["name"], {"type": "stdio"})
    assert PROJECT["name"] in PROJECT["scripts"], "uvx starts a script that is called as the package"
    assert (MANIFEST["description"], MANIFEST["license"]) == (PROJECT["description"], PROJECT["license"])
    assert MANIFEST["author"]["name"] == PROJECT["authors"][0]["name"]
    assert MANIFEST["compatibility"]["runtimes"]["python"] == PROJECT["requires-python"]
    assert f"<!-- mcp-name: {SERVER['name']} -->" in README, "by which the registry knows whose package it is"


def test_what_they_ask_for_are_settings_of_ours() -> None:
    (package,) = SERVER["packages"]
    settings = {f"SWARM_{name.upper()}" for name in Settings.model_fields}
    asked = {each["name"]: each for each in package["environmentVariables"]}
    told = MANIFEST["server"]["mcp_config"]["env"]
    assert set(asked) == set(told) <= settings
    assert set(told.values()) == {f"${{user_config.{name}}}" for name in MANIFEST["user_config"]}
    assert set(asked["SWARM_PROFILE"]["choices"]) == set(Profile)
    for name in ("project", "profile"):
        usual = Settings.model_fields[name].default
        assert MANIFEST["user_config"][name]["default"] == asked[f"SWARM_{name.upper()}"]["default"] == usual


def test_both_descriptions_are_what_their_schemas_demand() -> None:
    assert [each.message for each in schema("mcpb-manifest-0.4").iter_errors(MANIFEST)] == []
    assert [each.message for each in schema("mcp-server-2025-12-11").iter_errors(SERVER)] == []
    assert not schema("mcpb-manifest-0.4").is_valid({**MANIFEST, "servers": {}})
    assert not schema("mcp-server-2025-12-11").is_valid({**SERVER, "name": "swarm-mcp"})


async def test_the_bundle_serves_a_board_from_its_own_sources(bundle: Path, tmp_path: Path) -> None:
    entry = MANIFEST["server"]
    asked = {name: each["default"] for name, each in MANIFEST["user_config"].items()} | {"agent": "ada"}

    def filled(words: str) -> str:
        """What a host makes of it; it leaves alone what nobody has entered."""
        for name, value in {"__dirname": str(bundle), **{f"user_config.{each}": asked[each] for each in asked}}.items():
            words = words.replace(f"${{{name}}}", value) if value else words
        return words

    env = {name: filled(value) for name, value in entry["mcp_config"]["env"].items()}
    assert env["SWARM_DATABASE"] == "${user_config.database}"
    env |= {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "PATH": os.defpath}
    command, directory, script = entry["mcp_config"]["args"], str(bundle), entry["entry_point"]
    assert [filled(word) for word in command] == ["run", "--directory", directory, script]
    # uv's part, which needs a network: an environment with what pyproject.toml names. Ours has it.
    words = ["-c", TELLING_WHERE, str(bundle / script)]
    async with Client(StdioServerParameters(command=sys.executable, args=words, env=env, cwd=directory)) as client:
        made = await client.call_tool("create_task", {"title": "Say hello"})
    assert made.structured_content is not None
    assert made.structured_content["task"]["status"] == "pending"
    assert (bundle / "imported-from").read_text() == str(bundle / "src" / "swarm_mcp" / "__init__.py")
    assert list((tmp_path / "data").rglob("swarm.db"))


TELLING_WHERE = """\
import runpy, sys
from pathlib import Path
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    Path("imported-from").write_text(sys.modules["swarm_mcp"].__file__)
"""


def test_the_bundle_has_what_runs_and_no_more(bundle: Path) -> None:
    def inside(root: Path, *folders: str) -> set[str]:
        found = (path for folder in folders for path in (root / folder).rglob("*") if path.is_file())
        return {each.relative_to(root).as_posix() for each in found if "__pycache__" not in each.parts}

    assert inside(bundle, "src", "migrations") == inside(ROOT, "src", "migrations")
    project = tomllib.loads((bundle / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"] == PROJECT
    assert project["tool"]["uv"] == {"package": False, "default-groups": []}


def test_the_makers_tool_finds_the_bundle_valid_and_packs_it(bundle: Path, programs: Programs, tmp_path: Path) -> None:
    packed = programs.run("@anthropic-ai/mcpb", "mcpb", "pack", str(bundle), str(tmp_path / "packed.mcpb"))
    assert packed.returncode == 0, packed.stdout + packed.stderr
    assert "Manifest schema validation passes!" in packed.stdout
    with zipfile.ZipFile(tmp_path / "packed.mcpb") as archive:
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    assert manifest == MANIFEST
