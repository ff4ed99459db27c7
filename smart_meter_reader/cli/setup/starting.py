"""After writing: `doctor`, the service, the first reading, and where it is to be seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from smart_meter_reader.cli.doctor.command import report
from smart_meter_reader.cli.service.command import install_environment
from smart_meter_reader.cli.setup.draft import SettingsDraft
from smart_meter_reader.cli.setup.talk import AgainError, Talk
from smart_meter_reader.cli.setup.writing import AGAIN, SettingsFiles
from smart_meter_reader.console import EXIT_OK, PROGRAM
from smart_meter_reader.console.checks import Level
from smart_meter_reader.console.environments import typed
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.program import INSTALLED
from smart_meter_reader.service.state import service_state
from smart_meter_reader.service.steps import SETTINGS_HOME, Machine
from smart_meter_reader.service.unit import UNIT, instance_name
from smart_meter_reader.settings.loading import LoadedSettings


class Start:
    """The steps that need the files: they are left out where the files do not say what was talked about."""

    def __init__(self, files: SettingsFiles) -> None:
        self._files = files

    def examine(self, talk: Talk, draft: SettingsDraft) -> SettingsDraft:
        """The step: what `doctor` says."""
        if not self._files.hold(draft):
            return _not_written(talk, draft)
        unread = set(draft.target.meters) - draft.read
        worst = report(draft.environment, read_meters=bool(unread))
        if worst > Level.WARNING and talk.choose("And now", ["go on", AGAIN]) == 1:
            raise AgainError
        return draft

    def install(self, talk: Talk, draft: SettingsDraft) -> SettingsDraft:
        """The step: the service and its first reading; without systemd, one reading to all sinks."""
        if not self._files.hold(draft):
            return _not_written(talk, draft)
        if not Machine().runs_systemd:
            talk.say("systemd does not run here, so there is no service to install.")
            return _run_once(talk, draft)
        if not talk.agree(f"Let it run from now on, as the service {instance_name(draft.environment)}?"):
            return _run_once(talk, draft)
        try:
            _install(draft)
        except SettingsError as error:
            for problem in error.problems:
                talk.say(problem)
        except ServiceError as error:
            talk.show(error.message)
        except click.Abort:
            talk.say("The service was not installed.")
        return draft

    def tell_where(self, talk: Talk, draft: SettingsDraft) -> SettingsDraft:
        """The step: where readings are to be seen."""
        if not self._files.hold(draft):
            return draft
        name = typed(draft.directory, draft.environment)
        state = service_state(draft.environment)
        logs, screen = f"`{PROGRAM} service logs{name}`", "what `run` writes to the screen"
        runs = state is not None and state.runs
        printed = logs if runs else screen
        if not runs:
            talk.say(f"While `{PROGRAM} run{name}` runs:")
        for line in places(draft.load(), printed):
            talk.say(f"  {line}")
        talk.say(
            f"  `{PROGRAM} setup{name}` changes something, `{PROGRAM} doctor{name}` looks for trouble; all "
            f"commands are typed in {draft.directory}"
        )
        return draft


def _not_written(talk: Talk, draft: SettingsDraft) -> SettingsDraft:
    talk.say("Left out, since nothing was written.")
    return draft


def _install(draft: SettingsDraft) -> None:
    if os.geteuid() == 0 or shutil.which("sudo") is None:
        # Of the package there is nothing to agree to but what was just asked: settings and unit stay.
        packaged = Machine().packaged(UNIT) and draft.directory.resolve() == SETTINGS_HOME
        install_environment(draft.environment, draft.directory, yes=packaged)
    else:
        installed = Path(sys.prefix) == INSTALLED
        program = [PROGRAM] if installed else [sys.executable, "-I", "-m", "smart_meter_reader"]
        subprocess.run(  # noqa: S603 - fixed words and an environment's name
            ["sudo", *program, "service", "install", draft.environment],  # noqa: S607 - wherever it is
            check=False,
            cwd=draft.directory,
        )


def _run_once(talk: Talk, draft: SettingsDraft) -> SettingsDraft:
    """One reading of every meter to every sink, by the program as the service would run it."""
    name = typed(draft.directory, draft.environment)
    if talk.agree("Take one reading of every meter now, and send it to every sink?"):
        command = [sys.executable, "-m", "smart_meter_reader", "run", draft.environment, "--once"]
        done = subprocess.run(command, check=False, cwd=draft.directory)  # noqa: S603 - fixed words
        good = done.returncode == EXIT_OK
        talk.say("The first reading is there." if good else "It did not come to an end: see above.")
    talk.say(f"`{PROGRAM} run{name}` reads from now on, until Ctrl-C.")
    return draft


def places(loaded: LoadedSettings, printed: str) -> Iterator[str]:
    """A line for each sink: where its readings are to be seen, those of stdout in ``printed``."""
    meters = list(loaded.settings.meters)
    for sink in loaded.settings.sinks.values():
        yield from sink.driver.shown_at(meters, printed)
