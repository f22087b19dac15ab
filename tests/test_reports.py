"""Reports and delegations that a model wrote as prose around JSON: taken as they were meant, or not at all."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp import operations
from swarm_mcp.model.errors import (
    Ambiguous,
    Blocked,
    ClaimLost,
    Conflict,
    CriteriaUnmet,
    Invalid,
    NotAllowed,
    Refusal,
)
from swarm_mcp.model.prose import LENGTH_LIMIT
from swarm_mcp.model.report import report_in
from swarm_mcp.repository import work

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.model.task import Brief, Completed

DONE: dict[str, Any] = {"status": "completed", "summary": "It is done."}
SAID = json.dumps(DONE)
OTHER = json.dumps({"status": "failed", "summary": "It is not."})
NONE = "holds no JSON object that is a report"
SEVERAL = "different objects that may be the report"
ASIDE = "quoted or an example"
BROKEN = "cannot be read"

TAKEN = {
    "the object alone": SAID,
    "spread over lines": json.dumps(DONE, indent=2),
    "prose before and after": f"I have finished. {SAID} Anything else?",
    "a fence": f"Here it is:\n```json\n{SAID}\n```\nThat is all.",
    "a fence without a language": f"```\n{SAID}\n```",
    "a fence that was never closed": f"```json\n{SAID}",
    "inline code and nothing else": f"`{SAID}`",
    "a label": f"**Report**: {SAID}",
    "braces in the prose before": f"I renamed {{name}} to {{title}} in the template. {SAID}",
    "braces in the prose after": f"{SAID} and see function foo() {{ return 1; }}",
    "a lone brace before": f"The character {{ opens a block.\n{SAID}",
    "a lone brace after": f"{SAID}\nA }} closes it, a {{ opens it.",
    "an empty object before": f"The config was {{}}.\n{SAID}",
    "an empty set of parameters": f"f({{}}) works now. {SAID}",
    "another object before": f'The answer was {{"port": 8080}}.\n{SAID}',
    "another object after": f'{SAID}\nThe server said {{"error": "none"}}.',
    "a status that is no status of ours": f'The server said {{"status": 200}}. {SAID}',
    "a health check": f'It answers {{"status": "ok", "uptime": 3}}. {SAID}',
    "a broken object that is no report": f'The server said {{"port": 80,}}. {SAID}',
    "a list with one report": f"[{SAID}]",
    "a list of numbers before": f"See [1] and [2, 3]. {SAID}",
    "the same twice": f"{SAID}\n\nOnce more: {SAID}",
    "the same in another order": f'{SAID} {{"summary": "It is done.", "status": "completed"}}',
    "an example and then the report": f"For example: {OTHER}\nMine is this one.\n{SAID}",
    "the question quoted and then the report": f"> {OTHER}\n\n{SAID}",
    "a quotation and then the report": f"You asked for “{OTHER}”, so: {SAID}",
    "an example in inline code": f"The format is `{OTHER}`, and my report:\n{SAID}",
    "doubled braces": f"{{{SAID}}}",
    "a byte order mark": f"\ufeff{SAID}",
    "windows line ends": json.dumps(DONE, indent=1).replace("\n", "\r\n"),
    "an apostrophe in the prose": f"It's done, isn't it? {SAID} It's all.",
    "quotation marks in the prose": f'He said "stop" {SAID} and "go".',
}
"""Texts whose report is DONE."""

RICH: dict[str, dict[str, Any]] = {
    "braces in a string": {"summary": "Use {x} and }{ and {{y}}."},
    "escapes in a string": {"summary": 'He said "{\\"status\\": \\"failed\\"}" and left \\ here.'},
    "a report in a string": {"summary": SAID},
    "a fence in a string": {"summary": f"```json\n{OTHER}\n```"},
    "letters of other alphabets": {"summary": "Größe ↑ 漢字 🙂"},
    "a report in the outputs": {"summary": "It is done.", "outputs": {"status": "failed", "summary": "Theirs."}},
    "an example in the outputs": {"summary": "It is done.", "outputs": {"example": json.loads(OTHER)}},
    "lists of objects in the outputs": {"summary": "It is done.", "outputs": {"rows": [{"status": "failed"}] * 3}},
}

REFUSED: dict[str, tuple[str, str]] = {
    "nothing": ("", NONE),
    "prose alone": ("I have done everything, trust me.", NONE),
    "an object that is no report": ('{"port": 8080}', NONE),
    "a status alone that is no status": ('{"status": "ok"}', NONE),
    "a list of words": ('["completed", "It is done."]', NONE),
    "an empty object": ("{}", NONE),
    "a report in another object": (f'{{"report": {SAID}}}', NONE),
    "a report in an object of a list": (f'[{{"report": {SAID}}}]', NONE),
    "a report in a string": (json.dumps(SAID), NONE),
    "a report in a string of an object": (json.dumps({"result": SAID}), NONE),
    "keys without quotation marks": ('{status: "completed", summary: "It is done."}', BROKEN),
    "single quotation marks": ("{'status': 'completed', 'summary': 'It is done.'}", BROKEN),
    "Python's constants": ('{"status": "completed", "summary": "It is done.", "success": True}', BROKEN),
    "a comma too much": ('{"status": "completed", "summary": "It is done.",}', BROKEN),
    "a comment": ('{ // my report\n"status": "completed", "summary": "It is done."}', BROKEN),
    "a line end in a string": ('{"status": "completed", "summary": "It is\ndone."}', BROKEN),
    "cut off": ('{"status": "completed", "summary": "It is done.", "artifacts": ["a.py", ', BROKEN),
    "cut off after a report in the outputs": (f'{{"status": "completed", "outputs": {OTHER}, "issues": [', BROKEN),
    "a comma too much after a report in the outputs": (f'{{"status": "partial", "outputs": {SAID},}}', BROKEN),
    "keys without quotation marks around a report": (f'{{status: "partial", outputs: {SAID}}}', BROKEN),
    "single quotation marks and a brace around a report": (
        f"{{'status': 'partial', 'summary': 'a }} b', 'outputs': {SAID}}}",
        BROKEN,
    ),
    "a comment with a brace around a report": (f'{{ // so }}\n"status": "partial", "outputs": {SAID}}}', BROKEN),
    "quotation marks that were not escaped": (f'{{"summary": "he said "}}" and left", "outputs": {SAID}}}', ASIDE),
    "a key twice": ('{"status": "completed", "status": "failed", "summary": "Well."}', "the key `status` twice"),
    "no number": ('{"status": "completed", "confidence": NaN}', "NaN, which is not a number"),
    "a number beyond all": ('{"status": "completed", "actual_hours": 1e999}', "is too large"),
    "a NUL character": ('{"status": "completed", "summary": "a\\u0000b"}', "NUL character"),
    "half a surrogate pair": ('{"status": "completed", "summary": "\\ud83d"}', "half a surrogate pair"),
    "nested without end": (
        '{"status": "completed", "outputs": ' + '{"a":' * 5000 + "1" + "}" * 5000 + "}",
        "too deeply",
    ),
    "two reports": (f"{SAID}\n{OTHER}", SEVERAL),
    "two reports in a list": (f"[{SAID}, {OTHER}]", SEVERAL),
    "two fences": (f"First:\n```json\n{OTHER}\n```\nBut then:\n```json\n{SAID}\n```", SEVERAL),
    "a broken report and a whole one": (f'{{"status": "failed", "summary": "Oh.",}}\nAgain: {SAID}', SEVERAL),
    "a misspelt report and a whole one": (f'{{"status": "failed", "summery": "Oh", "issues": []}} {SAID}', SEVERAL),
    "only an example": (f"I would say, for example, {SAID}", ASIDE),
    "only an example in a fence": (f"Example:\n```json\n{SAID}\n```\nI did nothing.", ASIDE),
    "only a quoted line": (f"You wrote:\n> {SAID}\nand I did nothing.", NONE),
    "only a quotation": (f'You wrote "{SAID}", and I did nothing.', ASIDE),
    "a field that there is not": ('{"status": "completed", "sumary": "Done.", "issues": []}', "did you mean `summary`"),
    "a status of the wrong kind": ('{"status": true, "summary": "Done."}', "`status` must be a text"),
    "a status that there is not": ('{"status": "finnished", "summary": "Done."}', "`finnished` is no status"),
    "success in words": ('{"success": "yes", "summary": "Done."}', "`success` must be true or false"),
    "a list of numbers": ('{"status": "completed", "artifacts": [1, 2]}', "`artifacts` must be a text"),
    "outputs that are no map": ('{"status": "completed", "outputs": ["a"]}', "`outputs` must be a map"),
    "completed without success": ('{"status": "completed", "success": false}', "only one of them can be true"),
    "failed with success": ('{"status": "failed", "success": true}', "only one of them can be true"),
    "two outcomes": ('{"status": "completed", "outcome": "failed"}', "two different things of `status`"),
    "ended before it started": (
        '{"status": "completed", "start_time": "2026-01-02T03:00:00", "end_time": "2026-01-02T02:00:00"}',
        "ends before it starts",
    ),
    "too many blocking issues": (json.dumps({**DONE, "blocking_issues": ["x"] * 11}), "at most 10"),
    "longer than anybody reads": ("x" * (LENGTH_LIMIT + 1), "are searched for JSON"),
}

BLUEPRINT = {
    "agent_name": "ada", "agent_type": "coding", "status": "completed", "success": True, "confidence_score": 0.9,
    "start_time": "2026-01-02T03:00:00", "end_time": "2026-01-02T03:04:05", "outputs": {"port": 8080},
    "artifacts_created": ["api.py"], "next_actions": ["Deploy it."], "issues_found": ["Slow."],
    "blocking_issues": ["No key."], "error_details": None, "duration_seconds": 245.0, "is_successful": False,
}  # fmt: skip


def hand_in(board: Board, task: str, text: str | dict[str, Any], by: str = "ada", **said: Any) -> Completed:
    words = text if isinstance(text, str) else json.dumps(text)
    return board.call(by, operations.complete_from_text, task=task, text=words, **said)


def attempt(board: Board, task: str, n: int = 0) -> Any:
    return board.swarm.read(lambda db: work.executions(db, task))[n]


# --- which object ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN.keys())
def test_the_one_report_of_a_text_is_taken(text: str) -> None:
    report = report_in(text)
    assert (report.status, report.summary) == ("completed", "It is done.")


@pytest.mark.parametrize("fields", RICH.values(), ids=RICH.keys())
def test_what_is_inside_a_report_stays_inside(fields: dict[str, Any]) -> None:
    report = report_in(f"Here: {json.dumps({'status': 'partial', **fields})} So much.")
    assert (report.status, report.summary, report.outputs) == ("partial", fields["summary"], fields.get("outputs", {}))


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_report_or_may_be_several_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises((Invalid, Ambiguous), match=why) as refusal:
        report_in(text)
    assert refusal.value.message.endswith((".", "?"))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Completed", "completed"), ("done", "completed"), ("closed", "completed"), ("PARTIAL", "partial"),
        ("failed", "failed"), ("requires-assistance", "requires_assistance"), ("not started", "pending"),
    ],
)  # fmt: skip
def test_a_status_is_read_in_the_words_of_the_older_systems(word: str, status: str) -> None:
    assert report_in(json.dumps({"status": word})).status == status


@pytest.mark.parametrize(("success", "status"), [(True, "completed"), (False, "failed")])
def test_without_a_status_the_success_says_it(success: bool, status: str) -> None:
    assert report_in(json.dumps({"success": success, "status": None})).status == status


def test_a_text_of_nothing_but_braces_is_read_in_no_time() -> None:
    for text in ("{" * 200_000, '{"a":' * 50_000, '{"' * 100_000, '{a: "' * 50_000, "{}" * 100_000):
        with pytest.raises(Invalid):
            report_in(text)


# --- completing ------------------------------------------------------------------------------------------------------


def test_a_blueprint_report_completes_its_task_and_all_of_it_is_kept(board: Board) -> None:
    task = board.create(criteria=["It works."])
    board.claim("ada", task)
    board.clock.advance(seconds=245)
    hand_in(board, task, {**BLUEPRINT, "task": task, "evidence": {"1": "I saw it."}})
    kept = attempt(board, task)
    assert (kept.status, kept.success, kept.confidence, kept.outputs) == ("completed", True, 0.9, {"port": 8080})
    assert (kept.artifacts, kept.next_actions, kept.issues_found) == (["api.py"], ["Deploy it."], ["Slow."])
    assert kept.blocking_issues == ["No key."]
    (line,) = board.brief("lead", task, include=["executions"]).executions
    for words in (
        "attempt 1 ada completed from", "(245 s)", "confidence: 0.9", 'outputs: {"port": 8080}', "artifacts: api.py",
        "issues: Slow.", "blocking issues: No key.", "next: Deploy it.", f"execution {kept.id}",
    ):  # fmt: skip
        assert words in line
    assert "successful" not in line


def test_an_attempt_without_blocking_issues_is_successful(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    hand_in(board, task, SAID)
    assert "completed, successful, from" in board.brief("lead", task, include=["executions"]).executions[0]


def test_a_report_goes_the_one_path(board: Board) -> None:
    waiter = board.create(depends_on=[task := board.create(criteria=["It works."], needs_review=True)])
    board.claim("ada", task)
    with pytest.raises(CriteriaUnmet, match="criterion 1 has no evidence"):
        hand_in(board, task, SAID)
    hand_in(board, task, {**DONE, "evidence": {"1": "I saw it."}})
    assert (board.status(task), board.status(waiter)) == ("in_review", "blocked")
    board.review("lead", task, "accept")
    assert board.status(waiter) == "pending"


def test_a_report_of_failure_keeps_what_went_wrong(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    hand_in(board, task, {"success": False, "error_details": "The disk is full."})
    assert (board.status(task), board.row(task).error) == ("failed", "The disk is full.")
    assert attempt(board, task).error == "The disk is full."


def test_a_report_that_is_handed_in_twice_counts_once(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    hand_in(board, task, {**DONE, "blocking_issues": ["No key."]})
    again = hand_in(board, task, SAID)
    assert "recorded before" in again.message
    assert attempt(board, task).blocking_issues == ["No key."]


@pytest.mark.parametrize("said", ["completed", "needs a summary"])
def test_what_a_completion_needs_a_report_needs(board: Board, said: str) -> None:
    task = board.create()
    board.claim("ada", task)
    if said == "completed":
        hand_in(board, task, {"status": "completed", "outputs": {"summary": "It is done."}})
        assert board.row(task).completion_summary == "It is done."
    else:
        with pytest.raises(Invalid, match=said):
            hand_in(board, task, {"status": "completed"})


def test_a_report_of_another_task_completes_nothing(board: Board) -> None:
    task, other = board.create(), board.create()
    board.claim("ada", task)
    for name in (other, "nothing2", 17, "x"):
        with pytest.raises(Invalid, match=f"is about task `{name}`, not about {task}"):
            hand_in(board, task, {**DONE, "task_id": name})
    hand_in(board, task, {**DONE, "task_id": task[:5]})
    assert board.status(task) == "completed"


def test_a_report_of_another_agent_completes_nothing(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    with pytest.raises(NotAllowed, match="The report is Bob's, and ada hands it in"):
        hand_in(board, task, {**DONE, "agent_name": "Bob"})
    with pytest.raises(NotAllowed, match="bob does not hold"):
        hand_in(board, task, {**DONE, "agent_name": "bob"}, by="bob")
    hand_in(board, task, {**DONE, "agent_name": " Ada "})


def test_a_report_of_another_execution_completes_nothing(board: Board) -> None:
    task = board.create()
    board.claim("ada", task)
    board.clock.advance(minutes=31)
    board.sweep()
    board.claim("ada", task)
    first, second = attempt(board, task).id, attempt(board, task, 1).id
    with pytest.raises(ClaimLost, match=r"attempt 1 at .* has ended"):
        hand_in(board, task, {**DONE, "execution_id": first})
    with pytest.raises(Invalid, match="which is none of"):
        hand_in(board, task, {**DONE, "execution_id": "0" * 36})
    with pytest.raises(Invalid, match="attempt 1 and 2"):
        hand_in(board, task, {**DONE, "execution_id": second, "attempt": 1})
    hand_in(board, task, {**DONE, "execution_id": second}, attempt=2)
    assert board.executions(task) == ["lapsed", "completed"]


@pytest.mark.parametrize("status", ["blocked", "in_progress", "requires_assistance"])
def test_a_report_that_ends_nothing_is_answered_with_the_call_to_use(board: Board, status: str) -> None:
    task = board.create()
    board.claim("ada", task)
    with pytest.raises(Invalid, match=rf'report_progress\(task="{task}".*status="{status}"'):
        hand_in(board, task, {"status": status, "summary": "Well."})


# --- delegations -----------------------------------------------------------------------------------------------------

DELEGATION = {
    "assigned_agent": "coding", "reasoning": "It is about code.", "priority": "high", "estimated_duration_minutes": 90,
    "required_resources": ["a key"], "success_criteria": ["It works."], "risk_factors": ["time"], "dependencies": [],
    "context_requirements": ["the plan"], "expected_deliverables": ["api.py"],
}  # fmt: skip


def propose(board: Board, said: dict[str, Any], title: str = "Build it", by: str = "lead") -> str:
    text = f"I would hand this to somebody:\n```json\n{json.dumps(said)}\n```"
    written = board.call(by, operations.create_task_from_delegation, title=title, text=text)
    assert written.task is not None
    return written.task.id


def test_a_delegation_in_prose_becomes_a_task_that_is_handed_down(board: Board) -> None:
    first = board.create()
    task = propose(board, {**DELEGATION, "dependencies": [first]})
    assert (board.row(task).title, board.row(task).priority, board.status(task)) == ("Build it", "high", "blocked")
    line, brief = board.line(task), board.brief("lead", task)
    assert (line.assignee, line.depends_on) == ("specialty:coding", [first])
    assert [each.text for each in brief.criteria] == ["It works."]
    kept = board.swarm.read(lambda db: work.delegations(db, task))[0]
    assert (kept.reasoning, kept.estimated_minutes, kept.required_resources) == ("It is about code.", 90, ["a key"])
    assert (kept.risk_factors, kept.context_requirements, kept.expected_deliverables) == (
        ["time"],
        ["the plan"],
        ["api.py"],
    )


def test_a_kind_of_agent_is_a_specialty_unless_somebody_is_called_so(board: Board) -> None:
    assert board.line(propose(board, {"assigned_agent": "ada"})).assignee == "ada"
    board.enlist("testing")
    assert board.line(propose(board, {"assigned_agent": "testing"})).assignee == "testing"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"reasoning": "Somebody should."}, "needs `to`|holds no JSON object that is a delegation"),
        ({"assigned_agent": "ada", "estimated_duration_minutes": 1000}, "1 to 480"),
        ({"assigned_agent": "ada", "dependencies": ["nothing2"]}, "No task `nothing2`"),
        ({"assigned_agent": "ada", "priority": "soon"}, "`soon` is no priority"),
        ({"assigned_agent": "ada", "reasoning": "It is near.", "assignee": "bob"}, "has no `assignee`"),
    ],
)
def test_a_delegation_that_cannot_be_made_leaves_no_task(board: Board, said: dict[str, Any], why: str) -> None:
    with pytest.raises(Refusal, match=why):
        propose(board, said)
    assert board.swarm.read(operations.list_tasks).total == 0


# --- running ---------------------------------------------------------------------------------------------------------


def run(board: Board, task: str, function: Any, **said: Any) -> Completed:
    return operations.run_task(board.swarm, task=task, agent="ada", function=function, **said)


def test_a_function_does_a_task_with_its_brief_and_returns_the_summary(board: Board) -> None:
    task = board.create(description="Count to three.")

    def count(brief: Brief) -> str:
        assert (brief.description, board.holder(task)) == ("Count to three.", "ada")
        return "One, two, three."

    run(board, task, count)
    assert (board.status(task), board.row(task).completion_summary) == ("completed", "One, two, three.")


def test_a_function_may_return_a_report(board: Board) -> None:
    task = board.create(checks=["failed == 0"])
    run(board, task, lambda _: {"summary": "It is done.", "measurements": {"failed": 0}, "issues": ["Slow."]})
    assert (board.status(task), attempt(board, task).issues_found) == ("completed", ["Slow."])
    other = board.create()
    run(board, other, lambda _: {**BLUEPRINT, "status": "partial", "completion_summary": "Half of it."})
    assert board.status(other) == "partial"


def test_a_failure_is_recorded_and_raised(board: Board) -> None:
    task = board.create()

    def fall(_: Brief) -> str:
        raise ZeroDivisionError("three by\x00 zero")

    with pytest.raises(ZeroDivisionError):
        run(board, task, fall)
    assert (board.status(task), board.row(task).error) == ("failed", "ZeroDivisionError: three by\ufffd zero")
    assert board.executions(task) == ["failed"]


def test_a_failure_that_cannot_be_put_into_words_is_recorded_by_its_name(board: Board) -> None:
    task = board.create()

    class Speechless(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def fall(_: Brief) -> str:
        raise Speechless

    with pytest.raises(Speechless):
        run(board, task, fall)
    assert (board.status(task), board.row(task).error) == ("failed", "Speechless")


def test_an_interruption_gives_the_task_back(board: Board) -> None:
    task = board.create()

    def stop(_: Brief) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(board, task, stop)
    assert (board.status(task), board.executions(task)) == ("pending", ["released"])


def test_others_write_while_the_function_runs(board: Board) -> None:
    task, created = board.create(), []

    def work_on(_: Brief) -> str:
        other = threading.Thread(target=lambda: created.append(board.create("Meanwhile")))
        other.start()
        other.join()
        return "It is done."

    run(board, task, work_on)
    assert [board.row(each).title for each in created] == ["Meanwhile"]


def test_what_comes_after_the_claim_was_lost_is_refused(board: Board) -> None:
    task = board.create()

    def dawdle(_: Brief) -> str:
        board.clock.advance(minutes=31)
        board.claim("bob", task)
        return "It is done."

    with pytest.raises(ClaimLost, match="bob holds it now"):
        run(board, task, dawdle)
    assert (board.status(task), board.holder(task)) == ("in_progress", "bob")


def test_a_failure_after_the_claim_was_lost_is_still_the_functions(board: Board) -> None:
    task = board.create()

    def dawdle(_: Brief) -> str:
        board.clock.advance(minutes=31)
        board.claim("bob", task)
        raise LookupError("nothing there")

    with pytest.raises(LookupError) as failure:
        run(board, task, dawdle)
    assert "bob holds it now" in failure.value.__notes__[0]
    run_long = board.create()
    run(board, run_long, lambda _: board.clock.advance(minutes=90) and "Late.", lease_minutes=120)
    assert board.status(run_long) == "completed"


def test_a_completion_that_is_refused_keeps_the_claim(board: Board) -> None:
    task = board.create(criteria=["It works."])
    with pytest.raises(CriteriaUnmet):
        run(board, task, lambda _: "It is done.")
    for result in (None, 3, ["It is done."]):
        with pytest.raises(Invalid, match="return the summary as text, or a report as a map"):
            run(board, task, lambda _, result=result: result)
    assert (board.holder(task), board.row(task).attempt) == ("ada", 1)
    run(board, task, lambda _: {"summary": "It is done.", "evidence": {"1": "I saw it."}})


def test_a_task_that_cannot_be_claimed_is_not_run(board: Board) -> None:
    held, waiting = board.task_in("in_progress"), board.create(depends_on=[board.create()])
    board.update("lead", held, action="recall")
    board.claim("bob", held)
    never: Any = lambda _: pytest.fail("It ran.")  # noqa: E731
    with pytest.raises(Conflict):
        run(board, held, never)
    with pytest.raises(Blocked):
        run(board, waiting, never)
    with pytest.raises(Invalid, match="done by an agent"):
        operations.run_task(board.swarm, task=waiting, agent="", function=never)
    board.create()
    for nothing in ("", " "):
        with pytest.raises(Invalid, match="which task"):
            run(board, nothing, never)

    async def later(_: Brief) -> str:
        return "It is done."

    with pytest.raises(Invalid, match="later is asynchronous"):
        run(board, waiting, later)
