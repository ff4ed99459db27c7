"""Notices when somebody else writes where one connection alone speaks. Pure: time is an argument, in seconds.

A second service with the same names, a run by hand, or the broker with the last will of a connection that it
gave up late: each leaves its word retained, and nobody would say the right one again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from smart_meter_reader.mqtt.message import MqttMessage

# So many of our own words may be on their way back at once. An older one counts as arrived.
MOST_AWAITED = 50
# Two services that put each other right do so ever more seldom.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 3600.0
_CALM_SECONDS = 60.0


@dataclass(slots=True)
class _Said:
    message: MqttMessage
    awaited: deque[bytes] = field(default_factory=lambda: deque(maxlen=MOST_AWAITED))
    wrong: bytes | None = None  # what somebody else has put in its place


@dataclass(slots=True)
class _Rows:
    """How often a topic was put right in a row, and when the last time is, or will be."""

    corrections: int = 0
    due: float = 0.0


class Watch:
    """What was published on watched topics, against what comes back from there."""

    def __init__(self) -> None:
        self._said: dict[str, _Said] = {}
        self._rows: dict[str, _Rows] = {}

    def begin_anew(self) -> None:
        """A new connection: nothing was said on it yet, and nothing of an earlier one comes back."""
        self._said.clear()

    def nothing_awaited(self) -> None:
        """All that was said was taken before anything was subscribed to: of it comes what is retained."""
        for said in self._said.values():
            said.awaited.clear()

    def published(self, message: MqttMessage) -> None:
        """A message goes out."""
        if message.watched:
            said = self._said.setdefault(message.topic, _Said(message))
            said.message, said.wrong = message, None
            said.awaited.append(message.octets)
        else:
            self._said.pop(message.topic, None)  # it is taken away, say

    def is_foreign(self, topic: str, payload: bytes) -> bool:
        """Whether something else stands there now than what we have said.

        What comes while a word of ours is still on its way back is older than that word.
        """
        said = self._said.get(topic)
        if said is None:
            return False
        if payload in said.awaited:
            while said.awaited.popleft() != payload:
                pass
            return False
        if said.awaited:
            return False
        said.wrong = None if payload == said.message.octets else payload
        return said.wrong is not None

    def pause(self, topic: str, now: float) -> float | None:
        """How long to wait before a topic is put right; None when that is planned already."""
        row = self._rows.setdefault(topic, _Rows())
        if row.due > now:
            return None
        pause = min(FIRST_PAUSE * 2.0**row.corrections, LONGEST_PAUSE)
        if now - row.due > 2 * pause + _CALM_SECONDS:
            row.corrections, pause = 0, FIRST_PAUSE
        row.corrections = min(row.corrections + 1, 20)
        row.due = now + pause
        return pause

    def wrong(self, topic: str) -> tuple[MqttMessage, bytes] | None:
        """What we said there and what stands there instead; None when it is right by now."""
        said = self._said.get(topic)
        return None if said is None or said.wrong is None else (said.message, said.wrong)
