"""What agents remember: shared context, private notes."""

from __future__ import annotations

from enum import StrEnum


class ContextKind(StrEnum):
    """What a piece of shared context is."""

    FACT = "fact"
    REQUIREMENT = "requirement"
    DECISION = "decision"
    ARTIFACT = "artifact"
