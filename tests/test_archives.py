"""Finished work is put away, written out, and comes back; what an archive from elsewhere may try is refused."""

from __future__ import annotations

import gzip
import io
import tarfile
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from recount import problems

from swarm_mcp import operations
from swarm_mcp.interchange import archives
from swarm_mcp.interchange.archives import archive
from swarm_mcp.interchange.exporting import Wanted, export
from swarm_mcp.interchange.swarm_import import import_board, import_stream
from swarm_mcp.model.errors import Invalid, NotAllowed, NotFound, Refusal
from swarm_mcp.operations.archiving import archive_finished
from swarm_mcp.operations.swarm import Swarm, open_swarm
from swarm_mcp.repository import graph

if TYPE_CHECKING:
    from pathlib import Path

    from board import Board
    from conftest import Clock

    from swarm_mcp.interchange.imported import Imported


def brought_back(swarm: Swarm, path: Path) -> Imported:
    return import_stream(swarm, lambda: archives.opened(path), path.name)


def listed(swarm: Swarm) -> set[str]:
    with swarm.reading() as db:
        return {each.title for each in operations.list_tasks(db).tasks}


def test_finished_work_is_archived_with_all_that_is_below_it_and_comes_back_from_its_file(
    board: Board, tmp_path: Path, clock: Clock
) -> None:
    done = board.create("Done")
    part = board.create("Part", parent=done, criteria=["It works"])
    going = board.create("Going on")
    small = board.create("A finished part of what goes on", parent=going)
    failed = board.create("Failed, and waited for")
    board.create("Waits", depends_on=[failed])
    board.create("Waits for what is done", depends_on=[done])
    board.finish("ada", part, evidence={"1": "seen"})
    board.finish("ada", done)
    board.finish("bob", small)
    board.complete("bob", failed, outcome="failed", attempt=board.claim("bob", failed).attempt)
    assert archive(board.swarm, older_than=timedelta(days=1), folder=tmp_path).tasks == 0
    board.clock.advance(days=2)
    late = board.create("Done just now")
    board.finish("ada", late)
    put_away = archive(board.swarm, older_than=timedelta(days=1), folder=tmp_path)
    assert (put_away.tasks, sorted(put_away.topmost)) == (3, sorted([done, small]))
    time = f"{board.clock.now:%Y%m%dT%H%M%SZ}"
    assert sorted(put_away.files) == sorted(each.name for each in tmp_path.glob("*.tar.gz"))
    assert set(put_away.files) == {f"task_{done}_{time}.tar.gz", f"task_{small}_{time}.tar.gz"}
    assert listed(board.swarm) == {"Going on", "Failed, and waited for", "Waits", "Waits for what is done",
                                   "Done just now"}  # fmt: skip
    with tarfile.open(tmp_path / f"task_{done}_{time}.tar.gz") as written:  # by somebody else's reader
        assert written.getnames() == [archives.MEMBER]
    assert brought_back(board.swarm, tmp_path / f"task_{done}_{time}.tar.gz").already == 2
    swarm = open_swarm(tmp_path / "another.db", clock=board.clock)
    report = brought_back(swarm, tmp_path / f"task_{done}_{time}.tar.gz")
    assert (report.created, report.dangling, report.statuses) == (2, [], {"completed": 2})
    assert listed(swarm) == set(), "it is archived there too"
    with swarm.writing() as db:
        operations.update_task(db, task=done, action="unarchive")
    assert listed(swarm) == {"Done"}
    report = brought_back(swarm, tmp_path / f"task_{small}_{time}.tar.gz")
    assert report.dangling == [f"{small}: it was a part of {going}, which is not there; it stands by itself now."]
    assert problems(tmp_path / "another.db") == []
    swarm.close()


def test_edges_between_archives_come_with_the_later_one(board: Board, tmp_path: Path) -> None:
    first = board.create("First")
    second = board.create("Second", depends_on=[first])
    third = board.create("Third", depends_on=[second, f"related:{first}"])
    for task in (first, second, third):
        board.finish("ada", task)
    board.clock.advance(days=2)
    assert archive(board.swarm, older_than=timedelta(days=1), folder=tmp_path).tasks == 3
    files = {task: next(tmp_path.glob(f"task_{task}_*")) for task in (first, second, third)}
    with closing(open_swarm(tmp_path / "another.db", clock=board.clock)) as swarm:
        reports = [brought_back(swarm, files[task]) for task in (third, first, second)]
        assert [report.edges for report in reports] == [{}, {"related": 1}, {"blocks": 2}]
        named = ", ".join(sorted([first, second]))
        assert reports[0].dangling == [f"{third}: it named {named}, not there; that was left out."]
        assert brought_back(swarm, files[third]).edges == {}, "once is enough"
        with swarm.reading() as db:
            found = {(each.task_id, each.type, each.depends_on_id) for each in graph.edges_of(db, third)}
            assert found == {(third, "blocks", second), (third, "related", first)}
            assert [each.depends_on_id for each in graph.edges_of(db, second)] == [first]
    assert problems(tmp_path / "another.db") == []


def test_an_edge_that_was_dropped_since_stays_away_and_a_ledger_written_by_hand_does_no_harm(
    board: Board, tmp_path: Path
) -> None:
    first = board.create("First")
    second = board.create("Second", depends_on=[first])
    files = {each: tmp_path / f"{each}.jsonl" for each in (first, second)}
    for task, path in files.items():
        export(board.swarm, "swarm", path, Wanted(task))
    with closing(open_swarm(tmp_path / "another.db", clock=board.clock)) as swarm:
        assert import_board(swarm, files[second]).dangling != []
        assert import_board(swarm, files[first]).edges == {"blocks": 1}
        with swarm.writing() as db:
            operations.update_task(db, task=second, drop_depends_on=[first])
        export(swarm, "swarm", tmp_path / "whole.jsonl", Wanted())
    text = (tmp_path / "whole.jsonl").read_text(encoding="utf-8")
    spoilt = text.replace(f'"dropped":["blocks:{first}"]', f'"dropped":["foo:{first}",1]', 1)
    assert spoilt != text
    for name, words in (("third", text), ("fourth", spoilt)):
        (tmp_path / "whole.jsonl").write_text(words, encoding="utf-8")
        with closing(open_swarm(tmp_path / f"{name}.db", clock=board.clock)) as swarm:
            with swarm.writing() as db:
                operations.create_task(db, title="Something else")
            assert import_board(swarm, tmp_path / "whole.jsonl").edges == {}
            with swarm.reading() as db:
                assert graph.edges_of(db, second) == []


def test_what_cannot_be_written_is_not_archived(board: Board, tmp_path: Path) -> None:
    task = board.create()
    board.finish("ada", task)
    with pytest.raises(NotFound, match="There is no folder in which `deeper` could be"):
        archive(board.swarm, older_than=timedelta(0), folder=tmp_path / "nowhere" / "deeper")
    (tmp_path / f"task_{task}_{board.clock.now:%Y%m%dT%H%M%SZ}.tar.gz").write_text("mine")
    with pytest.raises(Refusal, match="Nothing was archived: its file cannot be written"):
        archive(board.swarm, older_than=timedelta(0), folder=tmp_path)
    assert [each.read_text() for each in tmp_path.glob("*.tar.gz")] == ["mine"]
    assert listed(board.swarm) == {"A task"}
    with pytest.raises(NotAllowed), board.swarm.writing(agent="lead") as db:
        archive_finished(db, older_than=timedelta(0))
    archive(board.swarm, older_than=timedelta(0), folder=tmp_path / "made")
    assert len(list((tmp_path / "made").iterdir())) == 1


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as made:
        for about, data in members:
            about.size = len(data)
            made.addfile(about, io.BytesIO(data))
    return target.getvalue()


def member(name: str = archives.MEMBER, data: bytes = b"{}\n", **said: object) -> tuple[tarfile.TarInfo, bytes]:
    about = tarfile.TarInfo(name)
    for key, value in said.items():
        setattr(about, key, value)
    return about, data


def test_an_archive_that_tries_something_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swarm = open_swarm(tmp_path / "board.db")
    whole = packed(member(data=b"x" * 4000))
    bomb = member("filler", b"\0" * 3_000_000)
    bad: dict[str, bytes] = {
        "something else than plain files": packed(member("../swarm.jsonl")),
        "than plain files of its own": packed(member("/tmp/swarm.jsonl")),
        "else than plain files of": packed(member(type=tarfile.SYMTYPE, linkname="/etc/passwd", data=b"")),
        "something else than plain": packed(member(type=tarfile.LNKTYPE, linkname="other", data=b"")),
        "something else": packed(member("device", type=tarfile.CHRTYPE, data=b"")),
        "holds something": packed(member("swarm.jsonl", pax_headers={"path": "../x"})),
        "there is no `swarm.jsonl` in it": packed(member("other.txt")),
        "holds more than 16 files": packed(*(member(f"{n}") for n in range(20))),
        "unpacks to more than": packed(bomb),
        "is damaged": whole[: len(whole) // 2],
        "damaged, or no tar.gz": b"plain text",
        "or no tar.gz at all": gzip.compress(b"no tar" * 200),
        "first line is not the header": packed(member()),
        "is empty": packed(member(data=b"")),
    }
    monkeypatch.setattr(archives, "SIZE_LIMIT", 2_000_000)
    path = tmp_path / "task_abcdefgh_1.tar.gz"
    for sentence, data in bad.items():
        path.write_bytes(data)
        with pytest.raises(Invalid, match=sentence) as refused:
            brought_back(swarm, path)
        assert "\n" not in refused.value.message
    assert sorted(each.name for each in tmp_path.iterdir() if not each.name.startswith("board.db")) == [path.name]
    swarm.close()
