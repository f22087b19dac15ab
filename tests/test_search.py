"""Searching: where words are found, what comes first, and what nobody finds that may not read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp import operations

if TYPE_CHECKING:
    from board import Board


def found(board: Board, text: str, *, by: str = "ada", **said: Any) -> list[str]:
    """The titles of what somebody finds, in their order."""
    page = board.swarm.read(lambda db: operations.list_tasks(db, text=text, **said), agent=by)
    assert page.total >= len(page.tasks)
    return [line.title for line in page.tasks]


def share(board: Board, task: str, key: str, value: object) -> None:
    board.call("ada", operations.share_context, task=task, key=key, value=value)


def test_words_are_found_in_titles_descriptions_summaries_context_and_messages(board: Board) -> None:
    board.create("The parser")
    board.create("described", description="It needs a parser.")
    board.finish("ada", board.create("summed up"), summary="The parser is done.")
    share(board, board.create("shared"), "grammar", {"tools": ["parser"]})
    share(board, board.create("under a key"), "parser", 1)
    board.send("ada", "Which parser?", to="bob", task=board.create("talked about"))
    board.create("something else")
    assert sorted(found(board, "parser")) == [
        "The parser", "described", "shared", "summed up", "talked about", "under a key",
    ]  # fmt: skip


def test_the_best_come_first_titles_then_the_tasks_own_words_then_what_belongs_to_it(board: Board) -> None:
    share(board, board.create("shared", priority="critical"), "parser", 1)
    board.create("described", description="It needs a parser.", priority="high", deadline="2026-02-01")
    board.create("The parser", priority="low")
    board.create("Another parser", priority="medium")
    assert found(board, "parser") == ["Another parser", "The parser", "described", "shared"]
    assert found(board, "parser", sort="deadline")[0] == "described"


def test_the_best_order_goes_on_from_page_to_page_and_over_several_statuses(board: Board) -> None:
    for n in range(5):
        board.create(f"described {n}", description="It needs a parser.", priority="high")
        board.finish("ada", board.create(f"parser {n}"))
    cursor, pages = "", []
    while True:
        page = board.swarm.read(
            lambda db, cursor=cursor: operations.list_tasks(
                db, text="parser", status=["pending", "done"], limit=4, cursor=cursor
            )
        )
        pages.append([line.title[:6] for line in page.tasks])
        assert page.total == 10
        if not (cursor := page.next_cursor):
            break
    assert pages == [["parser"] * 4, ["parser", *["descri"] * 3], ["descri"] * 2]


def test_every_word_must_be_found_each_wherever_it_is(board: Board) -> None:
    share(board, board.create("The parser"), "language", "Lisp")
    board.create("Another parser")
    assert found(board, "lisp PARSER") == ["The parser"]
    assert found(board, "parser cobol") == []


@pytest.mark.parametrize("text", ["100%", "a_b", "c:\\d", '"e"', "[f]"])
def test_every_character_of_a_word_means_itself(board: Board, text: str) -> None:
    board.create(f"exactly {text} here")
    board.create("nearly 1000 aXb c:d e f")
    assert found(board, text) == [f"exactly {text} here"]


def test_a_value_that_was_replaced_is_found_no_more(board: Board) -> None:
    task = board.create("shared")
    share(board, task, "language", "Lisp")
    share(board, task, "language", "Cobol")
    assert (found(board, "lisp"), found(board, "cobol")) == ([], ["shared"])


def test_what_is_shared_with_the_whole_project_finds_no_task(board: Board) -> None:
    board.create()
    share(board, "", "language", "Lisp")
    assert found(board, "lisp") == []


@pytest.mark.parametrize(
    ("agent", "finds"), [("ada", True), ("bob", True), ("", True), ("lead", False), ("stranger", False)]
)
def test_a_message_is_found_by_its_readers_alone(board: Board, agent: str, finds: bool) -> None:
    board.send("ada", "The password is swordfish.", to="bob", task=board.create("secret"))
    assert found(board, "swordfish", by=agent) == ["secret"] * finds


def test_what_the_operator_wrote_and_got_is_found_by_no_stranger(board: Board) -> None:
    task = board.create("secret")
    board.send("", "The password is swordfish.", to="ada", task=task)
    board.send("ada", "Swordfish, then.", to="operator", task=task)
    assert [bool(found(board, "swordfish", by=agent)) for agent in ("stranger", "bob", "ada", "")] == [
        False, False, True, True,
    ]  # fmt: skip


def test_questions_and_answers_are_found_by_everybody(board: Board) -> None:
    task = board.task_in("in_progress", title="asked about")
    board.send("lead", "The green one.", reply_to=board.ask("ada", task, "Which colour?"))
    assert all(
        found(board, text, by=agent) == ["asked about"] for text in ("colour", "green") for agent in ("bob", "cy")
    )


def test_notes_are_found_by_nobody(board: Board) -> None:
    board.call("ada", operations.add_note, task=board.create(), text="The password is swordfish.")
    assert all(found(board, "swordfish", by=agent) == [] for agent in ("ada", "bob", ""))


def test_words_narrow_what_the_other_filters_let_through(board: Board) -> None:
    top = board.create("parser, all of it")
    board.create("parser, a part", parent=top, assignee="ada")
    assert found(board, "parser", under=top) == ["parser, a part"]
    assert found(board, "parser", assignee="anyone") == ["parser, all of it"]
