"""Tickets: both dialects are read with everything that they say, and a folder is no way into or out of anything."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from swarm_mcp.interchange.foreign import source_folder
from swarm_mcp.interchange.foreign.tickets import read
from swarm_mcp.model.errors import Invalid, NotFound, Refusal
from swarm_mcp.model.task import EdgeType

if TYPE_CHECKING:
    from swarm_mcp.interchange.foreign.document import PlanDocument, PlanItem

DATA = Path(__file__).parent / "data"
OMOIOS = DATA / "tickets"
DIRECTOR = DATA / "tickets-swarmdirector"
BERLIN = ZoneInfo("Europe/Berlin")
HOURS = {"S": 1, "M": 3, "L": 6}
NO_YAML = "The front matter of `t.md` is no plain YAML: line 2: "
FIELD = "`t.md`, front matter: "
SECOND = "who names T-1 means that one, and this one goes by its file as well."
OUT = "is a link that leads out of the folder or nowhere, and was not followed."


def fields(text: str) -> dict[str, str | list[str]]:
    """The front matter of a sample, read line by line: what the samples need of YAML, and no more."""
    found: dict[str, str | list[str]] = {}
    above = ""
    for line in text.split("---\n")[1].splitlines():
        entry = re.fullmatch(r"\s+- (.*)", line)
        pair = re.fullmatch(r"(\s*)([a-z_]+):\s*(.*)", line)
        if entry:
            found[above] = [*found.get(above, []), entry[1]]
        elif pair and pair[3].startswith("["):
            found[pair[2]] = [each.strip() for each in pair[3].strip("[]").split(",") if each.strip()]
        elif pair and pair[3]:
            found[pair[2]] = pair[3]
        elif pair:
            above = pair[2]
    return found


def boxes(text: str) -> int:
    """How many boxes stand under a heading of criteria: by splitting at headings, code cut out beforehand."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    parts = re.split(r"^(#+) (.*)$", prose, flags=re.MULTILINE)
    count = level = 0
    for marks, title, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if not level or len(marks) <= level:
            level = len(marks) if "Criteria" in title else 0
        count += len(re.findall(r"^ *- \[[ x]\]", body, flags=re.MULTILINE)) if level else 0
    return count


def samples(folder: Path) -> dict[str, str]:
    """The texts of a folder's files by what they are called."""
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.rglob("*.md")}


def edges(told: dict[str, dict[str, str | list[str]]]) -> set[tuple[str, str]]:
    """Who waits for whom, said by either."""
    before = {
        (name, each) for name, one in told.items() for key in ("depends_on", "blocked_by") for each in one.get(key, [])
    }
    return before | {(each, name) for name, one in told.items() for each in one["blocks"]}


def by_ref(document: PlanDocument) -> dict[str, PlanItem]:
    return {item.ref: item for item in document.items}


def said(document: PlanDocument) -> str:
    return "\n".join([*document.guessed, *document.skipped, *document.renamed])


def test_the_tickets_of_omoios_are_read_with_every_edge_once() -> None:
    texts = samples(OMOIOS)
    told = {name: fields(text) for name, text in texts.items()}
    waits = edges(told)
    named = sum(len(said.get(key, [])) for said in told.values() for key in ("depends_on", "blocked_by", "blocks"))
    document = read(OMOIOS, UTC)
    items = by_ref(document)
    assert items.keys() == told.keys()
    assert {(ref, each) for ref, item in items.items() for each in item.depends_on} == waits
    assert sum(len(item.depends_on) for item in items.values()) == len(waits) < named
    assert {ref: item.parent for ref, item in items.items()} == {
        name: said.get("parent_ticket", "") for name, said in told.items()
    }
    for name, item in items.items():
        assert item.title == told[name]["title"]
        assert item.source_status == told[name]["status"]
        assert item.status == "pending"
        assert item.priority == str(told[name].get("priority", "medium")).lower()
        assert item.estimated_hours == HOURS[str(told[name]["estimate"])]
        assert item.task_type == told[name].get("type", "")
        assert item.description == texts[name].split("---\n", 2)[2].strip("\n")
        assert len(item.criteria) == boxes(texts[name]) > 0
        context = {each.key: each.value for each in item.context}
        assert context.get("requirements", []) == told[name].get("requirements", [])
        assert context.get("design", "") == told[name].get("design_ref", "")
    refs = list(items)
    assert all(refs.index(item.parent) < refs.index(item.ref) for item in items.values() if item.parent)
    assert document.dangling == ()
    assert [sentence for sentence in document.guessed if "Sizes were read" in sentence]


def test_the_tickets_of_swarmdirector_are_relative_and_say_that_their_text_is_garbled() -> None:
    texts = samples(DIRECTOR)
    document = read(DIRECTOR, BERLIN)
    items = by_ref(document)
    assert list(items) == ["task_001", "task_001/subtask_003"]
    task, part = items.values()
    told = fields(texts["subtask_003"])
    assert (part.parent, part.title, part.source_status, part.status) == (
        "task_001",
        told["title"],
        "done",
        "completed",
    )
    assert document.dangling == (("task_001/subtask_003", "task_001/subtask_002"),)
    assert part.created_at == datetime(2025, 6, 9, 22, tzinfo=UTC)  # midnight in Berlin
    assert part.completed_at == datetime(2025, 6, 10, 22, tzinfo=UTC)  # which only the text says
    assert [len(each.criteria) for each in (task, part)] == [boxes(texts["task_001"]), boxes(texts["subtask_003"])]
    garbled = [sentence for sentence in document.guessed if "wrong code page" in sentence]
    assert len(garbled) == len(texts)
    assert "Dates without a time were taken as whole days in Europe/Berlin (5)." in said(document)


def test_one_ticket_alone_stands_by_itself() -> None:
    document = read(DIRECTOR / "subtask_003.md", UTC)
    assert [(item.ref, item.parent) for item in document.items] == [("task_001/subtask_003", "")]
    assert "its parent task_001 is not there" in said(document)


TICKETS = {
    "a/one.md": """---
id: T-1
Title: "Dig: the\\n  hole"
status: Blocked
Priority: urgent
estimate: 1h 30m
assigned_to: Ada
labels: [garden, "soil, wet"]
phase: 2
due: 2026-03-01
created: 2026-01-01 08:30
updated: 2026-01-01T08:30:00+02:00
complexity: 7
colour: brown
dependencies:
  enables: T-2
  upsets: [T-3]
criteria:
  - criterion: It is deep
    measurable: depth > 2
  - Nobody fell in
---
Some words.

```markdown
## Acceptance
- [ ] not a criterion
```
## Definition of Done ##
* [x] The edge is
    clean
- [ ] Nobody fell in
### Later
1. [X] It is dry
## Steps
- [ ] Take a spade
""",
    "a/two.markdown": """---
id: T-2
status: deferred
depends_on: "T-1, T-9"
blocks: [[T-3]]
related: [T-1, T-1]
parent: T-2
estimate: 2-4d
actual: 45m
tags: heavy, wet
---
# T-2: Fill it in

Earth.
""",
    "b/three.md": """---
title: Water it
status: weighing
blocked_by:
  - T-2: because of the earth
  - id: T-1
  - T-3
created: yesterday
estimate: soon
phase: 11
parent_ticket: T-1
---
""",
    "b/four.md": "---\nid: T-4\nstatus: open\nparent: T-5\nestimate: 5\n---\n",
    "b/five.md": "---\nid: T-5\nstatus: tombstone\nparent: T-4\nestimate: XL\ndependencies: [T-4]\n---\n",
    "b/six.md": "---\nid: T-1\ntitle: Another with the same id\nstatus: done\n---\n",
    "b/copy of five.md": "---\nid: T-5\nstatus: tombstone\nparent: T-4\nestimate: XL\ndependencies: [T-4]\n---\n",
    "README.md": "# No ticket\n",
    "notes.md": "---\ntitle: Notes\n---\n",
    "empty.md": "",
    "picture.png": "no text of anybody",
    ".git/old.md": "---\nid: T-8\nstatus: open\n---\n",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_whatever_a_ticket_calls_it_is_understood_and_what_is_doubtful_is_reported(tmp_path: Path) -> None:
    document = read(write(tmp_path / "plan", TICKETS), BERLIN)
    items = by_ref(document)
    assert list(items) == ["T-1", "three", "T-2", "T-5", "T-4", "T-1 (b/six.md)"]
    one, three, two, five, four, six = items.values()
    assert (one.title, one.status, one.hold, one.priority, one.assignee) == (
        "Dig: the hole", "blocked", "", "medium", "Ada",
    )  # fmt: skip
    assert (one.tags, one.phase, one.complexity) == (("garden", "soil, wet"), 2, "high")
    assert one.estimated_hours == Decimal("1.5")
    assert one.deadline == datetime(2026, 3, 1, 22, 59, 59, 999999, tzinfo=UTC)
    assert (one.created_at, one.updated_at) == (
        datetime(2026, 1, 1, 7, 30, tzinfo=UTC), datetime(2026, 1, 1, 6, 30, tzinfo=UTC),
    )  # fmt: skip
    assert [(each.text, each.measurable) for each in one.criteria] == [
        ("It is deep", "depth > 2"), ("Nobody fell in", ""), ("The edge is clean", ""), ("It is dry", ""),
    ]  # fmt: skip
    assert one.relations == ((EdgeType.ENABLES, "T-2"),)
    assert one.description.startswith("Some words.")
    assert (two.title, two.status, two.hold, two.parent) == ("Fill it in", "blocked", "deferred", "")
    assert (two.depends_on, two.relations) == (("T-1",), ((EdgeType.RELATED, "T-1"),))
    assert (two.estimated_hours, two.actual_hours, two.tags) == (Decimal(24), Decimal("0.75"), ("heavy", "wet"))
    assert (three.title, three.status, three.parent, three.depends_on) == ("Water it", "pending", "T-1", ("T-2",))
    assert (three.estimated_hours, three.created_at, three.phase) == (None, None, 0)
    assert (five.parent, five.archived, five.estimated_hours, five.depends_on) == ("", True, Decimal(12), ())
    assert (four.parent, four.estimated_hours) == ("T-5", Decimal(5))
    assert (six.title, six.status) == ("Another with the same id", "completed")
    assert document.dangling == (("three", "T-3"), ("T-2", "T-9"))
    assert Counter(document.renamed) == {
        f"T-1 (b/six.md): `a/one.md` has the id T-1 too; {SECOND}": 1,
        "T-4: it has no title; it was called `Task T-4`.": 1,
        "T-5: it has no title; it was called `Task T-5`.": 1,
    }
    assert Counter(document.guessed) == Counter([
        "`b/three.md` says no id; it goes by its name.",
        "T-1: its priority `urgent` is unknown and was taken as medium.",
        "T-1: 2 of its boxes are ticked there; here every criterion is open until it has evidence.",
        "T-2: it has no title; its first heading was taken.",
        "three: its status `weighing` is unknown and was taken as pending.",
        "three: its phase `11` is none from 1 to 10 and was left out.",
        "three: its `estimate` `soon` is no effort and was left out.",
        "three: its `created` `yesterday` is no time and was left out.",
        "1 time without an offset was taken as Europe/Berlin.",
        "Dates without a time were taken as whole days in Europe/Berlin (1).",
        "Sizes were read as hours: XS 0.5, S 1, M 3, L 6, XL 12, XXL 24.",
        "Of efforts from one figure to another the middle was taken.",
        "Efforts without a unit were taken as hours.",
        "Boxes that stand under no heading of acceptance stayed text (1).",
        "Complexity scores were read as low up to 3, medium up to 6, high up to 8, very_high above.",
    ])  # fmt: skip
    assert Counter(document.skipped) == Counter([
        "`.git` is a hidden folder and was left out.",
        "`README.md` has no front matter and was left out: it is no ticket.",
        "`empty.md` is empty and was left out: it is no ticket.",
        "`notes.md` says neither an id nor a status and was left out: it is no ticket.",
        "`b/five.md` says the same as `b/copy of five.md`, word for word, and was left out.",
        "T-1: `dependencies.upsets` is no kind of dependency; that was left out.",
        "T-2: `blocks` names T-3, which is not there; that was left out.",
        "T-2: its parent T-2 is a part of it; it stands by itself.",
        "T-5: its parent T-4 is a part of it; it stands by itself.",
        "three: `depends_on` names T-1, with which it forms one tree; that was left out.",
        "T-5: `depends_on` names T-4, with which it forms one tree; that was left out.",
        "Fields without a place here are kept in the tickets' records alone: `colour`.",
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "`t.md` is empty."),
        (b"# No front matter\n", "`t.md` holds no ticket: no Markdown with an `id` or a `status` in a front matter."),
        (b"---\nid: T-1\n", "`t.md` begins with a line of dashes, and no other one ends its front matter."),
        (b"---\nid: \xff\n---\n", "`t.md` is not text in UTF-8: byte 9 belongs to no character."),
        (b"\x89PNG\r\n\x1a\n\x00", "`t.md` is not text in UTF-8: byte 1 belongs to no character."),
        (b"---\n- id\n---\n", "The front matter of `t.md` is no list of fields such as `id: TSK-001`."),
        (b"---\ntitle: Fix: it\n---\n", f"{NO_YAML}mapping values are not allowed here."),
        (b"---\nid: !!python/object/apply:os.system [ls]\n---\n", f"{NO_YAML}tags are not understood."),
        (b"---\nid: &a [x]\nb: [*a, *a]\n---\n", f"{NO_YAML}anchors and aliases are not followed."),
        (b"---\nid: " + b"[" * 50_000 + b"\n---\n", f"{NO_YAML}lists are nested too deeply."),
        (b"---\nid: 1\nid: 2\n---\n", f"{NO_YAML}a key stands twice in one map, or is no text."),
        (b"---\nid: \x01\n---\n", "The front matter of `t.md` holds characters that YAML forbids."),
        (b"---\nid: " + b"x" * 70_000 + b"\n---", "`t.md` has a front matter of more than 64 KiB, which is too much."),
        (b"---\nid: " + b"x" * 200 + b"\n---", f"{FIELD}`id` has 200 characters; it should have at most 100."),
        (b"---\nid: {a: b}\n---\n", f"{FIELD}`id` is not text."),
        (b"---\nid: 1\ndependencies: [{a: 1, b: 2}]\n---\n", f"{FIELD}`depends_on` names something that is no id."),
        (b"---\nid: 1\ncriteria: [[a]]\n---\n", f"{FIELD}`criteria` holds something that is not text."),
    ],
)  # fmt: skip
def test_a_broken_ticket_is_one_sentence(tmp_path: Path, text: bytes, sentence: str) -> None:
    (tmp_path / "t.md").write_bytes(text)
    with pytest.raises(Invalid) as refused:
        read(tmp_path / "t.md", UTC)
    assert refused.value.message == sentence


def test_texts_stay_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "007.md"
    path.write_bytes(b'\xef\xbb\xbf---\r\nid: 007\r\nstatus: no\r\ntitle: "\\0 1e3"\r\nx: ~\r\n---\r\nA\x00B\r\n')
    item = read(path, UTC).items[0]
    assert (item.ref, item.source_status, item.title, item.description) == ("007", "no", "\ufffd 1e3", "A\ufffdB")
    assert item.raw["front_matter"] == {"id": "007", "status": "no", "title": "\ufffd 1e3", "x": None}


def ticket(n: int) -> str:
    return f"---\nid: T-{n}\nstatus: open\ntitle: Ticket {n}\n---\n"


def test_links_are_followed_only_inside_and_a_file_counts_once(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"secret.md": ticket(9), "more/secret.md": ticket(8)})
    folder = write(tmp_path / "plan", {"T-2.md": ticket(2), "T-10.md": ticket(10), "sub/kept.txt": ticket(3)})
    (folder / "again.md").symlink_to("T-2.md")
    (folder / "hard.md").hardlink_to(folder / "T-10.md")
    (folder / "inside.md").symlink_to("sub/kept.txt")
    (folder / "out.md").symlink_to(outside / "secret.md")
    (folder / "nowhere.md").symlink_to("gone.md")
    (folder / "circle.md").symlink_to("circle.md")
    (folder / "more").symlink_to(outside / "more", target_is_directory=True)
    (folder / "sub" / "round").symlink_to(folder, target_is_directory=True)
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    document = read(tmp_path / "link", UTC)
    assert [item.ref for item in document.items] == ["T-10", "T-3", "T-2"]
    assert document.name == "plan"
    assert Counter(document.skipped) == Counter([
        "`T-10.md` is another name of `hard.md` and was left out.",
        "`again.md` is another name of `T-2.md` and was left out.",
        *(f"`{name}.md` {OUT}" for name in ("circle", "nowhere", "out")),
        *(f"`{name}` is a link to a folder and was not followed." for name in ("more", "sub/round")),
    ])  # fmt: skip


def test_a_folder_that_is_too_much_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "plan", {f"{n}/T.md": ticket(n) for n in range(4)})
    for limit, what in (
        ("FILES_LIMIT", "3 such files"),
        ("ENTRIES_LIMIT", "3 files and folders"),
        ("SIZE_LIMIT", "0 MiB"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(source_folder, limit, 3)
            with pytest.raises(Invalid, match=f"`?plan`? .*(?:holds|have) more than {what}"):
                read(folder, UTC)
    (folder / "0" / "T.md").write_bytes(b"---\nid: \xff")
    with pytest.raises(Refusal, match=r"`T\.md` is not text in UTF-8: byte 9 .* \(In the folder `0`\.\)"):
        read(folder, UTC)
    with pytest.raises(Invalid, match="`empty` holds no ticket"):
        read(write(tmp_path / "empty", {"README.md": "x", "x.txt": ticket(1)}), UTC)
    with pytest.raises(NotFound):
        read(tmp_path / "nowhere", UTC)
    with pytest.raises(Invalid):
        read(Path("a\0b"), UTC)


def test_a_chain_of_parents_may_be_long_but_not_endless(tmp_path: Path) -> None:
    chain = {f"{n}.md": f"---\nid: {n}\nstatus: open\nparent: {n - 1}\n---\n" for n in range(1, 110)}
    with pytest.raises(Invalid, match="tickets are nested too deeply"):
        read(write(tmp_path / "deep", chain), UTC)
    document = read(write(tmp_path / "fine", dict(list(chain.items())[:90])), UTC)
    assert [item.parent for item in document.items] == ["", *(str(n) for n in range(1, 90))]
