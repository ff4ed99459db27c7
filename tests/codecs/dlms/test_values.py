"""One value of a list: numbers with their scaler, texts, moments, and what is none of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from smart_meter_reader.codecs.dlms.axdr import BOOLEAN, ENUM, FLOAT32, INT32, NULL, OCTETS, VISIBLE, Item
from smart_meter_reader.codecs.dlms.date_time import encode_date_time, parse_date_time
from smart_meter_reader.codecs.dlms.layouts import CodedValue, ScalerUnit
from smart_meter_reader.codecs.dlms.values import item_text, value_of
from smart_meter_reader.codecs.obis import ObisCode
from smart_meter_reader.text import LONGEST_NAME

CODE = ObisCode(1, 0, 1, 8, 0, 255)
NOON = datetime(2026, 1, 1, 12, 34, 56, 780_000)  # noqa: DTZ001 - a meter may not tell its zone


@pytest.mark.parametrize(
    ("number", "scaler", "value"),
    [
        (1234, None, "1234"),
        (1234, 0, "1234"),
        (1234, -2, "12.34"),
        (-5, -3, "-0.005"),
        (1234, 1, "12340"),
        (1234, 3, "1234000"),
        (1, 12, "1000000000000"),
        (1, -12, "1E-12"),
        (1, 13, None),
        (1, -13, None),
    ],
)
def test_a_number_is_scaled_and_written_out(number: int, scaler: int | None, value: str | None) -> None:
    unit = None if scaler is None else ScalerUnit(scaler, 30)
    found = value_of(CodedValue(CODE, Item(INT32, number), unit))
    assert (None if found is None else str(found)) == value


def test_a_number_with_too_many_digits_is_none() -> None:
    scaled = CodedValue(CODE, Item(INT32, 2**31 - 1), ScalerUnit(11, 30))
    assert value_of(scaled) is None
    assert value_of(CodedValue(CODE, Item(FLOAT32, Decimal("2.5")), ScalerUnit(3, 30))) == Decimal(2500)
    assert value_of(CodedValue(CODE, Item(NULL, None), ScalerUnit(3, 30))) is None


def test_what_is_no_number_keeps_its_text_whatever_scaler_is_told() -> None:
    assert value_of(CodedValue(CODE, Item(OCTETS, b"KFM_001"), ScalerUnit(3, 30))) == "KFM_001"


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (Item(ENUM, 3), 3),
        (Item(BOOLEAN, 1), 1),
        (Item(NULL, None), None),
        (Item(FLOAT32, Decimal("2.5")), Decimal("2.5")),
        (Item(FLOAT32, Decimal("1E+30")), "1E+30"),
        (Item(OCTETS, b"KFM_001"), "KFM_001"),
        (Item(VISIBLE, b"KFM_001\0\0"), "KFM_001"),
        (Item(OCTETS, b""), ""),
        (Item(OCTETS, b"\0\0"), "0x0000"),
        (Item(OCTETS, b"a\x1b"), "0x611b"),
        (Item(OCTETS, b"\xc3\xa4"), "0xc3a4"),
        (Item(OCTETS, bytes.fromhex("07ea0101040c2238ff800000")), "2026-01-01T12:34:56"),
        (Item(OCTETS, b"\xff" * 200), "0x" + "ff" * (LONGEST_NAME // 2)),
    ],
)
def test_what_is_no_number_is_text_a_moment_or_its_octets(
    item: Item, text: str | int | Decimal | None
) -> None:
    assert item_text(item) == text


@pytest.mark.parametrize(
    ("octets", "moment", "valid"),
    [
        ("07ea0101040c22384e800000", "2026-01-01T12:34:56.780000", True),
        ("07ea0101040c2238ffffc400", "2026-01-01T12:34:56+01:00", True),
        ("07ea0701030c2238ff003c80", "2026-07-01T12:34:56-01:00", True),
        ("07ea0101040c22ff00800000", "2026-01-01T12:34:00", True),
        ("07ea0101040c223863800000", "2026-01-01T12:34:56.990000", True),
        ("07ea0101040c223864800000", "2026-01-01T12:34:56", True),
        ("07ea0101040c2238ff034800", "2026-01-01T12:34:56-14:00", True),
        ("07ea0101040c2238fffcb800", "2026-01-01T12:34:56+14:00", True),
        ("07ea0101040c2238ff034900", "2026-01-01T12:34:56", True),
        ("07ea0101040c2238fffcb700", "2026-01-01T12:34:56", True),
        ("07ea0101040c2238ff800001", "2026-01-01T12:34:56", False),
        ("07ea0101040c2238ff800002", "2026-01-01T12:34:56", True),
        ("07ea0101040c2238ff8000ff", "2026-01-01T12:34:56", True),
    ],
)
def test_a_time_of_twelve_octets(octets: str, moment: str, valid: bool) -> None:
    found = parse_date_time(bytes.fromhex(octets))
    assert found is not None
    assert (found.moment.isoformat(), found.valid) == (moment, valid)


@pytest.mark.parametrize(
    "octets",
    [
        "ffff0101040c2238ff800000",
        "07eaff01040c2238ff800000",
        "07ea01ff040c2238ff800000",
        "07ea010104ff2238ff800000",
        "07ea0101040cff38ff800000",
        "07ea021e040c2238ff800000",
        "07ea0101040c2238ff8000",
        "07ea0101040c2238ff80000000",
        "",
    ],
)
def test_what_leaves_more_open_than_seconds_is_no_time(octets: str) -> None:
    assert parse_date_time(bytes.fromhex(octets)) is None


@pytest.mark.parametrize("minutes", [None, -720, -60, 0, 60, 90, 840])
def test_times_come_back(minutes: int | None) -> None:
    zone = None if minutes is None else timezone(timedelta(minutes=minutes))
    moment = NOON.replace(microsecond=0, tzinfo=zone)
    found = parse_date_time(encode_date_time(moment, 0x80))
    assert found == (moment, True)
    assert found.moment.utcoffset() == moment.utcoffset()
    assert encode_date_time(NOON.replace(tzinfo=UTC)).hex() == "07ea0101040c2238ff000000"
