"""The state machine on a product that has been broken on purpose: `mutants.py FOLDER`.

Each way of breaking it runs in a forked child of its own, all with the same seed. Prints one line for each: its name,
"alive" if nobody noticed or "caught", and by what.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conftest import Clock
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from test_state_machine import PLAY, BoardMachine

from swarm_mcp.operations import authority, claims, moves, retiring
from swarm_mcp.repository import events, graph, messages, migrate, participants, queue, tasks, tree
from swarm_mcp.repository.database import Database
from swarm_mcp.repository.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Callable

HUNT = settings(
    PLAY, max_examples=150, stateful_step_count=25, derandomize=True, phases=(Phase.generate,), print_blob=False
)  # fmt: skip
"""A broken product is caught by one of the first few."""
SOUND = "nothing is broken"


def without(statement: Statement, *words: str) -> Statement:
    """The statement without the conditions in which one of these words stands."""
    source: Any = statement._source._generate()
    kept = [each for each in source._where_criteria if not any(word in str(each) for word in words)]
    assert len(kept) < len(source._where_criteria)
    source._where_criteria = tuple(kept)
    return Statement(source)


def drop_the_guard_of_claims() -> None:
    """A claim takes whatever has the id, and the ready queue offers whatever is in the lane."""
    queue.CLAIM = without(queue.CLAIM, "attempt", "status", "holder_id")
    queue.READY = without(queue.READY, "status")


def drop_the_check_of_the_graph() -> None:
    """Every edge fits."""
    graph.connect = nothing
    graph.adopt = nothing


def drop_the_fence() -> None:
    """Whoever writes holds the task."""
    claims.require_claim = nothing


def forget_that_gates_pass_down() -> None:
    """A hold keeps nothing below it waiting."""
    tree.shift_gates = lambda *_: []


def forget_an_event() -> None:
    """Whatever is released is not told."""
    insert = events.insert_event

    def forgetful(db: Any, kind: str, *rest: Any, **more: Any) -> None:
        if kind != "released":
            insert(db, kind, *rest, **more)

    events.insert_event = forgetful


def sweep_claims_that_have_not_expired() -> None:
    """Every claim looks expired."""
    queue.EXPIRED = without(queue.EXPIRED, "lease_until <")


def let_a_moved_task_turn_by_itself() -> None:
    """Nobody looks whether pending and blocked still agree with what stands in the way."""
    moves.turn = lambda *_: []


def keep_one_copy_of_a_broadcast() -> None:
    """Whoever reads a message to all takes it from the others."""
    deliver = messages.deliver
    messages.deliver = lambda db, number, task, readers: deliver(db, number, task, list(readers)[:1])


def share_the_read_mark() -> None:
    """What one reader has seen counts as read for everybody who has seen it."""
    messages.FINISH_SHOWN = without(messages.FINISH_SHOWN, "agent_id")


def let_ended_agents_keep_their_claims() -> None:
    """Whoever is paused or ends goes on holding what it held."""
    tasks.ids_held_by = lambda *_: []


def forget_who_stands_above() -> None:
    """Authority does not pass up the hierarchy."""
    authority._superiors_with_authority = lambda *_: set()


def leave_questions_with_the_paused() -> None:
    """Nobody looks whom an agent that is paused or ends should have answered."""
    retiring._pass_questions_on = lambda *_: 0


def forget_participants() -> None:
    """Whoever merely takes part in a task hears nothing of it."""
    participants.participants = lambda *_: []


def nothing(*_: object, **__: object) -> None:
    """Do nothing at all."""


MUTATIONS: dict[str, Callable[..., None]] = {
    SOUND: nothing,
    "the guard of claims": drop_the_guard_of_claims,
    "the check of the graph": drop_the_check_of_the_graph,
    "the fence": drop_the_fence,
    "gates": forget_that_gates_pass_down,
    "an event": forget_an_event,
    "expiry": sweep_claims_that_have_not_expired,
    "turning": let_a_moved_task_turn_by_itself,
    "copies": keep_one_copy_of_a_broadcast,
    "read marks": share_the_read_mark,
    "the claims of ended agents": let_ended_agents_keep_their_claims,
    "those above": forget_who_stands_above,
    "questions to the paused": leave_questions_with_the_paused,
    "participants": forget_participants,
}


def hunt(folder: Path, name: str) -> str:
    """Break the product, and let the state machine look for it."""
    clock = Clock()
    database = Database(folder / f"{name.replace(' ', '-')}.db", clock=clock)
    migrate.upgrade(database)
    MUTATIONS[name]()
    hunting = settings(HUNT, max_examples=20) if name == SOUND else HUNT
    try:
        run_state_machine_as_test(lambda: BoardMachine(database, clock), settings=hunting)
    except Exception as error:
        return f"caught\t{type(error).__name__} {str(error).splitlines()[0][:150]}"
    return "alive\t"


def main() -> int:
    """Hunt all mutants, two at a time."""
    names, running = list(MUTATIONS), 0
    for name in names:
        if running == 2:
            os.wait()
            running -= 1
        if os.fork() == 0:
            os.write(1, f"{name}\t{hunt(Path(sys.argv[1]), name)}\n".encode())
            os._exit(0)
        running += 1
    while running:
        os.wait()
        running -= 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
