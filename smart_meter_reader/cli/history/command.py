"""`history`: what the meters have told, shown, exported, imported, kept safe and corrected."""

from __future__ import annotations

import click

from smart_meter_reader.cli.commands import Lazy, LazyGroup

_ROOM = "smart_meter_reader.cli.history"
# The summaries are the first sentences of the commands' help, so that listing them imports none.
COMMANDS = {
    "show": Lazy(f"{_ROOM}.show:show", "Show what the meters counted, with a bar beside each line."),
    "events": Lazy(
        f"{_ROOM}.events:events",
        "Show what happened, oldest first, each with its time by the clock of the house.",
    ),
    "export": Lazy(f"{_ROOM}.export:export", "Write what the meters counted as CSV, XLSX or JSON."),
    "import": Lazy(
        f"{_ROOM}.import_file:import_file",
        "Take in the readings of FILE, which another program or a person has kept.",
    ),
    "push": Lazy(
        f"{_ROOM}.push:push",
        "Send the hours to Home Assistant's statistics, or with --to all of it to a database.",
    ),
    "backup": Lazy(f"{_ROOM}.backup:backup", "Write a copy of the history, also while the service runs."),
    "restore": Lazy(f"{_ROOM}.backup:restore", "Put the backup FILE in the place of the history."),
    "check": Lazy(
        f"{_ROOM}.check:check", "Say whether the history is sound, how large, and where it has gaps."
    ),
    "note": Lazy(f"{_ROOM}.note:note", "Correct the history: a meter was replaced, or values are wrong."),
}


@click.group(cls=LazyGroup, commands_by_path=COMMANDS)
def history() -> None:
    """Show, export, import, keep safe and correct what the meters have told."""
