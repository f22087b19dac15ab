"""The protocol's own conformance suite, against our server as our command line starts it, with the suite's fixtures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from listening import listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from javascript import Programs
    from listening import Listener

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

SERVER = Path(__file__).parent / "conformance" / "serve.py"
SCENARIOS = {"2025-11-25": 33, "2026-07-28": 50}
"""How many each set of requirements runs, so that one that runs nothing has not passed."""
TOLD = {
    "sep-2575-server-sends-subscription-ack", "sep-2575-server-tags-subscription-id",
    "sep-2575-server-honors-notification-filter", "sep-2575-server-sends-prompts-list-changed-on-subscription",
    "sep-2575-server-sends-tools-list-changed-on-subscription",
}  # fmt: skip
"""What the suite checks of `subscriptions/listen`, and skips where that is not offered."""
NO_REPLAY = "streams are not resumed: what a client missed it asks for, since all of it is on the board"
WARNED = {"server-sse-priming-event": NO_REPLAY, "server-sse-retry-field": NO_REPLAY}
"""Checks of recommendations that we do not follow, and why."""


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """Our server, with the suite's fixtures."""
    board = tmp_path_factory.mktemp("conformance") / "swarm.db"
    with listening(board, "--transport", "http", program=(str(SERVER),)) as listener:
        yield listener


def checks_below(reports: Path, release: str) -> dict[str, list[dict[str, Any]]]:
    """What the suite wrote down, by scenario."""
    checks = {}
    for report in reports.glob("*/checks.json"):
        name = re.fullmatch(r"server-(.+)-\d{4}-\d\d-\d\dT.*", report.parent.name)
        assert name, report
        checks[name[1]] = json.loads(report.read_text(encoding="utf-8"))
    assert len(checks) == SCENARIOS[release]
    return checks


def found(checks: dict[str, list[dict[str, Any]]], status: str) -> dict[str, dict[str, str]]:
    """The checks that ended so, with what was said of each, by scenario."""
    by_scenario = {
        scenario: {check["id"]: check.get("errorMessage", "") for check in found if check["status"] == status}
        for scenario, found in checks.items()
    }
    return {scenario: ids for scenario, ids in by_scenario.items() if ids}


@pytest.mark.parametrize("release", SCENARIOS)
def test_the_requirements_of_a_release_are_met(
    furnished: Listener, programs: Programs, tmp_path: Path, release: str
) -> None:
    done = programs.run(
        "@modelcontextprotocol/conformance", "conformance",
        "server", "--url", f"{furnished.url}/mcp", "--requirements", release, "-o", str(tmp_path),
    )  # fmt: skip
    print(done.stdout.partition("=== SUMMARY ===")[2])
    checks = checks_below(tmp_path, release)
    failures, warnings = found(checks, "FAILURE"), found(checks, "WARNING")
    assert failures == {}
    assert {check for ids in warnings.values() for check in ids} <= WARNED.keys()
    if release == "2026-07-28":
        passed = {check["id"] for found in checks.values() for check in found if check["status"] == "SUCCESS"}
        assert passed >= TOLD
    assert done.returncode == 0, done.stdout
