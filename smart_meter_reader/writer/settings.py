"""Settings of the writer: the table [writer] of settings.toml."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.fleet.settings import NatsSettings
from smart_meter_reader.settings.schema import Secret, parse, setting
from smart_meter_reader.settings.source import read_source
from smart_meter_reader.settings.tables import merge
from smart_meter_reader.settings.toml_text import read_toml
from smart_meter_reader.settings.warnings import DriverTable, exposed_secrets, warnings_about

TABLE = "writer"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterSettings(NatsSettings):
    """From which servers into which database, and where the writer tells how it is."""

    shared_table: ClassVar[str] = ""

    database: str = setting(
        "address of the database, such as postgresql://smr@db.example.org/meters",
        pattern=r"postgres(ql)?://([^\s:@/]+@)?[^\s@]*",
        pattern_help="postgresql://USER@HOST/NAME, without a password",
        identifies=True,
    )
    database_password: Secret | None = setting("password of that user", default=None)
    fetch: int = setting(
        "messages taken at once, which one transaction writes", default=500, minimum=1, maximum=5000
    )
    max_deliver: int = setting(
        "how often the database may refuse a message before it goes to the dead letters",
        default=5,
        minimum=1,
        maximum=100,
    )
    port: int = setting(
        "where this computer alone finds /metrics and the page of all meters; 0: nowhere",
        default=9188,
        minimum=0,
        maximum=65535,
    )
    metrics_of_meters: int = setting(
        "of so many meters /metrics tells the age of the newest reading each, the oldest first",
        default=10_000,
        minimum=0,
        maximum=1_000_000,
    )
    alert_age: timedelta = setting(
        "a meter whose newest reading is older counts as late",
        default=timedelta(hours=2),
        minimum=timedelta(minutes=1),
        maximum=timedelta(days=366),
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting(
        "the least important messages that are logged", default="INFO"
    )
    replicas: int = setting(
        "with --prepare: on how many servers each stream is", default=3, minimum=1, maximum=5
    )
    stream_mib: int = setting(
        "with --prepare: how many MiB a stream holds until it refuses more",
        default=4096,
        minimum=1,
        maximum=10_000_000,
    )

    @property
    def listening_ports(self) -> tuple[int, ...]:
        return (self.port,) if self.port else ()


@dataclass(frozen=True, slots=True)
class LoadedWriter:
    """The settings, and what a person should know; ``exposed`` are secrets outside of .secrets.toml."""

    settings: WriterSettings
    warnings: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()


def load_writer(directory: Path) -> LoadedWriter:
    """The table [writer] of the settings in ``directory``. Raises SettingsError."""
    if not _has_table(directory):
        raise SettingsError(
            [f"settings.toml: there is no table [{TABLE}], which says what to write where; see docs/fleet.md"]
        )
    found = read_source(directory, TABLE)
    # What stands in [default] is for environments.
    merged = merge({**found, "tables": [each for each in found["tables"] if each["table"] == TABLE]})
    settings, problems = parse(WriterSettings, merged.values, merged.place)
    if settings is None:
        raise SettingsError(problems)
    drivers = [DriverTable(WriterSettings, merged.values, merged.place)]
    files = [Path(each["source"]) for each in found["tables"]]
    exposed = tuple(dict.fromkeys(exposed_secrets(drivers)))
    return LoadedWriter(settings, (*found["warnings"], *warnings_about([], files), *exposed), exposed)


def _has_table(directory: Path) -> bool:
    try:
        return TABLE in read_toml(directory / "settings.toml")
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SettingsError([f"settings.toml: cannot be read: {error.strerror}"]) from None
