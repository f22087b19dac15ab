"""The Tasks extension, `io.modelcontextprotocol/tasks` (SEP-2663): a handle instead of a long wait.

A client of the newer generation that declares it with a request gets a handle from `delegate`, and from
`check_inbox(wait_seconds=…)` where there is nothing to tell yet. With the handle it asks how things stand, answers what
the worker asks, and cancels. Nothing of it is in this process: a handle is the id of a delegation, or of a wait that
the board knows of, so any server of the board serves it, before and after a restart.

Nothing else imports this package but `server/app.py`, in one line, and plugs it in, in another. Without these and the
package, the server is the same to all clients as it is to those that do not declare the extension.
"""

from __future__ import annotations

from swarm_mcp.server.tasks_extension.extension import plug_tasks

__all__ = ["plug_tasks"]
