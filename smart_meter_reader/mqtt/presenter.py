"""What a sink says to a broker, apart from how it gets there."""

from __future__ import annotations

from typing import Protocol

from smart_meter_reader.messages import Message
from smart_meter_reader.mqtt.message import MqttMessage


class Presenter(Protocol):
    """Turns messages of the queue into messages for the broker. Pure: no connection, clock or loop in it.

    It sees every message, also while the broker is away, and remembers what it needs to announce.
    """

    will: MqttMessage | None  # what the broker publishes when our connection breaks
    # Topics whose messages are passed to ``received``. It only grows, and is asked after each ``present``.
    subscriptions: tuple[str, ...]

    def present(self, message: Message) -> list[MqttMessage]:
        """What one message of the queue becomes."""

    def announce(self) -> list[MqttMessage]:
        """After every connect: all that is retained or current, again. The will's counterpart goes last."""

    def farewell(self) -> list[MqttMessage]:
        """What is said before a clean disconnect (the broker then does not publish the will)."""

    def received(self, topic: str, payload: bytes) -> bool:
        """Take a message of ``subscriptions``: anybody may have written it. Whether to announce all again."""
