"""Keeps a link to the broker up for ever, and says everything again whenever it is new."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable

from smart_meter_reader.backoff import Backoff
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.mqtt.failures import NEEDS_A_PERSON
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.open_link import open_link
from smart_meter_reader.mqtt.presenter import Presenter
from smart_meter_reader.mqtt.ring import Ring
from smart_meter_reader.mqtt.settings import BrokerSettings

_log = logging.getLogger(__name__)

BROKER_AWAY = Backoff(1.0, 30.0)
WAITS_FOR_A_PERSON = Backoff(30.0, 300.0)
# A link that ended sooner starts no new row of failures: two clients with one id throw each other out.
STEADY_SECONDS = 30.0
# Some brokers hang up at a message that they do not allow, without a word.
SUSPICIOUS_LOSSES = 3
# So many kept messages are on their way at once; the rest stays in the ring, where it cannot get lost.
KEPT_ON_THE_WAY = 100
DROP_WARNING_SECONDS = 60.0


class Connection:
    """One presenter's connection. ``take`` never waits; ``run`` is the task that keeps the link up.

    While the broker is away only what is to be kept is kept; the rest is what ``announce`` will say.
    """

    def __init__(
        self, name: str, broker: BrokerSettings, client_id: str, presenter: Presenter, ring_size: int
    ) -> None:
        self.name = name
        self.client_id = client_id
        self._broker = broker
        self._presenter = presenter
        self._ring = Ring(ring_size)
        self._link: Link | None = None
        self._attention = asyncio.Event()  # the link has ended, or it is time to finish
        self._finishing = False
        self._delivered = False
        self._refused = 0
        self._failures = 0
        self._told_failure = ""
        self._told_refusals: set[str] = set()
        self._told_dropped = 0
        self._last_drop_warning = float("-inf")
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in and the link stands."""
        return self._link is not None

    @property
    def dropped(self) -> int:
        """Kept messages that were given up because the ring was full."""
        return self._ring.dropped

    @property
    def delivered(self) -> bool:
        """Whether ``run`` has ended with everything acknowledged, and nothing ever refused."""
        return self._delivered and not self._refused

    @property
    def finishing(self) -> bool:
        """Whether ``run`` is to end, or has."""
        return self._finishing

    def take(self, messages: Iterable[MqttMessage]) -> None:
        """Publish now, or keep for later what is to be kept."""
        for message in messages:
            if message.keep:
                self._ring.append(message)
            elif self._link:
                self._link.publish(message)
        self._send_kept()
        self._tell_dropped()

    async def room(self) -> None:
        """Wait while the broker is behind; the caller's own queue is bounded and counts what it drops."""
        if self._link:
            await self._link.outbox.room()

    def finish(self) -> None:
        """Let ``run`` deliver what waits, say farewell and return; one last attempt if the broker is away."""
        self._finishing = True
        self._attention.set()

    async def run(self) -> None:
        """Connect, announce, and again after each failure, until ``finish``."""
        try:
            while True:
                failure = await self._connect_and_serve()
                if failure is None:
                    return
                self._tell_failure(failure)
                if self._finishing:
                    return
                await self._pause(failure)
        finally:
            self._tell_dropped(at_the_end=True)
            if len(self._ring):
                _log.warning("%s: %d readings of the history were not delivered", self.name, len(self._ring))

    async def _connect_and_serve(self) -> SinkError | None:
        """Why the link failed or ended; None when it was closed on purpose."""
        try:
            link = await open_link(
                self._broker,
                self.client_id,
                self._presenter.will,
                on_received=self._received,
                on_acknowledged=self._acknowledged,
                on_end=self._attention.set,
            )
        except SinkError as error:
            return error
        _log.info(
            "%s: connected to %s as %s (MQTT %s)",
            self.name,
            self._broker.address,
            self.client_id,
            link.version,
        )
        started = asyncio.get_running_loop().time()
        try:
            await self._serve(link)
        except SinkError:
            pass  # the link ended while it was waited for; it says why
        finally:
            self._link = None
            link.abort()
            self._ring.give_back(message for message in link.outbox.messages if message.keep)
        if asyncio.get_running_loop().time() - started >= STEADY_SECONDS:
            self._failures, self._told_failure = 0, ""
        return link.failure

    async def _serve(self, link: Link) -> None:
        for topic in await link.subscribe(self._presenter.subscriptions):
            self._tell_refusal(topic, "subscribe to", "refused")
        self._link = link
        link.publish_all(self._presenter.announce())
        self._send_kept()
        while not link.failure and not self._finishing:
            self._attention.clear()
            await self._attention.wait()
        if self._finishing:
            await self._say_farewell(link)

    async def _say_farewell(self, link: Link) -> None:
        while not link.failure and (self._ring or link.outbox):
            self._send_kept()
            await link.drained()
        link.publish_all(self._presenter.farewell())
        await link.drained()
        self._delivered = link.failure is None
        link.close()

    def _send_kept(self) -> None:
        link = self._link
        while link and not link.failure and self._ring and len(link.outbox) < KEPT_ON_THE_WAY:
            link.publish(self._ring.take())

    def _received(self, topic: str, payload: bytes) -> None:
        self.take(self._presenter.received(topic, payload))

    def _acknowledged(self, message: MqttMessage, refusal: str) -> None:
        if refusal:
            self._refused += 1
            self._tell_refusal(message.topic, "publish to", refusal)
        self._send_kept()

    def _tell_failure(self, failure: SinkError) -> None:
        """In full when the reason is new, so that a broker that is away for hours fills no log."""
        level = logging.DEBUG if failure.reason == self._told_failure else logging.WARNING
        _log.log(level, "%s: %s", self.name, failure.detail)
        self._told_failure = failure.reason
        self._failures += 1
        if failure.reason == "connection_lost" and self._failures == SUSPICIOUS_LOSSES:
            _log.warning(
                "%s: the broker hangs up again and again; `smart-meter-reader mqtt test` shows "
                "whether it does not allow our topics",
                self.name,
            )

    async def _pause(self, failure: SinkError) -> None:
        backoff = WAITS_FOR_A_PERSON if failure.reason in NEEDS_A_PERSON else BROKER_AWAY
        wait = backoff.wait(self._failures, self._jitter)
        _log.debug("%s: next attempt in %.0f s", self.name, wait)
        self._attention.clear()
        try:
            async with asyncio.timeout(wait):
                await self._attention.wait()
        except TimeoutError:
            pass  # the wait is over

    def _tell_refusal(self, topic: str, act: str, refusal: str) -> None:
        """Once for each tree of topics: the broker would refuse them all."""
        tree = f"{act} {topic.partition('/')[0]}"
        if tree not in self._told_refusals:
            self._told_refusals.add(tree)
            _log.warning(
                "%s: the broker does not let us %s %s (%s): check what it allows the user %s",
                self.name,
                act,
                topic,
                refusal,
                self._broker.username or "without a login",
            )

    def _tell_dropped(self, *, at_the_end: bool = False) -> None:
        """Now and then, with how many since the last time; at the end whatever was not told yet."""
        untold = self._ring.dropped - self._told_dropped
        now = asyncio.get_running_loop().time()
        if untold and (at_the_end or now - self._last_drop_warning >= DROP_WARNING_SECONDS):
            _log.warning(
                "%s: the history is full while the broker is away: %d of its oldest readings lost, %d in all",
                self.name,
                untold,
                self._ring.dropped,
            )
            self._told_dropped, self._last_drop_warning = self._ring.dropped, now
