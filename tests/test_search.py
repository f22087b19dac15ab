"""Searching: where words are found, what comes first, and what nobody finds that may not read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from swarm_mcp import open_swarm, operations
from swarm_mcp.operations import projects
from swarm_mcp.repository import indexing, references, search

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.repository.database import Transaction

PRIORITIES = ("low", "medium", "high", "critical")


@pytest.fixture(autouse=True, params=[1, 64], ids=["indexed at once", "indexed in batches"])
def _batches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is found in the index and before it gets there."""
    monkeypatch.setattr(indexing, "BATCH", request.param)


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


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("auth", "Authentication, at last"),
        ("AUTHENT", "authentication"),
        ("cafe", "Le Café"),
        ("CAFÉ", "le cafe"),
        ("straße", "Straße"),
        ("привет", "Приветствие"),
        ("인증", "인증을 구축"),
        ("构建", "请构建认证服务"),
        ("认证服务", "构建认证服务的接口"),
        ("がなと", "ひらがなとカタカナ"),
        ("API接口", "编写API接口测试"),
        ("auth_api", "Mend auth_api now"),
        ("api", "Mend auth_api now"),
        ("src/auth.py", "Look into src/auth.py"),
        ("auth.py", "Look into src/auth.py"),
        ("src/aut", "Look into src/auth.py"),
        ("c++", "In C++ again"),
        ("100%", "100 % covered"),
        ("v2.3", "Release v2.3.1"),
        ("-draft", "The draft"),
        ("ada@example.org", "Write to ada@example.org"),
        ("k3x9m2qa", "Like k3x9m2qa, but better"),
    ],
)
def test_a_word_finds_the_words_that_begin_with_it(board: Board, text: str, title: str) -> None:
    board.create(title)
    board.create("Something else: 1000 axb, reauthorise, 认构, 接口, py src")
    assert found(board, text) == [title]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("thentication", "authentication"),  # from its beginning: what an index of words can do, and people expect
        ("a", "abc"),  # one or two letters begin everything
        ("ab", "abc"),
        ("auth.", "authentication"),  # the word ends here
        ("100%", "1000"),
        ("构服", "构建服务"),  # a phrase, not some characters
        ("api/auth", "auth/api"),
    ],
)
def test_a_word_finds_nothing_that_it_does_not_begin(board: Board, text: str, title: str) -> None:
    board.create(title)
    assert found(board, text) == []


@pytest.mark.parametrize("text", ["[f]", '"f"', "f;", "(f", "f:"])
def test_punctuation_around_a_word_is_no_part_of_it(board: Board, text: str) -> None:
    board.create("e f g")
    assert found(board, text) == ["e f g"]


@pytest.mark.parametrize(
    "text",
    [
        '"', "'", "*", "^", "NEAR(", "NEAR(parser, 2)", "parser NOT parser", "OR", "AND NOT", "title:", "{title} : x",
        "title : parser", "- parser", "pars* + er", '"parser', "\\", "%", "_", "🚀", "🚀 parser", "…", "()", ";--",
        "\u0301", "𞤀𞤁 parser", "x" * 10_000, "parser " * 2000, "构" * 10_000, "a.b" * 3000,
        '"' * 9999, "NOT " * 500,
    ],
)  # fmt: skip
def test_whatever_is_searched_for_is_no_error(board: Board, text: str) -> None:
    board.create("The parser")
    assert found(board, text) in ([], ["The parser"])


@pytest.mark.parametrize("text", ["🚀", "…", "* ^ ()", '""'])
def test_where_there_is_no_word_nothing_is_found(board: Board, text: str) -> None:
    board.create(f"Launch {text}")
    assert found(board, text) == []


def test_a_task_is_found_by_its_id_and_by_what_it_was_called_elsewhere(board: Board) -> None:
    task = board.create("The parser")
    other = board.create("Another parser", description=f"As in {task}.")
    board.swarm.write(lambda db: references.insert_references(db, "tickets", [(other, "TSK-001/2", {})]))
    assert found(board, task) == ["The parser", "Another parser"]
    assert found(board, f"{task[:4]} the") == ["The parser"]
    assert found(board, "TSK-001/2") == found(board, "tsk-001/2 parser") == ["Another parser"]


def test_words_of_an_edit_are_found_and_those_before_it_are_not(board: Board) -> None:
    task = board.create("The parser", description="In Lisp, 用构建")
    board.update("lead", task, title="The lexer", description="In Cobol")
    assert [found(board, text) for text in ("parser", "lisp", "构建")] == [[], [], []]
    assert found(board, "lexer cobol") == ["The lexer"]
    board.finish("ada", task, summary="Nothing but Fortran.")
    board.update("lead", task, action="reopen")
    board.finish("bob", task, summary="Nothing but Ada.")
    assert (found(board, "fortran"), found(board, "nothing cobol")) == ([], ["The lexer"])


@pytest.mark.sqlite
@pytest.mark.parametrize("batch", [2, 3, 5])
def test_what_is_noted_reaches_the_index_whole(board: Board, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(indexing, "BATCH", batch)
    made = [board.create(f"parser {n}") for n in range(7)]
    for n, task in enumerate(made):
        board.update("lead", task, title=f"lexer {n}")
        if n % 2:
            board.finish("ada", task, summary=f"Linker {n}.")
        assert (found(board, f"parser lexer {n}"), found(board, f"lexer {n}")) == ([], [f"lexer {n}"])
    assert (len(found(board, "lexer")), found(board, "parser")) == (7, [])
    assert sorted(found(board, "linker")) == ["lexer 1", "lexer 3", "lexer 5"]


@pytest.mark.sqlite
def test_an_edit_that_changes_no_word_leaves_the_index_alone(board: Board) -> None:
    task = board.create("The parser")
    written: list[str] = []

    def edit(db: Transaction) -> None:
        db.driver.set_trace_callback(written.append)
        operations.update_task(db, task=task, priority="high", title="The parser", tags=["x"], deadline="2030-01-01")
        db.driver.set_trace_callback(None)

    board.call("lead", edit)
    assert written
    assert [statement for statement in written if "words" in statement or "unindexed" in statement] == []


def test_what_is_common_is_listed_too_with_the_titles_first_and_no_pretence_of_completeness(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "RANKED", 20)
    monkeypatch.setattr(search, "LISTED", 12)
    for n in range(25):
        board.create(f"task {n}", description="It needs a parser.", tags=["odd"] if n % 2 else [])
    board.create("The parser")
    board.swarm.write(indexing.index_everything)
    page = board.swarm.read(lambda db: operations.list_tasks(db, text="parser", limit=5))
    assert page.tasks[0].title == "The parser"
    assert page.message == "5 of more than 12 tasks; add a word: this is in more than can be ranked."
    titles = paged(board, "parser")
    assert (titles[0], len(titles), len(set(titles))) == ("The parser", 12, 12)
    odd = board.swarm.read(lambda db: operations.list_tasks(db, text="pars", tag="odd", sort="created", limit=50))
    assert odd.message == "12 of 12 tasks."
    assert found(board, "parser", tag="even") == []


def paged(board: Board, text: str, **said: Any) -> list[str]:
    """The titles of all pages of three."""
    titles: list[str] = []
    cursor = ""
    while True:
        page = board.swarm.read(
            lambda db, cursor=cursor: operations.list_tasks(db, text=text, limit=3, cursor=cursor, **said), agent="ada"
        )
        titles += [line.title for line in page.tasks]
        if not (cursor := page.next_cursor):
            return titles


def test_paging_through_what_was_found_gives_each_task_once(board: Board) -> None:
    for n in range(20):
        task = board.create(f"parser {'parser ' * (n % 3)}{n}", description="parser " * n, priority=PRIORITIES[n % 4])
        if n % 4 == 0:
            board.finish("ada", task)
    board.send("ada", "Which parser?", to="bob", task=board.create("talked about"))
    share(board, board.create("shared"), "parser", 1)
    titles = paged(board, "parser")
    assert len(titles) == len(set(titles)) == 22
    assert set(titles[-2:]) == {"talked about", "shared"}
    assert titles == found(board, "parser", limit=50)
    assert sorted(paged(board, "parser", sort="created")) == sorted(titles)


def test_a_search_stays_in_its_project(board: Board) -> None:
    task = board.create("The parser")
    board.send("ada", "Which lexer?", to="bob", task=task)
    share(board, task, "grammar", "yacc")
    board.swarm.write(lambda db: projects.create_project(db, "other"))
    other = open_swarm(board.place, project="other")
    for text in ("parser", "lexer", "yacc", task):
        assert other.read(lambda db, text=text: operations.list_tasks(db, text=text)).total == 0
    other.close()


def test_what_was_archived_is_found_no_more_than_it_is_listed(board: Board) -> None:
    task = board.create("The parser")
    board.finish("ada", task)
    board.update("lead", task, action="archive")
    assert found(board, "parser") == []


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
