"""What a sink says to a broker, apart from how it gets there: its messages, and who makes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from smart_meter_reader.messages import Current

# MQTT 3.1.1, 4.7: what a topic must not hold; what is longer than this is none of ours.
_TOPIC = re.compile(r"[^+#\0\ud800-\udfff]{1,4096}")

# What a message says of us that nobody else may: whether we or a meter are there, or which meter that is.
Watched: TypeAlias = Literal["", "availability", "identity"]


@dataclass(frozen=True, slots=True)
class MqttMessage:
    """One PUBLISH: topic, payload, QoS 0 to 2, retain flag.

    ``keep`` is for topics where every message counts (a history): such a message waits in a bounded ring
    while the broker is away and until it is acknowledged. Any other message is dropped while the broker
    is away, since after the connect ``Presenter.announce`` says what is current. ``receipt`` is that of what
    it is a part of, and settled with its acknowledgement; "" for none.

    ``watched`` is for topics on which this presenter alone speaks, and which it has subscribed to: what
    somebody else writes there is told, and put right.
    """

    topic: str
    payload: str | bytes
    qos: int = 1
    retain: bool = True
    keep: bool = False
    watched: Watched = field(default="", compare=False)
    receipt: str = field(default="", compare=False)

    @property
    def has_topic(self) -> bool:
        """Whether MQTT allows the topic."""
        return _TOPIC.fullmatch(self.topic) is not None

    @property
    def octets(self) -> bytes:
        """The payload as it is sent; half a character, which no encoding takes, becomes a question mark."""
        return self.payload.encode(errors="replace") if isinstance(self.payload, str) else self.payload


@dataclass(frozen=True, slots=True)
class Command:
    """What a topic is for on which anybody may ask for a reading of a meter.

    ``says`` is the payload that asks, None when any does; ``unsays`` the one that takes it back, which is
    nothing to do. ``echo`` is published after it: what the topic's state is then.
    """

    meter: str
    says: bytes | None = None
    unsays: bytes | None = None
    echo: MqttMessage | None = None


class Presenter(Protocol):
    """Turns messages of the queue into messages for the broker. Pure: no connection, clock or loop in it.

    It sees every message, also while the broker is away, and remembers what it needs to announce.
    """

    will: MqttMessage | None  # what the broker publishes when our connection breaks
    # Topics whose messages are passed to ``received``. It only grows, and is asked after each ``present``.
    subscriptions: tuple[str, ...]
    # By topic; each is among the subscriptions, and nothing of it reaches ``received``.
    commands: Mapping[str, Command]
    # Topics of watched messages that are of no interest but for what others write there. It only grows, too.
    watched: tuple[str, ...]

    def present(self, message: Current) -> list[MqttMessage]:
        """What one message of the queue becomes."""

    def announce(self) -> list[MqttMessage]:
        """After every connect: all that is retained or current, again. The will's counterpart goes last."""

    def farewell(self) -> list[MqttMessage]:
        """What is said before a clean disconnect (the broker then does not publish the will)."""

    def received(self, topic: str, payload: bytes) -> bool:
        """Take a message of ``subscriptions``: anybody may have written it. Whether to announce all again."""
