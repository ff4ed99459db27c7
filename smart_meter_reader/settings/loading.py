"""The settings of one environment: loaded once, checked whole, frozen.

``load`` returns them typed, or raises SettingsError with every problem at once, each a line that names the
file, the environment, the path of keys, what was found, what is allowed, and what was probably meant.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from smart_meter_reader.drivers import load as load_object
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.names import nearest
from smart_meter_reader.settings.schema import Origin, Place, keys_of, parse, setting, shared_table_of
from smart_meter_reader.settings.source import read_source
from smart_meter_reader.settings.tables import MergedTables, merge
from smart_meter_reader.settings.values import VariableValue, shown
from smart_meter_reader.settings.warnings import (
    DriverTable,
    exposed_secrets,
    secrets_sent_openly,
    warnings_about,
)

METER_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
SINK_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Registries:
    """What an environment can name: import strings of the drivers by their names; ``guard``: its settings.

    They come in from above: what drivers there are is not the settings' business.
    """

    meters: Mapping[str, str]
    sinks: Mapping[str, str]
    guard: type[Any]


@dataclass(frozen=True, slots=True)
class MeterSettings:
    """One table of [ENVIRONMENT.meters]; ``driver`` is the client's own settings, ``guard`` the guard's."""

    name: str
    client: str
    driver: Any
    guard: Any


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """One table of [ENVIRONMENT.sinks]; ``driver`` is the sink's own settings."""

    name: str
    sink: str
    driver: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonSettings:
    """The keys of an environment itself, beside its tables."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting(
        "the least important messages that are logged", default="INFO"
    )
    queue_size: int = setting(
        "messages kept for each sink while it cannot deliver; then the oldest reading is dropped",
        default=1000,
        minimum=10,
        maximum=1_000_000,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Everything that one environment sets."""

    environment: str
    log_level: str
    queue_size: int
    meters: Mapping[str, MeterSettings]
    sinks: Mapping[str, SinkSettings]


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, what a person should know about them, and where each key was found.

    ``exposed`` are those of the warnings that tell of secrets outside of .secrets.toml.
    """

    settings: ServiceSettings
    warnings: tuple[str, ...]
    origins: Mapping[tuple[str, ...], Origin]
    exposed: tuple[str, ...] = ()


def load(
    directory: Path | None = None,
    environment: str | None = None,
    *,
    registries: Registries,
) -> LoadedSettings:
    """Load and check the settings in ``directory`` (default: the working directory).

    ``environment`` defaults to what ENV_FOR_DYNACONF says. Raises SettingsError with all problems.
    """
    found = read_source(directory, environment)
    merged = merge(found)
    settings, drivers = build(merged, registries)
    files = [Path(table["source"]) for table in found["tables"]]
    openly = secrets_sent_openly({name: sink.driver for name, sink in settings.sinks.items()})
    warnings = (*found["warnings"], *warnings_about(drivers, files), *openly)
    exposed = tuple(dict.fromkeys(exposed_secrets(drivers)))
    return LoadedSettings(settings, warnings, MappingProxyType(merged.origins), exposed)


def build(merged: MergedTables, registries: Registries) -> tuple[ServiceSettings, list[DriverTable]]:
    """The typed settings, and what each driver was given. Raises SettingsError."""
    tables = _Tables(merged, registries)
    meters = {name: tables.meter(name) for name in tables.named("meters", METER_NAME)}
    written = {name: tables.sink(name) for name in tables.named("sinks", SINK_NAME)}
    tables.check_ports()
    common = tables.common()
    if tables.problems or common is None:
        raise SettingsError(tables.problems)
    settings = ServiceSettings(
        environment=merged.environment,
        log_level=common.log_level,
        queue_size=common.queue_size,
        meters=MappingProxyType({name: meter for name, meter in meters.items() if meter}),
        sinks=MappingProxyType({name: sink for name, sink in written.items() if sink}),
    )
    return settings, tables.drivers


class _Tables:
    """Reads the merged tables and collects every problem on the way."""

    def __init__(self, merged: MergedTables, registries: Registries) -> None:
        self.merged = merged
        self._registries = registries
        self.problems: list[str] = []
        self.drivers: list[DriverTable] = []

    def common(self) -> CommonSettings | None:
        shared = {driver.shared_table for driver in self.drivers} - {""}
        also = ["meters", "sinks", *sorted(shared | {"guard", "mqtt"})]
        common, problems = parse(CommonSettings, self.merged.values, self.merged.place, also=also)
        found = [*problems, *self._shared_problems(shared), *self.problems]
        self.problems = list(dict.fromkeys(found))  # what is wrong in a shared table is found by each user
        return common

    def named(self, key: str, pattern: re.Pattern[str]) -> Sequence[str]:
        """The names of the tables in meters or sinks that are tables with a usable name."""
        place = self.merged.place / key
        if not self.merged.table(key):
            found = "found a value; allowed" if self.merged.values.get(key) else "missing; needed"
            example = f"{self.merged.environment}.{key}.{'heat' if key == 'meters' else 'stdout'}"
            self.problems.append(f"{place}: {found}: at least one table, such as [{example}]")
        for name in self.merged.table(key):
            if not isinstance(self.merged.values[key][name], dict):
                self.problems.append(f"{place / name}: found a value; allowed: a table")
            elif not pattern.fullmatch(name):
                self.problems.append(f"{place / name}: found the name {_name_problem(name, key)}")
        return [name for name in self.merged.table(key) if isinstance(self.merged.values[key][name], dict)]

    def meter(self, name: str) -> MeterSettings | None:
        clients = self._registries.meters
        place = self.merged.place / "meters" / name
        table = self.merged.table("meters", name)
        client = self._choice(table.get("client"), clients, place / "client")
        driver = self._driver(client, clients, table, place, ("client", "guard"))
        guard = self._read(self._registries.guard, table.get("guard", {}), place / "guard")
        return None if driver is None or guard is None else MeterSettings(name, client, driver, guard)

    def sink(self, name: str) -> SinkSettings | None:
        sinks = self._registries.sinks
        place = self.merged.place / "sinks" / name
        table = self.merged.table("sinks", name)
        kind = self._choice(table.get("type", name), sinks, place / "type" if "type" in table else place)
        driver = self._driver(kind, sinks, table, place, ("type",))
        return None if driver is None else SinkSettings(name, kind, driver)

    def check_ports(self) -> None:
        """A port serves one meter: two clients on one line would read each other's answers."""
        owners: dict[str, str] = {}
        for name in self.merged.table("meters"):
            port = self.merged.table("meters", name).get("port")
            if not isinstance(port, str) or not port or "\0" in port:
                continue  # the client's own settings complain
            same = port if "://" in port else os.path.realpath(port)
            owner = owners.setdefault(same, name)
            if owner != name:
                place = self.merged.place / "meters" / name / "port"
                self.problems.append(
                    f"{place}: found {shown(str, port)}; allowed: a port of its own; "
                    f'meter "{owner}" has this one'
                )

    def _choice(self, value: Any, registry: Mapping[str, str], place: Place) -> str:
        """The driver's name, or "" when it is none; then the problem is noted."""
        if isinstance(value, str) and value in registry:
            return value
        allowed = ", ".join(f'"{name}"' for name in registry)
        if place.path[-1] not in ("client", "type"):
            allowed += ", or a name of your own with the key type"
        if value is None:
            others = get_close_matches(place.path[-1], self.merged.table(*place.path[:-1]), n=1)
            suggestion = f'; did you mean that by "{others[0]}"?' if others else ""
            self.problems.append(f"{place}: missing; needed: one of {allowed}{suggestion}")
        else:
            text = value.text if isinstance(value, VariableValue) else value
            suggestion = nearest(text, list(registry)) if isinstance(text, str) else ""
            self.problems.append(f"{place}: found {shown(str, value)}; allowed: {allowed}{suggestion}")
        return ""

    def _driver(
        self,
        name: str,
        registry: Mapping[str, str],
        table: Mapping[str, Any],
        place: Place,
        others: Sequence[str],
    ) -> Any:
        """The driver's settings; ``others`` are keys of its table that are not its own."""
        if not name:
            return None
        try:
            record = load_object(registry[name])
            settings_type = load_object(record.settings)
            load_object(record.implementation)  # now, and not at the start: it may need a package
        except ImportError as error:
            self.problems.append(f'{place}: "{name}" needs a package that is not installed: {error}')
            return None
        driver = self._read(settings_type, table, place, others)
        return None if driver is None else driver.named(self.merged.environment)

    def _read(self, settings_type: type[Any], table: Any, place: Place, others: Sequence[str] = ()) -> Any:
        if not isinstance(table, Mapping):
            self.problems.append(f"{place}: found a value; allowed: a table")
            return None
        full = self._with_shared(settings_type, table, place)
        self.drivers.append(DriverTable(settings_type, full, place))
        settings, problems = parse(settings_type, full, place, also=others)
        self.problems += problems
        return settings

    def _with_shared(
        self, settings_type: type[Any], table: Mapping[str, Any], place: Place
    ) -> Mapping[str, Any]:
        """The driver's table over its defaults from the shared one."""
        shared = shared_table_of(settings_type)
        known = keys_of(settings_type)
        defaults = {
            key: value
            for key, value in (self.merged.table(shared) if shared else {}).items()
            if key in known and key not in table
        }
        for key in defaults:
            self.merged.origins[(*place.path, key)] = self.merged.origins[(shared, key)]
        return {**defaults, **table}

    def _shared_problems(self, shared: set[str]) -> list[str]:
        """Keys of shared tables that none of the drivers knows; a table that nobody uses is left alone."""
        problems: list[str] = []
        for table in sorted(shared):
            if not isinstance(self.merged.values.get(table, {}), dict):
                problems.append(f"{self.merged.place / table}: found a value; allowed: a table")
            users = [driver.settings_type for driver in self.drivers if driver.shared_table == table]
            known = list(dict.fromkeys(key for kind in users for key in keys_of(kind)))
            problems += [
                f"{self.merged.place / table / key}: unknown key; "
                f"allowed: {', '.join(known)}{nearest(key, known)}"
                for key in self.merged.table(table)
                if key not in known
            ]
        return problems


def _name_problem(name: str, key: str) -> str:
    near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    suggestion = f'; did you mean "{near}"?' if near else ""
    extra = "" if key == "meters" else ", _"
    return (
        f'"{name}"; allowed: a-z, 0-9 and -{extra} (it becomes part of topics), not - at the ends{suggestion}'
    )
