"""Settings of the leases of an environment's meters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from smart_meter_reader.fleet.edge import EdgeSettings, site_setting
from smart_meter_reader.fleet.leases.plan import MARGIN, LeaseTimes
from smart_meter_reader.fleet.subjects import NAME, NAME_HELP
from smart_meter_reader.settings.durations import format_duration
from smart_meter_reader.settings.schema import setting

# What the servers need to elect a leader after one was killed (docs/fleet.md), with some time to spare.
FAIL_OVER_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSettings(EdgeSettings):
    """Who we are among the machines that reach the same meters, and how long a lease lives."""

    site: str = site_setting(
        "where the meters are; the same, and the same names of meters, on all machines that reach them"
    )
    bucket: str = setting(
        "the bucket of the servers in which leases are; made when it is not there",
        default="leases",
        pattern=NAME,
        pattern_help=NAME_HELP,
        identifies=True,
    )
    ttl: timedelta = setting(
        "how long a lease lives without being renewed; another machine reads after that at the earliest",
        default=timedelta(seconds=60),
        minimum=timedelta(seconds=15),
        maximum=timedelta(hours=1),
    )
    renew: timedelta = setting(
        "how often a lease is renewed, and asked for by those that do not have it",
        default=timedelta(seconds=15),
        minimum=timedelta(seconds=1),
        maximum=timedelta(minutes=20),
    )
    without_servers: Literal["read", "wait"] = setting(
        'when no server answers: "read": the machine that had the lease last reads on after `read_after`; '
        '"wait": nobody reads until they answer again',
        default="read",
    )
    read_after: timedelta = setting(
        'with `without_servers` = "read": how long no server has answered then',
        default=timedelta(minutes=10),
        minimum=timedelta(minutes=1),
        maximum=timedelta(days=7),
    )

    def __post_init__(self) -> None:
        EdgeSettings.__post_init__(self)
        least = 2 * self.renew + timedelta(seconds=MARGIN)
        if self.ttl < least:
            raise ValueError(
                f"`ttl` ({format_duration(self.ttl)}) is too short for `renew` "
                f"({format_duration(self.renew)}): one renewal may fail, and reading ends {MARGIN:g} s "
                f"before the lease does; at least {format_duration(least)}"
            )
        if self.read_after < self.ttl:
            raise ValueError(
                f"`read_after` ({format_duration(self.read_after)}) is shorter than `ttl` "
                f"({format_duration(self.ttl)}): another machine may have just taken the lease"
            )

    @property
    def times(self) -> LeaseTimes:
        """What the plan is made with."""
        alone = self.read_after.total_seconds() if self.without_servers == "read" else None
        return LeaseTimes(ttl=self.ttl.total_seconds(), renew=self.renew.total_seconds(), read_after=alone)

    @property
    def explained(self) -> str:
        """What a lease means, for a person who checks the settings."""
        longest = format_duration(self.ttl + self.renew)
        away = (
            f"if no server answers for {format_duration(self.read_after)}, the one that read last reads on"
            if self.without_servers == "read"
            else "while no server answers, nobody reads"
        )
        return (
            f"one machine of the site {self.site} reads at a time, and this is {self.edge}; if the one that "
            f"reads fails, another one goes on within {longest}; {away}"
        )

    @property
    def doubts(self) -> Iterator[str]:
        """What of these settings works, and badly."""
        if self.ttl.total_seconds() < FAIL_OVER_SECONDS:
            yield (
                f"`ttl` ({format_duration(self.ttl)}) is shorter than a fail-over of the servers may take: "
                f"with less than {FAIL_OVER_SECONDS:g} s meters are not read while they elect a leader"
            )
