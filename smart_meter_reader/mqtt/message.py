"""A message for the broker."""

from __future__ import annotations

import re
from dataclasses import dataclass

# MQTT 3.1.1, 4.7: what a topic must not hold; what is longer than this is none of ours.
_TOPIC = re.compile(r"[^+#\0\ud800-\udfff]{1,4096}")


@dataclass(frozen=True, slots=True)
class MqttMessage:
    """One PUBLISH: topic, payload, QoS 0 to 2, retain flag.

    ``keep`` is for topics where every message counts (a history): such a message waits in a bounded ring
    while the broker is away and until it is acknowledged. Any other message is dropped while the broker
    is away, since after the connect ``Presenter.announce`` says what is current.
    """

    topic: str
    payload: str | bytes
    qos: int = 1
    retain: bool = True
    keep: bool = False

    @property
    def has_topic(self) -> bool:
        """Whether MQTT allows the topic."""
        return _TOPIC.fullmatch(self.topic) is not None

    @property
    def octets(self) -> bytes:
        """The payload as it is sent; half a character, which no encoding takes, becomes a question mark."""
        return self.payload.encode(errors="replace") if isinstance(self.payload, str) else self.payload
