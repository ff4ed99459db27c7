"""Money: exact by hand, the same however time is cut, across clocks that change, gaps and missing prices."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.costs.bills import Bill, BilledCounters, YearBills, bills
from smart_meter_reader.history.costs.contracts import Contract, MomentPrices, TimeSlot
from smart_meter_reader.history.media import Medium
from smart_meter_reader.history.periods import LocalCalendar, Period
from smart_meter_reader.history.questions.bars import bars, between
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.messages import Message
from tests.history.homes import keep, reading
from tests.history.questions.test_bars import T0, lives

HOUSE = LocalCalendar(ZoneInfo("Europe/Amsterdam"))
KEYS = ("active_energy_import", "active_energy_import_tariff_1", "active_energy_import_tariff_2")
EXPORT = "active_energy_export"


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=HOUSE.zone).timestamp())


def telegrams(begin: str, hours: int, unit: str = "kWh") -> list[Message]:
    """An hour each: 1 kWh in all, 0.75 of it in register 1; 0.5 goes out."""
    first = moment(begin)
    return [
        reading(
            first + 3600 * hour,
            {
                KEYS[0]: (Decimal("100.00") + hour, unit),
                KEYS[1]: (Decimal("70.00") + hour * Decimal("0.75"), unit),
                KEYS[2]: (Decimal("30.00") + hour * Decimal("0.25"), unit),
                EXPORT: (Decimal("10.0") + hour * Decimal("0.5"), unit),
            },
            "power",
        )
        for hour in range(hours + 1)
    ]


def counters(history: History) -> BilledCounters:
    total, one, two, export = (history.counter("power", key) for key in (*KEYS, EXPORT))
    return BilledCounters([total], {1: one, 2: two}, [export])


def contract(**terms: object) -> Contract:
    return Contract("ours", "power", Medium.ELECTRICITY, "kWh", "EUR", **terms)  # type: ignore[arg-type]


def billed(
    path: Path, contracts: Sequence[Contract], boundaries: Sequence[int], now: str = "2027-01-01"
) -> list[Bill]:
    with History(path) as history:
        return bills(contracts, counters(history), HOUSE, boundaries, (boundaries[0], moment(now)))


@pytest.fixture(scope="module")
def march(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of March 2026 by the hour: 743 hours, since the clocks go forward on the 29th."""
    path = tmp_path_factory.mktemp("home") / "h"
    keep(path, telegrams("2026-03-01", 743))
    return path


DAYS = HOUSE.boundaries(Period.DAY, date(2026, 3, 1), date(2026, 4, 1))
MONTH = (DAYS[0], DAYS[-1])


def test_one_price_and_what_is_fixed(march: Path) -> None:
    ours = contract(price=Decimal("0.25"), per_month=Decimal("6.20"), tax_percent=Decimal(21))
    (bill,) = billed(march, [ours], MONTH)
    assert bill.energy == 743 * Decimal("0.25") * Decimal("1.21")
    assert bill.fixed == Decimal("6.20") * Decimal("1.21")
    assert [bill.feed_in, bill.unpriced] == [0, 0]
    assert bill.total == bill.energy + bill.fixed


def test_registers_have_prices_of_their_own(march: Path) -> None:
    ours = contract(registers={1: Decimal("0.20"), 2: Decimal("0.40")}, feed_in=Decimal("0.05"))
    (bill,) = billed(march, [ours], MONTH)
    assert bill.energy == 743 * (Decimal("0.75") * Decimal("0.2") + Decimal("0.25") * Decimal("0.4"))
    assert bill.feed_in == Decimal("371.5") * Decimal("0.05")
    assert bill.total == bill.energy - bill.feed_in
    (one,) = billed(march, [contract(registers={1: Decimal("0.20")})], MONTH)
    assert [one.energy, one.unpriced] == [743 * Decimal("0.15"), 743 * Decimal("0.25")]
    (other,) = billed(march, [contract(registers={1: Decimal("0.20")}, price=Decimal(1))], MONTH)
    assert [other.energy, other.unpriced] == [743 * (Decimal("0.15") + Decimal("0.25")), 0]


def test_time_slots_go_by_the_clock_on_the_wall(march: Path) -> None:
    week = frozenset(range(5))
    dear = TimeSlot(week, 7 * 60, 23 * 60, Decimal("0.30"))
    night = TimeSlot(frozenset(range(7)), 0, 5 * 60, Decimal("0.10"))
    ours = contract(slots=(dear, night), price=Decimal("0.20"))
    made = billed(march, [ours], DAYS)
    # Sunday the 1st: five hours of night and nineteen others; Monday: sixteen of the day's, three others.
    assert made[0].energy == 5 * Decimal("0.1") + 19 * Decimal("0.2")
    assert made[1].energy == 5 * Decimal("0.1") + 16 * Decimal("0.3") + 3 * Decimal("0.2")
    # On the 29th there is no hour from two to three.
    assert made[28].energy == 4 * Decimal("0.1") + 19 * Decimal("0.2")
    hour = (moment("2026-03-02T06:30"), moment("2026-03-02T07:30"))
    assert billed(march, [ours], hour)[0].energy == Decimal("0.5") * (Decimal("0.2") + Decimal("0.3"))


def test_without_a_price_for_the_rest_it_is_said_how_much_has_none(march: Path) -> None:
    ours = contract(slots=(TimeSlot(frozenset({0}), 0, 1440, Decimal(1)),))
    made = billed(march, [ours], DAYS)
    assert [[bill.energy, bill.unpriced] for bill in made[:3]] == [[0, 24], [24, 0], [0, 24]]


def test_prices_by_the_moment(march: Path) -> None:
    begin = moment("2026-03-02T00:00")
    quarters = MomentPrices(array("q", [begin + 900 * each for each in range(8)]), range(8), 1, 3600)
    ours = contract(moments=quarters, surcharge=Decimal("0.05"))
    two, third, fourth = billed(march, [ours], [begin, begin + 7200, begin + 10800, begin + 14400])
    assert two.energy == sum(Decimal(each) / 10 + Decimal("0.05") for each in range(8)) / 4
    # The last one holds for an hour, since nothing tells otherwise.
    assert [third.energy, third.unpriced] == [Decimal("0.75") * Decimal("0.75"), Decimal("0.25")]
    assert [fourth.energy, fourth.unpriced] == [0, 1]
    (before,) = billed(march, [ours], [begin - 3600, begin])
    assert [before.energy, before.unpriced] == [0, 1]
    none = contract(moments=MomentPrices(array("q"), (), 0, 3600))
    assert billed(march, [none], MONTH)[0].unpriced == 743


def test_what_goes_out_may_have_the_prices_of_the_moment(march: Path) -> None:
    begin = moment("2026-03-02T00:00")
    prices = MomentPrices(array("q", [begin, begin + 3600]), (20, -40), 2, 3600)
    ours = contract(
        moments=prices, surcharge=Decimal("0.5"), feed_in=Decimal("-0.1"), feeds_in_at_moments=True
    )
    one, two, three = billed(march, [ours], [begin + 3600 * each for each in range(4)])
    assert [one.feed_in, two.feed_in, three.feed_in] == [Decimal("0.05"), Decimal("-0.25"), 0]
    assert [one.energy, two.energy] == [Decimal("0.7"), Decimal("0.1")]
    assert one.total == Decimal("0.65")


def test_a_gap_in_the_prices_is_no_price(march: Path) -> None:
    begin = moment("2026-03-02T00:00")
    prices = MomentPrices(array("q", [begin, begin + 10800]), (2, 4), 0, 3600)
    hours = billed(march, [contract(moments=prices)], [begin + 3600 * each for each in range(6)])
    assert [bill.energy for bill in hours] == [2, 0, 0, 4, 0]
    assert [bill.unpriced for bill in hours] == [0, 1, 1, 0, 1]


def test_contracts_follow_each_other_and_add_up(march: Path) -> None:
    old = contract(price=Decimal("0.1"), until=date(2026, 3, 11), per_day=Decimal(1))
    new = contract(price=Decimal("0.2"), since=date(2026, 3, 16))
    (bill,) = billed(march, [old, new], MONTH)
    assert bill.energy == 240 * Decimal("0.1") + (743 - 360) * Decimal("0.2")
    assert [bill.fixed, bill.unpriced] == [10, 120]
    grid = contract(price=Decimal("0.05"), per_year=Decimal(365))
    (both,) = billed(march, [old, new, grid], MONTH)
    # Where one of two has no price any more, the other still has.
    assert [both.energy, both.unpriced] == [bill.energy + 743 * Decimal("0.05"), 0]
    # 31 days less an hour of a year of 365.
    assert abs(both.fixed - 10 - 31 + Decimal(1) / 24) < Decimal("0.0000000002")


def test_what_is_fixed_is_counted_until_now(march: Path) -> None:
    ours = contract(per_day=Decimal("0.96"))
    (bill,) = billed(march, [ours], MONTH, "2026-03-03T06:00")
    assert bill.fixed == Decimal("0.96") * 2 + Decimal("0.24")
    assert billed(march, [ours], MONTH, "2026-02-03")[0].fixed == 0


def test_a_price_in_another_unit_is_that_of_the_bars(tmp_path: Path) -> None:
    keep(tmp_path / "h", telegrams("2026-03-01", 24, "GJ"))
    ours = contract(price=Decimal("0.25"))
    with History(tmp_path / "h") as history:
        used = between(history.counter("power", KEYS[0]), *MONTH, "kWh").difference
        assert used is not None
        (bill,) = bills([ours], counters(history), HOUSE, MONTH, MONTH)
        assert bill.energy == used * Decimal("0.25")
        with pytest.raises(ValueFormatError):
            bills([Contract("c", "power", Medium.GAS, "m³", "EUR", price=Decimal(1))], counters(history),
                  HOUSE, MONTH, MONTH)  # fmt: skip


def test_there_may_be_nothing_to_bill(march: Path) -> None:
    assert billed(march, [], MONTH) == [Bill(*MONTH)]
    assert billed(march, [contract(price=Decimal(1), until=date(2020, 1, 1))], MONTH)[0].unpriced == 743


def test_a_bill_is_remembered_until_a_counter_or_a_price_changes(tmp_path: Path) -> None:
    path = tmp_path / "h"
    keep(path, telegrams("2026-03-01", 48))
    remembered = YearBills()
    begin, end = moment("2026-03-01"), moment("2026-03-05")
    one, other = (MomentPrices(array("q", [begin]), [price], 0, 90 * 3600) for price in (2, 3))

    def bill(prices: MomentPrices) -> Bill:
        with History(path) as history:
            return remembered.bill([contract(moments=prices)], counters(history), HOUSE, begin, end)

    first = bill(one)
    assert first.energy == 96
    assert bill(one) is first
    assert bill(other).energy == 144
    keep(path, telegrams("2026-03-01", 60)[49:])
    assert bill(other).energy == 180


prices = st.decimals(-5, 5, places=4)


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    """Any terms."""
    since = draw(st.none() | st.dates(date(2026, 2, 1), date(2026, 4, 10)))
    length = draw(st.none() | st.integers(1, 60))
    until = (since or date(2026, 2, 10)) + timedelta(days=length) if length else None
    way = draw(st.sampled_from(["price", "registers", "slots", "moments", "none"]))
    terms: dict[str, object] = {"price": draw(st.none() | prices)} if way != "moments" else {}
    if way == "registers":
        terms["registers"] = draw(st.dictionaries(st.integers(1, 3), prices))
    elif way == "slots":
        edges = st.integers(0, 96).map(lambda quarter: quarter * 15)
        terms["slots"] = tuple(
            TimeSlot(frozenset(days), min(one, other), max(one, other), price)
            for days, one, other, price in draw(
                st.lists(st.tuples(st.sets(st.integers(0, 6)), edges, edges, prices), max_size=4)
            )
        )
    elif way == "moments":
        times = sorted(draw(st.sets(st.integers(0, 60 * 96), max_size=30)))
        terms["moments"] = MomentPrices(
            array("q", [moment("2026-02-20") + 900 * each for each in times]),
            [draw(st.integers(-1000, 1000)) for _ in times],
            draw(st.integers(0, 5)),
            3600,
        )
        terms["surcharge"] = draw(prices)
        terms["feeds_in_at_moments"] = draw(st.booleans())
    for fixed in ("per_day", "per_month", "per_year"):
        terms[fixed] = draw(st.just(Decimal(0)) | prices)
    terms["feed_in"] = draw(st.none() | prices)
    terms["tax_percent"] = draw(st.sampled_from([Decimal(0), Decimal(21), Decimal("5.5")]))
    return contract(since=since, until=until, **terms)


@given(
    terms=st.lists(contracts(), max_size=3),
    cuts=st.sets(st.integers(DAYS[0] - 20 * 86400, DAYS[-1] + 20 * 86400), max_size=30),
    now=st.integers(DAYS[0] - 5 * 86400, DAYS[-1] + 20 * 86400),
    unit=st.sampled_from(["kWh", "GJ"]),
)
@settings(deadline=None, max_examples=60)
def test_bars_in_money_add_up_to_the_whole(
    terms: list[Contract], cuts: set[int], now: int, unit: str
) -> None:
    boundaries = sorted({DAYS[0] - 30 * 86400, *cuts, DAYS[-1] + 30 * 86400})
    with tempfile.TemporaryDirectory() as directory:
        keep(Path(directory) / "h", telegrams("2026-03-01", 400, unit)[::7])
        with History(Path(directory) / "h") as history:
            found = counters(history)
            within = (moment("2026-03-01"), now)
            made = bills(terms, found, HOUSE, boundaries, within)
            (whole,) = bills(terms, found, HOUSE, (boundaries[0], boundaries[-1]), within)
    assert sum(bill.energy for bill in made) == whole.energy
    assert sum(bill.fixed for bill in made) == whole.fixed
    assert sum(bill.feed_in for bill in made) == whole.feed_in
    assert sum(bill.unpriced for bill in made) == whole.unpriced
    assert sum(bill.total for bill in made) == whole.total
    assert all(bill.unpriced >= 0 for bill in made)


@given(
    messages=lives(),
    cents=st.lists(st.one_of(st.none(), st.integers(-100_000, 300_000)), min_size=1, max_size=60),
    length=st.integers(60, 90_000),
)
@settings(deadline=None, max_examples=60)
def test_prices_of_moments_are_those_of_the_bars_between_them(
    tmp_path_factory: pytest.TempPathFactory, messages: list[Message], cents: list[int | None], length: int
) -> None:
    path = tmp_path_factory.mktemp("moments") / "h"
    keep(path, messages)
    boundaries = [T0 - 600 + number * length for number in range(len(cents) + 1)]
    whole = (boundaries[0], boundaries[-1])
    prices = MomentPrices(array("q", boundaries[:-1]), cents, 5, length)
    with History(path) as history:
        counter = history.counter("heat", "heat_energy")
        (bill,) = bills([contract(moments=prices)], BilledCounters([counter], {}, []), HOUSE, whole, whole)
        amounts = [bar.difference or Decimal(0) for bar in bars(counter, boundaries)]
    pairs = list(zip(amounts, cents, strict=True))
    assert bill.energy == sum(
        (amount * Decimal(price).scaleb(-5) for amount, price in pairs if price), Decimal(0)
    )
    assert bill.unpriced == sum((amount for amount, price in pairs if price is None), Decimal(0))
