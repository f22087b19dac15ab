"""Whether what many clients were told of a task can have happened, one thing after the other.

A task is a register with a compare-and-set: who holds it, and in which attempt. `problems(calls, task)` looks for an
order of the calls in which every answer is the one that a single, patient clerk would have given, and in which no call
comes before one that had been answered before it began (J. M. Wing and C. Gong, Testing and verifying concurrent
objects, 1993). A call whose answer nobody heard may have taken effect at any time since, or never.

Where rows are locked (`passing_over`), whoever ends what has expired leaves out the tasks that somebody else is
changing at that moment: such a task is as the other call has left it. By the clock of one database this could not be
told apart from having come later; here every client has a clock of its own, and what one has just renewed may long
have run out for another.

Nothing here uses the product: the rules of claims are written once more, as a step from one state to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LEASE = 60_000
"""Milliseconds of a lease."""
NOT_HEARD = None
SWEEPING = frozenset({"sweep", "next"})
"""What ends whatever has expired."""


class Call(NamedTuple):
    """What one client asked for and what it was told."""

    what: str
    """claim, next, report, release, completed, failed, again (retry or reopen) or sweep."""
    task: str
    """Which task; of `next`, the one that it brought; of a sweep, none, since it goes over all."""
    agent: str
    connection: str
    attempt: int
    """The fencing token that came with a write."""
    now: int
    """The clock that the call went by, in milliseconds; those of several clients need not agree."""
    began: int
    ended: int | None
    """When it was asked and answered, on one clock that all share; an answer that was never heard has no end."""
    answer: int | None
    """Of a claim its attempt, of anything else 1; 0 for a refusal, or of `next` for nothing."""
    passes_over: bool = False
    """Whether somebody else was at the task meanwhile, so that it may not have been ended although it had expired."""


class State(NamedTuple):
    """What the clerk knows of the task."""

    attempt: int = 0
    holder: str = ""
    until: int = 0
    connection: str = ""
    finished: bool = False
    recorded: tuple[str, int, str] | None = None
    """By whom, in which attempt and how it was finished, as long as nobody has claimed it since."""


def steps(state: State, call: Call) -> Iterator[tuple[State, int]]:
    """What the clerk may do with a call: the state after it, and the answer."""
    live = (call.agent, call.attempt) == (state.holder, state.attempt)
    match call.what:
        case "claim":
            yield _claim(state, call)
        case "next":
            yield from _next(state, call)
        case "report" if live:
            yield _renewed(state, call), 1
        case "release" if live:
            yield _free(state), 1
        case "completed" | "failed" if live:
            done = (call.agent, call.attempt, call.what)
            yield _free(state)._replace(finished=True, recorded=done), 1
        case "completed" | "failed" if state.recorded == (call.agent, call.attempt, call.what):
            yield state, 1
        case "again" if state.finished:
            yield state._replace(finished=False), 1
        case "sweep":
            yield (_free(state) if _expired(state, call) else state), 1
            if call.passes_over:
                yield state, 1
        case _:
            yield state, 0


def _claim(state: State, call: Call) -> tuple[State, int]:
    """A claim by name: of what one holds already, of what is free or expired, or in vain."""
    if state.holder == call.agent:
        return _renewed(state, call), state.attempt
    if state.finished or (state.holder and not _expired(state, call)):
        return state, 0
    return _taken(state, call), state.attempt + 1


def _expired(state: State, call: Call) -> bool:
    return bool(state.holder) and state.until < call.now


def _next(state: State, call: Call) -> Iterator[tuple[State, int]]:
    """Whoever asks for the next task renews what it holds on its connection, and ends what has expired."""
    if (state.holder, state.connection) == (call.agent, call.connection) and state.until - call.now < LEASE / 2:
        state = state._replace(until=call.now + LEASE)
    if _expired(state, call):
        if call.passes_over:
            yield state, 0
        state = _free(state)
    yield state, 0
    if not state.holder and not state.finished:
        yield _taken(state, call), state.attempt + 1


def _taken(state: State, call: Call) -> State:
    return State(state.attempt + 1, call.agent, call.now + LEASE, call.connection)


def _renewed(state: State, call: Call) -> State:
    return state._replace(until=call.now + LEASE, connection=call.connection)


def _free(state: State) -> State:
    return state._replace(holder="", until=0, connection="")


def concerning(calls: Iterable[Call], task: str, *, passing_over: bool = False) -> list[Call]:
    """What may have had an effect on a task, as it looks from there; the earliest first."""
    found: list[Call] = []
    for call in calls:
        if call.task == task or call.what == "sweep":
            found.append(call)
        elif call.what == "next":  # it brought another task, or nobody knows which
            found.append(call if call.answer is NOT_HEARD else call._replace(answer=0))
    found.sort(key=lambda call: call.began)
    if not passing_over:
        return found
    return [each._replace(passes_over=_disturbed(each, found)) if each.what in SWEEPING else each for each in found]


def _disturbed(call: Call, calls: Sequence[Call]) -> bool:
    """Whether another call may have had the task while this one looked."""
    return any(_before_the_end(call, each) and _before_the_end(each, call) for each in calls if each is not call)


def _before_the_end(call: Call, other: Call) -> bool:
    return other.ended is None or call.began < other.ended


def problems(calls: Iterable[Call], task: str, *, passing_over: bool = False) -> list[str]:
    """Why what was told of a task cannot have happened; empty if it can."""
    mine = concerning(calls, task, passing_over=passing_over)
    wanted = sum(1 << n for n, call in enumerate(mine) if call.answer is not NOT_HEARD)
    farthest, best = -1, State()
    todo = [(0, State())]
    seen = set(todo)
    while todo:
        done, state = todo.pop()
        explained = (done & wanted).bit_count()
        if explained == wanted.bit_count():
            return []
        if explained > farthest:
            farthest, best = explained, state
        for node in _continuations(mine, done, state):
            if node not in seen:
                seen.add(node)
                todo.append(node)
    return [f"{task}: of {wanted.bit_count()} answers no order explains more than {farthest}; there it is {best}"]


def _continuations(calls: list[Call], done: int, state: State) -> list[tuple[int, State]]:
    """What may come next. A refusal changes nothing whenever it came, so one that is right already goes first.

    What was not heard and changes nothing here may still come later, or never.
    """
    found: list[tuple[int, State]] = []
    for n in _possible(calls, done):
        for after, answer in steps(state, calls[n]):
            if calls[n].answer == answer == 0 and calls[n].what != "next":
                return [(done | 1 << n, state)]
            if calls[n].answer == answer or (calls[n].answer is NOT_HEARD and after != state):
                found.append((done | 1 << n, after))
    return found


def _possible(calls: list[Call], done: int) -> list[int]:
    """The calls that may come next: those that began before any other that is left had been answered."""
    found: list[int] = []
    first = (~done & (done + 1)).bit_length() - 1
    earliest: int | None = None
    for n in range(first, len(calls)):
        if done >> n & 1:
            continue
        call = calls[n]
        if earliest is not None and call.began > earliest:
            break
        found.append(n)
        if call.ended is not None and (earliest is None or call.ended < earliest):
            earliest = call.ended
    return found
