"""What a server's answer to a write means. Pure.

Sources: docs.influxdata.com, "Write data using the InfluxDB API" (1.x: 204, 400 with ``partial write: ...
dropped=N``, 401, 403, 404, 413), "Troubleshoot issues writing data" (2.x: 400 nothing is written, and the
first malformed line is told; 422 the rest is written), "v3 write_lp API" (3: 400, with ``data`` of the lines
where it is known which; the rest is written unless ``accept_partial=false``). InfluxDB 1.6 was seen to write
nothing of a batch that contradicts itself, and says no "partial write" then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from smart_meter_reader.exceptions import LoginRefusedError, NeedsAPersonError, SinkError
from smart_meter_reader.sinks.spooled.destination import LaterError, TooLargeError
from smart_meter_reader.text import printable

# What of a server's words is told.
_LONGEST_WORDS = 300
_PARTIAL = re.compile(r"partial write\b")
_LONGEST_LATER = 900.0
_LATER = 30.0


@dataclass(frozen=True, slots=True)
class WriteAnswer:
    """One HTTP answer; ``headers`` with their names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something in the batch is refused for ever. ``rest_is_written``: else nothing of it may be.

    ``lines``: by the number of the line, from 0, what is said of it; empty where no line is named.
    """

    words: str
    rest_is_written: bool
    lines: Mapping[int, str]


def understand(answer: WriteAnswer, server: str, database: str) -> Refusal | None:
    """None where all is written. Raises SinkError where nothing is, and trying again may help."""
    status = answer.status
    if status == 204 or (status == 200 and not answer.body.strip()):
        return None
    told = _told(answer.body)
    words = _words(told) or f"HTTP {status}"
    if status in (400, 422):
        return _refusal(told, words, status)
    raise _error(answer, server, database, words, known=bool(told))


def _refusal(told: Mapping[str, Any], words: str, status: int) -> Refusal:
    lines: dict[int, str] = {}
    listed = told.get("data")
    for each in listed if isinstance(listed, list) else ():
        number = each.get("line_number") if isinstance(each, dict) else None
        if isinstance(number, int) and number > 0:
            lines[number - 1] = _bounded(each.get("error_message"))
    return Refusal(words, status == 422 or bool(lines) or bool(_PARTIAL.match(words)), lines)


def _error(answer: WriteAnswer, server: str, database: str, words: str, *, known: bool) -> SinkError:
    match answer.status:
        case 401 | 403 as status:
            return _refused_login(status, server, database, words)
        case 413:
            return TooLargeError("too_large", f"{server} takes no batch that is so large ({words})")
        case 429 | 503:
            return LaterError("busy", f"{server} has too much to do ({words})", _seconds(answer.headers))
        case status if status < 400 or status in (404, 405):
            return _nobody_writes_here(answer, server, database, words, known=known)
        case status:
            return SinkError("server_error", f"{server} answers with HTTP {status} ({words})")


def _refused_login(status: int, server: str, database: str, words: str) -> LoginRefusedError:
    if status == 401:
        return LoginRefusedError(
            "token_refused",
            f"{server} does not let us in ({words}): check `token`, or `username` and `password`",
        )
    return LoginRefusedError(
        "no_right_to_write", f"{server} does not let us write to {database} ({words}): give us the right"
    )


def _nobody_writes_here(
    answer: WriteAnswer, server: str, database: str, words: str, *, known: bool
) -> SinkError:
    """The address, or what it names, is another one than readings go to."""
    match answer.status:
        case 404 if known:
            return NeedsAPersonError(
                "no_database",
                f"{server} has no {database} ({words}): create it there, or check `database` "
                "(with v2 `org`, too)",
            )
        case 404 | 405:
            return NeedsAPersonError(
                "no_write_api",
                f"{server} has no such way of writing (HTTP {answer.status}): check `api` and `url`",
            )
        case status if status < 300:
            # A page of whatever else listens there: taken for an answer it would cost all readings.
            return NeedsAPersonError(
                "not_influxdb", f"{server} answers, but not as InfluxDB does (HTTP {status}): check `url`"
            )
        case _:
            where = printable(answer.headers.get("location", ""), 200) or "elsewhere"
            return SinkError(
                "redirected",
                f"{server} redirects to {where}, and readings go to nobody but `url`: set that to the "
                "address where it ends up",
            )


def _told(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _words(told: Mapping[str, Any]) -> str:
    return next((_bounded(told[key]) for key in ("error", "message", "code") if told.get(key)), "")


def _bounded(words: object) -> str:
    return printable(str(words), _LONGEST_WORDS)


def _seconds(headers: Mapping[str, str]) -> float:
    """Retry-After (RFC 9110, 10.2.3): seconds, or a date."""
    later = headers.get("retry-after", "").strip()
    if later.isascii() and later.isdigit() and len(later) < 8:
        return min(max(float(later), 1.0), _LONGEST_LATER)
    try:
        when = parsedate_to_datetime(later)
    except ValueError:
        return _LATER
    if when.tzinfo is None:
        return _LATER
    return min(max((when - datetime.now(UTC)).total_seconds(), 1.0), _LONGEST_LATER)
