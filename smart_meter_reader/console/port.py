"""The argument PORT of commands that open one without any settings: what no port can be is refused."""

from __future__ import annotations

import re

import click

from smart_meter_reader.text import printable
from smart_meter_reader.transport import PORT_HELP, PORT_PATTERN, port_meant

_SHOWN = 60


def require_port(text: str) -> None:
    """Raise click.UsageError, with what may be meant, for a text that the settings do not take as a port."""
    if re.fullmatch(PORT_PATTERN, text):
        return
    meant = port_meant(text)
    more = f"; did you mean {meant}?" if meant else ""
    raise click.UsageError(f'PORT: found "{printable(text, _SHOWN)}"; allowed: {PORT_HELP}{more}')
