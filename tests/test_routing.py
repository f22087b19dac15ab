"""Delegating to whoever fits best: whole words, then load and record; with a reason, or an honest refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from board import Board
from facts import unsaid
from serving import serving

from swarm_mcp import open_swarm
from swarm_mcp.model.errors import Invalid, NotFound
from swarm_mcp.model.words import forms, words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from conftest import Clock

CREW: dict[str, dict[str, Any]] = {
    "tess": {
        "specialty": "testing",
        "capabilities": ["pytest", "load tests", "regression", "browser automation"],
        "description": "Finds out what breaks before anybody else does.",
    },
    "cody": {
        "specialty": "coding",
        "capabilities": ["python", "flask", "http api", "async", "retries"],
        "description": "Builds the server side and keeps it small.",
    },
    "dora": {
        "specialty": "database",
        "capabilities": ["sql", "schema design", "migrations", "query tuning", "transactions"],
        "description": "Knows where the rows are and why they are slow to come.",
    },
    "wanda": {
        "specialty": "documentation",
        "capabilities": ["tutorials", "readme", "diagrams", "release notes", "translation"],
        "description": "Explains things so that a newcomer understands them.",
    },
    "comm": {
        "specialty": "communication",
        "capabilities": ["email", "newsletters", "customer letters", "smtp delivery"],
        "description": "Keeps customers informed and calm.",
    },
    "artie": {
        "specialty": "art",
        "capabilities": ["ui", "icons", "css", "logo", "color"],
        "description": "Draws what people see, down to the last pixel.",
    },
}
"""Six agents such as one finds them; the names of some skills hide inside quite other words."""

ROUTED: list[tuple[str, str, str, list[str]]] = [
    ("tess", "Write regression tests for the login form", "", []),
    ("tess", "Testing the checkout under load", "A thousand visitors at once.", []),
    ("tess", "Set up a browser automation run every night", "", []),
    ("tess", "Flaky suite", "Some pytest fixtures leak between modules.", []),
    ("cody", "Start the Flask application without errors", "", []),
    ("cody", "Add retries to the HTTP client", "The latest outage showed that one attempt is too few.", []),
    ("cody", "Expose a communication endpoint in the HTTP API", "In Python, like its neighbours.", ["coding"]),
    ("cody", "Make the request queue async", "Smart clients restart by themselves.", []),
    ("cody", "Global exception handler", "Every flask route goes through it.", ["python"]),
    ("dora", "Migration for the conversation tables", "", []),
    ("dora", "Design the schema for agents and tasks", "", []),
    ("dora", "Tune the slowest queries", "The report page takes nine seconds.", []),
    ("dora", "Transaction handling across three services", "", ["sql"]),
    ("wanda", "Draft the release notes", "What is new since the last version.", []),
    ("wanda", "A tutorial for newcomers", "From the installation to the first result.", []),
    ("wanda", "Refresh the README", "The quickstart section fails on the latest Python.", ["documentation"]),
    ("wanda", "Diagram of the particle pipeline", "", []),
    ("comm", "Customer letter about the price change", "", []),
    ("comm", "Deliver email through SMTP", "Bounces must be counted.", []),
    ("comm", "Monthly newsletter", "", ["communication"]),
    ("artie", "Icons for the navigation bar", "", []),
    ("artie", "Colors and CSS of the dark theme", "", []),
    ("artie", "Redraw the logo", "For the start page, and for the app stores.", ["ui"]),
    ("artie", "Cover art for the guide", "", []),
    ("dora", "Partition the events table with SQL", "Start with the largest part.", []),
    ("comm", "Newsletter for our partners", "Start with what the latest charts show.", []),
    ("tess", "Regression in the chart legend", "Starts after a restart of the smart dashboard.", []),
    ("cody", "Retry when the guide service is down", "Build it quickly, in Python.", []),
]
"""Who should get it, title, description, tags."""


def crew(board: Board, members: Iterable[str] = CREW, **columns: Any) -> None:
    for name in members:
        board.enlist(name, below="lead", **{**CREW[name], **columns})


def chosen(board: Board, task: str, *, by: str = "lead") -> str:
    said = board.delegate(by, task, "auto")
    assert board.assignee(task) == said.chosen
    return said.chosen


def by_substrings(title: str, description: str, tags: list[str]) -> str:
    """Who would get a task if one counted keywords anywhere in its text, as the older systems do."""
    text = f"{title} {description} {' '.join(tags)}".lower()

    def count(name: str) -> int:
        agent = CREW[name]
        keywords = {agent["specialty"], *agent["capabilities"], *" ".join(agent["capabilities"]).split()}
        return sum(text.count(word) for word in keywords)

    return max(CREW, key=count)


def test_the_right_one_of_six_gets_each_of_28_tasks_where_substrings_mislead(board: Board) -> None:
    crew(board)
    wrong = [
        (title, got)
        for right, title, description, tags in ROUTED
        if (got := chosen(board, board.create(title, description=description, tags=tags))) != right
    ]
    assert wrong == []
    misled = [title for right, title, *text in ROUTED if by_substrings(title, *text) != right]  # type: ignore[arg-type]
    assert len(misled) >= len(ROUTED) // 4, misled


# --- words ------------------------------------------------------------------------------------------------------------


def same(one: str, other: str) -> bool:
    return bool(forms(one) & forms(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("test", "tests"), ("test", "testing"), ("code", "coding"), ("write", "writing"), ("plan", "planning"),
        ("debug", "debugging"), ("query", "queries"), ("database", "databases"), ("class", "classes"),
        ("cache", "caching"), ("review", "reviewing"), ("api", "apis"), ("process", "processing"),
        ("string", "strings"), ("building", "buildings"), ("route", "routing"), ("edit", "editing"),
    ],
)  # fmt: skip
def test_plurals_and_ings_are_the_same_word(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("test", "latest"), ("art", "start"), ("ui", "build"), ("car", "caring"), ("plan", "planet"),
        ("plane", "planning"),
        ("api", "rapid"), ("communication", "community"), ("sql", "mysql"), ("java", "javascript"), ("r", "rs"),
        ("test", "tester"), ("cod", "coding"), ("not", "noting"),
    ],
)  # fmt: skip
def test_what_merely_looks_alike_is_another_word(one: str, other: str) -> None:
    assert not same(one, other)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The API, and THE api!", ["api"]),
        ("backend_dev: node.js / CI-CD", ["backend", "dev", "node", "js", "ci", "cd"]),
        ("C++ or C#, not C; issue#12", ["c++", "c#", "c", "issue", "12"]),
        ("the agent's plan", ["agent", "plan"]),
        ("编写测试", ["编写", "写测", "测试"]),
        ("构建API测试", ["构建", "api", "测试"]),
        ("テスト 図", ["テス", "スト", "図"]),
        ("\uff21\uff30\uff29 STRASSE straße", ["api", "strasse"]),  # wide letters; ß folds to ss
        ("проверки", ["проверки"]),
        ("and of the", []),
        ("", []),
    ],
)
def test_words_are_whole_in_every_script(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_a_skill_in_a_script_without_spaces_is_found_inside_a_sentence(board: Board) -> None:
    board.enlist("ada", below="lead", specialty="coding", capabilities=["数据库迁移"])
    board.enlist("bob", below="lead", specialty="testing", capabilities=["单元测试"])
    assert chosen(board, board.create("为认证服务编写单元测试并检查边界条件")) == "bob"


# --- what weighs more -------------------------------------------------------------------------------------------------


def test_a_specialty_weighs_more_than_any_capabilities_and_those_more_than_a_description(board: Board) -> None:
    board.enlist("ada", below="lead", capabilities=["parser", "grammar", "lexer", "tokens"])
    board.enlist("bob", below="lead", specialty="compilers")
    board.enlist("cy", below="lead", description="Parser, grammar, lexer, tokens, compilers, all day long.")
    assert chosen(board, board.create("Parser, grammar, lexer and tokens of our compiler")) == "bob"
    assert chosen(board, board.create("Mend the lexer")) == "ada"
    assert chosen(board, board.create("A long day")) == "cy"


def test_what_the_title_says_weighs_more_than_the_description_of_a_task(board: Board) -> None:
    crew(board, ["tess", "wanda"])
    task = board.create("Diagrams for the tutorials", description="There are no tests for them.")
    assert chosen(board, task) == "wanda"


@pytest.mark.parametrize("where", ["tags", "area", "task_type", "description"])
def test_every_word_about_a_task_counts(board: Board, where: str) -> None:
    crew(board)
    said: Any = ["migrations"] if where == "tags" else "migrations"
    assert chosen(board, board.create("Part three", **{where: said})) == "dora"


def test_a_capability_of_several_words_counts_by_how_many_of_them_are_met(board: Board) -> None:
    board.enlist("ada", below="lead", capabilities=["api design"])
    board.enlist("bob", below="lead", capabilities=["payment api"])
    assert chosen(board, board.create("Fix the payment API")) == "bob"


def test_usual_words_count_only_where_they_were_chosen(board: Board) -> None:
    board.enlist("ada", below="lead", description="Writes and improves what the project needs.")
    board.enlist("bob", below="lead", capabilities=["writing"])
    assert chosen(board, board.create("Write a poem")) == "bob"
    with pytest.raises(NotFound):
        board.delegate("lead", board.create("Improve the project"), "auto")


# --- ties -------------------------------------------------------------------------------------------------------------


def twins(board: Board, *names: str, **columns: Any) -> None:
    for name in names:
        board.enlist(name, below="lead", specialty="testing", **columns)


def test_of_equals_the_one_with_the_lesser_load_is_chosen(board: Board) -> None:
    twins(board, "ada", "bob")
    board.create(assignee="ada")
    assert chosen(board, board.create("Test it")) == "bob"
    board.claim("bob", board.create())
    board.claim("bob", board.create())
    assert chosen(board, board.create("Test it again")) == "ada"


def test_of_equals_with_equal_loads_the_one_with_the_better_record_is_chosen(board: Board) -> None:
    twins(board, "ada", "bob")
    board.finish("ada", board.create(), outcome="failed")
    assert chosen(board, board.create("Test it")) == "bob"


def test_at_last_the_one_seen_last_is_chosen_and_then_the_name_decides(board: Board) -> None:
    twins(board, "ada", "bob")
    task = board.create("Test it")
    assert chosen(board, task) == "ada"
    board.update("lead", task, action="cancel")
    board.clock.advance(minutes=5)
    board.inbox("bob")
    assert chosen(board, board.create("Test it too")) == "bob"


def test_asking_again_chooses_the_same(board: Board) -> None:
    twins(board, "ada", "bob")
    task = board.create("Test it")
    assert [chosen(board, task) for _ in range(3)] == ["ada"] * 3


# --- who is passed over -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lifecycle", ["paused", "failed", "terminated"])
def test_agents_that_are_paused_or_have_ended_are_never_chosen(board: Board, lifecycle: str) -> None:
    twins(board, "ada", "bob")
    board.enlist("ada", lifecycle=lifecycle)
    assert chosen(board, board.create("Test it")) == "bob"


def test_whoever_is_offline_comes_after_all_who_are_not_and_the_answer_says_so(board: Board) -> None:
    board.enlist("ada", below="lead", specialty="testing")
    board.clock.advance(minutes=31)
    board.enlist("bob", below="lead", description="Knows a test or two.")
    said = board.delegate("lead", board.create("Test it"), "auto")
    assert (said.chosen, "ada fits better but is offline" in said.why) == ("bob", True)
    board.enlist("bob", lifecycle="paused")
    said = board.delegate("lead", board.create("Test it"), "auto")
    assert (said.chosen, "offline, as is everybody who fits" in said.why) == ("ada", True)


def test_an_agent_that_has_not_come_yet_is_chosen_if_nobody_else_fits(board: Board) -> None:
    board.delegate("lead", board.create(), "tester")
    twins(board, "tester")
    board.enlist("tester", lifecycle="spawning", last_seen_at=None)
    board.enlist("ada", below="lead", description="Knows a test or two.")
    assert chosen(board, board.create("Test it")) == "ada"
    board.enlist("ada", lifecycle="paused")
    assert chosen(board, board.create("Test it")) == "tester"


def test_whoever_holds_as_much_as_its_capacity_allows_is_passed_over(board: Board) -> None:
    twins(board, "ada", "bob", capacity=1)
    board.claim("ada", board.create())
    for _ in range(2):
        board.create(assignee="bob")
    said = board.delegate("lead", board.create("Test it"), "auto")
    assert said.chosen == "bob"


@pytest.mark.parametrize("how", ["released", "declined", "lapsed", "lapsed in the pool"])
def test_whoever_gave_this_very_task_back_does_not_get_it_again(board: Board, how: str) -> None:
    twins(board, "ada", "bob")
    task = board.create("Test it", assignee="specialty:testing" if "pool" in how else "ada")
    if how != "declined":
        board.claim("ada", task)
    if "lapsed" in how:
        board.clock.advance(minutes=31)
        board.sweep()
        board.inbox("ada")
        board.inbox("bob")
    else:
        board.report("ada", task, "not for me", status="released")
    assert chosen(board, task) == "bob"
    assert chosen(board, board.create("Test the rest", assignee="bob")) == "ada"


def test_whoever_is_handed_a_task_again_by_name_may_be_chosen_again(board: Board) -> None:
    board.enlist("ada", below="lead", specialty="testing")
    task = board.create("Test it", assignee="ada")
    board.report("ada", task, "no", status="released")
    with pytest.raises(NotFound, match="ada gave it back"):
        board.delegate("lead", task, "auto")
    board.delegate("lead", task, "ada")
    assert chosen(board, task) == "ada"


def test_only_agents_below_the_caller_are_chosen(board: Board) -> None:
    board.enlist("sue", below="lead", role="supervisor", specialty="testing")
    board.enlist("ada", below="sue", description="May test.")
    board.enlist("bob", below="lead", specialty="testing")
    assert chosen(board, board.create("Test it", by="sue"), by="sue") == "ada"
    with pytest.raises(NotFound, match="Nobody who is active stands below bob"):
        board.delegate("bob", board.create("Test it", assignee="bob"), "auto")


def test_root_directors_and_the_operator_choose_among_all_but_themselves(board: Board) -> None:
    board.enlist("lead", specialty="testing")
    board.enlist("loner", superior_id=None, level=0, capabilities=["test"])
    assert chosen(board, board.create("Test it")) == "loner"
    task = board.create("Test it")
    assert board.delegate("", task, "auto").chosen == "lead"


# --- what is said -----------------------------------------------------------------------------------------------------


def test_the_answer_says_why_and_so_do_the_delegation_and_the_ledger(board: Board) -> None:
    board.enlist("ada", below="lead", specialty="testing", capabilities=["pytest", "sql"])
    for _ in range(3):
        board.finish("ada", board.create())
    board.finish("ada", board.create(), outcome="failed")
    board.create(assignee="ada")
    task = board.create("Test the parser with pytest")
    said = board.delegate("lead", task, "auto", reasoning="Urgent")
    why = "ada: specialty testing; capability pytest; 1 open task; 75% of 4 done."
    assert (said.why, said.message) == (why, f"{task} is handed to ada, pending. {why}")
    assert board.brief("ada", task).delegation["reasoning"] == f"Urgent; chosen by itself: {why}"
    assert why in board.events(task)[-1].data["reasoning"]
    told = board.inbox("ada")
    assert any(why in item.text for item in told if item.task == task)


def test_naming_somebody_says_nothing_about_a_choice(board: Board) -> None:
    said = board.delegate("lead", board.create(), "ada").structured()
    assert {"chosen", "why"}.isdisjoint(said)


def test_where_nobody_fits_it_is_refused_with_those_whom_one_could_name(board: Board) -> None:
    crew(board)
    board.claim("tess", board.create())
    task = board.create("Bake a cake")
    with pytest.raises(NotFound, match=rf"Nobody fits {task}: none of its words .* of the 8 agents") as refusal:
        board.delegate("lead", task, "auto")
    assert "who are idle" in refusal.value.message
    assert refusal.value.facts["candidates"] == ["ada", "artie", "bob", "cody", "comm"]
    assert (board.assignee(task), board.delegations(task), board.status(task)) == ("", [], "pending")


def test_where_those_who_fit_cannot_it_says_why_of_each(board: Board) -> None:
    twins(board, "ada", "bob", capacity=1)
    board.claim("ada", board.create())
    task = board.create("Test it", assignee="bob")
    board.report("bob", task, "no", status="released")
    with pytest.raises(NotFound) as refusal:
        board.delegate("lead", task, "auto")
    assert "ada holds all that its capacity allows (1); bob gave it back" in refusal.value.message


def test_whoever_fits_best_is_chosen_when_a_task_is_delegated_not_when_it_is_created(board: Board) -> None:
    with pytest.raises(Invalid, match=r'delegate\(task=…, to="auto"\)'):
        board.create(assignee="Auto")
    with pytest.raises(Invalid, match=r'delegate\(task=…, to="auto"\)'):
        board.plan({"title": "A task", "assignee": "auto"})


def test_through_a_server_text_and_facts_agree(tmp_path: Path, clock: Clock) -> None:
    swarm = open_swarm(tmp_path / "swarm.db")
    board = Board(swarm, clock)
    for name in ("lead", "ada", "bob"):
        board.inbox(name)
    twins(board, "ada", "bob")
    board.finish("bob", board.create())
    swarm.close()
    with serving(tmp_path / "swarm.db", name="lead") as desk:
        answer = desk.call("delegate", task=desk.call("create_task", title="Test the parser").task, to="auto")
        assert (answer["chosen"], unsaid(answer)) == ("bob", [])
        assert answer["why"] == "bob: specialty testing; 0 open tasks; 100% of 1 done."
        refused = desk.refusal("delegate", task=desk.call("create_task", title="Bake a cake").task, to="auto")
        assert (refused["code"], refused["candidates"]) == ("not_found", ["ada", "bob"])
        assert "for instance ada or bob, who are idle" in refused.text
