"""A process in which several agents do to one board whatever comes to their minds, as fast as they can.

    python tests/unruly.py ADDRESS SEED STEPS

Prints how often each operation succeeded, and whatever was raised that is no refusal.
"""

from __future__ import annotations

import json
import random
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.errors import Busy, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from swarm_mcp.operations.swarm import Swarm

AGENTS = 3
"""Threads of a process."""
LATEST = 30
"""Tasks that everybody is interested in."""


class Agent:
    """One agent, which knows what there is from the lists alone."""

    def __init__(self, swarm: Swarm, name: str, seed: int) -> None:
        self.swarm = swarm
        self.name = name
        self.chance = random.Random(seed)
        self.did: Counter[str] = Counter()
        self.broken: list[str] = []

    def order(self, operation: Callable[..., Any], **said: Any) -> None:
        """Do something as the operator, who may do everything."""
        self.call(operation, by="", **said)

    def call(self, operation: Callable[..., Any], *, by: str | None = None, **said: Any) -> Any:
        who = self.name if by is None else by
        try:
            answer = self.swarm.write(
                lambda db: operation(db, **said), agent=who, profile=Profile.WORKER, connection=self.name
            )
        except Busy as busy:
            self.broken.append(f"{operation.__name__}: {busy.message}")
        except Refusal:
            return None
        except Exception as error:
            self.broken.append(f"{operation.__name__}: {error!r}"[:500])
        else:
            self.did[operation.__name__] += 1
            return answer
        return None

    def some(self) -> str:
        """One of the newest tasks."""
        return self.chance.choice(self.known) if self.known else ""

    def step(self) -> None:
        listed = self.swarm.read(lambda db: operations.list_tasks(db, sort="created", limit=200), agent=self.name)
        self.known = [line.id for line in listed.tasks][-LATEST:]
        self.chance.choices(
            (self.create, self.plan, self.work, self.take, self.report, self.link, self.move, self.act),
            (4, 1, 5, 3, 2, 2, 1, 3),
        )[0]()

    def create(self) -> None:
        parent = self.some() if self.chance.random() < 0.3 else ""
        blockers = [each for each in {self.some(), self.some()} if each] if self.chance.random() < 0.6 else []
        self.order(operations.create_task, title="A task", parent=parent, depends_on=blockers)

    def plan(self) -> None:
        blockers = [each for each in (self.some(),) if each]
        first, second = {"ref": "a", "title": "a"}, {"ref": "b", "title": "b", "depends_on": ["a", *blockers]}
        self.order(operations.create_plan, tasks=[first, second])

    def take(self) -> None:
        self.call(operations.claim_task)

    def work(self) -> None:
        claimed = self.call(operations.claim_task)
        if claimed is not None and claimed.task is not None:
            outcome = self.chance.choice(["completed", "completed", "completed", "failed", "partial"])
            self.call(operations.complete_task, task=claimed.task.id, summary="Done.", outcome=outcome)

    def report(self) -> None:
        status = self.chance.choice(["", "released", "blocked"])
        self.call(operations.report_progress, task=self.some(), message="Going on.", status=status)

    def link(self) -> None:
        self.order(operations.update_task, task=self.some(), add_depends_on=[self.some()])

    def move(self) -> None:
        self.order(operations.update_task, task=self.some(), parent=self.some())

    def act(self) -> None:
        action = self.chance.choice(["hold", "resume", "retry", "reopen", "cancel", "recall", "archive"])
        subtree = self.chance.random() < 0.5
        self.order(operations.update_task, task=self.some(), action=action, reason="chance", subtree=subtree)


def main(address: str, seed: int, steps: int) -> None:
    swarm = open_swarm(address)
    names = [f"worker-{seed}" + "x" * n for n in range(AGENTS)]
    agents = [Agent(swarm, name, seed * 100 + n) for n, name in enumerate(names)]
    print("ready", flush=True)
    sys.stdin.readline()

    def play(agent: Agent) -> None:
        for _ in range(steps):
            agent.step()

    threads = [threading.Thread(target=play, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    swarm.close()
    did = sum((agent.did for agent in agents), Counter())
    print(json.dumps({"did": did, "broken": [each for agent in agents for each in agent.broken]}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
