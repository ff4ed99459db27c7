"""What was announced of one device, and how it goes over from one form of discovery to the other.

Home Assistant drops what it is told of a device while it is still at the one before (the loop in core's
``async_discovery_message_received`` ends at the first component that is pending). So the breath in
which what stands there in the other form is told to move is not the one in which the device is announced.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.sinks.home_assistant.forms import MIGRATE, MOST_KEYS, DiscoveryPlace

# So long Home Assistant has for what was told to move, by the times of the messages between.
MOVING = timedelta(seconds=1)


class Announced:
    """The discovery of one device as the broker has it by now, as far as it was told or heard."""

    def __init__(self, place: DiscoveryPlace) -> None:
        self.place = place
        self.told = False  # whether Home Assistant knows the device
        self._payloads: dict[str, str] = {}
        self._left: dict[str, bool] = {}  # topics of the other form; whether they were told to move
        self._moved_at: datetime | None = None  # None: not in this run

    def forget(self) -> None:
        """Everything is to be told again."""
        self._payloads.clear()
        self.told = False

    def is_other(self, topic: str) -> bool:
        """Whether a topic of the device's discovery is one of the other form."""
        return (topic == self.place.of_device) is (self.place.form == "single")

    def take_other(self, topic: str, payload: bytes) -> bool:
        """Note what the broker has retained in the other form; whether that is news, and ours."""
        moves = payload == MIGRATE.encode()
        if topic in self._left or len(self._left) >= MOST_KEYS:
            return False
        if not moves and not self.place.found(topic, payload):
            return False
        self._left[topic] = moves
        return True

    def messages(self, payloads: Mapping[str, str], now: datetime) -> list[MqttMessage]:
        """What is to be published so that the broker has these payloads, and nothing of the other form."""
        unmoved = [topic for topic, moves in self._left.items() if not moves]
        if unmoved:
            self._left, self._moved_at = dict.fromkeys(self._left, True), now
            return [MqttMessage(topic, MIGRATE) for topic in unmoved]
        if not payloads or self._is_moving(now):
            return []
        news = {topic: payload for topic, payload in payloads.items() if self._payloads.get(topic) != payload}
        self._payloads.update(news)
        self.told = True
        removed, self._left = dict.fromkeys(self._left, ""), {}
        return [
            MqttMessage(topic, payload, watched="identity" if payload else "")
            for topic, payload in (news | removed).items()
        ]

    def _is_moving(self, now: datetime) -> bool:
        """Whether Home Assistant is still at it; entity by entity, it puts in line what comes meanwhile."""
        if not self._left or self._moved_at is None or self.place.form == "single":
            return False
        return timedelta(0) <= now - self._moved_at < MOVING
