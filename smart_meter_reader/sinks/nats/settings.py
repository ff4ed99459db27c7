"""Settings of the sink `nats`."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Self

from smart_meter_reader.fleet.edge import EdgeSettings, site_setting
from smart_meter_reader.fleet.subjects import RESERVED_SITES
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.spool.settings import SpoolSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsSinkSettings(EdgeSettings, SpoolSettings):
    """Where this edge belongs, and the spool that keeps what the database does not have yet."""

    site: str = site_setting(
        "where the meters are, such as a building; with the meter's name it is the meter's in the database"
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
        EdgeSettings.__post_init__(self)
        if self.site in RESERVED_SITES:
            raise ValueError(f"`site` cannot be {self.site}: that word has a meaning of its own in subjects")

    def named(self, environment: str) -> Self:
        """Each environment has a spool and a name of its own, unless the settings say how."""
        named = EdgeSettings.named(self, environment)
        return replace(named, spool_name=self.spool_name or environment)

    @property
    def takes_past(self) -> bool:
        return True

    @property
    def trees(self) -> Mapping[str, Hashable]:
        """Two sinks of one environment would tell the same readings twice."""
        return {"site": (self.tenant, self.site)}

    def shown_at(self, meters: Sequence[str], printed: str) -> Iterator[str]:
        yield f"The fleet: site {self.site} of {self.tenant}, by {', '.join(self.servers)}"
