"""Bars add up to what the meter counted, whatever happened between the readings and however time is cut."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.questions.bars import bars, between, total
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.rows import RowOrigin
from smart_meter_reader.messages import Message
from tests.history.homes import energy, keep, status

T0 = 1_700_000_000 - 1_700_000_000 % 86400


def counted(counter: CounterHistory, unit_decimals: int | None = None) -> Decimal:
    """What all parts have counted, in their own unit."""
    return sum((Decimal(part.counted).scaleb(-part.decimals) for part in counter.parts), Decimal(0))


@st.composite
def lives(draw: st.DrawFn) -> list[Message]:
    """A meter's life: readings with gaps, falls, roll-overs, replacements, baselines, changing decimals."""
    time, value = T0, Decimal(draw(st.integers(0, 10**6))).scaleb(-3)
    messages: list[Message] = [energy(time, value)]
    for _ in range(draw(st.integers(0, 40))):
        time += draw(st.sampled_from([1, 10, 60, 300, 900, 3600, 7200, 86400, 40 * 86400]))
        event = draw(
            st.sampled_from(["", "", "", "", "offline", "meter_replaced", "new_baseline", "fall", "turn"])
        )
        value += Decimal(draw(st.integers(0, 5000))).scaleb(-draw(st.integers(0, 4)))
        match event:
            case "offline":
                messages.append(status(time, "silent", state="offline"))
                continue
            case "meter_replaced":
                messages.append(status(time, event))
                value = Decimal(draw(st.integers(0, 10**6))).scaleb(-3)
            case "new_baseline":
                messages.append(status(time, event, quantities=("heat_energy",)))
                value += 100_000
            case "fall":
                value = Decimal(0)
            case "turn":
                value = Decimal(draw(st.integers(1, 99))).scaleb(-3)
                messages.append(energy(time - 1, Decimal("9999.9")))
        messages.append(energy(time, value))
    return messages


@given(messages=lives(), cuts=st.lists(st.integers(T0 - 86400, T0 + 90 * 86400), max_size=40, unique=True))
@settings(deadline=None, max_examples=150)
def test_bars_of_any_partition_add_up_to_what_was_counted(
    messages: list[Message], cuts: Sequence[int]
) -> None:
    boundaries = sorted({T0 - 1, *cuts, T0 + 4000 * 86400})
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "home.history"
        keep(path, messages)
        with History(path) as history:
            counter = history.counter("heat", "heat_energy")
            made = bars(counter, boundaries)
            assert total(made) == counted(counter)
            assert all(bar.difference is None or bar.difference >= 0 for bar in made)
            # An instant has one value: two bars beside each other are as much as one over both.
            for left, right in pairwise(made):
                both = between(counter, left.begin, right.end)
                assert (both.difference or 0) == (left.difference or 0) + (right.difference or 0)


def test_nothing_of_what_is_used_between_two_hours_is_lost(tmp_path: Path) -> None:
    # dsmr-reader#1770, #2099: last minus first within each hour loses what flows from its last reading to the
    # next hour's first.
    keep(tmp_path / "h", [energy(T0 + hour * 3600 + 1800, Decimal(hour)) for hour in range(25)])
    with History(tmp_path / "h") as history:
        counter = history.counter("heat", "heat_energy")
        hours = bars(counter, [T0 + hour * 3600 for hour in range(26)])
        assert [bar.difference for bar in hours[1:24]] == [Decimal(1)] * 23
        assert total(hours) == 24
        assert not any(bar.estimated for bar in hours)


def test_a_gap_is_estimated_and_says_from_when_to_when(tmp_path: Path) -> None:
    hours = [*range(48), *range(60, 80)]
    keep(tmp_path / "h", [energy(T0 + hour * 3600, Decimal(hour * 2)) for hour in hours])
    with History(tmp_path / "h") as history:
        made = bars(history.counter("heat", "heat_energy"), [T0 + hour * 3600 for hour in range(80)])
    gap = (T0 + 47 * 3600, T0 + 60 * 3600)
    assert [bar.estimated for bar in made] == [47 <= hour < 60 for hour in range(79)]
    assert {unread for bar in made for unread in bar.unread} == {gap}
    assert {bar.difference for bar in made} == {Decimal(2)}


def test_a_meter_that_is_read_more_seldom_from_one_day_on_has_no_gap(tmp_path: Path) -> None:
    quarters = [T0 + quarter * 900 for quarter in range(300)]
    hours = [quarters[-1] + hour * 3600 for hour in range(1, 100)]
    keep(tmp_path / "h", [energy(time, Decimal(n)) for n, time in enumerate([*quarters, *hours])])
    with History(tmp_path / "h") as history:
        made = bars(history.counter("heat", "heat_energy"), [T0 + n * 3600 + 1800 for n in range(170)])
    assert not any(bar.estimated for bar in made)


def test_a_gap_in_which_nothing_was_used_is_no_estimate(tmp_path: Path) -> None:
    hours = [*range(48), *range(60, 80)]
    keep(tmp_path / "h", [energy(T0 + hour * 3600, Decimal(min(hour, 47))) for hour in hours])
    with History(tmp_path / "h") as history:
        made = bars(history.counter("heat", "heat_energy"), [T0 + hour * 3600 for hour in range(47, 61)])
    assert not any(bar.estimated for bar in made)


def test_a_replaced_meter_leaves_no_negative_bar_and_no_hole_in_the_sum(tmp_path: Path) -> None:
    keep(
        tmp_path / "h",
        [
            energy(T0, "500"),
            energy(T0 + 3600, "510"),
            status(T0 + 5000, "meter_replaced"),
            energy(T0 + 7200, "2"),
            energy(T0 + 10800, "7"),
        ],
    )
    with History(tmp_path / "h") as history:
        counter = history.counter("heat", "heat_energy")
        (day,) = bars(counter, [T0, T0 + 86400])
        assert (day.difference, day.counter_begin, day.counter_end) == (Decimal(15), Decimal(500), Decimal(7))
        assert [each.why for each in history.segments("heat")] == [
            "first reading",
            "because of meter_replaced",
        ]
        assert [bar.difference for bar in bars(counter, [T0 + 4000, T0 + 7000])] == [None]


def test_digits_that_roll_over_go_on_counting(tmp_path: Path) -> None:
    keep(tmp_path / "h", [energy(T0, "9999.5"), energy(T0 + 3600, "0.7"), energy(T0 + 7200, "1.0")])
    with History(tmp_path / "h") as history:
        (day,) = bars(history.counter("heat", "heat_energy"), [T0, T0 + 86400])
    assert (day.difference, day.counter_begin, day.counter_end) == (
        Decimal("1.5"),
        Decimal("9999.5"),
        Decimal("1.0"),
    )


def test_a_meter_that_changes_its_unit_is_told_in_either(tmp_path: Path) -> None:
    keep(
        tmp_path / "h",
        [
            energy(T0, "1.000", unit="GJ"),
            energy(T0 + 3600, "2.000", unit="GJ"),
            energy(T0 + 7200, "555.6"),
            energy(T0 + 10800, "655.6"),
        ],
    )
    with History(tmp_path / "h") as history:
        counter = history.counter("heat", "heat_energy")
        assert between(counter, T0, T0 + 86400).difference == Decimal("377.78")
        assert between(counter, T0, T0 + 86400, "GJ").difference == Decimal("1.3600")
        with pytest.raises(ValueFormatError, match="cannot be told in m³"):
            between(counter, T0, T0 + 86400, "m³")


def test_a_day_that_is_not_over_is_not_complete(tmp_path: Path) -> None:
    keep(tmp_path / "h", [energy(T0 + quarter * 900, Decimal(quarter)) for quarter in range(-4, 150)])
    with History(tmp_path / "h") as history:
        made = bars(history.counter("heat", "heat_energy"), [T0 - 86400, T0, T0 + 86400, T0 + 2 * 86400])
    assert [bar.complete for bar in made] == [False, True, False]
    assert {bar.origin for bar in made} == {RowOrigin.MEASURED}


def test_before_the_first_reading_and_after_the_last_nothing_is_known(tmp_path: Path) -> None:
    keep(tmp_path / "h", [energy(T0, "5"), energy(T0 + 900, "6")])
    with History(tmp_path / "h") as history:
        counter = history.counter("heat", "heat_energy")
        assert between(counter, T0 - 900, T0 - 10).difference is None
        assert between(counter, T0 + 901, T0 + 9000).difference is None
        assert between(counter, T0 - 900, T0 + 9000).difference == 1
        assert between(history.counter("heat", "volume"), T0, T0 + 900).difference is None
