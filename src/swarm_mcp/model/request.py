"""The request that is being served, so that whatever is logged meanwhile can be found by it."""

from __future__ import annotations

from contextvars import ContextVar

REQUEST_ID: ContextVar[str] = ContextVar("swarm_request_id", default="")
"""The id of the request; empty where there is none, as on a pipe."""
