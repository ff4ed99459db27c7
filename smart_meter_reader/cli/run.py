"""`run`: runs what the environment configures until it is stopped (the default command)."""

from __future__ import annotations

import click

from smart_meter_reader.cli.start import start
from smart_meter_reader.console.environments import complete_environment


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option("--once", is_flag=True, help="Take one reading of every meter to every sink, then end.")
def run(environment: str | None, once: bool) -> int:
    """Run an environment until it is stopped (SIGTERM, Ctrl-C).

    ENV is one of settings.toml's environments; without it the one that ENV_FOR_DYNACONF names, or the only
    one there is. With --once
    (for cron) the exit code is 69 when a meter gave no reading, or a sink could not deliver what was read.
    """
    return start(environment, once=once)
