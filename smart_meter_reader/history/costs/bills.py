"""What was paid, bar by bar: the contracts of a meter, priced from its counters."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import pairwise
from operator import mul, sub

from smart_meter_reader.history.costs.contracts import Contract, MomentPrices, PriceCurve, decimals_of
from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.history.questions.bars import conversions
from smart_meter_reader.history.questions.counters import CounterHistory

# A counter has 18 digits, a price and a tax fewer: nothing is rounded on the way.
_DIGITS = 60
_MOST_REMEMBERED = 16


@dataclass(frozen=True, slots=True)
class BilledCounters:
    """The counters of one meter: what is used, the same by register where there are some, what goes out."""

    used: Sequence[CounterHistory]
    registers: Mapping[int, CounterHistory]
    fed_in: Sequence[CounterHistory]


@dataclass(slots=True)
class Bill:
    """Money of a stretch of time; ``unpriced``: what was used and has no price, in the contracts' unit."""

    begin: int
    end: int
    energy: Decimal = Decimal(0)
    fixed: Decimal = Decimal(0)
    feed_in: Decimal = Decimal(0)
    unpriced: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        with localcontext() as exactly:
            exactly.prec = _DIGITS
            return self.energy + self.fixed - self.feed_in


def bills(
    contracts: Sequence[Contract],
    counters: BilledCounters,
    house: LocalCalendar,
    boundaries: Sequence[int],
    within: tuple[int, int],
) -> list[Bill]:
    """One for each piece between rising ``boundaries``, of all contracts together; they have one unit.

    Fixed sums count ``within`` a stretch of time: from the first reading until now. Raises ValueFormatError
    where a counter cannot be told in that unit.
    """
    made = [Bill(begin, end) for begin, end in pairwise(boundaries)]
    if made and contracts:
        with localcontext() as exactly:
            exactly.prec = _DIGITS
            billing = _Billing(counters, house, boundaries, made)
            for contract in contracts:
                billing.add(contract, within)
            billing.add_unpriced(contracts)
    return made


class YearBills:
    """Bills of long stretches, remembered until a counter goes on: each has to look at a year of quarters."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[list[MomentPrices | None], Bill]] = {}

    def bill(
        self,
        contracts: Sequence[Contract],
        counters: BilledCounters,
        house: LocalCalendar,
        begin: int,
        end: int,
    ) -> Bill:
        """What one stretch of time cost. Raises ValueFormatError."""
        all_counters = (*counters.used, *counters.registers.values(), *counters.fed_in)
        key = (
            begin,
            end,
            tuple((contract.name, contract.meter) for contract in contracts),
            tuple((counter.parts, counter.wrong) for counter in all_counters),
        )
        moments = [contract.moments for contract in contracts]
        known = self._known.get(key)
        if known is None or any(one is not other for one, other in zip(known[0], moments, strict=True)):
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            (bill,) = bills(contracts, counters, house, (begin, end), (begin, end))
            known = self._known[key] = moments, bill
        return known[1]


@dataclass(frozen=True, slots=True)
class _Billing:
    counters: BilledCounters
    house: LocalCalendar
    boundaries: Sequence[int]
    made: Sequence[Bill]

    def add(self, contract: Contract, within: tuple[int, int]) -> None:
        """Add what a contract costs."""
        since, until = contract.valid(self.house, self.boundaries[0], self.boundaries[-1])
        if since == until:
            return
        for used, curve in self._priced(contract, since, until):
            for bill, amount in zip(self.made, self._costs(used, contract.unit, curve, until), strict=True):
                bill.energy += amount * contract.taxed
        paid_back = contract.fed_in_curve(since, until)
        if paid_back is not None:
            fed_in = self._costs(self.counters.fed_in, contract.unit, paid_back, until)
            for bill, amount in zip(self.made, fed_in, strict=True):
                bill.feed_in += amount
        since, until = max(since, within[0]), min(until, within[1])
        for bill in self.made:
            begin, end = max(bill.begin, since), min(bill.end, until)
            if begin < end:
                bill.fixed += contract.fixed(self.house, begin, end)

    def add_unpriced(self, contracts: Sequence[Contract]) -> None:
        """Add what no contract has a price for, or one of them lacks the price of."""
        pricing = [contract for contract in contracts if contract.prices_use]
        begin, end = self.boundaries[0], self.boundaries[-1]
        spans = [contract.valid(self.house, begin, end) for contract in pricing]
        of_all = list(_between(_united(spans), begin, end))
        of_one: dict[CounterHistory, list[tuple[int, int]]] = {}
        for contract, (since, until) in zip(pricing, spans, strict=True):
            for used, curve in self._priced(contract, since, until):
                if used is self.counters.used:
                    of_all += _lacking(curve, until)
                else:
                    of_one.setdefault(used[0], []).extend(_lacking(curve, until))
        of_all = _united(of_all)
        self._add_used(self.counters.used, of_all, contracts[0].unit)
        for counter, lacking in of_one.items():
            beside = [span for each in _united(lacking) for span in _between(of_all, *each)]
            self._add_used([counter], beside, contracts[0].unit)

    def _add_used(
        self, counters: Sequence[CounterHistory], spans: Sequence[tuple[int, int]], unit: str
    ) -> None:
        if not spans:
            return
        moments = [edge for span in spans for edge in span]
        curve = PriceCurve(moments, [1, 0] * len(spans), 0)
        for bill, amount in zip(self.made, self._costs(counters, unit, curve, moments[-1]), strict=True):
            bill.unpriced += amount

    def _priced(
        self, contract: Contract, since: int, until: int
    ) -> Iterator[tuple[Sequence[CounterHistory], PriceCurve]]:
        """The counters that a contract prices, each with its prices."""
        if since == until or not contract.prices_use:
            return
        if contract.registers and self.counters.registers:
            for number, counter in self.counters.registers.items():
                yield [counter], _flat(since, contract.registers.get(number, contract.price))
        elif contract.registers:
            yield self.counters.used, _flat(since, contract.price)
        else:
            yield self.counters.used, contract.curve(self.house, since, until)

    def _costs(
        self, counters: Sequence[CounterHistory], unit: str, curve: PriceCurve, until: int
    ) -> list[Decimal]:
        """What was counted at these prices in each bar, from the first of them up to ``until``."""
        boundaries, since = self.boundaries, curve.moments[0]
        inner = boundaries[bisect_right(boundaries, since) : bisect_left(boundaries, until)]
        moments = sorted({*curve.moments, *inner})
        moments = [*moments[: bisect_left(moments, until)], until]
        prices = _at(curve, moments[:-1])
        amounts, decimals = _amounts(counters, unit, moments)
        costs = list(map(mul, amounts, prices)) if amounts else []
        found: list[Decimal] = []
        for begin, end in pairwise(boundaries):
            first, last = bisect_left(moments, max(begin, since)), bisect_left(moments, min(end, until))
            found.append(Decimal(sum(costs[first:last])).scaleb(-decimals - curve.decimals))
        return found


def _amounts(counters: Sequence[CounterHistory], unit: str, moments: Sequence[int]) -> tuple[list[int], int]:
    """What all counters have counted between neighbours of rising moments: integers of so many decimals."""
    parts = [(counter, part) for counter in counters for part in counter.parts]
    decimals, converts = conversions([part for _, part in parts], unit)
    sums: list[int] = []
    for (counter, part), convert in zip(parts, converts, strict=True):
        if part.last.time > moments[0] and part.first.time < moments[-1]:
            values = list(map(convert, counter.values(part, moments)))
            found = list(map(sub, values[1:], values))
            sums = list(map(sum, zip(sums, found, strict=True))) if sums else found
    return sums, decimals


def _flat(since: int, price: Decimal | None) -> PriceCurve:
    if price is None:
        return PriceCurve([since], [None], 0)
    decimals = decimals_of(price)
    return PriceCurve([since], [int(price.scaleb(decimals))], decimals)


def _at(curve: PriceCurve, moments: Sequence[int]) -> list[int]:
    """The price at each of some moments; 0 where none is known."""
    prices = [price or 0 for price in curve.prices]
    if moments == curve.moments:
        return prices
    found: list[int] = []
    index, last = 0, len(prices) - 1
    for moment in moments:
        while index < last and curve.moments[index + 1] <= moment:
            index += 1
        found.append(prices[index])
    return found


def _lacking(curve: PriceCurve, until: int) -> list[tuple[int, int]]:
    """From when to when no price is known."""
    if None not in curve.prices:
        return []
    ends = [*curve.moments[1:], until]
    return [
        (since, end)
        for since, end, price in zip(curve.moments, ends, curve.prices, strict=True)
        if price is None
    ]


def _united(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    united: list[tuple[int, int]] = []
    for since, until in sorted(spans):
        if since >= until:
            continue
        if united and since <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], until))
        else:
            united.append((since, until))
    return united


def _between(united: Sequence[tuple[int, int]], begin: int, end: int) -> Iterator[tuple[int, int]]:
    """What of a stretch of time no span covers."""
    for since, until in united:
        if begin < min(since, end):
            yield begin, min(since, end)
        begin = max(begin, until)
    if begin < end:
        yield begin, end
