"""`serve`: the MCP server, started by a host or by whoever lets others in."""

from __future__ import annotations

from swarm_mcp.cli.options import (
    Agent,
    ChosenProfile,
    ChosenTransport,
    Database,
    Host,
    LogLevel,
    Port,
    Project,
    settings,
)


def serve(
    database: Database = "",
    project: Project = "",
    agent: Agent = "",
    profile: ChosenProfile = "",
    log_level: LogLevel = "",
    transport: ChosenTransport = "",
    host: Host = "",
    port: Port = -1,
) -> None:
    """Serve the board: to one MCP host over stdio, or to many over HTTP.

    Example: swarm-mcp serve --agent claude --profile director
    """
    where = {"transport": transport, "host": host, "port": str(port) if port >= 0 else ""}
    who = {"agent": agent, "profile": profile}
    chosen = settings(database=database, project=project, log_level=log_level, **who, **where)
    if chosen.transport == "stdio":
        from swarm_mcp.cli.serving import serve_stdio_board  # noqa: PLC0415 - help must not import the protocol

        serve_stdio_board(chosen)
    else:
        from swarm_mcp.cli.remote import serve_board_over_http  # noqa: PLC0415 - nor stdio what HTTP needs

        serve_board_over_http(chosen)
