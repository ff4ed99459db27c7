"""What the page answers: now, the stream, health, and what is not there."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.messages import Message, Reply
from smart_meter_reader.sinks.requests import Requests
from smart_meter_reader.sinks.web import live, parts
from smart_meter_reader.sinks.web.listener import bound
from smart_meter_reader.sinks.web.settings import WebSettings
from smart_meter_reader.sinks.web.sink import WebSink
from smart_meter_reader.sinks.web.streams import MOST_STREAMS
from tests.sinks.web.running import page, reading, status


async def test_now_has_the_digits_of_the_meter() -> None:
    told: list[Message] = [
        status(valid_readings=3),
        reading(heat_energy="12.50 GJ", power="7.0 kW"),
        reading("gas"),
    ]
    async with page(*told, meters=("heat", "cellar")) as running:
        answer = await running.get("/api/v1/now")
    assert answer.headers["Content-Type"] == "application/json"
    assert '"value":12.50,"unit":"GJ"' in answer.text
    found = {each["meter"]: each for each in answer.json["meters"]}
    assert list(found) == ["heat", "cellar", "gas"]
    assert (found["heat"]["medium"], found["heat"]["main"]) == ("heat", "power")
    assert found["heat"]["health"] == {"valid_readings": 3}
    assert (found["cellar"]["state"], found["cellar"]["age_seconds"]) == ("offline", None)


async def test_a_meter_that_finds_no_place_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "MOST_METERS", 2)
    async with page(
        *(reading(meter, power="7.0 kW") for meter in ("heat", "gas", "made-up", "heat"))
    ) as running:
        found = (await running.get("/api/v1/now")).json["meters"]
    assert [each["meter"] for each in found] == ["heat", "gas"]
    assert caplog.text.count("a message of made-up is not shown") == 1


async def test_values_of_an_earlier_reading_say_when() -> None:
    first, second = reading(heat_energy="12.50 GJ"), reading(power="7.0 kW")
    async with page(first, second) as running:
        (heat,) = (await running.get("/api/v1/now")).json["meters"]
    assert heat["measurements"]["heat_energy"]["measured_at"]
    assert "measured_at" not in heat["measurements"]["power"]


async def events(answer: aiohttp.ClientResponse, count: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            line = await answer.content.readline()
            assert line, "the stream has ended"
            if line.startswith(b"data: "):
                found.append(json.loads(line.removeprefix(b"data: "), parse_float=Decimal))
    return found


async def test_a_stream_tells_what_is_new() -> None:
    async with (
        page(reading(power="1 kW")) as running,
        running.browser.get(f"{running.address}/api/v1/stream") as answer,
    ):
        assert answer.content_type == "text/event-stream"
        await events(answer, 1)
        running.put(reading("barn", power="2.50 kW"))
        (event,) = await events(answer, 1)
        assert event["meter"] == "barn"
        assert event["measurements"] == {"power": {"value": Decimal("2.50"), "unit": "kW", "name": "Power"}}


async def test_more_streams_than_that_are_refused_and_a_closed_one_makes_room() -> None:
    async with page(reading(power="1 kW")) as running:
        address = f"{running.address}/api/v1/stream"
        streams = [await running.browser.get(address) for _ in range(MOST_STREAMS)]
        assert (await running.get("/api/v1/stream")).status == 503
        streams[0].close()
        async with asyncio.timeout(20):
            while (again := await running.browser.get(address)).status != 200:
                again.close()
        again.close()
        for each in streams:
            each.close()


async def test_health_says_what_is_not_fresh() -> None:
    async with page(reading(), status(), meters=("heat",)) as running:
        answer = await running.get("/health")
        assert (answer.status, answer.json["not_fresh"]) == (200, [])
        running.put(status(state="offline", reason="no_answer"))
        async with asyncio.timeout(20):
            while (answer := await running.get("/health")).status != 503:
                pass
    assert answer.json["not_fresh"] == ["heat"]


async def test_a_reading_now() -> None:
    asked: list[str] = []

    def read() -> Reply:
        asked.append("heat")
        taken, later = len(asked) == 1, datetime(2026, 11, 29, 18, 5, 9, tzinfo=UTC)
        return Reply(taken) if taken else Reply(False, "read_too_soon", "wait", later)

    async with page(reading(), reading("p1")) as running:
        running.sink.take_requests_to(Requests({"heat": read}))
        zone = ZoneInfo((await running.get("/api/v1/now")).json["zone"])
        clock = datetime(2026, 11, 29, 18, 5, 9, tzinfo=UTC).astimezone(zone)
        too_soon = "Er werd te snel na de vorige keer om gevraagd."
        for code, reason, told in (
            (202, "", "Gevraagd. De meting verschijnt zodra die er is."),
            (409, "read_too_soon", f"{too_soon} Het kan weer om {clock:%H:%M:%S}."),
        ):
            answer = await running.post("/api/v1/meters/heat/read", headers={"Accept-Language": "nl"})
            assert (answer.status, answer.json["reason"]) == (code, reason)
            assert answer.json["told"] == told
        for other in ("p1", "none"):
            assert (await running.post(f"/api/v1/meters/{other}/read")).status == 404
        a_form = {"Accept": "text/html,application/xhtml+xml"}
        answer = await running.post("/api/v1/meters/heat/read", headers=a_form)
        assert (answer.status, answer.headers["Location"]) == (303, "../../../../meters")
    assert len(asked) == 3


@pytest.mark.parametrize(
    "path", ["/nothing", "/static/x.js", "/static/..%2f..%2fsettings.toml", "/%2e%2e/etc/passwd", "/api/v1/x"]
)
async def test_what_is_not_there(path: str) -> None:
    async with page() as running:
        assert (await running.get(path)).status == 404


async def test_nothing_is_asked_of_a_history_that_is_not_kept() -> None:
    async with page() as running:
        assert (await running.get("/api/v1/bars")).status == 404


async def test_a_port_that_is_taken_is_told() -> None:
    async with page() as running:
        second = WebSink("second", WebSettings(port=running.port))
        with pytest.raises(SinkError, match=f"port {running.port} of 127.0.0.1 is taken by another program"):
            await second.run(running.messages())


async def test_a_fault_of_ours_costs_one_answer_and_tells_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> bytes:
        raise RuntimeError("serial 12345678")

    async with page(reading()) as running:
        monkeypatch.setattr(parts, "rendered", broken)
        answer = await running.get("/")
        assert (answer.status, answer.headers["X-Content-Type-Options"]) == (500, "nosniff")
        assert "12345678" not in answer.text + caplog.text
        assert "one answer of the page is missing" in caplog.text
        assert running.sink.internal_errors == 1
        assert (await running.get("/api/v1/now")).status == 200


async def test_a_message_that_cannot_be_taken_costs_itself(caplog: pytest.LogCaptureFixture) -> None:
    nonsense: Any = {"type": "reading", "meter": "heat"}
    async with page(nonsense, reading(power="1 kW")) as running:
        (heat,) = (await running.get("/api/v1/now")).json["meters"]
        assert heat["measurements"]["power"]["value"] == 1
        assert running.sink.internal_errors == 1


async def test_what_is_asked_otherwise_than_by_get() -> None:
    async with page(reading()) as running:
        answer = await running.ask("PUT", "/api/v1/now")
        assert (answer.status, answer.json["error"]) == (405, "that is not done at this address")
        head = await running.ask("HEAD", "/api/v1/now")
        assert (head.status, head.text) == (200, "")
        assert (await running.ask("TRACE", "/")).status == 405


async def test_a_name_of_both_kinds_of_addresses() -> None:
    async with page(reading(), host="localhost") as running:
        running.address = f"http://localhost:{running.port}"
        assert (await running.get("/health")).status in (200, 503)


async def test_a_name_that_is_none_of_this_computer() -> None:
    with pytest.raises(SinkError, match="no name of this computer"):
        await bound("no-such-host.invalid", 8080)
    with pytest.raises(SinkError, match=r"this computer has no address 192\.0\.2\.1"):
        await bound("192.0.2.1", 8080)  # RFC 5737: nobody's
