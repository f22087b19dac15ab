"""A board opened for use: transactions that know their project and who is acting."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from swarm_mcp.model.agent import Profile
from swarm_mcp.operations import arriving
from swarm_mcp.repository import tracing
from swarm_mcp.repository.database import Database
from swarm_mcp.repository.migrate import upgrade

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator
    from datetime import datetime

    from swarm_mcp.repository.database import Transaction

T = TypeVar("T")


class Swarm:
    """One project on one database. Cheap to keep, safe to use from several threads."""

    def __init__(self, database: Database, project: str = "default") -> None:
        self.database = database
        self.project = project

    @contextmanager
    def writing(
        self, *, agent: str = "", profile: Profile = Profile.DIRECTOR, via: str = "script", connection: str = ""
    ) -> Generator[Transaction]:
        """Several operations in one transaction: all are kept, or, after an exception, none.

        Args:
            agent: who acts; without it the operator, who may do everything.
            profile: the tools that the agent has; only a director may become the project's root director.
            via: who really called, for the ledger.
            connection: the live connection, which claims remember.

        """
        with self.database.writing() as db:
            self._enter(db, agent, profile, via, connection)
            yield db

    @contextmanager
    def reading(self, *, agent: str = "", via: str = "script", connection: str = "") -> Generator[Transaction]:
        """A consistent look at the board; nothing can be written."""
        with self.database.reading() as db:
            self._look(db, agent, via, connection)
            yield db

    def write(
        self,
        change: Callable[[Transaction], T],
        *,
        agent: str = "",
        profile: Profile = Profile.DIRECTOR,
        via: str = "script",
        connection: str = "",
        patience: float | None = None,
        subject: str = "",
    ) -> T:
        """One change, replayed from the start when the database was busy; it must have no effects of its own.

        Args:
            change: what is done.
            agent: as for `writing`, like the next three.
            profile: …
            via: …
            connection: …
            patience: seconds to wait for other writers, if not as long as usual; 0: now, or Busy.
            subject: whose credential was shown, if one was: it acts as itself or as an agent below it.

        """

        def enter_and_change(db: Transaction) -> T:
            self._enter(db, agent, profile, via, connection, subject)
            return change(db)

        return self.database.write(enter_and_change, patience=patience)

    def read(
        self,
        question: Callable[[Transaction], T],
        *,
        agent: str = "",
        via: str = "script",
        connection: str = "",
        subject: str = "",
    ) -> T:
        """One question to the board."""

        def look_and_ask(db: Transaction) -> T:
            self._look(db, agent, via, connection, subject)
            return question(db)

        return self.database.read(look_and_ask)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def _enter(
        self, db: Transaction, agent: str, profile: Profile, via: str, connection: str, subject: str = ""
    ) -> None:
        db.via, db.connection_id = via, connection
        arriving.enter_to_write(db, self.project, agent, profile, subject)

    def _look(self, db: Transaction, agent: str, via: str, connection: str, subject: str = "") -> None:
        db.via, db.connection_id = via, connection
        arriving.enter(db, self.project, agent, subject)


def open_swarm(
    target: str | os.PathLike[str], *, project: str = "default", clock: Callable[[], datetime] | None = None
) -> Swarm:
    """Open a board, migrating it first if need be.

    Args:
        target: a path, or a SQLAlchemy URL.
        project: the project to work on.
        clock: what tells the time, for tests.

    Raises:
        Unavailable: the file cannot be used; the sentence says why.

    """
    tracing.begin()
    database = Database(target, clock=clock)
    upgrade(database)
    return Swarm(database, project)
