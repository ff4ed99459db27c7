"""Plans the installation of one environment: which files become root's own, and which are refused."""

from __future__ import annotations

import dataclasses
import shlex
import stat
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.service import settings_files
from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.program import Program, closed_directory
from smart_meter_reader.service.settings_files import CONFIG, NAMES, SECRETS, SETTINGS, LoadSettings
from smart_meter_reader.service.steps import SETTINGS_HOME, Machine, Step, write
from smart_meter_reader.service.unit import UNIT, drop_in_text, instance_name, is_hidden, unit_template
from smart_meter_reader.settings.loading import LoadedSettings, MeterSettings, SinkSettings
from smart_meter_reader.settings.ownership import weakness


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
) -> InstallPlan:
    """The installation of ``environment`` with the settings in ``directory``.

    ``trusted`` are the users who may change what the service runs: root, or whoever makes an image. Settings
    below /etc that nobody else can change are used where they are; others are copied to
    /etc/smart_meter_reader/ENVIRONMENT. Raises ServiceError and SettingsError.
    """
    if directory.is_relative_to(machine.inside(Path("/etc"))) and _is_ours(directory, trusted):
        loaded, steps, place = load(directory, environment), list[Step](), directory
        warnings = [*loaded.warnings, *_unreadable(directory)]
    else:
        place = machine.inside(SETTINGS_HOME / environment)
        for target in (place, *(place / name for name in NAMES)):
            _require_ours(target, trusted)
        contents = _contents(directory, place, trusted)
        loaded = settings_files.check(contents, environment, load)
        steps = [_write_settings(place / name, content) for name, content in contents.items()]
        warnings = list(loaded.warnings)
    if loaded.exposed:
        # The service's user has to read that file, and so can every other.
        raise SettingsError(loaded.exposed)
    _require_ours(machine.units, trusted)
    warnings += _unseen_files(loaded, place, machine)
    warnings += [_not_entered(closed) for closed in dict.fromkeys(program.closed())]
    drop_in = drop_in_text(environment, machine.outside(place), program.interpreter, program.places)
    steps += [
        write(machine.units / UNIT, unit_template().encode()),
        write(machine.drop_in(environment), drop_in.encode()),
        *_start(machine, instance_name(environment)),
    ]
    return InstallPlan(steps, warnings, place)


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


def _is_ours(directory: Path, trusted: Set[int]) -> bool:
    return not any(weakness(path, trusted) for path in (directory, *(directory / name for name in NAMES)))


def _require_ours(path: Path, trusted: Set[int]) -> None:
    found = weakness(path, trusted)
    if found is not None:
        raise ServiceError(
            f"{found.place} can be changed by {found.who}, and root keeps the service's files there; "
            f"run: {found.mend}",
        )


def _contents(directory: Path, own: Path, trusted: Set[int]) -> Mapping[str, bytes]:
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


def _write_settings(path: Path, content: bytes) -> Step:
    if path.name == CONFIG and content == settings_files.default_config():
        return write(path, content, shown="(the one that `smart-meter-reader init` writes)")
    return write(path, content, 0o600 if path.name == SECRETS else 0o644)


def _unreadable(directory: Path) -> Iterator[str]:
    """A line for each file that a user without rights could not read, with what to do about it."""
    for path in (directory / CONFIG, directory / SETTINGS):
        if not path.stat().st_mode & stat.S_IROTH:
            yield f"{path}: the service's user cannot read it; run: chmod o+r '{path}'"
    closed = closed_directory(directory)
    if closed is not None:
        yield _not_entered(closed)


def _not_entered(closed: Path) -> str:
    return f"{closed}: the service's user cannot enter it; run: chmod o+rx '{closed}'"


def _unseen_files(loaded: LoadedSettings, place: Path, machine: Machine) -> Iterator[str]:
    """A line for each file that the settings name and the service would look for in vain."""
    drivers: list[MeterSettings | SinkSettings] = [*loaded.settings.meters.values()]
    drivers += loaded.settings.sinks.values()
    for chosen in drivers:
        for entry in dataclasses.fields(chosen.driver):
            path = getattr(chosen.driver, entry.name)
            if not isinstance(path, Path):
                continue
            seen = machine.inside(path) if path.is_absolute() else place / path
            if is_hidden(path) or not seen.is_file():
                yield (
                    f"{chosen.name}.{entry.name}: the service finds no file {path}; put it into {place}, "
                    f'and write {entry.name} = "{path.name}"'
                )


def _start(machine: Machine, instance: str) -> list[Step]:
    if machine.root:
        return [machine.systemctl("enable", instance)]
    # restart and not start: an installed service that runs gets what is new.
    return [
        machine.systemctl("daemon-reload"),
        *(machine.systemctl(word, instance) for word in ("enable", "restart")),
    ]
