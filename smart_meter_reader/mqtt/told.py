"""What a connection to a broker says in the log, and how often."""

from __future__ import annotations

import asyncio
import logging

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.log import Seldom
from smart_meter_reader.mqtt.failures import LinkLostError
from smart_meter_reader.mqtt.limits import BrokerLimits, TooLarge
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.network.outages import Outages
from smart_meter_reader.text import LONGEST_NAME, printable

_log = logging.getLogger(__name__)

DROP_WARNING_SECONDS = 60.0
# Some brokers hang up at a message that they do not allow, without a word.
SUSPICIOUS_LOSSES = 3


class ConnectionLog:
    """The log lines of one connection. ``outages`` are shared by all that go down together."""

    def __init__(self, name: str, broker: BrokerSettings, outages: Outages) -> None:
        self._name = name
        self._sink = name.partition(",")[0]  # the other part is the meter
        self._broker = broker
        self._outages = outages
        self._party = broker.address, broker.transport, broker.username
        self._dropped = 0
        self._drops = Seldom(seconds=DROP_WARNING_SECONDS)

    def connected(self, client_id: str, version: str, limits: BrokerLimits) -> None:
        """The broker has let us in, and said what it takes."""
        for sentence in limits.sentences():
            self._once(sentence, "%s: %s", self._name, sentence)
        _log.log(
            logging.INFO if self._outages.connected(self._party, self._sink) else logging.DEBUG,
            "%s: connected to %s as %s (MQTT %s)",
            self._name,
            self._broker.address,
            client_id,
            version,
        )

    def failed(self, failure: SinkError, connected_at: float | None, failures: int) -> None:
        """Once an outage, whatever is tried in it, so that a broker that is away for hours fills no log."""
        now = asyncio.get_running_loop().time()
        news = self._outages.failed(self._party, failure, connected_at, now)
        what_next = "; it is tried until it is back" if isinstance(failure, LinkLostError) else ""
        _log.log(
            logging.WARNING if news else logging.DEBUG, "%s: %s%s", self._name, failure.detail, what_next
        )
        if isinstance(failure, LinkLostError) and failures == SUSPICIOUS_LOSSES:
            self._once(
                "hangs up",
                "%s: the broker hangs up again and again; `smart-meter-reader mqtt test` shows "
                "whether it does not allow our topics%s",
                self._name,
                "; or another client has our `client_id`" if self._broker.client_id else "",
            )

    def refused(self, topic: str, act: str, refusal: str) -> None:
        """Once for each tree of topics: the broker would refuse them all."""
        if isinstance(refusal, TooLarge):
            self._once(
                f"size {topic}",
                "%s: the message on %s is not sent, since %s: raise its limit (Mosquitto: max_packet_size), "
                "or read fewer quantities",
                self._name,
                topic,
                refusal,
            )
            return
        self._once(
            f"{act} {topic.partition('/')[0]}",
            "%s: the broker does not let us %s %s (%s): check what it allows the user %s",
            self._name,
            act,
            topic,
            refusal,
            self._broker.username or "without a login",
        )

    def overwritten(self, said: MqttMessage, payload: bytes) -> None:
        """Somebody else wrote where we alone speak. Once for each sink, of an identity for each topic."""
        topic = printable(said.topic, LONGEST_NAME)
        if not payload:
            self._once(
                f"removed {said.topic}",
                "%s: somebody has removed %s (a device deleted in Home Assistant, say): it is announced "
                "again, as long as its meter is in the settings",
                self._name,
                topic,
            )
        elif said.watched == "identity":
            self._once(
                f"identity {said.topic}",
                "%s: another service publishes a meter of the same name (%s), and their values mix: give one "
                "of the two another name, in its settings",
                self._name,
                topic,
            )
        else:
            self._once(
                f"availability {self._sink}",
                "%s: %s was overwritten with %s, by another program or by the broker for an earlier "
                "connection of ours: it is put right. If this goes on, look for another service with the "
                "same `service` name or the same name of a meter; more like it are not told",
                self._name,
                topic,
                printable(payload[:LONGEST_NAME].decode(errors="replace"), LONGEST_NAME),
            )

    def left_out(self, topic: str, why: str) -> None:
        """Once for each kind: whoever publishes such a message may do so without end."""
        self._once(
            "".join(letter for letter in why if not letter.isdigit()),
            "%s: a message on %s is left out, since %s; more like it are not told",
            self._name,
            printable(topic, LONGEST_NAME),
            why,
        )

    def history_dropped(self, dropped: int, *, at_the_end: bool = False) -> None:
        """Now and then, with how many since the last time; at the end whatever was not told yet."""
        untold = dropped - self._dropped
        if untold and (self._drops.again("dropped", asyncio.get_running_loop().time()) or at_the_end):
            _log.warning(
                "%s: more waits for the broker than is kept: %d of the oldest readings or events lost, "
                "%d in all",
                self._name,
                untold,
                dropped,
            )
            self._dropped = dropped

    def _once(self, what: str, text: str, *arguments: object) -> None:
        news = self._outages.said.first((self._party, what))
        _log.log(logging.WARNING if news else logging.DEBUG, text, *arguments)
