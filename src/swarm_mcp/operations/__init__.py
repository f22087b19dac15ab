"""What can be done: one function is one operation, and mostly one tool.

`from swarm_mcp import open_swarm, operations`: every operation is here by its name and takes the open transaction
first: `operations.create_task(db, title=…)`. Only `run_task` takes the board itself.
"""

from __future__ import annotations

from swarm_mcp.operations.briefing import get_task
from swarm_mcp.operations.browsing import list_tasks
from swarm_mcp.operations.changing import update_task
from swarm_mcp.operations.claiming import claim_task
from swarm_mcp.operations.completing import complete_task
from swarm_mcp.operations.conversing import check_inbox, send_message
from swarm_mcp.operations.delegating import delegate
from swarm_mcp.operations.describing import describe_task
from swarm_mcp.operations.dictating import complete_from_text, create_task_from_delegation
from swarm_mcp.operations.membership import register_team
from swarm_mcp.operations.overview import get_overview
from swarm_mcp.operations.participating import join_task
from swarm_mcp.operations.planning import create_plan, create_task
from swarm_mcp.operations.projects import set_policy
from swarm_mcp.operations.registering import configure_agent, register_agent
from swarm_mcp.operations.remembering import add_note, share_context
from swarm_mcp.operations.reporting import report_progress
from swarm_mcp.operations.reviewing import review_task
from swarm_mcp.operations.roster import list_agents
from swarm_mcp.operations.running import run_task
from swarm_mcp.operations.undoing import undo

__all__ = [
    "add_note",
    "check_inbox",
    "claim_task",
    "complete_from_text",
    "complete_task",
    "configure_agent",
    "create_plan",
    "create_task",
    "create_task_from_delegation",
    "delegate",
    "describe_task",
    "get_overview",
    "get_task",
    "join_task",
    "list_agents",
    "list_tasks",
    "register_agent",
    "register_team",
    "report_progress",
    "review_task",
    "run_task",
    "send_message",
    "set_policy",
    "share_context",
    "undo",
    "update_task",
]
