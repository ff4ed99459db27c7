"""Values of counters as files write them, with one decimal mark in all of a file."""

from __future__ import annotations

import re
from decimal import Decimal

from smart_meter_reader.history.imports.found import Findings, UnfitRowError

_NUMBER = re.compile(r"\d{1,15}(?:([.,])\d{1,9})?")


class Numbers:
    """Reads the numbers of one file: of 15 digits at most, and 9 behind the decimal mark, none below zero."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._mark = ""
        self._line = 0

    def read(self, text: str, line: int) -> Decimal:
        """The number with the digits that it is written with. Raises UnfitRowError."""
        found = _NUMBER.fullmatch(text)
        if found is None:
            raise UnfitRowError(_what_is_wrong(text))
        mark = found[1]
        if mark is None:
            return Decimal(text)
        if not self._mark:
            self._mark, self._line = mark, line
            if mark == ",":
                self._findings.remark("commas are taken as decimal marks: 1,234 is a little more than one")
        elif mark != self._mark:
            raise UnfitRowError(
                f"{text!r} has another decimal mark than line {self._line}: a file needs one for all"
            )
        return Decimal(text.replace(",", "."))


def _what_is_wrong(text: str) -> str:
    shown = repr(text[:40])
    if "," in text and "." in text:
        return f"{shown} has a comma and a point: write numbers without marks between thousands"
    if text.startswith("-"):
        return f"{shown} is below zero, and no counter is"
    return f"{shown} is no number of a counter: digits, and one decimal mark at most"
