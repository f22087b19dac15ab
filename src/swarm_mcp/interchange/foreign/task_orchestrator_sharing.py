"""What Task Orchestrator's agents shared about a task, from wherever its versions kept it.

2.3 has `contexts/{id}.yaml` with requirements, decisions, artifacts and free keys, and `{id}_progress.jsonl`; 2.5 has
a list of contributions in the same YAML, and lines of progress in words alone; 2.9 has rows of `collaboration_events`.
An archive has contributions once more, so that each of them counts once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from swarm_mcp.interchange.foreign.document import PlanContext, PlanRemark
from swarm_mcp.interchange.foreign.instants import instant
from swarm_mcp.model.memory import ContextKind
from swarm_mcp.model.strict_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime, tzinfo

    from swarm_mcp.interchange.foreign.entry import Entry

Json = dict[str, object]

LISTED = {
    "requirements": (ContextKind.REQUIREMENT, "requirement"),
    "decisions": (ContextKind.DECISION, "decision"),
    "artifacts": (ContextKind.ARTIFACT, "path"),
}
"""The lists of the YAML: the kind of what is in them, and the key of an entry that holds its value."""
PERCENT = re.compile(r"\s*(\d{1,3})\s*%(?:\s*[-–—:]\s*(.*))?\s*", re.DOTALL)  # noqa: RUF001 - dashes that people type
COMMENTS = frozenset({"comment", "message", "question", "answer"})
"""Types of contributions that are said to somebody rather than shared."""
OURS = "swarm:"
"""What the request ids of our exports begin with: these repeat what stands elsewhere in the store."""
HEAD = frozenset({"task_id", "updated_at", "updated_by", "context", "said", "title", "created", "contributions"})
KEY_LIMIT = 200
FACT = " (fact)"
"""What distinguishes a free key that is called like one of the lists."""


@dataclass(slots=True)
class Sharing:
    """What was shared about one task."""

    entry: Entry
    zone: tzinfo
    context: dict[str, PlanContext] = field(default_factory=dict[str, PlanContext])
    progress: list[PlanRemark] = field(default_factory=list[PlanRemark])
    comments: list[PlanRemark] = field(default_factory=list[PlanRemark])
    _seen: set[tuple[object, ...]] = field(default_factory=set[tuple[object, ...]])
    _numbers: dict[str, int] = field(default_factory=dict[str, int])

    def read_context(self, document: object) -> Json:
        """Take the YAML of any version; what it says besides."""
        if document is None:
            return {}
        if not isinstance(document, dict):
            self.entry.refuse("its shared context is no map")
        said = cast("Json", document)
        inner = said.get("context")
        if isinstance(inner, dict):
            self._keys(cast("Json", inner), said)
        elif inner is not None:
            self.put("context", inner, by=said.get("updated_by"), at=said.get("updated_at"))
        self.contribute(_objects(said.get("contributions")))
        return {key: value for key, value in said.items() if key not in HEAD}

    def _keys(self, context: Json, document: Json) -> None:
        """The documented shape of 2.3."""
        about = document.get("said")
        authors = cast("Json", about) if isinstance(about, dict) else {}
        for name, value in context.items():
            kind, inside = LISTED.get(name, (ContextKind.FACT, ""))
            listed = isinstance(value, list) and bool(inside)
            for n, each in enumerate(cast("list[object]", value) if listed else [value], 1):
                self._entry(f"{kind} {n}" if listed else name, each, kind, inside if listed else "", authors, document)

    def _entry(self, name: str, each: object, kind: ContextKind, inside: str, authors: Json, document: Json) -> None:
        key, value, rationale = name, each, ""
        by, at = document.get("updated_by"), document.get("updated_at")
        if not inside:
            kind = ContextKind.FACT
            key = name.removesuffix(FACT) if name.removesuffix(FACT) in LISTED else name
        elif isinstance(each, dict):
            own = cast("Json", each)
            known = {inside, "key", "rationale", "made_by", "created_by", "date", "type"}
            value = own[inside] if inside in own and not set(own) - known else own
            key = str(own.get("key") or (own.get("type") if inside == "path" else "") or name)
            rationale = str(own.get("rationale") or "")
            by, at = own.get("made_by") or own.get("created_by") or by, own.get("date") or at
        more = authors.get(key)
        if isinstance(more, dict):
            own = cast("Json", more)
            by, at, rationale = own.get("by", by), own.get("at", at), str(own.get("rationale") or rationale)
        self.put(key, value, kind=kind, rationale=rationale, by=by, at=at)

    def put(
        self,
        key: str,
        value: object,
        *,
        kind: ContextKind = ContextKind.FACT,
        rationale: str = "",
        by: object = "",
        at: object = None,
    ) -> None:
        """Keep a shared value under a key that nothing else has."""
        if value is None:
            self.entry.skip(f"its context `{key[:40]}` is empty and was left out")
            return
        free = key.strip() or "context"
        if len(free) > KEY_LIMIT:
            self.entry.guess(f"its context has a key of {len(free):,} characters, which was cut")
            free = free[: KEY_LIMIT - 5]
        shared = PlanContext(
            key=free, value=value, kind=kind.value, rationale=rationale, by=_words(by), at=self._time(at)
        )
        if self.context.get(free) == shared:  # an archive says it once more
            return
        base, n = free, 1
        while free in self.context:
            n += 1
            free = f"{base} {n}"
        self.context[free] = replace(shared, key=free)

    def contribute(self, found: Iterable[Json], *, repeated: Callable[[str], bool] = lambda _: True) -> None:
        """Take contributions, each once: what agents did, shared, discovered, said.

        Args:
            found: with `agent`, `timestamp`, `type`, `content`, and `request_id` where there is one.
            repeated: whether something with a request id of ours stands elsewhere in the store.

        """
        for each in found:
            kind, content = _words(each.get("type")).strip().lower() or "update", _words(each.get("content"))
            by, at = _words(each.get("agent")), self._time(each.get("timestamp"))
            mark = (kind, content, by, at)
            known = mark in self._seen
            self._seen.add(mark)  # repetitions too: that program's archives repeat them without their request ids
            request = str(each.get("request_id") or "")
            if known or (request.startswith(OURS) and repeated(request.removeprefix(OURS).partition(":")[0])):
                continue
            if kind == "progress":
                self._report_in_words(content, by, at)
            elif kind in COMMENTS:
                self.comments.append(PlanRemark(text=content, by=by, at=at))
            else:
                self._share(kind, content, by, at)

    def _share(self, kind: str, content: str, by: str, at: datetime | None) -> None:
        n = self._numbers.get(kind, 0) + 1
        while f"{kind} {n}" in self.context:
            n += 1
        self._numbers[kind] = n
        key = f"{kind} {n}"[-KEY_LIMIT:]
        self.context[key] = PlanContext(key=key, value=content, by=by, at=at)

    def read_progress(self, text: str, name: str) -> None:
        """Take progress as JSON lines: of 2.3 with a percentage, of 2.5 in words."""
        for n, line in enumerate(text.split("\n"), 1):
            if line.strip():
                value, _ = parse_json(line, f"{name}, line {n}")
                if not isinstance(value, dict):
                    self.entry.refuse(f"line {n} of its progress is no object")
                said = cast("Json", value)
                by, at = _words(said.get("agent")), self._time(said.get("timestamp"))
                if "message" in said or "progress" in said:
                    self._report(_words(said.get("message")), said.get("progress"), by, at)
                else:
                    self._report_in_words(_words(said.get("update")), by, at)

    def _report_in_words(self, words: str, by: str, at: datetime | None) -> None:
        """Take progress that begins with its percentage, if it has one."""
        written = PERCENT.fullmatch(words)
        if written is not None and _percent(written[1]) is not None:
            self._report((written[2] or "").strip(), written[1], by, at)
        else:
            self._report(words, None, by, at)

    def _report(self, words: str, percent: object, by: str, at: datetime | None) -> None:
        share = _percent(percent)
        if percent is not None and share is None:
            self.entry.skip(f"its progress of `{str(percent)[:20]}` is no percentage from 0 to 100 and was left out")
        mark = ("progress", share, words, by, at)
        if mark not in self._seen:
            self._seen.add(mark)
            self.progress.append(PlanRemark(text=words, by=by, at=at, percent=share))

    def _time(self, value: object) -> datetime | None:
        try:
            return instant("" if value is None else str(value), self.zone, self.entry.findings)
        except (ValueError, OverflowError):
            self.entry.skip(f"a time in its context (`{str(value)[:40]}`) is none and was left out")
            return None


def _percent(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        share = float(value)
    except ValueError:
        return None
    return round(share) if 0 <= share <= 100 else None  # noqa: PLR2004 - a percentage


def _words(value: object) -> str:
    """Something that should be text; whatever else it is, as YAML shows it."""
    return "" if value is None else value if isinstance(value, str) else str(value)


def _objects(value: object) -> Iterator[Json]:
    for each in cast("list[object]", value) if isinstance(value, list) else []:
        if isinstance(each, dict):
            yield cast("Json", each)
        elif each is not None:
            yield {"content": _words(each)}
