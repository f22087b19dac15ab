"""What commands print: tables and coloured text on a terminal, plain lines in a pipe, JSON when asked.

Everything that somebody wrote passes `harmless`, `in_one_line` or `print_json` on its way out, so that no title can
move the cursor of whoever reads it, colour the screen, or end a line of ours.
"""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from swarm_mcp.cli.calls import in_commands, in_the_shells_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, RenderableType
    from rich.text import Text

    from swarm_mcp.model.record import Answer

    Cell = str | Text

PICTURES = 0x2400
"""Where Unicode has a visible picture of each control character."""
REPLACEMENT = 0xFFFD
DELETE, C1 = 0x7F, range(0x80, 0xA0)
TURNING = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""What makes a terminal show later words in another order than they are written in."""
SEPARATORS = (0x2028, 0x2029)
HARMLESS: dict[int, int | str] = {
    **{code: PICTURES + code for code in range(0x20) if chr(code) not in "\n\t"},
    DELETE: 0x2421,
    **dict.fromkeys((*C1, *TURNING), REPLACEMENT),
    **dict.fromkeys(SEPARATORS, " "),
}
ESCAPED = re.compile(f"[{''.join(map(chr, (DELETE, *C1, *TURNING, *SEPARATORS)))}]")
"""What JSON may hold as it is, and a terminal must not see."""
UNREAD = re.compile(r"^\d+ unread: check_inbox\(\)$", re.MULTILINE)
"""The one line below the sentence in which a rendered answer names a call of itself."""


class Column(NamedTuple):
    """A column of a table on a terminal."""

    name: str
    flexible: bool = False
    """It gives way where the terminal is narrow, and its words are cut with an ellipsis; others keep their width."""
    right: bool = False
    wraps: bool = False
    """If it gives way, its words go on in a line below instead."""


def harmless(words: str) -> str:
    """Somebody's words with a visible picture, or �, for each character that a terminal would obey."""
    if words.isprintable():
        return words
    return words.replace("\r\n", "\n").translate(HARMLESS)


def in_one_line(words: str) -> str:
    """Somebody's words, harmless, and without the tabs and line ends that would end our columns."""
    return " ".join(words.split()).translate(HARMLESS)


def on_terminal() -> bool:
    """Whether a person sees what is printed."""
    return sys.stdout.isatty()


def console(*, stderr: bool = False) -> Console:
    """The terminal; nothing that is printed to it is markup."""
    from rich.console import Console  # noqa: PLC0415 - help must not wait for it

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def as_json_text(value: object, *, indent: int | None = 2) -> str:
    """JSON, in lines if it is indented, with what a terminal would obey escaped."""
    plain = json.dumps(value, indent=indent, ensure_ascii=False)
    return ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", plain)


def print_json(value: object) -> None:
    """Print JSON values."""
    typer.echo(as_json_text(value))


def print_answer(answer: Answer, *, as_json: bool) -> None:
    """What an operation answers: as JSON, as agents get it, or as the text that they read, in which calls are commands
    and the first sentence stands out.
    """  # noqa: D205 - one sentence that fits no line
    from swarm_mcp.interchange.text import render  # noqa: PLC0415 - help must not import the board

    if as_json:
        print_json(answer.structured())
        return
    answer = in_the_shells_words(answer)
    # It begins with the sentence, in which there may be somebody's title of several lines.
    text = UNREAD.sub(lambda found: in_commands(found[0]), render(answer))
    print_text(in_one_line(answer.message) + text.removeprefix(answer.message))


def print_text(text: str) -> None:
    """Text of several lines; on a terminal the first stands out."""
    if not on_terminal():
        typer.echo(harmless(text))
        return
    from rich.text import Text  # noqa: PLC0415

    first, end, rest = harmless(text).partition("\n")
    console().print(Text.assemble((first, "bold"), end, rest), soft_wrap=True)


def print_rows(rows: Iterable[Sequence[object]]) -> None:
    """Rows for another program: a line each, with tabs between their parts."""
    for row in rows:
        typer.echo("\t".join(in_one_line(str(each)) for each in row))


def note(words: str) -> None:
    """What is said besides what was asked for: to stderr, where it gets into nobody's data."""
    typer.echo(in_one_line(in_commands(words, with_options=True)), err=True)


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, title: str = "") -> None:
    """A sentence and a table, for a terminal of any width."""
    screen = console()
    if title:
        screen.print(_cell(in_commands(title), wraps=True, style="bold"))
    found = list(rows)
    if found:
        screen.print(table(columns, found))


def table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> RenderableType:
    """A table as Rich draws it; cells that are plain text become harmless."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for each in columns:
        drawn.add_column(
            each.name,
            justify="right" if each.right else "left",
            no_wrap=not each.flexible,
            overflow="fold" if each.wraps else "ellipsis",
        )
    for row in rows:
        cells = zip(row, columns, strict=True)
        drawn.add_row(*(_cell(cell, wraps=column.wraps) for cell, column in cells))
    return drawn


def _cell(cell: Cell, *, wraps: bool, style: str = "") -> Text:
    from rich.text import Text  # noqa: PLC0415 - others' words are no markup

    if isinstance(cell, Text):
        return cell
    return Text(in_one_line(cell), style=style, no_wrap=not wraps, overflow="fold" if wraps else "ellipsis")


def print_facts(facts: dict[str, Any]) -> None:
    """What is known about one thing: a name and a value in each line; empty ones are left out."""
    known = {name: str(value) for name, value in facts.items() if value not in ("", None, [], {})}
    if not on_terminal():
        print_rows(known.items())
        return
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = Table.grid(padding=(0, 2))
    for name, value in known.items():
        drawn.add_row(Text(name, style="bold", no_wrap=True), Text(harmless(value)))
    console().print(drawn)
