"""`check`: the effective settings of an environment, secrets hidden, or all that is wrong with them."""

from __future__ import annotations

import sys

import click

from smart_meter_reader.console.environments import complete_environment


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
def check(environment: str | None) -> int:
    """Check the settings; touch no port and no broker.

    Prints every key that ENV (default: what ENV_FOR_DYNACONF names) runs with and where it was found, or
    every problem, then with exit code 78. Secrets are not printed.
    """
    from smart_meter_reader.cli.settings import load_settings
    from smart_meter_reader.settings.text import settings_text

    loaded = load_settings(environment=environment)
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(settings_text(loaded), end="")
    return 0
