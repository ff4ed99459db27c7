"""Runs the page of several environments: looks into their stores now and then, and shows what is new."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial

from smart_meter_reader.history.errors import HistoryError
from smart_meter_reader.messages import Message
from smart_meter_reader.network.off_loop import in_daemon_thread
from smart_meter_reader.sinks.web.sink import WebSink
from smart_meter_reader.sinks.web.together.questions import TogetherQuestions
from smart_meter_reader.sinks.web.together.settings import PageSettings
from smart_meter_reader.sinks.web.together.stores import EnvironmentStore, offline_status, told

_log = logging.getLogger(__name__)

# The stores are written every quarter of an hour.
LOOK_SECONDS = 10.0


class TogetherPage(WebSink):
    """The sink `web` with the stores of several environments behind it."""

    def __init__(
        self,
        name: str,
        settings: PageSettings,
        stores: Sequence[EnvironmentStore],
        opened: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name, settings)
        self._opened = opened
        self._stores = stores
        self._site.environments = tuple(store.environment for store in stores)
        self._site.answer_by(partial(TogetherQuestions, stores, settings), stores[0].place.zone)

    def _take(self, message: Message, age: float = 0.0) -> None:
        # A reading is as old as it was when it was stored.
        if message["type"] == "reading":
            age = max(0.0, time.time() - message["time"].timestamp())
        super()._take(message, age)

    async def looks(self, stop: asyncio.Event) -> AsyncIterator[Message]:
        """What is new in the stores, until ``stop`` is set."""
        seen: dict[str, object] = {}
        while not stop.is_set():
            for store in self._stores:
                state = await in_daemon_thread(partial(_state, store), lambda _: None)
                if seen.get(store.environment) == state:
                    continue
                self._live.forget(store.environment)  # what stood for it while it could not be read
                for message in await in_daemon_thread(partial(_told, store), lambda _: None):
                    yield message
                seen[store.environment] = state
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await stop.wait()


def _state(store: EnvironmentStore) -> object:
    return store.state


def _told(store: EnvironmentStore) -> list[Message]:
    """What a store tells; that it cannot be read is told as well."""
    now = int(time.time())
    try:
        return told(store, now)
    except HistoryError as error:
        _log.warning("%s: %s", store.environment, error.detail)
        return [offline_status(store, error, now)]
