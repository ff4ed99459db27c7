"""The commands by name, each imported only when called, and what click's own errors exit with."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem, shell_complete

from smart_meter_reader import __version__
from smart_meter_reader.console import COMPLETION_VARIABLE, EXIT_INTERRUPTED, EXIT_USAGE, PROGRAM
from smart_meter_reader.drivers import imported


class Lazy(NamedTuple):
    """A command that is not imported yet: where it is, and its line in the list of commands."""

    path: str
    summary: str


_CLI = "smart_meter_reader.cli"
# The summaries are the first sentences of the commands' help, so that listing them imports none.
COMMANDS: Mapping[str, Lazy] = {
    "run": Lazy(f"{_CLI}.run:run", "Run an environment until it is stopped (SIGTERM, Ctrl-C)."),
    "check": Lazy(f"{_CLI}.check:check", "Check the settings; touch no port and no broker."),
    "setup": Lazy(f"{_CLI}.setup.command:setup", "Ask for everything, from the port to the first reading."),
    "init": Lazy(
        f"{_CLI}.init:init", "Write config.py, settings.toml and .secrets.toml into the working directory."
    ),
    "ports": Lazy(
        f"{_CLI}.ports:ports",
        "List the serial ports, those of USB adapters with the name that stays when plugs are changed.",
    ),
    "scan": Lazy(
        f"{_CLI}.scan.command:scan", "Find meters: port, protocol, model, serial number, and settings."
    ),
    "align": Lazy(f"{_CLI}.align.command:align", "Help to place the infrared head on the meter at PORT."),
    "read": Lazy(f"{_CLI}.read.command:read", "Take one reading of the meter at PORT and print it."),
    "logs": Lazy(
        f"{_CLI}.logs.command:logs", "Read what the meter at PORT has kept in its own loggers, and print it."
    ),
    "clock": Lazy(
        f"{_CLI}.clock.command:clock", "Show the clock of the meter at PORT beside that of this computer."
    ),
    "record": Lazy(
        f"{_CLI}.record.command:record",
        "Record what passes between a client and the meter at PORT into FILE.",
    ),
    "diagnose": Lazy(
        f"{_CLI}.diagnose.command:diagnose", "Write what belongs to a bug report about ENV into a file."
    ),
    "doctor": Lazy(
        f"{_CLI}.doctor.command:doctor",
        "Examine everything that ENV needs, and say what to do about the rest.",
    ),
    "health": Lazy(f"{_CLI}.health:health", "Ask the running service of ENV whether readings still come."),
    "registers": Lazy(
        f"{_CLI}.registers:registers",
        "List the registers of Kamstrup meters: id, quantity, kind of unit, models.",
    ),
    "decode": Lazy(f"{_CLI}.decode.command:decode", "Say what captured bytes mean, frame by frame."),
    "emulate": Lazy(f"{_CLI}.emulate:emulate", "Be a meter, for trying things out without one."),
    "mqtt": Lazy(
        f"{_CLI}.mqtt.command:mqtt",
        "Try the broker, see what would be published, remove what is left of a meter.",
    ),
    "history": Lazy(
        f"{_CLI}.history.command:history",
        "Show, export, import, keep safe and correct what the meters have told.",
    ),
    "web": Lazy(
        f"{_CLI}.web.command:web",
        "Show several environments on one page, or set the password of the page in the browser.",
    ),
    "writer": Lazy(f"{_CLI}.writer:writer", "Write what a fleet's edges publish over NATS into PostgreSQL."),
    "service": Lazy(
        f"{_CLI}.service.command:service",
        "Run an environment as a systemd service, from the start of the machine on.",
    ),
    "completion": Lazy(
        f"{_CLI}.completion:completion", "Print the script that completes commands in your shell."
    ),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called.

    To list them it imports only those that are registered by their path alone, without a summary.
    """

    def __init__(self, *args: Any, commands_by_path: Mapping[str, str | Lazy], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._entries = commands_by_path

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._entries)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, and says which command was probably meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0].lower(), self._entries, n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        path = entry.path if isinstance(entry, Lazy) else entry
        command: click.Command = imported(path)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self._summary(ctx, name)) for name in self._entries]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [name for name in self._entries if name.startswith(incomplete)]
        found = [CompletionItem(name, help=self._summary(ctx, name)) for name in names]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def _summary(self, ctx: click.Context, name: str) -> str:
        entry = self._entries[name]
        if isinstance(entry, Lazy):
            return entry.summary
        command = self.get_command(ctx, name)
        return command.get_short_help_str(limit=200) if command else ""


@click.command(
    cls=LazyGroup,
    commands_by_path=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name=PROGRAM)
@click.pass_context
def cli(ctx: click.Context) -> int:
    """Reads heat and electricity meters and hands every reading on.

    Without a command it runs the environment of settings.toml in the working directory, where there is only
    one, or the one that ENV_FOR_DYNACONF names.

    The first step: setup; or by hand: init, scan --write, check, run.

    Exit codes: 0 well, 64 wrong use, 65 damaged input, 69 meter or broker not reachable,
    78 settings that cannot be used.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from smart_meter_reader.cli.start import start

    return start()


def invoke(arguments: Sequence[str]) -> int:
    """Run the command that the arguments name; the exit code of the process.

    Not by click's own ``main``, which ends with 1 where the reader of our output has seen enough.
    """
    try:
        with cli.make_context(PROGRAM, list(arguments)) as context:
            result = cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        error.show()
        return EXIT_USAGE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return EXIT_INTERRUPTED
    return result if isinstance(result, int) else 0


def complete() -> int:
    """Answer the shell, which has put what is typed so far into environment variables."""
    return shell_complete(cli, {}, PROGRAM, COMPLETION_VARIABLE, os.environ[COMPLETION_VARIABLE])
