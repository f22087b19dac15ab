"""`swarm-mcp` and `python -m swarm_mcp`."""

from __future__ import annotations

import sys

HELP = frozenset({"--help", "-h"})


def main() -> None:
    """Run the command line.

    A server's stdout is its wire, and is guarded before anything else is imported. It starts without the other
    commands, which would cost each of many servers some of its memory and every host some of its patience.
    """
    if sys.argv[1:2] == ["serve"] and not HELP.intersection(sys.argv):
        from swarm_mcp.server.wire import divert_stdout  # noqa: PLC0415 - before anything that might print

        divert_stdout()
        from swarm_mcp.cli.program import carry_out, new_program  # noqa: PLC0415
        from swarm_mcp.cli.serve import serve  # noqa: PLC0415

        alone = new_program()
        alone.command()(serve)
        carry_out(alone)
    else:
        from swarm_mcp.cli.app import run  # noqa: PLC0415

        run()


if __name__ == "__main__":
    main()
