"""What a broker says in CONNACK that it takes is kept to, and told: on a real Mosquitto of each kind."""

from __future__ import annotations

import asyncio

import pytest

from smart_meter_reader.mqtt.limits import BrokerLimits
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.sinks.homie.sink import HomieSettings, HomieSink
from smart_meter_reader.sinks.mqtt_json import MqttJsonSettings, MqttJsonSink
from tests.peers.feed import until
from tests.peers.mosquitto import MakeBroker, Mosquitto
from tests.peers.mqtt_recorder import recording
from tests.sinks.test_overwritten import SINKS, running

STATES = {
    "mqtt_json": "smart-meter-reader/heat/state",
    "home_assistant": "smart_meter_reader_ha/heat/state",
    "homie": "homie/heat/heat/heat-energy",
}


async def works(broker: Mosquitto, name: str) -> None:
    with recording(broker.port) as recorder:
        async with running(SINKS[name](broker.port, "house")):
            await until(lambda: "227.445" in (recorder.newest(STATES[name]) or ""))


@pytest.mark.parametrize("name", STATES)
async def test_a_broker_that_keeps_nothing(
    make_broker: MakeBroker, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """OctoPrint/OctoPrint-MQTT#55: not even let in, since the will was to be retained."""
    await works(make_broker("retain_available false"), name)
    assert len([text for text in caplog.messages if "keeps no retained messages" in text]) == 1
    assert len(caplog.messages) == 1


async def test_a_broker_that_keeps_nothing_and_cannot_say_so(
    make_broker: MakeBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """In MQTT 3.1.1 it hangs up at a will that is to be retained, without a word."""
    broker = make_broker("retain_available false")
    settings = MqttJsonSettings(host="127.0.0.1", port=broker.port, protocol="3.1.1")
    with recording(broker.port) as recorder:
        async with running(MqttJsonSink("mqtt_json", settings.named("house"))):
            await until(lambda: "227.445" in (recorder.newest(STATES["mqtt_json"]) or ""))
    assert [text for text in caplog.messages if "keeps no retained messages" in text]


@pytest.mark.parametrize("name", STATES)
async def test_a_broker_that_takes_qos_0_only(
    make_broker: MakeBroker, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    await works(make_broker("max_qos 0"), name)
    assert [text for text in caplog.messages if "takes QoS 0 only" in text]
    assert len(caplog.messages) == 1


async def test_a_message_that_is_larger_than_the_broker_takes_is_not_sent_and_told(
    make_broker: MakeBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker hangs up at it, again and again."""
    broker = make_broker("max_packet_size 1000")
    with recording(broker.port) as recorder:
        async with running(SINKS["home_assistant"](broker.port, "house")):
            await until(lambda: "227.445" in (recorder.newest(STATES["home_assistant"]) or ""))
    (told,) = [
        text for text in caplog.messages if "is not sent, since it has" in text and "heat/config" in text
    ]
    assert "the broker takes 1000: raise its limit (Mosquitto: max_packet_size)" in told
    assert "gone" not in caplog.text


def test_what_is_not_limited_stays_as_it_is() -> None:
    message = MqttMessage("a", "b", qos=2)
    assert BrokerLimits().fitted(message) is message
    assert BrokerLimits().too_large(message) == ""
    assert BrokerLimits(retain=False, most_qos=1).fitted(message) == MqttMessage(
        "a", "b", qos=1, retain=False
    )
    assert BrokerLimits(longest=12).too_large(message) == ""
    assert BrokerLimits(longest=11).too_large(message)


async def test_client_ids_differ_by_environment(broker: Mosquitto) -> None:
    """evcc-io/evcc#6327: with one `client_id` for all, two environments threw each other out for ever."""
    settings = HomieSettings(host="127.0.0.1", port=broker.port, client_id="smr", service="same")
    sinks = [HomieSink("homie", settings.named(name)) for name in ("house", "cellar")]
    async with running(sinks[0]), running(sinks[1]):
        wanted = ("smr-house-homie-heat", "smr-cellar-homie-heat")
        await until(lambda: all(f" as {name} " in broker.log() for name in wanted))
        await asyncio.sleep(0)
    assert "already connected" not in broker.log()
