"""The sink before a real web server that plays Home Assistant: restarts, refusals, TLS and silence."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.messages import Current
from smart_meter_reader.pipeline.router import SinkQueue
from smart_meter_reader.pipeline.sink_supervisor import SinkSupervisor
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.settings.schema import Origin, Place, Secret, parse
from smart_meter_reader.sinks.home_assistant.rest import HomeAssistantRestSettings, HomeAssistantRestSink
from smart_meter_reader.sinks.home_assistant.rest_states import States
from tests.peers.home_assistant_http import TOKEN, HomeAssistantHttp
from tests.peers.mosquitto import Certificates

NOW = datetime(2026, 11, 21, 12, 30, 5, 123456, tzinfo=UTC)
HEAT: dict[str, Measurement] = {
    "heat_energy": {"value": Decimal("227.400"), "unit": "GJ"},
    "flow_temperature": {"value": Decimal("68.10"), "unit": "°C"},
}
STOP = timedelta(seconds=5)


def reading(measurements: dict[str, Measurement] = HEAT, meter: str = "heat-1") -> Current:
    return {"type": "reading", "meter": meter, "time": NOW, "measurements": measurements}


def status(state: str, reason: str = "", detail: str = "") -> Current:
    return {
        "type": "status",
        "meter": "heat-1",
        "time": NOW,
        "state": state,  # type: ignore[typeddict-item]
        "reason": reason,
        "detail": detail,
    }


def energy(value: str) -> Current:
    return reading({"heat_energy": {"value": Decimal(value), "unit": "GJ"}})


def settings(home: HomeAssistantHttp, **more: Any) -> HomeAssistantRestSettings:
    defaults = {"timeout": timedelta(seconds=5), "check_interval": timedelta(seconds=0.1)}
    return HomeAssistantRestSettings(url=home.url, token=Secret(TOKEN), **(defaults | more))


@pytest.fixture
def home() -> Iterator[HomeAssistantHttp]:
    with HomeAssistantHttp() as home:
        yield home


@asynccontextmanager
async def running(options: HomeAssistantRestSettings) -> AsyncIterator[SinkQueue]:
    """The sink under its supervisor, as in the service."""
    queue = SinkQueue("rest", 100)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        sink = HomeAssistantRestSink("rest", options)
        task = group.create_task(SinkSupervisor(sink, queue).run())
        yield queue
        queue.close()
        await asyncio.wait([task], timeout=STOP.total_seconds())
        task.cancel()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.01)


async def failure(options: HomeAssistantRestSettings, *messages: Current) -> SinkError:
    """How a run without supervisor ends."""
    queue = SinkQueue("rest", 100)
    for message in messages:
        queue.put(message)
    with pytest.raises(SinkError) as raised:
        async with asyncio.timeout(20):
            await HomeAssistantRestSink("rest", options).run(queue)
    return raised.value


async def test_states_come_with_all_their_attributes(home: HomeAssistantHttp) -> None:
    async with running(settings(home)) as queue:
        queue.put(status("online"))
        queue.put(reading())
        await until(lambda: len(home.states) == 6)
        assert home.states["sensor.heat_1_heat_energy"] == {
            "state": "227.400",
            "attributes": {
                "friendly_name": "Heat 1 meter heat energy",
                "device_class": "energy",
                "state_class": "total_increasing",
                "unit_of_measurement": "GJ",
            },
        }
        assert home.states["sensor.heat_1_flow_temperature"]["attributes"]["device_class"] == "temperature"
        assert home.states["sensor.heat_1_last_reading"]["state"] == "2026-11-21T12:30:05Z"
        assert home.states["sensor.heat_1_status"]["state"] == "online"
        assert home.states["binary_sensor.heat_1_connected"]["state"] == "on"
        assert home.states["binary_sensor.heat_1_problem"]["state"] == "off"
    assert {state["state"] for state in home.states.values()} == {"unavailable"}
    assert home.connections == 1


async def test_what_a_run_for_one_reading_has_posted_stays(home: HomeAssistantHttp) -> None:
    queue = SinkQueue("rest", 100)
    queue.put(reading())
    queue.close()
    sink = HomeAssistantRestSink("rest", settings(home))
    sink.stay_available()
    assert not sink.delivered
    await sink.run(queue)
    assert home.states["sensor.heat_1_heat_energy"]["state"] == "227.400"
    assert sink.delivered


async def test_what_was_refused_is_not_delivered(home: HomeAssistantHttp) -> None:
    queue = SinkQueue("rest", 100)
    queue.put(reading())
    queue.close()
    sink = HomeAssistantRestSink("rest", settings(home))
    home.refused_entities.add("sensor.heat_1_heat_energy")
    await sink.run(queue)
    assert not sink.delivered


async def test_only_what_changed_is_posted(home: HomeAssistantHttp) -> None:
    async with running(settings(home)) as queue:
        queue.put(reading())
        await until(lambda: len(home.states) == 3)
        queue.put(energy("227.401"))
        await until(lambda: home.states["sensor.heat_1_heat_energy"]["state"] == "227.401")
        assert len(home.posts) == 4


async def test_a_meter_that_is_offline_makes_its_values_unavailable_until_it_is_back(
    home: HomeAssistantHttp,
) -> None:
    async with running(settings(home)) as queue:
        queue.put(reading())
        queue.put(status("offline", "echo_only", "turn the head"))
        await until(lambda: home.states.get("sensor.heat_1_status", {}).get("state") == "offline")
        await until(lambda: home.states["sensor.heat_1_heat_energy"]["state"] == "unavailable")
        attributes = home.states["sensor.heat_1_status"]["attributes"]
        assert (attributes["reason"], attributes["detail"]) == ("echo_only", "turn the head")
        assert home.states["sensor.heat_1_last_reading"]["state"] == "2026-11-21T12:30:05Z"
        queue.put(status("online"))
        queue.put(energy("228.000"))
        await until(lambda: home.states["sensor.heat_1_heat_energy"]["state"] == "228.000")
        await until(lambda: home.states["sensor.heat_1_flow_temperature"]["state"] == "68.10")


async def test_all_is_posted_again_after_a_restart_that_nobody_saw(home: HomeAssistantHttp) -> None:
    async with running(settings(home)) as queue:
        queue.put(reading())
        await until(lambda: len(home.states) == 3)
        home.states.clear()
        await until(lambda: len(home.states) == 3)
        assert home.states["sensor.heat_1_heat_energy"]["state"] == "227.400"


async def test_a_post_that_creates_what_was_there_tells_of_a_restart(home: HomeAssistantHttp) -> None:
    async with running(settings(home, check_interval=timedelta(hours=1))) as queue:
        queue.put(reading())
        await until(lambda: len(home.states) == 3)
        home.states.clear()
        queue.put(energy("227.401"))
        await until(lambda: len(home.states) == 3)
        assert home.states["sensor.heat_1_flow_temperature"]["state"] == "68.10"
        assert home.states["sensor.heat_1_heat_energy"]["state"] == "227.401"


async def test_a_restart_with_lost_connections_is_survived(home: HomeAssistantHttp) -> None:
    async with running(settings(home)) as queue:
        queue.put(reading())
        await until(lambda: len(home.states) == 3)
        home.stop()
        queue.put(energy("227.500"))
        await asyncio.sleep(0.3)
        home.start()
        await until(lambda: len(home.states) == 3)
        assert home.states["sensor.heat_1_heat_energy"]["state"] == "227.500"


async def test_an_idle_connection_that_was_closed_is_opened_again_without_a_word(
    home: HomeAssistantHttp, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(settings(home, check_interval=timedelta(hours=1))) as queue:
        queue.put(reading())
        await until(lambda: len(home.states) == 3)
        states = dict(home.states)
        home.restart()
        home.states.update(states)
        queue.put(energy("227.500"))
        await until(lambda: home.states["sensor.heat_1_heat_energy"]["state"] == "227.500")
        assert home.connections == 2
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_the_newest_state_wins_while_home_assistant_is_away(home: HomeAssistantHttp) -> None:
    home.stop()
    async with running(settings(home)) as queue:
        for number in range(50):
            queue.put(energy(f"227.{number:03}"))
        await asyncio.sleep(0.2)
        home.start()
        await until(lambda: "sensor.heat_1_heat_energy" in home.states)
        told = [body["state"] for entity_id, body in home.posts if entity_id.endswith("heat_energy")]
        assert told == ["227.049"]


async def test_trouble_of_the_server_is_retried(home: HomeAssistantHttp) -> None:
    async with running(settings(home)) as queue:
        home.trouble = "500"
        queue.put(reading())
        await until(lambda: home.requests >= 1)
        assert not home.states
        home.trouble = ""
        await until(lambda: len(home.states) == 3)


async def test_a_server_that_hangs_does_not_keep_the_sink_from_stopping(home: HomeAssistantHttp) -> None:
    home.trouble = "hang"
    sink = HomeAssistantRestSink("rest", settings(home, timeout=timedelta(minutes=1)))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(sink.run(SinkQueue("rest", 10)))
        await until(lambda: home.requests == 1)
        task.cancel()


async def test_a_server_that_hangs_is_given_up(home: HomeAssistantHttp) -> None:
    home.trouble = "hang"
    error = await failure(settings(home, timeout=timedelta(seconds=0.2)))
    assert error.reason == "timeout"


async def test_one_state_that_is_refused_does_not_hold_up_the_others(
    home: HomeAssistantHttp, caplog: pytest.LogCaptureFixture
) -> None:
    home.refused_entities.add("sensor.heat_1_heat_energy")
    async with running(settings(home)) as queue:
        queue.put(reading())
        await until(lambda: len(home.states) == 2)
        queue.put(energy("227.500"))
        queue.put(reading({"power": {"value": Decimal("3.1"), "unit": "kW"}}))
        await until(lambda: "sensor.heat_1_power" in home.states)
    refusals = [record for record in caplog.records if "refuses the state" in record.getMessage()]
    assert len(refusals) == 1


@pytest.mark.parametrize(
    ("trouble", "reason", "said"),
    [
        ("403", "banned", "ip_bans.yaml"),
        ("404", "not_home_assistant", "the integration `api`"),
        ("302", "redirected", "set `url`"),
        ("502", "server_error", "HTTP 502"),
        ("400", "bad_request", "trusted_proxies"),
        ("garbage", "not_http", "https://?"),
    ],
)
async def test_every_refusal_is_explained(
    home: HomeAssistantHttp, trouble: str, reason: str, said: str
) -> None:
    home.trouble = trouble
    error = await failure(settings(home))
    assert error.reason == reason
    assert said in error.detail


async def test_a_wrong_token_is_told_in_one_sentence_and_not_tried_over_and_over(
    home: HomeAssistantHttp, caplog: pytest.LogCaptureFixture
) -> None:
    home.token = "another"
    async with running(settings(home)) as queue:
        queue.put(reading())
        await until(lambda: any("does not accept the token" in r.getMessage() for r in caplog.records))
        await asyncio.sleep(1.5)  # the supervisor has started the sink again by now
        assert home.requests == 1
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1
    assert TOKEN not in caplog.text


async def test_tls_with_an_own_ca(certificates: Certificates) -> None:
    with HomeAssistantHttp(certificates.server) as home:
        async with running(settings(home, ca=certificates.ca)) as queue:
            queue.put(reading())
            await until(lambda: len(home.states) == 3)


async def test_insecure_takes_any_certificate(certificates: Certificates) -> None:
    with HomeAssistantHttp(certificates.misnamed_server) as home:
        async with running(settings(home, insecure=True)) as queue:
            queue.put(reading())
            await until(lambda: len(home.states) == 3)


async def test_a_certificate_that_does_not_fit_is_refused_before_the_token_is_sent(
    certificates: Certificates, tmp_path: Any
) -> None:
    with HomeAssistantHttp(certificates.server) as home:
        assert (await failure(settings(home))).reason == "untrusted"
        assert (await failure(settings(home, ca=certificates.other_ca))).reason == "untrusted"
        assert (await failure(settings(home, ca=tmp_path / "none.pem"))).reason == "certificate_file"
        assert home.requests == 0
    with HomeAssistantHttp(certificates.misnamed_server) as home:
        assert (await failure(settings(home, ca=certificates.ca))).reason == "wrong_host_name"
        assert home.requests == 0


async def test_plain_and_encrypted_are_told_apart(
    certificates: Certificates, home: HomeAssistantHttp
) -> None:
    encrypted = HomeAssistantRestSettings(url=home.url.replace("http:", "https:"), token=Secret(TOKEN))
    assert (await failure(encrypted)).reason in ("tls_failed", "not_http")
    with HomeAssistantHttp(certificates.server) as other:
        plain = HomeAssistantRestSettings(url=other.url.replace("https:", "http:"), token=Secret(TOKEN))
        error = await failure(plain)
    assert error.reason == "not_http"
    assert "https://" in error.detail


async def test_nothing_there_is_explained() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        closed = HomeAssistantRestSettings(url=f"http://127.0.0.1:{port}", token=Secret(TOKEN))
        assert (await failure(closed)).reason == "port_closed"
    unknown = HomeAssistantRestSettings(url="http://no-such-host.invalid", token=Secret(TOKEN))
    assert (await failure(unknown)).reason == "unknown_host"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"url": "homeassistant.local:8123"}, "http://HOST:PORT"),
        ({"url": "http://user:password@host"}, "http://HOST:PORT"),
        ({"url": "http://host", "insecure": True}, "about TLS"),
        ({"url": "http://host:81230"}, 'url: found "http://host:81230"; allowed: http://HOST:PORT'),
        ({"url": "http://[:::]:8123"}, "an address of IPv6 between [ and ]"),
        ({"token": "two words"}, "is not a token"),
        ({"token": ""}, "token"),
    ],
)
def test_settings_that_cannot_work_are_refused(table: dict[str, Any], said: str) -> None:
    parsed, problems = parse(
        HomeAssistantRestSettings, {"token": TOKEN, **table}, Place({(): Origin("test", "", ())})
    )
    assert parsed is None
    assert said in problems[0]
    assert "user:password" not in problems[0]
    assert "two words" not in problems[0]


def test_a_text_too_long_and_a_value_that_makes_no_sense_do_no_harm() -> None:
    states = States()
    states.take(
        reading(
            {
                "heat_energy": {"value": "rubbish", "unit": "GJ"},
                "text_message": {"value": "x" * 400, "unit": ""},
                "never_heard_of": {"value": 5, "unit": ""},
            }
        )
    )
    told = {entity_id: state.state for entity_id, state in states.pending()}
    assert told["sensor.heat_1_heat_energy"] == "unknown"
    assert len(told["sensor.heat_1_text_message"]) == 255
    assert told["sensor.heat_1_never_heard_of"] == "5"


def test_what_has_happened_is_posted_once_it_has() -> None:
    states = States()
    states.take(status("online"))
    assert "event.heat_1_meter_replaced" not in dict(states.pending())
    replaced: Any = status("online")
    replaced["reason"], replaced["detail"] = "meter_replaced", "another serial number"
    states.take(replaced)
    event = dict(states.pending())["event.heat_1_meter_replaced"]
    assert event.state == "2026-11-21T12:30:05Z"
    assert event.attributes["event_type"] == "meter_replaced"
    assert event.attributes["event_types"] == ["meter_replaced"]


def test_a_plain_meter_has_nothing_authentic() -> None:
    states = States()
    plain: Any = reading()
    plain["authentication"] = "none"
    states.take(plain)
    assert "sensor.heat_1_authentication" not in dict(states.pending())
    plain["authentication"] = "verified"
    states.take(plain)
    assert dict(states.pending())["sensor.heat_1_authentication"].state == "verified"
