"""What all MQTT sinks share: presenters say what to publish, this runs them over connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar, Protocol

from smart_meter_reader.messages import Message
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt_settings import BrokerSettings


class Presenter(Protocol):
    """Turns messages of the queue into messages for the broker. Pure: no connection, clock or loop in it.

    It sees every message, also while the broker is away, and remembers what it needs to announce.
    """

    will: MqttMessage | None  # what the broker publishes when our connection breaks
    subscriptions: tuple[str, ...]  # topic filters whose messages are passed to ``received``

    def present(self, message: Message) -> list[MqttMessage]:
        """What one message of the queue becomes."""

    def announce(self) -> list[MqttMessage]:
        """After every connect: all that is retained or current, again. The will's counterpart goes last."""

    def farewell(self) -> list[MqttMessage]:
        """What is said before a clean disconnect (the broker then does not publish the will)."""

    def received(self, topic: str, payload: bytes) -> list[MqttMessage]:
        """The answer to a message of ``subscriptions`` (Home Assistant's birth message, say)."""


class MqttSink:
    """Base of the MQTT sinks: a presenter on a connection, or one such pair per meter.

    A connection has one will. So a convention that wants a will per meter (Homie) sets ``per_meter``; its
    pairs are made when a meter's first message arrives.
    """

    settings_type: ClassVar[type[Any]]
    per_meter: ClassVar[bool] = False

    def __init__(self, name: str, settings: BrokerSettings) -> None:
        self.name = name
        self._settings = settings

    def presenter(self, meter: str) -> Presenter:
        """A new presenter: of this meter with ``per_meter``, else of all (``meter`` is then "")."""
        raise TypeError(f"{type(self).__name__} does not say what to publish")

    def retained_topics(self, meter: str) -> tuple[str, ...]:
        """The topic filters under which everything lies that this sink has retained for a meter."""
        raise TypeError(f"{type(self).__name__} does not say where it publishes")

    def is_ours(self, meter: str, topic: str, payload: bytes) -> bool:
        """Whether a retained message found under ``retained_topics`` was published by this sink."""
        return True

    async def run(self, messages: AsyncIterator[Message]) -> None:
        """Deliver messages until there are no more."""
        async for _ in messages:
            pass
