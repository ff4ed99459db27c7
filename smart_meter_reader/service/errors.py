"""The error of `service`: something on this machine is in the way, and the lines say what to do."""

from __future__ import annotations

import click

from smart_meter_reader.text import printable


class ServiceError(click.ClickException):
    """Ends the command with exit code 69. Each line is made printable: paths are for users to choose."""

    exit_code = 69  # as cli.EXIT_UNAVAILABLE

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(map(printable, lines)))
