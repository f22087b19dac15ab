"""What is written for others is read back by a reader of that format, and says the same as the board."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from swarm_mcp.interchange.exporting import Exported, Wanted, export
from swarm_mcp.interchange.foreign import taskmaster
from swarm_mcp.interchange.importing import import_document
from swarm_mcp.interchange.writing import mermaid
from swarm_mcp.interchange.writing.csv import COLUMNS, plain
from swarm_mcp.interchange.writing.markdown import escaped
from swarm_mcp.interchange.writing.taskmaster.words import STATUSES
from swarm_mcp.repository import forest, tasks

if TYPE_CHECKING:
    from board import Board

    from swarm_mcp.interchange.foreign.document import PlanItem

DATA = Path(__file__).parent / "data"
HOSTILE = [
    '=HYPERLINK("http://x","y")', "-1+1", "@all <script>alert(1)</script>", "'quoted'", "end", "1. Dig",
    "[x](y) ![z](w)", "two\nlines\r\nor three", "# No heading",
    '"] --> n1["; %%{init: {}}%% #quot; `code` $$x$$ & | ~~no~~ **no** _no_ __no__',
    "style:#1; classDef x fill:#f00; \\", "<!-- & &amp; &#35; #35;", "- [ ] no box",
]  # fmt: skip
"""Titles that mean something to a spreadsheet, to Markdown, to HTML, to Mermaid."""
FENCE = "# Heading\n\n```python\nfence without an end\n\n<!-- comment without an end"


@pytest.fixture
def plan(board: Board) -> dict[str, str]:
    """A board of four levels with every status, edges in all directions and hostile titles; ids by short names."""
    ids: dict[str, str] = {}

    def add(name: str, parent: str = "", waits: str = "", title: str = "", **said: Any) -> None:
        board.clock.advance(milliseconds=1)
        edges = [f"{kind}:{ids[other]}" if kind else ids[other] for kind, other in map(_edge, waits.split())]
        ids[name] = board.create(title or name, parent=ids.get(parent, ""), depends_on=edges, **said)

    add(
        "a",
        title="A house",
        description=FENCE,
        criteria=["It stands", "It is dry"],
        checks=["rooms > 3"],
        tags=["x, y", "z"],
    )
    add("a1", "a", title="The cellar", estimated_hours=2.5, priority="critical", area="=stone")
    add("a1x", "a1", title="A hole", deadline="2027-01-01")
    add("a1xx", "a1x", title="A spade", assignee="bob")
    add("a1y", "a1", "a1x", title="Walls")
    add(
        "b",
        title="A road",
        description="Short.\n\nLong.\n\nLonger.",
        complexity="high",
        phase=2,
        assignee="specialty:digging",
    )
    add("a2", "a", "a1 b related:b", title="The roof")
    add("c", waits="a enables:b", title="A party")
    add("done", title="Done")
    add("failed", title="Failed")
    add("cancelled", title="Cancelled")
    add("held", title="Held")
    add("review", title="Review", needs_review=True)
    add("partial", title="Partial")
    add("asking", title="Asking")
    add("doing", title="Doing")
    add("away", title="Put away")
    add("kept", "away", title="Below what was put away")
    for n, title in enumerate(HOSTILE):
        add(f"hostile {n}", title=title)
    for name in ("done", "kept", "away", "review"):
        board.finish("ada", ids[name], summary=f"=Made {name}.\n```")
    board.update("lead", ids["away"], action="archive")
    board.update("lead", ids["cancelled"], action="cancel")
    board.update("lead", ids["held"], action="hold", reason="-wait *here*")
    for name in ("failed", "partial", "asking", "doing"):
        board.claim("bob", ids[name])
    for name in ("failed", "partial"):
        board.complete("bob", ids[name], "As far as it went.", outcome=name)
    board.report("bob", ids["asking"], "How?", status="requires_assistance")
    board.report("bob", ids["doing"], "So far.", percent=40)
    return ids


def _edge(words: str) -> tuple[str, str]:
    kind, _, other = words.rpartition(":")
    return kind, other


def written(board: Board, folder: Path, name: str, **wanted: Any) -> tuple[str, Exported]:
    path = folder / f"board {len(list(folder.iterdir()))}"
    told: list[int] = []
    begun: list[int | None] = []
    done = export(board.swarm, name, path, Wanted(**wanted), told=told.append, begun=begun.append)
    assert name == "mermaid" or sum(told) == done.tasks
    assert begun == [None if wanted else sum(told)]
    assert ("1 archived task is left out." in done.message) == (not wanted and is_away(board))
    return path.read_bytes().decode(), done


def is_away(board: Board) -> bool:
    return any(board.swarm.read(lambda db: tasks.tallies(db, archived=True)).values())


def shown(board: Board, ids: dict[str, str]) -> dict[str, Any]:
    """The rows of all tasks that are not archived, by id."""
    rows = board.swarm.read(lambda db: tasks.task_rows(db, ids.values()))
    return {task: row for task, row in rows.items() if row.archived_at is None}


def in_one_line(title: str) -> str:
    return " ".join(title.split())


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip))
def test_no_title_means_anything_to_whoever_reads_it(title: str) -> None:
    inline = MarkdownIt("gfm-like", {"linkify": False}).disable("linkify").parse(f"- **{escaped(title)}** k3x9m2qa")[3]
    assert [each.content for each in inline.children or () if each.content] == [in_one_line(title), " k3x9m2qa"]
    shown = entities(mermaid.label("k3x9m2qa", title))
    assert re.fullmatch(NODE, f'nk3x9m2qa["{mermaid.label("k3x9m2qa", title)}"]')
    assert shown.startswith("k3x9m2qa ")
    file = io.StringIO(newline="")
    csv.writer(file).writerow([plain(title)])
    [[cell]] = csv.reader(io.StringIO(file.getvalue(), newline=""), strict=True)
    assert cell.removeprefix("'") == title
    assert not cell.startswith(tuple("=+-@\t\r\n"))


def test_a_board_as_csv_has_a_row_for_each_task_and_no_formulas(
    board: Board, plan: dict[str, str], tmp_path: Path
) -> None:
    text, done = written(board, tmp_path, "csv")
    assert "\n" in text.replace("\r\n", "")  # lines inside cells are ours, those between rows the standard's
    rows = {row["id"]: row for row in csv.DictReader(text.splitlines(keepends=True), strict=True)}
    board_rows = shown(board, plan)
    assert tuple(next(iter(rows.values()))) == COLUMNS
    assert rows.keys() == board_rows.keys()
    assert done.tasks == len(rows)
    for task, row in rows.items():
        stored = board_rows[task]
        assert not any(cell.startswith(tuple("=+-@")) for cell in row.values())
        plain = {name: cell.removeprefix("'") for name, cell in row.items()}
        for name in ("title", "description", "status", "priority", "complexity", "area"):
            assert plain[name] == getattr(stored, name), name
        assert plain["summary"] == stored.completion_summary
        assert plain["created_at"] == stored.created_at.isoformat()
        assert plain["deadline"] == (stored.deadline.isoformat() if stored.deadline else "")
        assert plain["tags"].splitlines() == stored.tags
    a1, a2, held = rows[plan["a1"]], rows[plan["a2"]], rows[plan["held"]]
    assert (a1["parent"], a1["depth"], a1["estimated_hours"]) == (plan["a"], "1", "2.5")
    assert (set(a2["waits_for"].split()), a2["related_to"]) == ({plan["a1"], plan["b"]}, f"related:{plan['b']}")
    assert (held["hold"], rows[plan["b"]]["assignee"]) == ("'-wait *here*", "specialty:digging")
    assert rows[plan["a"]]["criteria"].splitlines() == ["It stands [open]", "It is dry [open]", "rooms > 3 [open]"]
    assert (rows[plan["doing"]]["holder"], rows[plan["doing"]]["progress"]) == ("bob", "40")
    assert (rows[plan["kept"]]["parent"], rows[plan["kept"]]["depth"]) == ("", "0")


def depth_of(rows: dict[str, Any], task: str) -> int:
    parent = rows[task].parent_id
    return 1 + depth_of(rows, parent) if parent in rows else 0


def test_a_board_as_markdown_is_its_tree_whatever_its_titles_are(
    board: Board, plan: dict[str, str], tmp_path: Path
) -> None:
    text, done = written(board, tmp_path, "markdown")
    tokens = MarkdownIt("gfm-like", {"linkify": False}).disable("linkify").parse(text)
    assert not [each.type for each in tokens if each.type.startswith("html")]
    headings = [tokens[n + 1] for n, each in enumerate(tokens) if each.type == "heading_open" and not each.level]
    assert [each.content for each in headings[:3]] == ["default", "Tasks", "Details"]
    rows = shown(board, plan)
    found: dict[str, tuple[int, str]] = {}
    depth = -1
    for token in tokens[: tokens.index(headings[2])]:
        depth += token.nesting if token.type.startswith("bullet_list") else 0
        if token.type == "inline" and depth >= 0:
            kinds = {each.type for each in token.children or ()}
            assert kinds <= {"text", "strong_open", "strong_close", "s_open", "s_close"}, token.content
            words = "".join(each.content for each in token.children or ())
            line = re.fullmatch(r"\[([ x])\] (.*) ([a-z0-9]{8}) · ([a-z ]+)(?: · .*)?", words)
            assert line is not None, words
            assert line[1] == ("x" if rows[line[3]].status in {"completed", "cancelled"} else " ")
            assert line[4] == rows[line[3]].status.replace("_", " ")
            found[line[3]] = (depth, line[2])
    assert found == {task: (depth_of(rows, task), in_one_line(row.title)) for task, row in rows.items()}
    assert done.tasks == len(found)
    assert f"\n  - [ ] **The roof** {plan['a2']} · blocked · waits for {plan['a1']}, {plan['b']}\n" in text
    assert f"\n      - [ ] **A spade** {plan['a1xx']} · pending · → bob\n" in text
    assert f"\n- [ ] **Held** {plan['held']} · blocked · held: -wait \\*here\\*\n" in text
    assert f"\n- waits for {plan['b']} A road (pending)\n" in text
    sections = {each.content[:8] for each in headings[3:]}
    assert {plan[name] for name in ("a", "b", "a2", "done", "review")} <= sections
    assert plan["hostile 3"] not in sections
    quoted = [line.removeprefix(">").removeprefix(" ") for line in text.splitlines() if line.startswith(">")]
    assert FENCE in "\n".join(quoted)


NODE = r'n([a-z0-9]{8})\["([^"\[\]{}<>`%\n]*)"\]'


def entities(label: str) -> str:
    """A label as Mermaid shows it."""
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label)


def test_a_board_as_a_drawing_has_every_task_and_edge_in_lines_that_mermaid_knows(
    board: Board, plan: dict[str, str], tmp_path: Path
) -> None:
    text, done = written(board, tmp_path, "mermaid")
    first, *lines = text.splitlines()
    assert first == "flowchart TD"
    boxes: list[str] = []
    nodes: dict[str, tuple[str, str]] = {}
    edges: set[tuple[str, str, str]] = set()
    coloured: dict[str, str] = {}
    for line in lines:
        if node := re.fullmatch(rf" +(subgraph )?{NODE}", line):
            nodes[node[2]] = (boxes[-1] if boxes else "", entities(node[3]))
            boxes += [node[2]] if node[1] else []
        elif line.strip() == "end":
            boxes.pop()
        elif edge := re.fullmatch(r"  n([a-z0-9]{8}) (?:-->|-\. ([a-z ]+) \.->) n([a-z0-9]{8})", line):
            edges.add((edge[1], edge[2] or "blocks", edge[3]))
        elif painted := re.fullmatch(r"  class ((?:n[a-z0-9]{8},?)+) ([a-z_]+)", line):
            coloured |= dict.fromkeys(painted[1].replace("n", "", 1).split(",n"), painted[2])
        else:
            assert re.fullmatch(r"  classDef [a-z_]+ fill:#[0-9a-f]{6}", line), line
    assert boxes == []
    rows = shown(board, plan)
    assert nodes.keys() == rows.keys()
    for task, (box, label) in nodes.items():
        title = in_one_line(rows[task].title)
        assert label == f"{task} {title if len(title) <= 60 else title[:59].rstrip() + '…'}"
        assert box == (rows[task].parent_id if rows[task].parent_id in rows else "")
        assert coloured.get(task, "pending") == rows[task].status
    pairs = board.swarm.read(lambda db: forest.edges_of(db, list(rows)))
    assert edges == {(each.depends_on_id, each.type.replace("_", " "), task) for task in pairs for each in pairs[task]}
    assert done.counts == {"dependencies": len(edges), "tasks left out": 0, "dependencies left out": 0}


def test_a_drawing_ends_where_mermaid_would_refuse_it_and_says_so(
    board: Board, plan: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = len(shown(board, plan))
    monkeypatch.setattr(mermaid, "NODES", 7)
    monkeypatch.setattr(mermaid, "EDGES", 2)
    text, done = written(board, tmp_path, "mermaid")
    assert len(re.findall(NODE, text)) == done.tasks == 7
    assert text.count("->") == done.counts["dependencies"] == 2
    left_out = f"Left out: {total - 7} tasks and {done.counts['dependencies left out']} dependencies; "
    assert left_out in done.message
    assert text.endswith(f"  %% {left_out}a smaller part is drawn with --task.\n")
    monkeypatch.setattr(mermaid, "CHARACTERS", 300)
    text, done = written(board, tmp_path, "mermaid")
    assert done.tasks < 7
    assert len(text) < 450


def items_of(path: Path) -> dict[str, PlanItem]:
    return {item.ref: item for item in taskmaster.read(path).items}


def test_a_board_for_taskmaster_has_one_level_of_subtasks_and_every_order_that_was_said(
    board: Board, plan: dict[str, str], tmp_path: Path
) -> None:
    text, done = written(board, tmp_path, "taskmaster")
    document = taskmaster.read(next(iter(tmp_path.iterdir())))
    raw = {item.raw["metadata"]["swarm"]["id"]: item for item in document.items}  # type: ignore[index, call-overload]
    rows = shown(board, plan)
    assert raw.keys() == rows.keys()
    refs = {task: item.ref for task, item in raw.items()}
    for task, item in raw.items():
        row = rows[task]
        assert (item.title, item.description) == (row.title, row.description)
        assert item.priority == row.priority
        assert item.complexity == row.complexity
        assert (item.created_at, item.updated_at) == (row.created_at, row.updated_at)
        assert item.completed_at == row.completed_at
        assert (item.estimated_hours, item.actual_hours) == (row.estimated_hours, row.actual_hours)
        assert list(item.tags) == row.tags
        held = row.status == "blocked" and row.hold_reason
        assert item.source_status == ("deferred" if held else STATUSES[row.status])
        swarm: Any = item.raw["metadata"]
        assert swarm["swarm"]["status"] == row.status
    assert refs[plan["a1"]] == f"{refs[plan['a']]}.1"
    assert {raw[plan[name]].parent for name in ("a1", "a1x", "a1xx", "a1y", "a2")} == {refs[plan["a"]]}
    waits = {name: set(raw[plan[name]].depends_on) for name in ("a1", "a1x", "a1xx", "a1y", "a2", "c")}
    assert waits == {
        "a1": {refs[plan["a1x"]], refs[plan["a1y"]]},
        "a1x": {refs[plan["a1xx"]]},
        "a1xx": set(),
        "a1y": {refs[plan["a1x"]]},
        "a2": {refs[plan["a1"]], refs[plan["b"]]},
        "c": {refs[plan["a"]]},
    }
    assert [each.text for each in raw[plan["a"]].criteria] == ["It stands", "It is dry", "rooms > 3"]
    assert raw[plan["b"]].raw["details"] == "Long.\n\nLonger."
    assert (document.dangling, document.skipped, document.renamed) == ((), (), ())
    assert done.counts == {
        "tasks": sum(row.parent_id not in rows for row in rows.values()), "subtasks": 5, "deeper subtasks": 3,
        "dependencies": sum(map(len, waits.values())), "relations left out": 2,
    }  # fmt: skip
    json.loads(text)


def test_a_plan_from_taskmaster_goes_back_as_it_came(board: Board, tmp_path: Path) -> None:
    source = Path(str(taskmaster.__file__)).parents[1] / "plans" / "newsletter.json"
    import_document(board.swarm, taskmaster.read(source))
    written(board, tmp_path, "taskmaster")
    before, after = items_of(source), items_of(next(iter(tmp_path.iterdir())))
    assert before.keys() == after.keys()
    for ref, item in before.items():
        there = after[ref]
        for name in ("title", "description", "parent", "priority", "complexity", "criteria", "tags"):
            assert getattr(there, name) == getattr(item, name), (ref, name)
        assert set(there.depends_on) == set(item.depends_on)
        assert there.status == ("pending" if item.status == "in_progress" else item.status)


def test_two_lists_with_the_same_numbers_are_numbered_anew(board: Board, tmp_path: Path) -> None:
    plan = {"tags": {"tasks": []}} | {
        tag: {"tasks": [{"id": n, "title": f"{tag} {n}", "status": "pending", "dependencies": [1] if n > 1 else [],
                         "subtasks": [{"id": 1, "title": f"{tag} {n}.1", "status": "pending"}]} for n in (1, 2, 7)]}
        for tag in ("east", "west")
    }  # fmt: skip
    (source := tmp_path / "two.json").write_text(json.dumps(plan))
    import_document(board.swarm, taskmaster.read(source))
    inner = board.swarm.read(lambda db: tasks.resolve_task(db, "east/7.1")).id
    board.update("lead", inner, add_depends_on=[board.swarm.read(lambda db: tasks.resolve_task(db, "east/1")).id])
    source.unlink()
    written(board, tmp_path, "taskmaster")
    found = {item.title: item for item in items_of(next(iter(tmp_path.iterdir()))).values()}
    assert {title: item.ref for title, item in found.items() if not item.parent} == {
        "east 1": "1", "east 2": "2", "east 7": "7", "west 1": "3", "west 2": "4", "west 7": "5",
    }  # fmt: skip
    assert (found["east 7.1"].ref, found["east 7.1"].depends_on) == ("7.2", ("1",))  # 7.1 would be taken for task 1
    assert found["west 7"].depends_on == ("3",)


def test_only_what_is_wanted_is_written_and_pages_hide_nothing(
    board: Board, plan: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def walk(**said: Any) -> list[tuple[str, int, str]]:
        return board.swarm.read(lambda db: [(each.row.id, each.depth, each.parent) for each in forest.walk(db, **said)])

    whole, part = walk(), walk(root=plan["a"])
    names = ["a", "a1", "a1x", "a1xx", "a1y", "a2"]
    assert [task for task, _, _ in part] == [plan[name] for name in names]
    assert [depth for _, depth, _ in part] == [0, 1, 2, 3, 2, 1]
    assert whole[:6] == part
    for page, crowd in ((1, 5000), (2, 1), (3, 2)):
        monkeypatch.setattr(forest, "PAGE", page)
        monkeypatch.setattr(forest, "CROWDED", crowd)
        assert (walk(), walk(root=plan["a"])) == (whole, part)
    since = board.clock.advance(hours=1)
    for name in ("a1xx", "a2", "b"):
        board.update("lead", plan[name], description="Changed.")
    assert walk(since=since) == [(plan["a1xx"], 0, ""), (plan["a2"], 0, ""), (plan["b"], 0, "")]
    text, done = written(board, tmp_path, "taskmaster", task=plan["a"], since=since)
    assert (done.tasks, done.counts.get("dependencies left out")) == (2, 2)
    assert [each["title"] for each in json.loads(text)["master"]["tasks"]] == ["A spade", "The roof"]
    empty, done = written(board, tmp_path, "taskmaster", since=since + timedelta(hours=1))
    assert (json.loads(empty)["master"]["tasks"], done.tasks) == ([], 0)
    for name in ("csv", "markdown", "mermaid"):
        assert written(board, tmp_path, name, since=since + timedelta(hours=1))[1].tasks == 0
