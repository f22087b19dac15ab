"""The calls that the board's sentences name, as commands: whoever reads them here has a shell, and no tools.

What no command can do, and what is no call that we know, stays as it is. `…` stands in both for what only the reader
can say.
"""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BLANK = "…"
PROGRAM = "swarm-mcp"
LONGEST = 2_000
"""Characters of a call; whatever is longer is none of ours."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a tool's call is typed."""

    tool: str
    command: str
    places: tuple[str, ...] = ()
    """Arguments by their place; one that may be left out ends in `?`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Arguments by their option; one that is true is the option alone."""
    only: Mapping[str, str] = field(default_factory=dict)
    """It is meant by these values alone, and says them by itself."""
    agent: str = "may"
    """Whether it says who acts: no, may, or must, because the operator has no work of its own."""
    besides: frozenset[str] = frozenset()
    """Arguments that need not be said here."""

    def fits(self, said: Mapping[str, Any]) -> bool:
        """Whether it can say everything of a call."""
        places = {each.removesuffix("?") for each in self.places}
        known = {*places, *self.options, *self.only, *self.besides}
        return said.keys() <= known and all(said.get(name) == value for name, value in self.only.items())


EDITS = {
    "action": "--action", "reason": "--reason", "subtree": "--subtree", "clear": "--clear",
    "drop_depends_on": "--drop-depends-on", "add_depends_on": "--depends-on", "add_criteria": "--criterion",
}  # fmt: skip
WAYS = (
    Way("claim_task", "tasks claim", ("task?",), {"pool": "--pool", "under": "--under"}, agent="must"),
    Way("get_task", "tasks show", ("task",), {"include": "--include"}, besides=frozenset({"max_tokens", "cursor"})),
    Way(
        "report_progress", "tasks report", ("task", "message"),
        {"percent": "--percent", "status": "--status", "ask": "--ask", "depends_on": "--depends-on",
         "attempt": "--attempt"}, agent="must",
    ),
    Way(
        "complete_task", "tasks done", ("task",), {"outcome": "--outcome", "summary": "--summary"}, agent="must",
        besides=frozenset({"attempt"}),
    ),
    Way("send_message", "send", ("text",), {"reply_to": "--reply-to", "task": "--task"}),
    Way("send_message", "send", ("to", "text"), {"reply_to": "--reply-to", "task": "--task"}),
    Way("check_inbox", "inbox", options={"wait_seconds": "--wait", "reread": "--again"}),
    Way("update_task", "tasks update", ("task",), EDITS),
    Way(
        "list_tasks", "tasks list",
        options={"limit": "--limit", "sort": "--sort", "under": "--under", "ready": "--ready"},
    ),
    Way("delegate", "tasks delegate", ("task", "to"), {"reasoning": "--reasoning"}),
    Way("review_task", "tasks review", ("task", "verdict"), {"notes": "--notes", "quality": "--quality"}),
    Way("register_agent", "agents resume", ("name",), only={"lifecycle": "active"}),
    Way("register_agent", "agents add", ("name",), {"role": "--role", "superior": "--superior"}),
    Way("list_agents", "agents list", agent="no"),
    Way("get_overview", "stuck", options={"under": "--under"}, only={"view": "stuck"}, agent="no"),
    Way("get_overview", "critical-path", options={"under": "--under"}, only={"view": "critical_path"}, agent="no"),
    Way("get_overview", "tasks tree", ("under?",), only={"view": "tree"}, agent="no"),
)  # fmt: skip
"""The first that can say all of a call is the one."""
HELD = Way("get_task", "agents show", ("name",), agent="no")
"""What a call of `get_task` without a task asks: what its agent holds."""
ARGUMENT = re.compile(
    r"""\bevidence=\{"(?P<number>\d+)": …\}"""
    r"""|\b(?P<name>status|outcome|role|limit|under)=(?:"(?P<word>[a-z_]+)"|(?P<figure>\d+|…))"""
)
"""What a sentence says of a call without the call: `outcome="partial"`."""
FIGURES = frozenset({"percent"})
"""What is no text, so that a blank cannot stand for it: whoever wants to say it finds it in the help."""
CALL = re.compile(rf"\b(?:{'|'.join(sorted({way.tool for way in WAYS}))})\(")
READING = re.compile(r"(?:get_task|check_inbox)\(")
"""What the board puts behind words that it has cut. Whatever else stands there is somebody's, who may want it typed."""
QUOTED_OR_BLANK = re.compile(rf'"(?:[^"\\]|\\.)*"|{BLANK}')
AND_SO_ON = re.compile(r",\s*…\)$")
"""How a call ends of which not everything is said."""
SPOKEN = ("message", "next", "warnings", "more", "left_out")
"""The fields of an answer that are the board's own sentences, and no one's else."""

typed: dict[str, str] = {}
"""What was typed of `--agent`, `--database` and `--project`: a command that acts elsewhere would be no help."""


def in_commands(words: str, *, with_options: bool = False) -> str:
    """A sentence of the board's with a command, in backticks, in the place of each call that there is a command for.

    A refusal names arguments alone as well (`with_options`); in other sentences what looks like one may be a title's.
    """
    between = _in_options if with_options else str
    said, end = [], 0
    for start, stop in _calls(words):
        command = as_command(words[start:stop])
        said += [between(words[end:start]), f"`{command}`" if command else words[start:stop]]
        end = stop
    return "".join([*said, between(words[end:])])


def _in_options(words: str) -> str:
    """What a sentence says of arguments, said of options."""
    return ARGUMENT.sub(
        lambda found: (
            f"--evidence {found['number']}=…"
            if found["number"]
            else f"--{found['name']} {found['word'] or found['figure']}"
        ),
        words,
    )


def as_command(call: str) -> str:
    """The command that does what a call does; empty if there is none."""
    try:
        tool, said = _read(call)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # somebody's words may look like a call
        return ""
    if tool == HELD.tool and not said:
        return _typed(HELD, {"name": typed.get("--agent", BLANK)})
    way = next((each for each in WAYS if each.tool == tool and each.fits(said)), None)
    return _typed(way, said) if way is not None else ""


def in_the_shells_words(answer: Any) -> Any:
    """An answer whose own sentences name commands; what anybody else wrote in it is left alone."""
    changed: dict[str, Any] = {}
    for name in SPOKEN:
        value = getattr(answer, name, None)
        if name == "message" and any(CALL.search(title) for title in _titles(answer)):
            continue  # the sentence may quote it
        if isinstance(value, str):
            changed[name] = in_commands(value)
        elif isinstance(value, list):
            changed[name] = [in_commands(each) for each in value]
    brief = getattr(answer, "brief", None)
    if brief is not None:
        changed["brief"] = in_the_shells_words(brief)
    return answer.model_copy(update=changed)


def _titles(answer: Any) -> Iterator[str]:
    """The title of the task that an answer is about, or of the task that it is."""
    for part in (answer, getattr(answer, "task", None)):
        title = getattr(part, "title", None)
        if isinstance(title, str):
            yield title


def with_commands_behind(words: str) -> str:
    """Somebody's words, and in commands what the board has put behind them in brackets: where the rest can be read."""
    kept, sign, behind = words.rpartition("… (")
    return f"{kept}{sign}{in_commands(behind)}" if sign and READING.match(behind) else words


def _calls(words: str) -> Iterator[tuple[int, int]]:
    """Where each call begins and ends; one that is never closed is none."""
    place = 0
    while found := CALL.search(words, place):
        end = _end(words, found.end())
        if end:
            yield found.start(), end
        place = end or found.end()


def _end(words: str, start: int) -> int:
    depth, quoted = 1, False
    for place in range(start, min(len(words), start + LONGEST)):
        quoted ^= words[place] == '"'
        if not quoted:
            depth += (words[place] == "(") - (words[place] == ")")
        if not depth:
            return place + 1
    return 0


def _read(call: str) -> tuple[str, dict[str, Any]]:
    """A call as the board writes it, as a name and arguments; an ellipsis is what its caller has to say.

    Raises:
        ValueError: it is written in another way.

    """
    spelt = QUOTED_OR_BLANK.sub(lambda found: "..." if found[0] == BLANK else found[0], AND_SO_ON.sub(")", call))
    node = ast.parse(spelt, mode="eval").body
    named = {each.arg: each.value for each in node.keywords if each.arg} if isinstance(node, ast.Call) else {}
    match node:
        case ast.Call(func=ast.Name(id=tool), args=[], keywords=keywords) if len(keywords) == len(named):
            return tool, {name: _value(value) for name, value in named.items()}
        case _:
            raise ValueError(call)


def _value(node: ast.expr) -> Any:
    """A value as the board spells one.

    Raises:
        ValueError: it is something else.

    """
    match node:
        case ast.Name(id="true" | "false" as word):
            return word == "true"
        case ast.Constant(value=str() | int() | float() | bool() as value):
            return value
        case ast.Constant(value=value) if value is ...:
            return value
        case ast.List(elts=parts):
            return [_value(each) for each in parts]
        case _:
            raise ValueError(ast.dump(node))


def _typed(way: Way, said: Mapping[str, Any]) -> str:
    """A command as it is typed."""
    words = [PROGRAM, *way.command.split()]
    for place in way.places:
        name = place.removesuffix("?")
        words += [_word(said.get(name, ...))] if name in said or name == place else []
    for name, option in way.options.items():
        words += _option(option, said[name]) if name in said and not (name in FIGURES and said[name] is ...) else []
    if way.agent == "must" or (way.agent == "may" and "--agent" in typed):
        words += ["--agent", _word(typed.get("--agent", ...))]
    for option in ("--database", "--project"):
        words += [option, _shown(typed[option])] if option in typed else []
    return " ".join(words)


def _shown(place: str) -> str:
    """Where the board is; an address with a password is for its reader to say."""
    if "://" not in place:
        return _word(place)
    from swarm_mcp.repository.postgres import without_password  # noqa: PLC0415 - help must not import the board

    return _word(place if without_password(place) == place else ...)


def _option(option: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [option] if value else []
    values = value if isinstance(value, list) else [value]
    return [word for each in values for word in (option, _word(each))]


def _word(value: Any) -> str:
    return BLANK if value in (..., BLANK) else shlex.quote(str(value))
