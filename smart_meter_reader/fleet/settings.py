"""The settings of the connection to the NATS servers of a fleet, shared by all that use one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from smart_meter_reader.network.loopback import is_this_computer
from smart_meter_reader.settings.hosts import require_url
from smart_meter_reader.settings.schema import DriverSettings, Secret, setting


@dataclass(frozen=True, kw_only=True)  # without slots: the sink's settings have those of a spool as well
class NatsSettings(DriverSettings):
    """How to reach the servers. The keys may stand in the shared table ``[nats]`` of the environment."""

    shared_table: ClassVar[str] = "nats"

    servers: tuple[str, ...] = setting(
        "the servers, tried in any order; one that runs beside (a leaf) or those of the cluster",
        default=("localhost:4222",),
        pattern=r"(\[[0-9A-Fa-f:.]+\]|[^\s/@:\[\]]+)(:[0-9]{1,5})?",
        pattern_help="HOST or HOST:PORT, without nats:// before it and without a login",
        identifies=True,
    )
    nkey: Secret | None = setting("seed of the nkey that tells who we are; it begins with SU", default=None)
    nkey_file: Path | None = setting("the file that holds that seed, instead", default=None, identifies=False)
    credentials: Path | None = setting(
        "file of credentials (JWT and seed), where the servers give out such", default=None, identifies=False
    )
    tls: bool = setting("encrypt, and verify the servers with the system's CAs or `ca`", default=False)
    ca: Path | None = setting(
        "PEM file of the CA that signed the servers' certificates", default=None, identifies=False
    )
    client_cert: Path | None = setting("PEM file of our own certificate", default=None, identifies=False)
    client_key: Path | None = setting(
        "PEM file of our own key, when not in `client_cert`", default=None, identifies=False
    )

    monitor_port: int = setting(
        "where `doctor` asks each server how it keeps what it acknowledges; 0: nowhere",
        default=8222,
        minimum=0,
        maximum=65535,
    )

    def __post_init__(self) -> None:
        if not self.servers:
            raise ValueError("`servers` is empty: name at least one")
        for server in self.servers:
            require_url("servers", server, "HOST or HOST:PORT")
        logins = [each for each in (self.nkey, self.nkey_file, self.credentials) if each is not None]
        if len(logins) > 1:
            raise ValueError("`nkey`, `nkey_file` and `credentials` are one login each: leave one of them")
        if self.client_key and not self.client_cert:
            raise ValueError("`client_key` needs a `client_cert`")
        if not self.tls and (self.ca or self.client_cert):
            raise ValueError("`ca` and `client_cert` are about TLS: set `tls` to true")

    @property
    def remarks(self) -> tuple[str, ...]:
        """Readings that go to another computer for everybody on the way to read."""
        away = [each for each in self.servers if not is_this_computer(each.rpartition(":")[0] or each)]
        if self.tls or not away:
            return ()
        return (f"readings go to {', '.join(away)} unencrypted: give the servers TLS and set `tls` to true",)

    @property
    def party(self) -> frozenset[str]:
        """What all have in common who are connected to these servers."""
        return frozenset(self.servers)

    @property
    def urls(self) -> list[str]:
        """The servers as the client library wants them."""
        scheme = "tls" if self.tls else "nats"
        return [f"{scheme}://{each}" for each in self.servers]
