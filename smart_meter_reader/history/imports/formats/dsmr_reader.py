"""What DSMR-reader exports as CSV: days, with what the counters showed since 4.17, and hours, without.

Source: dsmrreader/dsmr-reader, ``dsmr_frontend/views/export.py`` and ``dsmr_stats/models/statistics.py``
(read for the format, versions 1.0 to 5). A comma and a point; the heads are the names of the fields in the
language of whoever exported them, in an order of their own:

* days: date, electricity 1, 2, returned 1, 2, gas, their costs, and from 4.17 on at the end the counters of
  electricity 1, 2, returned 1, 2 and gas, which are those of the first reading of that day;
* hours: their start, electricity 1, 2, returned 1, 2, gas. Up to 4.17 in UTC and without saying so
  (dsmrreader/dsmr-reader#1440), later by the local clock.

Its hours and days were counted from the first to the last reading inside of each, so that sums of them fall
short of the counter (dsmrreader/dsmr-reader#1828, #2099): where both are there, the counters are taken.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import BinaryIO

from smart_meter_reader.history.imports.formats.numbers import Numbers
from smart_meter_reader.history.imports.formats.texts import text_lines
from smart_meter_reader.history.imports.formats.times import RepeatedHourSkippedError, read_time
from smart_meter_reader.history.imports.found import (
    Findings,
    FoundEntry,
    FoundRow,
    FoundSum,
    ImportOptions,
    UnfitRowError,
)

_QUANTITIES = (
    ("active_energy_import_tariff_1", "kWh"),
    ("active_energy_import_tariff_2", "kWh"),
    ("active_energy_export_tariff_1", "kWh"),
    ("active_energy_export_tariff_2", "kWh"),
    ("gas_volume", "m³"),
)
MAPPED = ("electricity", "gas")
"""What a person can say the meter of, by ``columns``."""
_HOURS, _DAYS_WITH_COUNTERS = 6, 16
# With the costs: 1.0, with the fixed costs, and with the counters.
_DAYS = (10, 11, _DAYS_WITH_COUNTERS)
_HOUR = 3600


def is_dsmr_reader(cells: Sequence[str]) -> bool:
    """Whether a head is one of these, in whichever language."""
    electricity = [cell for cell in cells[1:5] if "ele" in cell.lower()]
    return len(cells) in (_HOURS, *_DAYS) and len(electricity) == 4 and "gas" in cells[5].lower()


def meters_of(options: ImportOptions) -> Mapping[str, str]:
    """The meter of each quantity: gas is behind the P1 meter, and called as this program calls it."""
    power = options.columns.get("electricity", options.meter)
    gas = options.columns.get("gas", f"{power}-gas")
    return {quantity: gas if quantity == "gas_volume" else power for quantity, _ in _QUANTITIES}


def read_dsmr_reader(file: BinaryIO, options: ImportOptions, findings: Findings) -> Iterator[FoundEntry]:
    """Readings where the file has them, else sums. Raises RefusedFileError."""
    lines = text_lines(file, findings)
    table = csv.reader(chain([next(lines)], lines), strict=True)
    try:
        head = next(table)
        if not is_dsmr_reader(head):
            raise findings.give_up("its head is not that of an export of DSMR-reader", 1)
        reader = _Reader(len(head), options, findings)
        for cells in table:
            if any(cells):
                yield from reader.rows(cells, table.line_num)
    except csv.Error as error:
        raise findings.give_up(f"it is no CSV ({error})", table.line_num) from None


class _Reader:
    def __init__(self, width: int, options: ImportOptions, findings: Findings) -> None:
        self._width, self._options, self._findings = width, options, findings
        self._numbers = Numbers(findings)
        self._meters = meters_of(options)
        if width != _DAYS_WITH_COUNTERS:
            findings.remark(
                "it tells what was used, not what the counter showed: the counters are worked out from what "
                "is stored, or from --known"
            )

    def rows(self, cells: Sequence[str], line: int) -> Iterator[FoundEntry]:
        try:
            if len(cells) != self._width:
                raise UnfitRowError(f"it has {len(cells)} cells, and the head {self._width}")
            begin = read_time(cells[0].strip(), self._options, self._findings)
            if self._width == _DAYS_WITH_COUNTERS:
                yield from self._readings(cells[11:], begin, line)
            else:
                end = begin + _HOUR if self._width == _HOURS else self._next_midnight(begin)
                yield from self._sums(cells[1:6], begin, end, line)
        except RepeatedHourSkippedError:
            self._findings.remark("a line of the hour that comes twice is left out")
        except UnfitRowError as error:
            self._findings.refuse(str(error), line)

    def _readings(self, cells: Sequence[str], time: int, line: int) -> Iterator[FoundRow]:
        for (quantity, unit), text in zip(_QUANTITIES, cells, strict=True):
            # Days before 4.17 have none, and a house without gas has none at all.
            if text.strip() not in ("", "None"):
                value = self._numbers.read(text.strip(), line)
                yield FoundRow(self._meters[quantity], quantity, unit, time, value, line)

    def _sums(self, cells: Sequence[str], begin: int, end: int, line: int) -> Iterator[FoundSum]:
        for (quantity, unit), text in zip(_QUANTITIES, cells, strict=True):
            if text.strip() not in ("", "None"):
                amount = self._numbers.read(text.strip(), line)
                yield FoundSum(self._meters[quantity], quantity, unit, begin, end, amount, line)

    def _next_midnight(self, begin: int) -> int:
        day = datetime.fromtimestamp(begin, UTC).astimezone(self._options.zone).date() + timedelta(days=1)
        return int(datetime(day.year, day.month, day.day, tzinfo=self._options.zone).timestamp())
