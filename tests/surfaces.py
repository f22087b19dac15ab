"""Everything that a caller can come by: each tool in its widest forms, each resource, list, prompt and completion.

`calls()` is a table with an entry for every tool, `fill()` has one for every variable of an address and `prompted()`
for every argument of a prompt. What has none is a failure, so that whatever is new has to be walked over too.
"""

from __future__ import annotations

import itertools
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from serving import Desk

SECTIONS = ["context", "notes", "messages", "progress", "history", "executions", "delegations", "tree"]
VIEWS = ["summary", "stuck", "tree", "critical_path", "workload", "timeline", "nonsense"]
VERDICTS = ["waive", "rework", "accept", "fail", "nonsense"]
ACTIONS = ["hold", "resume", "recall", "retry", "reopen", "archive", "unarchive", "cancel", "nonsense"]
STATUSES = ["", "requires_assistance", "in_progress", "blocked", "released", "completed", "nonsense"]
PAGES = 20


@dataclass
class Names:
    """What a caller may name, rightly or not."""

    viewer: str
    tasks: Sequence[str]
    agents: Sequence[str]
    teams: Sequence[str] = ()
    messages: Sequence[str] = ()
    conversations: Sequence[str] = ()
    words: Sequence[str] = ()
    """What may be searched for."""


def calls(at: Names) -> dict[str, list[dict[str, Any]]]:
    """For each tool its widest calls: those that read first, then those that are done, then those that are refused."""
    every = [{"task": task} for task in at.tasks]
    some = every[:3]
    whom = [*at.agents, *at.teams, "all", "superior", "operator", "nobody_in_particular"]
    return {
        "get_task": [
            {},
            *({**each, "include": SECTIONS, "max_tokens": 8000} for each in every),
            *({**each, "include": ["history", "progress", "notes"], "cursor": "1"} for each in every),
            {"task": at.tasks[0], "include": ["nonsense"]},
        ],
        "list_tasks": [
            {"limit": 200, "sort": sort} for sort in ("urgency", "created", "updated", "deadline", "nonsense")
        ]
        + [{"text": word, "limit": 200} for word in at.words]
        + [{"assignee": name} for name in whom]
        + [{"under": task} for task in at.tasks]
        + [{"status": ["completed", "cancelled", "failed"]}, {"ready": True}, {"overdue": True}, {"tag": "t"}],
        "get_overview": [
            {"view": view, "under": under, "since": "2000-01-01T00:00Z", "limit": 200}
            for view, under in itertools.product(VIEWS, ["", at.tasks[0]])
        ],
        "list_agents": [{"limit": 200}, *({"team": team} for team in at.teams), {"role": "worker"}, {"status": "idle"}],
        "check_inbox": [{"limit": 50, "reread": True}, {"limit": 50}, {"wait_seconds": 1}, {"reread": True}],
        "add_note": [{**each, "text": "Mine."} for each in every],
        "share_context": [{"key": "k", "value": 1}, *({**each, "key": "k", "value": {"a": 1}} for each in every)],
        "send_message": [{"text": "Hello.", "to": to, "task": at.tasks[0]} for to in whom]
        + [{"text": "Well?", "reply_to": number} for number in at.messages]
        + [{"text": "Well?", "to": at.agents[0], "reply_to": number} for number in at.messages],
        "join_task": [{**each, "role": "onlooker"} for each in every] + [{"task": at.tasks[0], "leave": True}],
        "claim_task": [{}, *every, *({"under": task} for task in at.tasks), *({"pool": team} for team in at.teams)],
        "report_progress": [
            {**each, "message": "So it is.", "status": status, "percent": 10}
            for each, status in itertools.product(some, STATUSES)
        ],
        "create_plan": [{"tasks": [{"title": "New", "parent": task, "depends_on": at.tasks[-1]}]} for task in at.tasks]
        + [{"tasks": [{"title": "New", "assignee": name, "ref": "a"}], "key": "k"} for name in whom],
        "create_task": [{"title": "New", "parent": task, "key": "k"} for task in at.tasks]
        + [{"title": "New", "assignee": name} for name in whom],
        "delegate": [
            {**each, "to": to, "reasoning": "So."} for each, to in itertools.product(some, [*whom, at.viewer, "auto"])
        ],
        "register_agent": [{"name": name, "description": "x"} for name in [*at.agents, *at.teams, "somebody_new"]]
        + [{"name": name, "superior": at.viewer} for name in at.agents]
        + [{"name": at.viewer, "team": team} for team in [*at.teams, "a_new_team"]]
        + [{"name": name, "lifecycle": state} for name in at.agents for state in ("paused", "active", "terminated")],
        "review_task": [
            {**each, "verdict": verdict, "notes": "So.", "quality": 3}
            for each, verdict in itertools.product(some, VERDICTS)
        ],
        "complete_task": [{**each, "summary": "Done.", "evidence": {"1": "seen"}} for each in every],
        "configure_agent": [{"name": name, "health": {"a": 1}} for name in [*at.agents, at.viewer]],
        "register_team": [{"name": name, "objective": "x"} for name in [*at.teams, "another_team"]],
        "describe_task": [{**each, "area": "x", "needs_review": True} for each in every],
        "set_policy": [{"lease_minutes": 20}],
        "undo": [{"event": number} for number in (1, 2, 3, 99_999)],
        "complete_from_text": [{**each, "text": '{"status": "completed", "summary": "Done."}'} for each in every],
        "create_task_from_delegation": [
            {"title": "New", "text": f'{{"assigned_agent": "{name}", "reasoning": "So."}}'} for name in at.agents
        ],
        "update_task": [{**each, "title": "Other", "version": 1} for each in every]
        + [
            {**each, "action": action, "reason": "So.", "subtree": True}
            for each, action in itertools.product(some, ACTIONS)
        ],
    }


def fill(variable: str, at: Names) -> list[str]:
    """What may stand for a variable of a resource's address."""
    return {
        "task_id": [*at.tasks],
        "name": [*at.agents, at.viewer, *at.teams],
        "id": [*at.conversations],
        "status": ["", "completed"],
        "assignee": ["", *at.agents],
        "ready": ["", "true"],
        "limit": ["200"],
        "cursor": ["", "0"],
        "after": ["0"],
    }[variable]


def prompted(argument: str, at: Names) -> list[str]:
    """What may stand for an argument of a prompt."""
    return {
        "goal": ["Ship it."],
        "agent": [*at.agents, at.viewer],
        "task": [*at.tasks],
        "since": ["2000-01-01T00:00Z"],
    }[argument]


@dataclass
class Walk:
    """One caller's way through everything that a server offers it, and whatever it heard on the way."""

    desk: Desk
    at: Names
    heard: list[str] = field(default_factory=list)
    walked: set[str] = field(default_factory=set)

    def everything(self) -> str:
        """Read everything, try everything (looking again after each), and read everything anew."""
        for writing in (True, False):
            self.tools(writing=False)
            self.resources()
            self.prompts()
            if writing:
                self.tools(writing=True)
        return "\n".join(self.heard)

    def tools(self, *, writing: bool) -> None:
        """Every tool of this profile that writes, or that does not."""
        table = calls(self.at)
        for tool in self.desk.run("list_tools").tools:
            if tool.annotations.read_only_hint == writing:
                continue
            self.walked.add(tool.name)
            for said in table[tool.name]:
                self.call(tool.name, {k: v for k, v in said.items() if k in tool.input_schema["properties"]})
                if writing:
                    self.look_again()

    def look_again(self) -> None:
        """What a write may have opened to its caller."""
        self.call("get_task", {"task": self.at.tasks[0], "include": SECTIONS, "max_tokens": 8000})

    def call(self, tool: str, said: dict[str, Any]) -> None:
        """Call a tool and keep whatever came of it, news of its progress included."""

        async def on_progress(progress: float, total: float | None, message: str | None) -> None:
            self.heard.append(f"{tool} {progress} {total} {message}")

        self.hear(tool, lambda: self.desk.run("call_tool", name=tool, arguments=said, progress_callback=on_progress))

    def hear(self, what: str, ask: Any) -> Any:
        """Keep an answer, or the error that came instead."""
        try:
            answer = ask()
        except MCPError as error:
            self.heard.append(f"{what} {error.error.message} {json.dumps(error.error.data)}")
            return None
        self.heard.append(f"{what} {answer.model_dump_json()}")
        return answer

    def pages(self, request: str) -> Iterator[Any]:
        """A list of the protocol, page by page."""
        cursor = None
        for _ in range(PAGES):
            page = self.hear(request, lambda cursor=cursor: self.desk.run(request, cursor=cursor))
            if page is None:
                return
            yield page
            cursor = page.next_cursor
            if not cursor:
                return

    def resources(self) -> None:
        """Every resource that is listed, every address of every template, and what completes them."""
        listed = [each.uri for page in self.pages("list_resources") for each in page.resources]
        patterns = [
            each.uri_template for page in self.pages("list_resource_templates") for each in page.resource_templates
        ]
        self.walked.update(patterns)
        for uri in [*listed, *(uri for each in patterns for uri in self.addresses(each)), "swarm://nonsense"]:
            self.hear(uri, lambda uri=uri: self.desk.run("read_resource", uri=str(uri)))
        for each in patterns:
            reference = ResourceTemplateReference(type="ref/resource", uri=each)
            self.complete(reference, re.findall(r"[a-z_]+(?=[,}])", each))

    def addresses(self, pattern: str) -> Iterator[str]:
        """The addresses that a template stands for."""
        path, _, query = pattern.partition("{?")
        inside = re.findall(r"{(\w+)}", path)
        wanted = [name for name in query.rstrip("}").split(",") if name]
        for values in itertools.product(*(fill(name, self.at) for name in inside)):
            uri = path.format(**dict(zip(inside, values, strict=True)))
            yield uri
            for asked in itertools.product(*(fill(name, self.at) for name in wanted)):
                pairs = [f"{name}={value}" for name, value in zip(wanted, asked, strict=True) if value]
                if pairs:
                    yield f"{uri}?{'&'.join(pairs)}"

    def prompts(self) -> None:
        """Every prompt with all that its arguments may be, and what completes these."""
        for prompt in [each for page in self.pages("list_prompts") for each in page.prompts]:
            self.walked.add(prompt.name)
            names = [each.name for each in prompt.arguments or ()]
            for values in itertools.product(*(prompted(name, self.at) for name in names)):
                said = dict(zip(names, values, strict=True))
                self.hear(
                    prompt.name, lambda p=prompt.name, said=said: self.desk.run("get_prompt", name=p, arguments=said)
                )
            self.complete(PromptReference(type="ref/prompt", name=prompt.name), names)

    def complete(self, reference: Any, names: Sequence[str]) -> None:
        """Whatever is proposed for an argument, however it begins."""
        if self.desk.client.server_capabilities.completions is None:
            return
        for name in names:
            for begun in ["", *"ams", *self.at.words[:2], self.at.tasks[0][:4]]:
                said = {"name": name, "value": begun}
                self.hear(
                    f"completion of {name}", lambda said=said: self.desk.run("complete", ref=reference, argument=said)
                )

    def log(self) -> str:
        """What the server wrote to its log meanwhile."""
        with suppress(FileNotFoundError):
            return self.desk.log.read_text()
        return ""
