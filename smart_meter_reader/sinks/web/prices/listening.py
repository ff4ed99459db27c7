"""Listens on the MQTT topics of prices, and keeps what is told there."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from smart_meter_reader.exceptions import WordedError
from smart_meter_reader.history.costs.told_prices import ToldPrice, keep_prices, newest_price
from smart_meter_reader.history.errors import HistoryError
from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Current
from smart_meter_reader.mqtt.connection import Connection
from smart_meter_reader.mqtt.message import Command, MqttMessage
from smart_meter_reader.network.off_loop import in_daemon_thread
from smart_meter_reader.network.outages import Outages
from smart_meter_reader.rooms import Room
from smart_meter_reader.sinks.web.prices.payloads import NUMBER_SECONDS, PriceMessageError, prices_in
from smart_meter_reader.sinks.web.prices.settings import PriceBrokerSettings
from smart_meter_reader.sinks.web.prices.troubles import PriceTroubles
from smart_meter_reader.text import LONGEST_NAME, printable

_log = logging.getLogger(__name__)

_Take: TypeAlias = Callable[[str, bytes], None]

_MOST_WAITING = 100
# A number that changes again sooner takes the place of the one before: some publish zero first.
_SETTLES = 60
# A number that stays is told again so seldom that its week never ends.
_CONFIRMED = NUMBER_SECONDS // 7
# After a disk that is full.
_RETRY_SECONDS = 60.0
_TOO_FAST = WordedError("price_message", "prices_too_fast", "messages come faster than they can be kept")


class PriceListener:
    """One connection to the broker. ``run`` ends when it is cancelled."""

    def __init__(
        self,
        name: str,
        broker: PriceBrokerSettings,
        topics: Sequence[str],
        path: Path,
        troubles: PriceTroubles,
        room: Room,
        outages: Outages,
    ) -> None:
        """``path``: where the prices are kept; ``troubles``: what is told on the page."""
        self._name = name
        self._path = path
        self._troubles = troubles
        self._said = Seldom()
        self._waiting: deque[tuple[str, bytes, int]] = deque(maxlen=_MOST_WAITING)
        self._come = asyncio.Event()
        self._connection = Connection(
            f"sink {name}, prices",
            broker,
            f"smart-meter-reader-{name}-prices-{os.urandom(4).hex()}",
            _PricePresenter(tuple(topics), self._take),
            0,
            outages=outages,
            turns=asyncio.Semaphore(1),
            room=room,
        )

    async def run(self) -> None:
        """Keep the connection up, and write what comes."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._connection.run(), name=self._connection.name)
            while True:
                await self._come.wait()
                self._come.clear()
                while self._waiting:
                    await self._keep(*self._waiting.popleft())

    def _take(self, topic: str, payload: bytes) -> None:
        if len(self._waiting) == _MOST_WAITING:
            self._refuse(topic, _TOO_FAST)
        self._waiting.append((topic, payload, int(time.time())))
        self._come.set()

    async def _keep(self, topic: str, payload: bytes, now: int) -> None:
        while True:
            try:
                work = partial(_kept, self._path, topic, payload, now)
                otherwise = await in_daemon_thread(work, lambda _: None)
            except PriceMessageError as error:
                self._refuse(topic, error)
            except HistoryError as error:
                self._tell(topic, f"prices cannot be kept: {error.detail}")
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            else:
                self._troubles.taken(topic)
                if otherwise:
                    self._tell(topic, f"{otherwise} prices of the past are told otherwise now, and stay")
            return

    def _refuse(self, topic: str, error: WordedError) -> None:
        count = self._troubles.refused(topic, error)
        self._tell(topic, f"a message is left out ({count} until now): {error.detail}")

    def _tell(self, topic: str, sentence: str) -> None:
        more = self._said.more(topic, time.monotonic())
        if more is not None:
            _log.warning("sink %s: %s: %s%s", self._name, printable(topic, LONGEST_NAME), sentence, more)


def _kept(path: Path, topic: str, payload: bytes, now: int) -> int:
    """Keep what a message tells; how many prices of the past it tells otherwise. Blocks."""
    told = prices_in(payload, now)
    if told[0].longest == NUMBER_SECONDS and len(told) == 1 and told[0].since == now:
        told = _number(newest_price(path, topic), told[0])
    return keep_prices(path, topic, told, now) if told else 0


def _number(before: ToldPrice | None, told: ToldPrice) -> list[ToldPrice]:
    """A number that says nothing new is not kept again, however often it comes."""
    if before is None or before.longest != NUMBER_SECONDS or before.since > told.since:
        return [told]
    since = told.since - before.since
    if before.price == told.price and since < _CONFIRMED:
        return []
    return [told._replace(since=before.since)] if since < _SETTLES else [told]


class _PricePresenter:
    """Subscribes, and says nothing."""

    will: MqttMessage | None = None
    commands: Mapping[str, Command] = MappingProxyType({})
    watched: tuple[str, ...] = ()

    def __init__(self, topics: tuple[str, ...], take: _Take) -> None:
        self.subscriptions = topics
        self._take = take

    def present(self, message: Current) -> list[MqttMessage]:
        return []

    def announce(self) -> list[MqttMessage]:
        return []

    def farewell(self) -> list[MqttMessage]:
        return []

    def received(self, topic: str, payload: bytes) -> bool:
        self._take(topic, payload)
        return False
