"""Entries of a meter's logger as text: a table for a terminal, CSV, and a JSON object each. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal

from smart_meter_reader.meters.by_hand import HeldLogger, LogEntry
from smart_meter_reader.quantities.measurement import Measurement

WIDTH = 80
CSV_HEADS = ("time", "quantity", "value", "unit", "logger", "log_id", "meter_time")
_GAP = "  "
_LEAST_TEXT = 20
_NONE = "-"


def local_text(time: datetime | None, zone: tzinfo, *, seconds: bool = False) -> str:
    """2026-11-29 13:00+01:00, with seconds where they are wanted; "-" for none."""
    if time is None:
        return _NONE
    return time.astimezone(zone).isoformat(" ", "seconds" if seconds else "minutes")


def held_lines(held: Sequence[HeldLogger], zone: tzinfo) -> Iterator[str]:
    """Which loggers there are, in columns."""
    tells = any(each.entries for each in held)
    heads = ["logger", "entries"] + (["oldest", "newest"] if tells else [])
    rows = [heads]
    for each in held:
        if not tells:
            rows.append([each.name, f"{each.depth} at most"])
            continue
        deep = f" of {each.depth}" if each.depth else ""
        times = [local_text(time, zone) for time in (each.oldest, each.newest)]
        rows.append([each.name, f"{each.entries}{deep}", *times])
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    for row in rows:
        yield _GAP + _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def entry_lines(entries: Sequence[LogEntry], zone: tzinfo, width: int = WIDTH) -> Iterator[str]:
    """The entries in columns; those that do not fit beside each other come in a further table."""
    exact = any(entry.measured_at is not None and entry.measured_at.second for entry in entries)
    times = ["time", "", *(local_text(entry.measured_at, zone, seconds=exact) for entry in entries)]
    first = [time.ljust(max(map(len, times))) for time in times]
    numbers, texts = _columns(entries)
    tables = _side_by_side([_right(column) for column in numbers], width - len(first[0]))
    for text in texts:
        if width - _wide([first, *tables[-1]]) < _LEAST_TEXT:
            tables.append([])
        tables[-1].append(text)
    for number, columns in enumerate(tables):
        if number:
            yield ""
        yield from _lines([first, *columns], width)


def _side_by_side(columns: Sequence[list[str]], room: int) -> list[list[list[str]]]:
    """The columns in groups that fit into the room; one that never fits is alone."""
    groups: list[list[list[str]]] = [[]]
    for column in columns:
        if groups[-1] and _wide([*groups[-1], column]) > room:
            groups.append([])
        groups[-1].append(column)
    return groups


def _wide(columns: Sequence[Sequence[str]]) -> int:
    return sum(len(_GAP) + len(column[0]) for column in columns)


def _lines(columns: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Rows of cells, of which the last can be a text that takes several lines."""
    begins = _wide(columns[:-1])
    for cells in zip(*columns, strict=True):
        whole = _GAP.join(cells).rstrip()
        if len(whole) <= width:
            if whole:
                yield whole
            continue
        last = textwrap.wrap(cells[-1], max(width - begins, _LEAST_TEXT), break_long_words=False)
        yield _GAP.join((*cells[:-1], last[0]))
        yield from (" " * begins + part for part in last[1:])


def _columns(entries: Sequence[LogEntry]) -> tuple[list[list[str]], list[list[str]]]:
    """Those of numbers and those of text, each with its two heads: the quantity, and its unit."""
    numbers: list[list[str]] = []
    texts: list[list[str]] = []
    for key in dict.fromkeys(key for entry in entries for key in entry.measurements):
        told = [entry.measurements.get(key) for entry in entries]
        units = {each["unit"] for each in told if each is not None}
        unit = units.pop() if len(units) == 1 else None
        cells = [key, unit or "", *(_cell(each, with_unit=unit is None) for each in told)]
        is_text = any(each is not None and isinstance(each["value"], str) for each in told)
        (texts if is_text else numbers).append(cells)
    return numbers, texts


def _cell(measurement: Measurement | None, *, with_unit: bool) -> str:
    if measurement is None:
        return _NONE
    value = measurement["value"]
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return f"{text} {measurement['unit']}" if with_unit else text


def _right(column: Sequence[str]) -> list[str]:
    width = max(map(len, column))
    return [cell.rjust(width) for cell in column]


def csv_rows(logger: str, entries: Iterable[LogEntry], zone: tzinfo) -> Iterator[tuple[str, ...]]:
    """A row for each value, as ``history import`` takes them."""
    for entry in entries:
        time = entry.measured_at.astimezone(zone).isoformat() if entry.measured_at is not None else ""
        raw = entry.meter_time.isoformat() if entry.meter_time is not None else ""
        number = str(entry.log_id) if entry.log_id is not None else ""
        for key, each in entry.measurements.items():
            yield time, key, _cell(each, with_unit=False), each["unit"], logger, number, raw


def entry_object(logger: str, entry: LogEntry) -> dict[str, object]:
    """One entry as JSON has it; a time or id that it does not tell is absent."""
    return {
        "logger": logger,
        **({"log_id": entry.log_id} if entry.log_id is not None else {}),
        **({"measured_at": entry.measured_at} if entry.measured_at is not None else {}),
        **({"meter_time": entry.meter_time.isoformat()} if entry.meter_time is not None else {}),
        "measurements": dict(entry.measurements),
    }
