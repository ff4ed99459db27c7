"""What `doctor` asks of the page: that its certificate is one, and that it is there, or could be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp

from smart_meter_reader.console.checks import Check, ok, unavailable, warning
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.sinks.web.access.certificates import ServerCertificate
from smart_meter_reader.sinks.web.listener import bound
from smart_meter_reader.sinks.web.settings import WebSettings, page_url

_SECONDS = 10.0
_LARGEST = 256 * 1024


async def examine(subject: str, settings: WebSettings) -> AsyncIterator[Check]:
    """Try the port; where something has it, ask whether it is the page. Listens for a moment, if at all."""
    where = page_url(settings)
    try:
        if settings.certificate:
            ServerCertificate(subject, settings.certificate, settings.key)
        for each in await bound(settings.host, settings.port):
            each.close()
    except SinkError as error:
        stale = await _stale(where)
        if stale is None:
            yield unavailable(subject, error.detail)
        elif stale:
            yield warning(subject, f"the page at {where} answers; without fresh readings: {', '.join(stale)}")
        else:
            yield ok(subject, f"the page at {where} answers, and all readings are fresh")
    else:
        yield ok(subject, f"the page would be at {where}; no service shows it now")


async def _stale(where: str) -> list[str] | None:
    """The meters of a page that runs there whose readings are not fresh; None where none runs."""
    try:
        async with (
            asyncio.timeout(_SECONDS),
            aiohttp.ClientSession() as session,
            # Whether the name in the certificate is that of this address is the browsers' business.
            session.get(f"{where}health", ssl=False, allow_redirects=False) as answer,
        ):
            found = json.loads(await answer.content.read(_LARGEST))
            return [str(name) for name in found["not_fresh"]]
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
        return None
