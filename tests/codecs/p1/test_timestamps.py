"""P1 timestamps: the suffix, the changes of summer time, and nonsense that meters send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.p1.timestamps import looks_like_timestamp, parse_moment, parse_timestamp


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("170102192002W", "2017-01-02T18:20:02"),
        ("200512135409S", "2020-05-12T11:54:09"),
        # The hour that comes twice, 25 October 2020: only the suffix tells which one it is.
        ("201025023000S", "2020-10-25T00:30:00"),
        ("201025023000W", "2020-10-25T01:30:00"),
        # Without suffix (gas of DSMR 2.2 and 3): the rule decides, and the double hour is standard time.
        ("201025013000", "2020-10-24T23:30:00"),
        ("201025023000", "2020-10-25T01:30:00"),
        ("201025030000", "2020-10-25T02:00:00"),
        ("200329015959", "2020-03-29T00:59:59"),
        ("200329030000", "2020-03-29T01:00:00"),
        ("201025015959", "2020-10-24T23:59:59"),
        ("201025020000", "2020-10-25T01:00:00"),
        ("210328015959", "2021-03-28T00:59:59"),
        ("210328030000", "2021-03-28T01:00:00"),
        # A last Sunday that is the last day of its month.
        ("240330120000", "2024-03-30T11:00:00"),
        ("240331030000", "2024-03-31T01:00:00"),
        ("211030120000", "2021-10-30T10:00:00"),
        ("211031030000", "2021-10-31T02:00:00"),
        ("060101000000W", "2005-12-31T23:00:00"),
        ("681231235959W", "2068-12-31T22:59:59"),
        ("161107190000", "2016-11-07T18:00:00"),
        ("160707190000", "2016-07-07T17:00:00"),
        # A meter may be wrong about the season; the suffix is what it means.
        ("160707190000W", "2016-07-07T18:00:00"),
        # Written by gateways that make all letters small.
        ("150701190000s", "2015-07-01T17:00:00"),
        ("150101190000w", "2015-01-01T18:00:00"),
    ],
)
def test_moments(text: str, utc: str) -> None:
    assert parse_moment(text) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "250000000000W",
        "213112235959W",
        "632525252525S",
        "200230120000W",
        "200101240000W",
        "200101120060W",
        "200329020000",
        "200329025959",
        "210328023000",
        "200329023000",  # the hour that does not exist
        "20010112000W",
        "2001011200000W",
        "200101120000X",
        "200101120000x",
        "٢٠٠١٠١١٢٠٠٠٠W",
        "-00101120000W",
    ],
)
def test_nonsense_is_absent(text: str) -> None:
    assert parse_timestamp(text) is None
    assert parse_moment(text) is None


@pytest.mark.parametrize(
    "text", ["000101010000W", "000101000001W", "700101010000W", "690101000000W", "051231235959W"]
)
def test_a_clock_that_was_never_set_names_no_time(text: str) -> None:
    assert parse_timestamp(text) is not None
    assert parse_moment(text) is None


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("210204163628W", True),
        ("999999999999s", True),  # in shape, whatever its sense
        ("210204163628", False),
        ("210204163628X", False),
        ("2102041636280W", False),
        ("21020416362W", False),
        ("21020416362AW", False),
        ("²10204163628W", False),
        ("٢٠٠١٠١١٢٠٠٠٠W", False),
    ],
)
def test_the_shape_of_a_timestamp(text: str, looks: bool) -> None:
    assert looks_like_timestamp(text) is looks


@pytest.mark.parametrize("suffix", ["", "S", "W", "s", "w"])
def test_which_century_it_is(suffix: str) -> None:
    years = []
    for text in ("68", "69", "99", "00"):
        moment = parse_timestamp(f"{text}0601120000{suffix}")
        assert moment is not None
        years.append(moment.year)
    assert years == [2068, 1969, 1999, 2000]


@pytest.mark.parametrize(("suffix", "hours"), [("S", 2), ("s", 2), ("W", 1), ("w", 1)])
@pytest.mark.parametrize("year", ["99", "20"])
def test_the_suffix_gives_the_offset_at_any_time_of_the_year(year: str, suffix: str, hours: int) -> None:
    for day in ("0101", "0701"):
        moment = parse_timestamp(f"{year}{day}120000{suffix}")
        assert moment is not None
        assert moment.utcoffset() == timedelta(hours=hours)


def test_a_time_that_was_read_before_is_told_as_a_clock_tells_it() -> None:
    moment = parse_moment("2020-05-12T13:54:09+02:00")
    assert moment == datetime(2020, 5, 12, 11, 54, 9, tzinfo=UTC)
    assert moment is not None
    assert moment.tzinfo is UTC
    assert parse_moment("2005-05-12T13:54:09+02:00") is None


@given(st.text(max_size=16) | st.from_regex(r"[0-9]{12}[SW]?", fullmatch=True))
def test_any_text_gives_an_aware_time_or_none(text: str) -> None:
    moment = parse_timestamp(text)
    if moment is not None:
        assert moment.utcoffset() in (timedelta(hours=1), timedelta(hours=2))
    if looks_like_timestamp(text):
        assert len(text) == 13


@given(st.datetimes(min_value=datetime(2006, 1, 2), max_value=datetime(2068, 12, 30)))  # noqa: DTZ001
def test_what_a_meter_writes_is_read_back(local: datetime) -> None:
    local = local.replace(microsecond=0)
    for suffix, offset in (("S", 2), ("W", 1)):
        moment = parse_moment(local.strftime("%y%m%d%H%M%S") + suffix)
        assert moment is not None
        assert moment.replace(tzinfo=None) + timedelta(hours=offset) == local
