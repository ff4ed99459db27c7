"""Settings of the sink `postgresql`."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from smart_meter_reader.network.loopback import is_this_computer
from smart_meter_reader.settings.schema import Secret, setting
from smart_meter_reader.sinks.spooled.settings import StoringSettings

_NAME = {"pattern": r"[a-z_][a-z0-9_]{0,50}", "pattern_help": "small letters, digits and _"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgreSqlSettings(StoringSettings):
    """Where the rows go."""

    host: str = setting(
        "name or address of the server, or the directory of its socket, such as /var/run/postgresql",
        default="localhost",
        pattern=r"[^\s@]+",
        pattern_help="a name or address alone, or an absolute path",
        identifies=True,
    )
    port: int = setting("its port", default=5432, minimum=1, maximum=65535)
    database: str = setting(
        "the database",
        default="meters",
        pattern=r"(?!\w+://).{1,63}",
        pattern_help="a name alone; `host`, `port` and `username` say where it is",
        identifies=True,
    )
    username: str = setting("login name", default="smart_meter_reader", identifies=True)
    password: Secret = setting("password of the login", default=Secret(""))
    tls: bool = setting("encrypt, and verify the server with the system's CAs or `ca`", default=False)
    ca: Path | None = setting(
        "PEM file of the CA that signed the server's certificate", default=None, identifies=False
    )
    client_cert: Path | None = setting("PEM file of our own certificate", default=None, identifies=False)
    client_key: Path | None = setting(
        "PEM file of our own key, when not in `client_cert`", default=None, identifies=False
    )
    insecure: bool = setting("do NOT verify who the server is (with TLS)", default=False)
    timeout: timedelta = setting(
        "how long connecting or one batch may take",
        default=timedelta(seconds=30),
        minimum=timedelta(milliseconds=100),
        maximum=timedelta(minutes=5),
    )
    schema: str = setting("the schema of the tables", default="public", identifies=False, **_NAME)
    table: str = setting(
        "the table of the values; that of the states has _state behind it",
        default="smart_meter",
        identifies=False,
        **_NAME,
    )

    def __post_init__(self) -> None:
        if not self.tls and (self.ca or self.client_cert or self.client_key or self.insecure):
            raise ValueError(
                "`ca`, `client_cert`, `client_key` and `insecure` are about TLS: set `tls = true`"
            )
        if self.client_key and not self.client_cert:
            raise ValueError("`client_key` belongs to a certificate: set `client_cert` too")
        if self.tls and self.is_socket:
            raise ValueError(
                "over the server's socket there is no TLS: leave `tls` out, or set `host` to a name"
            )

    @property
    def is_socket(self) -> bool:
        """Whether the server is reached by its socket on this computer."""
        return self.host.startswith("/")

    @property
    def where(self) -> str:
        """The server for a person."""
        return self.host if self.is_socket else f"{self.host}:{self.port}"

    @property
    def sent_openly(self) -> str:
        """What goes to another computer unencrypted, or to whoever says that he is the server."""
        if self.is_socket or is_this_computer(self.host):
            return ""
        if self.tls:
            return (
                f"nobody verifies that {self.host} is the right server: leave `insecure` out, and set `ca` "
                "to the CA that signed its certificate"
                if self.insecure
                else ""
            )
        password = ", and the password if the server asks for it as it is," if self.password.reveal() else ""
        return (
            f"all readings{password} go to {self.host} unencrypted, and nobody verifies that it is the right "
            "server: set `tls = true`, and `ca` where its certificate is signed by a CA of your own"
        )

    @property
    def trees(self) -> Mapping[str, Hashable]:
        """Two sinks would write the same rows."""
        return {"table": (self.host, self.port, self.database, self.schema, self.table)}

    def shown_at(self, meters: Sequence[str], printed: str) -> Iterator[str]:
        where = f"{self.database} at {self.host}"
        yield f"PostgreSQL: the table {self.schema}.{self.table} in {where}"
