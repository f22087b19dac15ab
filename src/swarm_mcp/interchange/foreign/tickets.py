"""Tickets: Markdown files with YAML front matter, a folder at a time or one alone.

Two dialects are known: OmoiOS writes `id`, `parent_ticket`, `estimate` and `dependencies: {depends_on, blocks}`,
SwarmDirector `task_id`, `subtask_id`, `parent_task` and a flat list of dependencies relative to the task. What names
a thing otherwise is read as well (see `ticket_fields`). The Markdown is the description, whole; the boxes under its
headings of acceptance are criteria too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from swarm_mcp.interchange.foreign.concluding import conclude
from swarm_mcp.interchange.foreign.document import PlanDocument
from swarm_mcp.interchange.foreign.entry import Entry, Findings
from swarm_mcp.interchange.foreign.front_matter import split_front_matter
from swarm_mcp.interchange.foreign.source_file import read_source
from swarm_mcp.interchange.foreign.source_folder import FolderFile, folder_files
from swarm_mcp.interchange.foreign.ticket_edges import edges_of, meant
from swarm_mcp.interchange.foreign.ticket_fields import NOTHING, Suppositions, fields_of, names_in
from swarm_mcp.interchange.foreign.ticket_items import Ticket, item_of
from swarm_mcp.interchange.foreign.wording import SCORED
from swarm_mcp.model.errors import Invalid, Refusal
from swarm_mcp.model.strict_json import storable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo
    from pathlib import Path

ENDINGS = frozenset({".md", ".markdown"})
ID_LIMIT = 100
NESTING_LIMIT = 100
TICKET_LIMIT = 4_000_000
"""Characters of one file."""
SHOWN_NAMES = 20


def read(path: Path, zone: tzinfo) -> PlanDocument:
    """A folder of tickets, or one of them, as a document.

    Args:
        path: a folder, which is read with all below it, or a Markdown file.
        zone: what times without an offset are in.

    Raises:
        NotFound: nothing is there.
        Invalid: a file cannot be read, or its front matter; or nothing is a ticket. The sentence names the file.

    """
    findings = Findings()
    unknown: Counter[str] = Counter()
    named = _named(_tickets(path, unknown, findings), findings)
    if not named:
        raise Invalid(f"`{path.name}` holds no ticket: no Markdown with an `id` or a `status` in a front matter.")
    tickets = _in_order(named, findings)
    entries = {ref: ticket.entry for ref, ticket in tickets.items()}
    edges = edges_of(entries)
    supposed = Suppositions(zone)
    items = {ref: item_of(ticket, edges, supposed) for ref, ticket in tickets.items()}
    findings.guessed += [*supposed.sentences(), *([SCORED] if findings.scored else [])]
    if unknown:
        names = ", ".join(f"`{name}`" for name, _ in unknown.most_common(SHOWN_NAMES))
        findings.skipped.append(f"Fields without a place here are kept in the tickets' records alone: {names}.")
    findings.dangling = list(dict.fromkeys(findings.dangling))
    return conclude("tickets", path.resolve().name or str(path), entries, items, findings, zone)


def _tickets(path: Path, unknown: Counter[str], findings: Findings) -> Iterator[Ticket]:
    """The tickets in the order of their files."""
    alone = not path.is_dir()
    files = [FolderFile(path, path.name)] if alone else folder_files(path, ENDINGS, findings.skipped)
    for file in files:
        text = _text(file, alone=alone)
        parts = split_front_matter(text, file.name) if text else None
        values = fields_of(parts[0], unknown) if parts else {}
        if parts is None or not any(values.get(key) is not None for key in ("id", "task_id", "status")):
            why = "has no front matter" if parts is None else "says neither an id nor a status"
            findings.skipped.append(f"`{file.name}` {why if text else 'is empty'} and was left out: it is no ticket.")
            continue
        entry = Entry("", values, file.name, "front matter", findings)
        entry = replace(entry, ref=_ref(entry, file))
        body, changed = storable(parts[1])
        if changed:
            entry.guess("characters that cannot be stored became \ufffd in its text")
        raw: dict[str, object] = {"file": file.path.name, "front_matter": parts[0], "body": body}
        yield Ticket(entry, raw, cast("str", body))


def _text(file: FolderFile, *, alone: bool) -> str:
    """The text of a file; of an empty one among others, nothing."""
    if not alone and file.path.is_file() and not file.path.stat().st_size:
        return ""
    try:
        text = read_source(file.path)
    except Refusal as refusal:
        folder = file.name.rpartition("/")[0]
        raise type(refusal)(f"{refusal.message} (In the folder `{folder}`.)" if folder else refusal.message) from None
    if len(text) > TICKET_LIMIT:
        raise Invalid(f"`{file.name}` has more than {TICKET_LIMIT:,} characters, which is too much for a ticket.")
    return text


def _ref(entry: Entry, file: FolderFile) -> str:
    """A ticket's id; of a subtask behind that of its task; else what the file is called."""
    own, task, part = (_id(entry, key) for key in ("id", "task_id", "subtask_id"))
    if not own and task and part:
        return f"{task}/{part}"
    if not (own or task or part):
        entry.findings.guessed.append(f"`{file.name}` says no id; it goes by its name.")
        return file.path.stem[:ID_LIMIT]
    return own or task or part


def _id(entry: Entry, key: str) -> str:
    words = " ".join(entry.text(key).split())
    if len(words) > ID_LIMIT:
        entry.refuse(f"`{key}` has {len(words):,} characters; it should have at most {ID_LIMIT}")
    return "" if words.lower() in NOTHING else words


def _named(tickets: Iterator[Ticket], findings: Findings) -> dict[str, Ticket]:
    """The tickets by refs of their own: of several with one id the first keeps it, the others get their file's name."""
    named: dict[str, Ticket] = {}
    for ticket in tickets:
        ref, file = ticket.entry.ref, ticket.entry.file
        first = named.get(ref)
        if first is None:
            named[ref] = ticket
            continue
        if first.raw["front_matter"] == ticket.raw["front_matter"] and first.body == ticket.body:
            findings.skipped.append(f"`{file}` says the same as `{first.entry.file}`, word for word, and was left out.")
            continue
        other = f"{ref} ({file})"
        while other in named:
            other += "'"
        findings.renamed.append(
            f"{other}: `{first.entry.file}` has the id {ref} too; who names {ref} means that one, and this one "
            "goes by its file as well."
        )
        named[other] = ticket._replace(entry=replace(ticket.entry, ref=other))
    return named


def _in_order(named: dict[str, Ticket], findings: Findings) -> dict[str, Ticket]:
    """The tickets with their parents, parents before their parts, otherwise in the order of their files."""
    plain = {ref: ticket.entry for ref, ticket in named.items()}
    parents = {ref: _parent(entry, plain) for ref, entry in plain.items()}
    _cut_circles(parents, findings)
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for ref, parent in parents.items():
        parts[parent].append(ref)
    ordered: dict[str, Ticket] = {}
    waiting = [(ref, 0) for ref in reversed(parts[""])]
    while waiting:
        ref, depth = waiting.pop()
        above = ordered.get(parents[ref])
        entry = replace(plain[ref], parent=above.entry if above else None)
        if depth > NESTING_LIMIT:
            entry.refuse("tickets are nested too deeply")
        ordered[ref] = named[ref]._replace(entry=entry)
        waiting += [(part, depth + 1) for part in reversed(parts[ref])]
    return ordered


def _parent(entry: Entry, known: Mapping[str, Entry]) -> str:
    """The ref of a ticket's parent: what it names, else the task of a subtask."""
    words = next(iter(names_in(entry, entry.values.get("parent"), "parent")), "")
    if not words and "/" in entry.ref:
        words = _id(entry, "task_id")
    if not words:
        return ""
    ref = meant(entry, words, known)
    if ref not in known:
        entry.skip(f"its parent {ref[:ID_LIMIT]} is not there; it stands by itself")
        return ""
    return ref


def _cut_circles(parents: dict[str, str], findings: Findings) -> None:
    """Let no ticket be a part of itself."""
    safe: set[str] = {""}
    for start in parents:
        path: dict[str, None] = {}
        ref = start
        while ref not in safe and ref not in path:
            path[ref] = None
            ref = parents[ref]
        if ref in path:
            findings.skipped.append(f"{ref}: its parent {parents[ref]} is a part of it; it stands by itself.")
            parents[ref] = ""
        safe |= path.keys()
