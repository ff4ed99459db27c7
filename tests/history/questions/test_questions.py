"""Peaks, volume-weighted temperatures, own use, gaps: with figures from outside, and with what is missing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.history.periods import LocalCalendar, Period
from smart_meter_reader.history.questions.balance import balance
from smart_meter_reader.history.questions.bars import bars, between, total
from smart_meter_reader.history.questions.gaps import gaps
from smart_meter_reader.history.questions.heat import lowest_hour, step_factor, weighted_temperatures
from smart_meter_reader.history.questions.peaks import Peak, billed_mean, highest, quarters
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.rows import STARTED, STOPPED, EventRow
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Message
from tests.history.homes import energy, keep, reading, status

BRUSSELS = LocalCalendar(ZoneInfo("Europe/Brussels"))
JANUARY = BRUSSELS.midnight(date(2026, 1, 1))


def e8_e9(time: int, volume: str, e8: str, e9: str) -> Message:
    return reading(
        time,
        {
            "volume": (volume, "m³"),
            "volume_times_flow_temperature": (e8, "m³·°C"),
            "volume_times_return_temperature": (e9, "m³·°C"),
        },
    )


def temperatures(
    history: History, begin: int, end: int, factor: str = "1"
) -> tuple[Decimal | None, Decimal | None]:
    volume, flow, back = (
        history.counter("heat", key)
        for key in ("volume", "volume_times_flow_temperature", "volume_times_return_temperature")
    )
    (found,) = weighted_temperatures(volume, flow, back, (begin, end))
    return found.flow, found.return_


def test_the_manuals_own_figures(tmp_path: Path) -> None:
    # MULTICAL 403 and 803, technical descriptions 7.1.2 and 7.1.5: first a heating system of 250 m³ at 95 and
    # 45 °C, then a year from 236.87 to 534.26 m³.
    keep(
        tmp_path / "h", [e8_e9(JANUARY, "0.00", "0", "0"), e8_e9(JANUARY + 86400, "250.00", "23750", "11250")]
    )
    with History(tmp_path / "h") as history:
        assert temperatures(history, JANUARY, JANUARY + 86400) == (Decimal("95.00"), Decimal("45.00"))
    year = JANUARY + 365 * 86400
    keep(tmp_path / "y", [e8_e9(JANUARY, "236.87", "20123", "7651"), e8_e9(year, "534.26", "48236", "18654")])
    with History(tmp_path / "y") as history:
        assert temperatures(history, JANUARY, year) == (Decimal("94.53"), Decimal("36.99"))
        assert between(history.counter("heat", "volume"), JANUARY, year).difference == Decimal("297.39")


def test_where_nothing_flows_there_is_no_temperature(tmp_path: Path) -> None:
    keep(tmp_path / "h", [e8_e9(JANUARY, "5.00", "400", "200"), e8_e9(JANUARY + 3600, "5.00", "400", "200")])
    with History(tmp_path / "h") as history:
        assert temperatures(history, JANUARY, JANUARY + 3600) == (None, None)
        assert temperatures(history, JANUARY - 7200, JANUARY - 3600) == (None, None)


@pytest.mark.parametrize(
    ("mean", "measured", "factor"),
    [("9.453", "93.1", "10"), ("94.53", "93.1", "1"), ("945.3", "93.1", "0.1"), ("9453", "93.1", "0.01")],
)
def test_a_short_display_counts_in_another_step(mean: str, measured: str, factor: str) -> None:
    assert step_factor(Decimal(mean), Decimal(measured)) == Decimal(factor)
    assert step_factor(Decimal(0), Decimal(measured)) == 1


def test_the_lowest_hour_is_one_that_is_known(tmp_path: Path) -> None:
    hours = {0: "0", 1: "10", 2: "12", 3: "20", 10: "20.5", 11: "28", 12: "36"}
    keep(tmp_path / "h", [e8_e9(JANUARY + hour * 3600, each, "0", "0") for hour, each in hours.items()])
    with History(tmp_path / "h") as history:
        made = bars(history.counter("heat", "volume"), [JANUARY + hour * 3600 for hour in range(13)])
    lowest = lowest_hour(made)
    assert lowest is not None
    assert [lowest.begin, lowest.difference] == [JANUARY + 3600, 2]
    assert lowest_hour([]) is None


def import_of(time: int, value: Decimal | str) -> Message:
    return reading(time, {"active_energy_import": (value, "kWh")}, "power")


def test_the_peak_of_a_month_is_its_highest_quarter(tmp_path: Path) -> None:
    value, messages = Decimal(1000), []
    for quarter in range(31 * 96 + 1):
        messages.append(import_of(JANUARY + quarter * 900 + 3, value))
        value += Decimal("1.205") if quarter == 1234 else Decimal("0.1")
    keep(tmp_path / "h", messages)
    month = BRUSSELS.boundaries(Period.QUARTER, date(2026, 1, 1), date(2026, 2, 1))
    with History(tmp_path / "h") as history:
        peak = highest([history.counter("power", "active_energy_import")], month)
    assert peak is not None
    assert peak.begin == JANUARY + 1234 * 900
    # Read three seconds late: that much of it counts for the quarter before.
    assert abs(peak.power - Decimal("4.82")) < Decimal("0.02")
    assert peak.quarters >= 31 * 96 - 2


def test_a_meter_that_is_read_by_the_hour_has_no_peaks(tmp_path: Path) -> None:
    keep(tmp_path / "h", [import_of(JANUARY + hour * 3600, Decimal(hour)) for hour in range(100)])
    with History(tmp_path / "h") as history:
        counter = history.counter("power", "active_energy_import")
        day = BRUSSELS.boundaries(Period.QUARTER, date(2026, 1, 1), date(2026, 1, 3))
        assert quarters([counter], day) == []
        assert highest([counter], day) is None
        assert highest([], day) is None


def test_belgium_bills_the_mean_of_twelve_months_of_at_least_two_and_a_half() -> None:
    peaks = [Peak(0, Decimal(each), 2900) for each in ("9", "1.2", "4", "6")]
    assert billed_mean(peaks[1:]) == (Decimal("2.5") + 4 + 6) / 3
    assert billed_mean([Peak(0, Decimal(99), 1), *[None] * 11, peaks[2]]) == 4
    assert billed_mean([None]) is None


def test_own_use_is_what_was_produced_and_not_exported(tmp_path: Path) -> None:
    def of(time: int, values: tuple[str, str, str, str]) -> list[Message]:
        keys = ("active_energy_import_tariff_1", "active_energy_import_tariff_2", "active_energy_export")
        meter = reading(
            time, {key: (each, "kWh") for key, each in zip(keys, values[:3], strict=True)}, "power"
        )
        return [meter, reading(time, {"active_energy_export": (values[3], "Wh")}, "solar")]

    keep(
        tmp_path / "h",
        [*of(JANUARY, ("10", "20", "5", "7000")), *of(JANUARY + 900, ("11", "22", "9", "15000"))],
    )
    with History(tmp_path / "h") as history:
        tariffs = [history.counter("power", f"active_energy_import_tariff_{number}") for number in (1, 2)]
        exported = history.counter("power", "active_energy_export")
        produced = history.counter("solar", "active_energy_export")
        (found,) = balance(tariffs, [exported], [produced], (JANUARY, JANUARY + 900))
        assert [found.imported, found.exported, found.produced] == [3, 4, 8]
        assert [found.net, found.own_use, found.used] == [-1, 4, 7]
        (without,) = balance(tariffs, [exported], [], (JANUARY, JANUARY + 900))
        assert [without.net, without.own_use, without.used] == [-1, None, None]


def test_gaps_say_why(tmp_path: Path) -> None:
    hours = [0, 1, 2, 3, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24, 25, 26, 40, 41, 42, 43]
    messages: list[Message] = [energy(JANUARY + hour * 3600, Decimal(hour)) for hour in hours]
    messages.insert(4, status(JANUARY + 3 * 3600 + 1800, "meter_silent", state="offline"))
    store = keep(tmp_path / "h", messages)
    store.open()
    store.write(
        [
            EventRow("", JANUARY + 14 * 3600 + 60, STOPPED, "the service was stopped"),
            EventRow("", JANUARY + 20 * 3600, STARTED, "the service began"),
            EventRow("", JANUARY + 40 * 3600, STARTED, "the service began"),
        ]
    )
    store.close()
    with History(tmp_path / "h") as history:
        found = gaps(history, "heat", "heat_energy", JANUARY, JANUARY + 50 * 3600)
        part_of_it = gaps(history, "heat", "heat_energy", JANUARY + 5 * 3600, JANUARY + 6 * 3600)
    at = [((gap.begin - JANUARY) // 3600, (gap.end - JANUARY) // 3600, gap.reason) for gap in found]
    assert at == [(3, 10, "meter_silent"), (14, 20, "stopped"), (26, 40, "ended")]
    assert all(gap.counted for gap in found)
    assert part_of_it == found[:1]


def test_a_replaced_meter_is_a_gap_of_which_nothing_is_known(tmp_path: Path) -> None:
    keep(
        tmp_path / "h",
        [
            *(energy(JANUARY + hour * 3600, Decimal(hour)) for hour in range(5)),
            status(JANUARY + 6 * 3600, "meter_replaced"),
            *(energy(JANUARY + hour * 3600, Decimal(hour)) for hour in range(7, 12)),
        ],
    )
    with History(tmp_path / "h") as history:
        (gap,) = gaps(history, "heat", "heat_energy", JANUARY, JANUARY + 86400)
    assert (gap.reason, gap.text, gap.counted) == ("restart", "because of meter_replaced", False)


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=60))
def test_previous_periods_lie_side_by_side(uses: list[int]) -> None:
    for period in Period:
        if period in (Period.HOUR, Period.QUARTER):
            continue
        day = BRUSSELS.first_day(period, date(2024, 2, 29))
        for _ in uses[:10]:
            before = BRUSSELS.earlier_day(period, day)
            assert BRUSSELS.next_day(period, before) == day
            day = before


def test_a_year_before_a_leap_day_is_the_last_of_february() -> None:
    assert BRUSSELS.year_before(Period.DAY, date(2024, 2, 29)) == date(2023, 2, 28)
    assert BRUSSELS.year_before(Period.MONTH, date(2024, 3, 1)) == date(2023, 3, 1)
    assert BRUSSELS.year_before(Period.WEEK, date(2026, 11, 23)).weekday() == 0


def test_wrong_values_are_passed_over_and_come_back(tmp_path: Path) -> None:
    values = ["0", "1", "2", "900", "901", "5", "6"]
    path = tmp_path / "h"
    messages = [energy(JANUARY + hour * 3600, each) for hour, each in enumerate(values)]
    store = Store(path)
    keep(path, messages)
    day = (JANUARY, JANUARY + 6 * 3600)
    with History(path) as history:
        assert between(history.counter("heat", "heat_energy"), *day).difference == 902
    store.open()
    number = store.note("heat", "", "wrong", JANUARY + 3 * 3600, JANUARY + 4 * 3600, "the head had slipped")
    with History(path) as history:
        counter = history.counter("heat", "heat_energy")
        assert [bar.difference for bar in bars(counter, [JANUARY + hour * 3600 for hour in range(7)])] == [
            1, 1, 1, 1, 1, 1,
        ]  # fmt: skip
        assert len(history.notes()) == 1
    store.take_back(number)
    with History(path) as history:
        assert between(history.counter("heat", "heat_energy"), *day).difference == 902
        assert history.notes()[0].taken_back is not None
    store.close()


def test_a_replacement_that_a_person_notes_cuts_the_counter(tmp_path: Path) -> None:
    keep(tmp_path / "h", [energy(JANUARY + hour * 3600, Decimal(hour * hour)) for hour in range(6)])
    store = Store(tmp_path / "h")
    store.open()
    store.note("heat", "", "replaced", JANUARY + 3 * 3600, JANUARY + 3 * 3600, "by the works")
    store.close()
    with History(tmp_path / "h") as history:
        counter = history.counter("heat", "heat_energy")
        made = bars(counter, [JANUARY + hour * 3600 for hour in range(6)])
        assert [part.why for part in counter.parts] == ["first reading", "noted as replaced"]
        assert [bar.difference for bar in made] == [1, 3, None, 7, 9]
        assert total(made) == 20
    assert all(before < after for before, after in pairwise(bar.begin for bar in made))
