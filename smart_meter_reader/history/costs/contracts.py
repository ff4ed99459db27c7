"""What a household pays: prices by register, by time slot or by moment, and what is fixed. Pure.

An amount of money is exact: what was used times its price, and of a fixed sum the part that has passed by a
moment, cut to ten decimals. It is so for one moment wherever that is asked, which is why the bars of any
partition add up to their total.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from smart_meter_reader.history.periods import LocalCalendar, Period

if TYPE_CHECKING:  # what counts what is not needed to read a contract
    from smart_meter_reader.history.media import Medium

_DAY_MINUTES = 24 * 60
_DAY_SECONDS = 86400
_PLACES = 10


class PriceCurve(NamedTuple):
    """Prices one after the other: each holds from its moment, seconds since 1970 UTC, to the next one's.

    Integers in the last of ``decimals``; None where none is known. Moments rise.
    """

    moments: Sequence[int]
    prices: Sequence[int | None]
    decimals: int


@dataclass(frozen=True, slots=True)
class TimeSlot:
    """A price for some hours of some days: Monday is 0; minutes of the local day, the last not included."""

    weekdays: frozenset[int]
    begin: int
    end: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class MomentPrices:
    """Prices of one moment after the other, such as those of the exchange by the quarter of an hour.

    ``begins`` rise, in seconds since 1970 UTC; each price holds until the next, but no longer than
    ``longest`` seconds. Prices are integers in the last of ``decimals``, None where none is known.
    """

    begins: array[int]
    prices: Sequence[int | None]
    decimals: int
    longest: int

    def curve(self, begin: int, end: int, surcharge: Decimal) -> PriceCurve:
        """The prices from ``begin`` up to ``end``, each with the surcharge."""
        decimals = max(self.decimals, decimals_of(surcharge))
        added, factor = int(surcharge.scaleb(decimals)), 10 ** (decimals - self.decimals)
        first = max(bisect_right(self.begins, begin) - 1, 0)
        last = max(bisect_left(self.begins, end), first)
        moments = self.begins[first:last].tolist()
        prices = [None if price is None else price * factor + added for price in self.prices[first:last]]
        ends = [*moments[1:], end] if moments else []
        if not moments or moments[0] > begin or self._has_gaps(moments, ends):
            return _with_gaps(moments, prices, ends, begin, self.longest)._replace(decimals=decimals)
        return PriceCurve([begin, *moments[1:]], prices, decimals)

    def _has_gaps(self, moments: Sequence[int], ends: Sequence[int]) -> bool:
        return any(end - since > self.longest for since, end in zip(moments, ends, strict=True))


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract. Prices are per ``unit`` before tax; ``until`` is the first day on which it is over."""

    name: str
    meter: str
    medium: Medium
    unit: str
    currency: str
    since: date | None = None
    until: date | None = None
    price: Decimal | None = None
    registers: Mapping[int, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    slots: tuple[TimeSlot, ...] = ()
    moments: MomentPrices | None = None
    surcharge: Decimal = Decimal(0)  # on each of ``moments``
    feed_in: Decimal | None = None
    feeds_in_at_moments: bool = False  # at the prices of ``moments``, to which ``feed_in`` is added
    per_day: Decimal = Decimal(0)
    per_month: Decimal = Decimal(0)
    per_year: Decimal = Decimal(0)
    tax_percent: Decimal = Decimal(0)  # on all but what is fed in

    @property
    def prices_use(self) -> bool:
        """Whether it has prices for what is used, and not only fixed sums or what is fed in."""
        return bool(self.price is not None or self.registers or self.slots or self.moments is not None)

    @property
    def taxed(self) -> Decimal:
        """By what an amount is multiplied."""
        return 1 + self.tax_percent / 100

    def valid(self, house: LocalCalendar, begin: int, end: int) -> tuple[int, int]:
        """The part of a stretch of time in which it holds; of no length where it does not."""
        since = max(begin, house.midnight(self.since)) if self.since else begin
        until = min(end, house.midnight(self.until)) if self.until else end
        return since, max(since, until)

    def curve(self, house: LocalCalendar, begin: int, end: int) -> PriceCurve:
        """The prices from ``begin`` up to ``end`` of all that is used, where they are not by register."""
        if self.moments is not None:
            return self.moments.curve(begin, end, self.surcharge)
        if self.slots:
            changes = list(_slotted(self.slots, self.price, house, begin, end))
            at = max(bisect_right(changes, begin, key=lambda change: change[0]) - 1, 0)
            return _curve([(begin, changes[at][1]), *changes[at + 1 :]])
        return _curve([(begin, self.price)])

    def fed_in_curve(self, begin: int, end: int) -> PriceCurve | None:
        """What is paid back from ``begin`` up to ``end`` for a unit that goes out; None for nothing."""
        if self.feeds_in_at_moments and self.moments is not None:
            return self.moments.curve(begin, end, self.feed_in or Decimal(0))
        return None if self.feed_in is None else _curve([(begin, self.feed_in)])

    def fixed(self, house: LocalCalendar, begin: int, end: int) -> Decimal:
        """What is fixed between two moments, with tax, where it holds in all of that time."""
        return (self._accrued(house, end) - self._accrued(house, begin)) * self.taxed

    def _accrued(self, house: LocalCalendar, moment: int) -> Decimal:
        """What has come together since long ago; of a day, month and year the part that has passed."""
        if not (self.per_day or self.per_month or self.per_year):
            return Decimal(0)
        day = house.day_of(moment)
        month, year = house.first_day(Period.MONTH, day), house.first_day(Period.YEAR, day)
        exact = Fraction(0)
        for price, count, period, first in (
            (self.per_day, day.toordinal(), Period.DAY, day),
            (self.per_month, 12 * day.year + day.month, Period.MONTH, month),
            (self.per_year, year.year, Period.YEAR, year),
        ):
            if price:
                exact += Fraction(price) * (count + _passed(house, period, first, moment))
        return Decimal(int(exact * 10**_PLACES // 1)).scaleb(-_PLACES)


def decimals_of(number: Decimal) -> int:
    """How many decimals a number has."""
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _curve(changes: Sequence[tuple[int, Decimal | None]]) -> PriceCurve:
    decimals = max((decimals_of(price) for _, price in changes if price is not None), default=0)
    prices = [None if price is None else int(price.scaleb(decimals)) for _, price in changes]
    return PriceCurve([moment for moment, _ in changes], prices, decimals)


def _with_gaps(
    moments: Sequence[int], prices: Sequence[int | None], ends: Sequence[int], begin: int, longest: int
) -> PriceCurve:
    """The curve from ``begin`` on, with None where a price has held for too long, or none is known yet."""
    curve: dict[int, int | None] = {begin: None}
    for since, price, end in zip(moments, prices, ends, strict=True):
        over = min(since + longest, end)
        if over > begin:
            curve[max(since, begin)] = price
            if over < end:
                curve[over] = None
    return PriceCurve(list(curve), list(curve.values()), 0)


def _passed(house: LocalCalendar, period: Period, first: date, moment: int) -> Fraction:
    begin, end = house.midnight(first), house.midnight(house.next_day(period, first))
    return Fraction(moment - begin, end - begin)


def _slotted(
    slots: Sequence[TimeSlot], otherwise: Decimal | None, house: LocalCalendar, begin: int, end: int
) -> Iterator[tuple[int, Decimal | None]]:
    """The prices of time slots, the first that fits; days are those of the clock on the wall."""
    week = [_of_weekday(slots, otherwise, weekday) for weekday in range(7)]
    day = house.day_of(begin)
    midnight = house.midnight(day)
    while midnight < end:
        following = day + timedelta(days=1)
        next_midnight = house.midnight(following)
        prices = week[day.weekday()]
        if next_midnight - midnight == _DAY_SECONDS:
            for minute, price in prices:
                yield midnight + minute * 60, price
        else:  # the clocks change: each quarter of an hour by what the clock shows then
            for moment in house.boundaries(Period.QUARTER, day, following)[:-1]:
                yield moment, _price_at(prices, house.local(moment))
        day, midnight = following, next_midnight


def _of_weekday(
    slots: Sequence[TimeSlot], otherwise: Decimal | None, weekday: int
) -> list[tuple[int, Decimal | None]]:
    """From which minute of such a day on which price holds."""
    here = [slot for slot in slots if weekday in slot.weekdays]
    edges = sorted({0, *(edge for slot in here for edge in (slot.begin, slot.end) if edge < _DAY_MINUTES)})
    return [
        (edge, next((slot.price for slot in here if slot.begin <= edge < slot.end), otherwise))
        for edge in edges
    ]


def _price_at(prices: Sequence[tuple[int, Decimal | None]], local: datetime) -> Decimal | None:
    minute = local.hour * 60 + local.minute
    return next(price for since, price in reversed(prices) if since <= minute)
