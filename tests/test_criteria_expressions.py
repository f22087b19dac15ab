"""Checks in CEL: what they need, what they say, and what they refuse to do."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarm_mcp.model.criteria import Verdict, check_expression, evaluate, expand, names_of
from swarm_mcp.model.errors import Invalid

MEASURED: dict[str, Any] = {
    "p95_ms": 240,
    "coverage": 91.5,
    "test_suite": {"exit_code": 0, "failed": 0},
    "results": [{"name": "a", "ok": True}, {"name": "b", "ok": True}],
    "browser": "firefox",
    "ok": True,
}


def outcome(check: str, **measured: object) -> str:
    return evaluate(check, {**MEASURED, **measured}).outcome


@pytest.mark.parametrize(
    "check",
    [
        "test_suite.exit_code == 0",
        'test_suite["exit_code"] == 0 && coverage >= 90.0',
        "coverage >= 90",
        "p95_ms < 240.5",
        "results.all(r, r.ok)",
        "results.exists_one(r, r.name == 'a')",
        "results.filter(r, r.ok).size() == 2",
        "results.map(r, r.name) == ['a', 'b']",
        "browser in ['firefox', 'chromium']",
        'browser.matches("^fire")',
        "type(p95_ms) == int",
        "ok",
        "ok // said the host\n && p95_ms > 0",
    ],
)
def test_a_check_that_holds_passes(check: str) -> None:
    assert evaluate(check, MEASURED) == Verdict("passed")


def test_a_failed_check_says_what_was_measured() -> None:
    assert evaluate("p95_ms < 200", MEASURED) == Verdict("failed", "p95_ms < 200, measured 240")
    both = evaluate("p95_ms < 200 && test_suite.exit_code == 0", MEASURED)
    assert both.reason == ("p95_ms < 200 && test_suite.exit_code == 0, measured p95_ms 240, test_suite.exit_code 0")


def test_the_reason_for_a_failure_stays_short_whatever_was_measured() -> None:
    verdict = evaluate("log == 'x'" + " && log == 'x'" * 100, {"log": "line\n" * 1_000})
    assert verdict.outcome == "failed"
    assert len(verdict.reason) < 300


@pytest.mark.parametrize(
    ("check", "names"),
    [
        ("coverage > 90", {"coverage"}),
        ("test_suite.exit_code == 0", {"test_suite.exit_code"}),
        ('test_suite["exit_code"] == 0', {"test_suite.exit_code"}),
        ("(test_suite).exit_code == 0", {"test_suite.exit_code"}),
        ("a || b", {"a", "b"}),
        ("a ? b : c", {"a", "b", "c"}),
        ("suite.cases.all(c, c.ok && limit > c.ms)", {"suite.cases", "limit"}),
        ("xs.all(x, ys.exists(y, y == x + z))", {"xs", "ys", "z"}),
        ("xs.all(x, x > 1) && x == 2", {"xs", "x"}),
        ("xs.map(x, x.a > 1, x.b).size() == n", {"xs", "n"}),
        ("browser.size() == size(other.name)", {"browser", "other.name"}),
        ("xs[i].name == 'a.b' && m[k.l] == \"it's c\"", {"xs", "i", "m", "k.l"}),
        ('text == """a "b" c""" && raw == r"\\d" && b"bytes" != bytes(raw)', {"text", "raw"}),
        ("n == 0x1F && f < 1.5e3 && u == 7u", {"n", "f", "u"}),
        ("{'k': v}.k == [w, 1][0]", {"v", "w"}),
        ("type(a) == int", {"a"}),
        ("int == 1", {"int"}),
        ("has(x.y) && x.y.z > 1 && x.q", {"x", "x.q"}),
        ("has(x.y)", {"x"}),
        ("a == 1 // && b == 2", {"a"}),
    ],
)
def test_the_names_that_a_check_needs_are_its_measurements(check: str, names: set[str]) -> None:
    assert names_of(check) == names


@pytest.mark.parametrize("check", ["true", "1 < 2", "'p95_ms' != 'x.y'", "[1, 2].all(x, x > 0)", "", "  "])
def test_a_check_without_measurements_is_a_manual_criterion(check: str) -> None:
    assert names_of(check) == frozenset()
    assert evaluate(check, MEASURED).outcome == "unresolved"


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("latency < 200", "`latency` was not measured"),
        ("ok || latency < 200", "`latency` was not measured"),
        ("!ok && latency < 200 && errors == 0", "`errors` and `latency` were not measured"),
        ("test_suite.skipped == 0", "`test_suite.skipped` was not measured"),
        ("ok || (test_suite).skipped == 0", "`test_suite.skipped` was not measured"),
        ("p95_ms.value < 200", "`p95_ms.value` was not measured"),
        ("has(latency.p95)", "`latency` was not measured"),
        ("a + b + c + d + e + f + g > 1", "`a`, `b`, `c`, `d`, `e` and 2 more were not measured"),
    ],
)
def test_every_name_must_have_been_measured(check: str, reason: str) -> None:
    assert evaluate(check, MEASURED) == Verdict("unresolved", reason)


def test_null_is_not_a_measurement() -> None:
    assert outcome("p95_ms < 200", p95_ms=None) == "unresolved"
    assert outcome("p95_ms == null", p95_ms=None) == "unresolved"
    assert outcome("has(run.errors)", run={"errors": None, "n": 1}) == "failed"


def test_has_asks_for_a_measurement_that_may_be_missing() -> None:
    assert outcome("has(test_suite.skipped)") == "failed"
    assert outcome("!has(test_suite.skipped) || test_suite.skipped == 0") == "passed"
    assert outcome("!has(test_suite.failed) || test_suite.failed == 1") == "failed"


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("p95_ms", "gave 240, not true or false"),
        ("browser", 'gave "firefox", not true or false'),
        ("results.map(r, r.ok)", "gave [true, true], not true or false"),
        ("browser < 3", 'browser < 3 combines kinds of values that do not go together, measured "firefox"'),
        ("p95_ms / 0 == 1", "p95_ms / 0 == 1 divides by zero, measured 240"),
        (
            "p95_ms * 9223372036854775807 > 1",
            "p95_ms * 9223372036854775807 > 1 leaves the range of 64-bit numbers, measured 240",
        ),
        (
            "results[7].ok",
            (
                "results[7].ok asks for an item that was not measured, "
                'measured [{"name": "a", "ok": true}, {"name": "b", "ok": true}]'
            ),
        ),
        (
            "int(browser) > 1",
            'int(browser) > 1 reads a value as something that it is not, measured "firefox"',
        ),
        (
            "browser.matches('(')",
            "browser.matches('(') reads a value as something that it is not, measured \"firefox\"",
        ),
    ],
)
def test_what_gives_no_answer_is_unresolved_and_says_why(check: str, reason: str) -> None:
    assert evaluate(check, MEASURED) == Verdict("unresolved", reason)


def test_whole_and_decimal_numbers_compare_but_do_not_mix_in_arithmetic() -> None:
    assert outcome("p95_ms == 240", p95_ms=240.0) == "passed"
    assert outcome("p95_ms < 240.5 && p95_ms > 239.5") == "passed"
    mixed = evaluate("coverage * 2 > 100", MEASURED)
    assert mixed.outcome == "unresolved"
    assert "2 and 2.0 do not mix" in mixed.reason


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (150, "passed"),
        (Decimal("199.99"), "passed"),
        (Decimal("1e999"), "failed"),
        (2**63, "failed"),
        (2**70, "failed"),
        (-(2**70), "passed"),
        (10**400, "failed"),
        (-(10**400), "passed"),
        (math.inf, "failed"),
        (math.nan, "unresolved"),
        (Decimal("NaN"), "unresolved"),
        (Decimal("sNaN"), "unresolved"),
        ("150", "unresolved"),
        ([150], "unresolved"),
        ("\ud800", "unresolved"),
        (b"150", "unresolved"),
        ({150}, "unresolved"),
        (object(), "unresolved"),
    ],
)
def test_any_kind_of_value_may_be_measured(value: object, expected: str) -> None:
    assert outcome("p95_ms < 200", p95_ms=value) == expected


def test_what_is_no_number_never_passes_even_as_unequal() -> None:
    assert evaluate("rate != 1.0", {"rate": math.nan}) == Verdict("unresolved", "`rate` is not a number")


def test_other_measurements_do_not_matter() -> None:
    assert evaluate("p95_ms == 240", {**MEASURED, "noise": object(), "more": math.nan}).outcome == "passed"


@pytest.mark.parametrize(
    ("check", "part"),
    [
        ("p95_ms <", "does not parse at line 1, character 9"),
        ("a ==\n== 1", "does not parse at line 2, character 1"),
        ("latência < 200", "does not parse at line 1, character 4"),
        ("p95 < 200 ms", "does not parse at line 1, character 11"),
        ("'unfinished", "does not parse"),
        ("a\0b", "does not parse"),
        ("has(a)", "does not parse"),
        ("for > 1", "does not parse"),
        ("  // nothing", "is empty"),
        ("open('x') == 1", "no function `open`"),
        ("__import__('os') == 1", "no function `__import__`"),
        ("xs.sum() > 1", "no function `sum`"),
        ("m.all(k, v, v > 1)", "no function `all`"),
        ("Point{x: 1}.x == a", "builds a `Point`"),
        ("geo.Point{x: 1}.x == a", "builds a `geo.Point`"),
        (".a == 1", "begins with a dot"),
        ("a == 1 || " * 300 + "a == 1", "3,006 characters long; at most 2,000"),
        ("!" * 1_500 + "a", "1,501 words and signs; at most 500"),
        ("(" * 200 + "a" + ")" * 200, "nests brackets 200 deep"),
        ("(" * 200, "nests brackets 200 deep"),
        ("a.all(x, a.all(y, a.all(z, true)))", "more than 2 deep"),
    ],
)
def test_a_check_that_can_never_be_evaluated_is_refused_when_written(check: str, part: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_expression(check)
    assert part in refused.value.message
    assert "\n" not in refused.value.message.replace(check[:60], "")
    assert "mismatched" not in refused.value.message
    assert evaluate(check, MEASURED).outcome == "unresolved"


@pytest.mark.parametrize("piece", ["(", "[", "{1:", "!(", "size(", "a.all(x,", "a?", "-", "!", "a.", "a||", "'"])
def test_ten_thousand_of_anything_neither_crashes_nor_passes(piece: str) -> None:
    closing = "".join({"(": ")", "[": "]", "{": "}"}.get(each, "") for each in piece)
    hostile = piece * 10_000 + "a" + closing * 10_000
    assert evaluate(hostile, {"a": True}).outcome == "unresolved"


@pytest.mark.parametrize("unit", ["({})", "[{}]", "{{1: {}}}", "size([{}])", "!({})", "(a ? b : {})", "(1 + {})"])
def test_the_deepest_allowed_check_is_safe_in_a_thread_with_a_small_stack(unit: str) -> None:
    check = "a"
    while len(check) < 1_900 and check.count("(") + check.count("[") + check.count("{") + unit.count("(") < 20:
        check = unit.format(check)
    verdicts: list[Verdict] = []
    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=lambda: verdicts.append(evaluate(check, {"a": True, "b": True})))
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert len(verdicts) == 1


def test_measurements_nested_beyond_reason_are_refused_instead_of_crashing() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    verdict = evaluate("deep == deep", {"deep": nested})
    assert verdict == Verdict("unresolved", "`deep` is too large or too deep to be checked")
    while nested:  # take it apart by hand, for the interpreter would recurse
        nested = nested.pop()  # pyright: ignore[reportAssignmentType]


@pytest.mark.parametrize(
    ("check", "measured"),
    [
        ("xs.all(x, xs.all(y, x in xs))", {"xs": list(range(5_000))}),
        ("xs.map(x, log).size() > 1", {"xs": list(range(5_000)), "log": "x" * 100_000}),
        ("xs.map(x, xs).size() > 1", {"xs": list(range(1_000))}),
        ("xs.filter(x, x > 0).size() > 1", {"xs": list(range(50_000))}),
        (r"xs.all(x, name.matches('\\w{1,60}'))", {"xs": list(range(500)), "name": "a"}),
        ("xs.all(x, name.matches(name))", {"xs": list(range(500)), "name": "a"}),
        ("[s].map(x, x+x)" + ".map(x, x+x)" * 40 + ".size() > 1", {"s": "x" * 1_000}),
        ("[s].all(x, [x+x+x+x+x+x+x+x].all(y, y+y+y+y+y+y+y+y+y != ''))", {"s": "x" * 500_000}),
        ("big.size() > 1", {"big": ["x"] * 200_000}),
        ("big.contains('y')", {"big": "x" * 2_000_000}),
    ],
)
def test_a_check_that_could_take_minutes_is_not_begun(check: str, measured: dict[str, object]) -> None:
    verdict = evaluate(check, measured)
    assert verdict.outcome == "unresolved"
    assert "too l" in verdict.reason  # too long, too large


@pytest.mark.parametrize(
    ("check", "count"),
    [
        ("xs.all(x, x < 100000)", 10_000),
        ("xs.exists(x, x == 1)", 10_000),
        ("xs.filter(x, x >= 0).size() > 0", 2_000),
        ("xs.all(x, ys.all(y, x != y))", 500),
        (r"xs.all(x, 'abc'.matches('^[a-z]+$'))", 1_000),
        ("size(xs) > 0", 50_000),
    ],
)
def test_lists_of_a_real_size_are_checked(check: str, count: int) -> None:
    assert evaluate(check, {"xs": list(range(count)), "ys": [-1] * count}).outcome == "passed"


def test_texts_and_names_in_other_scripts_are_only_text() -> None:
    assert outcome('title == "日本語 “x.y” a"', title="日本語 “x.y” a") == "passed"
    assert names_of('title == "日本語 “x.y” a"') == {"title"}


def test_the_library_is_loaded_only_when_a_check_is_read() -> None:
    told = "print('cel' in sys.modules)"
    script = f"import sys; import swarm_mcp.model.criteria as c; {told}; c.names_of('a'); {told}"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True"]


def test_dotted_keys_become_maps() -> None:
    assert expand({"test_suite.exit_code": 0, "test_suite.failed": 2, "coverage": 0.9}) == {
        "test_suite": {"exit_code": 0, "failed": 2},
        "coverage": 0.9,
    }
    assert expand({"a": {"b": 1}, "a.c": 2, "a.d.e": 3}) == {"a": {"b": 1, "c": 2, "d": {"e": 3}}}
    assert expand({"coverage": {"src/main.py": 0.9}}) == {"coverage": {"src/main.py": 0.9}}


def test_expanding_leaves_what_was_given_alone() -> None:
    given_map = {"b": 1, "d": {"x": 1}}
    expand({"a": given_map, "a.c": 2, "a.d.e": 3})
    assert given_map == {"b": 1, "d": {"x": 1}}


@pytest.mark.parametrize(
    "measurements",
    [
        {"a": 1, "a.b": 2},
        {"a.b": 2, "a": 1},
        {"a": {"b": 1}, "a.b": 2},
        {"a.b": 2, "a": {"b": 1}},
        {"a.b.c": 1, "a.b": 2},
        {"a": None, "a.b": 2},
        {"": 1},
        {".a": 1},
        {"a.": 1},
        {"a..b": 1},
        {".".join("a" * 10_000): 1},
    ],
)
def test_clashing_and_empty_names_are_refused(measurements: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refused:
        expand(measurements)
    assert len(refused.value.message) < 200


NAMES = st.sampled_from(["a", "b", "suite", "p95_ms"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(tuple)


def grow(
    inner: st.SearchStrategy[tuple[str, frozenset[str]]],
) -> st.SearchStrategy[tuple[str, frozenset[str]]]:
    """Bigger expressions out of smaller ones, each with the names that it needs."""
    return st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||", "==", "+", "in"]), inner).map(
            lambda each: (f"({each[0][0]} {each[1]} {each[2][0]})", each[0][1] | each[2][1])
        ),
        inner.map(lambda each: (f"!({each[0]} == 1)", each[1])),
        inner.map(lambda each: (f"size([{each[0]}, 'a.b'])", each[1])),
        st.tuples(PATHS, inner).map(
            lambda each: (
                f"{'.'.join(each[0])}.exists(bound, bound.a && {each[1][0]})",
                each[1][1] | {".".join(each[0])},
            )
        ),
    )


EXPRESSIONS = st.recursive(
    PATHS.map(lambda path: (".".join(path), frozenset({".".join(path)})))
    | st.sampled_from([("1.5", frozenset[str]()), ("\"a.b + 'c'\"", frozenset[str]()), ("null", frozenset[str]())]),
    grow,
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS)
def test_the_names_of_any_expression_are_those_it_was_built_from(built: tuple[str, frozenset[str]]) -> None:
    check, names = built
    try:
        assert names_of(check) == names
    except Invalid as refused:
        assert "more than 2 deep" in refused.message  # noqa: PT017
    assert evaluate(check, {}).outcome == "unresolved"


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab.([{}])\"'\\!&|<=>+-*/%?:, 0179xuer\n", max_size=40), st.booleans())
def test_any_text_is_either_refused_in_a_sentence_or_evaluated(text: str, value: bool) -> None:
    try:
        check_expression(text)
    except Invalid as refused:
        assert refused.message.endswith(".")  # noqa: PT017
    assert evaluate(text, {"a": value, "b": [1]}).outcome in {"passed", "failed", "unresolved"}
