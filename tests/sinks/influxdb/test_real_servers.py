"""The sink `influxdb` and a real InfluxDB 1.6 and VictoriaMetrics: exact counts, whatever happens to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.console.checks import Level
from smart_meter_reader.messages import Message
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.sinks.influxdb.examination import examine
from smart_meter_reader.sinks.influxdb.settings import InfluxDbSettings
from smart_meter_reader.sinks.influxdb.sink import InfluxDbSink
from tests.history.homes import reading, status
from tests.peers.influxdb import ADMIN, InfluxDb1, VictoriaMetrics, require
from tests.sinks.spooled.driving import T0, past, readings, rows_of, running, until


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[InfluxDb1]:
    require("influxd", "influxdb")
    with InfluxDb1(tmp_path / "influx") as server:
        yield server


def settings(url: str, folder: Path, **more: Any) -> InfluxDbSettings:
    keys: dict[str, Any] = {
        "api": "v1",
        "database": "home",
        "every": timedelta(0),
        "write_every": timedelta(0),
        "timeout": timedelta(seconds=10),
        "spool_directory": str(folder / "state"),
        "spool_after": timedelta(0),
    }
    return InfluxDbSettings(url=url, **{**keys, **more})


def values(influx: InfluxDb1) -> list[tuple[str, str, str, int, Decimal]]:
    return sorted(
        (each["meter"], each["quantity"], each["unit"] or "", each["time"], Decimal(str(each["value"])))
        for each in influx.points()
        if each["value"] is not None
    )


async def test_every_value_is_a_point_with_its_meter_quantity_unit_and_time(
    influx: InfluxDb1, tmp_path: Path
) -> None:
    told: list[Message] = [*readings(0, 50), *readings(0, 30, "other, meter = 2")]
    sink = InfluxDbSink("influx", settings(influx.url, tmp_path, tags={"site": "at home"}))
    async with running(sink) as queue:
        queue.put(*told)
    assert sink.delivered
    assert values(influx) == rows_of(told)
    assert {each["site"] for each in influx.points()} == {"at home"}


async def test_texts_and_states_have_fields_of_their_own(influx: InfluxDb1, tmp_path: Path) -> None:
    odd = reading(T0, {"heat_energy": ("1", "MWh")})
    hostile = 'say "hi" \\ , = to\nyou\\'
    odd["measurements"] |= {
        "info_code_text": {"value": hostile, "unit": ""},
        "info_code": {"value": 7, "unit": 'a,b=c "d" \\'},
    }
    sink = InfluxDbSink("influx", settings(influx.url, tmp_path))
    async with running(sink) as queue:
        queue.put(odd, status(T0, ""), status(T0 + 1, "port_absent", state="offline"), status(T0 + 2, ""))
    found = {each["quantity"]: each for each in influx.points()}
    assert found["heat_energy"]["value"] == 1
    assert found["info_code"]["value"] == 7
    assert found["info_code"]["unit"] == 'a,b=c "d" '
    assert found["info_code_text"]["text"] == hostile.replace("\n", "\N{REPLACEMENT CHARACTER}")
    states = influx.points("smart_meter_state")
    assert [(each["state"], each["online"], each["reason"]) for each in states] == [
        ("online", 1, ""),
        ("offline", 0, "port_absent"),
        ("online", 1, ""),
    ]


async def test_a_field_never_changes_its_type(influx: InfluxDb1, tmp_path: Path) -> None:
    first, second = (
        reading(T0, {"heat_energy": ("1", "MWh")}),
        reading(T0 + 1, {"heat_energy": ("1.5", "MWh")}),
    )
    first["measurements"]["info_code"] = {"value": 3, "unit": ""}
    second["measurements"]["info_code"] = {"value": "E3", "unit": ""}
    sink = InfluxDbSink("influx", settings(influx.url, tmp_path))
    async with running(sink) as queue:
        queue.put(first, second)
    assert sink.refused == 0
    [types] = influx.query("SHOW FIELD KEYS")
    assert dict(types["values"]) == {"value": "float", "text": "string"}


async def test_the_same_time_is_one_point_however_often_it_comes(influx: InfluxDb1, tmp_path: Path) -> None:
    told = readings(0, 20)
    for _ in range(3):
        sink = InfluxDbSink("influx", settings(influx.url, tmp_path))
        async with running(sink) as queue:
            queue.put(*told)
    assert values(influx) == rows_of(told)


async def test_a_server_that_is_away_at_the_start_gets_all_when_it_comes(
    influx: InfluxDb1, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    influx.stop()
    caplog.set_level("INFO")
    sink = InfluxDbSink("influx", settings(influx.url, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(0, 100))
        await until(lambda: "cannot be reached" in caplog.text)
        influx.start()
        await queue.stored()
    assert values(influx) == rows_of(readings(0, 100))
    assert "it is stored again" in caplog.text


async def test_killed_while_writing_nothing_is_missing_and_nothing_is_double(
    influx: InfluxDb1, tmp_path: Path
) -> None:
    told = readings(0, 3000)
    sink = InfluxDbSink("influx", settings(influx.url, tmp_path))
    async with running(sink) as queue:
        for begin in range(0, 3000, 1000):
            queue.put(*told[begin : begin + 500])
            await asyncio.sleep(0.2)
            influx.kill()
            queue.put(*told[begin + 500 : begin + 1000])
            influx.start()
        await queue.stored()
    assert sink.refused == 0
    assert values(influx) == rows_of(told)


async def test_what_is_not_delivered_at_the_stop_is_at_the_next_start(
    influx: InfluxDb1, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    influx.stop()
    away = InfluxDbSink("influx", settings(influx.url, tmp_path, spool_after=timedelta(minutes=1)))
    async with running(away) as queue:
        queue.put(*readings(0, 40))
    assert not away.delivered
    assert "40 entries are not delivered, and kept for the next start" in caplog.text
    influx.start()
    sink = InfluxDbSink("influx", settings(influx.url, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(40, 50))
    assert sink.delivered
    assert values(influx) == rows_of(readings(0, 50))


async def test_a_server_that_hangs_delays_nothing_but_itself(
    influx: InfluxDb1, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    quick = settings(influx.url, tmp_path, timeout=timedelta(seconds=0.5))
    sink = InfluxDbSink("influx", quick)
    async with running(sink) as queue:
        influx.pause()
        queue.put(*readings(0, 10))
        await until(lambda: "does not answer within 0.5 s" in caplog.text)
        queue.put(*readings(10, 20))
        await until(lambda: sink.backlog[0] == 20)
        influx.resume()
        await queue.stored()
    assert values(influx) == rows_of(readings(0, 20))


async def test_points_that_are_refused_cost_nothing_but_themselves(
    influx: InfluxDb1, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Somebody else has written whole numbers there.
    influx.ask("/write?db=home", f"smart_meter text=5i {T0}000000001".encode())
    odd = readings(2, 3)[0]
    odd["measurements"]["info_code_text"] = {"value": "a text", "unit": ""}
    sink = InfluxDbSink("influx", settings(influx.url, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(0, 2), odd, *readings(3, 5))
    assert values(influx) == rows_of(readings(0, 5))
    assert sink.delivered
    assert sink.refused == 1
    assert "field type conflict" in caplog.text
    assert "left out for good" in caplog.text


async def test_a_retention_policy_that_takes_nothing_so_old_is_told_once(
    influx: InfluxDb1, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    influx.query("CREATE DATABASE short WITH DURATION 1h")
    now = int(datetime.now(UTC).timestamp())
    sink = InfluxDbSink("influx", settings(influx.url, tmp_path, database="short"))
    async with running(sink) as queue:
        queue.put(*readings(0, 30), reading(now, {"heat_energy": ("1", "MWh")}))
    assert sink.delivered
    assert sum("points beyond retention policy" in each.getMessage() for each in caplog.records) == 1
    assert len(influx.query('SELECT * FROM "smart_meter"', "short")[0]["values"]) == 1


async def test_a_database_that_is_not_there_is_told_and_waited_for(
    influx: InfluxDb1, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink = InfluxDbSink("influx", settings(influx.url, tmp_path, database="nowhere"))
    async with running(sink) as queue:
        queue.put(*readings(0, 10))
        await until(lambda: 'database not found: "nowhere"' in caplog.text)
        influx.query("CREATE DATABASE nowhere")
        await queue.stored()
    [series] = influx.query('SELECT count("value") FROM "smart_meter"', "nowhere")
    assert series["values"] == [[0, 20]]


async def test_batches_that_are_too_large_become_smaller(tmp_path: Path) -> None:
    require("influxd", "influxdb")
    with InfluxDb1(tmp_path / "influx", "max-body-size = 5000") as influx:
        sink = InfluxDbSink("influx", settings(influx.url, tmp_path, spool_after=timedelta(minutes=1)))
        async with running(sink) as queue:
            queue.put(*readings(0, 1000))
            await queue.stored()
        assert sink.refused == 0
        assert values(influx) == rows_of(readings(0, 1000))


async def test_a_past_is_confirmed_when_the_database_has_it(influx: InfluxDb1, tmp_path: Path) -> None:
    sink = InfluxDbSink("influx", settings(influx.url, tmp_path))
    receipts = Receipts(["influx"])
    sink.take_receipts(receipts.of("influx"))
    influx.stop()
    async with running(sink) as queue:
        first, empty = receipts.issue(), receipts.issue()
        queue.put(past(0, 300, first.key), past(0, 0, empty.key))
        await until(lambda: sink.backlog[0] == 15)
        assert await empty.settled()
        assert not first.is_safe
        influx.start()
        assert await first.settled()
        assert len(values(influx)) == 300
        again = receipts.issue()
        queue.put(past(0, 300, again.key))
        assert await again.settled()
    assert values(influx) == rows_of([past(0, 300)])


async def test_of_a_past_that_the_spool_drops_the_window_is_lost(tmp_path: Path) -> None:
    sink = InfluxDbSink("influx", settings("http://127.0.0.1:9", tmp_path, spool_mib=1))
    receipts = Receipts(["influx"])
    sink.take_receipts(receipts.of("influx"))
    async with running(sink) as queue:
        receipt = receipts.issue()
        queue.put(past(0, 40, receipt.key), *readings(0, 4500))
        assert not await receipt.settled()


async def test_login_and_rights(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    require("influxd", "influxdb")
    with InfluxDb1(tmp_path / "influx", "auth-enabled = true") as influx:
        influx.query("CREATE USER low WITH PASSWORD 'low'")
        for login, password, seen in (
            ("", "", "does not let us in"),
            (ADMIN[0], "wrong", "does not let us in"),
            ("low", "low", "does not let us write to home"),
        ):
            wrong = settings(influx.url, tmp_path, username=login, password=Secret(password))
            checks = [check async for check in examine("sink influx", wrong)]
            assert [check.level for check in checks] == [Level.OK, Level.UNAVAILABLE]
            assert seen in checks[-1].text
            caplog.clear()
            sink = InfluxDbSink("influx", wrong)
            async with running(sink) as queue:
                queue.put(*readings(0, 1))
                await until(lambda seen=seen: seen in caplog.text)  # type: ignore[misc]
            assert "wrong" not in caplog.text
        right = settings(influx.url, tmp_path, username=ADMIN[0], password=Secret(ADMIN[1]))
        sink = InfluxDbSink("influx", right)
        async with running(sink) as queue:
            queue.put(*readings(1, 10))
        assert values(influx) == rows_of(readings(0, 10))
        assert [check.level async for check in examine("sink influx", right)] == [Level.OK, Level.OK]
        assert len(influx.points()) == 20, "examining writes nothing"


@pytest.fixture
async def victoria(tmp_path: Path) -> AsyncIterator[VictoriaMetrics]:
    require("victoria-metrics", "victoria-metrics")
    with VictoriaMetrics(tmp_path / "victoria") as server:
        yield server


async def test_victoria_metrics_takes_the_same(victoria: VictoriaMetrics, tmp_path: Path) -> None:
    sink = InfluxDbSink("influx", settings(victoria.url, tmp_path))
    told: list[Message] = [*readings(0, 300), past(0, 100)]
    async with running(sink) as queue:
        queue.put(*told[:100])
        await queue.stored()
        victoria.kill()
        queue.put(*told[100:])
        victoria.start()
        await queue.stored()
    found = sorted(
        (labels["meter"], labels["quantity"], labels["unit"], time * 1_000_000, Decimal(str(value)))
        for labels, time, value in set_of(victoria)
    )
    wanted = rows_of(told)
    # What it held in memory when it was killed it may lose: seconds of it, by its documentation.
    assert set(found) <= set(wanted)
    assert set(rows_of(told[100:])) <= set(found)
    assert [check.level async for check in examine("x", settings(victoria.url, tmp_path))] == [Level.OK] * 2


def set_of(victoria: VictoriaMetrics) -> list[tuple[dict[str, str], int, float]]:
    """Each sample once: the same sample that was written twice is one in every query."""
    once = {(tuple(sorted(labels.items())), time): value for labels, time, value in victoria.samples()}
    return [(dict(labels), time, value) for (labels, time), value in once.items()]
