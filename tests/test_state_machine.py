"""Whatever agents do, in whatever order, the board is what a plain model says.

Hypothesis plays a director, a supervisor, two workers and the operator at random. After every call the answer
(accepted, or the code of the refusal) and the whole board are compared with `plain_model`, and `recount` checks the
tables against each other. `SWARM_EXAMPLES=2000` plays longer, and differently each time.

Proves invariants 2 to 11 of the storage design: one live claim, growing attempts, fenced writes, an acyclic graph,
counters that a recount finds, claims of ready tasks only, finished work that stays finished, a ledger that replays.
And that every reader has a copy of its own of every message, that authority follows the hierarchy as it changes, and
what becomes of everything when agents are paused, end and come back. The rules are in `planning_rules`,
`working_rules`, `judging_rules`, `people_rules` and `message_rules`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test
from independent import INDEPENDENT
from judging_rules import JudgingRules
from message_rules import MessageRules
from people_rules import PeopleRules
from plain_task import OPERATOR, Task
from planning_rules import PlanningRules
from playing import AGENTS, TASKS, Drawn, some
from postgres import place_of, played_on
from recount import file_problems, looking
from twin import Twin
from working_rules import WorkingRules

from swarm_mcp.operations import upkeep

if TYPE_CHECKING:
    from board import Board
    from conftest import Clock

    from swarm_mcp.repository.database import Database

EXAMPLES = int(os.environ.get("SWARM_EXAMPLES", "0"))
PLAY = settings(
    max_examples=EXAMPLES or 60, stateful_step_count=40, derandomize=not EXAMPLES, database=None, deadline=None,
    backend=INDEPENDENT, print_blob=True, report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
)  # fmt: skip

FATES = st.sampled_from(
    ["", "", *3 * ["claimed"], *2 * ["asked"], "completed", "partial", "failed", "split", "held", "cancelled"]
)

BEGINNINGS = st.sampled_from(["", "", "team:blue", "team:red", "specialty:coding", "ada", "bob", "carla"])


class BoardMachine(PlanningRules, WorkingRules, JudgingRules, PeopleRules, MessageRules):
    """Everything that agents can do to tasks, to each other, and to themselves."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__()
        self.database, self.clock = database, clock

    @initialize(
        max_lapses=st.sampled_from([2, 5]),
        tasks=st.lists(st.tuples(TASKS, FATES, AGENTS, BEGINNINGS), min_size=3, max_size=7),
        gone=st.sampled_from(["", "", "", "ada", "bob", "carla"]),
    )
    def begin(self, max_lapses: int, tasks: list[tuple[Drawn, str, str, str]], gone: str) -> None:
        """A director's plan: a few tasks that wait for each other, and what has become of them and of people so far."""
        self.twin = Twin(self.database, self.clock, max_lapses)
        self.model = self.twin.model
        made = []
        for (n, nested, after, review, priority, topic), _, _, to in tasks:
            parent = self.task(n) if nested and self.model.tasks else ""
            blockers = list(dict.fromkeys(map(self.task, after))) if self.model.tasks else []
            new = Task("", "dana", self.clock.now, topic, priority=priority, needs_review=review)
            made.append(self.twin.create("dana", new, parent, blockers, to))
        for name, (_, fate, who, _) in zip(made, tasks, strict=True):
            self._bring(who, name, fate)
        if gone:
            self.appoint("dana", gone, "terminated")

    def _bring(self, who: str, name: str, fate: str) -> None:
        if name and fate == "held":
            self.act("dana", name, "hold", self.model.hold)
        elif name and fate == "cancelled":
            self.act("dana", name, "cancel", lambda who, name: self.model.cancel(who, name, subtree=False))
        elif name and fate and self.model.status(self.model.tasks[name]) == "pending":
            who = self.worker(who, 0, lambda each: self.model.entitled(each, self.model.tasks[name]))
            if self.claimed_by(who, name):
                self.go_on(who, name, fate)

    def teardown(self) -> None:
        if hasattr(self, "twin"):
            self.twin.close()

    # Time.

    @rule(minutes=st.sampled_from([1, 6, 31, 61, 125]), swept=st.booleans())
    def time_passes(self, minutes: int, swept: bool) -> None:
        self.model.now = self.clock.advance(minutes=minutes)
        if swept:
            self.twin.on(OPERATOR, upkeep.sweep, self.model.sweep)

    @some(lambda task: task.lease or task.asked)
    @rule(hours=st.sampled_from([1, 1, 3]))
    def nobody_stirs(self, hours: int) -> None:
        """For so long that claims run out, and questions go on to others."""
        self.model.now = self.clock.advance(hours=hours, minutes=1)
        self.twin.on(OPERATOR, upkeep.sweep, self.model.sweep)

    @invariant()
    def both_agree(self) -> None:
        self.twin.agree()


@pytest.mark.no_cover
def test_whatever_agents_do_the_board_is_what_a_plain_model_says(database: Database, clock: Clock) -> None:
    run_state_machine_as_test(lambda: BoardMachine(database, clock), settings=played_on(database, PLAY))
    with looking(place_of(database)) as connection:
        assert file_problems(connection) == []


def test_partial_work_kept_for_its_worker_is_retried_from_the_pool_it_came_from(board: Board) -> None:
    """A delegation to the same worker that was recalled long ago stays recalled."""
    board.team("blue", "ada")
    task = board.create()
    board.delegate("lead", task, "ada")
    board.update("lead", task, action="recall")
    board.delegate("lead", task, "team:blue")
    board.claim("ada", task)
    part = board.create(by="ada", parent=task)
    board.finish("ada", part)
    attempt = board.claim("ada", task).attempt
    board.complete("ada", task, outcome="partial", attempt=attempt)
    board.update("lead", task, action="retry")
    assert board.delegations(task) == ["recalled", "offered"]
