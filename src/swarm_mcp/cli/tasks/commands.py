"""The commands below `tasks`."""

from __future__ import annotations

import typer

from swarm_mcp.cli.tasks import (
    adding,
    deleting,
    done,
    graph,
    handing,
    listing,
    reviewing,
    showing,
    tree,
    updating,
    working,
)

app = typer.Typer(help="Tasks: what agents do by tools, from the command line.", no_args_is_help=True)
app.command("list")(listing.list_)
app.command("show")(showing.show)
app.command("tree")(tree.tree)
app.command("graph")(graph.graph)
app.command("add")(adding.add)
app.command("update")(updating.update)
app.command("delegate")(handing.delegate)
app.command("claim")(working.claim)
app.command("report")(working.report)
app.command("done")(done.done)
app.command("review")(reviewing.review)
app.command("delete")(deleting.delete)
