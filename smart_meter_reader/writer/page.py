"""What a writer shows on this computer alone: /metrics, /health, and a table of all meters of the fleet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any, Final

from aiohttp import web

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.json_text import dumps
from smart_meter_reader.settings.durations import format_duration
from smart_meter_reader.writer.database import Database
from smart_meter_reader.writer.figures import CONTENT_TYPE, Figures, age_seconds, exposition
from smart_meter_reader.writer.settings import WriterSettings

_MOST_METERS: Final = 2000
_HOST: Final = "127.0.0.1"
_HEAD: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width"><title>Fleet</title><style>
body { font: 16px/1.4 sans-serif; margin: 1rem; } table { border-collapse: collapse; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; } td.age { text-align: right; }
tr.late td { color: #a00; font-weight: bold; } p { color: #555; }
</style></head><body><h1>Fleet</h1>
"""


class FleetPage:
    """Serves the pages on the loopback address."""

    def __init__(self, settings: WriterSettings, database: Database, figures: Figures) -> None:
        self._settings = settings
        self._database = database
        self._figures = figures
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Listen. Raises NeedsAPersonError when the port is taken."""
        app = web.Application()
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
            return web.Response(status=503, text=error.detail)
        now = datetime.now(UTC)
        text = page_of(rows, now, self._settings.alert_age, self._figures)
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def _metrics(self, request: web.Request) -> web.Response:
        body = exposition(self._figures, datetime.now(UTC))
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def _health(self, request: web.Request) -> web.Response:
        well = self._figures.connected
        text = dumps(
            {"connected": well, "lag": {name: each.lag for name, each in self._figures.lanes.items()}}
        )
        return web.Response(status=200 if well else 503, text=text, content_type="application/json")


def page_of(rows: Iterable[Mapping[str, Any]], now: datetime, late: timedelta, figures: Figures) -> str:
    """The table as HTML: all meters with the age of the newest reading, late ones marked."""
    found = [_row(row, now, late) for row in rows]
    lags = ", ".join(
        f"{stream.lower()} {each.lag} waiting"
        for stream, each in figures.lanes.items()
        if each.lag is not None
    )
    foot = f"<p>{len(found)} meters, {now:%Y-%m-%d %H:%M:%S} UTC. {escape(lags)}</p></body></html>\n"
    heads = "".join(f"<th>{word}</th>" for word in ("Tenant", "Site", "Meter", "Model", "State", "Newest"))
    return f"{_HEAD}<table><tr>{heads}</tr>\n{''.join(found)}</table>{foot}"


def _row(row: Mapping[str, Any], now: datetime, late: timedelta) -> str:
    newest = row["newest"]
    age = None if newest is None else timedelta(seconds=round(age_seconds(newest, now)))
    state = " ".join(part for part in (row["state"], row["reason"]) if part)
    cells = "".join(
        f"<td>{escape(str(part or ''))}</td>"
        for part in (row["tenant"], row["site"], row["meter"], row["model"], state)
    )
    mark = ' class="late"' if age is None or age > late else ""
    told = "none yet" if age is None else f"{format_duration(age)} ago"
    return f'<tr{mark}>{cells}<td class="age">{told}</td></tr>\n'
