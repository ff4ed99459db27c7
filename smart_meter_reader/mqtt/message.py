"""A message for the broker."""

from __future__ import annotations

from dataclasses import dataclass


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
