"""`setup`: asks what there is to know, shows what it would write, and stays until the first reading."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from pathlib import Path

import click

from smart_meter_reader.cli.setup.conversation import converse
from smart_meter_reader.cli.setup.draft import SettingsDraft
from smart_meter_reader.cli.setup.imports.taking import take_in
from smart_meter_reader.cli.setup.steps import steps_for
from smart_meter_reader.cli.setup.talk import Talk, UndoError
from smart_meter_reader.cli.setup.writing import SettingsFiles
from smart_meter_reader.console import EXIT_INTERRUPTED, EXIT_OK, EXIT_UNAVAILABLE, EXIT_USAGE, PROGRAM
from smart_meter_reader.console.environments import complete_environment, environments
from smart_meter_reader.service.program import PACKAGED, program_place
from smart_meter_reader.service.steps import SETTINGS_HOME
from smart_meter_reader.transport.ports import in_container


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option(
    "--import",
    "brought",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Begin with the settings of another program, which FILE has.",
)
@click.option(
    "--directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the settings are, or are to be; default: the working directory, or, of the Debian package, "
    "/etc/smart_meter_reader, where its services have them.",
)
def setup(environment: str | None, brought: Path | None, directory: Path | None) -> int:
    """Ask for everything, from the port to the first reading.

    Finds the meters, helps with the infrared head, takes a reading to compare with the display, asks where
    readings go and tries that, shows what it would write into settings.toml and .secrets.toml, writes it, and
    starts the service. Where there are settings, it begins with them and changes what you change.

    `back` goes back, `skip` leaves a step as it is, `undo` puts the files back; Ctrl-C ends it. Nothing is
    written before it was shown.

    FILE is the config.yaml of kamstrup-402-mqtt or hass-mc66c, the command line or crontab of
    multical402-4-home-assistant, or the settings.toml of the older Smart Meter Reader.
    """
    directory = directory.absolute() if directory else _usual_directory()
    if not os.access(directory, os.W_OK):
        command = shlex.join([PROGRAM, *sys.argv[1:]])
        click.echo(f"{directory} belongs to somebody else: sudo {command} may write there", err=True)
        return EXIT_UNAVAILABLE
    brought = brought and brought.absolute()
    os.chdir(directory)
    talk, files = Talk(), SettingsFiles(directory)
    # What clients log would stand between the questions; what matters of it is told.
    logging.disable(logging.CRITICAL)
    try:
        wanted = environment or os.environ.get("ENV_FOR_DYNACONF") or _asked(directory)
        draft = SettingsDraft.of(directory, wanted)
        if brought is not None:
            draft = take_in(talk, draft, brought)
        talk.say(f"Settings of the environment {draft.environment} in {directory}.")
        talk.say("At each question: Enter takes what stands in [ ]; back, skip and undo are answers, too.")
        converse(talk, steps_for(files), draft)
    except UndoError:
        return _undone(files)
    except KeyboardInterrupt:
        click.echo(f"\n{_left(files)}", err=True)
        return EXIT_INTERRUPTED
    except EOFError:
        click.echo(f"the answers ended before the questions did; {_left(files)}", err=True)
        return EXIT_USAGE
    finally:
        logging.disable(logging.NOTSET)
    return EXIT_OK


def _usual_directory() -> Path:
    """The working directory; of the Debian package, which is there for its services, that of theirs.

    Also where settings are here: who has just built the package stands in a clone, which has some.
    """
    packaged = program_place() == PACKAGED and not in_container()
    return SETTINGS_HOME if packaged and SETTINGS_HOME.is_dir() else Path.cwd()


def _asked(directory: Path) -> str | None:
    """The environment, where settings.toml has several."""
    found = environments(directory)
    if len(found) < 2:
        return None
    raise click.UsageError(f"which environment (ENV)? settings.toml has: {', '.join(found)}")


def _left(files: SettingsFiles) -> str:
    return "what was written stays" if files.changed else "nothing was written"


def _undone(files: SettingsFiles) -> int:
    changed = files.changed
    files.put_back()
    click.echo("The files are as they were before." if changed else "Nothing was written.")
    return EXIT_OK
