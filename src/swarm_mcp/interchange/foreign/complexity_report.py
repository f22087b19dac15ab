"""Taskmaster's complexity reports: what its analysis said of the tasks in a `tasks.json`.

`.taskmaster/reports/task-complexity-report.json` lies beside `.taskmaster/tasks/`, with a suffix for each tag but
`master`; before there was such a folder it was `scripts/`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from swarm_mcp.interchange.foreign.source_file import read_source
from swarm_mcp.model.errors import NotFound, Refusal
from swarm_mcp.model.strict_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from swarm_mcp.interchange.foreign.entry import Entry, Findings

FOLDERS = ("reports", "scripts")
KEY = "complexityAnalysis"
"""What the report calls its list, and a task's record its part of it."""


def add_reports(path: Path, entries: Iterable[Entry], findings: Findings) -> None:
    """Put what the reports beside a file of tasks say into the records of these tasks.

    A task's own word for its complexity goes before the report's. A report that cannot be read is reported itself.
    """
    if path.absolute().parent.name != "tasks":
        return
    known: dict[str, dict[str, dict[str, object]]] = {}
    for entry in entries:
        tag = entry.list_name
        if tag not in known:
            known[tag] = _analysis(path, tag, findings)
        said = known[tag].get(entry.ref.removeprefix(f"{tag}/"))
        if said is not None:
            entry.values[KEY] = said
            if entry.values.get("complexity") is None and entry.values.get("complexityScore") is None:
                entry.values["complexityScore"] = said.get("complexityScore")


def _analysis(path: Path, tag: str, findings: Findings) -> dict[str, dict[str, object]]:
    """The analyses of one tag by the ids of their tasks."""
    suffix = f"_{re.sub(r'[^a-zA-Z0-9_-]', '-', tag).lower()}" if tag not in {"", "master"} else ""
    for folder in FOLDERS:
        place = path.absolute().parent.parent / folder / f"task-complexity-report{suffix}.json"
        try:
            root, _ = parse_json(read_source(place), place.name)
        except NotFound:
            continue
        except Refusal as refusal:
            findings.skipped.append(f"The complexity report was left out. {refusal.message}")
            return {}
        listed = cast("dict[str, object]", root).get(KEY) if isinstance(root, dict) else None
        if isinstance(listed, list):
            said = [cast("dict[str, object]", each) for each in listed if isinstance(each, dict)]
            return {str(each.get("taskId")): each for each in said}
        findings.skipped.append(f"`{place.name}` is no complexity report and was left out.")
        return {}
    return {}
