"""From messages to the rows that a database gets, and their form in the spool. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from smart_meter_reader.messages import Message, Past, Reading, Status
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.spool.entries import EPOCH, SpoolEntry, microseconds_of

# Rows of a meter's memory that travel together.
_PAST_ROWS = 20
_LARGEST_BODY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One value of one meter at its time. ``number``: exact; None where the meter told a ``text``."""

    meter: str
    quantity: str
    unit: str
    time: datetime
    number: Decimal | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class StateRow:
    """The state that one meter was in from then on."""

    meter: str
    time: datetime
    state: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class MessageRows:
    """What one message brought."""

    values: tuple[ValueRow, ...] = ()
    states: tuple[StateRow, ...] = ()

    def __len__(self) -> int:
        return len(self.values) + len(self.states)


def encode(rows: MessageRows) -> bytes:
    """As the spool keeps them; the values keep all their digits."""
    return zlib.compress(msgspec.json.encode(rows), 1)


def decode(body: bytes) -> MessageRows:
    """The rows again. Raises ValueError for what ``encode`` did not make."""
    opener = zlib.decompressobj()
    try:
        plain = opener.decompress(body, _LARGEST_BODY)
        if not opener.eof:
            raise ValueError("rows without an end")
        return msgspec.json.decode(plain, type=MessageRows)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(f"no rows: {error}") from error


class RowMaker:
    """Makes entries of the messages of one sink, and leaves out what is there already.

    Of the readings of one meter it takes one in each ``every``, counted from midnight UTC. A value that has a
    time of its own (a gas meter's hour, told in every telegram) is one row, as long as it stays the same.
    """

    def __init__(self, every: timedelta) -> None:
        self._every = every
        self._slots: dict[str, int] = {}  # by meter, the one that was taken last
        self._own_times: dict[tuple[str, str], Measurement] = {}
        self._states: dict[str, tuple[str, str]] = {}

    def entries(self, message: Message) -> list[SpoolEntry]:
        """What is to be stored of a message: nothing of an info."""
        match message["type"]:
            case "reading":
                return self._reading(message)
            case "past":
                return list(_past(message))
            case "status":
                return self._status(message)
            case _:
                return []

    def _reading(self, reading: Reading) -> list[SpoolEntry]:
        meter, time = reading["meter"], reading["time"]
        if self._every:
            slot = (time - EPOCH) // self._every
            if self._slots.get(meter) == slot:
                return []
            self._slots[meter] = slot
        values = tuple(self._new(meter, time, reading["measurements"]))
        return (
            [_entry(meter, f"{meter} {microseconds_of(time)}", time, MessageRows(values))] if values else []
        )

    def _new(self, meter: str, time: datetime, told: Mapping[str, Measurement]) -> Iterator[ValueRow]:
        for quantity, measurement in told.items():
            if "measured_at" in measurement:
                if self._own_times.get((meter, quantity)) == measurement:
                    continue
                self._own_times[meter, quantity] = measurement
            yield _value(meter, quantity, time, measurement)

    def _status(self, status: Status) -> list[SpoolEntry]:
        """A status comes with every change of a counter too: a row where state or reason changes."""
        meter, now = status["meter"], (status["state"], status["reason"])
        if self._states.get(meter) == now:
            return []
        self._states[meter] = now
        row = StateRow(meter, status["time"], status["state"], status["reason"], status["detail"])
        key = f"{meter} state {microseconds_of(status['time'])} {status['state']} {status['reason']}"
        return [_entry(meter, key, status["time"], MessageRows(states=(row,)))]


def _past(past: Past) -> Iterator[SpoolEntry]:
    meter, rows = past["meter"], past["rows"]
    for begin in range(0, len(rows), _PAST_ROWS):
        some = rows[begin : begin + _PAST_ROWS]
        values = tuple(
            _value(meter, quantity, row["measured_at"], measurement)
            for row in some
            for quantity, measurement in row["measurements"].items()
        )
        if values:
            first, last = some[0]["measured_at"], some[-1]["measured_at"]
            key = f"{meter} {past['logger']} {microseconds_of(first)} {microseconds_of(last)}"
            yield _entry(meter, key, last, MessageRows(values))


def _value(meter: str, quantity: str, time: datetime, measurement: Measurement) -> ValueRow:
    value, when = measurement["value"], measurement.get("measured_at", time)
    number = None if isinstance(value, str) else Decimal(value)
    return ValueRow(
        meter, quantity, measurement["unit"], when, number, value if isinstance(value, str) else ""
    )


def _entry(meter: str, key: str, time: datetime, rows: MessageRows) -> SpoolEntry:
    return SpoolEntry(key, time, encode(rows), meter)
