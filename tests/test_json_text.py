"""JSON text: the meter's digits stay, times are UTC, and whatever is written reads back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.json_text import DEEPEST, LONGEST_TEXT, dumps, loads_bounded, message_text


class Colour(StrEnum):
    RED = "red"


class Count(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("7.60"), "7.60"),
        (Decimal("0.1"), "0.1"),
        (Decimal("-120"), "-120"),
        (Decimal("0.0"), "0.0"),
        (Decimal("0.000000000"), "0.000000000"),
        (Decimal("2.55E+5"), "255000"),
        (Decimal("0E+3"), "0"),
        (Decimal("1E-12"), "0.000000000001"),
        (Decimal("1959120400000000000000000"), "1959120400000000000000000"),
        (12, "12"),
        (True, "true"),
        (None, "null"),
        (0.5, "0.5"),
        ("m³", '"m³"'),
        ('a"\\\n\x01', '"a\\"\\\\\\n\\u0001"'),
        (Colour.RED, '"red"'),
        (date(2022, 9, 1), '"2022-09-01"'),
        ((1, "a"), '[1,"a"]'),
        (frozenset({2, 1}), "[1,2]"),
        ({}, "{}"),
        ([], "[]"),
        (MappingProxyType({"a": Decimal("1.0")}), '{"a":1.0}'),
    ],
)
def test_text_of(value: object, text: str) -> None:
    assert dumps(value) == text


def test_a_time_is_written_in_utc() -> None:
    winter = timezone(timedelta(hours=1))
    assert dumps(datetime(2026, 1, 2, 3, 4, 5, tzinfo=winter)) == '"2026-01-02T02:04:05Z"'
    assert dumps(datetime(2026, 1, 2, 3, 4, 5, 60000, tzinfo=UTC)) == '"2026-01-02T03:04:05.060000Z"'


class LocalTime(datetime):
    """As libraries that set the clock derive it."""


def test_a_time_of_a_class_of_its_own_is_a_time() -> None:
    assert dumps(LocalTime(2026, 1, 2, tzinfo=UTC)) == '"2026-01-02T00:00:00Z"'
    assert message_text({"time": LocalTime(2026, 1, 2, tzinfo=UTC)}) == '{"time":"2026-01-02T00:00:00Z"}'
    with pytest.raises(ValueError, match="time zone"):
        dumps(LocalTime(2026, 1, 2))


def test_a_reading() -> None:
    reading = {
        "type": "reading",
        "meter": "heat",
        "time": datetime(2026, 1, 2, tzinfo=UTC),
        "measurements": {
            "heat_energy": {"value": Decimal("227.445"), "unit": "GJ"},
            "clock": {"value": "20:02:43", "unit": ""},
            "gas_volume": {
                "value": Decimal("1.000"),
                "unit": "m³",
                "measured_at": datetime(2026, 1, 1, 23, 55, tzinfo=UTC),
            },
        },
    }
    assert dumps(reading) == (
        '{"type":"reading","meter":"heat","time":"2026-01-02T00:00:00Z","measurements":{'
        '"heat_energy":{"value":227.445,"unit":"GJ"},'
        '"clock":{"value":"20:02:43","unit":""},'
        '"gas_volume":{"value":1.000,"unit":"m³","measured_at":"2026-01-01T23:55:00Z"}}}'
    )


@pytest.mark.parametrize("text", ["NaN", "-sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="JSON has no number"):
        dumps({"value": Decimal(text), "unit": ""})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_float_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON has no number"):
        dumps(value)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        dumps(datetime(2026, 1, 2))  # noqa: DTZ001


def test_what_has_no_place_in_a_message_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes has no place"):
        dumps({"raw": b"\x80"})


_leaves = (
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
    | st.integers()
    | st.text()
    | st.booleans()
    | st.none()
)
_trees = st.recursive(
    _leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def _as_json_reads_it(value: object) -> object:
    match value:
        case bool() | None | str():
            return value
        case Decimal() | int():
            return Decimal(value)
        case Mapping():
            return {key: _as_json_reads_it(inner) for key, inner in value.items()}
        case list():
            return [_as_json_reads_it(inner) for inner in value]
    raise AssertionError(value)


@given(_trees)
def test_what_is_written_reads_back(value: object) -> None:
    back = json.loads(dumps(value), parse_float=Decimal, parse_int=Decimal)
    assert back == _as_json_reads_it(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_a_measurement_keeps_every_digit(number: Decimal) -> None:
    back = json.loads(dumps({"power": {"value": number, "unit": "kW"}}), parse_float=str, parse_int=str)
    assert back == {"power": {"value": format(number, "f"), "unit": "kW"}}


_values = (
    st.decimals(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.text()
    | st.sampled_from(
        ["1E+5", "NaN", "-01T00:00:00,", "2021-06-10T22:17:06+00:00", "Infinity"]
    )  # look unusual and are texts
    | st.datetimes(timezones=st.timezones() | st.just(UTC), allow_imaginary=False)
)
# With a hundred leaves for each of many keys, making them up took 40 s, and writing them 1 s.
_messages = st.dictionaries(
    st.text(),
    st.recursive(_values, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8),
    max_size=4,
)


@given(_messages)
def test_a_message_is_written_as_anything_else_is(message: dict[str, object]) -> None:
    assert _text_or_error(message_text, message) == _text_or_error(dumps, message)


def _in_a_message(value: object) -> tuple[dict[str, object], ...]:
    return {"time": value}, {"times": [1, value]}, {"gas": {"measured_at": value, "unit": "m³"}}


@pytest.mark.parametrize(
    "value",
    [
        *map(
            Decimal, ["2.55E+5", "-2.55E-9", "0E-9", "1E+3", "NaN", "-NaN7", "sNaN", "Infinity", "-Infinity"]
        ),
        datetime(2026, 1, 2),  # noqa: DTZ001
        datetime(2026, 1, 2, 3, 4, 5, 600),  # noqa: DTZ001
        datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=-1))),
        datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime(2026, 1, 2, tzinfo=timezone(timedelta(0), "GMT")),
        Colour.RED,
        Count.ONE,
        MappingProxyType({"a": Decimal("1E+1")}),
        object,
    ],
    ids=str,
)
def test_a_message_takes_no_other_form_of_number_or_time(value: object) -> None:
    for message in _in_a_message(value):
        assert _text_or_error(message_text, message) == _text_or_error(dumps, message)


def _text_or_error(write: Callable[[dict[str, object]], str], message: dict[str, object]) -> str:
    try:
        return write(message)
    except (TypeError, ValueError) as error:
        return repr(error)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(ANYTHING, st.booleans())
def test_bounded_reading_reads_what_json_is(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    if "\ud800" <= max(text, default="") <= "\udfff":
        return  # half a character has no UTF-8
    assert loads_bounded(text.encode(errors="surrogatepass")) == value


@pytest.mark.parametrize("nest", ["[{}]", '{{"a":{}}}', '{{"]":{}}}', '["\\"[",{}]'])
def test_depth_is_bounded_and_brackets_in_texts_do_not_count(nest: str) -> None:
    text = "1"
    for _ in range(DEEPEST):
        text = nest.format(text)
    assert loads_bounded(text.encode())
    with pytest.raises(ValueError, match="deeper"):
        loads_bounded(nest.format(text).encode())
    assert loads_bounded(b'"' + b"[" * 10_000 + b'"')


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"a":' * 40_000,
        b'["' + b'\\"' * 100_000 + b"[" * 1000,
        b"[NaN]",
        b"[-Infinity]",
        b"9" * 10_000,
        b'"' + b"x" * LONGEST_TEXT + b'"',
        "[1]".encode("utf-16"),
        b"\xff",
        b"",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_bounded_reading_refuses_what_would_take_long_or_is_no_json(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads_bounded(text)
