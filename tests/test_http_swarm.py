"""Many callers of all kinds on two servers of one board: nobody takes what another has, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from listening import Listener, call, handshake, listening, old_call, visiting
from recount import problems
from serving import LEGACY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Servers = tuple[Listener, Listener]
    Ask = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself


TASKS = 60
OF_EACH_KIND = 4


@pytest.fixture
def servers(tmp_path: Path, place: Path | str) -> Iterator[Servers]:
    """Two servers on one board with work for everybody."""
    file, address = tmp_path / "swarm.db", place if isinstance(place, str) else ""
    with (
        listening(file, name="one", address=address) as one,
        listening(file, name="two", address=address) as two,
    ):
        body, headers = call("create_plan", tasks=[{"title": f"Task {n}"} for n in range(TASKS)], agent="lead")
        assert not one.ask("POST", "/mcp", body, **headers).facts["result"]["isError"]
        yield one, two
    assert problems(place) == []


def work(ask: Ask) -> list[str]:
    """Claim and complete until nothing is left; what was claimed."""
    done: list[str] = []
    while task := ask("claim_task").get("task"):
        done.append(task["id"])
        finished = ask("complete_task", task=task["id"], summary="Done.")
        assert "code" not in finished, finished
    return done


def without_sessions(servers: Servers, number: int) -> list[str]:
    """A caller of the newer generation, whose requests come to either server in turn."""
    turn = iter(range(number, 10_000))

    def ask(tool: str, **said: Any) -> dict[str, Any]:
        body, headers = call(tool, agent=f"new-{number}", **said)
        heard = servers[next(turn) % 2].ask("POST", "/mcp/worker", body, **headers)
        return heard.facts["result"]["structuredContent"]

    return work(ask)


def with_a_session(servers: Servers, number: int) -> list[str]:
    """A caller of the older generation, whose session goes on at either server in turn."""
    session = handshake(servers[number % 2], "/mcp/worker", name="old")
    turn = iter(range(number, 10_000))

    def ask(tool: str, **said: Any) -> dict[str, Any]:
        return old_call(servers[next(turn) % 2], session, tool, "/mcp/worker", **said)["structuredContent"]

    return work(ask)


def with_a_stream(servers: Servers, number: int) -> list[str]:
    """A caller over HTTP+SSE."""
    with visiting(servers[number % 2], "/sse/worker", mode=LEGACY, name="older") as desk:
        return work(lambda tool, **said: desk.ask(tool, **said).facts)


def test_callers_of_all_kinds_on_two_servers_never_take_the_same_task(servers: Servers) -> None:
    kinds = (without_sessions, with_a_session, with_a_stream)
    with ThreadPoolExecutor(len(kinds) * OF_EACH_KIND) as pool:
        begun = [pool.submit(kind, servers, number) for kind in kinds for number in range(OF_EACH_KIND)]
        claimed = Counter(task for each in begun for task in each.result())
    assert (len(claimed), set(claimed.values())) == (TASKS, {1})
    body, headers = call("get_overview")
    facts = servers[1].ask("POST", "/mcp", body, **headers).facts["result"]["structuredContent"]
    assert facts["status_breakdown"] == {"completed": TASKS}
