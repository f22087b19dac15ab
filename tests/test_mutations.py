"""The tests notice when the product is broken: without this, green would mean little.

`processes/mutants.py` breaks it on purpose, in one way after the other, and lets the state machine look for each.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MUTANTS = Path(__file__).parent / "processes" / "mutants.py"


@pytest.mark.no_cover
def test_the_state_machine_notices_every_way_in_which_the_product_is_broken(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, MUTANTS, tmp_path], check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    verdicts = dict(line.split("\t")[:2] for line in done.stdout.splitlines())
    assert verdicts == {
        "nothing is broken": "alive",
        "the guard of claims": "caught",
        "the check of the graph": "caught",
        "the fence": "caught",
        "waiters": "caught",
        "gates": "caught",
        "an event": "caught",
        "expiry": "caught",
        "turning": "caught",
        "copies": "caught",
        "read marks": "caught",
        "the claims of ended agents": "caught",
        "members that left": "caught",
        "capacity": "caught",
        "the way back": "caught",
        "one's own work": "caught",
        "lapses": "caught",
        "what was given back": "caught",
        "claimants that hand on": "caught",
        "renewals": "caught",
        "unanswered questions": "caught",
        "people below the ended": "caught",
        "those above": "caught",
        "questions to the paused": "caught",
        "participants": "caught",
    }, done.stdout + done.stderr
