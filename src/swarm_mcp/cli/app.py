"""The program with all its commands."""

from __future__ import annotations

import typer

from swarm_mcp import __version__
from swarm_mcp.cli import agents, archiving, backups, checks, databases, exporting, importing, projects, teams, tokens
from swarm_mcp.cli.critical_path import critical_path
from swarm_mcp.cli.demo.command import demo
from swarm_mcp.cli.doctor import doctor
from swarm_mcp.cli.hosting import config
from swarm_mcp.cli.inbox import inbox
from swarm_mcp.cli.options import AsJson
from swarm_mcp.cli.printing import as_json_text
from swarm_mcp.cli.program import carry_out, new_program
from swarm_mcp.cli.send import send
from swarm_mcp.cli.serve import serve
from swarm_mcp.cli.stats import stats
from swarm_mcp.cli.stuck import stuck
from swarm_mcp.cli.tasks.commands import app as tasks
from swarm_mcp.cli.undo import undo
from swarm_mcp.cli.watch import watch

app = new_program()

app.command()(serve)
app.command("import")(importing.import_plan)
app.command("export")(exporting.export_board)
app.command("archive")(archiving.archive_finished)
app.command()(demo)
app.command()(doctor)
app.command()(config)
app.command()(inbox)
app.command()(send)
app.command()(undo)
app.command()(stuck)
app.command()(stats)
app.command()(watch)
app.command("critical-path")(critical_path)
app.add_typer(projects.app, name="project")
app.add_typer(tasks, name="tasks")
app.add_typer(agents.app, name="agents")
app.add_typer(teams.app, name="teams")
app.add_typer(tokens.app, name="token")
app.add_typer(databases.app, name="db")
for command in (checks.check, checks.validate, backups.backup, backups.restore, backups.reset, backups.seed):
    databases.app.command()(command)


@app.command()
def version(*, as_json: AsJson = False) -> None:
    """Print the version.

    Example: swarm-mcp version
    """
    typer.echo(as_json_text({"version": __version__}) if as_json else __version__)


def run() -> None:
    """Run the command that was typed."""
    carry_out(app)
