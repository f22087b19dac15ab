"""Task Orchestrator's phases: groups of tasks that follow one another, as numbers and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swarm_mcp.interchange.foreign.entry import Entry, Findings
    from swarm_mcp.interchange.foreign.sqlite_copy import Tables

NUMBERS = 10
"""How far phases are numbered here."""
TAG = "phase:"


def phase_name(number: int) -> str:
    """What a phase is called that has only a number."""
    return f"Phase {number}"


class Phases:
    """The phases of a store, numbered by what they wait for, else in the order of the file."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: dict[str, str] = {}

    def take(self, tables: Tables, findings: Findings) -> None:
        """Read the tables about phases, of which the versions before 2.6 have none."""
        self._names = {str(each.get("id")): str(each.get("name") or "").strip() for each in tables.rows("phases")}
        waits: dict[str, set[str]] = {each: set() for each in self._names}
        for each in tables.rows("phase_dependencies"):
            phase, other = str(each.get("phase_id")), str(each.get("depends_on_phase_id"))
            if phase in waits and other in waits:
                waits[phase].add(other)
        while waits:
            free = next((each for each, others in waits.items() if not others & set(waits)), None)
            if free is None:
                findings.guessed.append("Its phases wait for each other in a circle; they were numbered as they stand.")
                free = next(iter(waits))
            del waits[free]
            self._numbers[free] = len(self._numbers) + 1
        if len(self._numbers) > NUMBERS:
            findings.guessed.append(f"It has more than {NUMBERS} phases; tasks of the later ones have only a tag.")
        gates = sum(1 for _ in tables.rows("phase_gates"))
        if gates:
            findings.skipped.append(f"Gates of phases hold nothing up here; {gates:,} are kept with the import.")

    def of(self, entry: Entry) -> tuple[int, tuple[str, ...]]:
        """The number of a task's phase, or 0, and its tag, if it says more."""
        phase = str(entry.values.get("phase_id") or "").strip()
        if not phase:
            return 0, ()
        number = self._numbers.get(phase, 0)
        if not number:
            entry.guess(f"its phase `{phase[:40]}` is not there; it became a tag")
        name = self._names.get(phase) or phase
        number = number if number <= NUMBERS else 0
        return number, () if number and name == phase_name(number) else (f"{TAG}{name}",)
