"""The commands by name, each imported only when called, and what click's own errors exit with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from smart_meter_reader import __version__
from smart_meter_reader.cli import EXIT_INTERRUPTED, EXIT_USAGE
from smart_meter_reader.drivers import load_driver

COMMANDS: Mapping[str, str] = {
    "run": "smart_meter_reader.cli.run:run",
    "check": "smart_meter_reader.cli.check:check",
    "init": "smart_meter_reader.cli.init:init",
    "ports": "smart_meter_reader.cli.ports:ports",
    "read": "smart_meter_reader.cli.read:read",
    "registers": "smart_meter_reader.cli.registers:registers",
    "decode": "smart_meter_reader.cli.decode:decode",
    "emulate": "smart_meter_reader.cli.emulate:emulate",
    "mqtt": "smart_meter_reader.cli.mqtt:mqtt",
    "service": "smart_meter_reader.cli.service:service",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called or listed."""

    def __init__(self, *args: Any, commands_by_path: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._paths = commands_by_path

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._paths)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._paths:
            return None
        command: click.Command = load_driver(self._paths, cmd_name)
        return command


@click.command(
    cls=LazyGroup,
    commands_by_path=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="smart-meter-reader")
def cli() -> None:
    """Reads heat and electricity meters and hands every reading on.

    Without a command it runs the environment that ENV_FOR_DYNACONF names, from config.py and
    settings.toml in the working directory.

    Exit codes: 0 well, 64 wrong use, 65 damaged input, 69 meter or broker not reachable,
    78 settings that cannot be used.
    """


def invoke(arguments: Sequence[str]) -> int:
    """Run the command that the arguments name; the exit code of the process."""
    try:
        result = cli.main(list(arguments), prog_name="smart-meter-reader", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return EXIT_USAGE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return EXIT_INTERRUPTED
    return result if isinstance(result, int) else 0
