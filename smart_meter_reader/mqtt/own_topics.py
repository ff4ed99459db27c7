"""Puts right what others write where one connection alone speaks, and tells it; when, ``watch`` decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.told import ConnectionLog
from smart_meter_reader.mqtt.watch import Watch


class OwnTopics:
    """The watched topics of one connection. ``say`` publishes a message again, ``say_all`` announces all."""

    def __init__(
        self, told: ConnectionLog, say: Callable[[MqttMessage], None], say_all: Callable[[], None]
    ) -> None:
        self.watching = False  # whether they are subscribed to, on this link
        self._watch = Watch()
        self._told = told
        self._say = say
        self._say_all = say_all
        self._link = 0  # how many there were

    def begin_anew(self) -> None:
        """There is a new link."""
        self._link += 1
        self.watching = False
        self._watch.begin_anew()

    def begin_watching(self) -> None:
        """All that was published so far was taken; from now on it is watched."""
        self.watching = True
        self._watch.nothing_awaited()

    def published(self, message: MqttMessage) -> None:
        """A message goes out."""
        self._watch.published(message)

    def take(self, topic: str, payload: bytes) -> bool:
        """Whether it is somebody else's word on a topic of ours: then it is put right soon.

        Not at once: a broker that stops tells our own last will before it hangs up. Ever more seldom, since
        the other one may do the same as we.
        """
        if not self._watch.is_foreign(topic, payload):
            return False
        loop = asyncio.get_running_loop()
        pause = self._watch.pause(topic, loop.time())
        if pause is not None:
            loop.call_later(pause, self._put_right, topic, self._link)
        return True

    def _put_right(self, topic: str, link: int) -> None:
        wrong = self._watch.wrong(topic)
        if wrong is None or link != self._link or not self.watching:
            return
        message, payload = wrong
        self._told.overwritten(message, payload)
        if payload:
            self._say(message)
        else:  # removed: and whatever belongs to it may have gone, too
            self._say_all()

    def end(self) -> None:
        """The link is over, or about to be: what stands there now is right, or the broker's to say."""
        self.watching = False
