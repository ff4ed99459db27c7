"""What the answers of the page are made of: bodies, compressed where the client takes that, and refusals."""

from __future__ import annotations

import gzip
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import hdrs, web

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.json_text import dumps_local

JSON = "application/json"
HTML = "text/html"
_WORTH_PACKING = 2048
_LANGUAGES = ("en", "nl", "de", "da", "fr")
LANGUAGE_COOKIE = "language"


def compressed(request: web.Request, content: bytes) -> tuple[bytes, dict[str, str]]:
    """A body as the client takes it, and the headers that say so. Takes time: for a thread."""
    headers: dict[str, str] = {hdrs.VARY: hdrs.ACCEPT_ENCODING}
    if len(content) < _WORTH_PACKING or not takes_gzip(request):
        return content, headers
    return gzip.compress(content, 5, mtime=0), {**headers, hdrs.CONTENT_ENCODING: "gzip"}


def takes_gzip(request: web.Request) -> bool:
    """Whether the client says that it reads gzip."""
    coded = request.headers.get(hdrs.ACCEPT_ENCODING, "").lower().replace(" ", "").split(",")
    return any(each == "gzip" or (each.startswith("gzip;") and each != "gzip;q=0") for each in coded)


def wants_json(request: web.Request) -> bool:
    """Whether a program asked: then it is told in JSON, and led nowhere."""
    return request.path.startswith("/api/") or JSON in request.headers.get(hdrs.ACCEPT, "")


def as_json(value: object, zone: ZoneInfo, status: int = 200) -> web.Response:
    """An answer in JSON; numbers have the meter's digits, times the offset of the house."""
    return web.Response(body=dumps_local(value, zone), content_type=JSON, status=status)


def refusal(request: web.Request, status: int, error: ExplainedError) -> web.Response:
    """Why there is no answer, in one sentence; a page for a browser, which shows what it is given."""
    if request.method == "GET" and HTML in request.headers.get(hdrs.ACCEPT, ""):
        # Imported by those who see one.
        from smart_meter_reader.sinks.web.pages.problem import problem_page

        above = "../" * max(0, request.path.count("/") - 1)
        page = problem_page(error, language_of(request), above, request.path.rpartition("/")[2])
        return web.Response(text=page, content_type=HTML, charset="utf-8", status=status)
    if wants_json(request):
        problem: dict[str, Any] = {"error": error.detail}
        return web.Response(body=dumps_local(problem, ZoneInfo("UTC")), content_type=JSON, status=status)
    return web.Response(text=f"{error.detail}\n", status=status)


def language_of(request: web.Request) -> str:
    """In which language a person wants it: as the address says, the cookie, or the browser; else English."""
    wished = [
        request.query.get("lang", ""),
        request.cookies.get(LANGUAGE_COOKIE, ""),
        *_accepted(request.headers.get(hdrs.ACCEPT_LANGUAGE, "")),
    ]
    return next((each for each in wished if each in _LANGUAGES), "en")


def chosen_language(request: web.Request) -> str:
    """The language that the address asks for; "" for none."""
    found = request.query.get("lang", "")
    return found if found in _LANGUAGES else ""


def _accepted(header: str) -> list[str]:
    """The languages of an Accept-Language header, the dearest first (RFC 9110, 12.5.4)."""
    found: list[tuple[float, str]] = []
    for part in header[:200].split(","):
        name, _, weight = part.partition(";q=")
        try:
            dear = float(weight or 1)
        except ValueError:
            continue
        found.append((-dear, name.strip().lower().partition("-")[0]))
    return [name for _, name in sorted(found, key=lambda each: each[0])]
