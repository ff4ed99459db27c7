"""The setting `port`, which every client that reads a line has."""

from __future__ import annotations

from typing import Any

from smart_meter_reader.settings.schema import setting
from smart_meter_reader.transport import PORT_HELP, PORT_PATTERN, port_meant


def port_setting(more: str = "") -> Any:
    """Where the meter is; ``more`` is added to the help."""
    return setting(
        PORT_HELP + more, pattern=PORT_PATTERN, pattern_help=PORT_HELP, meant=port_meant, identifies=False
    )
