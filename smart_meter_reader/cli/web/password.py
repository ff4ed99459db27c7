"""`web password`: asks for a password, and gives the line that stands for it in the settings."""

from __future__ import annotations

import sys

import click

from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.sinks.web.access.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, written

_WHERE = """\
It belongs into .secrets.toml, in place of a line `password` that may be there; then restart the service:

[{table}]
"""


@click.command()
@click.argument("environment", metavar="[ENV]", default="home")
def password(environment: str) -> int:
    """Ask for a password, and print the line that lets it open the page of ENV.

    The line holds no password, and none can be read out of it. Where no person sits before a terminal, the
    password is the first line of what is piped in. Nothing is written into any file.
    """
    chosen = _asked() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if wrong := unfit(chosen):
        raise click.UsageError(wrong)
    # Only the lines that belong into the file go where they can be redirected to.
    print(_WHERE.format(table=f"{environment}.sinks.web"), end="", file=sys.stderr)
    print(f'password = "{written(chosen)}"')
    return EXIT_OK


def unfit(chosen: str) -> str:
    """Why it can be no password of the page; "" when it can."""
    if SHORTEST_PASSWORD <= len(chosen) <= LONGEST_PASSWORD:
        return ""
    return (
        f"a password has {SHORTEST_PASSWORD} characters at least and {LONGEST_PASSWORD} at most; "
        f"this one has {len(chosen)}"
    )


def _asked() -> str:
    return str(click.prompt("Password for the page", hide_input=True, confirmation_prompt="Once more"))
