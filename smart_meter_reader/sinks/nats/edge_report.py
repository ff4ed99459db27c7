"""Tells how an edge itself is: what waits in its spool, since when, and whether somebody should look."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Any, Final

import nats.errors

from smart_meter_reader import __version__
from smart_meter_reader.fleet.connection import NatsLink
from smart_meter_reader.fleet.envelope import ID, SCHEMA, SCHEMA_VERSION
from smart_meter_reader.fleet.outbound import Unheard
from smart_meter_reader.fleet.subjects import Subject
from smart_meter_reader.json_text import dumps
from smart_meter_reader.log import Seldom
from smart_meter_reader.network.cancelled import raise_if_cancelled
from smart_meter_reader.sinks.nats.lanes import Lanes
from smart_meter_reader.sinks.nats.settings import NatsSinkSettings
from smart_meter_reader.spool.entries import SpoolState
from smart_meter_reader.spool.spool import Spool

_log = logging.getLogger(__name__)

TELL_SECONDS: Final = 300.0
LOOK_SECONDS: Final = 5.0
# What the database does not have after so long is worth a look.
ALERT_AGE_SECONDS: Final = 600


class EdgeReport:
    """The events of one edge, and its warnings in the log."""

    def __init__(self, name: str, settings: NatsSinkSettings) -> None:
        self._name = name
        self._settings = settings
        self._alert = ""
        self._said = Seldom()

    async def keep_telling(self, link: NatsLink, spool: Spool, lanes: Lanes, unheard: Unheard) -> None:
        """Look every few seconds, tell what is new at once and the rest seldom; until cancelled."""
        told = float("-inf")
        while True:
            raise_if_cancelled()
            reason = alert_of(spool.state, self._settings.spool_limits.most_bytes, full=lanes.full)
            changed = reason != self._alert
            self._alert = reason
            self._log(reason, spool.state, len(unheard), changed=changed)
            if (changed or time.monotonic() - told >= TELL_SECONDS) and link.is_up:
                told = time.monotonic()
                await self._tell(link, spool.state, len(unheard), reason)
            await asyncio.sleep(LOOK_SECONDS)

    async def _tell(self, link: NatsLink, state: SpoolState, unheard: int, reason: str) -> None:
        settings, now = self._settings, datetime.now(UTC)
        subject = Subject(settings.tenant, settings.site, "event", settings.edge)
        body = event_body(now, state, unheard, reason)
        key = f"{settings.tenant}/{settings.site}/{settings.edge}/{now:%Y%m%dT%H%M%S.%fZ}/event"
        try:
            await link.streams.publish(str(subject), body, headers={ID: key, SCHEMA: SCHEMA_VERSION})
        except (nats.errors.Error, TimeoutError, OSError):
            pass  # the next one says the same; the lanes tell why

    def _log(self, reason: str, state: SpoolState, unheard: int, *, changed: bool) -> None:
        if not reason:
            if changed and self._said.forget():
                _log.info("sink %s: the database has caught up", self._name)
            return
        if (more := self._said.more(reason, time.monotonic())) is not None:
            _log.warning(
                "sink %s: the database does not have %d messages yet, the oldest of %s min ago; the "
                "servers have %d of them%s",
                self._name,
                state.depth,
                (state.age_seconds or 0) // 60,
                unheard,
                more,
            )


def alert_of(state: SpoolState, most_bytes: int, *, full: bool) -> str:
    """Why somebody should look; "" when all is well."""
    if full:
        return "stream_full"
    if state.bytes > most_bytes * 9 // 10:
        return "spool_nearly_full"
    if (state.age_seconds or 0) >= ALERT_AGE_SECONDS:
        return "spool_old"
    # Last, since it stays until the service starts anew: what can still be mended comes first.
    return "spool_dropped" if state.dropped else ""


def event_body(now: datetime, state: SpoolState, unheard: int, reason: str) -> bytes:
    """What the event says, as JSON."""
    told: dict[str, Any] = {
        "time": now,
        "state": "alert" if reason else "online",
        "reason": reason,
        "version": __version__,
        "spool": {
            "depth": state.depth,
            "waiting": state.waiting,
            "published": unheard,
            "bytes": state.bytes,
            "age_seconds": state.age_seconds,
            "dropped": state.dropped,
        },
    }
    return dumps(told).encode()
