"""`service`: does what docs/service.md explains by hand, and shows it first."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from smart_meter_reader.cli.service.sole_services import (
    means_writer,
    planned_page,
    planned_writer,
    removal,
    sole_service,
)
from smart_meter_reader.cli.service.start import tell_of_start, wait_for_first_reading
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.console import EXIT_OK, PROGRAM
from smart_meter_reader.console.confirmation import confirm
from smart_meter_reader.console.environments import complete_environment, required
from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.installation import plan, require_program, summary
from smart_meter_reader.service.program import COMMON, running_program
from smart_meter_reader.service.state import service_state
from smart_meter_reader.service.steps import SETTINGS_HOME, STATE_HOME, Machine, Step, remove_step
from smart_meter_reader.service.unit import (
    PAGE,
    SOLE_SERVICES,
    UNIT,
    WRITER,
    instance_name,
)
from smart_meter_reader.settings.files.ownership import ROOT

# systemd's instance names; other characters would need escaping, and no environment needs them. It becomes
# the name of a directory, too, so it is neither . nor .. nor an option.
_INSTANCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@click.group()
def service() -> None:
    """Run an environment as a systemd service, from the start of the machine on.

    Each environment is an instance of one unit: smart_meter_reader@ENV.service.
    """


_optional_environment = click.argument(
    "environment", metavar="[ENV]", required=False, shell_complete=complete_environment
)
_yes = click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
_dry_run = click.option("--dry-run", "-n", is_flag=True, help="Only show what would be done.")
_show_all = click.option("--show", is_flag=True, help="Show every file with its text, and each command.")
_root = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Install into the image of a system below this directory; nothing is started.",
)


@service.command()
@_optional_environment
@click.argument("shown_together", metavar="[ENV]...", nargs=-1, shell_complete=complete_environment)
@click.option(
    "--directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="Where config.py and settings.toml are; default: the working directory.",
)
@click.option(
    "--replace", is_flag=True, help="Take the place of an ENV that was installed from another directory."
)
@_yes
@_dry_run
@_show_all
@_root
def install(
    environment: str | None,
    shown_together: tuple[str, ...],
    directory: Path,
    replace: bool,
    yes: bool,
    dry_run: bool,
    show: bool,
    root: Path | None,
) -> int:
    """Install and start the service of ENV.

    Checks the settings, says what it is about to do, asks, does it, and waits for the first reading. --show
    shows every file and every command before; --dry-run does that and no more. Settings outside of /etc are
    copied to /etc/smart_meter_reader/ENV, where root alone can change them: after a change run it again. The
    service runs with the program that runs this command, which root alone may be able to change, too. ENV is
    not needed where the settings have only one.

    `service install web ENV...` installs the page that shows these environments together, with the table
    [page] of the settings; `service install writer` the writer of a fleet, with the table [writer].
    """
    machine = Machine(root.resolve() if root else None)
    if shown_together and environment != PAGE.word:
        sentence = f"one service is of one environment; several on one page are: {PAGE.word} ENV..."
        raise click.UsageError(sentence)
    for each in shown_together:
        _instance(each)
    if shown_together or means_writer(environment, directory):
        if not dry_run:
            machine.check(_again())
        if shown_together:
            sole, planned = PAGE, planned_page(machine, shown_together, directory, show=show or dry_run)
        else:
            sole, planned = WRITER, planned_writer(machine, directory, show=show or dry_run)
        done = _carry_out(planned.plan.steps, yes=yes, dry_run=dry_run, instead=planned.summary)
        return tell_of_start(sole, planned.outcome) if done and not root else EXIT_OK
    return install_environment(
        required(directory, environment), directory, replace, yes, dry_run, show, root, machine
    )


def install_environment(
    environment: str,
    directory: Path,
    replace: bool = False,
    yes: bool = False,
    dry_run: bool = False,
    show: bool = False,
    root: Path | None = None,
    machine: Machine = Machine(),  # noqa: B008 - frozen
) -> int:
    """As `service install` says, of one environment; the exit code. Raises ServiceError and SettingsError."""
    instance = _instance(environment)
    # Who makes an image may be any user; what it holds becomes root's when it is put to use.
    trusted = ROOT | ({os.geteuid()} if root else set())
    program = running_program()
    require_program(program, trusted, sys.argv[1:])
    if not dry_run:
        machine.check(_again())
    place = Path(os.path.abspath(directory))  # noqa: PTH100 - resolve() follows links, which are refused
    planned = plan(machine, environment, place, program, trusted, load_settings, replace=replace)
    for warning in planned.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    shown = None if show or dry_run else summary(instance, planned, place, program)
    if not _carry_out(planned.steps, yes=yes, dry_run=dry_run, instead=shown) or root:
        return EXIT_OK
    if planned.settings != place:
        print("After a change of the settings here, run this command again.")
    return wait_for_first_reading(environment)


@service.command()
@_optional_environment
def restart(environment: str | None) -> int:
    """Start the service of ENV again, and wait for its first reading."""
    machine = Machine()
    if sole := sole_service(environment, machine):
        machine.check(_again())
        machine.systemctl("restart", sole.unit).do()
        return tell_of_start(sole)
    environment = required(Path(), environment)
    instance = _instance(environment)
    machine.check(_again())
    if not machine.installed(environment):
        raise ServiceError(
            f"{instance} is not installed here.", f"  sudo {PROGRAM} service install {environment}"
        )
    try:
        machine.systemctl("restart", instance).do()
    except ServiceError:
        state = service_state(environment)
        if state is None or not state.trouble:
            raise
        # Why it does not run is told better by its own exit code than by systemctl.
    return wait_for_first_reading(environment)


@service.command()
@_optional_environment
@_yes
@_dry_run
@_root
def uninstall(environment: str | None, yes: bool, dry_run: bool, root: Path | None) -> None:
    """Stop and remove the service of ENV; settings and the guard's memory stay.

    ENV is not needed where the settings here have only one; `web` is the page of several, `writer` that of a
    fleet.
    """
    machine = Machine(root.resolve() if root else None)
    if sole := sole_service(environment, machine):
        if not dry_run:
            machine.check(_again())
        if _carry_out(removal(machine, sole), yes=yes, dry_run=dry_run) and not root:
            print(f"Its settings go with: sudo rm -r {sole.settings}")
        return
    environment = required(Path(), environment)
    instance = _instance(environment)
    if not dry_run:
        machine.check(_again())
    steps = [machine.systemctl("disable", *(() if root else ("--now",)), instance)]
    if machine.drop_in(environment).exists():
        steps.append(remove_step(machine.drop_in(environment)))
    if not machine.others(environment) and (machine.units / UNIT).exists():
        steps.append(remove_step(machine.units / UNIT, " (no other environment is installed)"))
    if not root:
        steps.append(machine.systemctl("daemon-reload"))
    if _carry_out(steps, yes=yes, dry_run=dry_run) and not root:
        own = SETTINGS_HOME / environment
        if own.is_dir():
            print(f"Its settings go with: sudo rm -r {own}")
        print(f"What the counter guard remembers goes with: sudo rm -r {STATE_HOME / environment}")


@service.command()
@_optional_environment
def status(environment: str | None) -> int:
    """Show how the service of ENV, or of every environment, is doing."""
    _need("systemctl")
    return _show(["systemctl", "--no-pager", "status", *_instances(environment)])


@service.command()
@_optional_environment
@click.option("--follow", "-f", is_flag=True, help="Go on with new lines as they come; Ctrl-C ends it.")
@click.option(
    "--lines",
    "-n",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="So many of the last lines.",
)
def logs(environment: str | None, follow: bool, lines: int) -> int:
    """Show what the service of ENV, or of every environment, has logged."""
    _need("journalctl")
    follows = ["--follow"] if follow else ["--no-pager"]
    units = [option for each in _instances(environment) for option in ("-u", each)]
    return _show(["journalctl", *units, "-n", str(lines), *follows])


def _instance(environment: str) -> str:
    if not _INSTANCE.fullmatch(environment):
        raise click.UsageError(f"{environment!r} cannot be part of a service's name: use a-z, 0-9, _ and -")
    return instance_name(environment)


def _instances(environment: str | None) -> list[str]:
    """What systemd is asked about: one environment or, by patterns, all and those of which there is one."""
    if environment is None:
        # A pattern finds what is there, and is no complaint where nothing is.
        sole = (
            each.unit.replace(f"{each.word}.", f"{each.word[:-1]}[{each.word[-1]}].")
            for each in SOLE_SERVICES
        )
        return [UNIT.replace("@", "@*"), *sole]
    sole_one = sole_service(environment, Machine())
    return [sole_one.unit] if sole_one else [_instance(environment)]


def _again() -> list[str]:
    """This command, for root, who is not to find modules in the working directory."""
    program = [PROGRAM] if Path(sys.prefix) in COMMON else [sys.executable, "-I", "-m", "smart_meter_reader"]
    return ["sudo", *program, *sys.argv[1:]]


def _carry_out(steps: list[Step], *, yes: bool, dry_run: bool, instead: Sequence[str] | None = None) -> bool:
    """Show the steps, or ``instead`` of them a summary, ask, and do them. False when they were only shown."""
    for text in [step.shown for step in steps] if instead is None else instead:
        print(text)
    if dry_run:
        return False
    if not yes and not confirm("Do this?", default=True):
        raise click.Abort
    for step in steps:
        step.do()
    return True


def _show(command: list[str]) -> int:
    """Run a command that prints; its exit code. Ctrl-C is its own way to end."""
    try:
        return subprocess.run(command, check=False).returncode  # noqa: S603 - fixed words
    except KeyboardInterrupt:
        return 0


def _need(program: str) -> None:
    if shutil.which(program) is None:
        raise ServiceError(f"{program} is not here: this machine does not use systemd.")
