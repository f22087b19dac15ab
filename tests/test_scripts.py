"""Scripts: the operations that agents call as tools, by the same names, as many in one transaction as one likes."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.errors import CriteriaUnmet, CycleRefused, Invalid, NotAllowed, NotFound, Refusal, Unavailable
from swarm_mcp.operations import projects
from swarm_mcp.operations.catalog import CATALOG
from swarm_mcp.operations.swarm import Swarm
from swarm_mcp.repository.tables import AgentRow, ContextRow, EventRow, TaskRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from board import Board
    from conftest import Clock

    from swarm_mcp.model.task import Written
    from swarm_mcp.repository.database import Transaction


@pytest.fixture
def swarm(manned_board: tuple[Board, Path], tmp_path: Path, clock: Clock) -> Iterator[Swarm]:
    """A board that a script has opened: with `lead`, `ada` and `bob` on it."""
    swarm = open_swarm(shutil.copy(manned_board[1], tmp_path / "board.db"), clock=clock)
    yield swarm
    swarm.close()


def made(written: Written) -> str:
    """The id of the task that an operation answers with."""
    assert written.task is not None
    return written.task.id


def titles(swarm: Swarm) -> list[str]:
    with swarm.reading() as db:
        return [line.title for line in operations.list_tasks(db, sort="created").tasks]


def names(swarm: Swarm) -> list[str]:
    """Who is on the board."""
    with swarm.reading() as db:
        return list(db.session.scalars(select(AgentRow.name).order_by(AgentRow.name)))


# --- opening ---------------------------------------------------------------------------------------------------------


def test_opening_makes_a_board_where_there_is_none(tmp_path: Path) -> None:
    swarm = open_swarm(tmp_path / "new.db")
    assert titles(swarm) == []
    swarm.close()


def test_a_board_is_opened_by_its_path_or_its_address(swarm: Swarm, tmp_path: Path) -> None:
    with swarm.writing() as db:
        operations.create_task(db, title="A task")
    for target in (tmp_path / "board.db", str(tmp_path / "board.db"), f"sqlite:///{tmp_path / 'board.db'}"):
        again = open_swarm(target)
        assert titles(again) == ["A task"]
        again.close()


def test_what_is_no_board_is_refused_without_saying_whose_library_minds(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("Buy milk." * 1000, encoding="utf-8")
    for target in (tmp_path / "notes.db", "mysql://host/board", tmp_path):
        with pytest.raises(Unavailable) as refusal:
            titles(open_swarm(target))
        assert "sqlalchemy" not in str(refusal.value).lower()


def test_a_project_that_was_never_created_is_refused_with_the_command_that_creates_it(swarm: Swarm) -> None:
    other = Swarm(swarm.database, "other")
    for open_it in (other.reading, other.writing):
        with pytest.raises(NotFound, match="swarm-mcp project create other"), open_it():
            pass


def test_two_projects_of_one_database_know_nothing_of_each_other(swarm: Swarm, tmp_path: Path) -> None:
    with swarm.writing(agent="lead") as db:
        operations.create_task(db, title="Here")
        projects.create_project(db, "other")
    other = open_swarm(tmp_path / "board.db", project="other")
    with other.writing(agent="ada") as db:
        operations.create_task(db, title="There")
    assert (titles(swarm), titles(other)) == (["Here"], ["There"])
    other.close()


# --- operations ------------------------------------------------------------------------------------------------------


def test_every_operation_is_there_by_the_name_of_its_tool() -> None:
    assert sorted([*CATALOG, "run_task"]) == operations.__all__
    assert all(getattr(operations, name) is CATALOG[name].run for name in CATALOG)


def test_one_script_can_do_all_that_a_swarm_does(swarm: Swarm) -> None:
    with swarm.writing(agent="lead") as db:
        ids = operations.create_plan(
            db, tasks=[{"ref": "a", "title": "A"}, {"ref": "b", "title": "B", "depends_on": ["a"]}]
        ).ids
    with swarm.writing(agent="ada") as db:
        assert made(operations.claim_task(db)) == ids["a"]
        operations.report_progress(db, task=ids["a"], message="Half of it.", percent=50)
        done = operations.complete_task(db, task=ids["a"], summary="It is done.")
    assert [each.id for each in done.unblocked] == [ids["b"]]
    with swarm.reading() as db:
        assert operations.get_overview(db).status_breakdown == {"completed": 1, "pending": 1}


def test_an_operation_takes_its_arguments_by_name_only(swarm: Swarm) -> None:
    with swarm.writing() as db, pytest.raises(TypeError):
        operations.create_task(db, "A task")  # type: ignore[misc]


def test_answers_are_frozen_and_hold_no_rows(swarm: Swarm) -> None:
    with swarm.writing(agent="lead") as db:
        answer = operations.create_task(db, title="A task")
    with pytest.raises(ValidationError, match="frozen"):
        answer.message = "Something else"  # type: ignore[misc]
    assert answer.structured()["task"]["status"] == "pending"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"title": "A", "phase": "soon"}, "`phase`"),
        ({"title": "A", "deadline": 7.5, "estimated_hours": "many"}, "`estimated_hours`"),
        ({"title": ["A"]}, "`title`"),
    ],
)
def test_a_value_that_is_none_of_its_kind_is_refused_in_words_of_ours(
    swarm: Swarm, said: dict[str, Any], words: str
) -> None:
    with swarm.writing() as db, pytest.raises(Invalid, match=words) as refusal:
        operations.create_task(db, **said)
    assert "pydantic" not in refusal.value.message


def test_a_single_value_is_taken_for_a_list_of_one_and_none_for_an_empty_one(swarm: Swarm) -> None:
    one: Any = "api"
    none: Any = None
    with swarm.writing(agent="lead") as db:
        task = made(operations.create_task(db, title="A task", tags=one, criteria="It works.", touches=none))  # type: ignore[arg-type]
        operations.update_task(db, task=task, tags=one, add_criteria="It is fast.", clear="deadline")  # type: ignore[arg-type]
        other = made(operations.create_task(db, title="Another", depends_on=task))  # type: ignore[arg-type]
        assert operations.get_task(db, task=other, include="tree").tree[0].endswith(f"waits for {task}")  # type: ignore[arg-type, union-attr]
        row = db.session.get_one(TaskRow, task)
        assert (row.tags, row.touches) == (["api"], [])
        assert [each.text for each in operations.get_task(db, task=task).criteria] == ["It works.", "It is fast."]  # type: ignore[union-attr]


def test_every_wrong_item_of_a_plan_is_refused_at_once(swarm: Swarm) -> None:
    items: Any = [{"titel": "A"}, {"title": "B"}, "C", {"title": "D", "phase": 1}]
    with swarm.writing() as db, pytest.raises(Invalid, match="did you mean `title`") as refusal:
        operations.create_plan(db, tasks=items)
    assert [each[:7] for each in refusal.value.facts["mistakes"]] == ["item 1:", "item 3:", "item 4:"]  # type: ignore[attr-defined]
    assert titles(swarm) == []


# --- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("naive", ["2026-12-31T17:00:00", "2026-12-31 17:00", datetime(2026, 12, 31, 17)])  # noqa: DTZ001
def test_a_naive_time_is_refused(swarm: Swarm, naive: Any) -> None:
    with swarm.writing() as db:
        task = made(operations.create_task(db, title="A task"))
        for deed in (
            lambda: operations.create_task(db, title="Another", deadline=naive),
            lambda: operations.create_plan(db, tasks=[{"title": "Another", "deadline": naive}]),  # type: ignore[list-item]
            lambda: operations.update_task(db, task=task, deadline=naive),
        ):
            with pytest.raises(Invalid, match="has no offset"):
                deed()
    assert titles(swarm) == ["A task"]


def test_a_time_may_be_a_datetime_with_an_offset(swarm: Swarm) -> None:
    moment: Any = datetime(2026, 12, 31, 17, tzinfo=UTC)
    with swarm.writing() as db:
        task = made(operations.create_task(db, title="A task", deadline=moment))
        assert db.session.get_one(TaskRow, task).deadline == moment


# --- who acts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [{}, {"agent": ""}], ids=["nobody named", "nothing"])
def test_a_script_that_names_no_agent_is_the_operator(swarm: Swarm, said: dict[str, str]) -> None:
    with swarm.writing(**said) as db:
        task = made(operations.create_task(db, title="A task"))
        assert db.session.get_one(TaskRow, task).creator_id is None
        assert operations.get_task(db, task=task).agent == "operator"


def test_the_operator_may_do_everything_but_hold_a_task(swarm: Swarm) -> None:
    with swarm.writing(agent="lead") as db:
        task = made(operations.create_task(db, title="A task", assignee="bob"))
    with swarm.writing() as db:
        operations.update_task(db, task=task, title="Another", priority="high")
        operations.delegate(db, task=task, to="ada")
        with pytest.raises(NotAllowed, match="operator holds no tasks"):
            operations.claim_task(db, task=task)
        assert made(operations.update_task(db, task=task, action="cancel")) == task


def test_a_script_acts_as_the_agent_that_it_names(swarm: Swarm) -> None:
    with swarm.writing(agent="Carl Sagan") as db:
        operations.share_context(db, key="pi", value=3.14)
        newest = db.session.scalars(select(EventRow).order_by(EventRow.seq.desc())).first()
        assert newest is not None
        author = db.session.get_one(AgentRow, newest.agent_id)
        assert (newest.kind, newest.via) == ("context_shared", "script")
        assert (author.name, author.title, author.role) == ("carl_sagan", "Carl Sagan", "worker")


def test_no_script_acts_as_an_agent_called_operator(swarm: Swarm) -> None:
    with pytest.raises(Invalid, match="reserved"), swarm.writing(agent="operator"):
        pass


def test_a_script_that_reads_registers_nobody(swarm: Swarm) -> None:
    with swarm.reading(agent="stranger") as db:
        operations.list_tasks(db)
    assert names(swarm) == ["ada", "bob", "lead"]


# --- transactions ----------------------------------------------------------------------------------------------------


def test_several_operations_are_one_change_at_one_instant(swarm: Swarm) -> None:
    with swarm.writing(agent="lead") as db:
        first = made(operations.create_task(db, title="First"))
        operations.create_task(db, title="Second", depends_on=[first])
        operations.claim_task(db, task=first)
        assert titles(swarm) == []
        moments = set(db.session.scalars(select(EventRow.at).where(EventRow.task_id.is_not(None))))
        assert moments == {db.now}
    assert sorted(titles(swarm)) == ["First", "Second"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, NotFound])
def test_after_an_exception_nothing_of_a_transaction_is_kept(swarm: Swarm, error: type[BaseException]) -> None:
    with pytest.raises(error), swarm.writing(agent="lead") as db:
        operations.create_task(db, title="A task", assignee="newcomer")
        operations.share_context(db, key="pi", value=3.14)
        raise error
    assert titles(swarm) == []
    assert names(swarm) == ["ada", "bob", "lead"]


def test_a_refusal_that_a_script_catches_has_written_nothing_and_the_rest_is_kept(swarm: Swarm) -> None:
    with swarm.writing(agent="lead") as db:
        top = made(operations.create_task(db, title="Before"))
        last = made(operations.create_task(db, title="Last", depends_on=[top]))
        with pytest.raises(CycleRefused):
            operations.create_plan(
                db,
                parent=top,
                tasks=[{"title": "Fine", "assignee": "new"}, {"title": "Not fine", "depends_on": [last]}],
            )
        operations.create_task(db, title="After")
    assert sorted(titles(swarm)) == ["After", "Before", "Last"]
    assert names(swarm) == ["ada", "bob", "lead"]


def test_a_script_may_try_one_thing_after_another(swarm: Swarm) -> None:
    with swarm.writing(agent="lead") as db:
        first = made(operations.create_task(db, title="First", criteria=["It works."]))
        operations.create_task(db, title="Second", depends_on=[first])
        operations.claim_task(db, task=first)
        with pytest.raises(CriteriaUnmet):
            operations.complete_task(db, task=first, summary="It is done.")
        operations.complete_task(db, task=first, summary="It is done.", evidence={"1": "I saw it."})
    with swarm.reading() as db:
        assert operations.get_overview(db).status_breakdown == {"completed": 1, "pending": 1}


def test_an_operation_that_writes_is_refused_where_a_script_only_reads(swarm: Swarm) -> None:
    with swarm.reading(agent="lead") as db, pytest.raises(Invalid, match=r"open the board with writing\(\)"):
        operations.create_task(db, title="A task")


def test_a_change_is_made_by_a_function_of_the_transaction_too(swarm: Swarm) -> None:
    task = swarm.write(lambda db: made(operations.create_task(db, title="A task")), agent="lead")
    assert swarm.read(lambda db: operations.get_task(db, task=task)).task.id == task


def test_what_was_committed_is_there_after_the_board_was_closed(swarm: Swarm) -> None:
    with swarm.writing() as db:
        operations.create_task(db, title="A task")
    swarm.close()
    assert titles(swarm) == ["A task"]


# --- the session -----------------------------------------------------------------------------------------------------


def test_the_session_queries_the_tables_in_the_same_transaction(swarm: Swarm) -> None:
    with swarm.writing(agent="lead") as db:
        for hours in (1.5, 2.25):
            operations.create_task(db, title="A task", estimated_hours=hours, area="api")
        found = db.session.execute(
            select(TaskRow.area, func.count(), func.min(AgentRow.name))
            .join(AgentRow, AgentRow.id == TaskRow.creator_id)
            .group_by(TaskRow.area)
        ).all()
        assert [tuple(row) for row in found] == [("api", 2, "lead")]
        assert sorted(float(row.estimated_hours or 0) for row in db.session.scalars(select(TaskRow))) == [1.5, 2.25]


def test_what_the_session_adds_is_written_with_the_rest_or_not_at_all(swarm: Swarm) -> None:
    def add(db: Transaction, key: str) -> None:
        db.session.add(ContextRow(project=db.project.slug, key=key, value=1, kind="fact", rationale="", at=db.now))

    with swarm.writing() as db:
        add(db, "kept")
        task = made(operations.create_task(db, title="A task"))
    with pytest.raises(Refusal), swarm.writing() as db:
        add(db, "lost")
        operations.create_task(db, title="")
    with swarm.reading() as db:
        brief = operations.get_task(db, task=task)
    assert [each.key for each in brief.context] == ["kept"]


def test_the_session_sees_what_an_operation_did_even_after_one_was_refused(swarm: Swarm) -> None:
    with swarm.writing(agent="lead") as db:
        assert db.session.scalar(select(func.count()).select_from(TaskRow)) == 0
        with pytest.raises(Invalid):
            operations.create_task(db, title="")
        operations.create_task(db, title="A task")
        assert db.session.scalar(select(TaskRow.title)) == "A task"
    assert titles(swarm) == ["A task"]
