"""What people publish as prices: a number, or a list of prices with their times. Pure.

A list is what evcc, Home Assistant's integrations of exchanges and Node-RED have at hand: JSON objects with
``start`` and ``value``, and ``end`` if it is known; as it is, or as ``rates`` of an object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from smart_meter_reader.exceptions import WordedError
from smart_meter_reader.history.costs.contracts import decimals_of
from smart_meter_reader.history.costs.told_prices import ToldPrice
from smart_meter_reader.text import bounded_number, printable

LARGEST = 256 * 1024
MOST_PRICES = 4000
# A price in a list without an end holds until the next, for an hour at most; a number alone for a week.
LIST_SECONDS, NUMBER_SECONDS = 3600, 7 * 86400
# Prices of other years are mistaken: seconds for milliseconds, say.
_DAYS = 400
_EXAMPLE = '0.2317 or [{"start": "2026-11-29T18:00:00+01:00", "value": 0.2317}]'


class PriceMessageError(WordedError):
    """A message is no price; the detail says what is wrong in it, and what is one."""

    def __init__(self, kind: str, sentence: str, /, **facts: str | int) -> None:
        whole = f"{sentence}; a message is such as {{example}}"
        super().__init__("price_message", kind, whole, example=_EXAMPLE, **facts)


def prices_in(payload: bytes, now: int) -> list[ToldPrice]:
    """The prices of a message that came at ``now``, in the order of time. Raises PriceMessageError."""
    if len(payload) > LARGEST:
        raise PriceMessageError(
            "message_too_large",
            "it has {size} KiB, and {most} are the most",
            size=len(payload) >> 10,
            most=LARGEST >> 10,
        )
    try:
        found: Any = json.loads(payload, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise PriceMessageError("message_no_json", "{shown} is no JSON", shown=_shown(payload)) from None
    if isinstance(found, Mapping):
        found = found.get("rates", found)
    if isinstance(found, list):
        return _list(found, now)
    return [ToldPrice(now, NUMBER_SECONDS, _price(found))]


def _list(entries: list[Any], now: int) -> list[ToldPrice]:
    if not 0 < len(entries) <= MOST_PRICES:
        raise PriceMessageError(
            "message_list",
            "its list has {size} prices, and 1 to {most} are allowed",
            size=len(entries),
            most=MOST_PRICES,
        )
    told: dict[int, ToldPrice] = {}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping) or "start" not in entry or "value" not in entry:
            raise PriceMessageError(
                "entry_incomplete", "number {number} of its list has no `start` and `value`", number=number
            )
        since = _moment("start", number, entry["start"], now)
        longest = LIST_SECONDS
        if entry.get("end") is not None:
            longest = _moment("end", number, entry["end"], now) - since
            if longest <= 0:
                raise PriceMessageError(
                    "entry_reversed", "number {number} of its list ends before it begins", number=number
                )
        if since in told:
            raise PriceMessageError(
                "entry_twice", "number {number} of its list begins when another one does", number=number
            )
        told[since] = ToldPrice(since, longest, _price(entry["value"], number))
    return [told[since] for since in sorted(told)]


def _moment(key: str, number: int, value: Any, now: int) -> int:
    if isinstance(value, Decimal) and bounded_number(value) is not None:
        moment = int(value)
    else:
        try:
            time = datetime.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            raise PriceMessageError(
                "entry_no_time",
                "`{key}` of number {number} is no time: {shown}",
                key=key,
                number=number,
                shown=_shown(value),
            ) from None
        if time.tzinfo is None:
            raise PriceMessageError(
                "entry_no_offset",
                "`{key}` of number {number} has no offset: {shown}",
                key=key,
                number=number,
                shown=_shown(value),
            )
        moment = int(time.timestamp())
    if abs(moment - now) > _DAYS * 86400:
        raise PriceMessageError(
            "entry_far_away",
            "`{key}` of number {number} is more than {days} days from now: {shown}",
            key=key,
            number=number,
            days=_DAYS,
            shown=_shown(value),
        )
    return moment


def _price(value: Any, number: int = 0) -> Decimal:
    """``number``: of the entry; 0 for a price alone."""
    price = bounded_number(value) if isinstance(value, Decimal | str) else None
    if price is not None and abs(price) < 1_000_000 and decimals_of(price) <= 10:
        return price
    if not number:
        raise PriceMessageError("message_no_price", "it is no price: {shown}", shown=_shown(value))
    raise PriceMessageError(
        "entry_no_price",
        "`value` of number {number} is no price: {shown}",
        number=number,
        shown=_shown(value),
    )


def _no_number(_: str) -> Any:
    raise ValueError


def _shown(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return repr(printable(text, 40))
