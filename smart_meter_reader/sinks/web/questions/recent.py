"""Single readings of the last days as curves, thinned so that no peak is lost."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TypedDict, cast

from smart_meter_reader.history.errors import NoHistoryError
from smart_meter_reader.history.storage.connecting import connect, explained_for
from smart_meter_reader.history.storage.raw import DamagedBlockError, readings_in
from smart_meter_reader.history.storage.raw_columns import Column, Columns, columns
from smart_meter_reader.history.storage.schema import RECENT
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.sinks.web.questions.asked import Inquiry, QuestionError
from smart_meter_reader.sinks.web.questions.chosen import name_of

_MOST_POINTS = 5000
_MOST_SERIES = 6
_MOST_HOURS = 48
_EVER = 2**62
# What people look at first, of heat, electricity and water; those that are there are shown.
_USUAL = ("power", "active_power_import", "active_power_export", "volume_flow", "active_power_net")
_BLOCKS = "SELECT coded FROM raw WHERE meter = ? AND until >= ? AND since <= ? ORDER BY until"


class SeriesAnswer(TypedDict):
    """One curve."""

    quantity: str
    name: str
    unit: str


class RecentAnswer(TypedDict):
    """Readings as columns: times in seconds since 1970 UTC, and for each series a value at each time.

    ``readings`` is how many there were; of more than fit the lowest and the highest of each stretch are told.
    """

    meter: str
    series: list[SeriesAnswer]
    times: list[float]
    values: list[list[Decimal | None]]
    readings: int


@dataclass(slots=True)
class _Curve:
    """One quantity while its blocks are gathered: integers in the last of its decimals."""

    unit: str
    decimals: int
    values: list[int | None]

    def take(self, column: Column) -> None:
        """Go on with a block's column. Only the newest unit is drawn."""
        if column.unit != self.unit:
            self.unit, self.decimals = column.unit, column.decimals
            self.values = [None] * len(self.values)
        finest = max(self.decimals, column.decimals)
        self.values = _scaled(self.values, finest - self.decimals)
        self.values.extend(_scaled(column.values, finest - column.decimals))
        self.decimals = finest


def recent(asked: Inquiry) -> RecentAnswer:
    """The readings of the last hour, or of as many as asked for, of up to six quantities."""
    meter = asked.text("meter")
    if not meter:
        raise QuestionError("no_meter_named", "meter: missing; say of which meter")
    until = asked.instant("until", asked.now)
    since = until - asked.number("minutes", 60, 1, _MOST_HOURS * 60) * 60
    points = asked.number("points", 600, 10, _MOST_POINTS)
    wanted = asked.names("quantities")
    if len(wanted) > _MOST_SERIES:
        raise QuestionError(
            "too_many_quantities",
            "quantities: {number} are asked for; {most} at once are the most",
            number=len(wanted),
            most=_MOST_SERIES,
        )
    times, curves = _gathered(asked, meter, since, until, wanted)
    chosen = wanted or _usual(curves) or tuple(curves)[:1]
    series = [(key, curves[key]) for key in chosen if key in curves]
    rows = thinned(times, [curve.values for _, curve in series], points)
    return {
        "meter": meter,
        "series": [{"quantity": key, "name": name_of(key), "unit": curve.unit} for key, curve in series],
        "times": [times[row] / 1000 for row in rows],
        "values": [_decimals(curve, rows) for _, curve in series],
        "readings": len(times),
    }


def _usual(there: Collection[str]) -> tuple[str, ...]:
    """The curves that people look at first; what comes in and what goes out tell the net: it is no third."""
    both = "active_power_import" in there and "active_power_export" in there
    return tuple(key for key in _USUAL if key in there and not (both and key == "active_power_net"))


def newest_reading(
    path: Path | None, meter: str, since: int
) -> tuple[datetime, dict[str, Measurement]] | None:
    """All that the newest single reading told that is stored and not older; None for none."""
    for coded in reversed(_blocks(path, meter, since, _EVER)[-2:]):
        try:
            *_, newest = readings_in(coded)
        except (DamagedBlockError, ValueError):
            continue
        return newest
    return None


def thinned(times: Sequence[int], values: Sequence[Sequence[int | None]], most: int) -> list[int]:
    """The rows to show: all, or of more than ``most`` of each stretch those with a lowest or highest value.

    ``times`` rise. A stretch without an extreme of its own, since nothing is known in it, has no row.
    """
    if len(times) <= most:
        return list(range(len(times)))
    stretches = max(1, most // (2 * max(1, len(values))))
    first, length = times[0], times[-1] - times[0]
    kept: set[int] = set()
    begin = 0
    for number in range(1, stretches + 1):
        edge = first + length * number // stretches
        end = bisect_right(times, edge, begin)
        for column in values:
            kept.update(_extremes(column, begin, end))
        begin = end
    return sorted(kept)


def _extremes(column: Sequence[int | None], begin: int, end: int) -> Iterator[int]:
    told = column[begin:end]
    # Nearly always all are known, and then they are not looked at one by one.
    known = [value for value in told if value is not None] if None in told else cast("list[int]", told)
    if known:
        yield column.index(min(known), begin, end)
        yield column.index(max(known), begin, end)


def _gathered(
    asked: Inquiry, meter: str, since: int, until: int, wanted: Collection[str]
) -> tuple[list[int], dict[str, _Curve]]:
    """Times in milliseconds from ``since`` to ``until``, and what is wanted, or all that is usual."""
    times: list[int] = []
    curves: dict[str, _Curve] = {}
    for block_times, found in _columns(asked, meter, since, until, wanted):
        rows = slice(bisect_left(block_times, since * 1000), bisect_right(block_times, until * 1000))
        if rows.start >= rows.stop:
            continue
        for key, column in found.items():
            curve = curves.setdefault(key, _Curve(column.unit, column.decimals, [None] * len(times)))
            curve.take(column._replace(values=column.values[rows]))
        times.extend(block_times[rows])
        for curve in curves.values():
            curve.values.extend([None] * (len(times) - len(curve.values)))
    if times != sorted(times):  # the clock was set back meanwhile
        order = sorted(range(len(times)), key=times.__getitem__)
        times = [times[row] for row in order]
        for curve in curves.values():
            curve.values = [curve.values[row] for row in order]
    return times, curves


def _columns(
    asked: Inquiry, meter: str, since: int, until: int, wanted: Collection[str]
) -> Iterator[Columns]:
    """Block by block what is on the disk, then what waits in memory; of all one quantity if none is usual."""
    for coded in _blocks(asked.recent, meter, since, until):
        try:
            block = columns(coded, wanted or _USUAL)
            yield block if block[1] or wanted else _one_of(columns(coded, ()))
        except DamagedBlockError:
            continue  # the sink says so; the readings around it are good
    for block in asked.unwritten(meter, wanted):
        if wanted:
            yield block
        else:
            usual = {key: column for key, column in block[1].items() if key in _USUAL}
            yield (block[0], usual) if usual else _one_of(block)


def _one_of(block: Columns) -> Columns:
    return block[0], dict(list(block[1].items())[:1])


def _blocks(path: Path | None, meter: str, since: int, until: int) -> list[bytes]:
    """The blocks with readings of a stretch of time; none where single readings are not kept."""
    if path is None:
        return []
    try:
        connection = connect(path, RECENT, read_only=True)
    except NoHistoryError:
        return []
    with closing(connection), explained_for(path):
        return [coded for (coded,) in connection.execute(_BLOCKS, (meter, since, until))]


def _scaled(values: list[int | None], decimals: int) -> list[int | None]:
    if not decimals:
        return values
    factor = 10**decimals
    return [None if value is None else value * factor for value in values]


def _decimals(curve: _Curve, rows: Sequence[int]) -> list[Decimal | None]:
    return [
        None if (value := curve.values[row]) is None else Decimal(value).scaleb(-curve.decimals)
        for row in rows
    ]
