"""Three years of an emulated home: what the history says of them is what the meters themselves have counted.

One life of the service is kept in a file, and asked by the days of four time zones.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from smart_meter_reader.history.periods import LocalCalendar, Period
from smart_meter_reader.history.questions.bars import Bar, bars, total
from smart_meter_reader.history.questions.gaps import Gap, gaps
from smart_meter_reader.history.questions.heat import weighted_temperatures
from smart_meter_reader.history.questions.peaks import highest
from smart_meter_reader.history.questions.record import History
from tests.history.emulated_home import (
    DAY,
    END,
    HOUR,
    QUARTER,
    REGISTERS,
    START,
    Shown,
    changes_of_summer_time,
)
from tests.history.emulated_years import (
    CABLE_PULLED,
    EXACT_UNTIL,
    GAS_REPLACED,
    HEAT_REPLACED,
    POWER_CUT,
    QUARTERLY_UNTIL,
    STOPPED_FOR,
    Years,
)

# All of it is one life, which takes long enough to be lived once.
pytestmark = [
    pytest.mark.xdist_group("three_years"),
    # Three years take ten minutes of a process that stands back on a busy computer; they wait for nobody.
    pytest.mark.timeout(0),
]
ZONES = ("Europe/Amsterdam", "Europe/Copenhagen", "Europe/Lisbon", "Asia/Kolkata")
LONG = (Period.DAY, Period.WEEK, Period.MONTH, Period.YEAR)
FIRST, LAST = date(2022, 12, 31), date(2026, 1, 3)


@dataclass(frozen=True)
class Told:
    """What was kept, and the home that it was kept of."""

    years: Years
    history: History

    @property
    def counters(self) -> dict[tuple[str, str], list[Shown]]:
        """What each device of a counter has told."""
        found = {("power", quantity): [shown] for quantity, shown in self.years.power.shown.items()}
        found["power-gas", "gas_volume"] = self.years.power.gas_shown
        for quantity in REGISTERS:
            found["heat", quantity] = [meter.shown[quantity] for meter in self.years.heat]
        return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("three-years")
    years = Years(folder / "home.history.sqlite")
    years.run()
    with History(folder / "home.history.sqlite") as history:
        yield Told(years, history)
    shutil.rmtree(folder)


def calendar(zone: str, begins: tuple[int, int] = (1, 1)) -> LocalCalendar:
    return LocalCalendar(ZoneInfo(zone), begins)


def limits(devices: Sequence[Shown], begin: int, end: int) -> tuple[Decimal, Decimal]:
    least, most = zip(*(shown.limits(begin, end) for shown in devices), strict=True)
    return sum(least, Decimal(0)), sum(most, Decimal(0))


def assert_adds_up(made: Sequence[Bar], devices: Sequence[Shown]) -> None:
    assert total(made) == sum(shown.counted for shown in devices)
    assert all(bar.difference is None or bar.difference >= 0 for bar in made)


@pytest.mark.parametrize("zone", ZONES)
def test_the_bars_of_every_partition_add_up_to_what_the_meters_counted(told: Told, zone: str) -> None:
    house = calendar(zone)
    partitions = [house.boundaries(period, FIRST, LAST) for period in LONG]
    partitions.append(calendar(zone, (6, 1)).boundaries(Period.YEAR, date(2022, 6, 1), LAST))
    for name, devices in told.counters.items():
        for boundaries in partitions:
            assert_adds_up(bars(told.history.counter(*name), boundaries), devices)
    hours = house.boundaries(Period.HOUR, FIRST, LAST)
    for name in (("power", "active_energy_import"), ("power-gas", "gas_volume"), ("heat", "volume")):
        assert_adds_up(bars(told.history.counter(*name), hours), told.counters[name])


def test_so_do_the_quarters_of_an_hour(told: Told) -> None:
    quarters = calendar("Asia/Kolkata").boundaries(Period.QUARTER, FIRST, LAST)
    name = "power", "active_energy_import"
    assert_adds_up(bars(told.history.counter(*name), quarters), told.counters[name])


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("period", LONG)
def test_each_bar_lies_between_the_readings_around_its_ends(told: Told, zone: str, period: Period) -> None:
    boundaries = calendar(zone).boundaries(period, FIRST, LAST)
    exact = 0
    for name, devices in told.counters.items():
        for bar in bars(told.history.counter(*name), boundaries):
            if bar.end <= START or bar.begin >= END:
                continue
            least, most = limits(devices, bar.begin, bar.end)
            assert bar.difference is not None, (name, bar)
            assert least <= bar.difference <= most, (name, bar)
            exact += least == most
    # In the first year a reading lies on each boundary.
    assert exact >= 8 * sum(
        begin >= START and end <= EXACT_UNTIL - 30 * DAY for begin, end in pairwise(boundaries)
    )


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_of_power_is_what_the_loads_add_up_to(told: Told, zone: str) -> None:
    """Against the home itself, not what its meter told: the first year begins and ends with a reading."""
    house = calendar(zone)
    counter = told.history.counter("power", "active_energy_import_tariff_1")
    (bar,) = bars(counter, house.boundaries(Period.YEAR, date(2023, 1, 1), date(2024, 1, 1)))
    course = told.years.power.courses["active_energy_import_tariff_1"]
    assert bar.difference is not None
    wanted = Decimal(course.at(bar.end) - course.at(bar.begin)).scaleb(-3)
    # West of Greenwich's midnight the year ends when telegrams come some seconds late.
    assert abs(bar.difference - wanted) <= (0 if bar.end < EXACT_UNTIL else Decimal("0.03"))
    assert bar.complete


@pytest.mark.parametrize("zone", ZONES)
def test_days_have_23_or_25_hours_where_the_clocks_change(told: Told, zone: str) -> None:
    house = calendar(zone)
    name = "power", "active_energy_import_tariff_2"
    counter = told.history.counter(*name)
    changes = changes_of_summer_time()
    assert len(changes) == 6
    for change in changes:
        day = house.day_of(change)
        hours = house.boundaries(Period.HOUR, day, day + timedelta(days=1))
        spring = datetime.fromtimestamp(change, UTC).month == 3
        length = 24 if zone == "Asia/Kolkata" else 23 if spring else 25
        assert len(hours) - 1 == length
        made = bars(counter, hours)
        (whole,) = bars(counter, (hours[0], hours[-1]))
        assert total(made) == whole.difference
        for bar in made:
            least, most = limits(
                [told.years.power.shown["active_energy_import_tariff_2"]], bar.begin, bar.end
            )
            assert bar.difference is not None
            assert least <= bar.difference <= most
        if change < EXACT_UNTIL and not spring:
            course = told.years.power.courses["active_energy_import_tariff_2"]
            assert [bar.difference for bar in made] == [
                Decimal(course.at(bar.end) - course.at(bar.begin)).scaleb(-3) for bar in made
            ]


@pytest.mark.parametrize(
    ("zone", "labels"),
    [
        ("Europe/Amsterdam", ["01:00", "02:00 CEST", "02:00 CET", "03:00"]),
        ("Europe/Copenhagen", ["01:00", "02:00 CEST", "02:00 CET", "03:00"]),
        ("Europe/Lisbon", ["00:00", "01:00 WEST", "01:00 WET", "02:00"]),
    ],
)
def test_the_repeated_hour_says_which_one_it_is(told: Told, zone: str, labels: list[str]) -> None:
    house = calendar(zone)
    gas = told.history.counter("power-gas", "gas_volume")
    for change in changes_of_summer_time()[1::2]:
        hours = range(change - 2 * HOUR, change + 3 * HOUR, HOUR)
        assert [house.label(Period.HOUR, hour) for hour in hours[:-1]] == labels
        # The meter's own clock shows the hour of the gas twice as well; each is counted where it was used.
        for name in (("power", "active_energy_import"), ("power-gas", "gas_volume")):
            for bar in bars(told.history.counter(*name), hours):
                least, most = limits(told.counters[name], bar.begin, bar.end)
                assert bar.difference is not None
                assert least <= bar.difference <= most
        used = [bar.difference for bar in bars(gas, hours)]
        assert all(used)
        assert len(set(used)) > 1


def test_the_leap_day_is_a_day(told: Told) -> None:
    house = calendar("Europe/Copenhagen")
    days = house.boundaries(Period.DAY, date(2024, 2, 1), date(2024, 3, 1))
    made = bars(told.history.counter("heat", "heat_energy"), days)
    assert len(made) == 29
    assert house.label(Period.DAY, made[-1].begin) == "2024-02-29"
    assert made[-1].difference is not None
    assert made[-1].difference > 0
    assert made[-1].complete


@pytest.mark.parametrize("zone", ZONES)
def test_weighted_temperatures_are_what_e8_and_e9_say(told: Told, zone: str) -> None:
    house = calendar(zone)
    boundaries = house.boundaries(Period.MONTH, date(2023, 1, 1), date(2026, 1, 1))
    counters = [told.history.counter("heat", quantity) for quantity in REGISTERS[1:]]
    found = weighted_temperatures(counters[0], counters[1], counters[2], boundaries)
    shown = {quantity: [meter.shown[quantity] for meter in told.years.heat] for quantity in REGISTERS}
    exact = 0
    for each in found:
        volume = limits(shown["volume"], each.begin, each.end)
        for value, quantity in ((each.flow, REGISTERS[2]), (each.return_, REGISTERS[3])):
            warmth = limits(shown[quantity], each.begin, each.end)
            assert value is not None
            least, most = (
                (warmth[at] / volume[1 - at]).quantize(Decimal("0.01"), ROUND_DOWN) for at in (0, 1)
            )
            assert least <= value <= most, (each, quantity)
            exact += least == most
        assert each.flow is not None
        assert each.return_ is not None
        assert each.return_ < each.flow
    # Midnight in Kolkata lies between two readings by the hour.
    assert exact >= (0 if zone == "Asia/Kolkata" else 20)


@pytest.mark.parametrize("zone", ZONES)
def test_the_peaks_of_months_are_the_highest_quarters_of_the_home(told: Told, zone: str) -> None:
    house = calendar(zone)
    counter = told.history.counter("power", "active_energy_import")
    loads = told.years.power.imported
    for month in range(1, 13):
        since = date(2023, month, 1)
        until = house.next_day(Period.MONTH, since)
        quarters = house.boundaries(Period.QUARTER, since, until)
        peak = highest([counter], quarters)
        # Of the quarters in which the cable was out nobody knows which one was how high.
        known = [
            begin
            for begin in quarters[:-1]
            if begin + QUARTER <= CABLE_PULLED[0] - QUARTER or begin >= CABLE_PULLED[1] + QUARTER
        ]
        true = {begin: loads[(begin - START) // QUARTER] for begin in known if begin + QUARTER < EXACT_UNTIL}
        assert peak is not None
        best = max(true, key=lambda begin: (true[begin], -begin))
        assert (peak.begin, peak.power) == (best, Decimal(true[best] * 4).scaleb(-3))
        assert abs(peak.quarters - len(known)) <= 3


def test_peaks_of_telegrams_that_come_late_are_near_the_highest(told: Told) -> None:
    house = calendar("Europe/Amsterdam")
    quarters = house.boundaries(Period.QUARTER, date(2024, 2, 1), date(2024, 3, 1))
    peak = highest([told.history.counter("power", "active_energy_import")], quarters)
    loads = told.years.power.imported
    best = max(quarters[:-1], key=lambda begin: loads[(begin - START) // QUARTER])
    assert quarters[-1] < QUARTERLY_UNTIL
    assert peak is not None
    assert peak.begin == best
    # Up to eleven seconds of the neighbours' load are counted in it.
    assert abs(peak.power - Decimal(loads[(best - START) // QUARTER] * 4).scaleb(-3)) < Decimal("0.3")


def near(gap: Gap, since: int, until: int) -> bool:
    return abs(gap.begin - since) <= HOUR and abs(gap.end - until) <= 2 * HOUR


def test_gaps_have_the_right_reasons(told: Told) -> None:
    found = {
        meter: gaps(told.history, meter, quantity, START, END)
        for meter, quantity in (
            ("power", "active_energy_import"), ("power-gas", "gas_volume"), ("heat", "heat_energy"),
        )
    }  # fmt: skip
    assert [gap.reason for gap in found["power"]] == ["port_lost", "ended", "stopped"]
    assert [gap.reason for gap in found["power-gas"]] == ["port_lost", "ended", "stopped", "restart"]
    assert [gap.reason for gap in found["heat"]] == ["ended", "restart", "stopped"]
    for gap, (since, until) in zip(found["power"], (CABLE_PULLED, POWER_CUT, STOPPED_FOR), strict=True):
        assert near(gap, since, until), gap
        assert gap.counted
    assert near(found["heat"][1], *HEAT_REPLACED)
    assert "the serial number was" in found["heat"][1].text
    assert near(found["power-gas"][3], GAS_REPLACED, GAS_REPLACED)
    assert not found["heat"][1].counted


def test_what_was_used_in_an_outage_is_in_its_days_as_an_estimate(told: Told) -> None:
    house = calendar("Europe/Amsterdam")
    for name, devices in told.counters.items():
        days = house.boundaries(Period.DAY, date(2024, 1, 19), date(2024, 1, 27))
        made = bars(told.history.counter(*name), days)
        if name[1] == "active_energy_import_tariff_2":
            continue  # a weekend, on which it stands still
        assert [bar.estimated for bar in made] == [False, *[True] * 6, False], name
        least, most = limits(devices, days[0], days[-1])
        used = total(made)
        assert used is not None
        assert least <= used <= most


def test_a_replaced_meter_is_another_segment(told: Told) -> None:
    years = told.years
    segments = told.history.segments("heat")
    assert [each.serial_number for each in segments] == [meter.serial_number for meter in years.heat]
    assert HEAT_REPLACED[1] <= segments[1].since < HEAT_REPLACED[1] + HOUR
    gas = told.history.segments("power-gas")
    assert [each.serial_number for each in gas] == ["G0039001234567819", "G0099001234567800"]
    for quantity in REGISTERS:
        parts = told.history.counter("heat", quantity).parts
        counted = [Decimal(part.counted).scaleb(-part.decimals) for part in parts]
        assert counted == [meter.shown[quantity].counted for meter in years.heat]


def test_counters_that_roll_over_go_on(told: Told) -> None:
    for quantity in ("heat_energy", "volume"):
        first, _ = told.history.counter("heat", quantity).parts
        assert [turn for _, turn in first.turns] == [10**7]
    # The guard has told them, and doubted nothing else in three years.
    assert [each.get("rolled_over") for each in told.years.doubted] == [("heat_energy",), ("volume",)]


def test_gauges_are_counted_once_an_hour(told: Told) -> None:
    boundaries = calendar("Europe/Lisbon").boundaries(Period.MONTH, date(2023, 1, 1), date(2023, 4, 1))
    for spread in told.history.spreads("heat", "flow_temperature", boundaries):
        assert spread.n == (spread.end - spread.begin) // HOUR
        house = told.years.heat[0].house
        readings = range(spread.begin, spread.end, HOUR)
        low = min(house.flow_temperature(time - START) for time in readings)
        assert spread.low == Decimal(low).quantize(Decimal("0.01"), ROUND_DOWN)
