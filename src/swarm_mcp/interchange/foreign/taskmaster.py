"""Taskmaster's `tasks.json`: tasks with subtasks, in one list or in several tagged ones.

The format is that of https://github.com/eyaltoledano/claude-task-master (`docs/task-structure.md`). Two
shapes are in use: `{"tasks": […]}`, and `{"master": {"tasks": […], "metadata": {…}}, …}`. Ids are integers
or text; a dependency `97.1` means subtask 1 of task 97, and a bare number in a subtask means a sibling.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, cast

from swarm_mcp.interchange.foreign.complexity_report import add_reports
from swarm_mcp.interchange.foreign.concluding import conclude
from swarm_mcp.interchange.foreign.document import PlanCriterion, PlanDocument, PlanItem
from swarm_mcp.interchange.foreign.efforts import GUESSES, read_effort
from swarm_mcp.interchange.foreign.entry import Entry, Findings
from swarm_mcp.interchange.foreign.instants import instant_of
from swarm_mcp.interchange.foreign.source_file import read_source
from swarm_mcp.interchange.foreign.wording import (
    SCORED,
    complexity_of,
    is_put_away,
    priority_of,
    stated_hold,
    status_of,
)
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.lifecycle import FINISHED, TaskStatus
from swarm_mcp.model.strict_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo
    from decimal import Decimal
    from pathlib import Path

Json = dict[str, object]

ID_LIMIT = 100
NESTING_LIMIT = 20
SIBLING_LIMIT = 100
"""Taskmaster takes a number in a subtask for a sibling below 100, and for a task from there on."""
SHOWN_IDS = 5
COMPLETED = "completedAt"
BESIDE = ("effort", "actualEffort", "createdAt", "updatedAt", COMPLETED)
"""What Taskmaster itself does not read: it may be of any kind, and no plan is refused for it."""


def read(path: Path, zone: tzinfo = UTC) -> PlanDocument:
    """A Taskmaster file as a document. Both kinds of text, description and details, become the description.

    Args:
        path: the file; a complexity report is looked for where Taskmaster puts it.
        zone: of times that name none.

    Raises:
        NotFound: there is no such file.
        Invalid: it cannot be read, is no Taskmaster file, or repeats an id; the sentence names the place.

    """
    findings = Findings()
    root, unstorable = parse_json(read_source(path), path.name)
    if unstorable:
        findings.guessed.append(f"Characters that cannot be stored became \ufffd in {unstorable:,} of its texts.")
    lists, beside = _lists(root, path.name, findings)
    entries = [each for tag, tasks in lists for each in _tasks(tasks, tag, path.name, findings)]
    known = _by_ref(entries, path.name)
    add_reports(path, entries, findings)
    items = {entry.ref: _item(entry, known, zone) for entry in entries}
    if dated := findings.supposed["dated"]:
        findings.guessed.append(f"What is finished was taken as finished when it was last changed there ({dated:,}).")
    findings.guessed.extend(sentence for kind, sentence in GUESSES.items() if findings.supposed[kind])
    if findings.scored:
        findings.guessed.append(SCORED)
    return conclude("taskmaster", path.name, known, items, findings, zone, beside)


def _lists(root: object, name: str, findings: Findings) -> tuple[list[tuple[str, list[object]]], Json]:
    """The lists of tasks, each with its tag if there are several, and what the file says beside them."""
    if not isinstance(root, dict):
        raise Invalid(f'`{name}` is no Taskmaster file: it should be an object such as {{"tasks": []}}.')
    outer = cast("Json", root)
    tagged = {key: cast("Json", each) for key, each in outer.items() if isinstance(each, dict) and "tasks" in each}
    if isinstance(outer.get("tasks"), list):
        findings.skipped.extend(f"The tag `{tag}` beside the file's own tasks was left out." for tag in tagged)
        own = cast("list[object]", outer["tasks"])
        return [("", own)], {key: each for key, each in outer.items() if key != "tasks"}
    if not tagged:
        raise Invalid(f'`{name}` is no Taskmaster file: it holds no list of tasks such as {{"tasks": []}}.')
    for tag, each in tagged.items():
        if not isinstance(each["tasks"], list):
            raise Invalid(f"`{name}`, tag `{tag}`: `tasks` is not a list.")
    findings.skipped.extend(f"`{key}` holds no tasks and was left out." for key in outer if key not in tagged)
    lists = [(tag if len(tagged) > 1 else "", cast("list[object]", each["tasks"])) for tag, each in tagged.items()]
    rest = {tag: {key: value for key, value in each.items() if key != "tasks"} for tag, each in tagged.items()}
    return lists, {**outer, **rest}


def _tasks(
    tasks: list[object], tag: str, name: str, findings: Findings, parent: Entry | None = None
) -> Iterator[Entry]:
    """Every task, with its subtasks right behind it."""
    kind = "subtask" if parent else "task"
    outer = f"{parent.place}, " if parent else f"tag `{tag}`, " if tag else ""
    above = parent.ref if parent else tag
    for position, each in enumerate(tasks, 1):
        nameless = Entry("", {}, name, f"{outer}{kind} number {position}", findings)
        if not isinstance(each, dict):
            nameless.refuse("it is not an object")
        values = cast("Json", each)
        own = _id(values.get("id"), "its `id`", nameless)
        if parent:  # some files write a subtask's id in full: 3.2 in task 3
            own = own.removeprefix(f"{parent.ref.removeprefix(f'{tag}/')}.")
        ref = f"{above}.{own}" if parent else f"{above}/{own}" if tag else own
        entry = Entry(ref, values, name, f"{outer}{kind} {own}", findings, parent, tag)
        if sum(1 for _ in entry.ancestors()) > NESTING_LIMIT:
            entry.refuse("subtasks are nested too deeply")
        yield entry
        yield from _tasks(entry.items("subtasks"), tag, name, findings, entry)


def _by_ref(entries: list[Entry], name: str) -> dict[str, Entry]:
    """The entries by ref.

    Raises:
        Invalid: an id occurs more than once, so that nobody knows which one others wait for.

    """
    known: dict[str, Entry] = {}
    twice = [entry.ref for entry in entries if known.setdefault(entry.ref, entry) is not entry]
    if twice:
        refs = list(dict.fromkeys(twice))
        more = f" and {len(refs) - SHOWN_IDS} more" if len(refs) > SHOWN_IDS else ""
        shown = ", ".join(f"`{ref}`" for ref in refs[:SHOWN_IDS])
        raise Invalid(f"`{name}` uses an id for several tasks: {shown}{more}. Give every task its own.")
    return known


def _id(value: object, what: str, entry: Entry) -> str:
    """An id as text: 7, 7.0, "7" and "07" are the same."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        entry.refuse(f"{what} is missing")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        entry.refuse(f"{what} is neither a number nor a text")
    words = str(value).strip()
    if not 0 < len(words) <= ID_LIMIT:
        entry.refuse(f"{what} has {len(words):,} characters; it should have 1 to {ID_LIMIT}")
    return str(int(words)) if words.isascii() and words.isdigit() else words


def _item(entry: Entry, known: Mapping[str, Entry], zone: tzinfo) -> PlanItem:
    """An entry in our words."""
    title, description = entry.titled(entry.text("title"), entry.text("description"), entry.text("details"))
    word = entry.text("status").strip()
    status = status_of(entry, word)
    plain = _plain(entry)
    updated = instant_of(plain, "updatedAt", zone)
    completed = instant_of(plain, COMPLETED, zone) if status in FINISHED else None
    if completed is None and status == TaskStatus.COMPLETED:
        completed = updated
        entry.findings.supposed["dated"] += completed is not None
    score = "complexityScore" if entry.values.get("complexityScore") is not None else "complexity"
    criteria = [*entry.texts("testStrategy"), *entry.texts("acceptanceCriteria")]
    return PlanItem(
        ref=entry.ref,
        parent=entry.parent.ref if entry.parent else "",
        title=title,
        description=description,
        status=status.value,
        source_status=word,
        hold=stated_hold(word),
        archived=is_put_away(word),
        priority=priority_of(entry).value,
        complexity=complexity_of(entry, score),
        assignee=entry.text("assignee").strip(),
        tags=tuple(dict.fromkeys(each for each in (entry.list_name, *entry.texts("tags")) if each.strip())),
        criteria=tuple(PlanCriterion(text=each) for each in dict.fromkeys(map(str.strip, criteria)) if each),
        depends_on=tuple(_edges(entry, known)),
        estimated_hours=_hours(plain, "effort"),
        actual_hours=_hours(plain, "actualEffort"),
        created_at=instant_of(plain, "createdAt", zone),
        updated_at=updated,
        completed_at=completed,
        raw={key: value for key, value in entry.values.items() if key != "subtasks"},
    )


def _plain(entry: Entry) -> Entry:
    """The same without the times and efforts that are neither a number nor a text, each reported."""
    odd = [key for key in BESIDE if isinstance(entry.values.get(key), bool | dict | list)]
    for key in odd:
        entry.skip(f"its `{key}` is neither a number nor a text; that was left out")
    return replace(entry, values={key: value for key, value in entry.values.items() if key not in odd})


def _hours(entry: Entry, key: str) -> Decimal | None:
    """An effort: a number is hours."""
    words = entry.text(key).strip()
    if not words:
        return None
    effort = read_effort(words)
    if effort is None:
        entry.skip(f"its `{key}` is `{words[:40]}`, which is no effort; that was left out")
        return None
    entry.findings.supposed[effort.guess] += 1
    return effort.hours or None


def _edges(entry: Entry, known: Mapping[str, Entry]) -> Iterator[str]:
    """The refs that an entry waits for."""
    found: set[str] = set()
    for value in entry.items("dependencies"):
        words = _id(value, "an item of `dependencies`", entry)
        ref = _target(entry, value, words, known)
        if ref not in known:
            entry.findings.dangling.append((entry.ref, ref))
        elif ref == entry.ref:
            entry.skip("it depends on itself; that was left out")
        elif known[ref] in entry.ancestors() or entry in known[ref].ancestors():
            entry.skip(f"it depends on {ref}, with which it forms one tree; that was left out")
        elif ref in found:
            entry.skip(f"it names {ref} as a dependency more than once")
        else:
            found.add(ref)
            yield ref


def _target(entry: Entry, value: object, words: str, known: Mapping[str, Entry]) -> str:
    """The ref that a dependency means, whether it is there or not."""
    task = f"{entry.list_name}/{words}" if entry.list_name else words
    if isinstance(value, float) and "." in words and task in known:
        entry.guess(f"its dependency {words} is written as a number and was taken as {task}, not as {words}0")
    if entry.parent is None:
        return task
    sibling = f"{entry.parent.ref}.{words}"
    bare = isinstance(value, int | float) and "." not in words
    if sibling in known:
        if not bare and task in known:
            entry.guess(f"its dependency `{words}` was taken as its sibling {sibling}, not as task {task}")
        return sibling
    if bare and float(words) < SIBLING_LIMIT:
        return sibling
    if task in known and "." not in words:
        entry.guess(f"its dependency `{words}` was taken as task {task}, for it has no such sibling")
    return task
