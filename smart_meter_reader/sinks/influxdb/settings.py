"""Settings of the sink `influxdb`."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from smart_meter_reader.network.loopback import is_this_computer
from smart_meter_reader.settings.hosts import URL_HELP, URL_PATTERN, require_url
from smart_meter_reader.settings.schema import Secret, setting
from smart_meter_reader.sinks.spooled.settings import StoringSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxDbSettings(StoringSettings):
    """Where the points go, and what they are called."""

    api: Literal["v1", "v2", "v3"] = setting(
        "which way of writing the server knows: v1 (InfluxDB 1.x, VictoriaMetrics), v2 (InfluxDB 2.x and its "
        "cloud) or v3 (InfluxDB 3)"
    )
    url: str = setting(
        "address of the server",
        default="http://localhost:8086",
        pattern=URL_PATTERN,
        pattern_help=URL_HELP,
        identifies=True,
    )
    database: str = setting(
        "the database; with v2 the bucket",
        pattern=r"[^\x00-\x1f]{1,200}",
        pattern_help="a name, on one line",
        identifies=True,
    )
    org: str = setting("the organisation (v2)", default="", identifies=True)
    retention_policy: str = setting(
        'the retention policy (v1); "": that which the database takes by default',
        default="",
        identifies=True,
    )
    username: str = setting('login name (v1); "": no login', default="", identifies=True)
    password: Secret = setting("password of the login (v1)", default=Secret(""))
    token: Secret = setting("token that may write there (v2, v3)", default=Secret(""))
    ca: Path | None = setting(
        "PEM file of the CA that signed the server's certificate", default=None, identifies=False
    )
    insecure: bool = setting("do NOT verify who the server is (with https)", default=False)
    timeout: timedelta = setting(
        "how long a request may take",
        default=timedelta(seconds=30),
        minimum=timedelta(milliseconds=100),
        maximum=timedelta(minutes=5),
    )
    measurement: str = setting(
        "measurement (in InfluxDB 3: table) of the values; that of the states has _state behind it",
        default="smart_meter",
        pattern=r"[A-Za-z][A-Za-z0-9_.-]{0,100}",
        pattern_help="letters, digits and _ . -, beginning with a letter",
        identifies=False,
    )
    tags: Mapping[str, str] = setting(
        'tags that every point gets, such as { site = "home" }', default={}, identifies=True
    )

    def __post_init__(self) -> None:
        require_url("url", self.url)
        if not self.url.startswith("https:") and (self.ca or self.insecure):
            raise ValueError("`ca` and `insecure` are about TLS: let `url` begin with https://")
        if self.api == "v2" and not self.org:
            raise ValueError("v2 wants the organisation of the bucket: set `org`")
        if self.api != "v2" and self.org:
            raise ValueError(f"`org` is for v2, and `api` says {self.api}")
        if self.api != "v1" and (self.username or self.password.reveal() or self.retention_policy):
            raise ValueError(
                f"`username`, `password` and `retention_policy` are for v1; {self.api} wants `token`"
            )
        if self.api == "v1" and self.token.reveal():
            raise ValueError("`token` is for v2 and v3; v1 wants `username` and `password`")
        token = self.token.reveal().strip()
        if token and (not token.isascii() or len(token.split()) != 1):
            raise ValueError("`token` is not a token: copy it whole, on one line and without blanks")
        _require_fit(self.tags)

    @property
    def sent_openly(self) -> str:
        """What goes to another computer unencrypted."""
        secret = "token" if self.token.reveal() else "password" if self.password.reveal() else ""
        if not secret or self.url.startswith("https:") or is_this_computer(urlsplit(self.url).hostname or ""):
            return ""
        return (
            f"the {secret} goes to {self.url} unencrypted, and anybody on the way, or who answers to that "
            "name, can take it: let `url` begin with https://"
        )

    @property
    def trees(self) -> Mapping[str, Hashable]:
        """Two sinks with the same tags would write the same points, some of them later than others."""
        return {"measurement": (self.url, self.database, self.measurement, tuple(sorted(self.tags.items())))}

    def shown_at(self, meters: Sequence[str], printed: str) -> Iterator[str]:
        yield f"InfluxDB: {self.measurement} in {self.database} at {self.url}"


# What the points have themselves; in InfluxDB 3 no tag may be called as a field.
_OWN = frozenset({"meter", "quantity", "unit", "time", "value", "text", "state", "reason", "online"})


def _require_fit(tags: Mapping[str, str]) -> None:
    for name, value in tags.items():
        if not name.isidentifier() or not name.isascii() or name.startswith("_") or name in _OWN:
            raise ValueError(
                f"tags: {name!r} cannot be the name of a tag; it takes letters, digits and _, beginning with "
                f"a letter, and none of {', '.join(sorted(_OWN))}"
            )
        if not value or not value.isprintable() or value.endswith("\\"):
            raise ValueError(f"tags: the value of {name} is empty, or not a text on one line")
