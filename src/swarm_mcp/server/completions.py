"""Completions: what an argument of a prompt, or a variable of an address, may be. Names that everybody may read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from swarm_mcp.model.draft import check_clean
from swarm_mcp.model.errors import Invalid, NotFound
from swarm_mcp.model.lifecycle import TaskStatus
from swarm_mcp.repository import agents, suggestions, teams
from swarm_mcp.server.prompts import find_prompt
from swarm_mcp.server.resources import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import mcp_types as types

    from swarm_mcp.model.agent import Profile
    from swarm_mcp.repository.database import Transaction

LIMIT = 100
"""Of the protocol."""
LOOKED_AT = 2000
"""Tasks whose titles are looked at, open ones first: an answer to every keystroke must not grow with the store."""
ID = re.compile(r"[a-z0-9]{1,8}")


def complete(db: Transaction, params: types.CompleteRequestParams, profile: Profile) -> dict[str, Any]:
    """What may stand there, best first.

    Raises:
        NotFound: there is no such prompt or template.
        Invalid: it has no such argument.

    """
    name, value = params.argument.name, params.argument.value
    check_clean([name, value, vars(params.ref)], "The reference")
    known = arguments_of(params.ref, profile)
    if name not in known:
        raise Invalid(f"`{name[:40]}` is no argument there; it takes {', '.join(known)}.")
    found = KINDS.get(name, _nothing)(db, value.strip())
    total = {"total": len(found)} if len(found) < LOOKED_AT else {}
    return {"values": found[:LIMIT], **total, "hasMore": len(found) > LIMIT}


def arguments_of(ref: types.PromptReference | types.ResourceTemplateReference, profile: Profile) -> list[str]:
    """The arguments of a prompt, or the variables of a template."""
    if ref.type == "ref/prompt":
        return [find_prompt(ref.name, profile).argument.name]
    if ref.uri not in {template for template, *_ in TEMPLATES}:
        raise NotFound(f"No template `{ref.uri[:200]}`; resources/templates/list names them.", uri=ref.uri[:500])
    return [name for listed in re.findall(r"{\??([\w,]+)}", ref.uri) for name in listed.split(",")]


def _tasks(db: Transaction, typed: str) -> list[str]:
    """Ids that begin with what was typed, then those of titles that have its words; open ones first."""
    words = typed.casefold().split()
    found = suggestions.foremost(db, limit=LOOKED_AT)
    titled = [row.id for row in found if all(word in row.title.casefold() for word in words)]
    begun = suggestions.beginning(db, words[0], limit=LOOKED_AT) if words and ID.fullmatch(" ".join(words)) else []
    return list(dict.fromkeys([*(row.id for row in begun), *titled]))


def _agents(db: Transaction, typed: str) -> list[str]:
    return _like(agents.all_agent_names(db), typed)


def _places(db: Transaction, typed: str) -> list[str]:
    """Whom work may be handed to: agents, teams and specialties by their plain names, and anyone."""
    names = [*agents.all_agent_names(db), *teams.all_team_names(db), *agents.all_specialties(db), "anyone"]
    return _like(dict.fromkeys(names), typed)


def _statuses(db: Transaction, typed: str) -> list[str]:
    """Statuses; of several with commas between them, the last is completed."""
    _ = db
    before, comma, last = typed.rpartition(",")
    chosen = before.split(",")
    return [f"{before}{comma}{each}" for each in _like(TaskStatus, last) if each not in chosen]


def _truth(db: Transaction, typed: str) -> list[str]:
    _ = db
    return _like(("true", "false"), typed)


def _nothing(db: Transaction, typed: str) -> list[str]:
    """Free text and numbers."""
    _ = db, typed
    return []


def _like(names: Iterable[str], typed: str) -> list[str]:
    """Those that begin with what was typed, then those that have it elsewhere."""
    meant = typed.strip().casefold()
    found = [str(each) for each in names if meant in each.casefold()]
    return sorted(found, key=lambda each: not each.casefold().startswith(meant))


KINDS: dict[str, Callable[[Transaction, str], list[str]]] = {
    "task": _tasks,
    "task_id": _tasks,
    "id": _tasks,
    "agent": _agents,
    "name": _agents,
    "assignee": _places,
    "status": _statuses,
    "ready": _truth,
}
"""What each argument may be; of all others only whoever asks knows."""
