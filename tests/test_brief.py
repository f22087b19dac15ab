"""The brief: what to do, when it is done, and what to call next, within a budget of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp import operations

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.model.task import Brief


LONG = "Think of everything. " * 5000


def read(board: Board, task: str, **said: Any) -> Brief:
    return board.swarm.read(lambda db: operations.get_task(db, task=task, **said), agent="ada")  # type: ignore[return-value]


def test_a_long_description_does_not_push_the_criteria_out_of_a_brief(board: Board) -> None:
    task = board.create(description="Think of everything. " * 2000, criteria=["it is thought of", "all of it"])
    brief = read(board, task)
    assert [view.text for view in brief.criteria] == ["it is thought of", "all of it"]
    assert brief.description.endswith("…")
    assert any(call.startswith("description: get_task(") for call in brief.left_out)


def test_what_was_asked_for_has_its_place_beside_a_long_description(board: Board) -> None:
    task = board.create(description=LONG)
    board.call("ada", operations.add_note, task=task, text="Mine.")
    brief = read(board, task, include=["history", "notes"])
    assert [line.split()[4] for line in brief.history] == ["created"]
    assert brief.notes[0].endswith("Mine.")
    assert brief.description.startswith("Think of everything.")


def test_a_history_is_in_words_and_says_nothing_of_what_is_empty(board: Board) -> None:
    first = board.create()
    task = board.create(depends_on=[first])
    board.finish("ada", first, summary="Done.")
    told = "\n".join(line for each in (first, task) for line in read(board, each, include=["history"]).history)
    assert f"edges=added blocks:{first}" in told
    assert "completion_summary=Done." in told
    assert "holder_id: ada → nothing" in told
    assert not {"None", "{", "["} & set(told.split())


def test_an_entry_that_is_longer_than_its_section_is_there_by_its_beginning(board: Board) -> None:
    first = board.create(criteria=[LONG])
    board.claim("ada", first)
    board.complete("ada", first, summary="Done.", outputs={"words": LONG}, evidence={"1": "Look."})
    assert read(board, first, max_tokens=8000).criteria[0].text.startswith("Think of everything.")
    waiting = board.create(depends_on=[first])
    board.call("lead", operations.share_context, task=waiting, key="all", value={"words": LONG})
    brief = read(board, waiting, max_tokens=8000)
    assert [(each.id, each.summary, each.outputs) for each in brief.results] == [(first, "Done.", {})]
    assert str(brief.context[0].value).startswith('{"words": "Think of everything.')
    assert [each.partition(":")[0] for each in brief.left_out] == ["results", "context"]


def test_the_newest_report_is_there_as_a_whole_for_whoever_reviews_it(board: Board) -> None:
    summary, notes = f"{'It was long. ' * 60}It is done.", f"{'Not so. ' * 100}Mend it."
    task = board.create(needs_review=True)
    board.claim("ada", task)
    board.complete("ada", task, summary=summary, outputs={"report": summary})
    (told,) = read(board, task, include=["executions"]).executions
    assert told.count("It is done.") == 2
    board.review("lead", task, "rework", notes=notes)
    assert read(board, task).review == [f"lead (rework): {notes}"]


def test_the_long_summary_of_a_result_names_the_call_that_has_all_of_it(board: Board) -> None:
    first = board.create()
    board.finish("ada", first, summary="It was long. " * 60)
    (result,) = read(board, board.create(depends_on=[first])).results
    assert result.summary.endswith(f'… (get_task(task="{first}", include=["executions"]) has all of it)')


def test_the_reasons_of_a_delegation_are_cut_and_not_left_out(board: Board) -> None:
    task = board.create()
    board.delegate("lead", task, "ada", reasoning=LONG, expected_deliverables=["A list."])
    told = read(board, task, max_tokens=8000).delegation
    assert told["from"] == "lead"
    assert told["reasoning"].startswith("Think of everything.")


def test_a_brief_that_fits_is_whole(board: Board) -> None:
    task = board.create(description="Think of everything.", criteria=["it is thought of"])
    brief = read(board, task)
    assert (brief.description, brief.left_out) == ("Think of everything.", [])


def test_tasks_of_one_plan_keep_its_order_among_equals(board: Board) -> None:
    planned = board.plan(*({"title": f"Step {n}"} for n in range(12)))
    assert [board.claimed("ada") for _ in range(12)] == list(planned.ids.values())
