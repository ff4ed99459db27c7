"""Plans the installation of one environment: which files become root's own, and which are refused."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.service import settings_files
from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.program import PACKAGED, Program, closed_directory
from smart_meter_reader.service.settings_files import CONFIG, NAMES, SECRETS, SETTINGS, LoadSettings
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
from smart_meter_reader.settings.files.ownership import weakness
from smart_meter_reader.settings.keys import values_of
from smart_meter_reader.settings.loading import LoadedSettings, MeterSettings, SinkSettings
from smart_meter_reader.settings.schema import DriverSettings
from smart_meter_reader.text import in_quotes, printable


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
    if directory.is_relative_to(machine.inside(Path("/etc"))) and is_ours(directory, trusted):
        loaded, steps, place = load(directory, environment), list[Step](), directory
        warnings = [*loaded.warnings, *unreadable(directory)]
    else:
        place = machine.inside(SETTINGS_HOME / environment)
        for target in (place, *(place / name for name in NAMES)):
            require_ours(target, trusted)
        contents = contents_for(directory, place, trusted)
        loaded = settings_files.load_contents(contents, environment, load)
        steps = [write_settings(place / name, content) for name, content in contents.items()]
        warnings = list(loaded.warnings)
    if loaded.exposed:
        # The service's user has to read that file, and so can every other.
        raise SettingsError(loaded.exposed)
    require_ours(machine.units, trusted)
    drivers: list[MeterSettings | SinkSettings] = [*loaded.settings.meters.values()]
    drivers += loaded.settings.sinks.values()
    for each in drivers:
        warnings += unseen_files(f"{each.name}.", each.driver, place, machine)
    warnings += _unfit(loaded)
    warnings += [not_entered(closed) for closed in dict.fromkeys(program.closed())]
    if hiding := machine.hidden(UNIT):
        warnings.append(hides(hiding))
    ports = [port for sink in loaded.settings.sinks.values() for port in sink.driver.listening_ports]
    steps += machine.unit_steps(UNIT, unit_template())
    steps += _drop_in(machine, environment, place, program, directory, ports)
    steps += start_steps(machine, instance_name(environment))
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


def is_ours(directory: Path, trusted: Set[int]) -> bool:
    """Whether nobody but the trusted can change the settings there."""
    return not any(weakness(path, trusted) for path in (directory, *(directory / name for name in NAMES)))


def require_ours(path: Path, trusted: Set[int]) -> None:
    """Raise ServiceError when others can change what is, or comes, there."""
    found = weakness(path, trusted)
    if found is not None:
        raise ServiceError(
            f"{found.place} can be changed by {found.who}, and root keeps the service's files there; "
            f"run: {found.mend}",
        )


def contents_for(directory: Path, own: Path, trusted: Set[int]) -> Mapping[str, bytes]:
    """The files that the service is to have: those in ``directory``, over those that it has already."""
    installed = {name: (own / name).read_bytes() for name in NAMES if (own / name).is_file()}
    taken = settings_files.take(directory)
    default = settings_files.default_config()
    config = taken.get(CONFIG, installed.get(CONFIG, default))
    if config not in (default, installed.get(CONFIG)):
        _require_config(directory / CONFIG, own / CONFIG, trusted)
    return {**installed, CONFIG: config, **taken}


def _require_config(config: Path, installed: Path, trusted: Set[int]) -> None:
    """Refuse a program of somebody else's, which root would have to run to see the settings."""
    found = weakness(config, trusted)
    if found is not None:
        there, here = shlex.quote(str(installed)), shlex.quote(str(config))
        raise ServiceError(
            f"{config} is not the one that `smart-meter-reader init` writes. It is a program, {found.who} "
            "can change it, and root runs no such thing. Remove it (then the usual one is taken); or read "
            f"it, and put it there yourself:",
            f"  sudo mkdir -p {shlex.quote(str(installed.parent))}",
            f"  sudo tee {there} <{here}",
        )


def write_settings(path: Path, content: bytes) -> Step:
    """Write one file of settings; secrets are for root alone."""
    if path.name == CONFIG and content == settings_files.default_config():
        return write_step(path, content, shown="(the one that `smart-meter-reader init` writes)")
    return write_step(path, content, 0o600 if path.name == SECRETS else 0o644)


def unreadable(directory: Path) -> Iterator[str]:
    """A line for each file that a user without rights could not read, with what to do about it."""
    for path in (directory / CONFIG, directory / SETTINGS):
        if not path.stat().st_mode & stat.S_IROTH:
            yield f"{path}: the service's user cannot read it; run: chmod o+r {in_quotes(path)}"
    closed = closed_directory(directory)
    if closed is not None:
        yield not_entered(closed)


def not_entered(closed: Path) -> str:
    """What to do about a directory that the service's user cannot enter."""
    return f"{closed}: the service's user cannot enter it; run: chmod o+rx {in_quotes(closed)}"


def unseen_files(prefix: str, settings: DriverSettings, place: Path, machine: Machine) -> Iterator[str]:
    """A line for each file that the settings name and the service would look for in vain.

    ``prefix`` stands before the key.
    """
    for name, path in values_of(settings).items():
        if not isinstance(path, Path):
            continue
        seen = machine.inside(path) if path.is_absolute() else place / path
        if is_hidden(path) or not seen.is_file():
            yield (
                f"{prefix}{name}: the service finds no file {path}; put it into {place}, "
                f'and write {name} = "{path.name}"'
            )


def _unfit(loaded: LoadedSettings) -> Iterator[str]:
    for name, sink in loaded.settings.sinks.items():
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
