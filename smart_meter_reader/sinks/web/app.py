"""The application behind the page: what is at which address. Whom it answers is decided in ``guarding``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import hdrs, web

from smart_meter_reader.exceptions import WordedError
from smart_meter_reader.history.places import HistoryPlace
from smart_meter_reader.history.zone import system_zone
from smart_meter_reader.json_text import dumps_local
from smart_meter_reader.messages.freshness import health_of
from smart_meter_reader.network.off_loop import in_daemon_thread
from smart_meter_reader.sinks.requests import NOTHING_TO_ASK, Requests
from smart_meter_reader.sinks.web import parts
from smart_meter_reader.sinks.web.access.callers import Callers
from smart_meter_reader.sinks.web.access.guarding import CALLER
from smart_meter_reader.sinks.web.answers import (
    HTML,
    JSON,
    LANGUAGE_COOKIE,
    as_json,
    chosen_language,
    compressed,
    language_of,
    refusal,
    takes_gzip,
    wants_json,
)
from smart_meter_reader.sinks.web.asking import Asking, within_limit
from smart_meter_reader.sinks.web.downloads import Downloads
from smart_meter_reader.sinks.web.live import Live
from smart_meter_reader.sinks.web.prices.troubles import PriceTroubles
from smart_meter_reader.sinks.web.settings import WebSettings
from smart_meter_reader.sinks.web.static_files import static_files
from smart_meter_reader.sinks.web.streams import Streams

_YEAR = 365 * 86400
_PAGES = {
    "/": "now",
    "/history": "history",
    "/heat": "heat",
    "/costs": "costs",
    "/meters": "meters",
    "/download": "download",
}
_BODY_SECONDS = 5.0
_MANY_STREAMS = WordedError("busy", "too_many_streams", "too many pages listen already: close some")
_NO_METER = WordedError("refused", "no_meter_to_ask", "there is no meter of that name that can be asked")


class Site:
    """All that is shown. One for the life of the service."""

    def __init__(self, settings: WebSettings, live: Live) -> None:
        self._settings = settings
        self._live = live
        self._asking = Asking()
        self._make: Callable[[], parts.Answering] | None = None
        self._questions: parts.Answering | None = None
        self._downloads = Downloads()
        self._events: dict[str, bytes] = {}
        self.requests: Requests = NOTHING_TO_ASK
        self.price_troubles = PriceTroubles()
        self.environments: tuple[str, ...] = ()  # where several are shown together, from their stores
        self.zone = ZoneInfo(system_zone(os.environ))
        self.callers = Callers(settings)
        self.streams = Streams(live, self._event)

    def show_history(self, place: HistoryPlace) -> None:
        """Here is the history of the environment."""
        self.answer_by(partial(parts.questions, place, self._settings, self.price_troubles), place.zone)

    def answer_by(self, make: Callable[[], parts.Answering], zone: str) -> None:
        """What ``make`` gives, when it is first needed, answers questions; times are those of ``zone``."""
        self._make = make
        self.zone = ZoneInfo(zone)

    def changed(self, meter: str) -> None:
        """Something is new of a meter."""
        self._events.pop(meter, None)
        self.streams.changed()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Say what is at which address."""
        for path, page in _PAGES.items():
            router.add_get(path, partial(self._page, page))
        router.add_get("/login", self._login_page)
        router.add_post("/login", self._log_in)
        router.add_post("/logout", self._log_out)
        router.add_get("/static/{name}", self._static)
        router.add_get("/health", self._health)
        router.add_get("/metrics", self._metrics)
        router.add_get("/api/v1/now", self._now)
        router.add_get("/api/v1/stream", self._stream, allow_head=False)
        router.add_get("/api/v1/openapi.json", self._openapi)
        router.add_post("/api/v1/meters/{meter}/read", self._read)
        router.add_get("/api/v1/download", self._download)
        router.add_get("/api/v1/{name}", self._question)

    def now(self) -> dict[str, Any]:
        """The answer `now`."""
        at, asked = asyncio.get_running_loop().time(), self.requests.meters
        return {
            "time": datetime.now(UTC),
            "environment": self._settings.title,
            "zone": self.zone.key,
            "meters": [each.shown(at, can_be_asked=each.meter in asked) for each in self._live.meters],
            **({"production": self._settings.production} if self._settings.production else {}),
            **({"environments": list(self.environments)} if self.environments else {}),
        }

    async def _page(self, page: str, request: web.Request) -> web.StreamResponse:
        return await self._rendered(page, request, dict(request.query))

    async def _login_page(self, request: web.Request) -> web.StreamResponse:
        if not self.callers.asks_for_password or request[CALLER].may_act:
            raise web.HTTPSeeOther(".")
        return await self._rendered("login", request, {"login": "1"})

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        async with asyncio.timeout(_BODY_SECONDS):
            form = await request.post()
        password = form.get("password", "")
        cookie = await self.callers.log_in(password if isinstance(password, str) else "")
        if not cookie:
            return await self._rendered("login", request, {"failed": "1"}, 401)
        response = web.Response(status=303, headers={hdrs.LOCATION: "."})
        self.callers.keep_cookie(response, cookie, request[CALLER].way)
        return response

    async def _log_out(self, request: web.Request) -> web.StreamResponse:
        self.callers.log_out(request)
        response = web.Response(status=303, headers={hdrs.LOCATION: "login"})
        self.callers.forget_cookie(response, request[CALLER].way)
        return response

    async def _rendered(
        self, page: str, request: web.Request, query: Mapping[str, str], status: int = 200
    ) -> web.StreamResponse:
        """A page, made in the thread for questions: it asks some itself."""
        # Without a login nothing of the meters is for whoever asks.
        now = {**self.now(), "can_log_out": request[CALLER].can_log_out}
        if page == "login":
            now["meters"] = []
        language = language_of(request)

        nobody = page == "login" or self._make is None
        answering = parts.NobodyAnswers() if nobody else self._answering()

        def work() -> tuple[bytes, dict[str, str]]:
            return compressed(request, parts.rendered(page, query, answering, now, language))

        body, headers = await self._asking.in_turn(work, self._interrupt)
        response = web.Response(body=body, headers=headers, content_type=HTML, charset="utf-8", status=status)
        if chosen := chosen_language(request):
            way = request[CALLER].way
            response.set_cookie(
                LANGUAGE_COOKIE,
                chosen,
                max_age=_YEAR,
                path=way.cookie_path,
                secure=way.secure,
                samesite="Strict",
            )
        return response

    async def _static(self, request: web.Request) -> web.StreamResponse:
        files = await in_daemon_thread(static_files, lambda _: None)
        if (file := files.get(request.match_info["name"])) is None:
            raise web.HTTPNotFound
        headers = {
            hdrs.CONTENT_TYPE: file.content_type,
            hdrs.CACHE_CONTROL: f"public, max-age={_YEAR}, immutable",
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
        }
        if takes_gzip(request):
            return web.Response(body=file.gzipped, headers={**headers, hdrs.CONTENT_ENCODING: "gzip"})
        return web.Response(body=file.body, headers=headers)

    async def _health(self, _: web.Request) -> web.StreamResponse:
        now = asyncio.get_running_loop().time()
        fresh, found = health_of({each.meter: each.freshness(now) for each in self._live.meters})
        return as_json(found, self.zone, 200 if fresh else 503)

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        # Imported by those whose Prometheus asks.
        from smart_meter_reader.sinks.web.metrics import CONTENT_TYPE, exposition

        refused = self.price_troubles.counts
        text = exposition(self._live.meters, asyncio.get_running_loop().time(), refused)
        return web.Response(body=text, headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})

    async def _now(self, request: web.Request) -> web.StreamResponse:
        return as_json(self.now(), self.zone)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.streams.is_full:
            return refusal(request, 503, _MANY_STREAMS)
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream"})
        await self.streams.run(request, response)
        return response

    def _event(self, meter: str) -> bytes:
        """The newest of a meter as JSON, made once for all streams."""
        if (text := self._events.get(meter)) is None:
            found = self._live.meter(meter)
            assert found is not None
            asked = meter in self.requests.meters
            shown = found.shown(asyncio.get_running_loop().time(), can_be_asked=asked)
            text = self._events[meter] = dumps_local(shown, self.zone)
        return text

    async def _read(self, request: web.Request) -> web.StreamResponse:
        meter = request.match_info["meter"]
        if meter not in self.requests.meters:
            return refusal(request, 404, _NO_METER)
        reply = self.requests.request_reading(meter)
        if not wants_json(request) or HTML in request.headers.get(hdrs.ACCEPT, ""):
            raise web.HTTPSeeOther("../../../../meters")
        answer = {
            "taken": reply.taken,
            "reason": reply.reason,
            "detail": reply.detail,
            "possible_at": reply.possible_at,
            "told": parts.reply_in(reply, language_of(request), self.zone),
        }
        return as_json(answer, self.zone, 202 if reply.taken else 409)

    async def _openapi(self, _: web.Request) -> web.StreamResponse:
        return as_json(parts.openapi(), self.zone)

    async def _question(self, request: web.Request) -> web.StreamResponse:
        name, query = request.match_info["name"], dict(request.query)
        if name not in parts.question_names():
            raise web.HTTPNotFound
        answering = self._answering()

        def work() -> tuple[bytes, dict[str, str]]:
            return compressed(request, within_limit(dumps_local(answering.ask(name, query), None)))

        body, headers = await self._asking.in_turn(work, self._interrupt)
        return web.Response(body=body, headers=headers, content_type=JSON)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        return await self._downloads.send(request, self._answering())

    def _answering(self) -> parts.Answering:
        """What answers questions. Raises NoHistoryError where the environment keeps no history."""
        if self._questions is None:
            self._questions = (self._make or parts.questions_to_nobody)()
        return self._questions

    def _interrupt(self) -> None:
        if self._questions is not None:
            self._questions.interrupt()
