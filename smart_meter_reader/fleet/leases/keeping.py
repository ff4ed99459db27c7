"""Keeps the leases of an environment's meters: asks for them, renews them, gives them back at the end."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Iterable
from typing import Final

import nats.errors
from nats.js.kv import KeyValue

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.fleet.connection import NatsLink, ServersAwayError, linked
from smart_meter_reader.fleet.leases import plan
from smart_meter_reader.fleet.leases.bucket import (
    LeaseEntry,
    RefusedError,
    compare_and_set,
    entry,
    key_of,
    lease_value,
    open_bucket,
)
from smart_meter_reader.fleet.leases.lease import Lease
from smart_meter_reader.fleet.leases.settings import LeaseSettings
from smart_meter_reader.fleet.subjects import inbox_prefix
from smart_meter_reader.log import Seldom
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.network.cancelled import raise_if_cancelled
from smart_meter_reader.network.outages import Outages

_log = logging.getLogger(__name__)

_BACKOFF: Final = Backoff(1.0, 30.0)
_GIVE_BACK_SECONDS: Final = 1.0
_NO_ANSWER: Final = (nats.errors.Error, TimeoutError, OSError)


class Leases:
    """The leases of the meters of one environment, over one connection."""

    def __init__(
        self, settings: LeaseSettings, meters: Iterable[str], outages: Outages | None = None
    ) -> None:
        """Opens nothing. ``meters``: those that have a lease; ``outages``: told once, with sinks."""
        self._settings = settings
        self._outages = outages or Outages()
        # Tells what we wrote from what an earlier process of this machine left.
        self._session = secrets.token_hex(8)
        self._leases = {meter: Lease(meter, settings.edge, settings.times) for meter in meters}
        self._said = Seldom()
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing

    def of(self, meter: str) -> Lease:
        """The lease of one of the meters."""
        return self._leases[meter]

    async def run(self) -> None:
        """Keep them until cancelled; what is held then is given back."""
        settings, failures = self._settings, 0
        # The right to hear answers is for this site's alone.
        options = {"inbox_prefix": inbox_prefix(settings.tenant, settings.site)}
        while True:
            try:
                name = f"leases of {settings.edge}"
                async with linked(name, settings, self._outages, **options) as link:
                    bucket = await open_bucket(link.streams, settings)
                    failures = 0
                    if self._said.forget() and self._outages.connected(settings.party, ""):
                        _log.info("leases: the NATS servers answer again")
                    await self._keep_all(link, bucket)
            except* SinkError as troubles:
                self._tell(_first(troubles))
            failures += 1
            await asyncio.sleep(_BACKOFF.wait(failures, self._jitter))

    async def _keep_all(self, link: NatsLink, bucket: KeyValue) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(link.ended(), name="end of the connection")
                for lease in self._leases.values():
                    group.create_task(self._keep(bucket, lease), name=f"lease of {lease.meter}")
        except asyncio.CancelledError:
            # The service stops. A connection that ends is another matter: what we have we keep.
            await self._give_back(bucket)
            raise

    async def _keep(self, bucket: KeyValue, lease: Lease) -> None:
        key = key_of(self._settings.site, lease.meter)
        while True:
            raise_if_cancelled()
            await asyncio.sleep(max(0.0, plan.next_request(lease.state, lease.times) - lease.now()))
            sent = lease.now()
            try:
                revision = await self._take(bucket, key, lease.state.revision)
            except RefusedError:
                await self._look(bucket, key, lease)
            except _NO_ANSWER:
                lease.become(plan.unanswered(lease.state, sent))
            else:
                lease.become(plan.got(revision, sent, lease.times))

    async def _take(self, bucket: KeyValue, key: str, last: int | None) -> int:
        return await compare_and_set(bucket, key, lease_value(self._settings.edge, self._session), last)

    async def _look(self, bucket: KeyValue, key: str, lease: Lease) -> None:
        """Another revision is there than we thought: ours, when an answer was lost; none; or another's."""
        found: LeaseEntry | None = None
        try:
            found = await entry(bucket, key)
            if found is None or found.session == self._session:
                sent = lease.now()
                revision = await self._take(bucket, key, found.revision if found else None)
                lease.become(plan.got(revision, sent, lease.times))
                return
        except (RefusedError, *_NO_ANSWER):
            pass  # refused is refused: somebody else may have it, though nobody says who
        lease.become(plan.held_by_another(lease.state, _holder(found), lease.now()))

    async def _give_back(self, bucket: KeyValue) -> None:
        """The others need not wait until they have gone; reading has ended before. In bounded time."""
        held = {lease: lease.state.revision for lease in self._leases.values() if lease.state.revision}
        for lease in held:
            lease.become(plan.given_back(lease.state, lease.now()))
        try:
            async with asyncio.timeout(_GIVE_BACK_SECONDS), asyncio.TaskGroup() as group:
                for lease, revision in held.items():
                    group.create_task(self._give_one_back(bucket, lease, revision))
        except TimeoutError:
            _log.debug("leases: not all were given back; they go by themselves")

    async def _give_one_back(self, bucket: KeyValue, lease: Lease, revision: int) -> None:
        await lease.free()
        try:
            await bucket.delete(key_of(self._settings.site, lease.meter), last=revision)
        except _NO_ANSWER:
            _log.debug("lease of %s: it was not given back, and goes by itself", lease.meter)

    def _tell(self, error: SinkError) -> None:
        now = time.monotonic()
        more = self._said.more(error.detail, now)
        if more is not None:
            away = isinstance(error, ServersAwayError) and not more
            news = not away or self._outages.failed(self._settings.party, error, None, now)
            _log.log(logging.WARNING if news else logging.DEBUG, "leases: %s%s", error.detail, more)
        for lease in self._leases.values():
            lease.trouble = error.detail


def _holder(found: LeaseEntry | None) -> str:
    return (found.holder if found else "") or "another machine"


def _first(group: BaseExceptionGroup[SinkError]) -> SinkError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, SinkError)
    return error
