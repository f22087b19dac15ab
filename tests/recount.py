"""An independent recount of a board, straight from its tables.

Nothing here uses the product's queries or rules: plain SQL, dictionaries, and the sentences of the model written once
more. `problems(path)` returns one sentence for each thing that does not agree; an empty list is a sound board.
"""

from __future__ import annotations

import contextlib
import json
import unicodedata
from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import postgres

from swarm_mcp.operations.moves import VERSIONED
from swarm_mcp.repository.sqlite import driver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Row = dict[str, Any]

CLAIMED = {"in_progress", "requires_assistance"}
UNSTARTED = {"pending", "blocked"}
FINISHED = {"completed", "failed", "cancelled"}
WAYS_OUT = {
    "completed": {"reopened", "undone"},
    "cancelled": {"reopened", "undone"},
    "failed": {"retried", "reopened", "cancelled", "undone"},
}
"""The events that may leave a finished status."""
TIMES = {"deadline", "started_at", "completed_at", "archived_at"}
DOCUMENTS = {"tags", "touches", "outputs", "artifacts", "reserved_from"}
HOURS = {"estimated_hours", "actual_hours"}
UNSPACED = ("CJK ", "HIRAGANA ", "KATAKANA ", "THAI ", "LAO ")
EMPTY: Row = {
    "description": "", "tags": [], "task_type": "", "area": "", "complexity": "", "source": "", "touches": [],
    "attempt": 0, "needs_review": False, "source_status": "", "completion_summary": "", "outputs": {}, "artifacts": [],
    "error": "",
}  # fmt: skip
"""What a column that the event of creation does not name begins with; all others begin with nothing."""


class Recount:
    """The rows of a board (or of one of its projects), and what is wrong with them."""

    def __init__(self, connection: Any, project: str | None = None) -> None:
        self.connection = connection
        self.project = project
        self.found: list[str] = []
        connection.execute("BEGIN")
        try:
            self._read()
        finally:
            connection.execute("COMMIT")
        self._count()

    def _read(self) -> None:
        self.tasks = {row["id"]: row for row in self._rows("SELECT * FROM task", "project")}
        self.edges = self._of_tasks("dependency", "depends_on_id")
        self.events = by_task(self._of_tasks("event", "seq"))
        self.executions = by_task(self._of_tasks("execution", "attempt"))
        live = [row for row in self._of_tasks("delegation", "at") if row["state"] in {"offered", "accepted"}]
        self.delegations = by_task(live)
        self.questions = by_task([row for row in self._of_tasks("message", "id") if row["asked_at"]])
        self.tally = self._rows("SELECT * FROM tally", "project")
        self.messages = self._of_tasks("message", "id")
        self.context = self._of_tasks("context", "id")
        self.unindexed = self._of_tasks("unindexed", "place")
        self.wording = {row["number"]: row["task_id"] for row in self._of_tasks("wording", "number")}

    def _of_tasks(self, table: str, order: str) -> list[Row]:
        """The rows of a table that belong to tasks."""
        return self._rows(
            f"SELECT other.* FROM task JOIN {table} AS other ON other.task_id = task.id",
            "task.project",
            order=f"other.{order}",
        )

    def _rows(self, statement: str, project: str, order: str = "1") -> list[Row]:
        where, bound = (f"WHERE {project} = ?", (self.project,)) if self.project is not None else ("", ())
        cursor = self.connection.execute(f"{statement} {where} ORDER BY {order}", bound)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _count(self) -> None:
        self.blockers: dict[str, list[str]] = defaultdict(list)
        for edge in self.edges:
            if edge["type"] == "blocks":
                self.blockers[edge["task_id"]].append(edge["depends_on_id"])
        self.children: dict[str, list[str]] = defaultdict(list)
        for task in self.tasks.values():
            if task["parent_id"]:
                self.children[task["parent_id"]].append(task["id"])

    def check(self) -> list[str]:
        """Everything that does not agree, a sentence each."""
        self._check_order()
        if not self.found:  # what follows walks up the tree, which has to be one
            self._check_tally()
            for task in self.tasks.values():
                self._check_counters(task)
                self._check_status(task)
                self._check_claim(task)
                self._check_delegation(task)
                self._check_ledger(task)
        self.check_words()
        return self.found

    def say(self, task: Row, words: str) -> None:
        """Note that something does not agree."""
        self.found.append(f"{task['id']} ({task['status']}) {words}")

    def own_waits(self, task_id: str) -> int:
        """How many tasks that a task itself waits for are not completed."""
        return sum(self.tasks[each]["status"] != "completed" for each in self.blockers[task_id])

    def above(self, task: Row) -> Iterator[Row]:
        """The ancestors of a task."""
        while task["parent_id"]:
            task = self.tasks[task["parent_id"]]
            yield task

    def gates(self, task: Row) -> int:
        """How many ancestors have a hold or wait for something themselves."""
        return sum(each["hold_reason"] is not None or self.own_waits(each["id"]) > 0 for each in self.above(task))

    def open_subtasks(self, task_id: str) -> int:
        """How many children are neither completed nor cancelled."""
        return sum(self.tasks[each]["status"] not in {"completed", "cancelled"} for each in self.children[task_id])

    def graph(self) -> dict[tuple[str, str], set[tuple[str, str]]]:
        """Starts and finishes, and what each comes after."""
        after: dict[tuple[str, str], set[tuple[str, str]]] = {}
        for task in self.tasks.values():
            after.setdefault((task["id"], "start"), set())
            after[task["id"], "finish"] = {(task["id"], "start")}
        for task in self.tasks.values():
            if task["parent_id"]:
                after[task["id"], "start"].add((task["parent_id"], "start"))
                after[task["parent_id"], "finish"].add((task["id"], "finish"))
        for task_id, blockers in self.blockers.items():
            after[task_id, "start"] |= {(each, "finish") for each in blockers}
        return after

    def _check_order(self) -> None:
        graph = self.graph()
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            self.found.append(f"a cycle: {error.args[1]}")
        ranks = {(task["id"], "start"): task["rank"] for task in self.tasks.values()}
        ranks |= {(task["id"], "finish"): task["end_rank"] for task in self.tasks.values()}
        for node, earlier in graph.items():
            self.found += [
                f"{each} has rank {ranks[each]}, but {node} after it {ranks[node]}"
                for each in earlier
                if ranks[each] >= ranks[node]
            ]

    def _check_tally(self) -> None:
        kept: Counter[tuple[str, str, bool]] = Counter()
        for row in self.tally:
            kept[row["project"], row["status"], bool(row["archived"])] += row["tasks"]
        real = Counter((task["project"], task["status"], bool(task["archived_at"])) for task in self.tasks.values())
        if +kept != real or any(count < 0 for count in kept.values()):
            self.found.append(f"the tally says {dict(kept)}, there are {dict(real)}")

    def _check_counters(self, task: Row) -> None:
        gates = self.gates(task)
        counted = {
            "gates": gates,
            "waits": self.own_waits(task["id"]) + gates,
            "subtasks": len(self.children[task["id"]]),
            "open_subtasks": self.open_subtasks(task["id"]),
        }
        for name, count in counted.items():
            if task[name] != count:
                self.say(task, f"has {name} {task[name]}, a recount finds {count}")

    def _check_status(self, task: Row) -> None:
        obstructed = bool(
            task["hold_reason"] is not None
            or self.own_waits(task["id"])
            or self.gates(task)
            or self.open_subtasks(task["id"])
        )
        if task["status"] in UNSTARTED and task["status"] != ("blocked" if obstructed else "pending"):
            self.say(task, f"has {'something' if obstructed else 'nothing'} in its way")
        if task["hold_reason"] is not None and task["status"] != "blocked":
            self.say(task, "has a hold")
        if task["archived_at"] and task["status"] not in FINISHED:
            self.say(task, "is archived")

    def _check_claim(self, task: Row) -> None:
        executions = self.executions[task["id"]]
        if [each["attempt"] for each in executions] != list(range(1, task["attempt"] + 1)):
            self.say(task, f"is at attempt {task['attempt']} of {[each['attempt'] for each in executions]}")
        running = [each for each in executions if each["status"] == "running"]
        if any((each["ended_at"] is None) != (each["status"] == "running") for each in executions):
            self.say(task, "has an attempt that has ended and not ended")
        held = task["status"] in CLAIMED
        if held != (task["holder_id"] is not None):
            self.say(task, f"is held by {task['holder_id']}")
        expected = [(task["holder_id"], task["attempt"])] if held else []
        if [(each["agent_id"], each["attempt"]) for each in running] != expected:
            self.say(task, f"has the attempts {[each['attempt'] for each in running]} running, not {expected}")
        if (task["lease_until"] is not None) != (task["status"] == "in_progress"):
            self.say(task, f"has the lease {task['lease_until']}")
        if executions and task["worker_id"] != executions[-1]["agent_id"]:
            self.say(task, "does not remember who held it last")
        waiting = [each["attempt"] for each in self.questions[task["id"]]]
        if waiting != ([task["attempt"]] if task["status"] == "requires_assistance" else []):
            self.say(task, f"has open questions of the attempts {waiting}, and is at {task['attempt']}")

    def check_words(self) -> None:
        """What is in the indexes of words, against one made of everything's present words."""
        if isinstance(self.connection, postgres.LikeSqlite):
            self._check_vectors()
            return
        tasks = {number: self.tasks[task] for number, task in self.wording.items()}
        for row in self.unindexed:
            if row["number"] is not None:  # these words the index still has
                tasks[row["number"]] = {**row, "completion_summary": row["summary"]}
        new = [row["task_id"] for row in self.unindexed if row["number"] is None]
        if sorted([*self.wording.values(), *new]) != sorted(self.tasks):
            self.found.append("not every task has one number in the index of words, or none and waits for it")
        latest = {(row["task_id"], row["key"]): row for row in self.context}
        present: dict[str, dict[int, list[str]]] = {
            "task_words": {
                n: [row["title"], row["description"], row["completion_summary"]] for n, row in tasks.items()
            },
            "context_words": {
                row["id"]: [f"{row['key']} {spoken(json.loads(row['value']))} {row['rationale']}"]
                for row in latest.values()
            },
            "message_words": {row["id"]: [row["text"]] for row in self.messages},
        }
        for name, rows in present.items():
            kept, real = occurrences(self.connection, name, rows)
            if self.project is not None:  # the index has those of the other projects too
                kept = {each for each in kept if each[1] in rows}
            if kept != real:
                self.found.append(f"{name} has {sorted(kept - real)[:9]} too much and lacks {sorted(real - kept)[:9]}")

    def _check_vectors(self) -> None:
        """The same on PostgreSQL, where every task, value and message has its words at once."""
        latest = {(row["task_id"], row["key"]): row for row in self.context}
        present: dict[str, dict[Any, list[str]]] = {
            "task_words": {
                row["id"]: [row["title"], row["description"], row["completion_summary"]] for row in self.tasks.values()
            },
            "context_words": {
                row["id"]: [row["key"], spoken(json.loads(row["value"])), row["rationale"]] for row in latest.values()
            },
            "message_words": {row["id"]: [row["text"]] for row in self.messages},
        }
        for name, rows in present.items():
            found = self.connection.execute(f"SELECT *, tsvector_to_array(words) FROM {name}")
            kept = {number: set(json.loads(words)) for number, _, words in found}
            if self.project is not None:
                kept = {number: words for number, words in kept.items() if number in rows}
            real = {number: lexemes(" ".join(texts)) for number, texts in rows.items()}
            if kept != real:
                self.found.append(f"{name} has {kept}, and should have {real}"[:2000])

    def _check_delegation(self, task: Row) -> None:
        live = self.delegations[task["id"]]
        if live and task["status"] in FINISHED:
            self.say(task, f"has {len(live)} live delegations")
        for upper, lower in pairwise(live):  # whoever was handed a task may have handed it on
            before = json.loads(lower["before"])
            given = (upper["to_agent_id"], upper["to_team_id"], upper["to_specialty"])
            if given != tuple(before.get(name) for name in ("assignee_id", "pool_team_id", "pool_specialty")):
                self.say(task, f"was handed to {given}, and on by {before}")
        place = json.loads(task["reserved_from"]) if task["reserved_from"] else task
        lies = tuple(place.get(name) for name in ("assignee_id", "pool_team_id", "pool_specialty"))
        handed = [(each["to_agent_id"], each["to_team_id"], each["to_specialty"]) for each in live]
        if live and handed[-1] != lies:
            self.say(task, f"lies with {lies} and was handed to {handed[-1]}")

    def _check_ledger(self, task: Row) -> None:
        events = self.events[task["id"]]
        versions = [each["version"] for each in events if each["version"] is not None]
        if versions != list(range(1, task["version"] + 1)):
            self.say(task, f"has version {task['version']} and events for {versions}")
        if not events or events[0]["kind"] not in {"created", "imported"}:
            self.say(task, "does not begin with its creation")
        state: Row = {name: EMPTY.get(name) for name in VERSIONED}
        edges: set[str] = set()
        attempts: list[int] = []
        for event in events:
            self._replay(task, event, json.loads(event["data"]), state, edges)
            if event["kind"] == "claimed":
                attempts.append(state["attempt"])
        for name in sorted(VERSIONED):
            real = stored(name, task[name])
            if state[name] != real:
                self.say(task, f"has {name} {real!r}, its events make it {state[name]!r}")
        if edges != {f"{each['type']}:{each['depends_on_id']}" for each in self.edges if each["task_id"] == task["id"]}:
            self.say(task, f"has other edges than its events: {sorted(edges)}")
        if attempts != sorted(set(attempts)):
            self.say(task, f"was claimed in the attempts {attempts}")

    def _replay(self, task: Row, event: Row, data: Row, state: Row, edges: set[str]) -> None:
        for name in VERSIONED & data.keys():
            before, after = (remembered(name, value) for value in data[name])
            if event["kind"] not in {"created", "imported"} and before != state[name]:
                self.say(task, f"{event['kind']} says {name} was {before!r}, the events before it {state[name]!r}")
            state[name] = after
        before, after = data.get("status", [None, None])
        if before in FINISHED and event["kind"] not in WAYS_OUT[before]:
            self.say(task, f"went from {before} to {after} by {event['kind']}")
        changed = data.get("edges", {})
        edges.update(changed.get("added", []))
        edges.difference_update(changed.get("dropped", []))


def occurrences(connection: Any, name: str, rows: dict[int, list[str]]) -> tuple[set[Row], set[Row]]:
    """Which word occurs where in an index (word, row, column, place), and in one that is made of these texts."""
    with contextlib.closing(driver().connect(":memory:", isolation_level=None)) as fresh:
        (made,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        fresh.execute(made)
        for number, texts in rows.items():
            places = ", ".join("?" * (len(texts) + 1))
            columns = made.partition("fts5(")[2].partition(", content=")[0]
            apart = [parted(each) for each in texts]
            fresh.execute(f"INSERT INTO {name} (rowid, {columns}) VALUES ({places})", (number, *apart))
        found = []
        for each in (connection, fresh):
            each.execute(f"CREATE VIRTUAL TABLE temp.occurrences USING fts5vocab(main, {name}, instance)")
            found.append(set(each.execute("SELECT * FROM temp.occurrences")))
            each.execute("DROP TABLE temp.occurrences")
    return found[0], found[1]


def parted(text: str) -> str:
    """A text with the characters of the scripts that are written without spaces apart from each other."""
    return "".join(f" {each} " if unicodedata.name(each, "").startswith(UNSPACED) else each for each in text)


def lexemes(text: str) -> set[str]:
    """The words of a text without case and accents."""
    bare = "".join(
        each for each in unicodedata.normalize("NFD", parted(text).lower()) if not unicodedata.combining(each)
    )
    folded = unicodedata.normalize("NFC", bare)
    return {each[:255] for each in "".join(each if each.isalnum() else " " for each in folded).split()}


def spoken(value: Any) -> str:
    """The words of a JSON value."""
    if isinstance(value, dict):
        return " ".join(f"{key} {spoken(each)}" for key, each in value.items())
    return " ".join(map(spoken, value)) if isinstance(value, list) else str(value)


def by_task(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows by the task that they belong to, in their order."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["task_id"]].append(row)
    return found


def stored(name: str, value: Any) -> Any:
    """A column as it is in the file, to be compared with the ledger."""
    if value is None:
        return None
    if name in TIMES:
        return datetime.fromisoformat(value)
    if name in DOCUMENTS:
        return json.loads(value)
    if name in HOURS:
        return Decimal(value) / 1_000_000
    return bool(value) if name == "needs_review" else value


def remembered(name: str, value: Any) -> Any:
    """A value as it is in an event, to be compared with a column."""
    if value is None:
        return EMPTY.get(name)
    if name in TIMES:
        return datetime.fromisoformat(value)
    return Decimal(value) if name in HOURS else value


@contextlib.contextmanager
def looking(path: Path | str) -> Iterator[Any]:
    """A raw connection, to a file or an address, that has nothing to do with the product's."""
    if str(path).startswith("postgresql"):
        with postgres.looking(str(path)) as connection:
            yield connection
        return
    with contextlib.closing(driver().connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA busy_timeout=20000")
        yield connection


def problems(path: Path | str, project: str | None = None) -> list[str]:
    """Everything about a board that does not agree, a sentence each; the file itself is checked too."""
    with looking(path) as connection:
        return [*file_problems(connection), *Recount(connection, project).check()]


def file_problems(connection: Any) -> list[str]:
    """What SQLite finds wrong with its file; PostgreSQL looks after its own."""
    if isinstance(connection, postgres.LikeSqlite):
        return []
    checked = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    orphans = [
        f"{table} row {row} refers to nothing in {other}"
        for table, row, other, _ in connection.execute("PRAGMA foreign_key_check")
    ]
    return [*(each for each in checked if each != "ok"), *orphans]
