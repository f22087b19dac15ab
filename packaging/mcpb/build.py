"""Builds the MCP bundle: one file that Claude Desktop and its like install, without a terminal.

    python3 dev.py bundle [FOLDER]     writes swarm-mcp-<version>.mcpb, into dist/ if no folder is named

In it are our sources and pyproject.toml, with which the host's uv fetches what we depend on for the computer that it is
on. Only the standard library is needed to build it, and the same sources give the same bytes.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ASIDE = ["README.md", "LICENSE"]
FOLDERS = ["src", "migrations"]
ONLY_RUN = """
[tool.uv]
# The bundle runs from its sources, and nobody develops in it.
package = false
default-groups = []
"""
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file, and the first that a zip knows."""


def contents() -> Iterator[tuple[str, bytes]]:
    """Every file of the bundle: its name there, and what is in it."""
    yield "manifest.json", (HERE / "manifest.json").read_bytes()
    yield "server.py", (HERE / "server.py").read_bytes()
    yield "pyproject.toml", (ROOT / "pyproject.toml").read_bytes() + ONLY_RUN.encode()
    for name in ASIDE:
        yield name, (ROOT / name).read_bytes()
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path.read_bytes()


def build(folder: Path) -> Path:
    """Write the bundle into a folder; its path."""
    version = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))["version"]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"swarm-mcp-{version}.mcpb"
    with zipfile.ZipFile(path, "w") as bundle:
        for name, text in contents():
            info = zipfile.ZipInfo(name, LONG_AGO)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            bundle.writestr(info, text)
    return path


if __name__ == "__main__":
    print(build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"))
