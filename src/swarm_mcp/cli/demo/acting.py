"""One scripted agent as a process: `python -m swarm_mcp.cli.demo.acting NAME …`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress

from swarm_mcp.cli.demo.cast import cast_for
from swarm_mcp.cli.demo.director import Director
from swarm_mcp.cli.demo.hand import hand_on
from swarm_mcp.cli.demo.supervisor import Supervisor
from swarm_mcp.cli.demo.worker import Worker
from swarm_mcp.model.agent import AgentRole, Profile

ENDED_EARLY = 3
PARENT_CHECK_SECONDS = 1.0


async def act(said: argparse.Namespace) -> None:
    """Play the part until it is over, the deadline has come, or the demo ends it."""
    me = asyncio.current_task()
    assert me is not None  # noqa: S101 - a coroutine runs in a task
    with suppress(NotImplementedError):  # Windows, where the demo's end ends us at once
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    watching = asyncio.create_task(end_with_the_demo(me))
    try:
        await play(said)
    finally:
        watching.cancel()


async def end_with_the_demo(me: asyncio.Task[None]) -> None:
    """End the part when the demo is killed: an orphan is given another parent."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - the system tells of it in no other way
        await asyncio.sleep(PARENT_CHECK_SECONDS)
    me.cancel()


async def play(said: argparse.Namespace) -> None:
    """Do what the part says, through a server of one's own."""
    cast = cast_for(said.workers)
    member = cast.member(said.name)
    works = member is not None and member.role is AgentRole.WORKER
    profile = Profile.WORKER if works else Profile.DIRECTOR
    async with asyncio.timeout(said.seconds), hand_on(said.database, said.name, profile) as hand:
        if member is None:
            await Director(hand, cast).direct()
        elif works:
            await Worker(hand, asks=member.name == cast.asker, lingers=member.name == cast.victim).work()
        else:
            await Supervisor(hand, member).supervise()


def main() -> None:
    """Read the part from the command line and play it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--database", required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    try:
        asyncio.run(act(parser.parse_args()))
    except (asyncio.CancelledError, KeyboardInterrupt, BrokenPipeError):
        # Whoever watches has gone, or wants us gone: nothing more can be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ENDED_EARLY)


if __name__ == "__main__":
    main()
