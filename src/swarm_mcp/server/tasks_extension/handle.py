"""A handle as it goes over the wire: what the extension calls a task, which is no task of the board's."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class HandleStatus(StrEnum):
    """How what was asked for stands.

    `failed` is the extension's word for an error of the protocol. Work that has failed is an answer, so its handle is
    completed, with a result that says `isError`; none of ours ever fails.
    """

    WORKING = "working"
    INPUT_REQUIRED = "input_required"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Handle:
    """How what was asked for stands, at one moment."""

    id: str
    status: HandleStatus
    began: datetime
    changed: datetime
    poll_seconds: int
    kept: timedelta | None = None
    """For how long after its beginning it can be asked about; None: for as long as the board lives."""
    message: str = ""
    requests: dict[str, Any] = field(default_factory=dict)
    """What the client is asked for, by key."""
    result: dict[str, Any] | None = None
    """What the call would have answered that the handle stands for."""
    error: dict[str, Any] | None = None

    def created(self) -> dict[str, Any]:
        """The result of the call that makes the handle."""
        return {"resultType": "task", **self._seed()}

    def detailed(self) -> dict[str, Any]:
        """The result of asking how it stands."""
        inside = {
            HandleStatus.INPUT_REQUIRED: {"inputRequests": self.requests},
            HandleStatus.COMPLETED: {"result": self.result},
            HandleStatus.FAILED: {"error": self.error},
        }
        return {"resultType": "complete", **self._seed(), **inside.get(self.status, {})}

    def _seed(self) -> dict[str, Any]:
        return {
            "taskId": self.id,
            "status": self.status.value,
            **({"statusMessage": self.message} if self.message else {}),
            "createdAt": _instant(self.began),
            "lastUpdatedAt": _instant(self.changed),
            "ttlMs": round(self.kept.total_seconds() * 1000) if self.kept is not None else None,
            "pollIntervalMs": self.poll_seconds * 1000,
        }


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
