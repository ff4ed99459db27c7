"""Records a broker's traffic with the retain flags as published, which only MQTT 5 passes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.peers.feed import until
from tests.peers.mosquitto import PATIENCE
from tests.validators.homie import Publish


class Recorder:
    """All that is published from now on, in order; ``retained`` is what was there before."""

    def __init__(self, port: int) -> None:
        self.traffic: list[Publish] = []
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(
            "#", options=SubscribeOptions(qos=2, retainAsPublished=True)
        )
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE)

    def newest(self, topic: str) -> str | None:
        return next((item.payload for item in reversed(self.traffic) if item.topic == topic), None)

    async def sees(self, topic: str, payload: str) -> None:
        """Wait until this is the newest payload of the topic."""
        await until(lambda: self.newest(topic) == payload)

    def count(self, topic: str, payload: str) -> int:
        return sum(item.topic == topic and item.payload == payload for item in list(self.traffic))

    def _take(self, client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        self.traffic.append(
            Publish(message.topic, message.payload.decode(), message.qos, bool(message.retain))
        )


@contextmanager
def recording(port: int) -> Iterator[Recorder]:
    recorder = Recorder(port)
    try:
        yield recorder
    finally:
        recorder.close()


def retained(port: int) -> dict[str, str]:
    """What a controller finds that comes later: topics and their retained payloads."""
    with recording(port) as recorder:
        # Retained messages come in order before the answer to this one.
        recorder.publish("retained/complete", "")
        until_when = time.monotonic() + PATIENCE
        while recorder.newest("retained/complete") is None:
            assert time.monotonic() < until_when
            time.sleep(0.01)
        return {item.topic: item.payload for item in recorder.traffic if item.payload}
