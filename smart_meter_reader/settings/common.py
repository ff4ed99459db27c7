"""Settings that are no driver's: the keys of an environment itself, and those that every meter has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from smart_meter_reader.settings.schema import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterCommonSettings:
    """The keys of a meter that are not its client's."""

    lease: bool = setting(
        "whether other machines reach this meter too: one of them reads it, by a lease (docs/fleet.md)",
        default=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonSettings:
    """The keys of an environment itself, beside its tables."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting(
        "the least important messages that are logged", default="INFO"
    )
    queue_size: int = setting(
        "messages kept for each sink while it cannot deliver; then the oldest reading is dropped",
        default=1000,
        minimum=10,
        maximum=1_000_000,
    )
