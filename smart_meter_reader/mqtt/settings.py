"""The settings of the connection to an MQTT broker, shared by all sinks that use one."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal, Self

from smart_meter_reader.network.loopback import is_this_computer
from smart_meter_reader.settings.hosts import HOST_HELP, HOST_PATTERN, host_meant
from smart_meter_reader.settings.schema import DriverSettings, Secret, setting

_LONGEST_LOGIN = 65_535  # MQTT 3.1.1, 1.5.3: the length of a string is told in two bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings(DriverSettings):
    """How to reach the broker. A sink's settings inherit from this.

    The keys stand in the shared table ``[mqtt]`` of the environment; a sink's own table may repeat any of
    them to use another broker or login.
    """

    shared_table: ClassVar[str] = "mqtt"

    host: str = setting(
        "name or address of the broker",
        default="localhost",
        required=True,
        pattern=HOST_PATTERN,
        pattern_help=HOST_HELP,
        meant=host_meant,
        identifies=True,
    )
    port: int = setting("0 means 1883, with TLS 8883", default=0, minimum=0, maximum=65535)
    transport: Literal["tcp", "websockets"] = setting("how MQTT travels", default="tcp")
    path: str = setting(
        "path of the websocket",
        default="/mqtt",
        pattern="/.*",
        pattern_help="starts with /",
        identifies=False,
    )
    username: str = setting("login name; empty means no login", default="", identifies=True)
    password: Secret = setting("password of the login", default=Secret(""))
    tls: bool = setting("encrypt, and verify the broker with the system's CAs or `ca`", default=False)
    ca: Path | None = setting(
        "PEM file of the CA that signed the broker's certificate", default=None, identifies=False
    )
    client_cert: Path | None = setting("PEM file of our own certificate", default=None, identifies=False)
    client_key: Path | None = setting(
        "PEM file of our own key, when not in `client_cert`", default=None, identifies=False
    )
    insecure: bool = setting("do NOT verify who the broker is (with TLS)", default=False)
    client_id: str = setting(
        "start of the client id, followed by environment and sink; empty means a random one at each start",
        default="",
        identifies=True,
    )
    keepalive: int = setting(
        "seconds between signs of life to the broker", default=60, minimum=5, maximum=3600
    )
    protocol: Literal["auto", "3.1.1", "5"] = setting(
        "MQTT version; auto means 5, and 3.1.1 where the broker does not know it", default="auto"
    )

    commands: bool = setting(
        "let whoever may publish to the broker ask for a reading now; each is counted, and none comes sooner "
        "than the meter's read_now_distance",
        default=True,
    )
    service: str = setting(
        "name of this process in its availability topic; services that share a broker need different ones",
        default="",
        pattern="[^/+#]*",
        pattern_help="text without / + #",
        identifies=False,
    )

    environment: str = field(default="", init=False, compare=False)  # not to be set, see ``named``

    def __post_init__(self) -> None:
        if self.password.reveal() and not self.username:
            raise ValueError("`password` needs a `username`")
        if max(len(self.username.encode()), len(self.password.reveal().encode())) > _LONGEST_LOGIN:
            raise ValueError(f"`username` and `password` can have {_LONGEST_LOGIN} bytes each")
        if self.client_key and not self.client_cert:
            raise ValueError("`client_key` needs a `client_cert`")
        if not self.tls and (self.ca or self.client_cert or self.insecure):
            raise ValueError("`ca`, `client_cert` and `insecure` are about TLS: set `tls` to true")

    def named(self, environment: str) -> Self:
        """Services on one broker tell themselves apart by their environment, unless the settings say how."""
        named = replace(self, service=self.service or environment)
        object.__setattr__(named, "environment", environment)  # of a new object that nobody else has yet
        return named

    @property
    def topic_trees(self) -> Mapping[str, str]:
        """The topics, by key, below which the sink alone writes."""
        return {}

    @property
    def trees(self) -> Mapping[str, Hashable]:
        """The same at this broker; another broker has its own topics."""
        return {key: (self.host, self.effective_port, topic) for key, topic in self.topic_trees.items()}

    @property
    def effective_port(self) -> int:
        """The port to connect to: as set, or the registered one."""
        return self.port or (8883 if self.tls else 1883)

    @property
    def login(self) -> tuple[object, ...]:
        """What makes one connection as good as another."""
        return (
            *(self.address, self.transport, self.path, self.protocol, self.username, self.password),
            *(self.tls, self.insecure, self.ca, self.client_cert, self.client_key),
        )

    @property
    def address(self) -> str:
        """The broker for people and logs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.effective_port}"

    @property
    def sent_openly(self) -> str:
        """Which secret goes to another computer unencrypted, and what to do about it; "" for none."""
        if self.tls or not self.password.reveal() or is_this_computer(self.host):
            return ""
        return (
            f"the password goes to {self.address} unencrypted, and anybody on the way can read it: switch "
            "TLS on at the broker and set `tls` to true"
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """What looks like a slip: a login by half, the port of the other kind, a file that is not there."""
        found = []
        if self.username and not self.password.reveal() and not self.client_cert:
            found.append("`username` is set and `password` is not, which belongs into .secrets.toml")
        if self.transport == "tcp" and self.effective_port == (1883 if self.tls else 8883):
            usual = "false" if self.tls else "true"
            found.append(f"a broker's port {self.effective_port} is usually the one for `tls` = {usual}")
        files = {"ca": self.ca, "client_cert": self.client_cert, "client_key": self.client_key}
        for key, path in files.items():
            if path and not os.path.exists(path.expanduser()):  # noqa: PTH110 - tells of no error
                found.append(f"`{key}`: there is no file {path}, or it cannot be seen from here")
        return tuple(found)

    def availability_topic(self, base: str) -> str:
        """Where a sink says whether this process runs: the topic of its last will."""
        return f"{base}/availability/{self.service}" if self.service else f"{base}/availability"
