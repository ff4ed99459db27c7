"""The messages that travel on the central queue: plain dicts, never changed after ``put``.

Absent is not zero and not None: what a meter did not answer is not in the dict. The unit is the one
that the meter sent. Times are aware and UTC.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Literal, NotRequired, TypeAlias, TypedDict, get_args

from smart_meter_reader.quantities.measurement import Measurement

State: TypeAlias = Literal["online", "offline", "alert"]

STATES: tuple[str, ...] = get_args(State)
# P1: how far a telegram can be trusted.
AUTHENTICATIONS = ("verified", "failed", "none")

# The reason of the status ``offline`` that begins every meter's story: nothing is wrong yet.
STARTING = "starting"


class Reading(TypedDict):
    """What one meter answered in one poll or telegram. ``measurements`` is keyed by quantity key."""

    type: Literal["reading"]
    meter: str
    time: datetime
    measured_at: NotRequired[datetime]  # P1: by the meter's clock; some values have times of their own
    measurements: dict[str, Measurement]
    # P1: every line of the telegram by OBIS code, for those whose quantity we do not know.
    objects: NotRequired[dict[str, Measurement | list[Measurement]]]
    authentication: NotRequired[str]  # one of AUTHENTICATIONS


class Health(TypedDict, total=False):
    """Line health of one meter, counted since the service started unless the key says otherwise."""

    valid_readings: int
    damaged_frames: int
    retries: int
    rejected_values: int
    reconnects: int
    left_out: int  # whole telegrams that were not read for want of time; only where there were any
    internal_errors: int  # exceptions that nobody foresaw; only where there were any
    latency_ms: int  # request to complete answer of the last reading; 0 for meters that push
    requests_24h: int  # polled meters: requests sent in the last 24 hours
    wake_ups_24h: int  # polled meters: polls that had to wake the meter in the last 24 hours
    last_valid: datetime


class Status(TypedDict):
    """The state of one meter. ``reason`` is a short stable word, ``detail`` a sentence for a person.

    Online, the reason is "", or what the guard has to tell: "implausible_value", "new_baseline",
    "meter_replaced". An ``alert`` with the reason "internal_error" is a fault of this program.
    """

    type: Literal["status"]
    meter: str
    time: datetime
    state: State
    reason: str
    detail: str
    health: NotRequired[Health]


class Info(TypedDict):
    """Who the meter is: once per connection, before the first reading; again when it may be another."""

    type: Literal["info"]
    meter: str
    time: datetime
    manufacturer: NotRequired[str]
    model: NotRequired[str]
    serial_number: NotRequired[str]
    firmware: NotRequired[str]
    dialect: NotRequired[str]  # P1: the recognised national dialect
    interval: NotRequired[int]  # seconds between readings as configured or measured, for expiry times
    transformer_ratio: NotRequired[Decimal]  # P1: what values were multiplied by, where that is not 1
    via: NotRequired[str]  # the meter whose telegram carries this one (M-Bus channels)


# What of an info names a household or a device, and is left out of what is meant for sharing.
IDENTIFYING = frozenset({"serial_number"})


Message: TypeAlias = Reading | Status | Info
Publish: TypeAlias = Callable[[Message], Awaitable[None]]
