"""A foreign record where it stands in its file, and what its author should know about reading it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn, cast

from swarm_mcp.interchange.foreign.misdecoding import misdecoded
from swarm_mcp.model.draft import TITLE_LIMIT
from swarm_mcp.model.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Findings:
    """What a reader had to decide; see `PlanDocument` for what each of them holds."""

    dangling: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    guessed: list[str] = field(default_factory=list[str])
    skipped: list[str] = field(default_factory=list[str])
    renamed: list[str] = field(default_factory=list[str])
    naive: int = 0
    """How many times said no offset."""
    scored: bool = False
    """Whether a complexity was given as a number."""
    supposed: Counter[str] = field(default_factory=Counter[str])
    """How often something was supposed that is told once for the whole file."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A task or subtask of a foreign file."""

    ref: str
    values: dict[str, object]
    file: str
    """The base name of the file."""
    place: str
    """Where in the file, in words: `task 3, subtask 2`."""
    findings: Findings
    parent: Entry | None = None
    list_name: str = ""
    """The list that it is in, where the file has several."""

    def ancestors(self) -> Iterator[Entry]:
        """What it is a part of, the nearest first."""
        above = self.parent
        while above:
            yield above
            above = above.parent

    def refuse(self, what: str) -> NoReturn:
        """Say what is wrong, and where.

        Raises:
            Invalid: always.

        """
        raise Invalid(f"`{self.file}`, {self.place}: {what}.")

    def guess(self, what: str) -> None:
        """Report what could have been meant otherwise."""
        self.findings.guessed.append(f"{self.ref}: {what}.")

    def skip(self, what: str) -> None:
        """Report what was left out."""
        self.findings.skipped.append(f"{self.ref}: {what}.")

    def items(self, key: str) -> list[object]:
        """The items of a list; absent is none.

        Raises:
            Invalid: it is something else.

        """
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(f"`{key}` is not a list")
        return cast("list[object]", value)

    def records(self, key: str) -> list[Entry]:
        """The objects of a list, each as an entry of its own whose findings are this one's; absent is none.

        Raises:
            Invalid: it is something else.

        """
        values = self.items(key)
        for each in values:
            if not isinstance(each, dict):
                self.refuse(f"`{key}` holds something that is no object")
        return [replace(self, values=cast("dict[str, object]", each)) for each in values]

    def texts(self, key: str) -> list[str]:
        """The texts of a list, or the only one; absent is none.

        Raises:
            Invalid: it is something else.

        """
        if isinstance(self.values.get(key), str):
            return [self.text(key)]
        values = self.items(key)
        if not all(isinstance(each, str) for each in values):
            self.refuse(f"`{key}` holds something that is not text")
        return cast("list[str]", values)

    def text(self, key: str) -> str:
        """A field's text, kept as it is; absent is empty, and a list of texts is taken as lines.

        Raises:
            Invalid: it is something else.

        """
        value = self.values.get(key)
        if isinstance(value, list):
            self.guess(f"`{key}` is a list; its items were joined as lines")
            return "\n".join(self.texts(key))
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.refuse(f"`{key}` is not text")
        text = str(value)
        if wrong := misdecoded(text):
            self.guess(f"`{key}` seems decoded with the wrong code page (`{wrong[:20]}`); it was kept as it is")
        return text

    def titled(self, title: str, *parts: str) -> tuple[str, str]:
        """A title that the board takes, and a description of all parts with what the title could not keep."""
        title = title.strip()
        description = "\n\n".join(dict.fromkeys(part.strip("\r\n") for part in parts if part.strip()))
        if not title:
            first = description.lstrip().partition("\n")[0].strip()
            title = first or f"Task {self.ref}"
            self.findings.renamed.append(f"{self.ref}: it has no title; it was called `{title[:60]}`.")
        if len(title) <= TITLE_LIMIT:
            return title, description
        short = title[: TITLE_LIMIT + 1].rpartition(" ")[0].rstrip() or title[:TITLE_LIMIT]
        self.findings.renamed.append(
            f"{self.ref}: its title of {len(title):,} characters was cut; the whole begins the description."
        )
        whole = description if description.lstrip().startswith(title) else f"{title}\n\n{description}".strip()
        return short, whole
