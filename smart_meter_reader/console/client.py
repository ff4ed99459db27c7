"""The options of commands at a port: the family by its names, the speed of the line, any other setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from smart_meter_reader.drivers import other_names
from smart_meter_reader.settings.names import meant

_Command = TypeVar("_Command", bound=Callable[..., Any])
# Of serial ports of this kernel.
_FASTEST = 4_000_000

baud_option = click.option(
    "--baud",
    type=click.IntRange(min=1, max=_FASTEST),
    help="Speed of the line, where it is not the usual one.",
)


class ClientChoice(click.Choice[str]):
    """A family of meters; "Kamstrup" is kamstrup, and what people call it ("p1", "MULTICAL 403") is told.

    ``registry``: the import strings of the families, by the names of their clients.
    """

    def __init__(self, choices: Sequence[str], registry: Mapping[str, str]) -> None:
        super().__init__(choices)
        self._registry = registry

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The family. Raises BadParameter that says which one was probably meant."""
        known = list(self.choices)
        if isinstance(value, str) and value.lower() in known:
            return value.lower()
        near = meant(str(value), known, other_names(self._registry))
        suggestion = f"; did you mean {near!r}?" if near else ""
        listed = ", ".join(map(repr, known))
        return self.fail(f"{value!r} is not one of {listed}{suggestion}", param, ctx)


def settings_option(name: str = "--set") -> Callable[[_Command], _Command]:
    """Argument assignments, KEY=VALUE each."""
    return click.option(
        name,
        "assignments",
        multiple=True,
        metavar="KEY=VALUE",
        help="Any other setting of the client, as in settings.toml.",
    )
