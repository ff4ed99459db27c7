"""What people enter for the pages Costs and Heat: contracts as they were signed, and the works' own table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Literal

from smart_meter_reader.history.costs.contracts import TimeSlot, decimals_of
from smart_meter_reader.quantities.units import ratio
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.text import bounded_number

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = r"(mon|tue|wed|thu|fri|sat|sun)"
_TIME = r"([01]\d|2[0-3]):[0-5]\d|24:00"
_SLOT = (
    rf"(?P<first>{_DAY})(-(?P<last>{_DAY}))? +(?P<begin>{_TIME})-(?P<end>{_TIME}) +"
    r"(?P<price>-?\d{1,6}(\.\d{1,10})?)"
)
_DATE = r"|\d{4}-\d\d-\d\d"
_DATE_HELP = 'a day such as "2026-01-01"'
_MOST = Decimal(1_000_000)
_LEAST = -_MOST
_DECIMALS = 10
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractSettings:
    """What is paid to one company; where grid and supplier send bills of their own, each is a contract."""

    meter: str = setting("the meter", identifies=True)
    medium: Literal["", "heat", "cooling", "electricity", "gas", "water"] = setting(
        'what it is for; "": what the meter counts first', default=""
    )
    currency: str = setting(
        "what prices are in",
        default="EUR",
        pattern=r"[^\s\d]{1,8}",
        pattern_help="such as EUR",
        identifies=False,
    )
    unit: str = setting(
        "what prices are per",
        default="kWh",
        choices=("kWh", "MWh", "GJ", "MJ", "m³", "L"),
        aliases=lambda text: {"m3": "m³", "l": "L"}.get(text, ""),
    )
    kwh_per_m3: Decimal | None = setting(
        "how many kWh the bill makes of a cubic metre of gas, where its prices are per kWh",
        default=None,
        minimum=Decimal(1),
        maximum=Decimal(100),
    )
    valid_from: str = setting(
        'the first day on which it holds; "": ever since',
        default="",
        pattern=_DATE,
        pattern_help=_DATE_HELP,
        identifies=False,
    )
    valid_to: str = setting(
        'the last day on which it holds; "": still',
        default="",
        pattern=_DATE,
        pattern_help=_DATE_HELP,
        identifies=False,
    )
    price: Decimal | None = setting(
        "the price of a unit; beside `tariffs` and `slots` of all that these do not name",
        default=None,
        minimum=_LEAST,
        maximum=_MOST,
    )
    tariffs: Mapping[str, Decimal] = setting(
        "prices by the number of the register that the meter counts with, such as {1 = 0.24, 2 = 0.29}",
        default={},
        minimum=_LEAST,
        maximum=_MOST,
    )
    slots: tuple[str, ...] = setting(
        'prices by the clock, the first that fits, such as ["mon-fri 07:00-23:00 0.29"]',
        default=(),
        pattern=_SLOT,
        pattern_help='text such as "mon-fri 07:00-23:00 0.29"',
        identifies=False,
    )
    price_file: Path | None = setting(
        "a CSV file with a time and a price in each line, for prices by the quarter or the hour",
        default=None,
        identifies=True,
    )
    price_topic: str = setting(
        "an MQTT topic at `price_broker` on which prices by the quarter or the hour are published",
        default="",
        pattern=r"[^+#\x00]{0,1000}",
        pattern_help="a topic without + and #",
        identifies=False,
    )
    source_unit: str = setting(
        'what the prices of the file or the topic are per, such as MWh; "": as `unit`',
        default="",
        identifies=False,
    )
    surcharge: Decimal = setting(
        "what is added to each price of the file or the topic",
        default=Decimal(0),
        minimum=_LEAST,
        maximum=_MOST,
    )
    feed_in: Decimal | None = setting(
        "what is paid back for a unit of electricity that goes out",
        default=None,
        minimum=_LEAST,
        maximum=_MOST,
    )
    feed_in_by_source: bool = setting(
        "whether what goes out is paid back at the prices of file or topic, to which `feed_in` is added",
        default=False,
    )
    fixed_per_day: Decimal = setting(
        "what a day costs beside", default=Decimal(0), minimum=_LEAST, maximum=_MOST
    )
    fixed_per_month: Decimal = setting(
        "what a month costs beside", default=Decimal(0), minimum=_LEAST, maximum=_MOST
    )
    fixed_per_year: Decimal = setting(
        "what a year costs beside", default=Decimal(0), minimum=_LEAST, maximum=_MOST
    )
    tax_percent: Decimal = setting(
        "the tax on all of it but what is paid back, in percent; 0 where prices include it",
        default=Decimal(0),
        minimum=Decimal(0),
        maximum=Decimal(1000),
    )

    def __post_init__(self) -> None:
        self._require_fitting()
        since, until = local_day("valid_from", self.valid_from), local_day("valid_to", self.valid_to)
        if since and until and until < since:
            raise ValueError(f"valid_to: {until} is before {since} of valid_from")
        for number in self.tariffs:
            if not re.fullmatch(r"[1-9]\d?", number):
                raise ValueError(f"tariffs: {number!r} is no number of a register, such as 1")
        for text in self.slots:
            slot = time_slot(text)
            if slot.end <= slot.begin:
                raise ValueError(
                    f"slots: {text!r} ends before it begins; write one until 24:00 and one from 00:00"
                )
        self._require_bounded()

    def _require_fitting(self) -> None:
        """What does not go together."""
        ways = [
            name
            for name, there in (
                ("tariffs", self.tariffs),
                ("slots", self.slots),
                ("price_file", self.price_file),
                ("price_topic", self.price_topic),
            )
            if there
        ]
        if len(ways) > 1:
            raise ValueError(f"{ways[0]} and {ways[1]}: a contract has one of them; write two contracts")
        source = "price_file" if self.price_file else "price_topic" if self.price_topic else ""
        if self.price is not None and source:
            raise ValueError(f"price and {source}: what is added to the prices from there is `surcharge`")
        if self.feed_in_by_source and not source:
            raise ValueError("feed_in_by_source: there is no `price_file` and no `price_topic`")
        if self.kwh_per_m3 and self.unit != "kWh":
            raise ValueError(f'kwh_per_m3: it is for prices per kWh, and `unit` is "{self.unit}"')
        if source and source_factor(self) is None:
            raise ValueError(
                f"source_unit: a price per {self.source_unit} cannot be told per {self.unit} without "
                "rounding; write that unit in `unit`"
            )

    def _require_bounded(self) -> None:
        amounts = {
            "price": self.price,
            "surcharge": self.surcharge,
            "feed_in": self.feed_in,
            "fixed_per_day": self.fixed_per_day,
            "fixed_per_month": self.fixed_per_month,
            "fixed_per_year": self.fixed_per_year,
            "tax_percent": self.tax_percent,
            **{f"tariffs.{number}": price for number, price in self.tariffs.items()},
        }
        for name, amount in amounts.items():
            if amount is not None and decimals_of(amount) > _DECIMALS:
                raise ValueError(f"{name}: {amount} has more than {_DECIMALS} decimals")


def source_factor(settings: ContractSettings) -> Decimal | None:
    """What a price of the file or topic is multiplied by; None where that cannot be done without rounding."""
    factor = ratio(settings.unit, settings.source_unit or settings.unit)
    back = ratio(settings.source_unit or settings.unit, settings.unit)
    if not (factor and back and Fraction(factor) * Fraction(back) == 1):
        return None
    return factor * (settings.kwh_per_m3 or 1)


def time_slot(text: str) -> TimeSlot:
    """A slot as it is written, such as `mon-fri 07:00-23:00 0.29`; sat-mon is three days."""
    found = re.fullmatch(_SLOT, text)
    if found is None:
        raise ValueError(f'slots: {text!r} is none; write one as "mon-fri 07:00-23:00 0.29"')
    first = _WEEKDAYS.index(found["first"])
    last = _WEEKDAYS.index(found["last"] or found["first"])
    days = frozenset((first + number) % 7 for number in range((last - first) % 7 + 1))
    return TimeSlot(days, _minute(found["begin"]), _minute(found["end"]), Decimal(found["price"]))


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def local_day(name: str, text: str) -> date | None:
    """A day as it is written; None for "". Raises ValueError, which names the setting."""
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"{name}: there is no day {text}") from None
    if day and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"{name}: {day} is in another age; years go from {_FIRST_YEAR} to {_LAST_YEAR}")
    return day


def expected_pairs(table: Mapping[str, Decimal]) -> tuple[tuple[Decimal, Decimal], ...]:
    """The works' table as the settings have it, such as {60 = 39, 66 = 35}. Raises ValueError."""
    pairs: dict[Decimal, Decimal] = {}
    for text, expected in table.items():
        flow = bounded_number(text)
        if flow is None or not 0 < flow < 200:
            raise ValueError(f"expected_return: {text!r} is no flow temperature in °C, such as 60")
        pairs[flow] = expected
    return tuple(sorted(pairs.items()))
