"""The JSON Schema of our lines, made of the tables; `python -m swarm_mcp.interchange.swarm_schema` writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swarm_mcp.interchange.swarm_lines import END, FORMAT, HEADER, VERSION
from swarm_mcp.repository.kinds import KINDS, NUMBERED, PROJECT, UNBOUNDED

if TYPE_CHECKING:
    from swarm_mcp.repository.kinds import Field, Kind

FILE = Path(__file__).resolve().parents[3] / "docs" / "swarm-lines.schema.json"
COUNT = {"type": "integer", "minimum": 0}
MOMENT = {"type": "string", "format": "date-time"}


def schema() -> dict[str, Any]:
    """What a line is: the header, one row of a kind, or the end."""
    header = {
        "title": "The first line.",
        "type": "object",
        "properties": {
            "row": {"const": HEADER},
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
            "revision": {"type": "string", "description": "Of the schema of the database that it comes from."},
            "exported_at": MOMENT,
            "project": _object(PROJECT),
            "part": {
                "description": "What of the board it is, if it is not all.",
                "type": "object",
                "properties": {"task": {"type": "string"}, "since": MOMENT},
                "additionalProperties": False,
            },
            "counts": {
                "description": "How many rows of each kind follow.",
                "type": "object",
                "properties": dict.fromkeys(KINDS, COUNT),
                "additionalProperties": False,
            },
        },
        "required": ["row", "format", "version", "project", "counts"],
    }
    end = {
        "title": "The last line.",
        "type": "object",
        "properties": {"row": {"const": END}, "rows": {**COUNT, "description": "How many rows there were."}},
        "required": ["row", "rows"],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"One line of {FORMAT}, version {VERSION}",
        "description": "Kinds of rows come in the order of this list. What is not said is empty. Ids of messages and "
        "numbers of events are counted from the first one of the file.",
        "oneOf": [header, *(_object(kind) for kind in KINDS.values()), end],
    }


def _object(kind: Kind) -> dict[str, Any]:
    row = {} if kind.name == "project" else {"row": {"const": kind.name}}
    needed = [field.name for field in kind.fields if field.empty is ... and kind.name != "project"]
    return {
        "type": "object",
        "properties": {**row, **{field.name: _value(field) for field in kind.fields}},
        "required": [*row, *needed],
        "additionalProperties": False,
    }


def _value(field: Field) -> dict[str, Any]:
    found = _typed(field)
    if field.nullable and "type" in found:
        found["type"] = [found["type"], "null"]
    words = [each for each in (_refers(field), field.says) if each]
    return {**found, **({"description": " ".join(words)} if words else {})}


def _refers(field: Field) -> str:
    return f"The {NUMBERED.get(field.refers, 'id')} of a row `{field.refers}`." if field.refers else ""


def _typed(field: Field) -> dict[str, Any]:
    if field.type == "time":
        return dict(MOMENT)
    if field.type == "decimal":
        return {"type": "string", "pattern": r"^-?\d{1,12}(\.\d{1,6})?$"}
    if field.type == "json":
        return {} if field.empty in (..., None) else {"type": "array" if field.empty == [] else "object"}
    if field.type == "integer":
        return {"type": "integer", "minimum": -field.most, "maximum": field.most}
    if field.type == "text":
        most = {"maxLength": field.most} if field.most < UNBOUNDED else {}
        return {"type": "string", **most, **({"enum": list(field.choices)} if field.choices else {})}
    return {"type": "number" if field.type == "float" else "boolean"}


def written() -> str:
    """The schema as its file has it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
