"""Settings of the page of several environments: the table [page] of settings.toml, if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from smart_meter_reader.settings.one_table import LoadedTable, load_table, read_table
from smart_meter_reader.settings.schema import setting
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


def load_page(directory: Path) -> LoadedTable[PageSettings]:
    """The table [page] of the settings in ``directory``; without one the defaults. Raises SettingsError."""
    if not has_page(directory):
        return LoadedTable(PageSettings())
    loaded = load_table(directory, TABLE, PageSettings)
    openly = [loaded.settings.sent_openly] if loaded.settings.sent_openly else []
    return replace(loaded, warnings=(*loaded.warnings, *openly))


def has_page(directory: Path) -> bool:
    """Whether settings.toml in ``directory`` has the table. Raises SettingsError."""
    return read_table(directory, TABLE) is not None


def headed(settings: PageSettings, environments: tuple[str, ...]) -> PageSettings:
    """The page is headed with the names of the environments, unless the settings say how."""
    return settings if settings.title else replace(settings, title=", ".join(environments))
