"""Settings of the page of several environments: the table [page] of settings.toml, if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.schema import parse, setting
from smart_meter_reader.settings.source import read_source
from smart_meter_reader.settings.tables import merge
from smart_meter_reader.settings.toml_text import read_toml
from smart_meter_reader.settings.warnings import (
    DriverTable,
    exposed_secrets,
    warnings_about,
)
from smart_meter_reader.sinks.web.settings import WebSettings

TABLE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings(WebSettings):
    """As those of the sink `web`. Contracts are for meters called ENV/METER."""

    histories: Mapping[str, str] = setting(
        "directories of histories that are not where the service of their environment has its state, such as "
        '{home = "/data/home"}',
        default={},
        identifies=True,
    )


@dataclass(frozen=True, slots=True)
class LoadedPage:
    """The settings, and what a person should know; ``exposed`` are secrets outside of .secrets.toml."""

    settings: PageSettings
    warnings: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()


def load_page(directory: Path) -> LoadedPage:
    """The table [page] of the settings in ``directory``; without one the defaults. Raises SettingsError."""
    if not has_page(directory):
        return LoadedPage(PageSettings())
    found = read_source(directory, TABLE)
    # What stands in [default] is for environments.
    merged = merge({**found, "tables": [each for each in found["tables"] if each["table"] == TABLE]})
    settings, problems = parse(PageSettings, merged.values, merged.place)
    if settings is None:
        raise SettingsError(problems)
    drivers = [DriverTable(PageSettings, merged.values, merged.place)]
    files = [Path(each["source"]) for each in found["tables"]]
    exposed = tuple(dict.fromkeys(exposed_secrets(drivers)))
    openly = [settings.sent_openly] if settings.sent_openly else []
    return LoadedPage(settings, (*found["warnings"], *warnings_about([], files), *exposed, *openly), exposed)


def has_page(directory: Path) -> bool:
    """Whether settings.toml in ``directory`` has the table. Raises SettingsError."""
    try:
        return TABLE in read_toml(directory / "settings.toml")
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SettingsError([f"settings.toml: cannot be read: {error.strerror}"]) from None


def headed(settings: PageSettings, environments: tuple[str, ...]) -> PageSettings:
    """The page is headed with the names of the environments, unless the settings say how."""
    return settings if settings.title else replace(settings, title=", ".join(environments))
