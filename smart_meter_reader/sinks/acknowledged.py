"""Which pasts the broker has: each becomes many messages, and is confirmed with the last acknowledgement."""

from __future__ import annotations

from smart_meter_reader.messages.receipts import NO_RECEIPTS
from smart_meter_reader.mqtt.message import MqttMessage


class Acknowledged:
    """Counts what is still on its way of each receipt."""

    def __init__(self, sink: str) -> None:
        self.receipts = NO_RECEIPTS.of(sink)
        self._missing: dict[str, int] = {}

    def expect(self, receipt: str, messages: int) -> None:
        """So many messages are on their way; without any it is done."""
        if messages:
            self._missing[receipt] = messages
        else:
            self.receipts.confirm(receipt)

    def settle(self, message: MqttMessage, delivered: bool) -> None:
        """One was acknowledged, or refused or dropped: all of its past is lost then."""
        receipt = message.receipt
        if receipt not in self._missing:
            return
        self._missing[receipt] -= 1
        if not delivered:
            del self._missing[receipt]
            self.receipts.lose(receipt)
        elif not self._missing[receipt]:
            del self._missing[receipt]
            self.receipts.confirm(receipt)
