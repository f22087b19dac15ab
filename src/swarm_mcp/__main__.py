"""`swarm-mcp` and `python -m swarm_mcp`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. A server's stdout is its wire, and is guarded before anything else is imported."""
    if sys.argv[1:2] == ["serve"] and "--help" not in sys.argv:
        from swarm_mcp.server.wire import divert_stdout  # noqa: PLC0415 - before anything that might print

        divert_stdout()
    from swarm_mcp.cli.app import run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
