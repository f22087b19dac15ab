"""PostgreSQL: several writers at once, what they may not see of each other, and a server that goes away."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import postgres
import pytest
from recount import problems
from serving import GIVE_UP_SECONDS
from sqlalchemy import text

from swarm_mcp import open_swarm, operations
from swarm_mcp.model.errors import Busy, Invalid, Refusal, Unavailable
from swarm_mcp.operations.swarm import Swarm
from swarm_mcp.repository import events, migrate, tasks
from swarm_mcp.repository.database import Database
from swarm_mcp.repository.postgres import INSTALL, address_for_driver, is_address, without_password
from swarm_mcp.repository.postgres_failures import Lost
from swarm_mcp.server.notices import Notices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swarm_mcp.repository.database import Transaction

TESTS = Path(__file__).parent


@pytest.fixture
def address() -> Iterator[str]:
    """A board without anything on it."""
    with postgres.new_database() as address:
        with closing(Database(address)) as board:
            migrate.upgrade(board)
        yield address


@pytest.fixture
def swarm(address: str) -> Iterator[Swarm]:
    """A program on the board."""
    swarm = open_swarm(address)
    yield swarm
    swarm.close()


def create(swarm: Swarm, **said: Any) -> str:
    written = swarm.write(lambda db: operations.create_task(db, title="A task", **said), agent="lead")
    assert written.task is not None
    return written.task.id


def in_threads(*actions: Any) -> list[Any]:
    """What each does, all begun at once; refusals are answers too."""
    begin, answers = threading.Barrier(len(actions)), [None] * len(actions)

    def run(n: int) -> None:
        begin.wait()
        try:
            answers[n] = actions[n]()
        except Refusal as refusal:
            answers[n] = refusal

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


# --- several at once -------------------------------------------------------------------------------------------------


def test_whatever_many_processes_do_at_once_the_board_stays_sound(address: str) -> None:
    with ExitStack() as stack:
        children = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(TESTS / "unruly.py"), address, str(seed), "30"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for seed in range(4)
        ]
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        answers = [child.communicate("\n", timeout=120)[0] for child in children]
    told = [json.loads(answer) for answer in answers]
    assert [each["broken"] for each in told] == [[]] * 4
    assert problems(address) == []
    did = sum((Counter(each["did"]) for each in told), Counter())
    assert min(did[name] for name in ("create_task", "claim_task", "complete_task", "update_task")) > 10


def test_of_many_that_ask_at_once_no_two_get_the_same_task_and_nobody_goes_away_with_nothing(swarm: Swarm) -> None:
    for _ in range(24):
        create(swarm)
    workers = [f"worker-{n}" for n in range(8)]
    for name in workers:
        swarm.write(operations.check_inbox, agent=name)

    def claim(name: str) -> list[str]:
        got = [swarm.write(operations.claim_task, agent=name).task for _ in range(3)]
        return [each.id for each in got if each is not None]

    answers = in_threads(*(lambda name=name: claim(name) for name in workers))
    claimed = [task for answer in answers for task in answer]
    assert len(claimed) == len(set(claimed)) == 24


def test_a_claim_does_not_wait_for_a_task_that_somebody_else_is_taking(swarm: Swarm) -> None:
    first, second = create(swarm, priority="high"), create(swarm)
    for name in ("ada", "bob"):  # newcomers enter one after the other
        swarm.write(operations.check_inbox, agent=name)
    with swarm.writing(agent="ada") as slow:
        assert operations.claim_task(slow).task.id == first  # type: ignore[union-attr]
        quick = swarm.write(operations.claim_task, agent="bob", patience=5)
    assert quick.task is not None
    assert quick.task.id == second


def test_a_dependency_and_its_opposite_at_once_make_no_cycle(swarm: Swarm) -> None:
    for _ in range(5):
        one, two = create(swarm), create(swarm)
        answers = in_threads(
            lambda one=one, two=two: swarm.write(lambda db: operations.update_task(db, task=one, add_depends_on=[two])),
            lambda one=one, two=two: swarm.write(lambda db: operations.update_task(db, task=two, add_depends_on=[one])),
        )
        assert sorted(isinstance(each, Refusal) for each in answers) == [False, True]
    assert problems(address_of(swarm)) == []


def test_whoever_depends_on_a_task_that_is_just_being_completed_waits_for_nothing(swarm: Swarm) -> None:
    for _ in range(10):
        blocker = create(swarm)
        swarm.write(lambda db, blocker=blocker: operations.claim_task(db, task=blocker), agent="ada")
        in_threads(
            lambda blocker=blocker: swarm.write(
                lambda db: operations.complete_task(db, task=blocker, summary="Done."), agent="ada"
            ),
            lambda blocker=blocker: create(swarm, depends_on=[blocker]),
        )
    assert problems(address_of(swarm)) == []


def test_the_same_key_at_once_creates_one_task(swarm: Swarm) -> None:
    create(swarm)
    answers = in_threads(*(lambda: create(swarm, key="once") for _ in range(6)))
    assert len(set(answers)) == 1


def test_newcomers_of_one_name_at_once_are_one_agent(swarm: Swarm) -> None:
    answers = in_threads(*(lambda: swarm.write(lambda db: db.actor.id, agent="ada") for _ in range(6)))
    assert len(set(answers)) == 1


def test_of_two_first_directors_at_once_one_leads(swarm: Swarm) -> None:
    in_threads(*(lambda name=name: swarm.write(operations.check_inbox, agent=name) for name in ("kim", "lee")))
    with swarm.reading() as db:
        roots = db.execute(text("SELECT count(*) FROM agent WHERE role = 'director' AND superior_id IS NULL")).scalar()
    assert roots == 1


# --- what is run again -----------------------------------------------------------------------------------------------


def test_a_deadlock_is_run_again(address: str, swarm: Swarm) -> None:
    made, met, runs = [create(swarm), create(swarm)], threading.Barrier(2), Counter[int]()

    def crosswise(n: int) -> None:
        def change(db: Transaction) -> None:
            runs[n] += 1
            for k, task in enumerate((made[n], made[1 - n])):
                db.execute(text("UPDATE task SET source = source || 'x' WHERE id = :id"), {"id": task})
                if k == 0 and runs[n] == 1:
                    met.wait()

        swarm.write(change)

    in_threads(lambda: crosswise(0), lambda: crosswise(1))
    assert sum(runs.values()) >= 3
    with swarm.reading() as db:
        assert db.execute(text("SELECT source FROM task")).scalars().all() == ["xx", "xx"]


def test_what_cannot_be_put_into_an_order_is_run_again(address: str, swarm: Swarm) -> None:
    create(swarm)
    runs = 0

    def change(db: Transaction) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            db.execute(text("DO $$ BEGIN RAISE EXCEPTION 'made up' USING ERRCODE = '40001'; END $$"))

    swarm.write(change)
    assert runs == 2


def test_whoever_waits_too_long_for_a_lock_hears_that_the_board_is_busy(address: str, swarm: Swarm) -> None:
    task = create(swarm)
    impatient = Swarm(Database(address, patience=0.2))
    with swarm.writing() as db:
        operations.update_task(db, task=task, title="Mine")
        with pytest.raises(Busy, match="nothing was written"):
            impatient.write(lambda db: operations.update_task(db, task=task, title="No, mine"))
    impatient.close()


# --- a server that goes away -----------------------------------------------------------------------------------------


def test_a_connection_that_is_lost_in_a_transaction_leaves_nothing_and_the_change_is_run_again(
    address: str, swarm: Swarm
) -> None:
    runs = 0

    def change(db: Transaction) -> str:
        nonlocal runs
        runs += 1
        made = operations.create_task(db, title=f"Run {runs}")
        if runs == 1:
            postgres.end_others(address)
            operations.list_tasks(db)
        return made.message

    swarm.write(change, agent="lead")
    titles = swarm.read(lambda db: [line.title for line in operations.list_tasks(db).tasks])
    assert (runs, titles) == (2, ["Run 2"])


def test_without_a_way_to_run_it_again_a_lost_connection_is_told_and_nothing_was_written(
    address: str, swarm: Swarm
) -> None:
    with pytest.raises(Lost) as told, swarm.writing(agent="lead") as db:
        operations.create_task(db, title="Lost")
        postgres.end_others(address)
        operations.list_tasks(db)
    assert (told.value.retryable, told.value.message) == (
        True, "The connection to the database was lost and nothing was written. Call again.",
    )  # fmt: skip
    assert swarm.read(operations.list_tasks).total == 0


def test_a_connection_that_is_lost_before_the_commit_is_no_success(address: str, swarm: Swarm) -> None:
    task = create(swarm)
    with pytest.raises(Unavailable, match="may or may not have been kept"), swarm.writing(agent="lead") as db:
        operations.update_task(db, task=task, title="Lost")
        postgres.end_others(address)
    assert swarm.read(lambda db: tasks.task_row(db, task)).title == "A task"


def test_idle_connections_that_have_died_are_replaced_without_a_word(address: str, swarm: Swarm) -> None:
    create(swarm)
    in_threads(*(lambda: create(swarm) for _ in range(4)))
    postgres.end_others(address)
    create(swarm)
    assert swarm.read(operations.list_tasks).total == 6


def test_a_server_that_is_not_there_is_named_in_no_sentence(tmp_path: Path) -> None:
    gone = f"postgresql://somebody:secret@/board?host={tmp_path}"
    with pytest.raises(Unavailable) as told:
        open_swarm(gone)
    assert told.value.message.startswith("The board's database cannot be reached; nothing was written.")
    assert "secret" not in str(told.value.__cause__)


def test_a_database_that_does_not_exist_is_said_in_our_words() -> None:
    with pytest.raises(Unavailable, match="does not let swarm-mcp in") as told:
        open_swarm(postgres.address_of("nowhere"))
    assert "nowhere" not in told.value.message


# --- which servers and databases -------------------------------------------------------------------------------------


def test_a_board_that_a_newer_program_has_migrated_is_refused_at_once(address: str, swarm: Swarm) -> None:
    create(swarm)
    with postgres.looking_at_server(address) as own:
        own.execute("UPDATE alembic_version SET version_num = '9999'")
    for ask in (lambda: create(swarm), lambda: open_swarm(address), lambda: swarm.read(lambda db: db.now)):
        with pytest.raises(Unavailable, match="newer swarm-mcp"):
            ask()


@pytest.mark.parametrize(
    "made", ["CREATE TABLE project (id int)", "CREATE TABLE alembic_version AS SELECT 'ab12' AS version_num"]
)
def test_the_database_of_another_program_is_left_alone(made: str) -> None:
    with postgres.new_database() as address:
        with postgres.looking_at_server(address) as own:
            own.execute(made)
        with pytest.raises(Unavailable, match="not a board of swarm-mcp"):
            open_swarm(address)


@contextmanager
def server_with(setting: str) -> Iterator[str]:
    """A server of its own, with a setting; the address of its first database."""
    if not postgres.is_ours():
        pytest.skip("only a server that the tests start themselves is set up otherwise")
    with postgres.another_server(setting) as address:
        yield address


@pytest.mark.parametrize("setting", ["fsync = off", "full_page_writes = off"])
def test_a_server_that_may_lose_what_it_acknowledged_is_refused(setting: str) -> None:
    with server_with(setting) as address:
        with pytest.raises(Unavailable, match="fsync or full_page_writes off"):
            open_swarm(address)
        with postgres.looking_at_server(address) as own:
            assert own.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_what_was_acknowledged_is_there_when_the_server_comes_back_from_a_crash() -> None:
    if not postgres.is_ours():
        pytest.skip("the server is not ours to let crash")
    with postgres.crashing_server() as (address, crash), closing(open_swarm(address)) as swarm:
        made: list[str] = []
        enough, over = threading.Event(), threading.Event()

        def write() -> None:
            while not over.is_set():
                with suppress(Busy, Unavailable):  # the server is not back yet, or nobody knows
                    made.append(create(swarm))
                if len(made) >= 40:
                    enough.set()

        writers = [threading.Thread(target=write) for _ in range(4)]
        for each in writers:
            each.start()
        assert enough.wait(GIVE_UP_SECONDS)
        crash()
        over.set()
        for each in writers:
            each.join()
        made.append(create(swarm))
        kept = swarm.read(lambda db: db.execute(text("SELECT id FROM task")).scalars().all())
        assert set(made) <= set(kept)
        assert problems(address) == []


def test_commits_are_waited_for_even_where_the_server_is_told_not_to(address: str) -> None:
    with postgres.looking_at_server(address) as own:
        (name,) = own.execute("SELECT current_database()").fetchone()
        own.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with closing(Database(address)) as board, board.writing() as db:
        assert db.execute(text("SHOW synchronous_commit")).scalar() == "on"


def test_the_time_is_the_databases(address: str) -> None:
    with closing(Database(address)) as board, board.writing() as db:
        assert db.execute(text("SELECT now()")).scalar() == db.now
        assert db.now.utcoffset().total_seconds() == 0  # type: ignore[union-attr]


# --- addresses, texts, and the driver --------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgres", "POSTGRESQL"])
def test_every_usual_form_of_an_address_is_understood(address: str, scheme: str) -> None:
    given = f"{scheme}://{address.split('://')[1]}"
    assert is_address(given)
    assert address_for_driver(given) == address
    with closing(Database(given)) as board:
        assert board.revision() == migrate.HEAD


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://ada:se:cr@et@db/board", "postgresql://ada:***@db/board"),
        ("postgresql://ada@db/board?password=secret&sslmode=require", "postgresql://ada@db/board?password=***&sslmode=require"),
        ("postgresql://ada@db/board", "postgresql://ada@db/board"),
        ("/home/ada/a:b@c/swarm.db", "/home/ada/a:b@c/swarm.db"),
    ],
)  # fmt: skip
def test_a_password_is_never_shown(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_without_the_driver_one_sentence_says_what_to_install() -> None:
    script = """
import sys
sys.modules["psycopg"] = None
from swarm_mcp.repository.database import Database
try:
    Database("postgresql://ada:secret@db/board")
except Exception as error:
    print(type(error).__name__, error)
"""
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert (told.stdout.strip(), told.stderr) == (f"Unavailable {INSTALL}", "")


def test_a_board_in_a_file_imports_nothing_of_servers(tmp_path: Path) -> None:
    script = """
import sys
from swarm_mcp import open_swarm, operations
swarm = open_swarm(sys.argv[1])
swarm.write(lambda db: operations.create_task(db, title="One"))
print(sorted(name for name in sys.modules if name.startswith(("psycopg", "sqlalchemy.dialects.postgresql"))))
"""
    open_swarm(tmp_path / "swarm.db").close()  # migrations name both databases, and are run once
    words = [sys.executable, "-c", script, str(tmp_path / "swarm.db")]
    assert subprocess.run(words, check=True, capture_output=True, text=True).stdout == "[]\n"


def test_a_text_that_the_database_cannot_keep_is_refused_in_our_words(swarm: Swarm) -> None:
    for said in ({"description": "a\0b"}, {"tags": ["a\0b"]}):
        with pytest.raises(Invalid, match="NUL"):
            create(swarm, **said)
    assert swarm.read(operations.list_tasks).total == 0


def test_a_statement_that_is_wrong_is_a_bug_and_no_refusal(swarm: Swarm) -> None:
    with pytest.raises(Exception, match="nonsense") as told:
        swarm.write(lambda db: db.execute(text("SELECT nonsense")))
    assert not isinstance(told.value, Refusal)


def test_going_on_after_a_failed_statement_commits_nothing(swarm: Swarm) -> None:
    task = create(swarm)
    with pytest.raises(RuntimeError, match="somebody went on"), swarm.writing(agent="lead") as db:
        operations.update_task(db, task=task, title="Lost")
        with pytest.raises(Exception, match="nonsense"):
            db.execute(text("SELECT nonsense"))
    assert swarm.read(lambda db: tasks.task_row(db, task)).title == "A task"


def test_a_read_can_change_nothing(swarm: Swarm) -> None:
    with pytest.raises(Exception, match="read-only"), swarm.reading() as db:
        db.execute(text("DELETE FROM event"))


# --- the order of events ---------------------------------------------------------------------------------------------


def seen(swarm: Swarm, last: tuple[int, int]) -> tuple[list[str], tuple[int, int]]:
    """The kinds of the events after the last, and which was the last then."""
    found = swarm.read(lambda db: events.events_after(db, last, limit=1000))
    return [each.kind for each in found], events.place_in_order(found[-1]) if found else last


def seen_up_to(swarm: Swarm, kind: str, last: tuple[int, int]) -> tuple[list[str], tuple[int, int]]:
    """The same, read on until one of a kind came: transactions of other tests on the server hold events up."""
    kinds: list[str] = []
    until = time.monotonic() + GIVE_UP_SECONDS
    while kind not in kinds and time.monotonic() < until:
        more, last = seen(swarm, last)
        kinds += more
        time.sleep(0.01)
    return kinds, last


def test_an_event_that_was_numbered_early_and_committed_late_is_not_missed(swarm: Swarm) -> None:
    create(swarm)
    _, last = seen_up_to(swarm, "created", (0, 0))
    with swarm.writing(agent="lead") as slow:
        operations.create_task(slow, title="Slow")
        for kind in ("quick", "quicker"):
            swarm.write(lambda db, kind=kind: events.insert_event(db, kind, None, None, None, {}))
        early, last = seen(swarm, last)
        assert early == [], "they began after a transaction that is not over"
    kinds, last = seen_up_to(swarm, "quicker", last)
    assert kinds == ["created", "quick", "quicker"]
    assert seen(swarm, last) == ([], last)


def test_what_is_tailed_while_many_write_is_everything_once(address: str, swarm: Swarm) -> None:
    create(swarm)
    done = threading.Event()
    read: list[Any] = []

    def tail() -> None:
        last = (0, 0)
        while True:
            over = done.is_set()
            found = swarm.read(lambda db, last=last: events.events_after(db, last, limit=7))
            read.extend(each.seq for each in found)
            last = events.place_in_order(found[-1]) if found else last
            if over and len(read) >= written():
                return

    def written() -> int:
        return swarm.read(lambda db: db.execute(text("SELECT count(*) FROM event")).scalar())

    def write() -> None:
        for _ in range(15):
            create(swarm)

    reader = threading.Thread(target=tail)
    reader.start()
    in_threads(*(write for _ in range(4)))
    done.set()
    reader.join()
    with swarm.reading() as db:
        assert sorted(read) == db.execute(text("SELECT seq FROM event ORDER BY seq")).scalars().all()


def address_of(swarm: Swarm) -> str:
    return str(postgres.place_of(swarm.database))


# --- hints ------------------------------------------------------------------------------------------------------------


def test_whoever_waits_no_longer_listens_no_longer(address: str, swarm: Swarm) -> None:
    """Hints that nobody reads fill a buffer, and then the server waits for us: to drop a database, say."""
    listening = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE :asked")

    def heard() -> int:
        with swarm.reading() as db:
            return db.execute(listening, {"asked": "SELECT pg_snapshot_xmin%"}).scalar_one()

    async def wait_a_little() -> int:
        notices = Notices(swarm.database.changes)
        swarm.database.changes.open()
        with notices.listening() as event:
            await event.wait()
            return heard()

    assert asyncio.run(wait_a_little()) == 1
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while heard() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert heard() == 0
