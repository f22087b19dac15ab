"""What a measurement is: a name, a goal, what was measured, and whether that meets the goal."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Measure:
    """One line of the table. Without a goal it is there for information."""

    name: str
    goal: str
    measured: str
    met: bool | None = None
    facts: dict[str, float | int | str] = field(default_factory=dict[str, "float | int | str"])
    """The same in numbers; times are in milliseconds."""


@dataclass(frozen=True)
class Times:
    """Many durations of one thing, in seconds."""

    seconds: Sequence[float]

    @property
    def p50(self) -> float:
        """The median, in milliseconds."""
        return statistics.median(self.seconds) * 1000

    @property
    def p95(self) -> float:
        """What 95 % stay below, in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] * 1000

    def facts(self) -> dict[str, float | int | str]:
        """Return both, and how many there were."""
        return {"p50_ms": round(self.p50, 4), "p95_ms": round(self.p95, 4), "calls": len(self.seconds)}
