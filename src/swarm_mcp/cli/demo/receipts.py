"""Whether every write that an agent saw acknowledged is on the board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swarm_mcp.repository import agents, memory, messages, tasks, work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from swarm_mcp.cli.demo.ledger import Ledger
    from swarm_mcp.cli.demo.troupe import Telling
    from swarm_mcp.repository.database import Transaction

MANY = 10_000


def lost(db: Transaction, ledger: Ledger, tellings: Iterable[Telling]) -> list[str]:
    """Of the acknowledged writes, those that are not there, a sentence each."""
    return [
        f"{each['agent']}: {each['what']} {each['said'] or each['answer']}"
        for each in tellings
        if each["what"] in RECEIPTS and not RECEIPTS[each["what"]](db, ledger, each)
    ]


def collisions(tellings: Iterable[Telling]) -> list[str]:
    """Attempts that the board acknowledged to two agents, a sentence each."""
    holders: dict[tuple[str, int], str] = {}
    found: list[str] = []
    for each in tellings:
        if each["what"] == "claim_task":
            claim = (each["answer"]["task"]["id"], each["answer"]["attempt"])
            first = holders.setdefault(claim, each["agent"])
            if first != each["agent"]:
                found.append(f"{first} and {each['agent']} were both given {claim[0]} as attempt {claim[1]}.")
    return found


def _claimed(db: Transaction, ledger: Ledger, each: Telling) -> bool:
    _ = db
    return (each["answer"]["task"]["id"], each["answer"]["attempt"], each["agent"]) in ledger.claims


def _reported(db: Transaction, ledger: Ledger, each: Telling) -> bool:
    _ = ledger
    agent = agents.find_agent(db, each["agent"])
    said = each["said"]
    log = work.progress_of(db, said["task"], after=0, limit=MANY)
    return agent is not None and any(row.agent_id == agent.id and row.message == said["message"] for row in log)


def _shared(db: Transaction, ledger: Ledger, each: Telling) -> bool:
    _ = ledger
    said = each["said"]
    found = memory.context_around(db, [said.get("task", "")], limit=MANY)
    return any(row.key == said["key"] and row.value == said["value"] for row in found)


def _completed(db: Transaction, ledger: Ledger, each: Telling) -> bool:
    said: dict[str, Any] = each["said"]
    if each["answer"]["task"]["status"] != "completed":  # it waits for its review
        return _changed(db, ledger, each)
    return (said["task"], each["agent"], said["summary"]) in ledger.completed


def _delegated(db: Transaction, ledger: Ledger, each: Telling) -> bool:
    _ = ledger
    said = each["said"]
    # Where the board has chosen, it adds why.
    return any(row.reasoning.startswith(said.get("reasoning", "")) for row in work.delegations(db, said["task"]))


def _sent(db: Transaction, ledger: Ledger, each: Telling) -> bool:
    _ = ledger
    message = messages.find_message(db, int(each["answer"]["id"].removeprefix("m")))
    return message is not None and message.text == each["said"]["text"]


def _changed(db: Transaction, ledger: Ledger, each: Telling) -> bool:
    """A change of a task has its event; a judgement of criteria has one without a version."""
    task = tasks.resolve_task(db, each["said"]["task"]).id
    version = each["answer"]["task"]["version"]
    return bool({(task, each["agent"], version), (task, each["agent"], None)} & ledger.versions)


def _registered(db: Transaction, ledger: Ledger, each: Telling) -> bool:
    """An agent that has ended stays ended; whoever has not may have been moved since."""
    _ = ledger
    said = each["said"]
    agent = agents.find_agent(db, said["name"])
    return agent is not None and agent.lifecycle == said.get("lifecycle", agent.lifecycle)


def _planned(db: Transaction, ledger: Ledger, each: Telling) -> bool:
    _ = db
    return set(each["answer"]["ids"].values()) <= ledger.tasks.keys()


RECEIPTS: dict[str, Callable[[Transaction, Ledger, Telling], bool]] = {
    "claim_task": _claimed,
    "report_progress": _reported,
    "share_context": _shared,
    "complete_task": _completed,
    "delegate": _delegated,
    "send_message": _sent,
    "update_task": _changed,
    "review_task": _changed,
    "register_agent": _registered,
    "create_plan": _planned,
}
"""How each kind of write is found on the board again."""
