"""Resources about the whole project: agents, what they said to each other, and everything that happened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from mcp.shared.exceptions import MCPError
from serving import LEGACY, MODERN, Desk, serving
from tokenizer import count

from swarm_mcp import operations
from swarm_mcp.operations.swarm import open_swarm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

CEILING = 8000


@pytest.fixture(scope="module", params=[MODERN, LEGACY])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A connection called `host`, the root director; below it are ada and bob."""
    with serving(tmp_path_factory.mktemp("board") / "swarm.db", mode=request.param) as desk:
        for agent in ("host", "ada", "bob"):
            desk.call("check_inbox", agent=agent)
        yield desk


@pytest.fixture
def task(desk: Desk) -> str:
    """A new task that host holds."""
    task = desk.call("create_task", title="Talk about it", agent="host").task
    desk.call("claim_task", task=task, agent="host")
    return task


def refusal(desk: Desk, uri: str) -> str:
    """The sentence by which a resource is refused."""
    with pytest.raises(MCPError) as caught:
        desk.read(uri)
    assert caught.value.error.code == -32602
    assert caught.value.error.data["uri"] == uri
    return caught.value.error.message


def test_the_agents_are_those_that_list_agents_tells_of(desk: Desk, task: str) -> None:
    desk.call("create_task", title="For cy", assignee="cy", agent="host")
    assert desk.read("swarm://agents") == desk.call("list_agents", agent="host").text + "\n"
    assert "  cy worker spawning offline · 1 assigned" in desk.read("swarm://agents").splitlines()


def test_an_agent_is_a_document_with_its_tasks(desk: Desk, task: str) -> None:
    text = desk.read("swarm://agents/HOST")
    assert text.startswith("# host\n\n- role: director\n- lifecycle: active\n- availability: busy\n- last seen: ")
    assert f"\n- {task} in_progress" in text
    listed = next(each for each in desk.call("list_agents", agent="host")["agents"] if each["name"] == "host")
    assert f"## Holds {listed['claims']}\n" in text
    assert re.findall(r"^## (\w+)", text, re.MULTILINE) == ["Holds", "Assigned"]


def test_an_inbox_is_read_by_its_owner_and_reading_marks_nothing(desk: Desk, task: str) -> None:
    desk.call("check_inbox", agent="host")
    desk.call("send_message", text="Mind the gap.\nAlways.", to="host", agent="ada")
    for _ in range(2):
        assert re.search(r"^m\d+ message from ada at .*: Mind the gap\.\n  Always\.$",
                         desk.read("swarm://agents/host/inbox"), re.MULTILINE)  # fmt: skip
    assert "Mind the gap" in desk.call("check_inbox", agent="host").text
    desk.call("check_inbox", agent="host")
    assert desk.read("swarm://agents/host/inbox") == "Nothing new.\n"


def test_another_agents_inbox_is_closed(desk: Desk, task: str) -> None:
    desk.call("send_message", text="For ada alone.", to="ada", agent="host")
    words = "Only ada reads that inbox. Yours is swarm://agents/host/inbox."
    assert refusal(desk, "swarm://agents/ada/inbox") == words


def test_of_a_conversation_its_reader_sees_what_is_public_and_what_is_its_own(desk: Desk, task: str) -> None:
    here = desk.call("create_task", title="Talk about it", agent="host").task
    desk.call("send_message", text="Only we know.", to="bob", task=here, agent="ada")
    for page in ("", "?cursor=1"):
        words = f"No conversation `{here}` in which you take part."
        assert refusal(desk, f"swarm://conversations/{here}{page}") == words
    desk.call("claim_task", task=here, agent="ada")
    desk.call("report_progress", task=here, message="Left or right?", status="requires_assistance", agent="ada")
    desk.call("send_message", text="Left.", task=here, agent="host")
    text = desk.read(f"swarm://conversations/{here}")
    assert text.startswith(f"Talk about it about {here} (active)\nm")
    assert re.findall(r"(\w+) \((\w+)\): (.+)", text) == [
        ("ada", "question", "Left or right?"),
        ("host", "answer", "Left."),
    ]


def test_the_ledger_comes_in_pages_and_without_what_was_said(desk: Desk, task: str) -> None:
    desk.call("add_note", task=task, text="The password is swordfish.", agent="host")
    desk.call("send_message", task=task, text="The password is swordfish.", to="ada", agent="host")
    pages = [desk.read("swarm://events?limit=3")]
    while found := re.search(r"^more: (.*)$", pages[-1], re.MULTILINE):
        pages.append(desk.read(found[1]))
    numbers = [int(n) for page in pages for n in re.findall(r"^(\d+) ", page, re.MULTILINE)]
    assert numbers == sorted(set(numbers))
    assert f"claimed {task} (" in "".join(pages)
    assert "swordfish" not in "".join(pages)
    assert desk.read(f"swarm://events?after={numbers[-1]}") == f"Nothing happened after {numbers[-1]}.\n"


def test_long_lists_come_in_pages_below_the_ceiling(tmp_path: Path) -> None:
    swarm = open_swarm(tmp_path / "swarm.db")
    with swarm.writing(agent="host") as db:
        for n in range(250):
            title = f"Task {n} {'of many words ' * 30}"
            operations.create_task(db, title=title, assignee=f"specialist-for-{n}-and-everything-like-it")
        task = operations.create_task(db, title="Talk").task.id  # type: ignore[union-attr]
        for n in range(60):
            operations.send_message(db, text=f"Message {n}. {'So it goes. ' * 200}", to="operator", task=task)
    swarm.close()
    with serving(tmp_path / "swarm.db") as desk:
        for uri, entry, entries in (
            ("swarm://agents", r"^ *specialist-for-\d+", 250),
            (f"swarm://conversations/{task}", r"Message \d+\.", 60),
            ("swarm://events", r"^\d+ ", 0),
        ):
            pages = [desk.read(uri)]
            while found := re.search(r"^(?:more: (.*)|next: cursor=\"(.*)\")$", pages[-1], re.MULTILINE):
                pages.append(desk.read(found[1] or f"{uri}?cursor={found[2]}"))
            assert len(pages) > 1
            assert all(count(page) < CEILING for page in pages)
            seen = [each for page in pages for each in re.findall(entry, page, re.MULTILINE)]
            assert len(seen) == len(set(seen))
            assert not entries or len(seen) == entries


def test_an_observer_leaves_no_trace_by_reading(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db", name="lead") as lead:
        lead.call("create_task", title="Something")
        before = lead.read("swarm://events")
        with serving(tmp_path / "swarm.db", "--profile", "observer", name="eye") as eye:
            for resource in eye.run("list_resources").resources:
                assert eye.read(resource.uri)
            assert eye.read("swarm://agents/eye/inbox") == "Nothing new.\n"
            assert "eye" not in eye.read("swarm://agents")
        assert lead.read("swarm://events") == before
