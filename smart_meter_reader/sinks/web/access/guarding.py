"""Stands before every address of the page: whom it answers, what it tells of errors, and the headers of all.

What goes wrong in one answer is that answer's alone; no text of an exception goes out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from smart_meter_reader.exceptions import ExplainedError, SinkError, WordedError
from smart_meter_reader.history.errors import NoHistoryError
from smart_meter_reader.rooms import Room
from smart_meter_reader.sinks.web import parts
from smart_meter_reader.sinks.web.access.callers import Caller, Callers
from smart_meter_reader.sinks.web.access.pace import Pace
from smart_meter_reader.sinks.web.access.security import HEADERS, Way, is_our_name, is_our_origin, policy
from smart_meter_reader.sinks.web.answers import refusal, wants_json
from smart_meter_reader.sinks.web.asking import BusyError, TooMuchError
from smart_meter_reader.sinks.web.listener import Listener

AnswerRequest = Callable[[web.Request], Awaitable[web.StreamResponse]]

CALLER = web.RequestKey("caller", Caller)
# For everybody: where one logs in, what that looks like, and whether readings come.
_OPEN = ("/login", "/health")
_SENTENCES = {
    404: WordedError("refused", "no_such_address", "there is nothing at this address"),
    405: WordedError("refused", "not_done_here", "that is not done at this address"),
    413: WordedError("refused", "request_too_large", "the request is too large"),
}
_FAULT = WordedError("refused", "fault", "a fault of this program; its log says more")
_UNFINISHED = WordedError("refused", "unfinished", "the request did not come to its end")
_NOT_OUR_NAME = WordedError(
    "refused", "not_our_name", "this page is not called so: add the name to `names` of its settings"
)
_NOT_OUR_ORIGIN = WordedError("refused", "not_our_origin", "that was not sent by this page")
_TOKEN = WordedError("refused", "token_reads", "a token is for reading alone")
_INGRESS = WordedError("refused", "ingress_alone", "this page is shown by Home Assistant alone")
_LOGIN = WordedError("refused", "log_in_first", "log in first, or send a token")


class Guarding:
    """What every request passes."""

    def __init__(self, names: tuple[str, ...], callers: Callers, listener: Listener, room: Room) -> None:
        self._names = frozenset(name.rstrip(".").lower() for name in names)
        self._callers = callers
        self._listener = listener
        self._room = room
        self._pace = Pace()

    @web.middleware
    async def answer(self, request: web.Request, handler: AnswerRequest) -> web.StreamResponse:
        """Answer a request, or say why not."""
        if not await self._pace.turn():
            self._listener.drop(request.protocol)
            raise ConnectionResetError
        self._listener.begin(request.protocol)
        try:
            caller = self._callers.caller_of(request)
            request[CALLER] = caller
            return await self._answered(request, handler, caller)
        finally:
            self._listener.end(request.protocol)

    async def finish(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give an answer the headers that all have."""
        way = request[CALLER].way if CALLER in request else Way()
        response.headers.update(HEADERS)
        response.headers["Content-Security-Policy"] = policy(way)
        response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
        response.headers.popall(hdrs.SERVER, None)

    async def _answered(
        self, request: web.Request, handler: AnswerRequest, caller: Caller
    ) -> web.StreamResponse:
        if (refused := self._refused(request, caller)) is not None:
            return refused
        try:
            return await handler(request)
        except web.HTTPException as error:
            return self._said(request, error)
        except (asyncio.CancelledError, ConnectionError):
            raise  # it has left
        except Exception as error:  # noqa: BLE001 - one answer's trouble, which no other shall have
            return self._explained(request, error)

    def _refused(self, request: web.Request, caller: Caller) -> web.StreamResponse | None:
        host = request.headers.get(hdrs.HOST, "")
        if not (caller.way.ingress or is_our_name(host, self._names)):
            return refusal(request, 421, _NOT_OUR_NAME)
        if request.method not in ("GET", "HEAD"):
            if not is_our_origin((host, caller.way.host), request.headers):
                return refusal(request, 403, _NOT_OUR_ORIGIN)
            allowed = caller.may_act
        else:
            allowed = caller.may_read
        if allowed or request.path in _OPEN or request.path.startswith("/static/"):
            return None
        return self._unknown(request, caller)

    def _unknown(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        if caller.may_read:
            return refusal(request, 403, _TOKEN)
        if not self._callers.asks_for_password:
            return refusal(request, 403, _INGRESS)
        if wants_json(request) or request.path == "/metrics" or request.method != "GET":
            response = refusal(request, 401, _LOGIN)
            response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
            return response
        # Relative: every page is at the root of the prefix.
        return web.Response(status=303, headers={hdrs.LOCATION: "login"})

    def _said(self, request: web.Request, error: web.HTTPException) -> web.StreamResponse:
        """An answer of aiohttp in our words."""
        if error.status < 400:
            return web.Response(status=error.status, headers={hdrs.LOCATION: error.headers[hdrs.LOCATION]})
        told = _SENTENCES.get(error.status)
        if told is None:
            told = WordedError(
                "refused", "not_understood", "the request is not understood: {why}", why=error.reason
            )
        response = refusal(request, error.status, told)
        if hdrs.ALLOW in error.headers:
            response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        return response

    def _explained(self, request: web.Request, error: Exception) -> web.StreamResponse:
        match error:
            case BusyError() | SinkError():
                return refusal(request, 503, error)
            case TooMuchError():
                return refusal(request, 413, error)
            case NoHistoryError():
                return refusal(request, 404, error)
            case ExplainedError():
                return refusal(request, 400 if parts.is_bad_question(error) else 503, error)
            case TimeoutError():
                return refusal(request, 408, _UNFINISHED)
        self._room.note(error, "one answer of the page is missing")
        return refusal(request, 500, _FAULT)
