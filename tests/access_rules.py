"""Who may do what over the wire, as the design has it: tables that say what shall be, not what is.

`x` it may, `.` it is refused as not allowed, `c` as somebody else has it, `-` there is no such tool at its address; an
empty place is not tried.
The rules are those of authority, of claims and of agents; a credential's scope decides about the address, and nothing
but the board about what is done there.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

OUTCOMES = {"x": "allowed", ".": "not_allowed", "c": "conflict", "-": "-32602"}


def rows(table: str) -> dict[str, dict[str, str]]:
    """A table as it is written: the outcomes that shall be, by deed and by caller."""
    head, *lines = table.strip("\n").splitlines()
    columns = [(name[0], name.start()) for name in re.finditer(r"\S+", head)]
    label = columns[0][1]
    return {
        line[:label].strip(): {name: line[at : at + 8].split()[0] for name, at in columns if line[at : at + 1].strip()}
        for line in lines
    }


class Deed(NamedTuple):
    """What is tried."""

    state: str
    """Of the task that it is done to, as `Scene.fresh` knows them."""
    said: dict[str, Any]
    """With TASK for that task, and AGENT for an agent below sue."""


def update(state: str, **said: Any) -> Deed:
    return Deed(state, {"task": "TASK", "reason": "So it is.", **said})


def review(state: str, **said: Any) -> Deed:
    return Deed(state, {"task": "TASK", "notes": "So it is.", **said})


DEEDS = {
    "claim_task": Deed("delegated", {"task": "TASK"}),
    "claim_task: its team's": Deed("team's", {"task": "TASK"}),
    "claim_task: anybody's": Deed("free", {"task": "TASK"}),
    "claim_task: what ada took": Deed("taken", {"task": "TASK"}),
    "get_task": Deed("delegated", {"task": "TASK", "include": ["notes", "messages", "history", "context"]}),
    "report_progress": Deed("claimed", {"task": "TASK", "message": "Half."}),
    "report_progress: released": Deed("claimed", {"task": "TASK", "message": "Not me.", "status": "released"}),
    "complete_task": Deed("claimed", {"task": "TASK", "summary": "Done."}),
    "share_context": Deed("delegated", {"task": "TASK", "key": "a", "value": 1}),
    "share_context: the project's": Deed("", {"key": "a", "value": 1}),
    "add_note": Deed("delegated", {"task": "TASK", "text": "Mine."}),
    "send_message": Deed("delegated", {"task": "TASK", "to": "all", "text": "Hello."}),
    "check_inbox": Deed("", {}),
    "create_plan: under it": Deed("delegated", {"parent": "TASK", "tasks": [{"title": "Part"}]}),
    "create_plan: at the top": Deed("", {"tasks": [{"title": "Whole"}]}),
    "create_task: under it": Deed("delegated", {"parent": "TASK", "title": "Part"}),
    "create_task: for bob": Deed("", {"title": "Bob's", "assignee": "bob"}),
    "update_task: words": update("delegated", title="Other words"),
    "update_task: hold": update("delegated", action="hold"),
    "update_task: resume": update("held", action="resume"),
    "update_task: recall": update("claimed", action="recall"),
    "update_task: cancel": update("delegated", action="cancel"),
    "update_task: retry": update("failed", action="retry"),
    "update_task: reopen": update("completed", action="reopen"),
    "update_task: archive": update("completed", action="archive"),
    "update_task: unarchive": update("archived", action="unarchive"),
    "list_tasks": Deed("", {"limit": 200}),
    "delegate: to pat": Deed("delegated", {"task": "TASK", "to": "pat"}),
    "delegate: to bob": Deed("delegated", {"task": "TASK", "to": "bob"}),
    "delegate: to a team": Deed("delegated", {"task": "TASK", "to": "team:backend"}),
    "review_task: accept": review("in review", verdict="accept"),
    "review_task: rework": review("in review", verdict="rework"),
    "review_task: fail": review("in review", verdict="fail"),
    "review_task: rate": review("completed", quality=4),
    "register_agent: ada's words": Deed("", {"name": "ada", "description": "Knows NEW."}),
    "register_agent: pat's words": Deed("", {"name": "pat", "description": "Knows NEW."}),
    "register_agent: a role": Deed("", {"name": "AGENT", "role": "specialist"}),
    "register_agent: a pause": Deed("", {"name": "AGENT", "lifecycle": "paused"}),
    "register_agent: below tom": Deed("", {"name": "AGENT", "superior": "tom"}),
    "register_agent: a director": Deed("", {"name": "AGENT", "role": "director", "superior": "operator"}),
    "register_agent: below ada": Deed("", {"name": "NEW", "superior": "ada"}),
    "list_agents": Deed("", {"limit": 200}),
    "get_overview": Deed("", {"view": "workload"}),
    "join_task": Deed("delegated", {"task": "TASK", "role": "onlooker"}),
}
TOOLS = rows("""
                             worker   peer     outsider promoted stranger superior director root
claim_task                   x        .        .        x        .        .        .        .
claim_task: its team's       x        .        .        x        .        .        .        .
claim_task: anybody's        x        x        x        x        x        x        x        x
claim_task: what ada took    x        c        c        x        c        c        c        c
get_task                     x        x        x        x        x        x        x        x
report_progress              x        .        .        x        .        .        .        .
report_progress: released    x        .        .        x        .        .        .        .
complete_task                x        .        .        x        .        .        .        .
share_context                x        x        x        x        x        x        x        x
share_context: the project's x        x        x        x        x        x        x        x
add_note                     x        x        x        x        x        x        x        x
send_message                 x        x        x        x        x        x        x        x
check_inbox                  x        x        x        x        x        x        x        x
create_plan: under it        x        .        .        x        .        x        x        x
create_plan: at the top               .        .                 x        x        x        x
create_task: under it        -        -        -        x        .        x        x        x
create_task: for bob         -        -        -                 x        .        .        x
update_task: words           -        -        -        .        .        x        x        x
update_task: hold            -        -        -        x        .        x        x        x
update_task: resume          -        -        -        .        .        x        x        x
update_task: recall          -        -        -        .        .        x        x        x
update_task: cancel          -        -        -        .        .        x        x        x
update_task: retry           -        -        -        .        .        x        x        x
update_task: reopen          -        -        -        .        .        x        x        x
update_task: archive         -        -        -        .        .        x        x        x
update_task: unarchive       -        -        -        .        .        x        x        x
list_tasks                   -        -        -        x        x        x        x        x
delegate: to pat             -        -        -        .        .        x        x        x
delegate: to bob             -        -        -        .        .        .        .        x
delegate: to a team          -        -        -        x        .        x        x        x
review_task: accept          -        -        -        .        .        x        x        x
review_task: rework          -        -        -        .        .        x        x        x
review_task: fail            -        -        -        .        .        x        x        x
review_task: rate            -        -        -        .        .        x        x        x
register_agent: ada's words  -        -        -        x        .        x        x        x
register_agent: pat's words  -        -        -        .        .        x        x        x
register_agent: a role       -        -        -        .        .        x        x        x
register_agent: a pause      -        -        -        .        .        x        x        x
register_agent: below tom    -        -        -        .        .        .        .        x
register_agent: a director   -        -        -        .        .        .        .        x
register_agent: below ada    -        -        -        x        .        x        x        x
list_agents                  -        -        -        x        x        x        x        x
get_overview                 -        -        -        x        x        x        x        x
join_task                    -        -        -        x        x        x        x        x
""")
"""Of ada, what she does as a worker at the top depends on what else she has, so it is not said here."""

PROFILES = {
    "/mcp/worker": {
        "claim_task", "get_task", "report_progress", "complete_task", "share_context", "add_note", "send_message",
        "check_inbox", "create_plan",
    },
    "/mcp/observer": {"get_task", "list_tasks", "list_agents", "get_overview"},
    "/mcp/director": {deed.partition(":")[0] for deed in DEEDS},
    "/mcp": {deed.partition(":")[0] for deed in DEEDS},
}  # fmt: skip
"""Which tools an address has: a worker's nine, the reads that leave no trace, all."""

# What is read. Everybody reads the project, but for what is somebody's own.

EVERYBODY = dict.fromkeys(TOOLS["get_task"], "x")
OWN = {**dict.fromkeys(EVERYBODY, "."), "worker": "x", "promoted": "x"}
BETWEEN_TWO = {**OWN, "superior": "x"}
OF_DELEGATOR = {**dict.fromkeys(EVERYBODY, "."), "director": "x", "root": "x"}
BELOW_WHOM = {**OWN, "superior": "x", "director": "x", "root": "x"}
"""Whoever may act in ada's name."""

RESOURCES: dict[str, tuple[dict[str, str], list[str]]] = {
    "swarm://overview": (EVERYBODY, ["swarm://overview"]),
    "swarm://tasks{?status,assignee,ready,limit,cursor}": (
        EVERYBODY, ["swarm://tasks", "swarm://tasks?status=completed&assignee=ada&ready=false&limit=200"],
    ),
    "swarm://tasks/{task_id}": (EVERYBODY, ["swarm://tasks/TASK"]),
    **{
        f"swarm://tasks/{{task_id}}/{part}": (EVERYBODY, [f"swarm://tasks/TASK/{part}"])
        for part in ("tree", "graph", "context")
    },
    **{
        f"swarm://tasks/{{task_id}}/{part}{{?cursor}}": (EVERYBODY, [f"swarm://tasks/TASK/{part}"])
        for part in ("progress", "notes", "history")  # of the notes, one's own
    },
    "swarm://agents{?cursor}": (EVERYBODY, ["swarm://agents"]),
    "swarm://agents/{name}": (EVERYBODY, ["swarm://agents/ada"]),
    "swarm://agents/{name}/inbox": (OWN, ["swarm://agents/ada/inbox"]),
    "swarm://conversations/{id}{?cursor}": (BETWEEN_TWO, ["swarm://conversations/PRIVATE"]),
    "swarm://conversations/{id}{?cursor} by a task": (EVERYBODY, ["swarm://conversations/TASK"]),  # its questions
    "swarm://events{?after,limit}": (EVERYBODY, ["swarm://events", "swarm://events?after=0&limit=200"]),
}  # fmt: skip
"""For each address who may read it, and what is read."""
HANDLES = {"delegation": OF_DELEGATOR, "wait": BELOW_WHOM}

# What is reached without the protocol: with which status whoever shows a credential is answered.

EVERY = {"worker": 200, "stranger": 200, "operator": 200}
DIRECTORS = {**EVERY, "worker": 403}
POSTING = dict.fromkeys(EVERY, 400)  # let in, and told that a session is missing
OPEN: dict[str, int] = {}
"""Everybody is answered as if nothing had been shown."""
ADDRESSES: dict[str, dict[str, int]] = {
    "/": OPEN,
    "/api/status": OPEN,
    "/health": OPEN,
    "/.well-known/oauth-protected-resource": OPEN,
    "/.well-known/oauth-protected-resource/mcp": OPEN,
    "GET /health/detailed": EVERY,
    "GET /metrics": EVERY,
    "POST /api/tasks": {"worker": 403, "stranger": 201, "operator": 201},
    "GET /api/tasks/{task_id}": EVERY,
    "/mcp": DIRECTORS,
    "/mcp/director": DIRECTORS,
    "/mcp/worker": EVERY,
    "/mcp/observer": EVERY,
    "/sse": DIRECTORS,
    "/sse/worker": EVERY,
    "/sse/observer": EVERY,
    "/messages/director": {**POSTING, "worker": 403},
    "/messages/worker": POSTING,
    "/messages/observer": POSTING,
}
CREATING = {
    "worker": 403, "promoted": 201, "stranger": 403, "superior": 201, "director": 201, "root": 201, "operator": 201,
}  # fmt: skip
"""Who creates a task under ada's."""

# What may be named, by argument: whatever is not a text of one's own has to be here.

TASK, AGENT, ACTOR, TEAM, PLACE, MESSAGE = "task", "agent", "actor", "team", "place", "message"
NAMED = {
    "task": (TASK,), "parent": (TASK,), "under": (TASK,), "depends_on": (TASK,), "add_depends_on": (TASK,),
    "drop_depends_on": (TASK,), "assignee": (AGENT, PLACE), "to": (AGENT, PLACE), "ask": (AGENT,), "superior": (AGENT,),
    "name": (AGENT,), "agent": (ACTOR,), "team": (TEAM,), "leave_team": (TEAM,), "pool": (TEAM, PLACE),
    "reply_to": (MESSAGE,),
}  # fmt: skip
"""Arguments that name something on the board, and of what kinds."""
PLAIN = set(
    re.findall(r"\w+", """
action actual_hours add_checks add_criteria area artifacts attempt capabilities capacity checks clear complexity
confidence context_requirements criteria cursor deadline description drop_criteria estimated_hours estimated_minutes
evidence expected_deliverables include issues key kind lease_minutes leave lifecycle limit max_tokens measurements
message needs_review next_actions notes outcome outputs overdue percent phase priority quality rationale ready
reason reasoning ref required_resources reread risk_factors role since sort source specialty status subtree
success_criteria summary tag tags task_type tasks team_role text timeliness title touches value verdict version view
wait_seconds
""")
)  # fmt: skip
"""Arguments that name nothing."""
