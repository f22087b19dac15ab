"""Tasks as plain JSON, for programs that speak no MCP: the same operations, with the same authority."""

from __future__ import annotations

import json
import logging
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from swarm_mcp.interchange.arguments import read_arguments
from swarm_mcp.interchange.calling import model_of
from swarm_mcp.model.agent import Profile
from swarm_mcp.model.bearer import BEARER, Bearer
from swarm_mcp.model.errors import Invalid, Refusal
from swarm_mcp.operations.catalog import CATALOG
from swarm_mcp.web.answers import answer, mistake, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from swarm_mcp.model.record import Answer
    from swarm_mcp.operations.swarm import Swarm
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.web.entrance import Run

_log = logging.getLogger(__name__)

NOBODY = "api"
"""Who acts where no token says it and the request names nobody."""
CONNECTION = str(uuid.UUID("3f0a4b1e-9a7c-4d0e-8f56-0d9c1f6a2b77"))
"""What claims would remember; these requests make none."""


class Tasks:
    """Tasks of one board."""

    def __init__(self, swarm: Swarm, run: Run) -> None:
        self._swarm = swarm
        self._run = run

    async def create(self, request: Request) -> Response:
        """Create a task: the arguments of create_task as a JSON object."""
        try:
            said = json.loads(await request.body())
        except (ValueError, RecursionError):
            return mistake(400, "The body has to be a JSON object with the arguments of create_task; title is needed.")
        if not isinstance(said, dict):
            return mistake(400, "The body has to be a JSON object, with the arguments of create_task.")
        made = await self._run(partial(self._answered, partial(self._create, request, said)))
        if made.status_code == 200:  # noqa: PLR2004
            made.status_code = 201
        return made

    async def show(self, request: Request) -> Response:
        """A task's brief, as get_task answers it; `?agent=` says who asks, where a token does not."""
        said = {**request.query_params, "task": request.path_params["task_id"]}
        return await self._run(partial(self._answered, partial(self._show, request, said)))

    def _create(self, request: Request, said: dict[str, Any]) -> Answer:
        given = read_arguments(model_of("create_task"), said)
        bearer: Bearer | None = request.scope.get(BEARER)
        agent = given.pop("agent", "").strip()
        who = _in_whose_name(bearer, agent)
        return self._swarm.write(
            lambda db: _run("create_task", db, given),
            profile=Profile.DIRECTOR,
            connection=CONNECTION,
            agent=who.agent,
            via=who.via,
            subject=who.subject,
        )

    def _show(self, request: Request, said: dict[str, Any]) -> Answer:
        given = read_arguments(model_of("get_task"), said)
        bearer: Bearer | None = request.scope.get(BEARER)
        agent = given.pop("agent", "").strip()
        who = _in_whose_name(bearer, agent)
        return self._swarm.read(
            lambda db: _run("get_task", db, given),
            connection=CONNECTION,
            agent=who.agent,
            via=who.via,
            subject=who.subject,
        )

    def _answered(self, ask: Callable[[], Answer]) -> Response:
        """What came of it; on a worker thread."""
        try:
            return answer(ask().structured())
        except Refusal as refusal:
            return refused(refusal)
        except Exception:
            _log.exception("a request failed")
            return mistake(500)


def _run(name: str, db: Transaction, given: dict[str, Any]) -> Answer:
    return CATALOG[name].run(db, **given)  # type: ignore[return-value]


class Who(NamedTuple):
    """In whose name a request is carried out."""

    agent: str
    via: str
    subject: str = ""


def _in_whose_name(bearer: Bearer | None, agent: str) -> Who:
    """Who acts: an operator as itself or as anybody, others as themselves or as one below them.

    Raises:
        Invalid: nobody can be called so.

    """
    if agent == "operator":
        raise Invalid("The operator is not named: an operator's token acts as it by itself.")
    if bearer is None:
        return Who(agent or NOBODY, "http")
    if bearer.is_operator:
        return Who(agent, f"http:{bearer.agent}")
    return Who(agent or bearer.agent, bearer.agent, bearer.agent)
