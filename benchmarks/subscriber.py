"""What a broker passes on, with the time at which it arrived: a client with a thread of its own."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import NamedTuple, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


class Arrived(NamedTuple):
    """One message; ``at`` is of the machine's monotonic clock, ``clock`` of its wall clock."""

    topic: str
    payload: bytes
    at: float
    clock: float


class Subscriber:
    """Subscribed while in its block; messages that the broker had retained before are left out."""

    def __init__(self, port: int, topics: str) -> None:
        self.arrived: list[Arrived] = []
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe(topics, 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._note
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        assert self._subscribed.wait(10), "the broker does not answer"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _note(self, client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        if not message.retain:
            self.arrived.append(Arrived(message.topic, bytes(message.payload), time.monotonic(), time.time()))
