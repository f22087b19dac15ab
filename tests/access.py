"""One server, a board on it with whatever somebody might want to know, and everybody who might ask.

Each thing on the board has a word of its own. Whatever anybody hears is looked through for those that are not for it,
so that every test that asks something also shows that nothing was given away by that.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from board import Board
from conftest import Clock
from handles import IDENTIFIER
from issuer import key_ring, with_oauth
from listening import begin, handshake, modern, of_session
from sqlalchemy import select

from swarm_mcp import operations
from swarm_mcp.model.bearer import TokenScope
from swarm_mcp.operations import awaiting, tokens
from swarm_mcp.operations.projects import create_project
from swarm_mcp.operations.swarm import Swarm, open_swarm
from swarm_mcp.repository import events, references, tables, work

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from listening import Listener
    from sqlalchemy import Row

    from swarm_mcp.repository.database import Transaction

PEOPLE = """
dan   supervisor lead
sue   supervisor dan
ada   worker     sue
pat   worker     sue
tom   supervisor lead
bob   worker     tom
"""
"""Who is on the board, what for, and below whom. `lead` is the root director; ada works on what dan has given it."""


class Caller(NamedTuple):
    """Who calls, what its credential is good for, and where it goes with that."""

    agent: str
    scope: TokenScope
    path: str


def _worker(agent: str) -> Caller:
    return Caller(agent, TokenScope.WORKER, "/mcp/worker")


def _director(agent: str) -> Caller:
    return Caller(agent, TokenScope.DIRECTOR, "/mcp")


CALLERS = {
    "worker": _worker("ada"), "peer": _worker("pat"), "outsider": _worker("bob"), "promoted": _director("ada"),
    "stranger": _director("tom"), "superior": _director("sue"), "director": _director("dan"), "root": _director("lead"),
}  # fmt: skip
"""By their relation to ada's task: `outsider` and `stranger` are a worker and a director of another branch, and
`promoted` is ada with a credential for the director's tools."""
CREDENTIALS = ("token", "jwt")
READ, LISTEN, SUBSCRIBE = "resources/read", "subscriptions/listen", "resources/subscribe"

NOTE, LETTER = "quagga", "tapir"
"""In ada's note, and in what ada and sue say to each other."""
SHARED = {
    "title": "dugong", "description": "bongo", "criterion": "kiwi", "context": "civet", "question": "okapi",
    "progress": "numbat",
}  # fmt: skip
"""In what everybody in the project may read, and nobody else."""
FOREIGN = {
    "title": "narwhal", "description": "axolotl", "note": "manatee", "message": "lemming", "context": "caracal",
    "area": "serval", "tag": "gerenuk", "reference": "YAK-1",
}  # fmt: skip
"""In what is in another project."""
STRANGERS = ("wildebeest", "chinchilla")
"""Agents of the other project."""
NAMESAKES = ("pangolin", "armadillo")
"""More of them; whoever hands work to somebody of that name here gets another agent that is called so."""
FOREIGN_TEAM, NAMESAKE_TEAMS = "musketeers", ("grenadiers", "lancers")


class Heard(NamedTuple):
    """What came back, but for the date; every request has the same id."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def facts(self) -> dict[str, Any]:
        """The body as JSON; of a stream, its last message."""
        data = [line[6:] for line in self.body.decode().splitlines() if line.startswith("data: ")]
        return json.loads(data[-1] if data else self.body)

    @property
    def outcome(self) -> str:
        """In a word: `allowed`, the code of a refusal, the number of an error of the protocol, or HTTP's status."""
        facts = self.facts
        if "error" in facts:
            return str(facts["error"]["code"])
        if self.status >= 400:
            return facts["code"]
        result = facts.get("result", facts)
        return result["structuredContent"]["code"] if result.get("isError") else "allowed"


class Scene:
    """The server and the board; everything is asked in one thread."""

    def __init__(self, listener: Listener, board: Board, other: Swarm, shown: dict[tuple[str, str], str]) -> None:
        self.listener = listener
        self.board = board
        self.other = other
        self.shown = shown
        """What everybody shows, by who it is and the kind of its credential."""
        self.nobodies: dict[str, str] = {}
        """Authorization headers that open nothing."""
        self.task = self.private = self.delegation = self.wait = self.letter = ""
        self.foreign: dict[str, str] = {}
        """Ids in the other project."""
        self._sessions: dict[str, str] = {}
        self._line = listener.connect()
        self._used = 0.0
        self._made = 0

    def knock(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None, *, shows: str = ""
    ) -> Heard:
        """Send a request with whatever is shown as authorization; the answer, or how a stream begins."""
        said = {"X-Request-Id": "matrix", **(headers or {})}
        if shows:
            said["Authorization"] = shows
        if time.monotonic() - self._used > 2:
            self._line.close()  # before the server does
        begin(self._line, method, path, body, **said)
        answer = self._line.getresponse()
        is_stream = answer.getheader("content-type", "").startswith("text/event-stream")
        is_endless = is_stream and (path.startswith("/sse") or said.get("Mcp_Method") == LISTEN)
        heard = next(line for line in answer if line.startswith(b"data: ")) if is_endless else answer.read()
        if is_endless:
            answer.close()
            self._line.close()
        self._used = time.monotonic()
        kept = tuple((name, value) for name, value in answer.getheaders() if name.lower() != "date")
        return Heard(answer.status, kept, heard)

    def close(self) -> None:
        self._line.close()

    def bearer(self, who: str, credential: str = "token") -> str:
        """What a caller shows."""
        return f"Bearer {self.shown[who, credential]}"

    def ask(
        self, who: str, method: str, params: dict[str, Any] | None = None, *, path: str = "", credential: str = "token"
    ) -> Heard:
        """Send a caller's request of the protocol, where it goes with what it shows."""
        caller = CALLERS[who]
        body, headers = spoken(method, params)
        heard = self.knock("POST", path or caller.path, body, headers, shows=self.bearer(who, credential))
        said = params or {}
        named = said.get("arguments", {}).get("agent") or said.get("taskId", "").partition(":")[2]
        self.look_through(heard, json.dumps(body), named or caller.agent)
        return heard

    def reach(self, who: str, way: str, uri: str, **how: str) -> Heard:
        """Read a resource, or listen to it in the way of either generation."""
        if way == READ:
            return self.ask(who, way, {"uri": uri}, **how)
        if way == LISTEN:
            return self.ask(who, way, {"notifications": {"resourceSubscriptions": [uri]}}, **how)
        caller = CALLERS[who]
        if who not in self._sessions:
            self._sessions[who] = handshake(self.listener, caller.path, token=self.shown[who, "token"])
        body = {"jsonrpc": "2.0", "id": 1, "method": way, "params": {"uri": uri}}
        heard = self.knock("POST", caller.path, body, of_session(self._sessions[who]), shows=self.bearer(who))
        self.look_through(heard, json.dumps(body), caller.agent)
        return heard

    def call(self, who: str, tool: str, said: dict[str, Any], **how: str) -> Heard:
        """Call a tool."""
        return self.ask(who, "tools/call", {"name": tool, "arguments": said}, **how)

    def look_through(self, heard: Heard, said: str, agent: str) -> None:
        """See that nothing was told to an agent that is not for it."""
        words = f"{heard.headers} {heard.body.decode()}"
        kept = [*FOREIGN.values(), *STRANGERS, FOREIGN_TEAM, *self.foreign.values()]
        kept += [NOTE] if agent not in {"ada", "operator"} else []
        kept += [LETTER] if agent not in {"ada", "sue", "operator"} else []
        if heard.outcome != "allowed":
            kept += [NOTE, LETTER, *SHARED.values()]
        told = [each for each in kept if each in words and each not in said]
        assert told == [], f"{agent} heard {told} of {said}: {words}"

    def tells_nobody(self, heard: Heard) -> None:
        """See that somebody who shows nothing that opens heard nothing that is on the board, its own words included."""
        words = f"{heard.headers} {heard.body.decode()}"
        kept = [NOTE, LETTER, *SHARED.values(), *FOREIGN.values(), *STRANGERS, FOREIGN_TEAM, *self.foreign.values()]
        kept += [self.task, self.private, self.delegation, self.wait, "backend", *self.shown.values()]
        kept += [line.split()[0] for line in PEOPLE.strip().splitlines()] + ["lead"]
        told = [each for each in kept if re.search(rf"\b{re.escape(each)}\b", words)]
        assert told == []

    def fresh(self, state: str) -> str:
        """A task that dan has made, in some state: ada's by delegation, but for what is anybody's or a team's."""
        self._made += 1
        board = self.board
        task = board.create(f"{SHARED['title']} {self._made}", by="dan", needs_review=state == "in review")
        if state not in {"free", "taken"}:
            board.delegate("dan", task, "backend" if state == "team's" else "ada")
        if state in {"taken", "claimed", "in review", "completed", "archived", "failed"}:
            board.claim("ada", task)
        if state in {"in review", "completed", "archived", "failed"}:
            board.complete("ada", task, outcome="failed" if state == "failed" else "completed")
        if state == "held":
            board.update("dan", task, action="hold", reason="not now")
        if state == "archived":
            board.update("dan", task, action="archive")
        return task

    def happened(self) -> int:
        """The number of the last event."""
        with self.board.swarm.reading() as db:
            return getattr(events.latest_event(db), "seq", 0)

    def made(self, agent: str) -> str:
        """A worker's token for an agent."""
        return _token(self.board.swarm, agent, TokenScope.WORKER)

    def delegation_of(self, task: str) -> str:
        """The id of the last delegation of a task."""
        with self.board.swarm.reading() as db:
            return work.delegations(db, task)[-1].id

    @contextmanager
    def stream(self, path: str, who: str) -> Iterator[str]:
        """A stream of HTTP+SSE that stays open; where to post messages for it."""
        line = self.listener.connect()
        begin(line, "GET", path, token=self.shown[who, "token"])
        answer = line.getresponse()
        try:
            assert answer.readline().strip() == b"event: endpoint"
            yield answer.readline().decode().removeprefix("data: ").strip()
        finally:
            answer.close()
            line.close()

    def newcomer(self) -> str:
        """An agent below sue, who does nothing."""
        self._made += 1
        name = f"x{self._made}"
        self.board.register("", name, superior="sue")
        return name


def spoken(method: str, params: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    """A request of the newer generation; about handles, of a client that knows them."""
    able = {"io.modelcontextprotocol/clientCapabilities": {"extensions": {IDENTIFIER: {}}}}
    body, headers = modern(method, params, **(able if method.startswith("tasks/") else {}))
    routed = [body["params"][name] for name in ("uri", "taskId") if name in body["params"]]
    return body, {**headers, **({"Mcp_Name": routed[0]} if routed else {})}


@contextmanager
def prepared(folder: Path) -> Iterator[Scene]:
    """The server on the board, with everybody's credentials."""
    path = folder / "swarm.db"
    board = Board(open_swarm(path), Clock())
    board.call("lead", operations.share_context, key="colour", value=SHARED["context"])
    for name, role, superior in map(str.split, PEOPLE.strip().splitlines()):
        board.register("", name, role=role, superior=superior)
        board.inbox(name)
    board.call("", operations.register_team, name="backend", supervisor="sue")
    board.register("", "ada", team="backend")
    board.swarm.write(lambda db: create_project(db, "other"))
    other = Swarm(board.swarm.database, "other")
    with key_ring() as ring, with_oauth(path, ring) as listener:
        shown = {(who, "token"): _token(board.swarm, each.agent, each.scope) for who, each in CALLERS.items()}
        shown |= {
            (who, "jwt"): ring.token(sub=each.agent, scope=f"swarm:{each.scope}") for who, each in CALLERS.items()
        }
        shown["operator", "token"] = _token(board.swarm, "lead", TokenScope.OPERATOR)
        scene = Scene(listener, board, other, shown)
        _furnish(scene)
        _furnish_other(scene)
        scene.nobodies = _nobodies(scene, ring)
        yield scene
        scene.close()
    board.swarm.close()


def _furnish(scene: Scene) -> None:
    """Ada's task, and what is said and noted about it."""
    board = scene.board
    task = board.create(
        f"Feed the {SHARED['title']}", by="dan", description=SHARED["description"], criteria=[SHARED["criterion"]]
    )
    board.delegate("dan", task, "ada")
    board.claim("ada", task)
    asked = board.ask("ada", task, f"Where is the {SHARED['question']}?")
    board.send("sue", "Left.", reply_to=asked)
    board.report("ada", task, f"The {SHARED['progress']} sleeps.", percent=50)
    board.call("ada", operations.share_context, task=task, key="port", value=SHARED["context"])
    board.call("ada", operations.add_note, task=task, text=f"The {NOTE} is mine.")
    board.send("ada", f"The {LETTER} is ours.", to="sue", task=task)
    quiet = board.create(f"Count the {SHARED['title']}", by="dan")
    board.send("sue", f"Our {LETTER}, ada.", to="ada", task=quiet)
    scene.task = task
    scene.delegation = scene.delegation_of(task)
    with board.swarm.reading() as db:
        sent = _sent(db, f"Our {LETTER}, ada.")
        scene.letter, scene.private = f"m{sent.id}", sent.conversation_id
    scene.wait = _wait(board.swarm, "ada")


def _furnish_other(scene: Scene) -> None:
    """The same in another project, whose people are others."""
    board = Board(scene.other, Clock())
    board.call("lead", operations.share_context, key=FOREIGN["context"], value=FOREIGN["context"])
    for name in (*STRANGERS, *NAMESAKES):
        board.register("", name, superior="lead")
        board.inbox(name)
    for name in (FOREIGN_TEAM, *NAMESAKE_TEAMS):
        board.call("", operations.register_team, name=name, supervisor=STRANGERS[0])
    said = {"description": FOREIGN["description"], "area": FOREIGN["area"], "tags": [FOREIGN["tag"]]}
    task = board.create(f"Feed the {FOREIGN['title']}", **said)
    board.delegate("lead", task, STRANGERS[1])
    board.call(STRANGERS[1], operations.add_note, task=task, text=FOREIGN["note"])
    board.claim(STRANGERS[1], task)
    board.ask(STRANGERS[1], task, FOREIGN["message"])
    scene.other.write(lambda db: references.insert_references(db, "yaks", [(task, FOREIGN["reference"], {})]))
    with scene.other.reading() as db:
        sent = _sent(db, FOREIGN["message"])
        delegation = work.delegations(db, task)[-1].id
    wait = _wait(scene.other, "lead")
    ids = {"task": task, "delegation": delegation, "wait": wait, "conversation": sent.conversation_id}
    scene.foreign = {**ids, "message": f"m{sent.id}"}


def _sent(db: Transaction, words: str) -> Row[Any]:
    """The message with these words."""
    return db.execute(select(tables.message).where(tables.message.c.text == words)).one()


def _wait(swarm: Swarm, agent: str) -> str:
    return swarm.write(lambda db: awaiting.await_news(db, seconds=45, limit=20), agent=agent) + f":{agent}"


def _token(swarm: Swarm, agent: str, scope: TokenScope, **said: Any) -> str:
    return swarm.write(lambda db: tokens.create_token(db, agent, scope=scope, **said)).secret


def _nobodies(scene: Scene, ring: Any) -> dict[str, str]:
    """What may be shown that opens nothing, though some of it has been, or is elsewhere, good for everything."""
    swarm, good = scene.board.swarm, scene.shown["root", "token"]
    revoked = _token(swarm, "lead", TokenScope.OPERATOR)
    swarm.write(lambda db: tokens.revoke_token(db, revoked.split("_")[1]))
    shown = {
        "wrong": f"swarm_aaaaaaaa_{'x' * 43}",
        "wrong secret": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "malformed": "swarm_",
        "too long": f"{good}x",
        "expired": _token(swarm, "lead", TokenScope.OPERATOR, valid_for=timedelta(microseconds=1)),
        "revoked": revoked,
        "other project": _token(scene.other, "lead", TokenScope.OPERATOR),
        "expired jwt": ring.token(sub="lead", exp=int(time.time()) - 60),
        "jwt for others": ring.token(sub="lead", aud="https://other.example"),
        "malformed jwt": "a.b.c",
    }
    raw = {
        "no scheme": good,
        "other scheme": f"Basic {good}",
        "nothing in it": "Bearer ",
        "two": f"Bearer {good} {good}",
    }
    return {**{kind: f"Bearer {text}" for kind, text in shown.items()}, **raw}
