"""Every tool, called by a host over the wire in both generations of the protocol."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import postgres
import pytest
from facts import unsaid
from mcp.shared.exceptions import MCPError
from serving import LEGACY, MODERN, Answer, Desk, serving

from swarm_mcp.repository.sqlite import driver
from swarm_mcp.server.schemas import ORDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INSIDE = re.compile(
    r"sqlite|psycopg|relation|sqlalchemy|alembic|pydantic|traceback|\.py\b|/tmp|errno|exception|0x", re.IGNORECASE
)
"""What a refusal never shows: how it looks inside."""
HARMFUL = re.compile(r"\b(delete|rm|drop|reset|restore|force|purge|wipe)\b", re.IGNORECASE)
"""What a refusal never names: agents run the commands that errors suggest."""


@pytest.fixture(scope="module", params=[MODERN, LEGACY, "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A host's connection in either generation, or to a board on PostgreSQL, which has the root director `lead`."""
    on_server = request.param == "postgres"
    file, mode = tmp_path_factory.mktemp("board") / "swarm.db", MODERN if on_server else request.param
    with (
        postgres.new_database() if on_server else nullcontext("") as address,
        serving(file, mode=mode, address=address) as desk,
    ):
        desk.call("share_context", key="language", value="Python", rationale="everybody knows it", agent="lead")
        yield desk


class Day:
    """What was answered in the course of one day on the board, by tool."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.answers: dict[str, list[Answer]] = {}

    def __call__(self, tool: str, **arguments: Any) -> Answer:
        answer = self.desk.call(tool, **{"agent": "lead", **arguments})
        self.answers.setdefault(tool, []).append(answer)
        return answer

    def look(self, tool: str, **arguments: Any) -> Answer:
        """Call a tool that takes no agent."""
        answer = self.desk.call(tool, **arguments)
        self.answers.setdefault(tool, []).append(answer)
        return answer


@pytest.fixture(scope="module")
def day(desk: Desk) -> Day:
    """Every tool at least once, and most of what each can answer."""
    day = Day(desk)
    api = {"ref": "api", "title": "Design the API", "criteria": ["Reviewed"], "checks": ["p95_ms < 200"]}
    more = {"priority": "high", "deadline": "2099-01-01T15:00:00Z", "estimated_hours": 2.5, "touches": ["src"]}
    plan = [api | more, {"ref": "ui", "title": "Build the UI", "waits_for": "api", "assignee": "ada"}]
    ids = day("create_plan", tasks=[*plan, {"title": "A part", "parent": "ui"}], key="plan")["ids"]
    day("create_plan", tasks=[*plan, {"title": "A part", "parent": "ui"}], key="plan")
    day(
        "share_context",
        key="style",
        value={"quotes": "double"},
        task=ids["api"],
        kind="decision",
        rationale="less to say",
    )
    loose = day("create_task", title="Loose ends\nof the day", depends_on=[ids["#3"]], parent=ids["ui"])
    day("update_task", task=loose.task, priority="low", add_criteria=["Tied"], action="hold", reason="first the API")
    day("claim_task", task=ids["api"], agent="bob")
    day("claim_task", agent="cyd")
    day("report_progress", task=ids["api"], message="Half of it.", percent=50, agent="bob")
    day("add_note", task=ids["api"], text="Mind the gap.", agent="bob")
    day("report_progress", task=ids["api"], message="Which port?", status="requires_assistance", agent="bob")
    day("check_inbox")
    question = next(each for each in day("check_inbox", reread=True)["items"] if each["type"] == "question")
    day("send_message", text="Port 80.", reply_to=question["id"])
    day("send_message", text="Lunch!", to="all")
    sections = ["notes", "messages", "progress", "history", "executions", "delegations", "tree"]
    day("get_task", task=ids["api"], include=sections, agent="bob")
    day("get_task", agent="bob")
    day("get_task", agent="ada")
    shown = {
        "measurements": {"p95_ms": 120},
        "evidence": {"1": "by lead"},
        "outputs": {"url": "/v1"},
        "artifacts": ["a.yml"],
    }
    day("complete_task", task=ids["api"], summary="Designed.", agent="bob", **shown)
    day("review_task", task=ids["api"], quality=5, notes="Clear.")
    day("register_agent", name="fay", specialty="design", capacity=2, team="ui_team", team_role="lead")
    day("register_agent", name="fay", lifecycle="paused", title="Fay F.", leave_team="ui_team")
    day("join_task", task=ids["ui"], role="reader", agent="bob")
    day("delegate", task=ids["#3"], to="ada", reasoning="She drew it.", expected_deliverables=["a mock"], depends_on=[])
    day("get_task", task=ids["ui"], agent="ada")
    day.look("list_tasks")
    day.look("list_tasks", limit=2, sort="created")
    day.look("list_agents")
    day.look("list_agents", status="busy", limit=1)
    for view in ("summary", "stuck", "tree", "critical_path", "workload", "timeline"):
        day.look("get_overview", view=view)
    return day


@pytest.mark.parametrize("tool", ORDER)
def test_text_and_facts_say_the_same(day: Day, tool: str) -> None:
    assert [unsaid(answer) for answer in day.answers[tool]] == [[] for _ in day.answers[tool]]


@pytest.mark.parametrize("tool", ORDER)
def test_an_answer_begins_with_its_sentence(day: Day, tool: str) -> None:
    for answer in day.answers[tool]:
        assert answer["message"]
        assert answer.text.startswith(answer["message"])


@pytest.mark.parametrize(
    "tool", ["create_task", "update_task", "report_progress", "complete_task", "delegate", "review_task"]
)
def test_a_write_answers_the_task_as_it_is_now(day: Day, tool: str) -> None:
    for answer in day.answers[tool]:
        assert {"id", "status", "version"} <= answer["task"].keys()


def test_a_row_is_one_line_that_begins_with_id_priority_and_status(desk: Desk) -> None:
    first = desk.call("create_task", title="Lay the ground", agent="lead").task
    task = desk.call(
        "create_task", title="Build auth\nAPI", priority="high", depends_on=first, assignee="backend_dev", agent="lead"
    )
    rows = desk.call("list_tasks", assignee="backend_dev")
    assert rows.text == f"1 of 1 task.\n{task.task} high blocked Build auth API → backend_dev · waits for {first}"
    assert rows["tasks"] == [
        {"id": task.task, "title": "Build auth\nAPI", "status": "blocked", "priority": "high",
         "assignee": "backend_dev", "depends_on": [first]},
    ]  # fmt: skip


def test_a_claim_brings_the_brief_the_attempt_and_the_lease(desk: Desk) -> None:
    task = desk.call("create_task", title="Paint it", description="Blue.", assignee="dora", agent="lead").task
    claim = desk.call("claim_task", agent="dora")
    assert claim["task"] == {"id": task, "status": "in_progress", "version": 2, "title": "Paint it"}
    assert claim["brief"]["description"] == "Blue."
    assert (claim["attempt"], claim["brief"]["attempt"]) == (1, 1)
    assert claim["lease_until"] == claim["brief"]["lease_until"]
    assert "held" not in claim.facts
    other = desk.call("create_task", title="Dry it", assignee="dora", agent="lead").task
    assert [row["id"] for row in desk.call("claim_task", task=other, agent="dora")["held"]] == [task]


def test_when_nothing_is_ready_a_claim_says_what_is_waited_for(desk: Desk) -> None:
    task = desk.call("create_task", title="Wait", assignee="eve", agent="lead").task
    desk.call("update_task", task=task, action="hold", reason="not yet", agent="lead")
    answer = desk.call("claim_task", agent="eve", pool="anyone")
    while answer["task"]:  # whatever else lies about
        answer = desk.call("claim_task", agent="eve", pool="anyone")
    assert answer["task"] is None
    assert answer["open"] > 0
    assert answer["blocking"]
    assert answer.text.startswith("Nothing is ready for eve: ")


def test_completing_blocking_and_releasing_say_how_much_is_ready(desk: Desk) -> None:
    done, stuck, left = (
        desk.call("create_task", title="An errand", assignee="finn", agent="lead").task for _ in range(3)
    )
    for task in (done, stuck, left):
        desk.call("claim_task", task=task, agent="finn")
    said = {"message": "No key.", "agent": "finn"}
    ready = desk.call("complete_task", task=done, summary="Done.", agent="finn")["ready"]
    assert desk.call("report_progress", task=stuck, status="blocked", **said)["ready"] == ready
    assert desk.call("report_progress", task=left, status="released", **said)["ready"] == ready + 1


def test_a_plan_answers_ids_what_is_ready_and_the_order(desk: Desk) -> None:
    plan = desk.call(
        "create_plan", tasks=[{"ref": "b", "title": "B", "depends_on": ["a"]}, {"ref": "a", "title": "A"}], agent="lead"
    )
    a, b = plan["ids"]["a"], plan["ids"]["b"]
    assert (plan["ready"], plan["order"]) == ([a], [[a], [b]])
    assert plan.text.splitlines()[:5] == [
        "Created 2 tasks: 1 ready now, 2 waves.", f"b = {b}", f"a = {a}", f"ready: {a}", f"order: {a} | {b}",
    ]  # fmt: skip


def test_an_inbox_says_from_whom(desk: Desk) -> None:
    desk.call("send_message", text="Hello.\nIt is late.", to="gus", agent="lead") if _known(desk, "gus") else None
    item = desk.call("check_inbox", agent="gus")["items"][-1]
    assert item.keys() == {"id", "type", "from", "text", "at"}
    assert (item["type"], item["from"], item["text"]) == ("message", "lead", "Hello.\nIt is late.")


def _known(desk: Desk, agent: str) -> bool:
    """Let an agent call once, so that the board knows it."""
    return not desk.call("check_inbox", agent=agent).refused


def test_a_long_message_that_is_about_no_task_can_be_read_to_its_end(desk: Desk) -> None:
    assert _known(desk, "hal")
    text = "All work and no play. " * 200
    desk.call("send_message", text=text, to="hal", agent="lead")
    assert desk.call("check_inbox", agent="hal")["items"][-1]["text"] == text


@pytest.fixture(scope="module")
def scene(desk: Desk) -> dict[str, str]:
    """Tasks for every kind of refusal, held by ivy where they are held."""
    ids = desk.call("create_plan", agent="lead", tasks=[
        {"ref": "held", "title": "Held", "criteria": ["Shown"]}, {"ref": "next", "title": "Next", "depends_on": "held"},
        {"ref": "hers", "title": "Hers", "assignee": "ivy"}, {"ref": "done", "title": "Done"},
    ])["ids"]  # fmt: skip
    desk.call("claim_task", task=ids["held"], agent="ivy")
    desk.call("claim_task", task=ids["done"], agent="ivy")
    desk.call("complete_task", task=ids["done"], summary="Done.", agent="ivy")
    return ids


REFUSALS: dict[str, tuple[str, dict[str, Any]]] = {
    "not_found": ("get_task", {"task": "zzzzzzzz"}),
    "ambiguous": ("create_task", {"title": "Whose?", "assignee": "ivyy", "agent": "lead"}),
    "invalid": ("report_progress", {"task": "held", "message": "So far.", "percent": 101, "agent": "ivy"}),
    "illegal_move": ("claim_task", {"task": "done", "agent": "ivy"}),
    "blocked": ("claim_task", {"task": "next", "agent": "ivy"}),
    "not_allowed": ("claim_task", {"task": "hers", "agent": "jo"}),
    "criteria_unmet": ("complete_task", {"task": "held", "summary": "Done.", "agent": "ivy"}),
    "cycle": ("update_task", {"task": "held", "add_depends_on": ["next"], "agent": "lead"}),
    "conflict": ("claim_task", {"task": "held", "agent": "jo"}),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_has_a_code_and_says_what_to_do(desk: Desk, scene: dict[str, str], code: str) -> None:
    tool, arguments = REFUSALS[code]
    named = {name: [scene.get(each, each) for each in value] if isinstance(value, list) else scene.get(value, value)
             for name, value in arguments.items() if name != "percent"}  # fmt: skip
    refusal = desk.refusal(tool, **arguments | named)
    assert (refusal["code"], refusal["retryable"]) == (code, False)
    assert refusal.text == refusal["message"]
    assert len(refusal.text) < 400
    assert not INSIDE.search(str(refusal.facts))
    assert not HARMFUL.search(refusal.text.replace("add_", "").replace("drop_depends_on", ""))


def test_an_unknown_tool_is_an_error_that_names_the_known_ones(desk: Desk) -> None:
    with pytest.raises(MCPError, match=r"Unknown tool `claim`; this profile has .*claim_task") as caught:
        desk.ask("claim")
    assert caught.value.error.code == -32602


def rename(board: Path | str, table: str, name: str) -> None:
    """Damage a board, or mend it."""
    with postgres.looking_at_server(board) if isinstance(board, str) else driver().connect(board) as raw:
        raw.execute(f"ALTER TABLE {table} RENAME TO {name}")


def test_a_mistake_of_ours_shows_nothing_of_how_it_looks_inside(desk: Desk) -> None:
    task = desk.call("create_task", title="Break it", agent="lead").task
    desk.call("check_inbox", agent="host")  # of a stranger nobody asks the table of notes
    rename(desk.board, "note", "notes")
    try:
        refusal = desk.refusal("add_note", task=task, text="Where to?", agent="lead")
        assert refusal.facts == {
            "code": "unavailable", "retryable": False,
            "message": "Something is wrong inside the board and nothing was written. The server's log says what; "
            "calling again may help.",
        }  # fmt: skip
        with pytest.raises(MCPError, match="Something is wrong inside the board") as caught:
            desk.read(f"swarm://tasks/{task}/notes")
        assert not INSIDE.search(str(caught.value.error))
    finally:
        rename(desk.board, "notes", "note")
    assert re.search("no such table|does not exist", desk.log.read_text())
    desk.call("add_note", task=task, text="Here.", agent="lead")
