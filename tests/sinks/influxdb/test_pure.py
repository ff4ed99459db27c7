"""Lines, answers and settings of the sink `influxdb`, without a server."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.sinks.influxdb.answers import Refusal, WriteAnswer, understand
from smart_meter_reader.sinks.influxdb.lines import LineWriter
from smart_meter_reader.sinks.influxdb.settings import InfluxDbSettings
from smart_meter_reader.sinks.spooled.destination import LaterError, TooLargeError
from smart_meter_reader.sinks.spooled.rows import MessageRows, StateRow, ValueRow
from smart_meter_reader.text import printable
from tests.peers.influxdb_stand_in import read_line

TIMES = st.datetimes(timezones=st.just(UTC)).filter(lambda time: 1971 < time.year < 2200)
NUMBERS = st.decimals(-(10**15), 10**15, allow_nan=False, places=4)


@given(
    st.text(min_size=1, max_size=30),
    st.text(max_size=20),
    TIMES,
    st.one_of(NUMBERS, st.text(max_size=50)),
    st.text(min_size=1, max_size=10),
)
def test_whatever_a_meter_says_is_one_whole_line(
    meter: str, unit: str, time: datetime, value: Decimal | str, tag: str
) -> None:
    number = value if isinstance(value, Decimal) else None
    row = ValueRow(meter, "heat_energy", unit, time, number, value if isinstance(value, str) else "")
    [line] = LineWriter("smart_meter", {"site": tag}).lines(MessageRows((row,)))
    assert line.isprintable()
    point = read_line(line)
    assert point.measurement == "smart_meter"
    wanted = {"meter": meter, "quantity": "heat_energy", "unit": unit, "site": tag}
    clean = {name: printable(text).rstrip("\\") for name, text in wanted.items()}
    # A reader that knows \\ as well takes one of two backslashes for an escape: InfluxDB keeps both.
    assert {name: text.replace("\\", "") for name, text in point.tags.items()} == {
        name: text.replace("\\", "") for name, text in clean.items() if text
    }
    assert point.time == (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    if number is None:
        assert point.fields == {"text": printable(row.text)}
    else:
        assert point.fields == {"value": float(number)}
        assert isinstance(point.fields["value"], float)


def test_a_unit_of_backslashes_alone_costs_the_unit_and_not_the_value() -> None:
    """InfluxDB 1.6 refuses a tag without a value: "missing tag value"."""
    row = ValueRow("heat", "heat_energy", "\\\\", datetime(2026, 11, 1, tzinfo=UTC), Decimal(1), "")
    [line] = LineWriter("m", {}).lines(MessageRows((row,)))
    assert line.startswith("m,meter=heat,quantity=heat_energy value=1 ")


@given(st.text(max_size=20), st.text(max_size=200), TIMES)
def test_a_state_is_one_whole_line(reason: str, detail: str, time: datetime) -> None:
    for state, online, alert in (("online", 1, 0), ("offline", 0, 0), ("alert", 1, 1)):
        row = StateRow("heat", time, state, reason, detail)
        point = read_line(next(iter(LineWriter("m", {}).lines(MessageRows(states=(row,))))))
        assert point.measurement == "m_state"
        assert point.fields == {
            "online": float(online),
            "alert": float(alert),
            "state": state,
            "reason": printable(reason),
            "detail": printable(detail),
        }


def test_a_line_as_documented() -> None:
    time = datetime(2026, 11, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    row = ValueRow("cellar, left", "heat_energy", "MWh", time, Decimal("12.340"))
    [line] = LineWriter("smart_meter", {"site": "home"}).lines(MessageRows((row,)))
    assert line == (
        r"smart_meter,meter=cellar\,\ left,quantity=heat_energy,unit=MWh,site=home value=12.340 "
        "1793534400250000000"
    )


@given(st.integers(100, 599), st.binary(max_size=200), st.text(max_size=20))
def test_any_answer_means_something(status: int, body: bytes, later: str) -> None:
    found = raised = None
    try:
        found = understand(WriteAnswer(status, {"retry-after": later}, body), "http://x", "home")
    except SinkError as error:
        raised = error
    if raised is None:
        assert (found is None) == (status == 204 or (status == 200 and not body.strip()))
    else:
        assert status not in (204, 400, 422)
        assert raised.detail.isprintable()


def refusal(status: int, told: Any) -> Refusal:
    found = understand(WriteAnswer(status, {}, json.dumps(told).encode()), "http://x", "home")
    assert found is not None
    return found


def test_refusals_as_the_servers_word_them() -> None:
    old = refusal(400, {"error": "partial write: unable to parse 'm,a=b': missing fields dropped=0"})
    assert old.rest_is_written
    assert not refusal(400, {"error": "field type conflict"}).rest_is_written
    assert not refusal(400, {"code": "invalid", "message": "unable to parse 'm,a=b'"}).rest_is_written
    assert refusal(422, {"code": "unprocessable entity", "message": "dropped"}).rest_is_written
    new = refusal(
        400,
        {
            "error": "partial write of line protocol occurred",
            "data": [{"original_line": "m", "line_number": 2, "error_message": "no"}, {"line_number": -1}, 7],
        },
    )
    assert new.rest_is_written
    assert new.lines == {1: "no"}


def later(value: str) -> float:
    with pytest.raises(LaterError) as raised:
        understand(WriteAnswer(503, {"retry-after": value}, b""), "http://x", "home")
    return raised.value.seconds


def test_how_long_it_wants_to_be_left_alone() -> None:
    assert later("17") == 17
    assert later("99999") == later(format_datetime(datetime(2400, 1, 1, tzinfo=UTC), usegmt=True)) == 900
    assert later("0") == later(format_datetime(datetime(2000, 1, 1, tzinfo=UTC), usegmt=True)) == 1
    assert later("") == later("soon") == later("٣") == 30
    with pytest.raises(TooLargeError):
        understand(WriteAnswer(413, {}, b"<html>"), "http://x", "home")


GOOD: dict[str, Any] = {"api": "v1", "database": "home"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"api": "v2"}, "set `org`"),
        ({"org": "mine"}, "`org` is for v2"),
        ({"token": Secret("x")}, "`token` is for v2 and v3"),
        ({"api": "v3", "username": "me"}, "are for v1"),
        ({"api": "v3", "token": Secret("a b")}, "copy it whole"),
        ({"url": "http://host:80860"}, 'url: found "http://host:80860"; allowed: http://HOST:PORT'),
        ({"ca": "/x"}, "let `url` begin with https://"),
        ({"tags": {"meter": "x"}}, "'meter' cannot be the name of a tag"),
        ({"tags": {"a b": "x"}}, "'a b' cannot be the name of a tag"),
        ({"tags": {"site": ""}}, "the value of site is empty"),
    ],
)
def test_settings_that_do_not_go_together(change: dict[str, Any], said: str) -> None:
    InfluxDbSettings(**GOOD)
    with pytest.raises(ValueError, match=said):
        InfluxDbSettings(**{**GOOD, **change})


def test_a_secret_that_goes_openly_is_told() -> None:
    away = InfluxDbSettings(**GOOD, url="http://influx.lan:8086", username="me", password=Secret("x"))
    assert "unencrypted" in away.sent_openly
    assert InfluxDbSettings(**GOOD, username="me", password=Secret("x")).sent_openly == ""
    assert InfluxDbSettings(**GOOD, url="http://influx.lan:8086").sent_openly == ""


@pytest.mark.unmeasured
def test_who_has_no_such_sink_imports_nothing_of_it() -> None:
    unwanted = [
        "aiohttp",
        "asyncpg",
        "sqlite3",
        "smart_meter_reader.spool",
        "smart_meter_reader.sinks.spooled",
    ]
    code = (
        "import sys, smart_meter_reader.app, smart_meter_reader.cli.run, smart_meter_reader.sinks.stdout, "
        "smart_meter_reader.sinks.mqtt_json; "
        f"print(*[m for m in {unwanted!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
