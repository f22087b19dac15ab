"""Refusals: what a caller did that cannot be done, why, and what to do next.

Every error that may reach an agent is one of these. The message is one or two sentences that
say what is true and what to call next; `facts` are the same things for programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class Refusal(Exception):
    """The board refused; nothing was written."""

    code: ClassVar[str] = "invalid"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "", **facts: object) -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        self.facts = {name: fact for name, fact in facts.items() if fact not in (None, "", [], {})}

    @property
    def message(self) -> str:
        """The sentence for the caller."""
        return str(self.args[0])


class NotFound(Refusal):
    """Nothing here has that name."""

    code = "not_found"


class TaskNotFound(NotFound):
    """No such task. list_tasks() shows the ones you can see."""


class Ambiguous(Refusal):
    """Several things fit that name."""

    code = "ambiguous"


class Invalid(Refusal):
    """An argument cannot be understood."""

    code = "invalid"


class IllegalMove(Refusal):
    """The task's status does not allow that."""

    code = "illegal_move"


class Blocked(Refusal):
    """Something stands in the task's way."""

    code = "blocked"


class ClaimLost(Refusal):
    """Not recorded: your claim has ended. Stop work on the task."""

    code = "claim_lost"


class NotAllowed(Refusal):
    """That needs an authority which the caller does not have."""

    code = "not_allowed"


class CriteriaUnmet(Refusal):
    """Not completed: criteria are unmet."""

    code = "criteria_unmet"


class CycleRefused(Refusal):
    """The edge would close a cycle."""

    code = "cycle"


class Conflict(Refusal):
    """Somebody else got there first."""

    code = "conflict"


class LimitReached(Refusal):
    """A limit has been reached."""

    code = "limit"


class Busy(Refusal):
    """The board is busy and nothing was written. Call again."""

    code = "busy"
    retryable = True


class Unavailable(Refusal):
    """The board cannot be used."""

    code = "unavailable"


class noting:  # noqa: N801 - a `with` that reads like contextlib's
    """Note a refusal instead of raising it, so that everything that is wrong can be named at once.

    A class, because a new task passes some twenty of these and a generator takes five times as long.
    """

    __slots__ = ("_found",)

    def __init__(self, found: list[Refusal]) -> None:
        self._found = found

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Refusal):
            return False
        self._found.append(error)
        return True


def kind_of(found: Sequence[Refusal]) -> type[Refusal]:
    """What several refusals are together: what they all are, else Invalid."""
    kinds = {type(each) for each in found}
    return kinds.pop() if len(kinds) == 1 else Invalid


def gathered(found: Sequence[Refusal]) -> Refusal:
    """Several refusals as one."""
    if len(found) == 1:
        return found[0]
    return kind_of(found)(" ".join(dict.fromkeys(each.message for each in found)))
