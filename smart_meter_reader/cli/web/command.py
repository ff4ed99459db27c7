"""The command `web`: the page of several environments, and what belongs to the page in the browser."""

from __future__ import annotations

import click

from smart_meter_reader.cli.commands import LazyGroup
from smart_meter_reader.drivers import imported

_HERE = "smart_meter_reader.cli.web"


class _WebGroup(LazyGroup):
    """What is no command of its own is the name of an environment to show."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in self.list_commands(ctx):
            return super().resolve_command(ctx, args)
        shown: click.Command = imported(f"{_HERE}.together:together")
        return "", shown, args


@click.group(
    cls=_WebGroup,
    commands_by_path={"password": f"{_HERE}.password:password"},
    subcommand_metavar="ENV... | COMMAND [ARGS]...",
)
def web() -> None:
    """Show several environments on one page, or set the password of the page in the browser.

    `web ENV...` shows environments that run on this machine together, from their histories, until it is
    stopped. It reads no meter. Its address and password stand in the table [page] of settings.toml; without
    one it is at http://127.0.0.1:8080/. `service install web ENV...` makes it a service.

    The page of a single environment is a sink of its service: the table [ENV.sinks.web] of the settings.
    """
