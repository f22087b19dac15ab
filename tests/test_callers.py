"""Who calls over HTTP: what a server remembers of sessions, and what the board does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from swarm_mcp.model.agent import Profile
from swarm_mcp.model.bearer import Bearer, TokenScope
from swarm_mcp.operations import upkeep
from swarm_mcp.repository import connections
from swarm_mcp.server import callers
from swarm_mcp.server.callers import Callers
from swarm_mcp.server.calls import Calls
from swarm_mcp.server.identity import Caller

if TYPE_CHECKING:
    from board import Board

ADA = Bearer("token", "ada", frozenset({TokenScope.WORKER}))


def on_board(board: Board, wanted: str) -> bool:
    return board.swarm.read(lambda db: connections.find_connection(db, wanted)) is not None


def test_a_session_stays_on_the_board_longer_than_a_process_that_has_gone(board: Board) -> None:
    calls = Calls(board.swarm, Profile.WORKER)
    session, pipe = Callers("default").session("s" * 32, None), Caller()
    for each in (session, pipe):
        calls.make_known(each, "ide")
    assert (session.name, pipe.name) == ("ide", "ide-2")
    board.clock.advance(minutes=2)
    board.swarm.write(lambda db: upkeep.keep_connections(db, []))
    assert (on_board(board, session.id), on_board(board, pipe.id)) == (True, False)
    fresh = Callers("default").session("t" * 32, None)
    calls.make_known(fresh, "ide")
    assert fresh.name == "ide", "a silent session does not keep its name from others"
    board.clock.now += upkeep.SESSION_SILENT + timedelta(seconds=1)
    board.swarm.write(lambda db: upkeep.keep_connections(db, [fresh.id]))
    assert (on_board(board, session.id), on_board(board, fresh.id)) == (False, True)


def test_those_without_a_session_are_the_same_everywhere_and_remember_nothing() -> None:
    here, there = (Callers("default").sessionless("An IDE", None) for _ in range(2))
    assert (here.name, here.id) == ("an-ide", there.id)
    assert here.id != Callers("other").sessionless("An IDE", None).id
    here.has_acted("a")
    here.has_acted("b")
    here.remember("a", "k3x9m2qa", 3)
    assert (here.agent("", writing=True), here.attempt("a", "k3x9m2qa")) == ("an-ide", 0)


def test_a_token_says_who_calls_and_the_client_does_not() -> None:
    known = Callers("default", "fixed")
    for caller in (known.sessionless("lead", ADA), known.session("s" * 32, ADA)):
        assert (caller.name, caller.subject) == ("ada", "ada")
    unknown = known.sessionless("lead", None)
    assert (unknown.name, unknown.subject) == ("fixed", "")
    assert known.sessionless("ada", None) is not known.sessionless("ada", ADA)


def test_a_server_remembers_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "KEPT", 2)
    known = Callers("default")
    first = known.session("1", None)
    for session in ("2", "1", "3"):
        known.session(session, None)
    assert known.session("1", None) is first
    assert {each.id for each in known.alive()} == {"1", "3"}
