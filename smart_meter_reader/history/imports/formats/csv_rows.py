"""Readings from a CSV file of any origin: time, meter, quantity, value and unit in columns with heads.

The delimiter is what the head has most of: comma, semicolon or tabulator. The heads may be those of our own
export for machines (``end``, ``counter_end``). RFC 4180 for quotation marks.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import BinaryIO

from smart_meter_reader.history.imports.formats.numbers import Numbers
from smart_meter_reader.history.imports.formats.texts import text_lines
from smart_meter_reader.history.imports.formats.times import RepeatedHourSkippedError, read_time
from smart_meter_reader.history.imports.found import (
    Findings,
    FoundRow,
    ImportOptions,
    UnfitRowError,
)
from smart_meter_reader.history.imports.quantities import checked_unit

_DELIMITERS = ",;\t"
_HEADS: Mapping[str, frozenset[str]] = {
    "time": frozenset({"time", "timestamp", "datetime", "date", "end"}),
    "meter": frozenset({"meter"}),
    "quantity": frozenset({"quantity"}),
    "value": frozenset({"value", "counter", "reading", "counter_end"}),
    "unit": frozenset({"unit"}),
}
ROLES = tuple(_HEADS)
_LONGEST_METER = 64


def read_csv(file: BinaryIO, options: ImportOptions, findings: Findings) -> Iterator[FoundRow]:
    """The readings in the order of the file; problems go to ``findings``. Raises RefusedFileError."""
    lines = text_lines(file, findings)
    head = next(lines)
    delimiter = delimiter_of(head)
    table = csv.reader(chain([head], lines), delimiter=delimiter, strict=True)
    try:
        row_reader = _RowReader(next(table), options, findings)
        for cells in table:
            if any(cells):
                yield from row_reader.rows(cells, table.line_num)
    except csv.Error as error:
        raise findings.give_up(
            f"it is no CSV ({error}): see to the quotation marks", table.line_num
        ) from None


def delimiter_of(head: str) -> str:
    """What stands between the cells."""
    return max(_DELIMITERS, key=head.count)


class _RowReader:
    """Knows in which column what is."""

    def __init__(self, head: Sequence[str], options: ImportOptions, findings: Findings) -> None:
        self._options, self._findings = options, findings
        self._numbers = Numbers(findings)
        self._width = len(head)
        self._columns = {role: _column(role, head, options.columns, findings) for role in ROLES}
        # A column for each quantity, where the heads say so.
        self._values = [
            (key, _named(key, name, head, findings))
            for key, name in options.columns.items()
            if key not in ROLES
        ]
        if not self._values and self._columns["value"] is not None:
            self._values = [("", self._columns["value"])]
        self._require(head)

    def rows(self, cells: Sequence[str], line: int) -> Iterator[FoundRow]:
        """One line's readings; what is wrong with it goes to the findings."""
        try:
            if len(cells) < self._width:
                raise UnfitRowError(f"it has {len(cells)} cells, and the head {self._width}")
            time = read_time(self._cell("time", cells, ""), self._options, self._findings)
            meter = self._cell("meter", cells, self._options.meter)
            if not meter or len(meter) > _LONGEST_METER:
                raise UnfitRowError("the name of the meter is missing, or too long")
            for key, column in self._values:
                text = cells[column].strip()
                if not text:
                    self._findings.remark("a line without a value is left out")
                    continue
                quantity = key or self._cell("quantity", cells, self._options.quantity)
                unit = checked_unit(quantity, self._cell("unit", cells, self._options.unit))
                yield FoundRow(meter, quantity, unit, time, self._numbers.read(text, line), line)
        except RepeatedHourSkippedError:
            self._findings.remark("a line of the hour that comes twice is left out")
        except UnfitRowError as error:
            self._findings.refuse(str(error), line)

    def _cell(self, role: str, cells: Sequence[str], otherwise: str) -> str:
        column = self._columns[role]
        return (cells[column].strip() if column is not None else "") or otherwise

    def _require(self, head: Sequence[str]) -> None:
        needed = {
            "time": self._columns["time"] is not None,
            "value": bool(self._values),
            "meter": self._columns["meter"] is not None or bool(self._options.meter),
            "quantity": self._columns["quantity"] is not None
            or bool(self._options.quantity)
            or all(key for key, _ in self._values),
        }
        missing = [role for role, there in needed.items() if not there]
        if missing:
            otherwise = [f" or --{role}" for role in ("meter", "quantity") if role == missing[0]]
            raise self._findings.give_up(
                f"no column is known as {', '.join(missing)}; the heads are {', '.join(head)[:200]}: "
                f"say which by --map {missing[0]}=HEAD{''.join(otherwise)}",
                1,
            )


def _column(role: str, head: Sequence[str], columns: Mapping[str, str], findings: Findings) -> int | None:
    if role in columns:
        return _named(role, columns[role], head, findings)
    found = [index for index, name in enumerate(head) if name.strip().lower() in _HEADS[role]]
    if len(found) > 1:
        names = ", ".join(head[index] for index in found)
        raise findings.give_up(
            f"several columns may be the {role}: {names}; say which by --map {role}=HEAD", 1
        )
    return found[0] if found else None


def _named(role: str, name: str, head: Sequence[str], findings: Findings) -> int:
    names = [each.strip().lower() for each in head]
    if name.strip().lower() not in names:
        raise findings.give_up(
            f"there is no column {name[:40]!r} for {role}; the heads are {', '.join(head)[:200]}", 1
        )
    return names.index(name.strip().lower())
