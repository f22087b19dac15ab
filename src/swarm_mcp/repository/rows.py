"""The stored things as classes, for scripts with a session: `from swarm_mcp.repository.tables import TaskRow`."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import registry

from swarm_mcp.repository import tables

_registry = registry(metadata=tables.metadata)


def _mapped(name: str, table: Any) -> type[Any]:
    """A class for the rows of a table."""
    made = type(name, (), {"__doc__": f"A row of {table.name}.", "__module__": tables.__name__})
    _registry.map_imperatively(made, table)
    return made


MAPPED: dict[str, type[Any]] = {
    name: _mapped(name, table)
    for name, table in {
        "ProjectRow": tables.project,
        "AgentRow": tables.agent,
        "ConnectionRow": tables.connection,
        "TokenRow": tables.token,
        "TeamRow": tables.team,
        "TeamMemberRow": tables.team_member,
        "TaskRow": tables.task,
        "TallyRow": tables.tally,
        "ExternalRefRow": tables.external_ref,
        "DependencyRow": tables.dependency,
        "CriterionRow": tables.criterion,
        "DelegationRow": tables.delegation,
        "ExecutionRow": tables.execution,
        "ProgressRow": tables.progress,
        "ContextRow": tables.context,
        "NoteRow": tables.note,
        "FeedbackRow": tables.feedback,
        "ParticipantRow": tables.participant,
        "ConversationRow": tables.conversation,
        "MessageRow": tables.message,
        "InboxRow": tables.inbox,
        "EventRow": tables.event,
        "IdempotencyRow": tables.idempotency,
        "WordingRow": tables.wording,
        "UnindexedRow": tables.unindexed,
    }.items()
}
"""Every mapped class by its name."""
