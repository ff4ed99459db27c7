"""Plans the installation of one environment, and words what a person should know before."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.placed_settings import not_entered, placed_settings
from smart_meter_reader.service.program import PACKAGED, Program
from smart_meter_reader.service.settings_files import LoadSettings
from smart_meter_reader.service.steps import SETTINGS_HOME, Machine, Step, remove_step, write_step
from smart_meter_reader.service.unit import (
    PLAIN_NAME,
    UNIT,
    drop_in_text,
    instance_name,
    is_hidden,
    source_in,
    unit_template,
)
from smart_meter_reader.settings.keys import setting_values
from smart_meter_reader.settings.loading import MeterSettings, ServiceSettings, SinkSettings
from smart_meter_reader.settings.schema import DriverSettings
from smart_meter_reader.text import printable


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """What is to be done, what a person should know before, and where the settings are afterwards."""

    steps: list[Step]
    warnings: list[str]
    settings: Path


def plan(
    machine: Machine,
    environment: str,
    directory: Path,
    program: Program,
    trusted: Set[int],
    load: LoadSettings,
    *,
    replace: bool = False,
) -> InstallPlan:
    """The installation of ``environment`` with the settings in ``directory``.

    ``trusted`` are the users who may change what the service runs: root, or whoever makes an image. Settings
    below /etc that nobody else can change are used where they are; others are copied to
    /etc/smart_meter_reader/ENVIRONMENT. Unless ``replace``, those of another directory stay installed.
    Raises ServiceError and SettingsError.
    """
    if not replace:
        _require_same_source(machine, environment, directory)
    placed = placed_settings(
        machine, SETTINGS_HOME / environment, directory, trusted, lambda found: load(found, environment)
    )
    settings, place = placed.loaded.settings, placed.place
    warnings = [
        *placed.warnings,
        *_doubts(settings, place, machine),
        *map(not_entered, dict.fromkeys(program.closed())),
    ]
    if hiding := machine.hidden(UNIT):
        warnings.append(hides(hiding))
    ports = [port for sink in settings.sinks.values() for port in sink.driver.listening_ports]
    steps = [
        *placed.steps,
        *machine.unit_steps(UNIT, unit_template()),
        *_drop_in(machine, environment, place, program, directory, ports),
        *start_steps(machine, instance_name(environment)),
    ]
    return InstallPlan(steps, warnings, place)


def hides(unit: Path) -> str:
    """What to do about a unit of root's that hides the package's."""
    return f"{unit} hides the unit of the package; run: sudo rm {unit} && sudo systemctl daemon-reload"


def _drop_in(
    machine: Machine,
    environment: str,
    place: Path,
    program: Program,
    source: Path,
    ports: Sequence[int],
) -> list[Step]:
    """What makes the unit that of this environment: nothing where a package's unit says it all."""
    path, outside = machine.drop_in(environment), machine.outside(place)
    own_paths = not (
        machine.packaged(UNIT) and PACKAGED in program.interpreter.parents and outside == SETTINGS_HOME
    )
    if not own_paths and not ports and PLAIN_NAME.fullmatch(environment):
        return [remove_step(path, " (the package's unit has it all)")] if path.exists() else []
    text = drop_in_text(
        environment, outside, program.interpreter, program.places, source, ports, own_paths=own_paths
    )
    return [write_step(path, text.encode())]


def summary(instance: str, planned: InstallPlan, source: Path, program: Program) -> list[str]:
    """What the installation comes to, in three lines."""
    changed = sum(step.changed is not None for step in planned.steps)
    where = str(source) if planned.settings == source else f"{source} -> {planned.settings}"
    lines = [
        f"{instance} runs from now on, and after each start of the machine",
        f"  settings  {printable(where)}",
        f"  program   {program.interpreter}; files that change: {changed} (--show: all of it)",
    ]
    if PACKAGED in program.interpreter.parents:
        lines.append(f"  unit      the package's; by hand it is: sudo systemctl enable --now {instance}")
    return lines


def require_program(program: Program, trusted: Set[int], again: Sequence[str]) -> None:
    """Raise ServiceError when others can change the program; ``again`` are the arguments to repeat."""
    found = program.weakness(trusted)
    if found is None:
        return
    advice = ["Install it where root alone can write, for example in /opt: docs/service.md"]
    installer = program.installer()
    if installer is not None:
        advice = [
            "Install the program for the whole computer, and go on with that one:",
            f"  sudo {shlex.quote(str(installer))}",
            f"  sudo smart-meter-reader {shlex.join(again)}",
        ]
    raise ServiceError(
        f"{found.place} can be changed by {found.who}, and a service must not run what others can change.",
        *advice,
    )


def _require_same_source(machine: Machine, environment: str, directory: Path) -> None:
    """Refuse to take the service of another directory, whose environment has the same name, its settings."""
    try:
        source = source_in(machine.drop_in(environment).read_text("utf-8", errors="replace"))
    except OSError:
        if not (machine.packaged(UNIT) and machine.installed(environment)):
            return  # not installed yet
        source = str(machine.inside(SETTINGS_HOME))  # as the package's unit has it
    if source not in ("", printable(str(directory))):
        raise ServiceError(
            f"{instance_name(environment)} runs the settings of {source}, and would lose them to those of "
            f"{directory}: one service has one name.",
            f"Call the environment here something else ([{environment}_2] in settings.toml), and both run;",
            "or repeat the command with --replace if these settings are to take the place of those.",
        )


def unseen_files(prefix: str, settings: DriverSettings, place: Path, machine: Machine) -> Iterator[str]:
    """A line for each file that the settings name and the service would look for in vain.

    ``prefix`` stands before the key.
    """
    for name, path in setting_values(settings).items():
        if not isinstance(path, Path):
            continue
        seen = machine.inside(path) if path.is_absolute() else place / path
        if is_hidden(path) or not seen.is_file():
            yield (
                f"{prefix}{name}: the service finds no file {path}; put it into {place}, "
                f'and write {name} = "{path.name}"'
            )


def _doubts(settings: ServiceSettings, place: Path, machine: Machine) -> Iterator[str]:
    """A line for each file that the service would look for in vain, and for each sink of no use to one."""
    drivers: list[MeterSettings | SinkSettings] = [*settings.meters.values()]
    drivers += settings.sinks.values()
    for each in drivers:
        yield from unseen_files(f"{each.name}.", each.driver, place, machine)
    for name, sink in settings.sinks.items():
        if sentence := sink.driver.unfit_for_service:
            yield f"sink {name}: {sentence}"


def start_steps(machine: Machine, unit: str) -> list[Step]:
    """Starts it now, and with the machine."""
    if machine.root:
        return [machine.systemctl("enable", unit)]
    # restart and not start: an installed service that runs gets what is new.
    return [
        machine.systemctl("daemon-reload"),
        *(machine.systemctl(word, unit) for word in ("enable", "restart")),
    ]
