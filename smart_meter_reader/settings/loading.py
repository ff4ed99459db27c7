"""The settings of one environment: loaded once, checked whole, frozen.

``load_environment`` returns them typed, or raises SettingsError with every problem at once, each a line that
names the file, the environment, the path of keys, what was found, what is allowed, and what was probably
meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from smart_meter_reader.drivers import imported, other_names
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.clashes import shared_ports, shared_trees, unfit_for_lease
from smart_meter_reader.settings.common import CommonSettings, MeterCommonSettings
from smart_meter_reader.settings.files.source import read_source
from smart_meter_reader.settings.memories import idle_modes
from smart_meter_reader.settings.names import METER_NAME, SINK_NAME, name_problem, nearest
from smart_meter_reader.settings.schema import Origin, Place, keys_of, parse, shared_table_of
from smart_meter_reader.settings.tables import MergedTables, merge, misplaced
from smart_meter_reader.settings.values import VariableValue, shown
from smart_meter_reader.settings.warnings import (
    DriverTable,
    exposed_secrets,
    secrets_sent_openly,
    warnings_about,
)


@dataclass(frozen=True, slots=True)
class Registries:
    """What an environment can name: import strings of the drivers by their names; ``guard``: its settings.

    ``leases`` is the import string of a LeasesDriver. They come in from above: what drivers there are is not
    the settings' business.
    """

    meters: Mapping[str, str]
    sinks: Mapping[str, str]
    guard: type[Any]
    leases: str = ""


@dataclass(frozen=True, slots=True)
class MeterSettings:
    """One table of [ENVIRONMENT.meters]; ``driver`` is the client's own settings, ``guard`` the guard's.

    ``lease``: whether other machines reach the meter too, and a lease says which one reads it.
    """

    name: str
    client: str
    driver: Any
    guard: Any
    lease: bool = False


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """One table of [ENVIRONMENT.sinks]; ``driver`` is the sink's own settings."""

    name: str
    sink: str
    driver: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Everything that one environment sets; ``leases`` is None where no meter has one."""

    environment: str
    log_level: str
    queue_size: int
    meters: Mapping[str, MeterSettings]
    sinks: Mapping[str, SinkSettings]
    leases: Any = None


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, what a person should know about them, and where each key was found.

    ``exposed`` are those of the warnings that tell of secrets outside of .secrets.toml.
    """

    settings: ServiceSettings
    warnings: tuple[str, ...]
    origins: Mapping[tuple[str, ...], Origin]
    exposed: tuple[str, ...] = ()


def load_environment(
    directory: Path | None = None,
    environment: str | None = None,
    *,
    registries: Registries,
) -> LoadedSettings:
    """Load and check the settings in ``directory`` (default: the working directory).

    ``environment`` defaults to what ENV_FOR_DYNACONF says. Raises SettingsError with all problems.
    """
    return checked(read_source(directory, environment), registries)


def checked(found: Mapping[str, Any], registries: Registries) -> LoadedSettings:
    """The settings in what ``read_source`` has found. Raises SettingsError with all problems."""
    merged = merge(found)
    settings, drivers = build(merged, registries)
    files = [Path(table["source"]) for table in found["tables"]]
    sinks = {name: sink.driver for name, sink in settings.sinks.items()}
    meters = {name: meter.driver for name, meter in settings.meters.items()}
    openly = [*secrets_sent_openly(sinks), *idle_modes(merged.place, meters, sinks, registries.sinks)]
    doubts = (
        [f"{merged.place / 'leases'}: {each}" for each in settings.leases.doubts] if settings.leases else []
    )
    warnings = (*found["warnings"], *warnings_about(drivers, files), *openly, *doubts)
    exposed = tuple(dict.fromkeys(exposed_secrets(drivers)))
    return LoadedSettings(settings, warnings, MappingProxyType(merged.origins), exposed)


def build(merged: MergedTables, registries: Registries) -> tuple[ServiceSettings, list[DriverTable]]:
    """The typed settings, and what each driver was given. Raises SettingsError."""
    tables = _Tables(merged, registries)
    meters = {name: tables.meter(name) for name in tables.named("meters", METER_NAME)}
    written = {name: tables.sink(name) for name in tables.named("sinks", SINK_NAME)}
    drivers = {name: sink.driver for name, sink in written.items() if sink}
    tables.problems += [*shared_ports(merged, meters), *shared_trees(merged, drivers)]
    leases = tables.leases([name for name, meter in meters.items() if meter and meter.lease])
    common = tables.common()
    if tables.problems or common is None:
        raise SettingsError(tables.problems)
    settings = ServiceSettings(
        environment=merged.environment,
        log_level=common.log_level,
        queue_size=common.queue_size,
        meters=MappingProxyType({name: meter for name, meter in meters.items() if meter}),
        sinks=MappingProxyType({name: sink for name, sink in written.items() if sink}),
        leases=leases,
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
        also = ["meters", "sinks", "leases", *sorted(shared | {"guard", "mqtt", "nats"})]
        wrong = misplaced(self.merged, also, self._registries.sinks)
        common, problems = parse(CommonSettings, self.merged.values, self.merged.place, also=[*also, *wrong])
        problems += [f"{self.merged.place / name}: in the wrong place; write {wrong[name]}" for name in wrong]
        found = [*problems, *self._shared_problems(shared), *self.problems]
        self.problems = list(dict.fromkeys(found))  # what is wrong in a shared table is found by each user
        return common

    def named(self, key: str, pattern: re.Pattern[str]) -> Sequence[str]:
        """The names of the tables in meters or sinks that are tables with a usable name."""
        place = self.merged.place / key
        example = f"[{self.merged.environment}.{key}.{'heat' if key == 'meters' else 'stdout'}]"
        if not self.merged.table(key):
            found = "found a value; allowed" if self.merged.values.get(key) else "missing; needed"
            advice = "; `smart-meter-reader scan --write` adds what it finds" if key == "meters" else ""
            self.problems.append(f"{place}: {found}: at least one table, such as {example}{advice}")
        for name in self.merged.table(key):
            if not isinstance(self.merged.values[key][name], dict):
                text = f"a table; each of the {key} has its own, such as {example}"
                self.problems.append(f"{place / name}: found a value; allowed: {text}")
            elif not pattern.fullmatch(name):
                self.problems.append(f"{place / name}: found the name {name_problem(name, key)}")
        return [name for name in self.merged.table(key) if isinstance(self.merged.values[key][name], dict)]

    def meter(self, name: str) -> MeterSettings | None:
        clients = self._registries.meters
        place = self.merged.place / "meters" / name
        table = self.merged.table("meters", name)
        client = self._choice(table.get("client"), clients, place / "client")
        driver = self._driver(client, clients, table, place, ("client", "guard", "lease"))
        guard = self._read(self._registries.guard, table.get("guard", {}), place / "guard")
        wanted, problems = parse(
            MeterCommonSettings, {key: table[key] for key in ("lease",) if key in table}, place
        )
        self.problems += problems
        if driver is None or guard is None or wanted is None:
            return None
        if wanted.lease and (refusal := unfit_for_lease(driver.reads_from)):
            self.problems.append(f"{place / 'lease'}: found true; {refusal}")
        return MeterSettings(name, client, driver, guard, wanted.lease)

    def leases(self, meters: Sequence[str]) -> Any:
        """The settings of the leases of these meters; None where there are none."""
        if not meters and "leases" not in self.merged.values:
            return None
        place, path = self.merged.place / "leases", self._registries.leases
        if not meters:
            self.problems.append(
                f"{place}: no meter has a lease; write `lease = true` into the table of one that several "
                "machines reach, or remove this table"
            )
        return self._driver("leases", {"leases": path}, self.merged.table("leases"), place, ())

    def sink(self, name: str) -> SinkSettings | None:
        sinks = self._registries.sinks
        place = self.merged.place / "sinks" / name
        table = self.merged.table("sinks", name)
        kind = self._choice(table.get("type", name), sinks, place / "type" if "type" in table else place)
        driver = self._driver(kind, sinks, table, place, ("type",))
        return None if driver is None else SinkSettings(name, kind, driver)

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
            called = other_names(registry)
            suggestion = nearest(text, list(registry), called) if isinstance(text, str) else ""
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
            record = imported(registry[name])
            settings_type = imported(record.settings)
            imported(record.implementation)  # now, and not at the start: it may need a package
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
