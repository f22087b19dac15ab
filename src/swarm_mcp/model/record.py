"""What agents read: frozen records. What the board stores are the rows of `swarm_mcp.repository.tables`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

_compactly = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Record(BaseModel):
    """A frozen fact on its way out."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    def structured(self) -> dict[str, Any]:
        """The record as JSON values, without what is empty or at its default."""
        return self.model_dump(mode="json", exclude_defaults=True, by_alias=True)


def spoken(record: Record) -> str:
    """What a record costs, as the text that goes over the wire."""
    return record.model_dump_json(exclude_defaults=True, by_alias=True)


def spoken_facts(facts: Mapping[str, Any]) -> str:
    """The same of what is JSON already."""
    return _compactly(facts)


class Answer(Record):
    """What an operation answers: a sentence first, then the same facts for programs."""

    message: str
