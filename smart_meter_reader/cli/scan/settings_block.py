"""Settings for meters that a scan found: tables for an environment, as text to paste or to append."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from smart_meter_reader.console.wrapping import wrapped
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.files import read_small
from smart_meter_reader.meters.found import Found, printable_only
from smart_meter_reader.settings.files.toml_text import decode_text, parse_toml, read_toml
from smart_meter_reader.settings.names import is_environment

# The files that can have meters, and the name of the environment where there is none yet.
_FILES = ("settings.toml", "settings.local.toml")
HOME = "home"
_WIDTH = 80
_ADDRESS_KEYS = ("address", "secondary_address")


@dataclass(frozen=True, slots=True)
class Target:
    """The environment that gets the meters, and what it has already."""

    environment: str
    ports: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The meters' names by their ports."""
    addresses: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}))
    """The meters' names by port and address, where they share a line."""
    meters: frozenset[str] = frozenset()
    has_sinks: bool = False

    def meter_at(self, port: str, keys: Mapping[str, Any] = MappingProxyType({})) -> str | None:
        """The name of the meter that is read at this port, whatever the port is called there.

        ``keys`` are the settings of the one that is looked for: on a bus its address tells it from others.
        """
        same, address = _same(port), _address_in(keys)
        if address and any(line == same for line, _ in self.addresses):
            return self.addresses.get((same, address))
        return self.ports.get(same)


def target(directory: Path, wanted: str | None) -> Target:
    """The environment ``wanted``, as it is spelt in ``directory``; None: the only one there, or home.

    Raises SettingsError when a file of settings cannot be read: it could not be added to either.
    """
    return target_in([_tables(directory / file) for file in _FILES], wanted)


def target_in(files: Sequence[Mapping[str, Any]], wanted: str | None) -> Target:
    """The same in files that have been read: their tables by name."""
    names = {name.lower(): name for file in files for name in file}
    own = {name.lower() for file in files for name, table in file.items() if is_environment(name, table)}
    chosen = (wanted or (min(own) if len(own) == 1 else HOME)).lower()
    tables = [table for file in files for name, table in file.items() if name.lower() in (chosen, "default")]
    meters = {name: meter for table in tables for name, meter in _table(table, "meters").items()}
    at = {
        name: _same(meter["port"])
        for name, meter in meters.items()
        if isinstance(meter, Mapping) and isinstance(meter.get("port"), str) and "\0" not in meter["port"]
    }
    addresses = {(port, told): name for name, port in at.items() if (told := _address_in(meters[name]))}
    return Target(
        names.get(chosen, wanted or HOME),
        MappingProxyType({port: name for name, port in at.items()}),
        MappingProxyType(addresses),
        frozenset(meters),
        any(_table(table, "sinks") for table in tables),
    )


def settings_block(there: Target, found: Sequence[Found]) -> str:
    """A table for each find, and a sink that prints the readings where there is no sink yet."""
    named = zip(names_of(found, there.meters), found, strict=True)
    blocks = [meter_block(there.environment, name, meter) for name, meter in named]
    if not there.has_sinks:
        blocks.append(f'[{there.environment}.sinks.stdout]\nformat = "table"\n')
    return "\n".join(blocks)


def append(path: Path, block: str) -> None:
    """Append a block to a file of settings that exists. Raises SettingsError; the file is then as it was."""
    try:
        before = decode_text(read_small(path), path.name)
        gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
        parse_toml(before, path.name)
        tomllib.loads(before + gap + block)
        _append_all(path, (gap + block).encode())
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            [f"{path.name}: nothing was added, since tables cannot be added to what is there: {error}"]
        ) from None
    except OSError as error:
        raise SettingsError([f"{path.name}: cannot be added to: {error.strerror}"]) from None


def _append_all(path: Path, added: bytes) -> None:
    with path.open("ab", buffering=0) as file:
        size = file.tell()
        try:
            while added:
                added = added[file.write(added) :]
            os.fsync(file.fileno())
        except OSError:  # a full disk: half a table would make the whole file unreadable
            file.truncate(size)
            raise


def _tables(path: Path) -> Mapping[str, Any]:
    try:
        return {name: table for name, table in read_toml(path).items() if isinstance(table, Mapping)}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError([f"{path.name}: cannot be read: {error.strerror}"]) from None


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = table.get(name, {})
    return found if isinstance(found, Mapping) else {}


def _address_in(keys: Mapping[str, Any]) -> str:
    """The address of a meter among its settings, as text; "" for none."""
    return next((str(keys[key]) for key in _ADDRESS_KEYS if keys.get(key, "") != ""), "")


def _same(port: str) -> str:
    return port if "://" in port else os.path.realpath(port)


def names_of(found: Sequence[Found], taken: Collection[str]) -> Iterator[str]:
    """A name for each meter by what it measures, that nobody has: heat, electricity, heat-2."""
    used = set(taken)
    for meter in found:
        name, number = meter.kind, 1
        while name in used:
            number += 1
            name = f"{meter.kind}-{number}"
        used.add(name)
        yield name


def meter_block(environment: str, name: str, meter: Found) -> str:
    """The table of one find."""
    keys: dict[str, str | int] = {"client": meter.client, "port": meter.port, **meter.keys}
    lines = [*_remark(meter.description), f"[{environment}.meters.{name}]"]
    lines += [f"{key} = {toml_value(value)}" for key, value in keys.items()]
    lines += [line for note in meter.notes for line in _remark(note)]
    return "\n".join(lines) + "\n"


def _remark(text: str) -> list[str]:
    # What is not printable, line ends among it, would end the remark.
    lines = wrapped(printable_only(text), _WIDTH - 2, indent="").split("\n")
    return [f"# {line}" for line in lines]


def toml_value(value: str | int | Sequence[str]) -> str:
    """A value as it is written into a file of settings."""
    # TOML's basic strings take JSON's escapes, and want one for DEL too.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
