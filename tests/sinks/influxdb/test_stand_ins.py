"""The sink `influxdb` with what InfluxDB 2 and 3 are documented to take and to refuse."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.console.checks import Level
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.messages import Message
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.sinks.influxdb.examination import examine
from smart_meter_reader.sinks.influxdb.server import connected
from smart_meter_reader.sinks.influxdb.settings import InfluxDbSettings
from smart_meter_reader.sinks.influxdb.sink import InfluxDbSink
from smart_meter_reader.sinks.spooled import sink as sink_module
from tests.peers.hostile import WEB_SERVERS, serving
from tests.peers.influxdb_stand_in import BUCKET, ORG, TOKEN, InfluxStandIn
from tests.peers.mosquitto import make_certificates
from tests.sinks.spooled.driving import past, readings, rows_of, running, until


@pytest.fixture(params=[2, 3])
def server(request: pytest.FixtureRequest) -> Iterator[InfluxStandIn]:
    with InfluxStandIn(request.param) as server:
        yield server


def settings(server: InfluxStandIn, folder: Path, **more: Any) -> InfluxDbSettings:
    keys: dict[str, Any] = {
        "api": f"v{server.version}",
        "url": server.url,
        "database": BUCKET,
        "org": ORG if server.version == 2 else "",
        "token": Secret(TOKEN),
        "every": timedelta(0),
        "write_every": timedelta(0),
        "timeout": timedelta(seconds=10),
        "spool_directory": str(folder / "state"),
    }
    return InfluxDbSettings(**{**keys, **more})


def values(server: InfluxStandIn) -> list[tuple[str, str, str, int, Decimal]]:
    return [(meter, key, unit, time, Decimal(str(value))) for meter, key, unit, time, value in server.values]


async def test_it_takes_everything_once(server: InfluxStandIn, tmp_path: Path) -> None:
    told: list[Message] = [*readings(0, 500), *readings(0, 10, "a b,c=d"), past(0, 100)]
    sink = InfluxDbSink("influx", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*told)
    assert sink.delivered
    assert values(server) == rows_of(told)
    assert all(status == 204 for _, status in server.requests)
    assert max(size for size, _ in server.requests) < 0.2 * max(map(len, server.bodies)), "compressed"


async def test_what_is_refused_costs_nothing_but_itself_and_is_told_with_its_line(
    server: InfluxStandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.types["smart_meter", "text"] = int
    told = readings(0, 60)
    for number in (7, 31, 32):
        told[number]["measurements"]["info_code_text"] = {"value": "no number", "unit": ""}
    sink = InfluxDbSink("influx", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*told)
    assert values(server) == rows_of(told)
    assert sink.delivered
    assert sink.refused == (3 if server.version == 3 else 1)
    assert 'input field "text" is type str' in caplog.text
    if server.version == 3:
        assert 'quantity=info_code_text text="no number"' in caplog.text


async def test_a_line_that_cannot_be_read_is_found_among_the_others(
    server: InfluxStandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No line of ours is one; were there one, InfluxDB 2 would write nothing of the whole batch.
    monkeypatch.setattr("smart_meter_reader.sinks.influxdb.lines._quoted", lambda text: "=broken")
    told = readings(0, 60)
    for number in (7, 31, 59):
        told[number]["measurements"]["info_code_text"] = {"value": "no number", "unit": ""}
    sink = InfluxDbSink("influx", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*told)
    assert values(server) == rows_of(told)
    assert sink.refused == 3


async def test_a_server_that_does_not_say_which_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with InfluxStandIn(3) as server:
        server.says_which_line = False
        server.types["smart_meter", "text"] = int
        told = readings(0, 20)
        told[7]["measurements"]["info_code_text"] = {"value": "no number", "unit": ""}
        sink = InfluxDbSink("influx", settings(server, tmp_path))
        async with running(sink) as queue:
            queue.put(*told)
        assert values(server) == rows_of(told)
        assert "partial write of line protocol occurred, in 41 lines" in caplog.text


async def test_too_large_batches_become_smaller_and_what_never_fits_is_left_out(
    server: InfluxStandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.largest = 600
    told = readings(0, 200)
    told[100]["measurements"]["info_code_text"] = {"value": random_text(2000), "unit": ""}
    sink = InfluxDbSink("influx", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*told)
        await queue.stored()
    assert values(server) == rows_of([*told[:100], *told[101:]])
    assert sink.refused == 1
    assert "takes no batch that is so large" in caplog.text


def random_text(length: int) -> str:
    import random

    chance = random.Random(1)
    return "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(length))


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ("401", "does not let us in"),
        ("403", "does not let us write"),
        ("404", "create it there, or check `database`"),
        ("500", "answers with HTTP 500"),
        ("301", "redirects to elsewhere"),
        ("503", "has too much to do"),
        ("429", "has too much to do"),
        ("garbage", "without an answer in HTTP"),
        ("hang", "does not answer within"),
    ],
)
async def test_trouble_is_told_in_a_sentence_and_nothing_is_lost(
    server: InfluxStandIn,
    tmp_path: Path,
    trouble: str,
    told: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sink_module, "_BACKOFF", dict.fromkeys(sink_module._BACKOFF, Backoff(0.05, 0.05)))
    server.trouble, server.later = trouble, "1"
    sink = InfluxDbSink("influx", settings(server, tmp_path, timeout=timedelta(seconds=1)))
    async with running(sink) as queue:
        queue.put(*readings(0, 5))
        await until(lambda: told in caplog.text)
        await asyncio.sleep(0.3)
        warnings = [each for each in caplog.records if each.levelname == "WARNING"]
        assert len(warnings) == 1, "said once"
        server.trouble = ""
        server.stop()
        server.start()
        await queue.stored()
    assert values(server) == rows_of(readings(0, 5))
    assert TOKEN not in caplog.text


async def test_an_answer_without_end_is_cut_off(
    server: InfluxStandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.trouble = "endless"
    sink = InfluxDbSink("influx", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(0, 1))
        await queue.stored()
    assert sink.refused == 1
    assert "HTTP 400 in smart_meter,meter=heat" in caplog.text


@pytest.mark.parametrize("kind", WEB_SERVERS)
async def test_who_means_harm_gets_nothing_taken_for_stored(tmp_path: Path, kind: str) -> None:
    async with serving(WEB_SERVERS[kind]) as port:
        hostile = InfluxDbSettings(
            api="v3", url=f"http://127.0.0.1:{port}", database="home", timeout=timedelta(seconds=1)
        )
        async with asyncio.timeout(60), connected(hostile) as server:
            with pytest.raises(SinkError):
                await server.write(["m value=1 1"])


async def test_the_server_is_left_alone_for_as_long_as_it_says(server: InfluxStandIn, tmp_path: Path) -> None:
    server.trouble, server.later = "429", "3600"
    sink = InfluxDbSink("influx", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(0, 5))
        await until(lambda: server.requests)
        queue.put(*readings(5, 9))
        await asyncio.sleep(0.5)
        assert len(server.requests) == 1
    assert len(server.requests) == 2, "one attempt more at the stop"
    assert not sink.delivered


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({}, "takes what is written"),
        ({"token": Secret("wrong")}, "does not let us in"),
        ({"database": "elsewhere"}, "has no elsewhere"),
        ({"url": "http://127.0.0.1:9"}, "cannot be reached"),
        ({"url": "http://nowhere.invalid:8086"}, "there is no host"),
    ],
)
async def test_doctor_says_what_is_wrong(
    server: InfluxStandIn, tmp_path: Path, change: dict[str, Any], seen: str
) -> None:
    checks = [check async for check in examine("sink influx", settings(server, tmp_path, **change))]
    assert seen in checks[-1].text
    assert (checks[-1].level is Level.OK) == (not change)
    assert not server.points


async def test_doctor_knows_a_server_that_is_too_old(tmp_path: Path) -> None:
    with InfluxStandIn(2) as server:
        newer = settings(server, tmp_path, api="v3", org="")
        checks = [check async for check in examine("sink influx", newer)]
    assert [check.level for check in checks] == [Level.OK, Level.WARNING, Level.UNAVAILABLE]
    assert checks[1].text == "InfluxDB v2.7.1 does not know v3: set `api` to v2"
    assert "has no such way of writing" in checks[2].text


async def test_over_tls_the_server_is_verified(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    certificates = make_certificates(tmp_path)
    with InfluxStandIn(3, certificates.server) as server:
        for ca, seen in ((None, "is not signed by"), (certificates.other_ca, "is not signed by")):
            checks = [check async for check in examine("x", settings(server, tmp_path, ca=ca))]
            assert [check.level for check in checks] == [Level.UNAVAILABLE]
            assert seen in checks[0].text
        sink = InfluxDbSink("influx", settings(server, tmp_path, ca=certificates.ca))
        async with running(sink) as queue:
            queue.put(*readings(0, 5))
        assert values(server) == rows_of(readings(0, 5))
    with InfluxStandIn(3, certificates.misnamed_server) as server:
        checks = [check async for check in examine("x", settings(server, tmp_path, ca=certificates.ca))]
        assert "is for elsewhere.invalid: set `url` to a name in it" in checks[0].text
    assert not server.points


def test_the_stand_in_reads_what_gzip_made() -> None:
    assert InfluxStandIn(2).write(gzip.decompress(gzip.compress(b"m,a=b value=1 5")).decode()) == (204, None)
    assert InfluxStandIn(2).write("m,a=b value=1 5\nm,a= value=1 5")[0] == 400
    assert InfluxStandIn(2).write("m,a=b value=1 5\nm,a=b value=1i 5")[0] == 422
    assert InfluxStandIn(3).write("m,value=b value=1 5")[0] == 400
