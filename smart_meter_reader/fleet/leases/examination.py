"""Looks at the servers and the bucket that leases need, for `doctor`; takes and makes none."""

from __future__ import annotations

from collections.abc import AsyncIterator

from smart_meter_reader.console.checks import Check, ok, unavailable, warning
from smart_meter_reader.fleet.connection import NatsLink
from smart_meter_reader.fleet.examination import asked, examine_clock, examine_servers
from smart_meter_reader.fleet.leases.settings import LeaseSettings
from smart_meter_reader.fleet.subjects import inbox_prefix
from smart_meter_reader.settings.durations import format_duration

_NO_STREAM = 10059  # "stream not found" (server/errors.json)


async def examine(subject: str, settings: LeaseSettings) -> AsyncIterator[Check]:
    """Connection, rights, the bucket and how long leases live in it, clocks, the fail-over."""

    async def ask(link: NatsLink) -> AsyncIterator[Check]:
        api = f"$JS.API.STREAM.INFO.KV_{settings.bucket}"
        told = await asked(link, api)
        if told is None:
            yield unavailable(
                subject,
                f"no answer about the bucket {settings.bucket}: this key may not ask ({api}), its account "
                "has no JetStream, or the servers have no leader now; compare etc/fleet/tenants.conf",
            )
            return
        for check in _bucket(subject, settings, told):
            yield check
        async for check in examine_clock(subject, link, api):
            yield check

    options = {"inbox_prefix": inbox_prefix(settings.tenant, settings.site)}
    async for check in examine_servers(subject, settings, ask, **options):
        yield check
    for doubt in settings.doubts:
        yield warning(subject, doubt)


def _bucket(subject: str, settings: LeaseSettings, told: dict[str, object]) -> list[Check]:
    config, error = told.get("config"), told.get("error")
    if isinstance(error, dict) and error.get("err_code") == _NO_STREAM:
        return [
            ok(subject, f"there is no bucket {settings.bucket} yet: the first machine that runs makes it")
        ]
    if not isinstance(config, dict):
        return [unavailable(subject, f"the servers tell nothing of the bucket {settings.bucket}: {error}")]
    lives, wanted = config.get("max_age", 0) / 1e9, settings.ttl.total_seconds()
    if abs(lives - wanted) > 1:
        return [
            unavailable(
                subject,
                f"leases in the bucket {settings.bucket} live {lives:g} s, and `ttl` says {wanted:g} s: it "
                "has to be the same on all machines; to change it, stop all, remove the bucket, and start",
            )
        ]
    replicas = config.get("num_replicas", 1)
    text = (
        f"leases live {format_duration(settings.ttl)} in the bucket {settings.bucket}, on {replicas} servers"
    )
    return [ok(subject, text.replace("1 servers", "1 server"))]
