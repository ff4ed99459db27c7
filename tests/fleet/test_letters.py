"""Subjects, letters and what writers tell: pure, and the same whenever it is tried."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.fleet.envelope import headers, letters, origin_of_letter
from smart_meter_reader.fleet.subjects import Subject, parse_subject
from smart_meter_reader.fleet.written import (
    WrittenTold,
    decode_asked,
    decode_told,
    encode_asked,
    encode_told,
    numbers_in,
    ranges_of,
)
from smart_meter_reader.messages import Past, Reading, Status

T = datetime(2026, 11, 29, 12, 0, 0, 250_000, tzinfo=UTC)
NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


def reading(**other: object) -> Reading:
    values = {"power": {"value": Decimal("1.20"), "unit": "kW"}}
    return {"type": "reading", "meter": "heat", "time": T, "measurements": values, **other}  # type: ignore[typeddict-item]


@given(NAMES, NAMES.filter(lambda name: name not in ("written", "cmd")), NAMES)
def test_a_subject_comes_back(tenant: str, site: str, source: str) -> None:
    subject = Subject(tenant, site, "reading", source)
    assert parse_subject(str(subject)) == subject


@pytest.mark.parametrize(
    "text",
    [
        "smr.v1.t.s.reading",
        "smr.v2.t.s.reading.m",
        "smr.v1.t.written.reading.m",
        "smr.v1.t.s.other.m",
        "smr.v1.t.s.reading.m.n",
        "smr.v1.t.*.reading.m",
        "smr.v1.t..reading.m",
        "smr.v1.t.s.reading.a/b",
        "",
    ],
)
def test_what_no_edge_may_say_is_no_subject(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_subject(text)


def test_the_body_is_that_of_mqtt_json() -> None:
    (letter,) = letters(reading(), "t/s", "123")
    assert (
        letter.body
        == b'{"time":"2026-11-29T12:00:00.250000Z","measurements":{"power":{"value":1.20,"unit":"kW"}}}'
    )
    assert letter.id == "t/s/123/20261129T120000.250000Z/reading"
    assert (letter.kind, letter.meter) == ("reading", "heat")


def test_the_id_is_of_when_it_was_measured_and_not_of_when_it_came() -> None:
    measured = T - timedelta(seconds=3)
    ids = {
        letter.id
        for time in (T, T + timedelta(hours=1))
        for letter in letters(reading(time=time, measured_at=measured), "t/s", "")
    }
    assert ids == {"t/s/heat/20261129T115957.250000Z/reading"}


def test_a_row_of_a_meters_memory_is_known_by_its_log_id() -> None:
    rows = tuple(
        {"measured_at": T - timedelta(hours=hours), "log_id": 900 - hours, "measurements": {}}
        for hours in (2, 1)
    )
    past: Past = {
        "type": "past",
        "meter": "heat",
        "time": T,
        "logger": "hour",
        "serial_number": "6 1/2\r\nX: y",
        "rows": rows,  # type: ignore[typeddict-item]
    }
    told = list(letters(past, "t/s", ""))
    assert [letter.id for letter in told] == ["t/s/6_1_2__X__y/hour/898", "t/s/6_1_2__X__y/hour/899"]
    assert [letter.kind for letter in told] == ["history", "history"]
    assert json.loads(told[0].body)["logger"] == "hour"


def test_two_statuses_of_one_moment_are_two() -> None:
    status: Status = {
        "type": "status",
        "meter": "heat",
        "time": T,
        "state": "online",
        "reason": "",
        "detail": "",
    }
    other: Status = {**status, "state": "offline", "reason": "silent"}
    assert len({letter.id for each in (status, other) for letter in letters(each, "t/s", "")}) == 2


def test_headers_come_back() -> None:
    found = origin_of_letter(headers("id", "pi-7", 12, 3))
    assert (found.edge, found.sequence, found.fence) == ("pi-7", 12, 3)
    assert origin_of_letter({}).fence is None


@pytest.mark.parametrize("wrong", [{"Smr-Schema": "2"}, {"Smr-Fence": "-1"}, {"Smr-Sequence": "²"}])
def test_other_headers_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        origin_of_letter(wrong)


@given(st.sets(st.integers(0, 300)))
def test_ranges_are_the_numbers(numbers: set[int]) -> None:
    ranges = ranges_of(numbers)
    assert list(numbers_in(ranges)) == sorted(numbers)
    assert all(after[0] > before[1] + 1 for before, after in itertools.pairwise(ranges))


@given(
    st.sets(st.integers(0, 2**50), max_size=40), st.sets(st.integers(0, 2**50), max_size=40), st.booleans()
)
def test_what_is_told_and_asked_comes_back(written: set[int], refused: set[int], settled: bool) -> None:
    told = WrittenTold("pi-7", tuple(ranges_of(written)), tuple(ranges_of(refused)), settled)
    assert decode_told(encode_told(told)) == told
    assert decode_asked(encode_asked("pi-7", told.written)) == ("pi-7", told.written)


@given(st.binary(max_size=200))
def test_bytes_of_anybody_are_refused_with_a_reason(text: bytes) -> None:
    for decode in (decode_told, decode_asked):
        try:
            decode(text)
        except ValueError:
            pass


@pytest.mark.parametrize(
    "text",
    [
        b'{"edge":"a","written":[[2,1]]}',
        b'{"edge":"a","written":[[1,2,3]]}',
        b'{"edge":"a","written":[[1,99999999999999999999]]}',
        b'{"edge":"","written":[]}',
        b'{"edge":"a","settled":1}',
        b'{"edge":"a","written":[["1",2]]}',
        b"[]",
    ],
)
def test_what_no_writer_says_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_told(text)


def test_a_range_that_nobody_could_have_meant_ends() -> None:
    assert sum(1 for _ in numbers_in([(0, 2**60)])) == 50_000
