"""The options of commands that read a meter at a port: the speed of the line, and any other setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

baud_option = click.option(
    "--baud", type=click.IntRange(min=1), help="Speed of the line, where it is not the usual one."
)


def settings_option(name: str = "--set") -> Callable[[_Command], _Command]:
    """Argument assignments, for ``read.client_settings``."""
    return click.option(
        name,
        "assignments",
        multiple=True,
        metavar="KEY=VALUE",
        help="Any other setting of the client, as in settings.toml.",
    )
