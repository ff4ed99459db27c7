"""Where a service will have its settings: where they are, or copied to where root alone can change them."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.service import settings_files
from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.program import closed_directory
from smart_meter_reader.service.settings_files import CONFIG, NAMES, SECRETS, SETTINGS
from smart_meter_reader.service.steps import Machine, Step, write_step
from smart_meter_reader.settings.files.ownership import weakness
from smart_meter_reader.text import in_quotes


class _Loaded(Protocol):
    """What was loaded, with what a person should know; ``exposed`` are secrets outside of .secrets.toml."""

    @property
    def warnings(self) -> tuple[str, ...]: ...

    @property
    def exposed(self) -> tuple[str, ...]: ...


Loaded = TypeVar("Loaded", bound=_Loaded)


@dataclass(frozen=True, slots=True)
class PlacedSettings(Generic[Loaded]):
    """Where a service will have its settings, the steps that put them there, and what they say."""

    place: Path
    steps: list[Step]
    loaded: Loaded
    warnings: list[str]


def placed_settings(
    machine: Machine,
    home: Path,
    directory: Path,
    trusted: Set[int],
    load: Callable[[Path], Loaded],
    examine: Callable[[Mapping[str, bytes]], None] = lambda contents: None,
) -> PlacedSettings[Loaded]:
    """The settings in ``directory``: used where they are, or copied to ``home``; see ``plan``.

    ``examine`` gets what is to be copied, by the names of the files, and may refuse it. Raises ServiceError
    and SettingsError.
    """
    if directory.is_relative_to(machine.inside(Path("/etc"))) and is_ours(directory, trusted):
        loaded, steps, place = load(directory), list[Step](), directory
        warnings = [*loaded.warnings, *unreadable(directory)]
    else:
        place = machine.inside(home)
        for target in (place, *(place / name for name in NAMES)):
            require_ours(target, trusted)
        contents = contents_for(directory, place, trusted)
        examine(contents)
        loaded = settings_files.load_contents(contents, load)
        steps = [write_settings(place / name, content) for name, content in contents.items()]
        warnings = list(loaded.warnings)
    if loaded.exposed:
        # The service's user has to read that file, and so can every other.
        raise SettingsError(loaded.exposed)
    require_ours(machine.units, trusted)
    return PlacedSettings(place, steps, loaded, warnings)


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
