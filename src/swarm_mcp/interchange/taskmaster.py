"""Taskmaster's `tasks.json`: tasks with subtasks, in one list or in several tagged ones.

The format is that of https://github.com/eyaltoledano/claude-task-master (`docs/task-structure.md`). Two
shapes are in use: `{"tasks": […]}`, and `{"master": {"tasks": […], "metadata": {…}}, …}`. Ids are integers
or text; a dependency `97.1` means subtask 1 of task 97, and a bare number in a subtask means a sibling.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn, cast

from swarm_mcp.interchange.document import PlanDocument, PlanItem
from swarm_mcp.interchange.misdecoding import misdecoded
from swarm_mcp.interchange.source_file import read_source
from swarm_mcp.interchange.strict_json import parse_json
from swarm_mcp.model.errors import Invalid
from swarm_mcp.model.lifecycle import SETTLED, STATUS_ALIASES, TaskStatus, choose, read_priority, read_status
from swarm_mcp.model.task import Complexity


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

Json = dict[str, object]

TITLE_LIMIT = 500
ID_LIMIT = 100
NESTING_LIMIT = 20
SIBLING_LIMIT = 100
"""Taskmaster takes a number in a subtask for a sibling below 100, and for a task from there on."""
COMPLEXITIES = {"simple": "low", "moderate": "medium", "complex": "high", "very_complex": "very_high"}
SCORES = ((3, Complexity.LOW), (6, Complexity.MEDIUM), (8, Complexity.HIGH), (10, Complexity.VERY_HIGH))
"""The highest score of each level; Taskmaster scores from 1 to 10."""
SHOWN_IDS = 5


@dataclass(slots=True)
class _Findings:
    """What its author should know about the file."""

    dangling: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    guessed: list[str] = field(default_factory=list[str])
    skipped: list[str] = field(default_factory=list[str])
    renamed: list[str] = field(default_factory=list[str])
    scored: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    """A task or subtask as it stands in the file, and where."""

    ref: str
    id: str
    place: str
    tag: str
    values: Json
    parent: _Entry | None = None

    def ancestors(self) -> Iterator[_Entry]:
        """What it is a part of, the nearest first."""
        above = self.parent
        while above:
            yield above
            above = above.parent


def read(path: Path) -> PlanDocument:
    """A Taskmaster file as a document.

    Raises:
        NotFound: there is no such file.
        Invalid: it cannot be read, is no Taskmaster file, or repeats an id; the sentence names the place.

    """
    findings = _Findings()
    root, unstorable = parse_json(read_source(path), path.name)
    if unstorable:
        findings.guessed.append(f"{unstorable:,} texts held characters that cannot be stored; each became �.")
    lists, beside = _lists(root, path.name, findings)
    entries = [each for tag, tasks in lists for each in _entries(tasks, tag, None, path.name)]
    known = _by_ref(entries, path.name)
    items = [_item(entry, known, findings, path.name) for entry in entries]
    if findings.scored:
        findings.guessed.append(
            "Complexity scores were read as low up to 3, medium up to 6, high up to 8, very_high above."
        )
    return PlanDocument(
        format="taskmaster",
        name=path.name,
        items=tuple(_with_hold(item, {each.ref: each for each in items}, findings) for item in items),
        dangling=tuple(findings.dangling),
        guessed=tuple(findings.guessed),
        skipped=tuple(findings.skipped),
        renamed=tuple(findings.renamed),
        raw=beside,
    )


def _refuse(name: str, place: str, what: str) -> NoReturn:
    raise Invalid(f"`{name}`, {place}: {what}.")


def _lists(root: object, name: str, findings: _Findings) -> tuple[list[tuple[str, list[object]]], Json]:
    """The lists of tasks with their tags (empty if there is but one), and what stands beside them."""
    if not isinstance(root, dict):
        raise Invalid(f'`{name}` is no Taskmaster file: it should be an object such as {{"tasks": […]}}.')
    outer = cast("Json", root)
    if isinstance(outer.get("tasks"), list):
        for key, value in outer.items():
            if isinstance(value, dict) and "tasks" in value:
                findings.skipped.append(f"The tag `{key}` beside the file's own list of tasks was left out.")
        return [("", cast("list[object]", outer["tasks"]))], {k: v for k, v in outer.items() if k != "tasks"}
    tagged = {key: cast("Json", value) for key, value in outer.items() if isinstance(value, dict) and "tasks" in value}
    if not tagged:
        raise Invalid(f'`{name}` is no Taskmaster file: nothing in it is a list of tasks such as {{"tasks": […]}}.')
    for key, value in tagged.items():
        if not isinstance(value["tasks"], list):
            _refuse(name, f"tag `{key}`", "`tasks` is not a list")
    findings.skipped.extend(f"`{key}` holds no list of tasks and was left out." for key in outer if key not in tagged)
    beside = {key: {k: v for k, v in value.items() if k != "tasks"} for key, value in tagged.items()}
    several = len(tagged) > 1
    lists = [(key if several else "", cast("list[object]", value["tasks"])) for key, value in tagged.items()]
    return lists, {**{key: value for key, value in outer.items() if key not in tagged}, **beside}


def _entries(tasks: list[object], tag: str, parent: _Entry | None, name: str) -> Iterator[_Entry]:
    """Every task with its subtasks right behind it."""
    kind = "subtask" if parent else "task"
    outer = f"{parent.place}, " if parent else f"tag `{tag}`, " if tag else ""
    if parent and len(list(parent.ancestors())) >= NESTING_LIMIT:
        _refuse(name, parent.place, "subtasks are nested too deeply")
    for position, each in enumerate(tasks, 1):
        if not isinstance(each, dict):
            _refuse(name, f"{outer}{kind} number {position}", "it is not an object")
        values = cast("Json", each)
        own = _id(values.get("id"), f"{outer}{kind} number {position}", "id", name)
        if parent:
            own = own.removeprefix(f"{parent.ref.removeprefix(f'{tag}/')}.")
        ref = f"{parent.ref}.{own}" if parent else f"{tag}/{own}" if tag else own
        entry = _Entry(ref, own, f"{outer}{kind} {own}", tag, values, parent)
        yield entry
        yield from _entries(_list(entry, "subtasks", name), tag, entry, name)


def _by_ref(entries: list[_Entry], name: str) -> dict[str, _Entry]:
    """The entries by ref, each of which must be there once."""
    known: dict[str, _Entry] = {}
    twice: dict[str, None] = {}
    for entry in entries:
        if known.setdefault(entry.ref, entry) is not entry:
            twice[entry.ref] = None
    if twice:
        shown = ", ".join(f"`{ref}`" for ref in list(twice)[:SHOWN_IDS])
        more = f" and {len(twice) - SHOWN_IDS} more" if len(twice) > SHOWN_IDS else ""
        raise Invalid(f"`{name}` uses these ids more than once: {shown}{more}. Give every task its own.")
    return known


def _id(value: object, place: str, key: str, name: str) -> str:
    """An id as text: 7, "7" and "07" are the same, and 97.1 is subtask 1 of task 97."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not str(value).strip():
        _refuse(name, place, f"`{key}` is missing" if value is None else f"`{key}` is neither a number nor a text")
    words = str(value).strip()
    if len(words) > ID_LIMIT:
        _refuse(name, place, f"`{key}` has {len(words):,} characters; at most {ID_LIMIT}")
    return str(int(words)) if words.isascii() and words.isdigit() else words


def _list(entry: _Entry, key: str, name: str) -> list[object]:
    value = entry.values.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        _refuse(name, entry.place, f"`{key}` is not a list")
    return cast("list[object]", value)


def _words(entry: _Entry, key: str, name: str, findings: _Findings) -> str:
    """A field's text; a list of texts is taken as lines."""
    value = entry.values.get(key)
    if isinstance(value, list):
        lines = cast("list[object]", value)
        if all(isinstance(each, str) for each in lines):
            findings.guessed.append(f"{entry.ref}: `{key}` is a list; its items were joined as lines.")
            return "\n".join(cast("list[str]", lines))
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        _refuse(name, entry.place, f"`{key}` is not text")
    text = str(value)
    if wrong := misdecoded(text):
        findings.guessed.append(
            f"{entry.ref}: `{key}` seems to have been decoded with the wrong code page ({wrong[:20]}); it was kept."
        )
    return text


def _item(entry: _Entry, known: Mapping[str, _Entry], findings: _Findings, name: str) -> PlanItem:
    """An entry in our words."""
    texts = [_words(entry, key, name, findings) for key in ("title", "description", "details")]
    title, description = _titled(entry, texts[0].strip(), _joined(texts[1:]), findings)
    word = _words(entry, "status", name, findings).strip()
    status = _understood(entry, "status", word, read_status, TaskStatus.PENDING, findings)
    if not word:
        findings.guessed.append(f"{entry.ref} states no status; it was taken as pending.")
    folded = word.lower().replace("-", "_").replace(" ", "_")
    priority = _words(entry, "priority", name, findings).strip()
    accepted = entry.values.get("acceptanceCriteria")
    criteria = [_words(entry, "testStrategy", name, findings)]
    criteria += _texts(entry, "acceptanceCriteria", name) if isinstance(accepted, list) else []
    criteria += [accepted] if isinstance(accepted, str) else []
    return PlanItem(
        ref=entry.ref,
        parent=entry.parent.ref if entry.parent else "",
        title=title,
        description=description,
        status=status.value,
        source_status=word,
        hold=STATUS_ALIASES[folded][1] if status is TaskStatus.BLOCKED and folded in STATUS_ALIASES else "",
        priority=_understood(entry, "priority", priority, read_priority, read_priority(""), findings).value,
        complexity=_complexity(entry, findings),
        assignee=_words(entry, "assignee", name, findings).strip(),
        tags=tuple(dict.fromkeys([*([entry.tag] if entry.tag else []), *_texts(entry, "tags", name)])),
        criteria=tuple(dict.fromkeys(each.strip() for each in criteria if each.strip())),
        depends_on=tuple(_edges(entry, known, findings, name)),
        raw={key: value for key, value in entry.values.items() if key != "subtasks"},
    )


def _texts(entry: _Entry, key: str, name: str) -> list[str]:
    values = _list(entry, key, name)
    if not all(isinstance(each, str) for each in values):
        _refuse(name, entry.place, f"`{key}` holds something that is not text")
    return cast("list[str]", values)


def _joined(texts: list[str]) -> str:
    return "\n\n".join(dict.fromkeys(each.strip("\n") for each in texts if each.strip()))


def _titled(entry: _Entry, title: str, description: str, findings: _Findings) -> tuple[str, str]:
    """A title that can be stored, and the description, which takes what the title cannot."""
    if not title:
        lines = [line.strip() for line in description.splitlines() if line.strip()]
        title = lines[0][:TITLE_LIMIT].strip() if lines else f"Task {entry.ref}"[:TITLE_LIMIT]
        findings.renamed.append(f"{entry.ref} has no title; it was called `{title[:60]}`.")
    if len(title) <= TITLE_LIMIT:
        return title, description
    short = title[:TITLE_LIMIT].rsplit(maxsplit=1)[0] if " " in title[:TITLE_LIMIT] else title[:TITLE_LIMIT]
    findings.renamed.append(
        f"{entry.ref} has a title of {len(title):,} characters; it was cut, and stands whole in the description."
    )
    return short, _joined([title, description])


def _understood[T](
    entry: _Entry, key: str, word: str, reader: Callable[[str], T], default: T, findings: _Findings
) -> T:
    raise NotImplementedError
