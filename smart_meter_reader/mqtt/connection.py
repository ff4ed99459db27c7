"""Keeps a link to the broker up for ever, and says everything again whenever it is new."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.mqtt.commands import AskMeter, Commands
from smart_meter_reader.mqtt.failures import LinkFaultError, unexpected
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import MqttMessage, Presenter
from smart_meter_reader.mqtt.open_link import open_link
from smart_meter_reader.mqtt.own_topics import OwnTopics
from smart_meter_reader.mqtt.ring import Ring
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.mqtt.told import ConnectionLog
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.network.outages import STEADY_SECONDS, Outages
from smart_meter_reader.rooms import Room
from smart_meter_reader.text import LONGEST_NAME, printable

_log = logging.getLogger(__name__)

BROKER_AWAY = Backoff(1.0, 30.0)
WAITS_FOR_A_PERSON = Backoff(30.0, 300.0)
# So many kept messages are on their way at once; the rest stays in the ring, where it cannot get lost.
KEPT_ON_THE_WAY = 100
# All is announced again when somebody asks for it (Home Assistant's birth message), but no sooner than this:
# it is much, and anybody may ask.
AGAIN_SECONDS = 5.0
# Topic filters in one request: brokers bound the length of theirs, and we that of the answer.
FILTERS_AT_ONCE = 100


class Connection:
    """One presenter's connection. ``take`` never waits; ``run`` is the task that keeps the link up.

    While the broker is away only what is to be kept is kept; the rest is what ``announce`` will say.
    ``outages`` are told once for all that share them, ``turns`` bounds how many of them connect at once,
    and in the ``room`` are told the faults of this program. ``ask`` gets the name of a meter of which
    somebody wants a reading, ``settle`` each message with whether the broker has it or it was given up.
    """

    def __init__(
        self,
        name: str,
        broker: BrokerSettings,
        client_id: str,
        presenter: Presenter,
        ring_size: int,
        *,
        outages: Outages,
        turns: asyncio.Semaphore,
        room: Room,
        ask: AskMeter = lambda meter: None,
        settle: Callable[[MqttMessage, bool], None] = lambda message, delivered: None,
    ) -> None:
        self.name = name
        self.client_id = client_id
        self._broker = broker
        self._presenter = presenter
        self._ring = Ring(ring_size, lambda message: settle(message, False))
        self._settle = settle
        self._told = ConnectionLog(name, broker, outages)
        self._room = room
        self._commands = Commands(presenter, ask, self.take, self._told, room)
        self._turns = turns
        self._link: Link | None = None
        self._connected_at: float | None = None  # in the loop's time
        self._asked: set[str] = set()  # topics that were subscribed to on this link
        self._own = OwnTopics(self._told, lambda message: self.take([message]), self._announce_soon)
        self._again = False  # all is to be announced again
        self._attention = asyncio.Event()  # the link has ended, it is time to finish, or to announce again
        self._finishing = False
        self._delivered = False
        self._refused = 0
        self._failures = 0
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
        self._subscribe_more()
        for message in messages:
            if message.keep:
                self._ring.append(message)
            elif self._link:
                self._own.published(message)
                self._link.publish(message)
        self._send_kept()
        self._told.history_dropped(self.dropped)

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
                self._failures += 1
                self._told.failed(failure, self._connected_at, self._failures)
                if self._finishing:
                    return
                await self._pause(failure)
        finally:
            self._told.history_dropped(self.dropped, at_the_end=True)
            if len(self._ring):
                _log.warning(
                    "%s: %d readings or events that waited for the broker were not delivered",
                    self.name,
                    len(self._ring),
                )

    async def _connect_and_serve(self) -> SinkError | None:
        """Why the link failed or ended; None when it was closed on purpose."""
        self._connected_at = None
        try:
            link = await open_link(
                self._broker,
                self.client_id,
                self._presenter.will,
                on_received=self._received,
                on_acknowledged=self._acknowledged,
                on_dropped=self._told.left_out,
                on_end=self._attention.set,
                turns=self._turns,
            )
        except SinkError as error:
            return error
        self._told.connected(self.client_id, link.version, link.limits)
        self._connected_at = asyncio.get_running_loop().time()
        failure: SinkError | None = None
        try:
            await self._serve(link)
        except SinkError:
            pass  # the link ended while it was waited for; it says why
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - a fault in one presenter; the others stay
            failure = unexpected(self._broker, error)
        finally:
            self._link = None
            link.abort()
            self._ring.give_back(message for message in link.outbox.messages if message.keep)
        if asyncio.get_running_loop().time() - self._connected_at >= STEADY_SECONDS:
            self._failures = 0
        failure = link.failure or failure
        if isinstance(failure, LinkFaultError):
            self._room.note(failure.fault, f"the connection of {self.name} is opened anew")
        return failure

    async def _serve(self, link: Link) -> None:
        self._asked.clear()
        self._own.begin_anew()
        self._again = False
        while new := self._unasked(self._presenter.subscriptions):
            self._tell_unreadable(await link.subscribe(new))
        self._link = link
        self._publish_all(link, self._presenter.announce())
        self._send_kept()
        # Now, and not before: a broker that does not let us publish may hang up before it can say so.
        await link.drained()
        if not self._finishing:
            self._own.begin_watching()
            self._subscribe_more()
        while not link.failure and not self._finishing:
            self._attention.clear()
            if self._again:
                await self._announce_again(link)
            else:
                await self._attention.wait()
        self._own.end()
        if self._finishing:
            await self._say_farewell(link)

    async def _announce_again(self, link: Link) -> None:
        """Say everything again, and then nothing of the kind for a while, however often somebody asks."""
        self._again = False
        self._publish_all(link, self._presenter.announce())
        await link.drained()
        try:
            async with asyncio.timeout(AGAIN_SECONDS):
                while not link.failure and not self._finishing:
                    self._attention.clear()
                    await self._attention.wait()
        except TimeoutError:
            pass  # now it may be asked for again

    def _unasked(self, topics: Sequence[str]) -> tuple[str, ...]:
        new = [topic for topic in topics if topic not in self._asked][:FILTERS_AT_ONCE]
        self._asked.update(new)
        return tuple(new)

    def _subscribe_more(self) -> None:
        """Before what is new is published: what the broker retains there must come back as it was."""
        subscriptions, watched = self._presenter.subscriptions, self._presenter.watched
        if len(self._asked) == len(subscriptions) + (len(watched) if self._own.watching else 0):
            return  # as nearly always, and this is asked before each message
        topics = (*subscriptions, *watched) if self._own.watching else subscriptions
        while self._link and (new := self._unasked(topics)):
            answer = self._link.subscribe(new)
            answer.add_done_callback(
                lambda done: None if done.exception() else self._tell_unreadable(done.result())
            )

    async def _say_farewell(self, link: Link) -> None:
        while not link.failure and (self._ring or link.outbox):
            self._send_kept()
            await link.drained()
        self._publish_all(link, self._presenter.farewell())
        await link.drained()
        self._delivered = link.failure is None
        await link.part()

    def _publish_all(self, link: Link, messages: list[MqttMessage]) -> None:
        for message in messages:
            self._own.published(message)
        link.publish_all(messages)

    def _send_kept(self) -> None:
        link = self._link
        while link and not link.failure and self._ring and len(link.outbox) < KEPT_ON_THE_WAY:
            link.publish(self._ring.take())

    def _received(self, topic: str, payload: bytes, retained: bool) -> None:
        """Anybody may have written it, and the broker may bring it at every connect: it ends no link."""
        if self._commands.take(topic, payload, retained=retained):
            return
        if self._own.take(topic, payload):
            return
        again = self._room.contain(
            partial(self._presenter.received, topic, payload),
            False,
            f"{self.name} leaves out a message on {printable(topic, LONGEST_NAME)}",
        )
        if again:
            self._announce_soon()

    def _announce_soon(self) -> None:
        self._again = True
        self._attention.set()

    def _tell_unreadable(self, topics: Iterable[str]) -> None:
        for topic in topics:
            if topic in self._presenter.watched:
                _log.debug("%s: whether others write to %s cannot be seen", self.name, topic)
            else:
                self._told.refused(topic, "subscribe to", "refused")

    def _acknowledged(self, message: MqttMessage, refusal: str) -> None:
        if refusal:
            self._refused += 1
            self._told.refused(message.topic, "publish to", refusal)
        self._settle(message, not refusal)
        self._send_kept()

    async def _pause(self, failure: SinkError) -> None:
        backoff = WAITS_FOR_A_PERSON if isinstance(failure, NeedsAPersonError) else BROKER_AWAY
        wait = backoff.wait(self._failures, self._jitter)
        _log.debug("%s: next attempt in %.0f s", self.name, wait)
        self._attention.clear()
        try:
            async with asyncio.timeout(wait):
                await self._attention.wait()
        except TimeoutError:
            pass  # the wait is over
