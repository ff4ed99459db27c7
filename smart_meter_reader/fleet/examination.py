"""Looks at the servers of a fleet for `doctor` and `writer --check`. Nothing stays behind of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, Final

import nats.errors
from nats.js.api import StorageType, StreamConfig
from nats.js.errors import APIError

from smart_meter_reader.console.checks import Check, ok, unavailable, warning
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.fleet.connection import NatsLink, linked
from smart_meter_reader.fleet.judged import (
    judge_clock,
    judge_jetstream,
    judge_placement,
    judge_stream,
    judge_sync,
    judge_version,
)
from smart_meter_reader.fleet.settings import NatsSettings
from smart_meter_reader.fleet.streams import LANES

_MONITOR_SECONDS: Final = 3.0
_ANSWER_SECONDS: Final = 5.0
# No answer means that nobody may ask, which the library does not tell from nobody being there.
_NOT_TOLD: Final = (nats.errors.Error, TimeoutError, OSError)
AskServer = Callable[[NatsLink], AsyncIterator[Check]]


async def examine_servers(
    subject: str, settings: NatsSettings, ask: AskServer, **options: Any
) -> AsyncIterator[Check]:
    """Connect, look at the server, let ``ask`` look at the rest, and at each server's monitoring port."""
    try:
        async with linked("doctor", settings, **options) as link:
            server = _named(link)
            yield ok(subject, f"{server} lets us in{' over TLS' if settings.tls else ''}")
            yield judge_version(subject, server, str(link.told_of("version") or ""))
            for check in judge_jetstream(subject, server, there=link.told_of("jetstream") is True):
                yield check
            async for check in ask(link):
                yield check
    except SinkError as error:
        yield unavailable(subject, error.detail)
        return
    async for check in examine_monitors(subject, settings):
        yield check


async def examine_monitors(subject: str, settings: NatsSettings) -> AsyncIterator[Check]:
    """What each server tells of itself where it may be asked."""
    if not settings.monitor_port:
        return
    for host in dict.fromkeys(map(_host, settings.servers)):
        place = f"{host}:{settings.monitor_port}"
        asked = datetime.now(UTC)
        told = await _monitor(place)
        if told is None:
            yield ok(
                subject,
                f"{host} was not asked whether it keeps what it acknowledges: {place} does not answer from "
                "here. `smart-meter-reader writer --check` on that computer may ask",
            )
            continue
        yield judge_version(subject, host, str(told.get("version", "")))
        yield judge_sync(subject, host, told)
        middle = asked + (datetime.now(UTC) - asked) / 2
        for check in judge_clock(subject, host, str(told.get("now", "")), middle):
            yield check


async def examine_hub(subject: str, link: NatsLink) -> AsyncIterator[Check]:
    """Streams and placement, as far as our key may ask."""
    servers = max(1, len(link.client.servers))
    visible = False
    for lane in LANES:
        told = await asked(link, f"$JS.API.STREAM.INFO.{lane.stream}")
        if told is None:
            continue
        visible = True
        if "config" not in told:
            yield unavailable(
                subject, f"there is no stream {lane.stream}: `smart-meter-reader writer --prepare` makes it"
            )
            continue
        for check in judge_stream(subject, lane.stream, told["config"], servers):
            yield check
    if not visible:
        yield warning(
            subject, "this key may not look at streams: the administrator's may (the key of --prepare)"
        )
    elif servers >= 3:
        yield await _placed(subject, link)


async def _placed(subject: str, link: NatsLink) -> Check:
    """Make a stream of three replicas, in memory, and remove it."""
    name = f"SMR_CHECK_{secrets.token_hex(4)}"
    config = StreamConfig(
        name=name, subjects=[f"smr.check.{name}"], storage=StorageType.MEMORY, num_replicas=3
    )
    try:
        await link.streams.add_stream(config)
        await link.streams.delete_stream(name)
    except APIError as error:
        return judge_placement(subject, error.err_code or 0, error.description or "")
    except _NOT_TOLD:
        return unavailable(
            subject,
            "no answer about a stream of three replicas: the servers have no leader, try again in 10 s",
        )
    return ok(subject, "streams of three replicas can be placed")


async def examine_clock(subject: str, link: NatsLink, api: str) -> AsyncIterator[Check]:
    """Our clock beside the servers', by the time in an answer of the streams' API (2.10 and newer)."""
    before = datetime.now(UTC)
    told = await asked(link, api)
    if told is not None and "ts" in told:
        middle = before + (datetime.now(UTC) - before) / 2
        for check in judge_clock(subject, _named(link), str(told["ts"]), middle):
            yield check


async def asked(link: NatsLink, subject: str, body: bytes = b"") -> dict[str, Any] | None:
    """The answer as JSON; None where none comes: nobody is there, or our key may not ask."""
    try:
        answer = await link.client.request(subject, body, timeout=_ANSWER_SECONDS)
        told = json.loads(answer.data)
    except (*_NOT_TOLD, ValueError):
        return None
    return told if isinstance(told, dict) else None


async def _monitor(place: str) -> dict[str, Any] | None:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=_MONITOR_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://{place}/varz") as answer,
        ):
            told = json.loads(await answer.content.read(1 << 20))
    except (OSError, aiohttp.ClientError, TimeoutError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _host(server: str) -> str:
    host, colon, port = server.rpartition(":")
    return host if colon and port.isdigit() else server


def _named(link: NatsLink) -> str:
    found = link.client.connected_url
    return found.netloc.rpartition("@")[2] if found else "the server"
