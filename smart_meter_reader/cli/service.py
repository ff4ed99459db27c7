"""`service`: does what docs/service.md explains by hand, and shows it first."""

from __future__ import annotations

import difflib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from smart_meter_reader.cli import EXIT_UNAVAILABLE
from smart_meter_reader.cli.confirmation import confirm
from smart_meter_reader.cli.environments import complete_environment
from smart_meter_reader.service.unit import UNIT, may_write, program_paths, unit_text, unreadable

# systemd's instance names; other characters would need escaping, and no environment needs them.
_INSTANCE = re.compile(r"[A-Za-z0-9_.-]+")


class ServiceError(click.ClickException):
    """Something on this machine is in the way; the message says what to do."""

    exit_code = EXIT_UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a command does: what is shown of it, and the doing."""

    shown: str
    act: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where services are installed: the running system, or an image below ``root``."""

    root: Path | None = None

    @property
    def unit(self) -> Path:
        return (self.root or Path("/")) / "etc/systemd/system" / UNIT

    def systemctl(self, *arguments: str) -> Step:
        command = ["systemctl", *([f"--root={self.root}"] if self.root else []), *arguments]
        return Step(f"run    {shlex.join(command)}", lambda: _run(command))

    def write(self, text: str) -> Step:
        def write() -> None:
            self.unit.parent.mkdir(parents=True, exist_ok=True)
            self.unit.write_text(text, "utf-8")

        return Step(f"write  {self.unit}:\n\n{_indented(_shown_unit(self.unit, text))}", write)

    def check(self) -> None:
        """Raise ServiceError when nothing can be installed here."""
        if shutil.which("systemctl") is None or not (self.root or Path("/run/systemd/system").is_dir()):
            raise ServiceError(
                "systemd does not run here; let what does start `smart-meter-reader run ENV`: docs/service.md"
            )
        if not may_write(self.unit.parent):
            again = shlex.join(["sudo", sys.executable, "-m", "smart_meter_reader", *sys.argv[1:]])
            raise ServiceError(f"{self.unit.parent} belongs to root. Run it again as root:\n  {again}")


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

    Checks the settings, shows the unit and every command, asks, and does it. The service runs with the Python
    that runs this command.
    """
    from smart_meter_reader.settings.loading import load

    instance, machine = _instance(environment), Machine(root)
    directory = directory.resolve()
    load(directory, environment)
    program = program_paths()
    for problem in unreadable(directory, program):
        print(f"warning: {problem}", file=sys.stderr)
    steps = [machine.write(unit_text(directory, Path(sys.executable), program))]
    if root:
        steps.append(machine.systemctl("enable", instance))
    else:
        steps += [machine.systemctl("daemon-reload"), machine.systemctl("enable", instance)]
        # restart and not start: an installed service that runs gets what is new.
        steps.append(machine.systemctl("restart", instance))
    if _carry_out(machine, steps, yes=yes, dry_run=dry_run) and not root:
        print(f"{instance} runs. See: smart-meter-reader service logs {environment}")


@service.command()
@_environment
@_yes
@_dry_run
@_root
def uninstall(environment: str, yes: bool, dry_run: bool, root: Path | None) -> None:
    """Stop and remove the service of ENV; settings and the guard's memory stay."""
    instance, machine = _instance(environment), Machine(root)
    stop = () if root else ("--now",)
    steps = [machine.systemctl("disable", *stop, instance)]
    wants = machine.unit.parent / "multi-user.target.wants"
    others = [path for path in wants.glob(UNIT.replace("@", "@*")) if path.name != instance]
    if not others and machine.unit.exists():
        steps.append(Step(f"remove {machine.unit} (no other environment is enabled)", machine.unit.unlink))
    if not root:
        steps.append(machine.systemctl("daemon-reload"))
    if _carry_out(machine, steps, yes=yes, dry_run=dry_run) and not root:
        print(f"What the counter guard remembers goes with: systemctl clean --what=state {instance}")


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
    return UNIT.replace("@", f"@{environment}")


def _instances(environment: str | None) -> str:
    """What systemd is asked about: one environment or, by a pattern, all."""
    return UNIT.replace("@", "@*") if environment is None else _instance(environment)


def _carry_out(machine: Machine, steps: list[Step], *, yes: bool, dry_run: bool) -> bool:
    """Show the steps, ask, and do them. False when they were only shown."""
    if not dry_run:
        machine.check()
    for step in steps:
        print(step.shown)
    if dry_run:
        return False
    if not yes and not confirm("Do this?", default=True):
        raise click.Abort
    for step in steps:
        try:
            step.act()
        except OSError as error:
            raise ServiceError(f"{step.shown.splitlines()[0]}: {error.strerror}") from None
    return True


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if result.returncode:
        raise ServiceError(f"{shlex.join(command)} failed:\n{result.stderr.strip()}")


def _show(command: list[str]) -> int:
    """Run a command that prints; its exit code. Ctrl-C is its own way to end."""
    try:
        return subprocess.run(command, check=False).returncode  # noqa: S603 - fixed words
    except KeyboardInterrupt:
        return 0


def _need(program: str) -> None:
    if shutil.which(program) is None:
        raise ServiceError(f"{program} is not here: this machine does not use systemd.")


def _shown_unit(path: Path, text: str) -> str:
    """The unit, or how it differs from the one that is there."""
    try:
        before = path.read_text("utf-8", errors="replace")
    except OSError:
        return text
    if before == text:
        return "(as it is there already)"
    lines = difflib.unified_diff(before.splitlines(), text.splitlines(), "before", "after", lineterm="")
    return "\n".join(lines)


def _indented(text: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())
