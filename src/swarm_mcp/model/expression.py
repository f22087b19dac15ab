"""A check's text, read without running it: which measurements it needs and how much work it may be.

The CEL library tells the names in an expression, but not their paths, nor which of them a macro binds, so
this reads the tokens itself. It relies on the library to refuse what is not CEL. The lexical rules are
those of the CEL language definition, https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from swarm_mcp.model.errors import Invalid

Path = tuple[str, ...]

LENGTH_LIMIT = 2_000
TOKEN_LIMIT = 500
NESTING_LIMIT = 20
"""The library recurses on the native stack, where an overflow ends the process: 100 brackets or 1,000
operators are too much for a thread with 256 KiB of stack."""
MACRO_NESTING_LIMIT = 2

MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "map", "filter"})
FUNCTIONS = frozenset(
    {"size", "contains", "startsWith", "endsWith", "matches"}
    | {"int", "uint", "double", "string", "bytes", "type", "dyn", "timestamp", "duration"}
    | {"getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"}
    | {"getHours", "getMinutes", "getSeconds", "getMilliseconds"}
)
"""All that the library can call. An unknown function would be found out only when a task is completed."""
TYPES = frozenset({"bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"})
CONSTANTS = frozenset({"true", "false", "null"})
BRACKETS = {"(": ")", "[": "]", "{": "}"}

TOKEN = re.compile(
    r"""
      (?P<space>   [ \t\r\n\f]+ | //[^\n]* )
    | (?P<text>    [bB]? (?: [rR] (?: \"{3}[\s\S]*?\"{3} | '{3}[\s\S]*?'{3} | "[^"\r\n]*" | '[^'\r\n]*' )
                           | \"{3}(?:\\[\s\S]|[^\\])*?\"{3} | '{3}(?:\\[\s\S]|[^\\])*?'{3}
                           | "(?:\\.|[^"\\\r\n])*" | '(?:\\.|[^'\\\r\n])*' ) )
    | (?P<number>  0[xX][0-9a-fA-F]+[uU]? | (?: [0-9]+\.[0-9]+ | [0-9]+ | \.[0-9]+ ) (?:[eE][+-]?[0-9]+)? [uU]? )
    | (?P<name>    [A-Za-z_][A-Za-z0-9_]* )
    | (?P<mark>    && | \|\| | [<>=!]= | [\s\S] )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word of an expression: its kind (text, number, name, mark, end) and how it is written."""

    kind: str
    words: str


@dataclass(slots=True)
class Expression:
    """What reading an expression brought to light."""

    needed: set[Path] = field(default_factory=set)
    """Measurements that must be there, as paths."""
    optional: set[Path] = field(default_factory=set)
    """Paths that the expression asks about with has(): what stands above them must be there."""
    functions: set[str] = field(default_factory=set)
    macros: int = 0
    nesting: int = 0
    """The most macros within one another."""
    maps: int = 0
    filters: int = 0
    patterns: int = 0
    """Nanoseconds per round for matches() inside macros: each round compiles its pattern anew."""
    growth: int = 0
    """Places where a value may become longer: additions, and items of literals."""
    arithmetic: bool = False


def tokens_of(text: str) -> list[Token]:
    """The tokens of an expression, within limits that keep the parser safe.

    Raises:
        Invalid: too long, too many tokens, too deeply nested.

    """
    if len(text) > LENGTH_LIMIT:
        raise Invalid(
            f"The check is {len(text):,} characters long; at most {LENGTH_LIMIT:,}. Measure more, compare less."
        )
    found = [Token(str(each.lastgroup), each[0]) for each in TOKEN.finditer(text) if each.lastgroup != "space"]
    if len(found) > TOKEN_LIMIT:
        raise Invalid(f"The check has {len(found):,} words and signs; at most {TOKEN_LIMIT}. Split it into several.")
    depth = deepest = 0
    for token in found:
        depth += (token.words in BRACKETS) - (token.words in BRACKETS.values())
        deepest = max(deepest, depth)
    if deepest > NESTING_LIMIT:
        raise Invalid(f"The check nests brackets {deepest:,} deep; at most {NESTING_LIMIT}.")
    return found


def read_expression(tokens: list[Token]) -> Expression:
    """What an expression needs; its tokens must be those of one that the library could parse.

    Raises:
        Invalid: it builds or nests what checks cannot.

    """
    reader = _Reader(tokens)
    reader.need(reader.group(""))
    found = reader.found
    if "type" in found.functions:  # beside type(), `int` is what it gives, else a measurement of that name
        found.needed -= {(name,) for name in TYPES}
    found.needed = {path for path in found.needed if not any(path[: len(asked)] == asked for asked in found.optional)}
    return found


class _Reader:
    """Walks over the tokens once; every method leaves `at` behind what it read."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens: list[Token] = [*tokens, Token("end", "")]
        self.at: int = 0
        self.bound: list[str] = []
        self.found: Expression = Expression()

    @property
    def next(self) -> Token:
        return self.tokens[min(self.at, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.next
        self.at += 1
        return token

    def need(self, path: Path) -> None:
        if path:
            self.found.needed.add(path)

    def group(self, closing: str) -> Path:
        """Everything up to a closing bracket; its path, if it is one and nothing else."""
        paths: list[Path] = []
        marks = 0
        while self.next.kind != "end" and self.next.words != closing:
            token = self.next
            if token.words in BRACKETS or (token.kind in {"name", "text", "number"} and token.words != "in"):
                paths.append(self.operand())
                continue
            if token.words == ".":
                raise Invalid("A name in the check begins with a dot; write it without.")
            self.take()
            marks += 1
            self.found.growth += token.words == "+" or (token.words == "," and closing in {"]", "}"})
            self.found.arithmetic |= token.words in {"+", "-", "*", "/", "%"}
        self.take()
        if len(paths) == 1 and not marks:
            return paths[0]
        for path in paths:
            self.need(path)
        return ()

    def operand(self) -> Path:
        """A value with what is selected from it; the path if it is one that only measurements can fill."""
        path = self.primary(self.take())
        while self.next.words in {".", "["}:
            if self.take().words == "[":
                path = self.index(path)
                continue
            name = self.take().words
            if self.next.words == "(":
                self.need(path)
                self.call(name, on_value=True)
                path = ()
            elif path:
                path = (*path, name)
        if self.next.words == "{":
            raise Invalid(f"The check builds a `{'.'.join(path)}`; checks know numbers, texts, lists and maps only.")
        return path

    def primary(self, token: Token) -> Path:
        if token.words in BRACKETS:
            inner = self.group(BRACKETS[token.words])
            if token.words == "(":
                return inner
            self.need(inner)
            return ()
        if token.kind != "name" or token.words in CONSTANTS:
            return ()
        if self.next.words == "(":
            self.call(token.words, on_value=False)
            return ()
        return () if token.words in self.bound else (token.words,)

    def index(self, path: Path) -> Path:
        """`["name"]` is one more step of a path; any other index ends it."""
        step = self.next
        plain = step.kind == "text" and step.words[0] in "'\"" and "\\" not in step.words
        if path and plain and self.tokens[self.at + 1].words == "]":
            self.at += 2
            return (*path, step.words.strip(step.words[0]))
        self.need(path)
        self.need(self.group("]"))
        return ()

    def call(self, name: str, *, on_value: bool) -> None:
        self.take()
        if name == "has" and not on_value:
            asked = self.group(")")
            if asked:
                self.found.optional.add(asked)
                self.need(asked[:-1])
        elif on_value and name in MACROS and self.tokens[self.at + 1].words == ",":
            self.macro(name)
        else:
            self.found.functions.add(name)
            if name == "matches" and self.bound:
                self.found.patterns += self.pattern_cost()
            self.need(self.group(")"))

    def pattern_cost(self) -> int:
        """Nanoseconds to compile the pattern that comes next; measured, and rounded up."""
        if self.next.kind != "text" or "{" in self.next.words or self.tokens[self.at + 1].words != ")":
            return 50_000_000  # counted repetitions grow up to the library's limit
        classes = sum(map(self.next.words.count, "\\["))
        return 300_000 * classes + 10_000 * len(self.next.words)

    def macro(self, name: str) -> None:
        self.bound.append(self.take().words)
        self.found.macros += 1
        self.found.maps += name == "map"
        self.found.filters += name == "filter"
        self.found.nesting = max(self.found.nesting, len(self.bound))
        if self.found.nesting > MACRO_NESTING_LIMIT:
            raise Invalid(f"The check nests {', '.join(sorted(MACROS))} more than {MACRO_NESTING_LIMIT} deep.")
        self.take()
        self.need(self.group(")"))
        self.bound.pop()
