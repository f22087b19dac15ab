"""Who is let in over HTTP, as whom, and what those learn who are not."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from issuer import AUDIENCE, ISSUER, KeyRing, key_ring, with_oauth, wrong_tokens
from listening import Heard, Listener, call, handshake, listening, modern, of_session, visiting
from recount import looking
from serving import LEGACY

from swarm_mcp import operations
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.bearer import TokenScope
from swarm_mcp.model.errors import Invalid, NotAllowed, NotFound
from swarm_mcp.operations import tokens
from swarm_mcp.operations.projects import create_project
from swarm_mcp.operations.swarm import Swarm, open_swarm
from swarm_mcp.web import oauth
from swarm_mcp.web.oauth import Issuer, Trust, checked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from board import Board

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

# Tokens


def made(swarm: Swarm, agent: str, scope: str = "worker", **said: Any) -> str:
    return swarm.write(lambda db: tokens.create_token(db, agent, scope=scope, **said)).secret


def test_a_token_is_stored_as_a_digest_and_shown_once(board: Board) -> None:
    secret = made(board.swarm, "Ada")
    with looking(board.place) as connection:
        kept = str(connection.execute("SELECT * FROM token").fetchall()).encode()
    if board.swarm.database.path is not None:
        board.swarm.close()
        kept += b"".join(path.read_bytes() for path in board.swarm.database.path.parent.glob("swarm.db*"))
    assert secret[len("swarm_") :].partition("_")[2].encode() not in kept
    listed = board.swarm.read(tokens.list_tokens).tokens
    assert [(each.agent, each.scope, each.state) for each in listed] == [("ada", TokenScope.WORKER, "valid")]
    assert secret not in str(listed)


def test_a_token_opens_its_project_until_it_expires_or_is_revoked(board: Board) -> None:
    secret = made(board.swarm, "ada", "director", valid_for=timedelta(hours=1))
    other = Swarm(board.swarm.database, "other")
    board.swarm.write(lambda db: create_project(db, "other"))

    def bearer(swarm: Swarm, text: str) -> str:
        found, _ = swarm.read(lambda db: tokens.bearer_of(db, text))
        return found.agent if found is not None else ""

    assert bearer(board.swarm, secret) == "ada"
    assert bearer(other, secret) == ""
    for wrong in ("", "swarm_", secret[:-1] + ("A" if secret[-1] != "A" else "B"), secret + "x", "x" * 10_000):
        assert bearer(board.swarm, wrong) == ""
    board.clock.advance(hours=1)
    assert bearer(board.swarm, secret) == ""
    again = made(board.swarm, "ada")
    (_, kept) = board.swarm.read(tokens.list_tokens).tokens
    board.swarm.write(lambda db: tokens.revoke_token(db, kept.id))
    assert bearer(board.swarm, again) == ""
    assert [each.state for each in board.swarm.read(tokens.list_tokens).tokens] == ["expired", "revoked"]
    assert board.swarm.read(tokens.are_demanded), "the end of the last token must not open the door"


def test_the_use_of_a_token_is_noted_once_a_minute(board: Board) -> None:
    secret = made(board.swarm, "ada")

    def look() -> bool:
        found, is_to_note = board.swarm.read(lambda db: tokens.bearer_of(db, secret))
        if is_to_note:
            board.swarm.write(lambda db: tokens.note_use(db, found.id))
        return is_to_note

    assert (look(), look()) == (True, False)
    board.clock.advance(minutes=1)
    assert (look(), look()) == (True, False)


def test_tokens_are_the_operators(board: Board) -> None:
    for ask in (
        lambda db: tokens.create_token(db, "ada", scope="worker"), tokens.list_tokens,
        lambda db: tokens.revoke_token(db, "nothing2"),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            board.swarm.write(ask, agent="lead")
    with pytest.raises(Invalid, match="is no scope"):
        made(board.swarm, "ada", "king")
    with pytest.raises(Invalid, match="reserved"):
        made(board.swarm, "operator")
    with pytest.raises(NotFound):
        board.swarm.write(lambda db: tokens.revoke_token(db, "nothing2"))


# As whom


def nothing(db: object) -> None:
    """Only come in."""


@pytest.mark.parametrize(
    ("subject", "agent", "allowed"),
    [
        ("lead", "ada", True), ("lead", "lead", True), ("ada", "ada", True), ("ada", "bob", False),
        ("ada", "lead", False), ("lead", "nobody-yet", False), ("stranger", "ada", False),
    ],
)  # fmt: skip
def test_a_subject_acts_as_itself_or_below_itself(board: Board, subject: str, agent: str, allowed: bool) -> None:
    def write() -> None:
        board.swarm.write(
            lambda db: operations.add_note(db, task=task, text="."), agent=agent, profile=Profile.WORKER,
            connection="c", subject=subject,
        )  # fmt: skip

    def read() -> None:
        board.swarm.read(operations.list_tasks, agent=agent, connection="c", subject=subject)

    task = board.create()
    for attempt in (write, read):
        if allowed:
            attempt()
        else:
            with pytest.raises(NotAllowed, match="as itself or as an agent below it"):
                attempt()


def test_a_refused_name_is_not_registered_and_not_told_from_one_that_exists(board: Board) -> None:
    said = []
    for agent in ("bob", "nobody-yet"):
        with pytest.raises(NotAllowed) as refused:
            board.swarm.write(nothing, agent=agent, subject="ada")
        said.append(refused.value.message.replace(agent, "X"))
    assert said[0] == said[1]
    assert "nobody-yet" not in board.swarm.read(lambda db: str(operations.list_agents(db)))


def test_nobody_is_put_at_the_head_of_a_project_by_another(board: Board) -> None:
    board.clock.advance(days=2)  # nobody leads any more
    board.swarm.write(nothing, agent="ada", profile=Profile.DIRECTOR, subject="lead")
    roles = {each.name: each.role for each in board.swarm.read(operations.list_agents).agents}
    assert roles["ada"] == "worker"


# The matrix


class Keys(NamedTuple):
    """Tokens of all kinds on one board."""

    listener: Listener
    task: str
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    """A server on which `lead` directs `ada` and `boss`, who directs `bob`."""
    board = tmp_path_factory.mktemp("identity") / "swarm.db"
    swarm = open_swarm(board)
    with swarm.writing(agent="lead") as db:
        operations.register_agent(db, name="ada")
        operations.register_agent(db, name="boss", role="supervisor")
        operations.register_agent(db, name="bob", superior="boss")
        operations.register_agent(db, name="chief", role="supervisor")
        task = operations.create_task(db, title="Secret plans", assignee="ada").task
    assert task is not None
    swarm.write(lambda db: create_project(db, "other"))
    secrets = {
        "worker": made(swarm, "ada"),
        "director": made(swarm, "boss", "director"),
        "another director": made(swarm, "chief", "director"),
        "operator": made(swarm, "lead", "operator"),
        "revoked": made(swarm, "lead", "director"),
        "expired": made(swarm, "lead", "director", valid_for=timedelta(microseconds=1)),
        "other project": made(Swarm(swarm.database, "other"), "lead", "operator"),
        "wrong": "swarm_aaaaaaaa_" + "x" * 43,
        "nonsense": "nonsense",
        "none": "",
    }
    revoked = secrets["revoked"].split("_")[1]
    swarm.write(lambda db: tokens.revoke_token(db, revoked))
    swarm.close()
    with listening(board, "--log-level", "info", SWARM_LOG_FORMAT="json") as listener:
        yield Keys(listener, task.id, secrets)


NOBODY = ("none", "wrong", "nonsense", "expired", "revoked", "other project")
EVERY = {"worker": 200, "director": 200, "another director": 200, "operator": 200}
DIRECTORS = {**EVERY, "worker": 403}
ADDRESSES: dict[str, dict[str, int]] = {
    "/mcp": DIRECTORS,
    "/mcp/director": DIRECTORS,
    "/mcp/worker": EVERY,
    "/mcp/observer": EVERY,
    "/sse": DIRECTORS,
    "/sse/worker": EVERY,
    "/sse/observer": EVERY,
    "/messages/director": {**EVERY, "worker": 403, "director": 400, "another director": 400, "operator": 400},
    "/messages/worker": dict.fromkeys(EVERY, 400),  # let in, and told that a session is missing
    "/api/tasks": {"worker": 403, "director": 201, "another director": 201, "operator": 201},
    "/api/tasks/TASK": EVERY,
    "/health/detailed": EVERY,
    "/metrics": EVERY,
}
OPEN = ("/health", "/api/status", "/")


def knock(keys: Keys, path: str, kind: str) -> Heard:
    """One request at an address with a token of that kind."""
    path = path.replace("TASK", keys.task)
    token = keys.tokens[kind]
    if path == "/api/tasks":
        return keys.listener.ask("POST", path, {"title": "One more"}, token=token)
    if path.startswith("/mcp"):
        body, headers = modern("tools/list")
        return keys.listener.ask("POST", path, body, token=token, **headers)
    if path.startswith("/messages"):
        return keys.listener.ask("POST", path, {"jsonrpc": "2.0", "id": 1, "method": "ping"}, token=token)
    if path.startswith("/sse"):
        return first_of_stream(keys.listener, path, token)
    return keys.listener.ask("GET", path, token=token)


def first_of_stream(listener: Listener, path: str, token: str) -> Heard:
    """How a stream begins, without waiting for its end."""
    connection = listener.connect()
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        with connection.getresponse() as answer:
            headers = {k.lower(): v for k, v in answer.getheaders()}
            return Heard(answer.status, headers, answer.readline() if answer.status == 200 else answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_address_lets_in_whom_it_should_and_tells_others_nothing(keys: Keys, path: str) -> None:
    found = {kind: knock(keys, path, kind) for kind in keys.tokens}
    assert {kind: found[kind].status for kind in ADDRESSES[path]} == ADDRESSES[path]
    assert {kind: found[kind].status for kind in NOBODY} == dict.fromkeys(NOBODY, 401)
    assert len({found[kind].body for kind in NOBODY}) == 1, "why a token opens nothing is nobody's business"
    assert len({found[kind].headers["www-authenticate"] for kind in NOBODY if kind != "none"}) == 1
    assert found["none"].headers["www-authenticate"] == 'Bearer realm="swarm-mcp"'
    for each in found.values():
        if each.status in {401, 403}:
            assert "Secret plans" not in each.body.decode()
            assert not any(token and token in each.body.decode() for token in keys.tokens.values())
        if each.status == 403:
            assert 'error="insufficient_scope"' in each.headers["www-authenticate"]


@pytest.mark.parametrize("path", OPEN)
def test_what_a_balancer_asks_is_open(keys: Keys, path: str) -> None:
    assert {knock(keys, path, kind).status for kind in keys.tokens} == {200}


def test_an_address_that_does_not_exist_is_nowhere_for_everybody(keys: Keys) -> None:
    assert {knock(keys, "/api/secrets", kind).status for kind in keys.tokens} == {404}


def used(keys: Keys, kind: str, tool: str, path: str = "/mcp", /, **said: Any) -> dict[str, Any]:
    body, headers = call(tool, **said)
    heard = keys.listener.ask("POST", path, body, token=keys.tokens[kind], **headers)
    return heard.facts["result"]["structuredContent"]


def test_a_caller_is_its_token_whatever_its_client_is_called(keys: Keys) -> None:
    assert used(keys, "worker", "get_task", "/mcp/worker")["agent"] == "ada"
    assert used(keys, "director", "get_task")["agent"] == "boss"
    assert used(keys, "director", "get_task", agent="bob")["agent"] == "bob"
    for agent in ("lead", "ada", "chief", "nobody", "operator"):
        assert used(keys, "director", "get_task", agent=agent)["code"] in {"not_allowed", "invalid"}
    assert used(keys, "operator", "get_task")["agent"] == "lead", "no tool acts as the operator"
    body, headers = modern("resources/read", {"uri": "swarm://agents/bob/inbox"})
    heard = keys.listener.ask(
        "POST", "/mcp/worker", body, token=keys.tokens["worker"], **headers, Mcp_Name="swarm://agents/bob/inbox"
    )
    assert "error" in heard.facts


def test_a_session_belongs_to_the_token_that_began_it(keys: Keys) -> None:
    with visiting(keys.listener, "/mcp/worker", mode=LEGACY, token=keys.tokens["worker"]) as desk:
        assert desk.call("get_task")["agent"] == "ada"
    with visiting(keys.listener, "/sse/worker", mode=LEGACY, token=keys.tokens["worker"]) as desk:
        assert desk.call("get_task")["agent"] == "ada"
        assert desk.refusal("get_task", agent="lead")["code"] == "not_allowed"
    session = handshake(keys.listener, token=keys.tokens["director"])
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    statuses = {
        kind: keys.listener.ask("POST", "/mcp", listing, token=keys.tokens[kind], **of_session(session)).status
        for kind in ("director", "another director", "wrong")
    }
    assert statuses == {"director": 200, "another director": 404, "wrong": 401}
    with listening(keys.listener.board, name="other") as other:
        assert (
            other.ask("POST", "/mcp", listing, token=keys.tokens["another director"], **of_session(session)).status
            == 404
        )
        assert other.ask("POST", "/mcp", listing, token=keys.tokens["director"], **of_session(session)).status == 200


def test_over_plain_http_an_operator_is_the_operator_and_others_are_themselves(keys: Keys) -> None:
    def create(kind: str, **said: Any) -> Heard:
        return keys.listener.ask("POST", "/api/tasks", {"title": "T", **said}, token=keys.tokens[kind])

    assert create("director", agent="lead").status == 403
    assert create("director", agent="operator").status == 400
    tasks = [create("operator").facts["task"]["id"], create("operator", agent="bob", title="B").facts.get("code")]
    assert tasks[1] == "not_allowed", "a worker creates only under its own"
    swarm = open_swarm(keys.listener.board)
    row = swarm.read(lambda db: operations.get_task(db, task=tasks[0], include=["history"]))
    swarm.close()
    assert "operator" in str(row)


def test_a_token_that_is_revoked_opens_nothing_from_then_on(keys: Keys) -> None:
    swarm = open_swarm(keys.listener.board)
    secret = made(swarm, "ada")
    assert keys.listener.ask("GET", "/metrics", token=secret).status == 200
    swarm.write(lambda db: tokens.revoke_token(db, secret.split("_")[1]))
    assert keys.listener.ask("GET", "/metrics", token=secret).status == 401
    swarm.close()


def test_no_token_is_in_the_log(keys: Keys) -> None:
    knock(keys, "/metrics", "operator")
    while "/metrics" not in (logged := keys.listener.log.read_text()):
        time.sleep(0.01)  # it is written after the answer
    assert not any(token in logged for kind, token in keys.tokens.items() if token and kind != "nonsense")


# Where and when tokens are demanded


def test_the_first_token_closes_the_door(tmp_path: Path) -> None:
    with listening(tmp_path / "swarm.db") as listener:
        assert "Without a token" in listener.log.read_text()
        assert listener.ask("GET", "/metrics").status == 200
        assert listener.ask("GET", "/metrics", token="nonsense").status == 401  # noqa: S106 - no secret
        swarm = open_swarm(listener.board)
        secret = made(swarm, "ada")
        swarm.close()
        while listener.ask("GET", "/metrics").status == 200:
            time.sleep(0.05)
        assert listener.ask("GET", "/metrics", token=secret).status == 200


# OAuth


@pytest.fixture(scope="module")
def ring() -> Iterator[KeyRing]:
    with key_ring() as found:
        yield found


def trust(ring: KeyRing) -> Trust:
    return Trust(ISSUER, AUDIENCE, ring.url, "sub")


def test_a_token_of_the_issuers_names_its_bearer_and_nothing_else_does(ring: KeyRing) -> None:
    issuer = Issuer(trust(ring))
    found = issuer.bearer(ring.token())
    assert found is not None
    assert (found.agent, found.scopes) == ("ada", frozenset({TokenScope.DIRECTOR}))
    assert {kind: issuer.bearer(text) for kind, text in wrong_tokens(ring).items()} == dict.fromkeys(wrong_tokens(ring))


def test_scopes_of_others_are_none_of_ours(ring: KeyRing) -> None:
    issuer = Issuer(trust(ring))
    said = {"worker email": {"worker"}, "swarm:operator": {"operator"}, "openid": set(), "": set()}
    for scope, meant in said.items():
        found = issuer.bearer(ring.token(scope=scope))
        assert found is not None
        assert found.scopes == meant
    listed = issuer.bearer(ring.token(scope=None, scp=["swarm:worker"]))
    assert listed is not None
    assert listed.scopes == {"worker"}


def test_keys_are_exchanged_without_a_restart_and_not_asked_for_at_every_guess(ring: KeyRing) -> None:
    now = 1000.0
    issuer = Issuer(trust(ring), clock=lambda: now)
    assert issuer.bearer(ring.token())
    asked = ring.asked
    ring.add("two")
    for _ in range(5):
        assert issuer.bearer(ring.token("two")) is None
    assert ring.asked == asked
    now += oauth.ASKED_AGAIN_SECONDS
    assert issuer.bearer(ring.token("two"))
    assert issuer.bearer(ring.token("one"))
    withdrawn = ring.token("two")
    del ring.keys["two"]
    now += oauth.KEYS_KEPT_SECONDS
    assert issuer.bearer(ring.token("one"))
    assert issuer.bearer(withdrawn) is None


def test_keys_come_over_a_closed_line_only() -> None:
    for jwks in ("http://issuer.example/keys", "file:///etc/keys", ""):
        with pytest.raises(Invalid, match="https"):
            checked(Trust("https://issuer.example", "board", jwks, "sub"))
    with pytest.raises(Invalid, match="both"):
        checked(Trust("https://issuer.example", "", "https://issuer.example/keys", "sub"))


def test_a_server_that_trusts_an_issuer_says_whom_to_ask_and_takes_its_tokens(ring: KeyRing, tmp_path: Path) -> None:
    with with_oauth(tmp_path / "swarm.db", ring) as listener:
        body, headers = call("share_context", key="k", value="v")
        refused = listener.ask("POST", "/mcp", body, **headers)
        where = "https://board.example/.well-known/oauth-protected-resource/mcp"
        assert refused.status == 401
        assert refused.headers["www-authenticate"] == f'Bearer realm="swarm-mcp", resource_metadata="{where}"'
        for path in ("", "/mcp"):
            told = listener.ask("GET", f"/.well-known/oauth-protected-resource{path}").facts
            assert told["authorization_servers"] == ["https://issuer.example"]
            assert told["resource"] == "https://board.example/mcp"
        found = listener.ask("POST", "/mcp", body, token=ring.token(), **headers)
        assert not found.facts["result"]["isError"]
        assert used_as(listener, ring.token()) == "ada"
        assert listener.ask("POST", "/mcp", body, token=ring.token(scope="worker"), **headers).status == 403
        assert listener.ask("POST", "/mcp/worker", body, token=ring.token(scope="email"), **headers).status == 403
        wrong = wrong_tokens(ring)
        answers = {kind: listener.ask("POST", "/mcp", body, token=text, **headers) for kind, text in wrong.items()}
        assert {kind: each.status for kind, each in answers.items()} == dict.fromkeys(wrong, 401)
        assert len({each.body for each in answers.values()}) == 1


def used_as(listener: Listener, token: str) -> str:
    body, headers = call("get_task")
    return listener.ask("POST", "/mcp", body, token=token, **headers).facts["result"]["structuredContent"]["agent"]
