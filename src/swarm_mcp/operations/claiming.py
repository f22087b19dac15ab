"""Claiming: a named task, or the most urgent ready one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_mcp.model import arguments as arg
from swarm_mcp.model.agent import ENDED, Lifecycle
from swarm_mcp.model.errors import Blocked, Conflict, Invalid, LimitReached, NotAllowed
from swarm_mcp.model.lifecycle import CLAIMED, TaskStatus
from swarm_mcp.model.task import Claimed
from swarm_mcp.operations import claims, lapsing, moves, naming, standing, upkeep
from swarm_mcp.operations.answering import READY_COUNTED, ready_count, shorten, task_change, task_lines, unread
from swarm_mcp.operations.availability import is_full
from swarm_mcp.operations.briefing import brief_of
from swarm_mcp.operations.catalog import operation
from swarm_mcp.repository import agents, events, queue, tasks
from swarm_mcp.repository.outlook import outlook
from swarm_mcp.repository.surroundings import look_around

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row
    from swarm_mcp.repository.surroundings import Around

LOOKAHEAD = 16
"""Candidates per lane: enough to step around tasks that change what others are changing."""
SWEEP_LIMIT = 20
HELD_SHOWN = 5


@operation(repeatable=True, long_with=["under"])
def claim_task(
    db: Transaction,
    *,
    task: arg.NextOrNamed = "",
    pool: arg.Pool = "",
    under: arg.Under = "",
    lease_minutes: arg.LeaseMinutes = 0,
) -> Claimed:
    """Take the named task, or the most urgent ready one that you may have (`pool`: a team, specialty or anyone).
    Answers with its brief.
    """
    if db.actor.id is None:
        raise NotAllowed("The operator holds no tasks. Act as an agent to claim one.")
    if not 0 <= lease_minutes <= claims.LEASE_LIMIT:
        raise Invalid(f"lease_minutes is 1 to {claims.LEASE_LIMIT}, or 0 for the project's; got {lease_minutes}.")
    agents.lock_actor(db)  # its claims are counted, and whoever ends it must find this one
    there = outlook(db, since=_lately(db))
    if task.strip():
        row = tasks.resolve_task(db, task)
        if row.holder_id is not None and row.holder_id == db.actor.id:
            row = _claim_again(db, row, lease_minutes)
            return _claimed(db, row, look_around(db, row), alone=False)
        row = _claim_named(db, row, lease_minutes)
    else:
        if there.holds:
            upkeep.renew_all(db)  # before the sweep of expired claims, which may be one's own
            _check_capacity(db)
        row = _claim_next(db, there, pool, under, lease_minutes)
    if row is None:
        return _nothing_ready(db)
    around = look_around(db, row)
    claims.tell_taken(db, row, others=around.there.others)
    return _claimed(db, row, around, alone=not there.holds)


def _claimed(db: Transaction, row: Row, around: Around, *, alone: bool) -> Claimed:
    brief = brief_of(db, row, around=around)
    mine = [] if alone else tasks.held_by(db, db.actor.id or "", limit=HELD_SHOWN + 1)
    held = [each for each in mine if each.id != row.id]
    until = row.lease_until.isoformat(timespec="seconds") if row.lease_until else ""
    return Claimed(
        task=task_change(row, title=shorten(row.title)),
        message=f"{row.id} is yours (attempt {row.attempt}) until {until[11:16]}Z; every report renews it."
        if row.lease_until
        else f"{row.id} is yours (attempt {row.attempt}); it waits for an answer.",
        brief=brief,
        attempt=row.attempt,
        lease_until=until,
        held=task_lines(db, held[:HELD_SHOWN]),
        unread=brief.unread,
    )


def _claim_named(db: Transaction, row: Row, minutes: int) -> Row:
    if row.holder_id is not None:
        if not claims.lapsed(db, row):
            holder = agents.agent_names(db, [row.holder_id])[row.holder_id]
            raise Conflict(
                f"{holder} holds {row.id} (attempt {row.attempt}). claim_task() gives you another one.",
                task=row.id,
                holder=holder,
            )
        _check_entitled(db, row)
        row = lapsing.lapse(db, row).row
    _check_claimable(db, row)
    _check_entitled(db, row)
    _check_capacity(db)
    return claims.take(db, row, minutes)


def _claim_again(db: Transaction, row: Row, minutes: int) -> Row:
    """Claiming what one holds renews it and returns the same attempt."""
    if row.lease_until is None:
        return row
    asked = minutes or row.lease_minutes
    renewed = {"lease_until": claims.lease(db, asked), "lease_minutes": asked, "connection_id": db.connection_id}
    return tasks.update_task(db, row.id, renewed)


def _check_claimable(db: Transaction, row: Row) -> None:
    """Refuse a task that is not ready. One's own hold, alone in the way, is lifted by claiming."""
    if row.status in {TaskStatus.PENDING, TaskStatus.PARTIAL} and not standing.in_the_way(db, row):
        return
    own_hold = row.hold_reason is not None and row.hold_by_id == db.actor.id
    if row.status == TaskStatus.BLOCKED and own_hold and not row.waits and not row.open_subtasks:
        return
    if row.status in {TaskStatus.BLOCKED, TaskStatus.PENDING, TaskStatus.PARTIAL}:
        obstacles = standing.in_the_way(db, row)
        raise Blocked(
            f"{row.id} is not ready: {standing.say(obstacles)}. claim_task() gives you another one.",
            task=row.id,
            in_the_way=obstacles,
        )
    raise moves.illegal(row, "be claimed")


def _check_entitled(db: Transaction, row: Row) -> None:
    if claims.entitled(db, row):
        return
    if row.assignee_id:
        assignee = agents.agent_names(db, [row.assignee_id])[row.assignee_id]
        raise NotAllowed(
            f"{row.id} is assigned to {assignee}. claim_task() gives you another one.", task=row.id, assignee=assignee
        )
    pool = naming.pool_label(db, row)
    raise NotAllowed(
        f"{row.id} lies in the pool {pool}, and {db.actor.name} is not in it. claim_task() gives you another one.",
        task=row.id,
        pool=pool,
    )


def _check_capacity(db: Transaction) -> None:
    if _is_full(db):
        limit = db.actor.capacity
        raise LimitReached(
            f"{db.actor.name} has as many claims as its capacity allows ({limit}). Complete or release one first; "
            "get_task() lists them.",
            capacity=limit,
        )


def _is_full(db: Transaction) -> bool:
    """Whether whoever acts has no room for another claim; counted only where there is a limit."""
    actor = db.actor
    return bool(actor.capacity) and is_full(actor, agents.count_claims_in_progress(db, actor.id or ""))


def _claim_next(db: Transaction, there: Row, pool: str, under: str, minutes: int) -> Row | None:
    for row in queue.expired_claims(db, limit=SWEEP_LIMIT) if there.expired else ():
        lapsing.lapse(db, row)
    wanted = _lanes(db, pool, in_teams=there.in_teams)
    root = tasks.resolve_task(db, under).id if under.strip() else ""
    passed_over = _recently_released(db) if there.released else set[str]()
    found = _candidates(db, wanted, passed_over, root, 1)
    if found and found[0].touches and len(queue.live_touches(db)):
        found = _candidates(db, wanted, passed_over, root, LOOKAHEAD)
    if not found:
        return None
    chosen = _apart_from_others(db, found)
    row = _lock(db, chosen, wanted, passed_over, root) if db.locks_rows else chosen
    return None if row is None else claims.take(db, row, minutes)


def _lock(db: Transaction, chosen: Row, wanted: list[str], besides: set[str], root: str) -> Row | None:
    """The chosen task; where somebody else is taking it now, the best that nobody is taking."""
    row = queue.lock_ready(db, chosen.id)
    if row is not None:
        return row
    free = [(_tier(db, lane), queue.lock_in_lane(db, lane, under=root, besides=besides)) for lane in wanted]
    return min(((tier, each) for tier, each in free if each is not None), key=_preference, default=(0, None))[1]


def _candidates(db: Transaction, wanted: list[str], passed_over: set[str], root: str, count: int) -> list[Row]:
    """The most urgent ready tasks of these lanes, best first; at least `count` of each lane that has so many."""
    rows = queue.ready_in_lanes(db, wanted, under=root, limit=count + len(passed_over))
    found = [(_tier(db, row.lane), row) for row in rows if row.id not in passed_over]
    return [row for _, row in sorted(found, key=_preference)]


def _tier(db: Transaction, lane: str) -> int:
    return {db.actor.id: 0, "": 2}.get(lane, 1)


def _preference(candidate: tuple[int, Row]) -> tuple[object, ...]:
    """Critical ones first, then one's own, the pools', anyone's; within each by priority, deadline, age."""
    tier, row = candidate
    return (row.urgency != 0, tier, row.urgency, row.due, row.created_at, row.id)


def _lanes(db: Transaction, pool: str, *, in_teams: bool) -> list[str]:
    name = pool.strip().lower()
    if not name:
        return claims.lanes(db, in_teams=in_teams)
    if name == "anyone":
        return [""]
    place = naming.find_place(db, pool)
    if place is None or place.agent is not None:
        raise Invalid(f"`{pool[:63]}` is no pool: name a team, a specialty, or anyone.")
    lane = place.team.id if place.team is not None else f"specialty:{place.specialty}"
    if lane not in claims.lanes(db):
        raise NotAllowed(f"{db.actor.name} is not in the pool {place.label}.")
    return [lane]


def _recently_released(db: Transaction) -> set[str]:
    """What this agent gave back within one lease time, unless it was handed to it again since."""
    return events.released_since(db, db.actor.id or "", _lately(db))


def _lately(db: Transaction) -> datetime:
    return db.now - claims.lease_time(db)


def _apart_from_others(db: Transaction, candidates: Sequence[Row]) -> Row:
    """The first candidate that changes nothing which a live claim is changing; else the first."""
    best = candidates[0]
    if not best.touches:
        return best
    live = [path for each in queue.live_touches(db) for path in each.touches]
    for each in candidates:
        if each.urgency == best.urgency and not standing.overlapping(each.touches, live):
            return each
    return best


def _nothing_ready(db: Transaction) -> Claimed:
    blocking = standing.what_others_wait_for(db)
    counts = tasks.tallies(db)
    waiting = counts.get("pending", 0) + counts.get("blocked", 0)
    active = sum(counts.get(status, 0) for status in (*CLAIMED, TaskStatus.IN_REVIEW, TaskStatus.PARTIAL))
    why = f": {'; '.join(blocking)}" if blocking else ""
    count = "1 is" if waiting + active == 1 else f"{waiting + active} are"
    left = f" {count} open: {waiting} not started, {active} under way."
    rest = left if waiting or active else " All tasks are finished."
    return Claimed(
        task=None,
        message=f"Nothing is ready for {db.actor.name}{why}.{rest} check_inbox(wait_seconds=45) wakes you.",
        blocking=blocking,
        open=waiting + active,
        unread=unread(db),
    )


def would_get(db: Transaction) -> int:
    """How many tasks claim_task() could give whoever acts now, counting to a hundred in each lane.

    Claims that have run out count once they are swept. Somebody without room for another claim, or paused, gets none.
    """
    actor = db.actor
    if actor.id is None or actor.lifecycle in {*ENDED, Lifecycle.PAUSED} or _is_full(db):
        return 0
    passed_over = _recently_released(db)
    if not passed_over:
        return ready_count(db)
    return len(_candidates(db, claims.lanes(db), passed_over, "", READY_COUNTED))
