"""The lifecycle of a task as a Mermaid diagram, generated from the table of moves.

`python tests/diagram.py` writes it into docs/architecture.md; test_house.py holds the one against the other.
"""

from __future__ import annotations

from pathlib import Path

from swarm_mcp.model.lifecycle import MOVES, WAITING, TaskStatus

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "architecture.md"
BEGIN = "<!-- The lifecycle, generated: python tests/diagram.py -->\n"
END = "<!-- End of the lifecycle -->\n"


def diagram() -> str:
    """The block between the marks: pending and blocked are one state with two insides, for requeueing is one verb."""
    inside = [f"        {source} --> {to}" for source in order(WAITING) for to in order(MOVES[source] & WAITING)]
    lines = ["stateDiagram-v2", "    [*] --> waiting", "    state waiting {", *inside, "    }"]
    shared = frozenset.intersection(*(MOVES[each] for each in WAITING))
    lines += [f"    waiting --> {to}" for to in order(shared - WAITING)]
    for source in TaskStatus:
        own = MOVES[source] - (shared | WAITING if source in WAITING else frozenset())
        if source not in WAITING and own >= WAITING:
            lines.append(f"    {source} --> waiting")
            own -= WAITING
        lines += [f"    {source} --> {to}" for to in order(own)]
    return "\n".join(["```mermaid", *lines, "```", ""])


def order(statuses: frozenset[TaskStatus]) -> list[TaskStatus]:
    """Statuses in the order of the enumeration."""
    return [each for each in TaskStatus if each in statuses]


def drawn() -> str:
    """The block as the document has it."""
    return DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    text = DOCUMENT.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    DOCUMENT.write_text(head + begin + diagram() + end + tail, encoding="utf-8")
