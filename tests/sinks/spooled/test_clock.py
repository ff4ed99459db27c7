"""Readings that come before this computer knows the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.history.intake import holding
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.sinks.influxdb.settings import InfluxDbSettings
from smart_meter_reader.sinks.influxdb.sink import InfluxDbSink
from smart_meter_reader.sinks.spooled import sink as sink_module
from smart_meter_reader.sinks.spooled.clock import BelievedClock
from tests.history.homes import energy, status
from tests.peers.influxdb_stand_in import BUCKET, TOKEN, InfluxStandIn
from tests.sinks.spooled.driving import T0, past, running


def test_they_wait_and_get_the_right_time(caplog: pytest.LogCaptureFixture) -> None:
    known = False
    clock = BelievedClock("influx", "auto", lambda: known)
    wrong = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
    assert clock.passed(status(wrong, "")) == []
    assert clock.passed(energy(wrong, "1")) == []
    assert clock.passed(energy(wrong + 1, "2")) == [], "one a minute is enough"
    assert caplog.text.count("has not been set from the network") == 1
    known = True
    now = datetime.now(UTC)
    found = clock.passed(energy(int(time.time()), "3", "other"))
    assert [each["type"] for each in found] == ["status", "reading", "reading"]
    assert all(abs(each["time"] - now) < timedelta(minutes=5) for each in found)
    after = energy(int(time.time()), "4")
    assert clock.passed(after) == [after]
    known = False
    assert clock.passed(after) == [after], "once believed it is so"


def test_what_was_too_much_to_be_held_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(holding, "_MOST", 1)
    known = False
    clock = BelievedClock("influx", "auto", lambda: known)
    now = int(time.time())
    for meter in ("heat", "cold", "gas"):
        assert clock.passed(energy(now, "1", meter)) == []
    assert len(clock) == 3, "all of them are lost if it ends now"
    known = True
    assert len(clock.passed(energy(now, "2", "water"))) == 1
    assert "1 messages are stored; 3 older ones are lost, more than is held" in caplog.text
    assert len(clock) == 0


@pytest.mark.parametrize(
    ("trust", "synchronised", "year", "believed"),
    [
        ("auto", None, 2027, True),
        ("auto", False, 2027, False),
        ("synchronised", None, 2027, False),
        ("trusted", False, 2027, True),
        ("trusted", True, 1970, False),
    ],
)
def test_whom_to_believe(trust: Any, synchronised: bool | None, year: int, believed: bool) -> None:
    clock = BelievedClock("influx", trust, lambda: synchronised)
    assert clock.is_believed(datetime(year, 1, 2, tzinfo=UTC)) is believed


async def test_at_the_stop_what_waits_is_told_and_a_past_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(
        sink_module, "BelievedClock", lambda name, trust: BelievedClock(name, trust, lambda: False)
    )
    with InfluxStandIn(3) as server:
        settings = InfluxDbSettings(
            api="v3", url=server.url, database=BUCKET, token=Secret(TOKEN), spool_directory=str(tmp_path)
        )
        sink = InfluxDbSink("influx", settings)
        receipts = Receipts(["influx"])
        sink.take_receipts(receipts.of("influx"))
        async with running(sink) as queue:
            receipt = receipts.issue()
            queue.put(energy(T0, "1"), past(0, 5, receipt.key))
            assert not await receipt.settled()
    assert not server.points
    assert not sink.delivered
    assert "1 messages are lost: the clock was not believed" in caplog.text
