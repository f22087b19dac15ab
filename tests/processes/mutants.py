"""The state machine on a product that has been broken on purpose: `mutants.py FOLDER [SEED …]`.

Each way of breaking it runs in a forked child of its own, with each of the seeds. Prints one line for each: its name,
"caught" by a comparison, "alive" if nobody noticed or "stopped" by any other error; the seed, how many examples that
took, and by what it was caught.
"""

from __future__ import annotations

import os
import random
import sys
import uuid
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conftest import Clock
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from test_state_machine import PLAY, BoardMachine

from swarm_mcp.model import ids
from swarm_mcp.operations import authority, claiming, claims, delegating, lapsing, moves, retiring, reviewing, upkeep
from swarm_mcp.repository import events, graph, messages, migrate, participants, queue, tables, tasks, teams, tree
from swarm_mcp.repository.database import Database
from swarm_mcp.repository.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Callable

HUNT = settings(PLAY, max_examples=400, stateful_step_count=25, phases=(Phase.generate,), print_blob=False)
"""A broken product is caught by one of the first twenty on average; all are played only if nobody notices."""
SOUND = "nothing is broken"
SOUND_EXAMPLES = 20
SEEDS = ["1"]


def without(statement: Statement, *words: str) -> Statement:
    """The statement without the conditions in which one of these words stands."""
    source: Any = statement._source._generate()
    kept = [each for each in source._where_criteria if not any(word in str(each) for word in words)]
    assert len(kept) < len(source._where_criteria)
    source._where_criteria = tuple(kept)
    return Statement(source)


def draw_everything_from(start: int) -> None:
    """Let whatever the product draws from the system's randomness follow from a number, as the examples do."""
    drawn = random.Random(start)
    ids.new_task_id = lambda: "".join(drawn.choices(ids.ALPHABET, k=ids.TASK_ID_LENGTH))
    ids.new_uuid = lambda: str(uuid.UUID(int=drawn.getrandbits(128)))
    graph.secrets = tasks.secrets = SimpleNamespace(randbelow=drawn.randrange)


def drop_the_guard_of_claims() -> None:
    """A claim takes whatever has the id, and the ready queue offers whatever is in the lane."""
    queue.CLAIM = without(queue.CLAIM, "attempt", "status", "holder_id")
    tables.READY = "archived_at IS NULL"  # what has been compiled already keeps its own
    queue.FREE = without(queue.FREE, "status")


def drop_the_check_of_the_graph() -> None:
    """Every edge fits."""
    graph.connect = nothing
    graph.adopt = nothing


def drop_the_fence() -> None:
    """Whoever writes holds the task."""
    claims.require_claim = nothing


def forget_to_count_waiters() -> None:
    """A task that waits does not learn that its blocker is done."""
    graph.shift_waits = lambda *_: []


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
    """Every claim looks expired, to whoever looks."""
    look = claiming.outlook
    claiming.outlook = lambda db, **said: look(db, **said)._replace(expired=True)
    queue.EXPIRED = without(queue.EXPIRED, "lease_until <")
    queue.FREE_EXPIRED = without(queue.FREE_EXPIRED, "lease_until <")


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


def leave_members_in_the_pool() -> None:
    """Whoever has left a team still claims from its pool."""
    teams.TEAMS_OF = without(teams.TEAMS_OF, "left_at")


def ignore_capacity() -> None:
    """Nobody ever has enough to do."""
    claiming._is_full = lambda *_: False


def forget_where_it_was() -> None:
    """Whatever is recalled, declined or released stays where it is."""
    claims.place_before = lambda *_: {}


def let_workers_judge_themselves() -> None:
    """Whoever has authority accepts what it did itself."""
    reviewing._judge_of_others = lambda *_: []


def count_lapses_twice() -> None:
    """One claim that ran out counts for two."""
    lapse = lapsing.lapse
    lapsing.lapse = lambda db, row: lapse(db, row._replace(lapses=row.lapses + 1))


def offer_what_was_given_back() -> None:
    """Whoever gives a task back is offered it the next moment."""
    claiming._recently_released = lambda *_: set()


def make_delegators_of_claimants() -> None:
    """Whoever hands on what it merely claimed has authority over it from then on."""
    delegating._has_it = lambda *_: True


def forget_to_renew() -> None:
    """A call that names no task renews nothing."""
    upkeep.renew_all = nothing


def wait_for_ever_for_an_answer() -> None:
    """A question stays with whoever does not answer it."""
    messages.overdue_questions = lambda *_: []


def leave_people_below_the_ended() -> None:
    """Nobody takes over those below an agent that ends."""
    retiring._move_up = lambda *_: 0


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
    "waiters": forget_to_count_waiters,
    "gates": forget_that_gates_pass_down,
    "an event": forget_an_event,
    "expiry": sweep_claims_that_have_not_expired,
    "turning": let_a_moved_task_turn_by_itself,
    "copies": keep_one_copy_of_a_broadcast,
    "read marks": share_the_read_mark,
    "the claims of ended agents": let_ended_agents_keep_their_claims,
    "members that left": leave_members_in_the_pool,
    "capacity": ignore_capacity,
    "the way back": forget_where_it_was,
    "one's own work": let_workers_judge_themselves,
    "lapses": count_lapses_twice,
    "what was given back": offer_what_was_given_back,
    "claimants that hand on": make_delegators_of_claimants,
    "renewals": forget_to_renew,
    "unanswered questions": wait_for_ever_for_an_answer,
    "people below the ended": leave_people_below_the_ended,
    "those above": forget_who_stands_above,
    "questions to the paused": leave_questions_with_the_paused,
    "participants": forget_participants,
}


def hunt(folder: Path, name: str, start: int) -> str:
    """Break the product, and let the state machine look for it."""
    clock, examples = Clock(), 0
    draw_everything_from(start)
    database = Database(folder / f"{name.replace(' ', '-')}-{start}.db", clock=clock)
    migrate.upgrade(database)
    MUTATIONS[name]()

    @seed(start)
    def example() -> BoardMachine:
        nonlocal examples
        examples += 1
        return BoardMachine(database, clock)

    hunting = settings(HUNT, max_examples=SOUND_EXAMPLES) if name == SOUND else HUNT
    try:
        run_state_machine_as_test(example, settings=hunting)
    except AssertionError as error:
        return f"caught\t{start}\t{examples}\t{str(error).splitlines()[0][:150]}"
    except Exception as error:  # whoever breaks the product so that nothing runs has proved nothing
        return f"stopped\t{start}\t{examples}\t{type(error).__name__} {str(error).splitlines()[0][:150]}"
    return f"alive\t{start}\t{examples}\t"


def main() -> int:
    """Hunt all mutants, two at a time."""
    folder, running = Path(sys.argv[1]), 0
    for start, name in product(sys.argv[2:] or SEEDS, MUTATIONS):
        if running == 2:
            os.wait()
            running -= 1
        if os.fork() == 0:
            os.write(1, f"{name}\t{hunt(folder, name, int(start))}\n".encode())
            os._exit(0)
        running += 1
    while running:
        os.wait()
        running -= 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
