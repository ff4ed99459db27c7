"""What the months of a MULTICAL 66-CDE told, kept, since days are checked by them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from smart_meter_reader.codecs.iec62056_21.log.counters import Mark
from smart_meter_reader.text import LONGEST_NAME, is_bounded

_MOST = 36
_MOST_METERS = 4  # as many as the plan remembers


@dataclass(frozen=True, slots=True)
class KnownMonths:
    """The energies at the ends of the months of one meter, in its unit with so many ``decimals``."""

    serial_number: str
    decimals: int
    marks: tuple[Mark, ...]

    def encode(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "serial_number": self.serial_number,
            "decimals": self.decimals,
            "marks": [[mark.at.isoformat(), str(mark.counter)] for mark in self.marks],
        }


class MonthsOfMeters:
    """Those of the meters that were read at one place; ``serial_number`` is that of the present one."""

    def __init__(self) -> None:
        self._known: dict[str, KnownMonths] = {}
        self.serial_number = ""

    @property
    def present(self) -> KnownMonths | None:
        """Those of the present meter."""
        return self._known.get(self.serial_number)

    def meet(self, serial_number: str, decimals: int) -> KnownMonths | None:
        """This meter answers; None where its months are not known in so many decimals."""
        self.serial_number = serial_number
        if self.present is not None and self.present.decimals != decimals:
            del self._known[serial_number]
        return self.present

    def keep(self, months: KnownMonths) -> None:
        """They were told."""
        self._known.pop(months.serial_number, None)
        self._known[months.serial_number] = months
        while len(self._known) > _MOST_METERS:
            del self._known[next(iter(self._known))]

    def encode(self) -> list[dict[str, Any]]:
        """As JSON has it."""
        return [each.encode() for each in self._known.values()]

    def recall(self, content: Any) -> None:
        """The reverse of ``encode``. Raises ValueError for anything that it does not give."""
        if not isinstance(content, list) or len(content) > _MOST_METERS:
            raise ValueError("months of too many meters")
        self._known = {each.serial_number: each for each in map(_months, content)}


def _months(content: Any) -> KnownMonths:
    if not isinstance(content, Mapping) or content.keys() != {"serial_number", "decimals", "marks"}:
        raise ValueError("months that are none")
    serial, decimals, marks = content["serial_number"], content["decimals"], content["marks"]
    if not isinstance(serial, str) or len(serial) > LONGEST_NAME or type(decimals) is not int:
        raise ValueError("months of no meter")
    if not isinstance(marks, list) or len(marks) > _MOST:
        raise ValueError("months that are no list")
    return KnownMonths(serial, decimals, tuple(map(_mark, marks)))


def _mark(content: Any) -> Mark:
    try:
        at, counter = content
        mark = Mark(datetime.fromisoformat(at), Decimal(counter))
    except (TypeError, ValueError, InvalidOperation):
        raise ValueError("a month that is none") from None
    if mark.at.tzinfo is not None or not isinstance(counter, str) or not is_bounded(mark.counter):
        raise ValueError("a month that cannot be")
    return mark
