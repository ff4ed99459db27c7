"""Raw readings of a quarter of an hour as one block of bytes, coded while they come.

A block is zlib over: the length of a JSON head (4 bytes, big-endian), the head, and columns of 64-bit
little-endian integers: first the times in milliseconds, then the numbers of each column of the head in its
last decimal, each as the difference to the one before, with ``ABSENT`` where a reading had none. Texts
stand in the head, each where it changes. Coded so, a meter that tells 25 values a second takes some 200 kB
of memory and a few kB on the disk.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from smart_meter_reader.quantities.measurement import Measurement

ABSENT = -(2**63)
# What a block of ours can be at most when unpacked: an hour at ten readings a second, of 50 values.
_LARGEST = 64 * 1024 * 1024
# A meter that tells ever new quantities must not fill the memory.
_MOST_COLUMNS = 300
_MOST_DIGITS = 18
_LARGEST_NUMBER = 10**_MOST_DIGITS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class DamagedBlockError(ValueError):
    """The bytes are no block of raw readings."""


@dataclass(frozen=True, slots=True)
class Block:
    """Readings of one meter from ``since`` to ``until``, seconds since 1970 UTC, both included."""

    meter: str
    since: int
    until: int
    coded: bytes


@dataclass(slots=True)
class _Steps:
    """The numbers of one quantity in one unit with so many decimals, each as the step from the one before."""

    power: Decimal  # what makes whole numbers of its values
    value: Decimal
    newest: Measurement
    number: int = 0
    steps: array[int] = field(default_factory=lambda: array("q"))

    def takes(self, measurement: Measurement) -> bool:
        """Add the next number where that is plain: the unit and the decimals are those of the one before."""
        value = measurement["value"]
        if (
            not isinstance(value, Decimal)
            or not value.same_quantum(self.value)
            or measurement["unit"] != self.newest["unit"]
        ):
            return False
        if value == self.value:
            self.newest = measurement
            self.steps.append(0)
            return True
        step = int((value - self.value) * self.power)
        if not -_LARGEST_NUMBER < self.number + step < _LARGEST_NUMBER:
            return False
        self.steps.append(step)
        self.number += step
        self.value, self.newest = value, measurement
        return True


class BlockWriter:
    """Takes the readings of one meter, and gives them as a block when asked."""

    def __init__(self) -> None:
        self._times = array("q")
        self._columns: dict[tuple[str, str, int], _Steps] = {}
        self._newest: dict[str, _Steps] = {}  # by quantity the column of its newest value
        self._texts: dict[str, list[tuple[int, str]]] = {}
        self._last = 0
        self.since = 0
        self.until = 0
        self.left_out = 0  # values that no column takes

    def __len__(self) -> int:
        return len(self._times)

    def add(self, time: datetime, measurements: Mapping[str, Measurement]) -> None:
        """Take one reading. Values of more than 18 digits are left out and counted."""
        row = len(self._times)
        milliseconds = (time - _EPOCH) // _MILLISECOND
        if not row:
            self.since = milliseconds // 1000
            self._last = 0
        self.until = milliseconds // 1000
        self._times.append(milliseconds - self._last)
        self._last = milliseconds
        newest = self._newest
        for key, measurement in measurements.items():
            column = newest.get(key)
            # Of a telegram a second nearly every value passes here.
            if column is not None and len(column.steps) == row:
                # Most lines of a telegram are those of the one before, and so are then the measurements.
                if column.newest is measurement:
                    column.steps.append(0)
                    continue
                if column.takes(measurement):
                    continue
            value = measurement["value"]
            if isinstance(value, str):
                self._add_text(row, key, value)
            else:
                self._add_number(row, key, measurement, Decimal(value))

    def finish(self, meter: str) -> Block:
        """The block of what has come since the last time; there is at least one reading."""
        columns = list(self._columns.items())
        head = {
            "columns": [list(key) for key, _ in columns],
            "lengths": [len(self._times), *(len(column.steps) for _, column in columns)],
            "texts": self._texts,
        }
        text = msgspec.json.encode(head)
        # Column by column: all of them in one piece would be in memory three times.
        compressor = zlib.compressobj(6)
        coded = [compressor.compress(len(text).to_bytes(4, "big") + text)]
        coded.append(compressor.compress(_bytes(self._times)))
        coded.extend(compressor.compress(_bytes(column.steps)) for _, column in columns)
        block = Block(meter, self.since, self.until, b"".join([*coded, compressor.flush()]))
        self._times = array("q")
        self._columns, self._newest, self._texts = {}, {}, {}
        return block

    def taken(self) -> tuple[array[int], list[tuple[tuple[str, str, int], array[int]]]]:
        """A copy of what was taken so far, as a block has it: steps of the times, and of each column.

        Another thread may ask: the copies are taken at once, and of what is added meanwhile some is told.
        """
        columns = list(self._columns.items())
        return self._times[:], [(key, column.steps[:]) for key, column in columns]

    def _add_text(self, row: int, key: str, value: str) -> None:
        told = self._texts.get(key)
        if told is None:
            if len(self._texts) >= _MOST_COLUMNS:
                self.left_out += 1
                return
            told = self._texts[key] = []
        if not told or told[-1][1] != value:
            told.append((row, value))

    def _add_number(self, row: int, key: str, measurement: Measurement, value: Decimal) -> None:
        _, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int) or exponent < -_MOST_DIGITS or len(digits) + exponent > _MOST_DIGITS:
            self.left_out += 1
            return
        name = (key, measurement["unit"], decimals := max(0, -exponent))
        column = self._columns.get(name)
        if column is None:
            if len(self._columns) >= _MOST_COLUMNS or len(digits) > _MOST_DIGITS:
                self.left_out += 1
                return
            column = self._columns[name] = _Steps(Decimal(10**decimals), value, measurement)
        number = int(value.scaleb(decimals))
        column.steps.extend([ABSENT] * (row - len(column.steps)))
        column.steps.append(number - column.number)
        column.number, column.newest, column.value = number, measurement, value
        self._newest[key] = column


def readings_in(coded: bytes) -> Iterator[tuple[datetime, dict[str, Measurement]]]:
    """The readings of a block in the order of time. Raises DamagedBlockError."""
    head, times, columns = unpacked(coded)
    numbers = [0] * len(columns)
    texts: dict[str, list[list[Any]]] = {key: list(told)[::-1] for key, told in head["texts"].items()}
    newest: dict[str, str] = {}
    time = 0
    for row, step in enumerate(times):
        time += step
        measurements: dict[str, Measurement] = {}
        for index, ((key, unit, decimals), deltas) in enumerate(columns):
            if row < len(deltas) and deltas[row] != ABSENT:
                numbers[index] += deltas[row]
                measurements[key] = {"value": Decimal(numbers[index]).scaleb(-decimals), "unit": unit}
        for key, told in texts.items():
            while told and told[-1][0] == row:
                newest[key] = told.pop()[1]
            if key in newest:
                measurements[key] = {"value": newest[key], "unit": ""}
        yield _EPOCH + time * _MILLISECOND, measurements


def unpacked(coded: bytes) -> tuple[Any, array[int], list[tuple[tuple[str, str, int], array[int]]]]:
    """Head, steps of the times, and the steps of each column. Raises DamagedBlockError."""
    try:
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(coded, _LARGEST)
        if not unpacker.eof:  # and with it the checksum is right
            raise DamagedBlockError("it is cut, or too large")
        end = 4 + int.from_bytes(raw[:4], "big")
        head = msgspec.json.decode(raw[4:end])
        arrays: list[array[int]] = []
        for length in head["lengths"]:
            numbers = array("q")
            numbers.frombytes(raw[end : end + 8 * length])
            if len(numbers) != length:
                raise DamagedBlockError("it is cut")
            arrays.append(_native(numbers))
            end += 8 * length
        keys = [(str(key), str(unit), int(decimals)) for key, unit, decimals in head["columns"]]
        return head, arrays[0], list(zip(keys, arrays[1:], strict=True))
    except (zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise DamagedBlockError("a block of raw readings is damaged") from error


def _bytes(numbers: array[int]) -> bytes:
    return _native(numbers).tobytes()


def _native(numbers: array[int]) -> array[int]:
    """To little-endian or from it; on nearly every computer that is what there is."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
