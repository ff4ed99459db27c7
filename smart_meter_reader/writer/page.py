"""What a writer shows on this computer alone: /metrics, /health, and a table of all meters of the fleet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.json_text import dumps
from smart_meter_reader.sinks.web.access.security import HEADERS, is_our_name
from smart_meter_reader.writer.database import Database
from smart_meter_reader.writer.figures import CONTENT_TYPE, Figures, exposition
from smart_meter_reader.writer.page_text import POLICY, page_of
from smart_meter_reader.writer.settings import WriterSettings

_MOST_METERS: Final = 2000
_HOST: Final = "127.0.0.1"
_HEADERS: Final = {**HEADERS, "Content-Security-Policy": POLICY, "Cache-Control": "no-store"}


class FleetPage:
    """Serves the pages on the loopback address."""

    def __init__(self, settings: WriterSettings, database: Database, figures: Figures) -> None:
        self._settings = settings
        self._database = database
        self._figures = figures
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Listen. Raises NeedsAPersonError when the port is taken."""
        app = web.Application(middlewares=[_only_by_our_name])
        app.router.add_get("/", self._show)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/health", self._health)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, _HOST, self._settings.port).start()
        except OSError as error:
            raise NeedsAPersonError(
                "port_taken",
                f"port {self._settings.port} cannot be used for /metrics ({error.strerror}): set `port`, or "
                "--port for a second writer on this computer",
            ) from error

    async def close(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _show(self, request: web.Request) -> web.Response:
        try:
            rows = await self._database.page(_MOST_METERS)
        except SinkError as error:
            return web.Response(status=503, text=error.detail, headers=_HEADERS)
        now = datetime.now(UTC)
        text = page_of(rows, now, self._settings.alert_age, self._figures)
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def _metrics(self, request: web.Request) -> web.Response:
        body = exposition(self._figures, datetime.now(UTC))
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def _health(self, request: web.Request) -> web.Response:
        well = self._figures.connected
        text = dumps(
            {"connected": well, "lag": {name: each.lag for name, each in self._figures.lanes.items()}}
        )
        return web.Response(status=200 if well else 503, text=text, content_type="application/json")


@web.middleware
async def _only_by_our_name(request: web.Request, handler: Handler) -> web.StreamResponse:
    """By a browser of this computer a page elsewhere whose name leads here (DNS rebinding) would read all."""
    if not is_our_name(request.headers.get(hdrs.HOST, ""), ()):
        return web.Response(status=421, text="this page answers to its address, or to localhost")
    return await handler(request)
