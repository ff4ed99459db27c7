"""Prices by the quarter or the hour from a CSV file: a time with its offset, and a price, in each line."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path

from smart_meter_reader.exceptions import WordedError
from smart_meter_reader.files import read_small_text
from smart_meter_reader.history.costs.contracts import MomentPrices, decimals_of

# Ten years by the quarter of an hour.
_LARGEST = 16 * 1024 * 1024
_MOST_LINES = 400_000
_MOST_DIGITS = 18
_LONGEST = 3600


class PriceFileError(WordedError):
    """The prices cannot be used as they are; the detail names file and line, and says what to do."""

    def __init__(self, kind: str, sentence: str, /, **facts: str | int) -> None:
        super().__init__("price_file", kind, sentence, **facts)


class PriceFiles:
    """The prices of files, read again when a file changes."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, Decimal], tuple[tuple[int, int], MomentPrices]] = {}

    def prices(self, path: Path, factor: Decimal) -> MomentPrices:
        """The prices of a file. Raises PriceFileError."""
        path = path.expanduser()
        try:
            found = path.stat()
        except OSError as error:
            raise _unreadable(path, error) from error
        state = (found.st_mtime_ns, found.st_size)
        known = self._read.get((path, factor))
        if known is None or known[0] != state:
            known = self._read[path, factor] = state, read_prices(path, factor)
        return known[1]


def read_prices(path: Path, factor: Decimal = Decimal(1)) -> MomentPrices:
    """The prices of a file, each multiplied by ``factor``; one holds until the next, for an hour at most.

    Separators are commas or semicolons; with semicolons a price may have a decimal comma. A first line of
    words is passed over. Raises PriceFileError.
    """
    try:
        text = read_small_text(path, _LARGEST)
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError:
        raise PriceFileError(
            "price_file_no_text", "{path} is no text in UTF-8; save it as that", path=str(path)
        ) from None
    found = sorted(_lines(path, text.removeprefix("\ufeff")))
    for (one, _), (other, _) in pairwise(found):
        if one == other:
            when = datetime.fromtimestamp(one).astimezone().isoformat()
            raise PriceFileError(
                "price_file_twice", "{path} has two prices for {when}; leave one", path=str(path), when=when
            )
    prices = [price * factor for _, price in found]
    decimals = max(map(decimals_of, prices), default=0)
    return MomentPrices(
        array("q", (moment for moment, _ in found)),
        [int(price.scaleb(decimals)) for price in prices],
        decimals,
        _LONGEST,
    )


def _unreadable(path: Path, error: OSError) -> PriceFileError:
    where, why = str(path), error.strerror or str(error)
    match error:
        case FileNotFoundError():
            return PriceFileError("price_file_missing", "{path} cannot be read: {why}", path=where, why=why)
        case PermissionError():
            return PriceFileError("price_file_forbidden", "{path} cannot be read: {why}", path=where, why=why)
    return PriceFileError("price_file_unreadable", "{path} cannot be read: {why}", path=where, why=why)


def _lines(path: Path, text: str) -> Iterator[tuple[int, Decimal]]:
    delimiter = ";" if ";" in text[:1000] else ","
    for number, cells in enumerate(csv.reader(text.splitlines(), delimiter=delimiter), start=1):
        if number > _MOST_LINES:
            raise PriceFileError(
                "price_file_long",
                "{path} has more than {most} lines; leave out old years",
                path=str(path),
                most=_MOST_LINES,
            )
        if not any(cells) or (number == 1 and not cells[0][:1].isdigit()):
            continue
        if len(cells) < 2:
            raise PriceFileError(
                "price_line",
                "{path}, line {number}: a line is a time and a price, such as {example}",
                path=str(path),
                number=number,
                example=_EXAMPLE,
            )
        yield _moment(path, number, cells[0]), _price(path, number, cells[1], delimiter)


_EXAMPLE = "2026-11-29T18:00:00+01:00,0.2317"


def _moment(path: Path, number: int, cell: str) -> int:
    try:
        moment = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise PriceFileError(
            "price_line_no_time",
            "{path}, line {number}: {cell!r} is no time; a line is such as {example}",
            path=str(path),
            number=number,
            cell=cell[:40],
            example=_EXAMPLE,
        ) from None
    if moment.tzinfo is None:
        raise PriceFileError(
            "price_line_no_offset",
            "{path}, line {number}: {cell!r} has no offset, so an hour in autumn would come twice; "
            "a line is such as {example}",
            path=str(path),
            number=number,
            cell=cell[:40],
            example=_EXAMPLE,
        )
    return int(moment.timestamp())


def _price(path: Path, number: int, cell: str, delimiter: str) -> Decimal:
    text = cell.strip()
    if delimiter == ";":
        text = text.replace(",", ".")
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite() or abs(price.adjusted()) > _MOST_DIGITS or decimals_of(price) > _MOST_DIGITS:
        raise PriceFileError(
            "price_line_no_price",
            "{path}, line {number}: {cell!r} is no price; write one as 0.2317",
            path=str(path),
            number=number,
            cell=cell[:40],
        )
    return price
