"""Settings of the writer: the table [writer] of settings.toml."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.fleet.settings import NatsSettings
from smart_meter_reader.settings.one_table import LoadedTable, load_table, read_table
from smart_meter_reader.settings.schema import Secret, setting
from smart_meter_reader.writer.address import read_address

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
    database_tls: bool = setting(
        "encrypt what goes to the database, and verify it with the system's CAs or `database_ca`",
        default=False,
    )
    database_ca: Path | None = setting(
        "PEM file of the CA that signed the database's certificate", default=None, identifies=False
    )
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

    def __post_init__(self) -> None:
        NatsSettings.__post_init__(self)  # without arguments super() fails where there are slots
        address = read_address(self.database)
        if self.database_ca and not self.database_tls:
            raise ValueError("`database_ca` is about TLS: set `database_tls` to true")
        if self.database_tls and address.sslmode:
            raise ValueError("`database_tls` says how to encrypt: leave sslmode out of `database`")
        if self.database_tls and not address.hosts:
            raise ValueError("over the database's socket there is no TLS: leave `database_tls` out")

    @property
    def sent_openly(self) -> str:
        """What is on the way to a database on another computer that nobody verifies."""
        address = read_address(self.database)
        if self.database_tls or address.verifies or not address.away:
            return ""
        openly = "" if address.encrypts else ", and what goes there may go unencrypted"
        return (
            f"nobody verifies that {', '.join(address.away)} is the right database{openly}: set "
            "`database_tls` to true, and `database_ca` where its certificate is signed by a CA of your own"
        )

    @property
    def listening_ports(self) -> tuple[int, ...]:
        return (self.port,) if self.port else ()


def load_writer(directory: Path) -> LoadedTable[WriterSettings]:
    """The table [writer] of the settings in ``directory``. Raises SettingsError."""
    if read_table(directory, TABLE) is None:
        raise SettingsError(
            [f"settings.toml: there is no table [{TABLE}], which says what to write where; see docs/fleet.md"]
        )
    loaded = load_table(directory, TABLE, WriterSettings)
    found = loaded.settings
    openly = [each for each in (*found.remarks, found.sent_openly) if each]
    return replace(loaded, warnings=(*loaded.warnings, *openly))
