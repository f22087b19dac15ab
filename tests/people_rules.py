"""Rules of the state machine: what becomes of people, their teams, and the tasks that they take part in."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule
from plain_task import OPERATOR
from playing import AGENTS, ANYBODY, SOME, WILD, Playing
from twin import STAFF, TEAMS

from swarm_mcp import operations

BELOW = st.sampled_from(STAFF[1:])


class PeopleRules(Playing):
    """What is done to agents and teams, and joining tasks."""

    @precondition(lambda machine: sum(map(machine.model.crew.active, STAFF)) > 2)
    @rule(
        who=ANYBODY, n=SOME, name=st.sampled_from([*STAFF, *STAFF[1:]]),
        lifecycle=st.sampled_from(["paused", "paused", "terminated", "failed"]),
    )  # fmt: skip
    def stop(self, who: str, n: int, name: str, lifecycle: str) -> None:
        """Half the time somebody that has work."""
        busy = [task.holder for task in self.model.tasks.values() if task.holder]
        name = busy[n // 5 % len(busy)] if busy and n % 2 else name
        self.appoint(self.one(who, n, lambda each: self._rules(each, name)), name, lifecycle)

    @precondition(lambda machine: machine.asked())
    @rule(n=SOME, lifecycle=st.sampled_from(["paused", "terminated"]))
    def stop_whoever_is_asked(self, n: int, lifecycle: str) -> None:
        """Somebody owes an answer, and can give it no more."""
        asked = self.asked()
        self.appoint(OPERATOR, asked[n % len(asked)], lifecycle)

    def asked(self) -> list[str]:
        """Which agents owe answers."""
        return [task.asked[-1] for task in self.model.tasks.values() if task.asked and task.asked[-1] != OPERATOR]

    @precondition(lambda machine: not all(map(machine.model.crew.active, STAFF)))
    @rule(who=st.sampled_from([OPERATOR, "dana", "bob"]), n=SOME)
    def bring_back(self, who: str, n: int) -> None:
        away = [name for name in STAFF if not self.model.crew.active(name)]
        name = away[n % len(away)]
        self.appoint(self.one(who, n, lambda each: self._rules(each, name)), name, "active")

    def _rules(self, who: str, name: str) -> bool:
        """Whether somebody stands over somebody else."""
        return who != name and self.model.crew.stands_over(who, name)

    def appoint(self, who: str, name: str, lifecycle: str) -> None:
        """Give somebody another lifecycle."""
        self.twin.on(
            who,
            lambda db: operations.register_agent(db, name=name, lifecycle=lifecycle),
            lambda: self.model.appoint(who, name, lifecycle),
        )

    @rule(who=ANYBODY, n=SOME, name=BELOW, boss=AGENTS)
    def stand_below(self, who: str, n: int, name: str, boss: str) -> None:
        """Mostly somebody who neither stands there already nor above."""
        crew = self.model.crew
        fits = [each for each in STAFF[1:] if each not in {boss, *crew.above(boss)} and crew.superior(each) != boss]
        name = name if n % 5 == WILD or name in fits or not fits else fits[n % len(fits)]
        who = self.one(who, n, lambda each: self._rules(each, name))
        self.twin.on(
            who,
            lambda db: operations.register_agent(db, name=name, superior=boss),
            lambda: self.model.crew.stand_below(who, name, boss),
        )

    @rule(who=ANYBODY, n=SOME, name=AGENTS, team=st.sampled_from(TEAMS), leave=st.booleans())
    def change_teams(self, who: str, n: int, name: str, team: str, leave: bool) -> None:
        """Mostly those who are not in the team join it, and those who are leave it."""
        who = self.one(who, n, lambda each: self._rules(each, name))
        leave = leave if n % 5 == WILD else name in self.model.crew.teams[team].members
        said = {"leave_team": team} if leave else {"team": team}
        change = self.model.crew.leave if leave else self.model.crew.join
        self.twin.on(
            who, lambda db: operations.register_agent(db, name=name, **said), lambda: change(who, name, team)
        )  # fmt: skip

    @precondition(lambda machine: machine.leaving())
    @rule(n=SOME, named=st.booleans())
    def leave_and_claim(self, n: int, named: bool) -> None:
        """Somebody leaves a team in whose pool there is work, and wants it all the same."""
        leaving = self.leaving()
        who, team, task = leaving[n % len(leaving)]
        self.twin.on(
            OPERATOR,
            lambda db: operations.register_agent(db, name=who, leave_team=team),
            lambda: self.model.crew.leave(OPERATOR, who, team),
        )
        if named:
            self.claimed_by(who, task)
        else:
            self.next_claimed(who)

    def leaving(self) -> list[tuple[str, str, str]]:
        """Who could leave which team, and a ready task in its pool."""
        return [
            (who, task.place[1], task.id)
            for task in self.model.tasks.values()
            if task.place is not None and task.place[0] == "team" and self.model.status(task) == "pending"
            for who in STAFF
            if self.model.crew.active(who) and who in self.model.crew.teams[task.place[1]].members
        ]

    @rule(who=ANYBODY, n=SOME, leave=st.sampled_from([False, False, True]))
    def take_part(self, who: str, n: int, leave: bool) -> None:
        who = self.worker(who, n)
        name = self.task(n, lambda task: (who in task.parts) == leave)
        self.twin.on(
            who,
            lambda db: operations.join_task(db, task=name, leave=leave),
            lambda: self.model.join_task(who, name, leave=leave),
        )

    @rule()
    def ask_who_may(self) -> None:
        """Of every task and everybody."""
        for task in self.model.tasks.values():
            having = {who for who in STAFF if self.twin.has_authority(who, task.id)}
            expected = {who for who in STAFF if self.model.may(who, task)}
            assert having == expected, f"{having} have authority over {task.id}, should be {expected}"
