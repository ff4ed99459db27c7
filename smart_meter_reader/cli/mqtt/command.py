"""`mqtt`: try the broker, see what would be published, remove what is left of a meter."""

from __future__ import annotations

import click

from smart_meter_reader.cli.commands import LazyGroup

_COMMANDS = {
    "test": "smart_meter_reader.cli.mqtt.test:test",
    "preview": "smart_meter_reader.cli.mqtt.preview:preview",
    "clear": "smart_meter_reader.cli.mqtt.clear:clear",
}


@click.group(cls=LazyGroup, commands_by_path=_COMMANDS)
def mqtt() -> None:
    """Try the broker, see what would be published, remove what is left of a meter."""
