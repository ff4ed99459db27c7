"""The sink `web` with a home's messages and history, in a thread of its own, for a browser to look at."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks import made_up_home
from smart_meter_reader.history.places import HistoryPlace
from smart_meter_reader.messages import Message, Reply
from smart_meter_reader.settings.values import Secret
from smart_meter_reader.sinks.requests import Requests
from smart_meter_reader.sinks.web.contract_settings import ContractSettings
from smart_meter_reader.sinks.web.questions import Questions
from smart_meter_reader.sinks.web.settings import WebSettings
from smart_meter_reader.sinks.web.sink import WebSink
from tests.peers.ports import free_port
from tests.sinks.web.running import listening

_CONTRACTS = {
    "power": ContractSettings(
        meter="p1",
        tariffs={"1": Decimal("0.24"), "2": Decimal("0.29")},
        feed_in=Decimal("0.05"),
        fixed_per_day=Decimal("0.30"),
    ),
    "heat": ContractSettings(meter="heat", unit="GJ", price=Decimal("43.79"), fixed_per_month=Decimal(52)),
}
_EXPECTED = {"60": Decimal(36), "66": Decimal(35), "70": Decimal(32)}


class Home:
    """A page at ``address``; what it is told later it shows."""

    def __init__(self, place: HistoryPlace, messages: list[Message], password: Secret | None = None) -> None:
        self.place = place
        self.asked: list[str] = []  # readings that were asked for
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}/"
        self._first = messages
        self._settings = WebSettings(
            port=self._port, password=password, contracts=_CONTRACTS, expected_return=_EXPECTED
        )
        self._sink = WebSink("web", self._settings)
        self._sink.share_history(place)
        self._sink.recall({}, tuple(dict.fromkeys(message["meter"] for message in messages)))
        self._sink.take_requests_to(Requests({"heat": lambda: self._ask("heat")}))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: asyncio.Queue[Message | None] | None = None

    def tell(self, *messages: Message | None) -> None:
        """What a meter tells; None ends the service. For any thread."""
        assert self._loop is not None
        assert self._queue is not None
        for message in messages:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, message)

    @property
    def questions(self) -> Questions:
        """The same as those of the page."""
        settings = self._settings
        return Questions(self.place.file, self.place.recent, settings.contracts, settings.expected_return)

    def now(self, *, meters: bool = True) -> dict[str, Any]:
        """The answer `now`, without a browser."""
        assert self._loop is not None
        told = asyncio.run_coroutine_threadsafe(self._now(), self._loop).result(10)
        return told if meters else {**told, "meters": []}

    async def _now(self) -> dict[str, Any]:
        return self._sink._site.now()

    def _ask(self, meter: str) -> Reply:
        self.asked.append(meter)
        return Reply(True)

    async def run(self, started: threading.Event) -> None:
        """Until it is told to end."""
        self._loop, self._queue = asyncio.get_running_loop(), asyncio.Queue()
        for message in self._first:
            self._queue.put_nowait(message)
        task = asyncio.create_task(self._sink.run(self._messages(self._queue)))
        await listening(self._port, task)
        started.set()
        await task

    async def _messages(self, queue: asyncio.Queue[Message | None]) -> AsyncIterator[Message]:
        while (message := await queue.get()) is not None:
            yield message


@contextmanager
def served(home: Home) -> Iterator[Home]:
    """The home's page while somebody looks."""
    started = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(home.run(started)), daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        yield home
    finally:
        if thread.is_alive():
            home.tell(None)
        thread.join(10)


def stored(folder: Path, years: float = 3) -> HistoryPlace:
    """A made-up history in a folder."""
    place = nothing_stored(folder)
    assert place.recent is not None
    made_up_home.keep_home(place.file, place.recent, datetime.now(UTC), years)
    return place


def nothing_stored(folder: Path) -> HistoryPlace:
    """Where nothing is kept yet."""
    return HistoryPlace(folder / "home.history.sqlite", folder / "home.recent.sqlite", made_up_home.HOUSE.key)
