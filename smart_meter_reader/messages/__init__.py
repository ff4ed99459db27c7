"""The messages that travel on the central queue: plain dicts, never changed after ``put``.

Absent is not zero and not None: what a meter did not answer is not in the dict. The unit is the one
that the meter sent. Times are aware and UTC.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
# The reason of a status ``offline`` on a machine that leaves a meter to another one, which has its lease. It
# is for whoever looks at this machine alone: sinks that others read as well do not get it.
STANDBY = "standby"
# The reason of a status ``online`` while the meter itself reports that something is wrong with it.
METER_REPORTS = "meter_reports"


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
    lease_revision: NotRequired[int]  # of the lease under which it was read; a later one has a higher number


class Health(TypedDict, total=False):
    """Line health of one meter, counted since the service started unless the key says otherwise."""

    valid_readings: int
    damaged_frames: int
    retries: int
    late_answers: int  # answers to something else than what was asked last; only where there were any
    skipped_bytes: int  # outside of frames; only where there were any
    rejected_values: int
    reconnects: int
    left_out: int  # whole telegrams that were not read for want of time; only where there were any
    internal_errors: int  # exceptions that nobody foresaw; only where there were any
    latency_ms: int  # request to complete answer of the last reading; 0 for meters that push
    requests_24h: int  # polled meters: requests sent in the last 24 hours
    wake_ups_24h: int  # polled meters: polls that had to wake the meter in the last 24 hours
    read_now_used: int  # readings taken since somebody asked for one, beside the schedule
    read_now_refused: int  # requests for a reading that came too soon or at a bad time
    last_valid: datetime
    lease_changes: int  # how often its lease came to this machine, or left it; only where it has one
    logger_rows: int  # entries of the meter's own loggers that were read back
    logger_rows_missing: int  # those that are still to be read
    clock_drift: int  # seconds that the meter's clock is ahead of this computer's, as asked once a day
    filling: str  # the same for a person: "hours of 3 days, about 2 days to go"; only where there are any


class Status(TypedDict):
    """The state of one meter. ``reason`` is a short stable word, ``detail`` a sentence for a person.

    Online, the reason is "", or what the guard has to tell: "implausible_value", "new_baseline",
    "meter_replaced"; or "read_too_soon" where a reading that was asked for is refused; or "meter_reports"
    with what the meter says of itself. An ``alert`` with the reason "internal_error" is a fault of this
    program.
    """

    type: Literal["status"]
    meter: str
    time: datetime
    state: State
    reason: str
    detail: str
    quantities: NotRequired[tuple[str, ...]]  # those that it is about: with "new_baseline"
    rolled_over: NotRequired[tuple[str, ...]]  # those of them that counted on: their digits were used up
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
    type_code: NotRequired[str]  # KMP: the type as GetType answers it, hexadecimal: "1101"
    p1_version: NotRequired[str]  # P1: the version of the specification, as the meter writes it: "50"
    interval: NotRequired[int]  # seconds between readings as configured or measured, for expiry times
    transformer_ratio: NotRequired[Decimal]  # P1: what values were multiplied by, where that is not 1
    via: NotRequired[str]  # the meter whose telegram carries this one (M-Bus channels)


class PastRow(TypedDict):
    """What a meter's own memory says of one moment. A quantity that the logger does not keep is absent.

    Of the logger ``info`` it is the moment at which the info code changed, with ``info_code_text`` from then
    on.
    """

    measured_at: datetime  # UTC: the meter's time, as the client has corrected it
    log_id: NotRequired[int]  # of the entry in the meter's logger
    measurements: dict[str, Measurement]


class Past(TypedDict):
    """What a meter had kept of the time behind it: one whole window of one of its loggers.

    It never becomes a current value. Only sinks that say ``takes_past`` see it. ``rows`` are oldest first;
    there are none where the guard has refused all of them, and such a past is confirmed like any other.
    """

    type: Literal["past"]
    meter: str
    time: datetime  # when it was read
    logger: str  # "year", "month", "day", "hour", "minutes", "info", ...
    serial_number: NotRequired[str]  # of the device that was read; its rows are refused once it is another
    receipt: NotRequired[str]  # the key of a Receipt; sinks confirm it when they have it for good
    reported_before: NotRequired[str]  # "info": the text before the first row; absent where nobody knows
    rows: tuple[PastRow, ...]
    lease_revision: NotRequired[int]  # as that of a reading


@dataclass(frozen=True, slots=True)
class Reply:
    """What becomes of a request for a reading now: taken, it comes as any other reading.

    Refused, ``reason`` is a short stable word and ``detail`` a sentence for a person, as in a status, and
    ``possible_at`` says from when on it is taken, where that is known.
    """

    taken: bool
    reason: str = ""
    detail: str = ""
    possible_at: datetime | None = None


# What tells how a meter is now.
Current: TypeAlias = Reading | Status | Info
Message: TypeAlias = Current | Past
Publish: TypeAlias = Callable[[Message], Awaitable[None]]
