"""`service`: does what docs/service.md explains by hand, and shows it first."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click

from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.console import PROGRAM
from smart_meter_reader.console.confirmation import confirm
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.installation import plan, require_program
from smart_meter_reader.service.program import INSTALLED, running_program
from smart_meter_reader.service.steps import SETTINGS_HOME, STATE_HOME, Machine, Step, remove
from smart_meter_reader.service.unit import UNIT, instance_name
from smart_meter_reader.settings.ownership import ROOT

# systemd's instance names; other characters would need escaping, and no environment needs them. It becomes
# the name of a directory, too, so it is neither . nor .. nor an option.
_INSTANCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@click.group()
def service() -> None:
    """Run an environment as a systemd service, from the start of the machine on.

    Each environment is an instance of one unit: smart_meter_reader@ENV.service.
    """


_environment = click.argument("environment", metavar="ENV", shell_complete=complete_environment)
_optional_environment = click.argument(
    "environment", metavar="[ENV]", required=False, shell_complete=complete_environment
)
_yes = click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
_dry_run = click.option("--dry-run", "-n", is_flag=True, help="Only show what would be done.")
_root = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Install into the image of a system below this directory; nothing is started.",
)


@service.command()
@_environment
@click.option(
    "--directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="Where config.py and settings.toml are; default: the working directory.",
)
@_yes
@_dry_run
@_root
def install(environment: str, directory: Path, yes: bool, dry_run: bool, root: Path | None) -> None:
    """Install and start the service of ENV.

    Checks the settings, shows every file and every command, asks, and does it. Settings outside of /etc are
    copied to /etc/smart_meter_reader/ENV, where root alone can change them: after a change run it again. The
    service runs with the program that runs this command, which root alone may be able to change, too.
    """
    instance = _instance(environment)
    machine = Machine(root.resolve() if root else None)
    # Who makes an image may be any user; what it holds becomes root's when it is put to use.
    trusted = ROOT | ({os.geteuid()} if root else set())
    program = running_program()
    require_program(program, trusted, sys.argv[1:])
    if not dry_run:
        machine.check(_again())
    place = Path(os.path.abspath(directory))  # noqa: PTH100 - resolve() follows links, which are refused
    planned = plan(machine, environment, place, program, trusted, load_settings)
    for warning in planned.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if _carry_out(planned.steps, yes=yes, dry_run=dry_run) and not root:
        print(f"{instance} runs, with the settings in {planned.settings}.")
        if planned.settings != place:
            print(f"After a change here, run this command again. See: {PROGRAM} service logs {environment}")


@service.command()
@_environment
@_yes
@_dry_run
@_root
def uninstall(environment: str, yes: bool, dry_run: bool, root: Path | None) -> None:
    """Stop and remove the service of ENV; settings and the guard's memory stay."""
    instance = _instance(environment)
    machine = Machine(root.resolve() if root else None)
    if not dry_run:
        machine.check(_again())
    steps = [machine.systemctl("disable", *(() if root else ("--now",)), instance)]
    if machine.drop_in(environment).exists():
        steps.append(remove(machine.drop_in(environment)))
    if not machine.others(environment) and (machine.units / UNIT).exists():
        steps.append(remove(machine.units / UNIT, " (no other environment is installed)"))
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
    return _show(["systemctl", "--no-pager", "status", _instances(environment)])


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
    return _show(["journalctl", "-u", _instances(environment), "-n", str(lines), *follows])


def _instance(environment: str) -> str:
    if not _INSTANCE.fullmatch(environment):
        raise click.UsageError(f"{environment!r} cannot be part of a service's name: use a-z, 0-9, _ and -")
    return instance_name(environment)


def _instances(environment: str | None) -> str:
    """What systemd is asked about: one environment or, by a pattern, all."""
    return UNIT.replace("@", "@*") if environment is None else _instance(environment)


def _again() -> list[str]:
    """This command, for root, who is not to find modules in the working directory."""
    installed = Path(sys.prefix) == INSTALLED
    program = [PROGRAM] if installed else [sys.executable, "-I", "-m", "smart_meter_reader"]
    return ["sudo", *program, *sys.argv[1:]]


def _carry_out(steps: list[Step], *, yes: bool, dry_run: bool) -> bool:
    """Show the steps, ask, and do them. False when they were only shown."""
    for step in steps:
        print(step.shown)
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
