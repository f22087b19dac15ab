"""`docs/formats.md` says what the code does: its tables are the dictionaries, and every format has its section."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from test_house import ROOT

from swarm_mcp.cli.importing import FORMATS
from swarm_mcp.interchange import writing
from swarm_mcp.interchange.exporting import formats
from swarm_mcp.interchange.foreign import beads, source_folder, tickets
from swarm_mcp.interchange.foreign.efforts import SIZES
from swarm_mcp.interchange.foreign.front_matter import SIZE_LIMIT
from swarm_mcp.interchange.foreign.source_file import SIZE_LIMIT as TOGETHER
from swarm_mcp.interchange.writing import mermaid
from swarm_mcp.interchange.writing.taskmaster import words as taskmaster
from swarm_mcp.model.lifecycle import STATUS_ALIASES, Priority, TaskStatus
from swarm_mcp.model.task import Complexity

PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


def table(first: str, *, under: str = "") -> dict[str, dict[str, str]]:
    """The table whose head begins so: by its first column, each row by the names of the others."""
    lines = iter((PAGE.partition(under)[2] if under else PAGE).splitlines())
    head = next(
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith(f"| {first} |")
    )
    next(lines)
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        if not line.startswith("|"):
            return found
        cells = [cell.strip() for cell in line[1:-1].split("|")]
        found[cells[0]] = dict(zip(head[1:], cells[1:], strict=True))
    return found


def column(name: str, *, under: str) -> dict[str, str]:
    return {ours: row[name] for ours, row in table("ours", under=under).items()}


@pytest.mark.parametrize("name", [name for name in formats() if name in {"taskmaster", "task-orchestrator"}])
def test_our_words_in_each_dialect_are_those_of_the_page(name: str) -> None:
    words = import_module(f"{writing.__name__}.{name.replace('-', '_')}.words")
    statuses = {status.value: word for status, word in words.STATUSES.items()}
    assert statuses.keys() == set(TaskStatus)
    if held := getattr(words, "HELD", ""):
        statuses["blocked"] += f"; held: {held}"
    assert column(name, under="### Our statuses elsewhere") == statuses
    priorities = {priority.value: word for priority, word in words.PRIORITIES.items()}
    assert priorities.keys() == set(Priority)
    assert column(name, under="### Our priorities elsewhere") == priorities


def test_complexities_sizes_and_their_words_are_those_of_the_page() -> None:
    complexities = column("taskmaster", under="### Our complexities elsewhere")
    assert complexities == {each.value: taskmaster.COMPLEXITIES[each] for each in Complexity}
    beside = {"": "", "deferred": "held: deferred", "archived": "archived"}
    assert table("theirs") == {
        word: {"ours": status.value, "and": beside[what]} for word, (status, what) in STATUS_ALIASES.items()
    }
    assert table("priority in beads") == {str(n): {"ours": each.value} for n, each in enumerate(beads.PRIORITIES)}
    assert table("size in tickets") == {size: {"hours": f"{hours.normalize():f}"} for size, hours in SIZES.items()}


def test_every_format_has_a_section_and_every_limit_is_the_real_one() -> None:
    coming, going = PAGE.split("\n## Import\n")[1].split("\n## Export\n")
    assert set(FORMATS) <= set(re.findall(r"^### (\S+)$", coming, flags=re.MULTILINE))
    assert set(formats()) <= set(re.findall(r"^### (\S+)$", going, flags=re.MULTILINE))
    plain = " ".join(PAGE.split())
    for limit in (
        f"{source_folder.FILES_LIMIT:,} files", f"{TOGETHER // 2**20} MiB together",
        f"{tickets.TICKET_LIMIT:,} characters a file", f"{SIZE_LIMIT // 1024} KiB of front matter",
        f"{mermaid.NODES:,} tasks, {mermaid.EDGES:,} dependencies and {mermaid.CHARACTERS:,} characters",
    ):  # fmt: skip
        assert limit in plain
