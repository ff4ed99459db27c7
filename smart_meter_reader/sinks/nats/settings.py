"""Settings of the sink `nats`."""

from __future__ import annotations

import re
import socket
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Self

from smart_meter_reader.fleet.settings import NatsSettings
from smart_meter_reader.fleet.subjects import NAME, NAME_HELP, RESERVED_SITES
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.spool.settings import SpoolSettings

_LONGEST_EDGE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsSinkSettings(NatsSettings, SpoolSettings):
    """Where this edge belongs, and the spool that keeps what the database does not have yet."""

    tenant: str = setting(
        "whose meters these are: the account of the servers' configuration",
        pattern=NAME,
        pattern_help=NAME_HELP,
        identifies=True,
    )
    site: str = setting(
        "where the meters are, such as a building; with the meter's name it is the meter's in the database",
        pattern=NAME,
        pattern_help=NAME_HELP,
        identifies=True,
    )
    edge: str = setting(
        'name of this machine among those of the site; "": host name and environment',
        default="",
        pattern=f"|{NAME}",
        pattern_help=NAME_HELP,
        identifies=True,
    )
    # Another default than other spools have: what the engine has acknowledged may still be lost with it.
    spool_after: timedelta = setting(
        "what is not delivered by then goes to the disk: what a power cut costs at most; 0s: always, at once",
        default=timedelta(0),
        minimum=timedelta(0),
        maximum=timedelta(hours=1),
    )

    environment: str = field(default="", init=False, compare=False)  # not to be set, see ``named``

    def __post_init__(self) -> None:
        NatsSettings.__post_init__(self)
        if self.site in RESERVED_SITES:
            raise ValueError(f"`site` cannot be {self.site}: that word has a meaning of its own in subjects")

    def named(self, environment: str) -> Self:
        """Each environment has a spool and a name of its own, unless the settings say how."""
        edge = re.sub(r"[^A-Za-z0-9_-]", "-", f"{socket.gethostname()}-{environment}")[:_LONGEST_EDGE]
        return replace(self, spool_name=self.spool_name or environment, edge=self.edge or edge)

    @property
    def takes_past(self) -> bool:
        return True

    @property
    def trees(self) -> Mapping[str, Hashable]:
        """Two sinks of one environment would tell the same readings twice."""
        return {"site": (self.tenant, self.site)}
