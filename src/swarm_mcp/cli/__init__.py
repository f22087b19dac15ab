"""The command line: Typer commands over the same operations that agents call."""
