"""Every tool, resource and address, tried by everybody over a real socket: allowed or refused as the model says.

What shall be is in access_rules.py; access.py has the board, and looks through every single answer for what is not for
its caller. What can be asked for is read from the server itself, so that whatever is new has to be given its rules.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from access import (
    CALLERS,
    CREDENTIALS,
    FOREIGN,
    FOREIGN_TEAM,
    LETTER,
    LISTEN,
    NOTE,
    READ,
    SHARED,
    STRANGERS,
    SUBSCRIBE,
    Heard,
    Scene,
    prepared,
    spoken,
)
from access_calls import (
    FIRST,
    NEEDS,
    alike,
    completed,
    everything,
    filled,
    listed,
    places,
    sought,
    subjects,
    tidy,
    way_to,
    with_argument,
)
from access_rules import (
    ADDRESSES,
    CREATING,
    DEEDS,
    HANDLES,
    NAMED,
    OPEN,
    OUTCOMES,
    PLAIN,
    PROFILES,
    RESOURCES,
    TOOLS,
)
from handles import UNKNOWN
from listening import handshake, of_session
from surfaces import SECTIONS

from swarm_mcp import operations
from swarm_mcp.operations.catalog import CATALOG

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with prepared(tmp_path_factory.mktemp("access")) as found:
        yield found


# --- those who show nothing that opens --------------------------------------------------------------------------------


def test_whoever_shows_nothing_that_opens_hears_the_same_whatever_it_asks(scene: Scene) -> None:
    asked = everything(scene)
    assert len(asked) > 70
    before = scene.happened()
    found = {
        scene.knock("POST", "/mcp", *spoken(method, params), shows=shown)
        for method, params in asked
        for shown in scene.nobodies.values()
    }
    assert len(found) == 1, "why something opens nothing, and what it does not open, is nobody's business"
    (heard,) = found
    scene.tells_nobody(heard)
    assert heard.status == 401
    nothing = {scene.knock("POST", "/mcp", *spoken(method, params)) for method, params in asked}
    assert {(each.status, each.body) for each in nothing} == {(401, heard.body)}
    assert len(nothing) == 1
    assert scene.happened() == before
    wrong, none = (dict(each.headers).pop("www-authenticate") for each in (heard, *nothing))
    assert wrong.replace(', error="invalid_token", error_description="This token opens nothing here."', "") == none


def test_every_closed_address_says_the_same_to_those_and_an_open_one_does_not_look(scene: Scene) -> None:
    session = handshake(scene.listener, "/mcp/worker", token=scene.shown["worker", "token"])
    begins = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}
    ways = [("POST", begins, of_session()), ("POST", b"no json", {})]
    ways += [(method, None, of_session(session)) for method in ("GET", "DELETE")]
    some = [scene.nobodies[kind] for kind in ("wrong", "other project", "expired jwt")]
    said: dict[bool, set[Heard]] = {True: set(), False: set()}
    for each in ADDRESSES:
        method, path = way_to(scene, each)
        is_open = ADDRESSES[each] == OPEN
        tried = [(method, path, None, {}, shown) for shown in ("", *scene.nobodies.values())]
        tried.append((method, f"{path}?access_token={scene.shown['root', 'token']}", None, {}, ""))
        if each.startswith(("/mcp", "/messages", "/sse")):
            tried += [(way, path, *rest, shown) for way, *rest in ways for shown in ("", *some)]
        for way, where, body, headers, shown in tried:
            heard = scene.knock(way, where, body, headers, shows=shown)
            scene.tells_nobody(heard)
            if is_open:
                assert heard.status == 200
            else:
                said[bool(shown)].add(heard)
    assert [len(each) for each in said.values()] == [1, 1]
    assert {each.status for found in said.values() for each in found} == {401}
    heard = scene.knock("POST", "/mcp/worker", {"jsonrpc": "2.0", "id": 1, "method": "ping"}, of_session(session),
                        shows=scene.bearer("worker"))  # fmt: skip
    assert heard.status == 200, "nobody has ended the session"


def test_of_two_credentials_none_is_picked(scene: Scene) -> None:
    good = [scene.bearer("root"), scene.bearer("root", "jwt")]
    pairs = [(one, other) for one in good for other in (*good, scene.nobodies["wrong"], "Basic eDp5")]
    line = scene.listener.connect()
    for pair in [*pairs, *((other, one) for one, other in pairs)]:
        line.putrequest("GET", "/metrics")
        for each in pair:
            line.putheader("Authorization", each)
        line.endheaders()
        answer = line.getresponse()
        assert (answer.status, answer.read()) == (401, scene.knock("GET", "/metrics").body)
    line.close()


# --- addresses --------------------------------------------------------------------------------------------------------


def test_every_address_of_the_server_has_its_rule(scene: Scene) -> None:
    told = scene.knock("GET", "/api/status").facts["endpoints"]
    assert set(told) == set(ADDRESSES), "say in access_rules.py who may use it"


@pytest.mark.parametrize("address", [each for each, rule in ADDRESSES.items() if rule])
def test_every_address_lets_in_whom_its_rule_says(scene: Scene, address: str) -> None:
    method, path = way_to(scene, address)
    found: dict[str, int] = {}
    for who in ADDRESSES[address]:
        body, headers = spoken("tools/list") if path.startswith(("/mcp", "/messages")) else (None, {})
        body = {"title": "One more"} if path == "/api/tasks" else body
        heard = scene.knock(method, path, body, headers, shows=scene.bearer(who))
        found[who] = heard.status
        if heard.status == 403:
            scene.tells_nobody(heard._replace(body=heard.body.replace(b"/mcp/worker", b"").replace(b"a worker's", b"")))
    assert found == ADDRESSES[address]


def test_where_there_is_nothing_everybody_hears_so(scene: Scene) -> None:
    shown = ["", *scene.nobodies.values(), *(f"Bearer {each}" for each in scene.shown.values())]
    paths = ["/api", "/api/tasks/", f"/api/tasks/{scene.task}/notes", "/metrics/", "/mcp/operator", "/admin"]
    found = {scene.knock("GET", path, shows=each) for path in paths for each in shown}
    assert len(found) == 1
    (heard,) = found
    scene.tells_nobody(heard)
    assert heard.status == 404


@pytest.mark.parametrize("who", CREATING)
def test_tasks_as_plain_json_are_under_the_same_authority(scene: Scene, who: str) -> None:
    shows = scene.bearer(who)
    agent = CALLERS[who].agent if who in CALLERS else "operator"

    def ask(method: str, path: str, body: object = None) -> Heard:
        heard = scene.knock(method, path, body, shows=shows)
        scene.look_through(heard, f"{path} {body}", agent)
        return heard

    task = scene.fresh("delegated")
    made = ask("POST", "/api/tasks", {"title": "Part", "parent": task})
    assert made.status == CREATING[who]
    assert ask("GET", f"/api/tasks/{scene.task}").status == 200
    noted = ask("GET", f"/api/tasks/{scene.task}?include=notes")
    assert (NOTE in noted.body.decode()) == (agent in {"ada", "operator"})
    sought = [scene.foreign["task"], scene.foreign["task"][:6], FOREIGN["reference"]]
    for foreign, absent in zip(sought, ["zzzzzzz2", "zzzzz2", "GNU-1"], strict=True):
        there, nowhere = (ask("GET", f"/api/tasks/{each}") for each in (foreign, absent))
        assert there.status == 404
        assert alike(there, foreign) == alike(nowhere, absent)
    if agent != "operator":
        beside = {"ada": "sue", "tom": "ada", "sue": "dan", "dan": "tom", "lead": STRANGERS[0]}[agent]
        others = [ask("GET", f"/api/tasks/{scene.task}?agent={each}") for each in (beside, "gnu")]
        assert others[0].status == 403
        assert alike(others[0], beside) == alike(others[1], "gnu")


def test_figures_are_the_projects_own(scene: Scene) -> None:
    def figures() -> dict[str, list[str]]:
        heard = {
            path: scene.knock("GET", path, shows=scene.bearer("worker")).body.decode()
            for path in ("/metrics", "/health/detailed")
        }
        lines = [line for line in heard["/metrics"].splitlines() if line.startswith(("swarm_tasks", "swarm_events"))]
        return {"figures": lines, "events": json.loads(heard["/health/detailed"])["checks"]["events"]}

    before = figures()
    assert any(line.startswith("swarm_tasks{") for line in before["figures"])
    scene.other.write(lambda db: operations.create_task(db, title="One more there"), agent="lead")
    assert figures() == before


# --- tools ------------------------------------------------------------------------------------------------------------


def test_every_tool_has_its_rules(scene: Scene) -> None:
    for path, names in PROFILES.items():
        assert {tool["name"] for tool in listed(scene, "tools/list", path=path)} == names, "add it to access_rules.py"
    assert list(TOOLS) == list(DEEDS)


@pytest.mark.parametrize("path", PROFILES)
def test_a_tool_that_an_address_does_not_have_is_answered_as_one_that_there_is_not(scene: Scene, path: str) -> None:
    absent = [*CATALOG.keys() - PROFILES[path], "no_such_tool"]
    heard = {tool: scene.call("root", tool, {"task": scene.task}, path=path) for tool in absent}
    assert {each.outcome for each in heard.values()} == {OUTCOMES["-"]}
    assert len({str(alike(each, tool)) for tool, each in heard.items()}) == 1


@pytest.mark.parametrize("deed", DEEDS)
def test_everybody_may_do_what_the_table_says(scene: Scene, deed: str) -> None:
    state, said = DEEDS[deed]
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    for who in TOOLS[deed]:
        for credential in CREDENTIALS:
            if not names:
                names = subjects(scene, state, said)
            before = scene.board.row(names["TASK"]).version if "TASK" in names else 0
            heard = scene.call(who, deed.partition(":")[0], filled(said, names), credential=credential)
            assert found.setdefault(who, heard.outcome) == heard.outcome, "a token and a JWT open the same"
            if heard.outcome == "allowed":
                made = (heard.facts["result"]["structuredContent"].get("task") or {}).get("id", "")
                tidy(scene, names, made)
                names = {}
            elif "TASK" in names:
                assert scene.board.row(names["TASK"]).version == before, "whoever is refused has changed nothing"
    tidy(scene, names)
    assert found == {who: OUTCOMES[shall] for who, shall in TOOLS[deed].items()}


BESIDE = {
    "worker": ("pat", "sue", "lead"), "stranger": ("ada", "dan"), "superior": ("dan", "bob"),
    "director": ("lead", "tom"),
}  # fmt: skip


@pytest.mark.parametrize("who", BESIDE)
def test_nobody_acts_by_any_tool_as_somebody_above_or_beside_it(scene: Scene, who: str) -> None:
    names = {"TASK": scene.task, "AGENT": "pat", "NEW": "new"}
    for tool in PROFILES[CALLERS[who].path]:
        said = filled(FIRST[tool], names)
        tried = [*BESIDE[who], STRANGERS[0], "nobody-yet"]
        heard = {agent: scene.call(who, tool, {**said, "agent": agent}) for agent in tried}
        assert {each.outcome for each in heard.values()} == {"not_allowed"}, tool
        assert len({str(alike(each, agent)) for agent, each in heard.items()}) == 1, "nor hears whether there is one"
        assert scene.call(who, tool, {**said, "agent": "operator"}).outcome in {"invalid", "not_allowed"}
    assert "nobody-yet" not in scene.reach("root", READ, "swarm://agents").body.decode()


def test_a_session_of_the_older_generation_is_refused_in_the_same_words(scene: Scene) -> None:
    names = {"TASK": scene.task, "AGENT": "pat", "NEW": "new"}
    session = handshake(scene.listener, token=scene.shown["stranger", "token"])
    for deed, shall in TOOLS.items():
        tool = deed.partition(":")[0]
        if shall["stranger"] == "." and filled(FIRST[tool], names) == filled(DEEDS[deed].said, names):
            said = filled(FIRST[tool], names)
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": said}}
            heard = scene.knock("POST", "/mcp", body, of_session(session), shows=scene.bearer("stranger"))
            scene.look_through(heard, json.dumps(body), "tom")
            facts = scene.call("stranger", tool, said).facts["result"]["structuredContent"]
            assert heard.facts["result"]["structuredContent"] == facts
            assert heard.outcome != "allowed"


@pytest.mark.parametrize(
    ("lifecycle", "may"),
    [("terminated", {"get_task"}), ("failed", {"get_task"}), ("paused", {"get_task", "check_inbox", "add_note"})],
)
def test_whoever_has_ended_or_is_paused_is_let_in_to_do_little(scene: Scene, lifecycle: str, may: set[str]) -> None:
    name = scene.newcomer()
    shows = f"Bearer {scene.made(name)}"
    free = scene.fresh("free")
    scene.board.register("", name, lifecycle=lifecycle)
    names = {"TASK": free, "AGENT": "pat", "NEW": "new"}
    found: set[str] = set()
    for tool in PROFILES["/mcp/worker"]:
        said = {"text": "Hello.", "to": "all"} if tool == "send_message" else filled(FIRST[tool], names)
        body, headers = spoken("tools/call", {"name": tool, "arguments": said})
        heard = scene.knock("POST", "/mcp/worker", body, headers, shows=shows)
        scene.look_through(heard, json.dumps(body), name)
        assert heard.outcome in {"allowed", "not_allowed"}
        found |= {tool} if heard.outcome == "allowed" else set()
    assert found == may


def test_whoever_stands_above_acts_for_those_below(scene: Scene) -> None:
    for who in ("superior", "director", "root"):
        for credential in CREDENTIALS:
            heard = scene.call(who, "get_task", {"task": scene.task, "agent": "ada"}, credential=credential)
            assert heard.facts["result"]["structuredContent"]["agent"] == "ada"


# --- what is in another project, and what is not for everybody --------------------------------------------------------


def test_every_argument_is_known_to_name_something_or_nothing(scene: Scene) -> None:
    found = {name.rpartition(".")[2] for tool in listed(scene, "tools/list") for name in places(tool["inputSchema"])}
    assert found - NAMED.keys() - PLAIN == set(), "say in access_rules.py what it names"


def test_what_another_project_has_is_answered_like_what_there_is_not(scene: Scene) -> None:
    told: list[str] = []
    number = 0
    for tool in listed(scene, "tools/list"):
        name = tool["name"]
        who = "promoted" if name in {"report_progress", "complete_task", "claim_task"} else "root"
        names = {"TASK": scene.task, "AGENT": "pat", "NEW": "new"}
        for place in places(tool["inputSchema"]):
            for kind in NAMED.get(place.rpartition(".")[2], ()):
                number += 1
                for foreign, absent in sought(scene, kind, f"{name} {place}", number):
                    heard: list[Any] = []
                    for each in (foreign, absent):
                        said = {**filled(FIRST[name], names), **NEEDS.get(f"{name} {place}", {})}
                        if name == "register_agent":
                            said["name"] = scene.newcomer()
                        if name == "delegate":
                            said["task"] = scene.fresh("delegated")
                        answer = scene.call(who, name, with_argument(said, place, each, tool["inputSchema"]))
                        heard.append(alike(answer, each.removeprefix("team:")))
                    told.append(f"{name} {place}")
                    assert heard[0] == heard[1], f"{name} {place} {foreign} {absent}"
                    assert "SOUGHT" in str(heard[0]), f"{name} has not looked for {place}"
    assert len(told) > 60


def test_a_letter_of_others_cannot_be_told_from_none(scene: Scene) -> None:
    for who in ("outsider", "stranger", "root"):
        heard = [
            alike(scene.call(who, "send_message", {"text": "What?", "reply_to": each}), each)
            for each in (scene.letter, "m9999", scene.foreign["message"])
        ]
        assert heard[0] == heard[1] == heard[2]


# --- resources, completions, prompts ----------------------------------------------------------------------------------


def test_every_template_has_its_rules(scene: Scene) -> None:
    assert {each["uriTemplate"] for each in listed(scene, "resources/templates/list")} | {"swarm://overview"} == {
        each.partition(" ")[0] for each in RESOURCES
    }, "say in access_rules.py who may read it"


@pytest.mark.parametrize("template", RESOURCES)
def test_everybody_reads_and_hears_of_what_the_table_says(scene: Scene, template: str) -> None:
    rule, uris = RESOURCES[template]
    for uri in filled(uris, {"TASK": scene.task, "PRIVATE": scene.private}):
        for who, shall in rule.items():
            heard = {(way, ""): scene.reach(who, way, uri) for way in (READ, LISTEN, SUBSCRIBE)}
            heard |= {(READ, "jwt"): scene.reach(who, READ, uri, credential="jwt")}
            heard |= {(READ, "observer"): scene.reach(who, READ, uri, path="/mcp/observer")}
            outcome = "allowed" if shall == "x" else "-32602"
            assert {way: each.outcome for way, each in heard.items()} == dict.fromkeys(heard, outcome), who
            if shall != "x":
                assert len({json.dumps(each.facts["error"], sort_keys=True) for each in heard.values()}) == 1


def test_only_its_author_reads_a_note_and_only_two_a_letter(scene: Scene) -> None:
    for who, caller in CALLERS.items():
        said = {"task": scene.task, "include": SECTIONS, "max_tokens": 8000}
        brief = scene.call(who, "get_task", said, path="/mcp/observer").body.decode()
        notes = scene.reach(who, READ, f"swarm://tasks/{scene.task}/notes").body.decode()
        assert all(shared in brief for shared in SHARED.values())
        assert [NOTE in each for each in (brief, notes)] == [caller.agent == "ada"] * 2
        assert (LETTER in brief) == (caller.agent in {"ada", "sue"})
        found = {
            word: scene.call(who, "list_tasks", {"text": word}, path="/mcp/observer").facts["result"]
            for word in (NOTE, LETTER, FOREIGN["title"])
        }
        totals = {word: each["structuredContent"]["total"] for word, each in found.items()}
        assert totals == {NOTE: 0, LETTER: 2 if caller.agent in {"ada", "sue"} else 0, FOREIGN["title"]: 0}


def test_what_is_listed_can_be_read(scene: Scene) -> None:
    for who in CALLERS:
        for each in listed(scene, "resources/list", who):
            assert scene.ask(who, "resources/read", {"uri": each["uri"]}).outcome == "allowed"


HIDDEN = [
    ("swarm://tasks/{}", "task", "zzzzzzz2"), ("swarm://tasks/{}/notes", "task", "zzzzzzz2"),
    ("swarm://tasks/{}/history", "task", "zzzzzzz2"), ("swarm://conversations/{}", "task", "zzzzzzz2"),
    ("swarm://conversations/{}", "conversation", "00000000-0000-4000-8000-000000000000"),
    ("swarm://agents/{}", "agent", "porcupine"), ("swarm://agents/{}/inbox", "agent", "porcupine"),
    ("swarm://tasks?assignee={}", "agent", "porcupine"),
]  # fmt: skip


@pytest.mark.parametrize("way", [READ, LISTEN, SUBSCRIBE])
def test_a_resource_of_another_project_is_answered_like_one_that_there_is_not(scene: Scene, way: str) -> None:
    there = {**scene.foreign, "agent": STRANGERS[0]}
    for pattern, kind, absent in HIDDEN:
        for who in ("worker", "root"):
            heard = [alike(scene.reach(who, way, pattern.format(each)), each) for each in (there[kind], absent)]
            assert heard[0] == heard[1], pattern


def test_a_conversation_of_others_cannot_be_told_from_none(scene: Scene) -> None:
    for who in ("peer", "stranger", "root"):
        heard = [
            alike(scene.reach(who, READ, f"swarm://conversations/{each}"), each)
            for each in (scene.private, scene.foreign["conversation"], "00000000-0000-4000-8000-000000000000")
        ]
        assert heard[0] == heard[1] == heard[2]


def test_completions_are_for_everybody_and_of_the_project(scene: Scene) -> None:
    found: set[str] = set()
    for who in CALLERS:
        for each in listed(scene, "resources/templates/list", who):
            for name in re.findall(r"[a-z_]+(?=[,}])", each["uriTemplate"]):
                ref = {"type": "ref/resource", "uri": each["uriTemplate"]}
                found |= completed(scene, who, ref, name)
        for each in listed(scene, "prompts/list", who):
            ref = {"type": "ref/prompt", "name": each["name"]}
            found |= completed(scene, who, ref, each["arguments"][0]["name"])
    assert {scene.task, "ada", "backend"} <= found


def test_nothing_of_another_project_completes_what_was_begun(scene: Scene) -> None:
    begun = [*FOREIGN.values(), *STRANGERS, FOREIGN_TEAM, *scene.foreign.values()]
    for uri, name in (
        ("swarm://tasks/{task_id}", "task_id"), ("swarm://agents/{name}", "name"),
        ("swarm://conversations/{id}{?cursor}", "id"),
        ("swarm://tasks{?status,assignee,ready,limit,cursor}", "assignee"),
    ):  # fmt: skip
        for words in begun:
            assert completed(scene, "root", {"type": "ref/resource", "uri": uri}, name, words) == set()


def test_a_prompt_is_offered_where_its_tools_are_and_tells_only_what_it_was_told(scene: Scene) -> None:
    names = {each["name"]: each["arguments"][0]["name"] for each in listed(scene, "prompts/list")}
    for path, tools in PROFILES.items():
        offered = {each["name"] for each in listed(scene, "prompts/list", path=path)}
        refused: set[str] = set()
        for name in [*names, "no-such-prompt"]:
            said = {"name": name, "arguments": {names.get(name, "task"): scene.task}}
            heard = scene.ask("root", "prompts/get", said, path=path)
            assert heard.outcome == ("allowed" if name in offered else "-32602")
            if name not in offered:
                refused.add(str(alike(heard, name)))
                continue
            text = heard.facts["result"]["messages"][0]["content"]["text"]
            assert set(re.findall(r"\b([a-z]+_[a-z]+|delegate)\(", text)) <= tools
        assert len(refused) == 1


# --- handles, sessions and streams ------------------------------------------------------------------------------------


@pytest.mark.parametrize("handle", HANDLES)
@pytest.mark.parametrize("method", ["get", "update", "cancel"])
def test_a_handle_is_for_whoever_may_act_as_its_owner(scene: Scene, handle: str, method: str) -> None:
    name = getattr(scene, handle)
    more = {"inputResponses": {}} if method == "update" else {}
    refused: set[str] = set()
    for who, shall in HANDLES[handle].items():
        if method == "cancel" and shall == "x":
            continue  # the last test of it
        heard = scene.ask(who, f"tasks/{method}", {"taskId": name, **more})
        assert (who, heard.outcome) == (who, "allowed" if shall == "x" else str(UNKNOWN[0]))
        if shall != "x":
            refused.add(str(alike(heard, name)))
        for each in (scene.foreign[handle], *NO_HANDLES):
            refused.add(str(alike(scene.ask(who, f"tasks/{method}", {"taskId": each, **more}), each)))
    assert len(refused) == 1
    assert UNKNOWN[1] in refused.pop()


NO_HANDLES = ["00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000000:ada", "nothing"]


@pytest.mark.parametrize("who", ["director", "root"])
def test_whoever_may_cancels_a_handle(scene: Scene, who: str) -> None:
    task = scene.fresh("claimed")
    handle = scene.delegation_of(task)
    assert scene.ask("stranger", "tasks/cancel", {"taskId": handle}).outcome == str(UNKNOWN[0])
    assert scene.board.holder(task) == "ada"
    assert scene.ask(who, "tasks/cancel", {"taskId": handle}).outcome == "allowed"
    assert scene.board.holder(task) == ""
    tidy(scene, {"TASK": task})


def test_a_session_of_another_cannot_be_told_from_none(scene: Scene) -> None:
    session = handshake(scene.listener, "/mcp/worker", token=scene.shown["worker", "token"])
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    for who in ("peer", "stranger", "superior"):
        shows = scene.bearer(who)
        for method, body in (("POST", ping), ("GET", None), ("DELETE", None)):
            heard = {
                each: scene.knock(method, "/mcp/worker", body, of_session(each), shows=shows)
                for each in (session, "0" * 32)
            }
            assert heard[session].status == 404
            assert alike(heard[session], session) == alike(heard["0" * 32], "0" * 32)
    own = scene.knock("POST", "/mcp/worker", ping, of_session(session), shows=scene.bearer("worker"))
    assert own.status == 200


def test_nobody_posts_into_the_stream_of_another(scene: Scene) -> None:
    with scene.stream("/sse/worker", "worker") as post_to:
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        told = re.search(r"session_id=([0-9a-f]{32})", post_to)
        assert told is not None
        for who in ("peer", "stranger", "superior"):
            heard = [
                scene.knock("POST", post_to.replace(told[1], each), ping, shows=scene.bearer(who))
                for each in (told[1], "0" * 32)
            ]
            assert heard[0].status == 404
            assert alike(heard[0], told[1]) == alike(heard[1], "0" * 32)
        own = scene.knock("POST", post_to, ping, shows=scene.bearer("worker"))
        assert own.status == 202
