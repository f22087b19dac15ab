"""What is asked for in the matrix of access, by whom and of what; and answers made comparable."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from access import FOREIGN, LISTEN, NAMESAKE_TEAMS, NAMESAKES, READ, STRANGERS, SUBSCRIBE, Heard, Scene
from access_rules import DEEDS, RESOURCES

from swarm_mcp.model.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

ABSENT = ("cormorant", "salamander")
"""Agents of no project."""


FIRST = {deed.partition(":")[0]: said for deed, (_, said) in reversed(DEEDS.items())}
"""A call of each tool."""


def filled(said: Any, names: dict[str, str]) -> Any:
    """The same with names instead of their places."""
    words = json.dumps(said)
    for place, name in names.items():
        words = re.sub(rf"\b{place}\b", name, words)
    return json.loads(words)


def alike(heard: Heard, sought: str) -> tuple[object, ...]:
    """An answer without what was sought, and without whatever differs between two answers of the same kind."""

    def masked(words: str) -> str:
        words = words.replace(sought, "SOUGHT").replace("\\n", " ")
        return re.sub(r"\d+", "0", re.sub(r"\b[a-z0-9]{8}\b", "ID", words))

    headers = [(name, masked(value)) for name, value in heard.headers if name.lower() != "content-length"]
    return heard.status, headers, masked(heard.body.decode())


def listed(scene: Scene, method: str, who: str = "root", path: str = "") -> list[dict[str, Any]]:
    """A list of the server's, whatever it is of."""
    result = scene.ask(who, method, path=path).facts["result"]
    return next(value for value in result.values() if isinstance(value, list))


def everything(scene: Scene) -> list[tuple[str, dict[str, Any]]]:
    """Whatever can be asked for: each tool, resource, prompt, completion, handle and list, and what there is not."""
    names = {"TASK": scene.task, "PRIVATE": scene.private, "AGENT": "pat", "NEW": "new"}
    tools = [tool["name"] for tool in listed(scene, "tools/list")]
    asked = [("tools/call", {"name": tool, "arguments": filled(FIRST[tool], names)}) for tool in tools]
    uris = {each["uri"] for each in listed(scene, "resources/list")}
    uris |= {uri for _, found in RESOURCES.values() for uri in filled(found, names)}
    asked += [(method, {"uri": uri}) for method in (READ, SUBSCRIBE) for uri in sorted(uris)]
    asked.append((LISTEN, {"notifications": {"resourceSubscriptions": sorted(uris)}}))
    for each in listed(scene, "resources/templates/list"):
        ref = {"type": "ref/resource", "uri": each["uriTemplate"]}
        asked.append(("completion/complete", {"ref": ref, "argument": {"name": "task_id", "value": ""}}))
    for each in listed(scene, "prompts/list"):
        asked.append(("prompts/get", {"name": each["name"], "arguments": {"task": scene.task}}))
    for method in ("get", "update", "cancel"):
        asked += [(f"tasks/{method}", {"taskId": handle}) for handle in (scene.delegation, scene.wait)]
    lists = ("tools", "resources", "resources/templates", "prompts")
    return [*asked, *((f"{each}/list", {}) for each in lists), ("server/discover", {}), ("no/such/method", {})]


def way_to(scene: Scene, address: str) -> tuple[str, str]:
    """The method and the path of an address as the server lists it."""
    method, _, path = address.rpartition(" ")
    method = method or ("POST" if path.startswith(("/mcp", "/messages")) else "GET")
    return method, path.replace("{task_id}", scene.task)


def subjects(scene: Scene, state: str, said: dict[str, Any]) -> dict[str, str]:
    """What a deed is done to."""
    words = json.dumps(said)
    names = {"TASK": scene.fresh(state)} if state else {}
    if "AGENT" in words:
        names["AGENT"] = scene.newcomer()
    if "NEW" in words:
        names["NEW"] = f"{scene.newcomer()}b"
    return names


def tidy(scene: Scene, names: dict[str, str], made: str = "") -> None:
    """Leave nobody with anything in hand, and no second director."""
    for task in (names.get("TASK", ""), made):
        with suppress(Refusal):
            scene.board.update("", task, action="cancel", subtree=True)
    if "AGENT" in names:
        scene.board.register("", names["AGENT"], lifecycle="terminated")


def places(schema: dict[str, Any]) -> Iterator[str]:
    """Every argument of a tool, those of items too."""
    for name, each in schema["properties"].items():
        yield name
        inner = each.get("items", {})
        if "properties" in inner:
            yield from (f"{name}.{place}" for place in places(inner))


def with_argument(said: dict[str, Any], place: str, value: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A call with an argument, a list of one where a list is wanted."""
    name, _, rest = place.partition(".")
    kind = schema["properties"][name]
    if rest:
        return {**said, name: [with_argument(said[name][0], rest, value, kind["items"])]}
    return {**said, name: [value] if kind.get("type") == "array" else value}


NEEDS: dict[str, dict[str, Any]] = {
    "claim_task pool": {"task": ""},
    "claim_task under": {"task": ""},
    "report_progress depends_on": {"status": "blocked"},
    "report_progress ask": {"status": "requires_assistance"},
    "send_message reply_to": {"to": ""},
}
"""What else has to be said for a name to count."""


FOUNDING = {"register_agent team"}
"""What makes a team here if there is none."""


def sought(scene: Scene, kind: str, place: str, number: int) -> list[tuple[str, str]]:
    """What there is in the other project, each with something like it that there is nowhere."""
    return {
        "task": [
            (scene.foreign["task"], "zzzzzzz2"), (scene.foreign["task"][:5], "zzzz2"), (FOREIGN["reference"], "GNU-1"),
        ],
        "agent": [(NAMESAKES[number % 2], ABSENT[number % 2])],
        "actor": [(STRANGERS[0], "porcupine")],
        "team": [(NAMESAKE_TEAMS[place in FOUNDING], ("centurions", "hoplites")[place in FOUNDING])],
        "place": [(f"team:{NAMESAKE_TEAMS[0]}", "team:centurions")],
        "message": [(scene.foreign["message"], "m9999")],
    }[kind]  # fmt: skip


def completed(scene: Scene, who: str, ref: dict[str, Any], name: str, begun: str = "") -> set[str]:
    """Whatever is proposed to a caller."""
    heard = scene.ask(who, "completion/complete", {"ref": ref, "argument": {"name": name, "value": begun}})
    assert heard.outcome == "allowed"
    return set(heard.facts["result"]["completion"]["values"])
