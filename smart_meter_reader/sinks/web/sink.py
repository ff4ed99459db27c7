"""Shows what the meters tell, to browsers and programs. Writes nothing but who has logged in.

The messages are taken as they come, and only the newest of each meter is kept: however many look on, and
however slowly, the queue of this sink is empty.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from aiohttp import web

from smart_meter_reader.history.places import HistoryPlace, prices_file
from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Message
from smart_meter_reader.network.outages import Outages
from smart_meter_reader.rooms import Room, left_out
from smart_meter_reader.sinks.base import Sink
from smart_meter_reader.sinks.requests import Requests
from smart_meter_reader.sinks.web.access.certificates import ServerCertificate
from smart_meter_reader.sinks.web.access.guarding import Guarding
from smart_meter_reader.sinks.web.app import Site
from smart_meter_reader.sinks.web.listener import IDLE_SECONDS, Listener, bound
from smart_meter_reader.sinks.web.live import Live
from smart_meter_reader.sinks.web.settings import WebSettings, page_url

_log = logging.getLogger(__name__)
# What aiohttp has to say quotes requests, with all that is in them.
_SILENT = logging.Logger("aiohttp", logging.CRITICAL + 1)  # noqa: LOG001 - of nobody else

# A request is a line and some headers; a form has a password in it.
_LONGEST_LINE = 4096
_MOST_HEADERS = 64
LARGEST_BODY = 2048
# The whole stop of the service takes five seconds.
_STOP_SECONDS = 1.0


class WebSink(Sink):
    """A page, and an interface for programs, at one address."""

    def __init__(self, name: str, settings: WebSettings) -> None:
        self.name = name
        self._settings = settings
        self._room = Room(f"sink {name}")
        self._said = Seldom()
        self._live = Live()
        self._site = Site(settings, self._live)
        self._place: HistoryPlace | None = None
        self._outages = Outages()
        self._opened: Callable[[], None] = lambda: None  # called when the page can be reached

    @property
    def takes_standby(self) -> bool:
        return True

    @property
    def internal_errors(self) -> int:
        return self._room.errors

    def take_requests_to(self, requests: Requests) -> None:
        self._site.requests = requests

    def share_history(self, place: HistoryPlace) -> None:
        self._site.show_history(place)
        self._place = place

    def share_outages(self, outages: Outages) -> None:
        self._outages = outages

    @property
    def memory(self) -> Mapping[str, Any]:
        return self._site.callers.sessions.memory

    def recall(self, memory: Mapping[str, Any], meters: Sequence[str]) -> None:
        self._live.expect(meters)
        self._site.callers.sessions.recall(memory)

    async def run(self, messages: AsyncIterator[Message]) -> None:
        settings = self._settings
        certificate = (
            ServerCertificate(self.name, settings.certificate, settings.key) if settings.certificate else None
        )
        listener = Listener(self.name, certificate)
        runner = self._runner(listener)
        sockets = await bound(settings.host, settings.port)
        try:
            await runner.setup()
            assert runner.server is not None
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(
                    listener.listen(sockets, runner.server), name=f"{self.name} serves"
                )
                _log.info("sink %s: the page is at %s", self.name, page_url(settings))
                self._opened()
                listening = self._listen_for_prices(group)
                async for message in messages:
                    self._room.contain(partial(self._take, message), None, left_out(message))
                self._site.streams.end()
                if listening:
                    listening.cancel()
                serving.cancel()
        finally:
            for each in sockets:
                each.close()
            listener.drop_all()
            await runner.cleanup()

    def _take(self, message: Message, age: float = 0.0) -> None:
        """Show a message, which is ``age`` seconds old."""
        now = asyncio.get_running_loop().time()
        if self._live.take(message, now - age):
            self._site.changed(message["meter"])
        elif (more := self._said.more("too many", now)) is not None:
            _log.warning(
                "sink %s: a message of %s is not shown: there are more meters than a page has room for%s",
                self.name,
                message["meter"],
                more,
            )

    def _listen_for_prices(self, group: asyncio.TaskGroup) -> asyncio.Task[None] | None:
        """Where contracts have prices from a topic, and a history to keep them beside."""
        topics = self._settings.price_topics
        if not topics or self._place is None:
            return None
        # Imported by those who have such a contract.
        from smart_meter_reader.sinks.web.prices.listening import PriceListener

        listener = PriceListener(
            self.name,
            self._settings.price_broker,
            topics,
            prices_file(self._place.file),
            self._site.price_troubles,
            self._room,
            self._outages,
        )
        return group.create_task(listener.run(), name=f"{self.name} prices")

    def _runner(self, listener: Listener) -> web.AppRunner:
        guarding = Guarding(self._settings.names, self._site.callers, listener, self._room)
        app = web.Application(
            middlewares=[guarding.answer],
            client_max_size=LARGEST_BODY,
            logger=_SILENT,
        )
        app.on_response_prepare.append(guarding.finish)
        self._site.add_routes(app.router)
        return web.AppRunner(
            app,
            access_log=None,
            logger=_SILENT,
            keepalive_timeout=IDLE_SECONDS,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
            max_headers=_MOST_HEADERS,
            lingering_time=1.0,
            shutdown_timeout=_STOP_SECONDS,
            # Whoever leaves wants no answer any more.
            handler_cancellation=True,
        )
