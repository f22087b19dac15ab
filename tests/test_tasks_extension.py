"""The Tasks extension over real pipes and sockets: with it, without it, and after a restart."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from handles import UNKNOWN, Holder, able, accepted, calm
from listening import Listener, listening, visiting
from serving import serving

from swarm_mcp.operations import tokens
from swarm_mcp.operations.projects import create_project
from swarm_mcp.operations.swarm import Swarm, open_swarm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from serving import Desk


pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself


@pytest.fixture
def visit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Holder]]:
    """Come to one board with a client that knows the extension, at a server of its own each time."""
    board = tmp_path / "swarm.db"
    with ExitStack() as stack:

        def come(**said: Any) -> Holder:
            if getattr(request, "param", "stdio") == "stdio":
                return Holder(stack.enter_context(serving(board, able=able(**said))))
            return Holder(stack.enter_context(visiting(stack.enter_context(listening(board)), able=able(**said))))

        yield come


over_both = pytest.mark.parametrize("visit", ["stdio", "http"], indirect=True)


def handed(holder: Holder, title: str = "Build it", to: str = "ada") -> tuple[str, str]:
    """Hand a new task down; the task, and the handle."""
    task = holder.desk.call("create_task", title=title, agent="lead").task
    return task, holder.begin("delegate", task=task, to=to, agent="lead")


def ask(desk: Desk, task: str, question: str = "Which port?") -> None:
    desk.call("claim_task", task=task, agent="ada")
    desk.call("report_progress", task=task, message=question, status="requires_assistance", agent="ada")


def texts(stands: dict[str, Any]) -> list[str]:
    return [item["text"] for item in stands["result"]["structuredContent"]["items"]]


# What a client has that declares it


@over_both
def test_a_handle_leads_from_delegate_to_what_came_of_it(visit: Callable[..., Holder]) -> None:
    lead = visit()
    task, handle = handed(lead)
    ask(lead.desk, task)
    stands = lead.get(handle)
    assert stands["status"] == "input_required"
    ((key, request),) = stands["inputRequests"].items()
    assert request == {
        "method": "elicitation/create",
        "params": {
            "mode": "form",
            "message": "ada asks: Which port?",
            "requestedSchema": {
                "type": "object",
                "properties": {"answer": {"type": "string", "title": "Answer"}},
                "required": ["answer"],
            },
        },
    }
    code, message, _ = lead.refusal("update", handle, inputResponses={key: {"action": "accept", "content": {}}})
    assert (code, key in message) == (-32602, True)
    lead.answer(handle, unknown={"ignored": True}, **{key: accepted("8080")})
    assert lead.get(handle)["status"] == "working"
    news = lead.desk.call("check_inbox", agent="ada")["items"]
    assert [item["text"] for item in news if item["type"] == "answer"] == ["8080"]
    held = lead.desk.call("get_task", task=task, agent="ada")
    assert (held["task"]["status"], held["attempt"]) == ("in_progress", 1)
    lead.desk.call("complete_task", task=task, summary="On 8080.", outputs={"port": 8080}, agent="ada")
    stands = lead.get(handle)
    assert (stands["status"], stands["result"]["isError"]) == ("completed", False)
    facts = stands["result"]["structuredContent"]
    assert (facts["outcome"], facts["by"], facts["summary"], facts["outputs"]) == (
        "completed", "ada", "On 8080.", {"port": 8080},
    )  # fmt: skip
    lead.cancel(handle)
    assert lead.get(handle) == stands


def test_work_that_fails_is_a_completed_handle_with_an_error(visit: Callable[..., Holder]) -> None:
    lead = visit()
    task, handle = handed(lead)
    lead.desk.call("claim_task", task=task, agent="ada")
    lead.desk.call("complete_task", task=task, summary="No way.", outcome="failed", agent="ada")
    stands = lead.get(handle)
    assert (stands["status"], stands["result"]["isError"]) == ("completed", True)
    assert "error" not in stands


def test_the_handle_says_what_delegate_would_have_said(visit: Callable[..., Holder]) -> None:
    lead = visit()
    task = lead.desk.call("create_task", title="Build it", agent="lead").task
    created = lead.call("delegate", task=task, to="ada", agent="lead")
    assert created["statusMessage"].startswith(f"{task} is handed to ada, pending. ada is new")
    assert created["ttlMs"] is None
    assert "result" not in created


def test_a_refusal_is_no_handle(visit: Callable[..., Holder]) -> None:
    lead = visit()
    refused = lead.call("delegate", task="zzzzzzzz", to="ada", agent="lead")
    assert (refused["resultType"], refused["isError"]) == ("complete", True)
    refused = lead.call("check_inbox", wait_seconds=46, agent="lead")
    assert (refused["resultType"], refused["isError"]) == ("complete", True)


@over_both
def test_a_handle_outlives_its_server_and_serves_on_another(visit: Callable[..., Holder]) -> None:
    first = visit()
    task, handle = handed(first)
    calm(first.desk)
    wait = first.begin("check_inbox", wait_seconds=45, agent="lead")
    second = visit()
    ask(second.desk, task)
    (key,) = second.get(handle)["inputRequests"]
    second.answer(handle, **{key: accepted("8080")})
    assert first.get(handle)["status"] == "working"
    assert first.get(handle) == second.get(handle)
    stands = first.get(wait)
    assert stands["status"] == "completed"
    assert second.get(wait) == stands
    second.cancel(handle)
    assert first.get(handle)["status"] == "cancelled"


def test_a_restart_in_between_changes_nothing(tmp_path: Path) -> None:
    board = tmp_path / "swarm.db"
    with serving(board, able=able()) as desk:
        task, handle = handed(Holder(desk))
        ask(desk, task)
        calm(desk)
        wait = Holder(desk).begin("check_inbox", wait_seconds=45, agent="lead")
        before = Holder(desk).get(handle)
        desk.call("send_message", text="Well?", to="lead", agent="ada")
    with listening(board) as server, visiting(server, able=able()) as desk:
        lead = Holder(desk)
        assert lead.get(handle) == before
        lead.answer(handle, **{key: accepted("8080") for key in before["inputRequests"]})
        assert lead.get(handle)["status"] == "working"
        assert texts(lead.get(wait)) == ["Well?"]


@over_both
def test_cancelling_recalls_the_delegation_and_leaves_the_task(visit: Callable[..., Holder]) -> None:
    lead = visit()
    task, handle = handed(lead)
    lead.desk.call("claim_task", task=task, agent="ada")
    lead.cancel(handle)
    stands = lead.get(handle)
    assert stands["status"] == "cancelled"
    assert "result" not in stands
    assert lead.desk.refusal("complete_task", task=task, summary="Done.", agent="ada")["code"] == "claim_lost"
    assert lead.desk.call("get_task", task=task, agent="lead")["task"]["status"] == "pending"
    lead.cancel(handle)
    again = lead.begin("delegate", task=task, to="ada", agent="lead")
    assert again != handle
    assert lead.get(handle) == stands


@over_both
def test_news_come_by_the_handle_of_a_wait_and_count_as_read_only_then(visit: Callable[..., Holder]) -> None:
    lead = visit()
    lead.desk.call("create_task", title="Build it", agent="lead")
    calm(lead.desk)
    wait, given_up = (lead.begin("check_inbox", wait_seconds=45, agent="lead") for _ in range(2))
    assert lead.get(wait)["status"] == "working"
    lead.desk.call("send_message", text="Well?", to="lead", agent="ada")
    lead.cancel(given_up)
    assert lead.get(given_up)["status"] == "cancelled"
    assert not lead.get(given_up).get("result")
    stands = lead.get(wait)
    assert texts(stands) == ["Well?"]
    assert lead.get(wait) == stands, "an answer that is lost can be had again"
    assert [item["text"] for item in lead.desk.call("check_inbox", reread=True, agent="lead")["items"]] == ["Well?"]
    assert "items" not in lead.desk.call("check_inbox", agent="lead").facts


def test_an_inbox_with_something_in_it_is_answered_at_once(visit: Callable[..., Holder]) -> None:
    lead = visit()
    calm(lead.desk)
    lead.desk.call("send_message", text="Well?", to="lead", agent="ada")
    answer = lead.call("check_inbox", wait_seconds=45, agent="lead")
    assert answer["resultType"] == "complete"
    assert "Well?" in answer["content"][0]["text"]
    assert lead.call("check_inbox", agent="lead")["resultType"] == "complete"


def test_a_client_that_asks_nobody_is_told_how_to_answer(visit: Callable[..., Holder]) -> None:
    lead = visit(can_be_asked=False)
    task, handle = handed(lead)
    ask(lead.desk, task)
    stands = lead.get(handle)
    assert stands["status"] == "working"
    assert re.search(r'Which port\? send_message\(reply_to="m\d+", text=…\) answers\.$', stands["statusMessage"])


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_whoever_does_not_want_to_answer_is_not_asked_again(visit: Callable[..., Holder], action: str) -> None:
    lead = visit()
    task, handle = handed(lead)
    ask(lead.desk, task)
    (key,) = lead.get(handle)["inputRequests"]
    lead.answer(handle, **{key: {"action": action}})
    whom = "operator" if action == "decline" else "lead"
    stands = lead.get(handle)
    assert (stands["status"], stands["statusMessage"]) == (
        "working",
        f"{task} Build it waits for an answer of {whom} to {key}.",
    )


@over_both
def test_the_sdks_client_follows_a_delegation_to_its_end(visit: Callable[..., Holder]) -> None:
    lead, worker = visit(answer="8080"), visit()
    task = lead.desk.call("create_task", title="Build it", agent="lead").task
    result = lead.desk.begin("delegate", task=task, to="ada", agent="lead")
    while worker.desk.call("get_task", task=task)["task"].get("assignee") != "ada":
        pass
    ask(worker.desk, task)
    told: list[str] = []
    while not told:
        items = worker.desk.call("check_inbox", agent="ada").facts.get("items", ())
        told = [item["text"] for item in items if item["type"] == "answer"]
    worker.desk.call("complete_task", task=task, summary=f"On {told[0]}.", agent="ada")
    answer = result.result()
    assert (answer.refused, answer["summary"]) == (False, "On 8080.")


# Who may


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[Listener, Listener, dict[str, str]]]:
    """Two servers for two projects of one board, and tokens: below lead are kim and bob, below kim is ada."""
    board = tmp_path / "swarm.db"
    swarm = open_swarm(board)
    swarm.write(lambda db: create_project(db, "other"))
    secrets = {}
    for project, agent in [*(("default", name) for name in ("lead", "kim", "bob", "ada")), ("other", "outsider")]:
        there = Swarm(swarm.database, project)
        made = there.write(lambda db, agent=agent: tokens.create_token(db, agent, scope="director"))
        secrets[agent] = made.secret
    swarm.close()
    with listening(board) as here, listening(board, "--project", "other", name="other") as there:
        with visiting(here, token=secrets["lead"]) as desk:
            for name, superior in (("kim", "lead"), ("bob", "lead"), ("ada", "kim")):
                desk.call("register_agent", name=name, superior=superior, role="supervisor")
        yield here, there, secrets


def tries(holder: Holder, handle: str) -> list[tuple[int, str]]:
    """What whoever may not know of a handle hears."""
    found = [holder.refusal("get", handle), holder.refusal("cancel", handle)]
    found += [holder.refusal("update", handle, inputResponses={"m1": accepted("Yes.")})]
    assert [data for _, _, data in found] == [None] * 3
    return [(code, message) for code, message, _ in found]


def test_wrong_callers_learn_and_change_nothing(guarded: tuple[Listener, Listener, dict[str, str]]) -> None:
    here, there, secrets = guarded
    with ExitStack() as stack:

        def come(name: str, server: Listener = here, path: str = "/mcp") -> Holder:
            return Holder(stack.enter_context(visiting(server, path, token=secrets[name], able=able())))

        kim = come("kim")
        task = kim.desk.call("create_task", title="Build it").task
        handle = kim.begin("delegate", task=task, to="ada")
        calm(kim.desk, "kim")
        wait = kim.begin("check_inbox", wait_seconds=45)
        unknown = "00000000-0000-4000-8000-000000000000"
        wrong = [come("ada"), come("bob"), come("outsider", there)]
        for each in wrong:
            for name in (handle, wait, unknown, f"{unknown}:kim", wait.replace(":kim", ":bob"), f"{handle}:kim"):
                assert tries(each, name) == [UNKNOWN] * 3
        assert tries(come("kim", path="/mcp/worker"), handle) == [UNKNOWN] * 3, "that address has no delegate"
        assert come("kim", path="/mcp/worker").get(wait)["status"] == "working"
        assert [kim.get(name)["status"] for name in (handle, wait)] == ["working"] * 2
        lead = come("lead")
        assert lead.get(handle) == kim.get(handle), "who may act as kim may have what is kim's"
        lead.cancel(handle)
        assert kim.get(handle)["status"] == "cancelled"
        assert kim.desk.call("get_task", task=task)["task"]["status"] == "pending"


def test_an_agent_that_has_ended_is_told_so(tmp_path: Path) -> None:
    with serving(tmp_path / "swarm.db", able=able()) as desk:
        lead = Holder(desk)
        task, handle = handed(lead, to="kim")
        calm(desk, "kim")
        at_once = lead.call("check_inbox", wait_seconds=45, agent="kim")
        assert at_once["structuredContent"]["ready"] == 1, "whoever came for work does not wait while there is some"
        desk.call("claim_task", task=task, agent="kim")
        wait = lead.begin("check_inbox", wait_seconds=45, agent="kim")
        desk.call("register_agent", name="kim", lifecycle="terminated", agent="lead")
        stands = lead.get(wait)
        assert (stands["status"], stands["result"]["isError"]) == ("completed", True)
        assert "has ended" in stands["result"]["content"][0]["text"]
        assert lead.get(handle)["status"] == "cancelled"
