"""The option `--client`: the families by their names, however they are written."""

from __future__ import annotations

from typing import Any

import click

from smart_meter_reader.settings.names import meant


class ClientChoice(click.Choice[str]):
    """A family of meters; "Kamstrup" is kamstrup, and what people call it ("p1", "MULTICAL 403") is told."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The family. Raises BadParameter that says which one was probably meant."""
        known = list(self.choices)
        if isinstance(value, str) and value.lower() in known:
            return value.lower()
        near = meant(str(value), known)
        suggestion = f"; did you mean {near!r}?" if near else ""
        listed = ", ".join(map(repr, known))
        return self.fail(f"{value!r} is not one of {listed}{suggestion}", param, ctx)
