"""MessageRows as line protocol. Pure.

Source: docs.influxdata.com, "Line protocol": escaping of measurements, tags and string fields; a number
without an ending is a float, so that no field ever changes its type. Nanoseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from smart_meter_reader.sinks.spooled.rows import MessageRows, StateRow, ValueRow
from smart_meter_reader.text import plain, printable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATES = ("online", "alert")


class LineWriter:
    """Makes the lines of one measurement; ``tags`` are on all of them.

    A value is ``MEASUREMENT,meter=M,quantity=Q,unit=U value=1.5 TIME``, with ``text="..."`` for what is no
    number. A state is ``MEASUREMENT_state,meter=M online=1,alert=0,state="online",reason="",detail="" TIME``.
    """

    def __init__(self, measurement: str, tags: Mapping[str, str]) -> None:
        self._measurement = _escaped(measurement, ", ")
        # Sorted, as InfluxDB wants them for the speed of it.
        self._tags = {name: tags[name] for name in sorted(tags)}

    def lines(self, rows: MessageRows) -> Iterator[str]:
        """One line for each row, without its end."""
        yield from map(self._value, rows.values)
        yield from map(self._state, rows.states)

    def _value(self, row: ValueRow) -> str:
        own = {"meter": row.meter, "quantity": row.quantity, "unit": row.unit}
        field = f"value={plain(row.number)}" if row.number is not None else f"text={_quoted(row.text)}"
        return f"{self._measurement}{self._tagged(own)} {field} {_nanoseconds(row.time)}"

    def _state(self, row: StateRow) -> str:
        # An alert is told of a meter whose readings come.
        numbers = ",".join(
            f"{name}={int(row.state == name or (name, row.state) == ('online', 'alert'))}" for name in _STATES
        )
        texts = f"state={_quoted(row.state)},reason={_quoted(row.reason)},detail={_quoted(row.detail)}"
        return (
            f"{self._measurement}_state{self._tagged({'meter': row.meter})} {numbers},{texts} "
            f"{_nanoseconds(row.time)}"
        )

    def _tagged(self, own: Mapping[str, str]) -> str:
        # An empty tag is not allowed: it is left out, and so is one of which nothing can be written.
        found = {name: _escaped(value, ",= ") for name, value in {**own, **self._tags}.items()}
        return "".join(f",{name}={value}" for name, value in found.items() if value)


def _escaped(text: str, special: str) -> str:
    # A backslash at the end would hide the comma behind it, and cannot be written otherwise.
    clean = printable(text).rstrip("\\")
    for character in special:
        clean = clean.replace(character, f"\\{character}")
    return clean


def _quoted(text: str) -> str:
    clean = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{clean}"'


def _nanoseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1) * 1000
