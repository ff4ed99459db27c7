"""A spreadsheet for Excel and LibreOffice: numbers as numbers, times as times, row by row to the disk."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import BinaryIO

from xlsxwriter.format import Format as CellFormat
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from smart_meter_reader.history.exports.csv_text import local_time
from smart_meter_reader.history.exports.lines import ExportLine
from smart_meter_reader.history.exports.words import Language
from smart_meter_reader.history.periods import LocalCalendar

# Of ECMA-376 a sheet has as many rows as Excel: what is more goes into a further one.
MOST_ROWS = 1_048_576
_WIDTHS = (19, 19, 16, 24, 16, 16, 14, 8, 11, 14)


def write_xlsx(out: BinaryIO, lines: Iterable[ExportLine], house: LocalCalendar, language: Language) -> None:
    """ISO/IEC 29500. A number shows all digits of the meter; Excel counts with fifteen. Raises OSError."""
    workbook = Workbook(
        out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    try:
        _Sheets(workbook, house, language).write(lines)
    finally:
        workbook.close()


class _Sheets:
    def __init__(self, workbook: Workbook, house: LocalCalendar, language: Language) -> None:
        self._workbook = workbook
        self._house = house
        self._language = language
        self._head = workbook.add_format({"bold": True})
        self._time = workbook.add_format({"num_format": language.sheet_time})
        self._numbers: dict[int, CellFormat] = {}  # by how many decimals they show
        self._row = 0

    def write(self, lines: Iterable[ExportLine]) -> None:
        sheet = self._begun()
        for line in lines:
            if self._row == MOST_ROWS:
                sheet = self._begun()
            self._line(sheet, line)
            self._row += 1

    def _begun(self) -> Worksheet:
        sheet: Worksheet = self._workbook.add_worksheet()
        for column, (head, width) in enumerate(zip(self._language.heads, _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, head, self._head)
        sheet.freeze_panes(1, 0)
        self._row = 1
        return sheet

    def _line(self, sheet: Worksheet, line: ExportLine) -> None:
        row, language = self._row, self._language
        self._instant(sheet, 0, self._house.local(line.begin))
        self._instant(sheet, 1, self._house.local(line.end))
        sheet.write_string(row, 2, line.meter)
        sheet.write_string(row, 3, line.quantity)
        for column, value in ((4, line.counter_begin), (5, line.counter_end), (6, line.difference)):
            if value is not None:
                sheet.write_number(row, column, float(value), self._number(value))
        sheet.write_string(row, 7, line.unit)
        sheet.write_string(row, 8, language.yes if line.estimated else language.no)
        if line.origin is not None:
            sheet.write_string(row, 9, language.origins[line.origin])

    def _instant(self, sheet: Worksheet, column: int, time: datetime) -> None:
        text = local_time(time, self._language)
        if text == f"{time:{self._language.time}}":
            sheet.write_datetime(self._row, column, time.replace(tzinfo=None), self._time)
        else:  # a sheet's times have no zone, and this one comes twice
            sheet.write_string(self._row, column, text)

    def _number(self, value: Decimal) -> CellFormat:
        exponent = value.as_tuple().exponent
        decimals = max(0, -exponent) if isinstance(exponent, int) else 0
        if decimals not in self._numbers:
            shown = f"0.{'0' * decimals}" if decimals else "0"
            self._numbers[decimals] = self._workbook.add_format({"num_format": shown})
        return self._numbers[decimals]
