"""What one link publishes: each message in a packet of its own, until the broker says what becomes of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.outbox import Outbox
from smart_meter_reader.mqtt.paho import Version, refusal_reason
from smart_meter_reader.mqtt.sockets.buffered_socket import MOST_UNSENT, BufferedSocket
from smart_meter_reader.mqtt.sockets.incoming import Acknowledgements, Unreleased
from smart_meter_reader.mqtt.sockets.outgoing import (
    LAST_IDENTIFIER,
    following,
    publish_packet,
    release_packet,
)


class Publishing:
    """Makes packets, which ``send`` gets, and knows which of them are answered.

    ``on_acknowledged(message, refusal)`` is as that of ``Link``. A message at QoS 0 is never answered: it
    counts as taken when the socket has room for what is behind it.
    """

    def __init__(
        self,
        version: Version,
        send: Callable[[bytes], None],
        on_acknowledged: Callable[[MqttMessage, str], None],
    ) -> None:
        self.outbox = Outbox(self._send)
        self._mqtt_5 = version == "5"
        self._put = send
        self._on_acknowledged = on_acknowledged
        self._identifier = LAST_IDENTIFIER
        self._unanswered: deque[int] = deque()  # at QoS 0
        self._settling = False

    def answered(self, packet: Acknowledgements | Unreleased) -> bool:
        """Whether it is the last word on something of ours."""
        if isinstance(packet, Unreleased):
            if self.outbox.has_sent(packet.identifier):
                self._put(release_packet(packet.identifier))
            return False
        before = self.outbox.progress
        for identifier, code in packet.answers:
            self._acknowledge(identifier, code)
        return self.outbox.progress > before

    def settle(self, socket: BufferedSocket) -> bool:
        """Take what is at QoS 0 for delivered; whether some of it waits, since much before it is not sent.

        What is told of one may have others published, and lead here again: the loop takes those as well.
        """
        if not self._settling:
            self._settling = True
            try:
                while self._unanswered and socket.unsent <= MOST_UNSENT:
                    self._acknowledge(self._unanswered.popleft(), 0)
            finally:
                self._settling = False
        return bool(self._unanswered)

    def _send(self, message: MqttMessage) -> int:
        self._identifier = following(self._identifier)
        self._put(publish_packet(message, self._identifier, mqtt_5=self._mqtt_5))
        if not message.qos:
            self._unanswered.append(self._identifier)
        return self._identifier

    def _acknowledge(self, identifier: int, code: int) -> None:
        message = self.outbox.acknowledged(identifier)
        if message is not None:
            self._on_acknowledged(message, refusal_reason(code))
