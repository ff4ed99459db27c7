"""Growth turned into counters: exact, round the end of the digits, and nothing where it contradicts."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.iec62056_21.log.counters import Growth, Mark, modulus, walk, walk_back

DAY = timedelta(days=1)
NEWEST = datetime(2017, 10, 28)  # noqa: DTZ001 - by the meter's clock
SEVEN = modulus(3)


def periods(added: list[Decimal]) -> list[Growth]:
    return [Growth(NEWEST - DAY * place, DAY, growth) for place, growth in enumerate(added)]


GROWTHS = st.lists(st.decimals(0, 99, places=3), min_size=1, max_size=60)


@pytest.mark.parametrize(("digits", "whole"), [(7, "10000.000"), (8, "100000.000")])
def test_a_counter_begins_again_when_its_digits_are_used_up(digits: int, whole: str) -> None:
    assert modulus(3, digits) == Decimal(whole)
    assert walk_back(Decimal("0.002"), [Decimal("0.003")], modulus(3, digits)) == [
        Decimal("0.002"),
        Decimal(whole) - Decimal("0.001"),
    ]


@given(GROWTHS, st.decimals(0, 9999, places=3))
def test_walking_back_and_adding_up_is_the_same_way(added: list[Decimal], counter: Decimal) -> None:
    counters = walk_back(counter, added, SEVEN)
    assert len(counters) == len(added) + 1
    assert (counters[-1] + sum(added, Decimal(0))) % SEVEN == counter
    assert all(value.as_tuple().exponent == -3 for value in counters[1:])


@given(GROWTHS, st.decimals(0, 9999, places=3), st.data())
def test_from_whatever_mark_the_walk_is_the_same(
    added: list[Decimal], counter: Decimal, data: st.DataObject
) -> None:
    true = walk_back(counter, added, SEVEN)
    ends = [NEWEST - DAY * place for place in range(len(added) + 1)]
    places = data.draw(st.sets(st.integers(0, len(added)), min_size=1))
    walked = walk(periods(added), [Mark(ends[place], true[place]) for place in places], SEVEN)
    assert walked.counters == dict(zip(ends, true, strict=True))
    assert not walked.told


def test_between_marks_that_growth_does_not_lead_to_there_is_nothing() -> None:
    added = [Decimal(1)] * 10
    marks = [
        Mark(NEWEST - DAY * 2, Decimal(100)),
        Mark(NEWEST - DAY * 5, Decimal(97)),
        Mark(NEWEST - DAY * 8, Decimal(93)),
    ]
    walked = walk(periods(added), marks, SEVEN)
    assert sorted(walked.counters.values()) == [97, 98, 99, 100]
    assert "moved by 4" in walked.told[0]
    assert "comes to 3" in walked.told[0]


def test_a_walk_that_passes_the_live_counter_is_wrong() -> None:
    marks = [Mark(NEWEST - DAY * 3, Decimal(100))]
    for live, right in ((Decimal(103), True), (Decimal("102.9"), False)):
        walked = walk(periods([Decimal(1)] * 5), marks, SEVEN, live=Mark(NEWEST, live))
        assert bool(walked.counters) is right
        assert bool(walked.told) is not right


@pytest.mark.parametrize(
    ("counter", "live", "right"),
    [
        ("9999.000", "0.000", True),  # it began again since
        ("0.000", "4999.999", True),
        ("0.000", "5000.000", False),  # half of what it can show: it fell, rather
        ("100.000", "99.999", False),
        ("100.000", "100.000", True),
    ],
)
def test_what_the_counter_shows_later_is_not_below_it(counter: str, live: str, right: bool) -> None:
    known = [Mark(NEWEST, Decimal(counter))]
    for later in (NEWEST, NEWEST + DAY):
        walked = walk(periods([Decimal("0.000")]), known, SEVEN, live=Mark(later, Decimal(live)))
        assert bool(walked.counters) is right
        assert bool(walked.told) is not right
    assert walk(
        periods([Decimal(0)]), known, SEVEN, live=Mark(NEWEST - timedelta(seconds=1), Decimal(live))
    ).counters


def test_beyond_a_contradiction_nothing_is_walked() -> None:
    """Which of the two marks is wrong nobody knows, so neither leads anywhere."""
    marks = [Mark(NEWEST - DAY * 2, Decimal(100)), Mark(NEWEST - DAY * 4, Decimal(97))]
    walked = walk(periods([Decimal(1)] * 8), marks, SEVEN)
    assert walked == walk(periods([Decimal(1)] * 8), marks, SEVEN, live=Mark(NEWEST, Decimal(100)))
    assert walked.counters == {}
    assert walked.told == (
        "from 2017-10-24 to 2017-10-26 the counter moved by 3.000, and what was added comes to 2: these "
        "periods give no reading",
    )


def test_a_counter_that_began_again_between_two_marks_contradicts_nothing() -> None:
    marks = [Mark(NEWEST, Decimal("0.500")), Mark(NEWEST - DAY, Decimal("9999.500"))]
    walked = walk(periods([Decimal("1.000")]), marks, SEVEN)
    assert walked.counters == {mark.at: mark.counter for mark in marks}
    before = walk(periods([Decimal("1.000")]), marks[1:], SEVEN)
    assert before.counters[NEWEST] == Decimal("0.500")


def test_what_is_told_names_days_and_where_it_has_to_the_minute() -> None:
    (told,) = walk([Growth(NEWEST, DAY, Decimal(1))], [], SEVEN).told
    assert "from 2017-10-27 to 2017-10-28:" in told
    five = NEWEST + timedelta(hours=5)
    (told,) = walk([Growth(five, timedelta(minutes=30), Decimal(1))], [], SEVEN).told
    assert "from 2017-10-28 04:30 to 2017-10-28 05:00:" in told
    half = NEWEST + timedelta(minutes=30)
    (told,) = walk([Growth(half, timedelta(minutes=30), Decimal(1))], [], SEVEN).told
    assert "from 2017-10-28 to 2017-10-28 00:30:" in told
    live = Mark(NEWEST, Decimal(99))
    (told,) = walk([Growth(NEWEST, DAY, Decimal(1))], [Mark(NEWEST, Decimal(100))], SEVEN, live=live).told
    assert told.startswith(
        "what was added leads to 100 on 2017-10-28, more than the 99 that the counter shows"
    )


def test_a_gap_is_not_walked_over() -> None:
    some = periods([Decimal(1)] * 6)
    walked = walk([*some[:2], *some[3:]], [Mark(NEWEST, Decimal(100))], SEVEN)
    assert sorted(walked.counters.values()) == [98, 99, 100]
    assert "no counter is known" in walked.told[0]


def test_without_a_mark_there_is_no_reading() -> None:
    walked = walk(periods([Decimal(1)]), [], SEVEN)
    assert not walked.counters
    assert walked.told
