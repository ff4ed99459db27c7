"""What one transaction of a writer says to the database: rows, fences, devices, events, sequences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from smart_meter_reader.fleet.written import SequenceRange, ranges_of
from smart_meter_reader.writer import sql
from smart_meter_reader.writer.arrivals import Arrival
from smart_meter_reader.writer.devices import Devices

Edge = tuple[str, str, str]
"""Tenant, site, edge."""
MeterKey = tuple[str, str, str]
"""Tenant, site, meter."""


_MOST_AHEAD: Final = timedelta(minutes=10)


class Mix(NamedTuple):
    """Two devices tell readings of one name by turns."""

    meter: MeterKey
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """What one transaction has brought: rows, of which so many were ``new``, and sequences by edge."""

    rows: int
    new: int
    outdated: int
    sequences: Mapping[Edge, tuple[int, ...]]
    mixes: tuple[Mix, ...] = ()


async def write_batch(connection: Any, arrivals: Sequence[Arrival]) -> WrittenBatch:
    """All of it, on a connection that is in a transaction."""
    known = await _write_meters(connection, arrivals)
    rows, mixes = await _judged(connection, arrivals, known)
    new = 0
    if rows:
        rows.sort(key=lambda row: row[:5])
        told: str = await connection.execute(sql.READINGS, *as_arrays(rows))
        new = int(told.rpartition(" ")[2])  # "INSERT 0 12"
    await _write_events(connection, arrivals)
    sequences = _sequences(arrivals)
    await write_edges(connection, sequences, {})
    return WrittenBatch(len(rows), new, sum(1 for row in rows if row[-2]), sequences, mixes)


class _MeterBefore(NamedTuple):
    """What a row of ``fleet_meter`` says of who reads."""

    fence: int | None
    devices: Devices


async def _write_meters(connection: Any, arrivals: Sequence[Arrival]) -> dict[MeterKey, _MeterBefore]:
    """Note the newest reading of each meter; what was known of it before."""
    newest: dict[MeterKey, datetime] = {}
    for each in arrivals:
        if each.body is None:
            newest[each.meter] = max(each.time, newest.get(each.meter, each.time))
    if not newest:
        return {}
    keys = sorted(newest)
    found = await connection.fetch(sql.METERS, *as_arrays(keys), [newest[key] for key in keys])
    return {
        (row["tenant"], row["site"], row["meter"]): _MeterBefore(
            row["fence"],
            Devices(
                row["device"] or "",
                row["device_since"],
                tuple(row["device_before"] or ()),
                row["device_mixed"],
            ),
        )
        for row in found
    }


async def _judged(
    connection: Any, arrivals: Sequence[Arrival], before: Mapping[MeterKey, _MeterBefore]
) -> tuple[list[tuple[Any, ...]], tuple[Mix, ...]]:
    """The rows of all readings with what is to be said of each, and the meters of which two devices tell."""
    rows: list[tuple[Any, ...]] = []
    mixes: dict[MeterKey, Mix] = {}
    now, soon = dict(before), datetime.now(UTC) + _MOST_AHEAD
    for each in arrivals:
        if not each.rows:
            continue
        last, fence = now[each.meter], each.origin.fence
        # A reading of tomorrow would hide all that comes until then.
        devices = last.devices.heard(each.device, each.time) if each.time < soon else last.devices
        if devices.mixed != last.devices.mixed:
            mixes[each.meter] = Mix(each.meter, devices.now, devices.before[-1])
        outdated = fence is not None and last.fence is not None and fence < last.fence
        highest = last.fence if fence is None or outdated else fence
        now[each.meter] = _MeterBefore(highest, devices)
        device = each.device if devices.is_mixed(each.time) else None
        rows += [
            (*each.meter, row.quantity, row.time, row.value, row.text, row.unit, fence, outdated, device)
            for row in each.rows
        ]
    await _write_fences(connection, before, now)
    return rows, tuple(mixes.values())


async def _write_fences(
    connection: Any, before: Mapping[MeterKey, _MeterBefore], now: Mapping[MeterKey, _MeterBefore]
) -> None:
    """Who reads each meter now, where that is another one than before."""
    higher = sorted(
        (*meter, known.fence) for meter, known in now.items() if known.fence != before[meter].fence
    )
    if higher:
        await connection.execute(sql.FENCES, *as_arrays(higher))
    others = sorted(
        (*meter, known.devices.now, known.devices.since, "/".join(known.devices.before), known.devices.mixed)
        for meter, known in now.items()
        if known.devices != before[meter].devices
    )
    if others:
        await connection.execute(sql.DEVICES, *as_arrays(others))


async def _write_events(connection: Any, arrivals: Sequence[Arrival]) -> None:
    bodies = sorted(
        (
            (*each.meter, each.subject.kind, each.time, each.body)
            for each in arrivals
            if each.body is not None
        ),
        key=lambda row: row[:5],
    )
    if not bodies:
        return
    await connection.execute(sql.EVENTS, *as_arrays(bodies))
    for kind, statement in (("status", sql.STATUSES), ("info", sql.INFOS)):
        newest = {row[:3]: (*row[:3], *row[4:]) for row in bodies if row[3] == kind}
        if newest:
            await connection.execute(statement, *as_arrays([newest[key] for key in sorted(newest)]))


async def write_edges(
    connection: Any, written: Mapping[Edge, Sequence[int]], refused: Mapping[Edge, Sequence[int]]
) -> None:
    edges = sorted({*written, *refused})
    if edges:
        ranges = [
            [multirange(ranges_of(found.get(edge, ()))) for edge in edges] for found in (written, refused)
        ]
        await connection.execute(sql.EDGES, *as_arrays(edges), *ranges)


def _sequences(arrivals: Iterable[Arrival]) -> dict[Edge, tuple[int, ...]]:
    found: dict[Edge, list[int]] = {}
    for each in arrivals:
        if each.origin.edge is not None and each.origin.sequence is not None:
            edge = each.subject.tenant, each.subject.site, each.origin.edge
            found.setdefault(edge, []).append(each.origin.sequence)
    return {edge: tuple(numbers) for edge, numbers in found.items()}


def as_arrays(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Rows as the arrays that a statement takes."""
    return [list(column) for column in zip(*rows, strict=True)]


def multirange(ranges: Iterable[SequenceRange]) -> str:
    """Ranges as PostgreSQL reads them."""
    return "{" + ",".join(f"[{first},{last}]" for first, last in ranges) + "}"
