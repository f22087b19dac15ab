"""What can be said of a task on the command line, said once."""

from __future__ import annotations

from typing import Annotated

import typer

from swarm_mcp.cli import completing
from swarm_mcp.model.lifecycle import Priority
from swarm_mcp.model.task import Complexity

Description = Annotated[str, typer.Option(help="What is to be done, in full.", show_default=False)]
Parent = Annotated[
    str, typer.Option(help="The task that it is a part of.", show_default=False, autocompletion=completing.tasks)
]
DependsOn = Annotated[
    list[str] | None,
    typer.Option(
        help="A task that it waits for; `enables:ID` and the like wait for nothing.",
        show_default=False,
        autocompletion=completing.tasks,
    ),
]
ChosenPriority = Annotated[
    str,
    typer.Option(
        "--priority",
        help="critical, high, medium or low.",
        show_default=False,
        autocompletion=completing.words(Priority),
    ),
]
ChosenComplexity = Annotated[
    str,
    typer.Option(
        "--complexity",
        help="low, medium, high or very_high.",
        show_default=False,
        autocompletion=completing.words(Complexity),
    ),
]
Criterion = Annotated[
    list[str] | None, typer.Option("--criterion", help="Done when …; needs evidence.", show_default=False)
]
Check = Annotated[
    list[str] | None,
    typer.Option("--check", help="CEL over measurements: p95_ms < 200.", show_default=False),
]
Deadline = Annotated[str, typer.Option(help="2099-12-31, or a time with its offset.", show_default=False)]
Hours = Annotated[float, typer.Option("--hours", help="How long it should take.", show_default=False)]
Tag = Annotated[list[str] | None, typer.Option("--tag", help="A word to find it by.", show_default=False)]
Area = Annotated[str, typer.Option(help="The component that it belongs to.", show_default=False)]
Touches = Annotated[list[str] | None, typer.Option(help="A path that it will change.", show_default=False)]
Phase = Annotated[int, typer.Option(help="1 to 10.", show_default=False)]
Kind = Annotated[str, typer.Option("--type", help="What kind of task it is, in a word.", show_default=False)]
Source = Annotated[str, typer.Option(help="The document that it comes from.", show_default=False)]
