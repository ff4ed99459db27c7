"""Who asks: a browser with a session, a program with a token, Home Assistant, or nobody that we know."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from aiohttp import hdrs, web

from smart_meter_reader.network.off_loop import in_daemon_thread
from smart_meter_reader.sinks.web.access.passwords import is_password
from smart_meter_reader.sinks.web.access.security import Way, way_of
from smart_meter_reader.sinks.web.access.sessions import LoginRate, Sessions, token_name
from smart_meter_reader.sinks.web.settings import WebSettings

COOKIE = "smart_meter_reader"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, and on which way."""

    way: Way
    may_read: bool
    may_act: bool  # ask for a reading
    can_log_out: bool = False


class Callers:
    """Tells who may what. Without a password everybody that reaches the page may all of it."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        self._password = settings.password.reveal() if settings.password else ""
        self._rate = LoginRate()
        self.sessions = Sessions(self._password, settings.stay_logged_in.total_seconds())

    @property
    def asks_for_password(self) -> bool:
        """Whether there is a login."""
        return bool(self._password)

    def caller_of(self, request: web.BaseRequest) -> Caller:
        """Who sent it."""
        settings = self._settings
        way = way_of(
            request.remote or "",
            request.headers,
            secure=request.secure,
            ingress=settings.home_assistant_ingress,
            proxies=settings.trusted,
        )
        if way.ingress:
            return Caller(way, may_read=True, may_act=True)
        if not self._password:
            # For Home Assistant alone: whoever else comes by is not let in.
            allowed = not settings.home_assistant_ingress
            return Caller(way, allowed, allowed)
        cookie = request.cookies.get(COOKIE, "")
        if cookie and self.sessions.holds(cookie, time.time()):
            return Caller(way, may_read=True, may_act=True, can_log_out=True)
        header = request.headers.get(hdrs.AUTHORIZATION, "")
        return Caller(way, may_read=bool(token_name(header, settings.tokens)), may_act=False)

    async def log_in(self, password: str) -> str:
        """A new session's cookie; "" when it is not the password, or was tried too often."""
        if not (self._password and self._rate.take(asyncio.get_running_loop().time())):
            return ""
        right = await in_daemon_thread(lambda: is_password(password, self._password), lambda _: None)
        return self.sessions.begin(time.time()) if right else ""

    def log_out(self, request: web.BaseRequest) -> None:
        """End the session that a request is of."""
        self.sessions.end(request.cookies.get(COOKIE, ""))

    def keep_cookie(self, response: web.StreamResponse, cookie: str, way: Way) -> None:
        """Let the browser send it with every request to us, and with none that another page makes."""
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=round(self._settings.stay_logged_in.total_seconds()),
            path=way.cookie_path,
            secure=way.secure,
            httponly=True,
            samesite="Strict",
        )

    def forget_cookie(self, response: web.StreamResponse, way: Way) -> None:
        """Let the browser forget it."""
        response.del_cookie(COOKIE, path=way.cookie_path, secure=way.secure, httponly=True, samesite="Strict")
