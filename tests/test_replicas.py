"""Three replicas on PostgreSQL and many agents; two replicas are killed on the way. Nothing is lost or done twice.

With SWARM_FLEET=full it is 64 agents with 2,000 tasks, which takes a minute or two; the figures are printed.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import history
import httpx2
import postgres
import pytest
from crowd_of_agents import PATIENCE_SECONDS, Agent, Director, Replicas, Told
from recount import problems

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.no_cover
AGENTS, TASKS = (64, 2000) if os.environ.get("SWARM_FLEET") == "full" else (32, 200)
REPLICAS = 3
AT_ONCE, REACH = 40, 250
"""Tasks in one part of the plan, and how far back a task may wait for another."""
KILLED_AT = (0.25, 0.6)
"""Of the tasks completed, when a replica is killed."""


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[tuple[Replicas, str]]:
    """Replicas, and the address of the database."""
    with postgres.new_database() as address:
        fleet = Replicas(address, tmp_path, REPLICAS)
        try:
            yield fleet, address
        finally:
            fleet.close()


async def carry_out_a_plan(replicas: Replicas, told: Told) -> tuple[list[str], list[int]]:
    """Plan, work and kill; the ids of all tasks, and the ports of the replicas that took the place of others."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx2.AsyncClient(limits=limits, timeout=PATIENCE_SECONDS) as http:
        replaced = asyncio.Event()
        director = Director(replicas, http, told)
        planning = asyncio.create_task(director.plan(TASKS, AT_ONCE, REACH, replaced))
        agents = [Agent(f"agent-{n}", n, replicas, http, told) for n in range(AGENTS)]
        await agents[0].ask("check_inbox")

        async def work(agent: Agent) -> None:
            await agent.work()
            while not planning.done():  # everything was done, but more is being planned
                await agent.ask("check_inbox", wait_seconds=1)
                await agent.work()
            await agent.work()

        began = time.monotonic()
        working = [asyncio.create_task(work(agent)) for agent in agents]
        ports: list[int] = []
        for number, share in enumerate(KILLED_AT):
            while len(told.completions) < share * TASKS:
                await asyncio.sleep(0.005)
                for task in [planning, *working]:
                    assert not task.done() or task.exception() is None, task.exception()
            assert len(told.completions) < TASKS
            ports.append(await replicas.replace(number))
        replaced.set()  # so that there is work left for those that were started again
        await asyncio.gather(planning, *working)
        say(told, time.monotonic() - began)
        return planning.result(), ports


def say(told: Told, seconds: float) -> None:
    """How fast it was, with everything that checks it in the way."""
    took = {tool: sorted(each) for tool, each in told.seconds.items()}
    words = [f"{tool} p50 {1000 * each[len(each) // 2]:.0f} ms, p95 {1000 * each[int(len(each) * 0.95)]:.0f}"
             for tool, each in took.items() if tool in {"claim_task", "report_progress", "complete_task"}]  # fmt: skip
    print(f"{TASKS} tasks, {AGENTS} agents: {seconds:.1f} s, {len(told.claims) / seconds:.0f} claims/s; "
          f"{'; '.join(words)}; {told.lost} calls were not answered")  # fmt: skip


def test_a_fleet_loses_nothing_when_replicas_are_killed(replicas: tuple[Replicas, str]) -> None:
    fleet, address = replicas
    told = Told()
    planned, newcomers = asyncio.run(carry_out_a_plan(fleet, told))
    assert len(set(planned)) == TASKS
    assert told.lost > 0, "nobody was at a replica when it was killed"
    assert all(fleet.answered.get(port) for port in newcomers)
    assert problems(address) == []
    with postgres.looking_at_server(address) as own:
        check_tasks(own, set(planned))
        check_claims(own, told)
        check_writes(own, told)
        check_order(own)
    check_history(told)


def check_tasks(own: Any, planned: set[str]) -> None:
    """Those that were planned, none twice, and all of them are completed with nothing in the way."""
    rows = own.execute("SELECT id, title, status, waits, holder_id FROM task").fetchall()
    assert {row[0] for row in rows} == planned
    assert len(rows) == len({row[1] for row in rows}) == TASKS
    assert {row[2:] for row in rows} == {("completed", 0, None)}


def check_claims(own: Any, told: Told) -> None:
    """A task was given to one agent in each attempt; what the agents know of that is what the ledger says."""
    given: dict[tuple[str, int], set[str]] = defaultdict(set)
    for task, attempt, agent in told.claims:
        given[task, attempt].add(agent)
    assert {key: who for key, who in given.items() if len(who) > 1} == {}
    kept = own.execute(
        "SELECT task_id, attempt, agent.name FROM execution JOIN agent ON agent.id = agent_id"
    ).fetchall()
    assert len(kept) == len({row[:2] for row in kept})
    assert {(*key, *who) for key, who in given.items()} == set(kept)
    recorded = own.execute(
        "SELECT task_id, (data->'attempt'->>1)::int, agent.name FROM event JOIN agent ON agent.id = agent_id "
        "WHERE kind = 'claimed'"
    ).fetchall()
    assert Counter(recorded) == Counter(kept)


def check_writes(own: Any, told: Told) -> None:
    """Whatever was acknowledged is there, once where it may be once, and nothing else is."""
    done = own.execute(
        "SELECT task_id, attempt, agent.name, summary FROM execution JOIN agent ON agent.id = agent_id "
        "WHERE status = 'completed'"
    ).fetchall()
    assert Counter(done) == Counter(told.completions)
    assert Counter(row[0] for row in done) == Counter(row[0] for row in own.execute("SELECT id FROM task"))
    summaries = own.execute("SELECT id, completion_summary FROM task").fetchall()
    assert set(summaries) == {(task, summary) for task, _, _, summary in told.completions}
    for kind, wanted in (("completed", told.completions), ("released", told.releases)):
        recorded = own.execute("SELECT task_id FROM event WHERE kind = %s", [kind]).fetchall()
        assert Counter(row[0] for row in recorded) == Counter(each[0] for each in wanted)
    said = own.execute("SELECT task_id, agent.name, message FROM progress JOIN agent ON agent.id = agent_id").fetchall()
    said = [row for row in said if row[2] != "Not mine."]
    assert set(told.reports) == set(said)
    # What was not answered was sent again, and may have been written both times.
    assert 0 <= len(said) - len(told.reports) <= told.lost


def check_order(own: Any) -> None:
    """Nobody was given a task before everything that it waits for was completed; and nothing waits in a circle."""
    edges = own.execute("SELECT task_id, depends_on_id FROM dependency WHERE type = 'blocks'").fetchall()
    assert len(edges) > TASKS
    first = dict(own.execute("SELECT task_id, min(seq) FROM event WHERE kind = 'claimed' GROUP BY task_id").fetchall())
    done = dict(own.execute("SELECT task_id, max(seq) FROM event WHERE kind = 'completed' GROUP BY task_id").fetchall())
    assert [edge for edge in edges if first[edge[0]] <= done[edge[1]]] == []


def check_history(told: Told) -> None:
    """What the agents were told of a task has an order in which a single clerk could have told it."""
    by_task: dict[str, list[history.Call]] = defaultdict(list)
    for call in told.calls:
        by_task[call.task].append(call)
    assert [each for task, calls in by_task.items() for each in history.problems(calls, task)] == []
