"""What writers make of whatever somebody publishes: rows with all digits, or a sentence, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.fleet.envelope import headers, letters
from smart_meter_reader.writer.arrivals import ReadingRow, arrival
from tests.fleet.fed_edge import reading

SUBJECT = "smr.v1.t.s.reading.heat"
T = datetime(2026, 11, 29, 12, tzinfo=UTC)
TIME = b'"time":"2026-11-29T12:00:00Z"'


def test_a_letter_becomes_its_rows_again() -> None:
    (letter,) = letters(reading("heat", 1, T), "t/s", "")
    found = arrival(SUBJECT, headers(letter.id, "pi", 7, 3), letter.body)
    assert found.rows == (
        ReadingRow("power", T, Decimal("0.001"), None, "kW"),
        ReadingRow("heat_energy", T, Decimal(1001), None, "kWh"),
    )
    assert found.meter == ("t", "s", "heat")
    assert (found.origin.edge, found.origin.sequence, found.origin.fence) == ("pi", 7, 3)


def test_digits_stay() -> None:
    body = b"{" + TIME + b',"measurements":{"power":{"value":1.2300,"unit":"kW"}}}'
    (row,) = arrival(SUBJECT, {}, body).rows
    assert str(row.value) == "1.2300"


def test_an_emoji_is_a_text() -> None:
    body = b"{" + TIME + b',"measurements":{"a":{"value":"\\ud83d\\ude00","unit":"\xf0\x9f\x98\x80"}}}'
    (row,) = arrival(SUBJECT, {}, body).rows
    assert (row.text, row.unit) == ("\N{GRINNING FACE}", "\N{GRINNING FACE}")


def test_a_value_has_its_own_time_or_that_of_the_reading() -> None:
    body = (
        b"{" + TIME + b',"measured_at":"2026-11-29T12:59:58+01:00","measurements":{"a":{"value":1,"unit":""},'
        b'"b":{"value":"tariff 2","unit":"","measured_at":"2026-11-29T11:00:00Z"}}}'
    )
    a, b = arrival(SUBJECT, {}, body).rows
    assert a.time == datetime(2026, 11, 29, 11, 59, 58, tzinfo=UTC)
    assert (b.time.hour, b.value, b.text) == (11, None, "tariff 2")


VALUES = b',"measurements":{"power":{"value":%s,"unit":"kW"}}}'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[1]", "no object"),
        (b"{}", "`time` is no time"),
        (b'{"time":"2026-11-29T12:00:00"}', "with a zone"),
        (b'{"time":5}', "`time` is no time"),
        (b"{" + TIME + b"}", "measurements"),
        (b"{" + TIME + b',"measurements":{"power":1}}', "no measurement"),
        (b"{" + TIME + VALUES % b"true", "no number"),
        (b"{" + TIME + VALUES % b"null", "no number"),
        (b"{" + TIME + VALUES % b"1E+99999999", "no number"),
        (b"{" + TIME + VALUES % b"NaN", "no JSON"),
        (b"{" + TIME + VALUES % (b"9" * 5000), "no JSON"),
        (b"{" + TIME + VALUES % b'"a\\u0000b"', r"U\+0000"),
        (b"{" + TIME + VALUES % b'"a\\ud800b"', "no number"),
        (b"{" + TIME + b',"measurements":{"a":{"value":1,"unit":"\\udfff"}}}', "is no text"),
        (b"{" + TIME + b',"measurements":{"\\ud83d":{"value":1,"unit":""}}}', "is no measurement"),
        (b'{"time":"0001-01-01T00:00:00+14:00"}', "`time` is no time"),
    ],
)
def test_what_no_edge_writes_is_refused_in_words(body: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        arrival(SUBJECT, {}, body)


@given(st.binary(max_size=300))
def test_bytes_of_anybody_give_rows_or_a_sentence(body: bytes) -> None:
    for subject in (SUBJECT, "smr.v1.t.s.status.heat"):
        try:
            arrival(subject, {}, body)
        except ValueError:
            pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_so_does_any_json_in_the_place_of_values(inner: object) -> None:
    import json

    body = json.dumps({"time": "2026-11-29T12:00:00Z", "measurements": inner}).encode()
    try:
        rows = arrival(SUBJECT, {}, body).rows
    except ValueError:
        return
    assert all(row.value is not None or row.text is not None for row in rows)
