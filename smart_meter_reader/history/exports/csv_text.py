"""CSV in two dialects: one for machines, and one that a spreadsheet opens as its language has it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from io import TextIOWrapper
from typing import BinaryIO

from smart_meter_reader.history.exports.lines import ExportLine
from smart_meter_reader.history.exports.words import HEADS, Language
from smart_meter_reader.history.periods import LocalCalendar


def write_for_machines(out: BinaryIO, lines: Iterable[ExportLine], house: LocalCalendar) -> None:
    """RFC 4180 in UTF-8: comma, point, and ISO 8601 times of the house with their offset. Raises OSError."""

    def cells(line: ExportLine) -> list[str]:
        return [
            house.local(line.begin).isoformat(),
            house.local(line.end).isoformat(),
            line.meter,
            line.quantity,
            digits(line.counter_begin),
            digits(line.counter_end),
            digits(line.difference),
            line.unit,
            "1" if line.estimated else "0",
            "" if line.origin is None else line.origin.word,
        ]

    _write(out, HEADS, lines, cells, ",", "utf-8")


def write_for_people(
    out: BinaryIO, lines: Iterable[ExportLine], house: LocalCalendar, language: Language
) -> None:
    """Decimal mark, delimiter, local date and time as the language has them, and a byte order mark.

    Without the mark a spreadsheet takes UTF-8 for the character set of its country. Raises OSError.
    """

    def number(value: Decimal | None) -> str:
        return digits(value).replace(".", language.decimal_mark)

    def cells(line: ExportLine) -> list[str]:
        return [
            local_time(house.local(line.begin), language),
            local_time(house.local(line.end), language),
            line.meter,
            line.quantity,
            number(line.counter_begin),
            number(line.counter_end),
            number(line.difference),
            line.unit,
            language.yes if line.estimated else language.no,
            "" if line.origin is None else language.origins[line.origin],
        ]

    _write(out, language.heads, lines, cells, language.delimiter, "utf-8-sig")


def digits(value: Decimal | None) -> str:
    """All digits of a number as the meter has them, never with an exponent; "" for none."""
    return "" if value is None else f"{value:f}"


def local_time(time: datetime, language: Language) -> str:
    """Date and time as the language writes them; where the clock shows it twice, with the zone's name."""
    twice = time.replace(fold=0).utcoffset() != time.replace(fold=1).utcoffset()
    return f"{time:{language.time}}{f' {time:%Z}' if twice else ''}"


def _write(
    out: BinaryIO,
    heads: Iterable[str],
    lines: Iterable[ExportLine],
    cells: Callable[[ExportLine], list[str]],
    delimiter: str,
    encoding: str,
) -> None:
    text = TextIOWrapper(out, encoding=encoding, newline="")
    try:
        writer = csv.writer(text, delimiter=delimiter)
        writer.writerow(heads)
        writer.writerows(map(cells, lines))
    finally:
        text.detach()  # flushes; the file is somebody else's to close
