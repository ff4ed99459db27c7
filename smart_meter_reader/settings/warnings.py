"""What works but should not stay: unstable port names, secrets where they can be read, names used twice."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

from smart_meter_reader.quantities.aliases import meant_by
from smart_meter_reader.settings.names import holds_secrets
from smart_meter_reader.settings.schema import DriverSettings, Place, Secret, keys_of, shared_table_of
from smart_meter_reader.settings.values import is_table
from smart_meter_reader.text import printable

_BARE_PORT = re.compile(r"/dev/tty(USB|ACM)[0-9]+")


@dataclass(frozen=True, slots=True)
class DriverTable:
    """What one driver was given: its table with the defaults from the shared one, and where it stands."""

    settings_type: type[Any]
    table: Mapping[str, Any] = field(repr=False)  # may hold secrets
    place: Place

    @property
    def shared_table(self) -> str:
        """The shared table that holds defaults for it, or ""."""
        return shared_table_of(self.settings_type)


def warnings_about(drivers: Sequence[DriverTable], files: Sequence[Path]) -> Iterator[str]:
    """One line per warning."""
    found = [*_readable_by_others(files), *_shared_names(drivers)]
    for driver in drivers:
        found += _unstable_port(driver)
        found += _names_brought_along(driver)
        found += _blanks_at_ends(driver.settings_type, driver.table, driver.place)
    found += exposed_secrets(drivers)
    yield from dict.fromkeys(found)  # two sinks can share one open password


def exposed_secrets(drivers: Sequence[DriverTable]) -> Iterator[str]:
    """One line per secret in a file that others may read."""
    for driver in drivers:
        yield from _open_secrets(driver.settings_type, driver.table, driver.place)


def secrets_sent_openly(sinks: Mapping[str, Any]) -> Iterator[str]:
    """One line per secret that goes to another computer unencrypted. ``sinks``: their settings, by name."""
    users: dict[str, list[str]] = {}
    for name, settings in sinks.items():
        if sentence := settings.sent_openly:
            users.setdefault(sentence, []).append(name)
    for sentence, names in users.items():
        yield f"{'sink' if len(names) == 1 else 'sinks'} {', '.join(names)}: {sentence}"


def _readable_by_others(files: Sequence[Path]) -> Iterator[str]:
    for path in dict.fromkeys(files):
        if path.name.startswith(".secrets") and path.stat().st_mode & 0o004:
            yield f"{path.name} can be read by every user of this computer; run: chmod 600 {quote(str(path))}"


def _unstable_port(driver: DriverTable) -> Iterator[str]:
    port = driver.table.get("port")
    if isinstance(port, str) and _BARE_PORT.fullmatch(port):
        # Imported only now: it brings the serial package along.
        from smart_meter_reader.transport.ports import stable_name

        name = stable_name(port)
        if name:
            place = driver.place / "port"
            yield f"{place}: {port} can become another adapter after a restart; its lasting name is {name}"


def _names_brought_along(driver: DriverTable) -> Iterator[str]:
    """Names of other programs and of manuals, which are taken, with the name that all else has."""
    registers = driver.table.get("registers")
    for name in registers if isinstance(registers, list | tuple) else ():
        if isinstance(name, str) and (quantity := meant_by(name)):
            place = driver.place / "registers"
            yield f"{place}: {printable(name)} is called {quantity} here, and is taken for it"


def _blanks_at_ends(settings_type: type[Any], table: Mapping[str, Any], place: Place) -> Iterator[str]:
    """Copied with a blank too many, as a rule; yet a password may have one."""
    for name, key in keys_of(settings_type).items():
        value = table.get(name)
        if _is_secret(key.annotation) and isinstance(value, str) and value != value.strip():
            yield f"{place / name}: it begins or ends with a blank; take that off, unless it belongs to it"
        elif is_table(key.annotation) and isinstance(value, Mapping):
            yield from _blanks_at_ends(key.annotation, value, place / name)


def _shared_names(drivers: Sequence[DriverTable]) -> Iterator[str]:
    """No error: only the line knows whether a P1 meter has a heat meter behind it."""
    meters = {driver.place.path[1:]: driver for driver in drivers if driver.place.path[0] == "meters"}
    for path, driver in meters.items():
        for ending in sorted(_sub_meters(driver.settings_type)):
            other = meters.get((f"{path[0]}-{ending}",))
            if other is not None:
                yield (
                    f'{other.place}: meter "{path[0]}" gives this name to the {ending} meter behind it, if '
                    "there is one, and their readings would mix; give this one another name"
                )


def _sub_meters(settings_type: type[Any]) -> frozenset[str]:
    return settings_type.sub_meters if issubclass(settings_type, DriverSettings) else frozenset()


def _open_secrets(settings_type: type[Any], table: Mapping[str, Any], place: Place) -> Iterator[str]:
    for name, key in keys_of(settings_type).items():
        value = table.get(name)
        if _is_secret(key.annotation) and value:
            origin = place.origins.get((*place.path, name))
            if origin is not None and not holds_secrets(origin.source):
                yield f"{place / name}: a secret; it belongs into .secrets.toml, under the same path of keys"
        elif is_table(key.annotation) and isinstance(value, Mapping):
            yield from _open_secrets(key.annotation, value, place / name)


def _is_secret(annotation: Any) -> bool:
    return annotation is Secret or Secret in typing.get_args(annotation)
