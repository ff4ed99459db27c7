"""Looks at what the sink `nats` needs, for `doctor`: servers, rights, and whether a writer answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import nats.errors

from smart_meter_reader.console.checks import Check, ok, unavailable, warning
from smart_meter_reader.fleet.connection import REQUEST_SECONDS, NatsLink
from smart_meter_reader.fleet.examination import examine_servers
from smart_meter_reader.fleet.subjects import ask_subject, inbox_prefix
from smart_meter_reader.fleet.written import decode_told, encode_asked
from smart_meter_reader.sinks.nats.settings import NatsSinkSettings


async def examine(subject: str, settings: NatsSinkSettings) -> AsyncIterator[Check]:
    """Nothing is published: a writer is asked for nothing."""

    async def ask(link: NatsLink) -> AsyncIterator[Check]:
        yield await _writer(subject, settings, link)

    options = {"inbox_prefix": inbox_prefix(settings.tenant, settings.site)}
    async for check in examine_servers(subject, settings, ask, **options):
        yield check


async def _writer(subject: str, settings: NatsSinkSettings, link: NatsLink) -> Check:
    where = ask_subject(settings.tenant, settings.site)
    question = encode_asked(settings.edge, [])
    try:
        decode_told((await link.client.request(where, question, timeout=REQUEST_SECONDS)).data)
    except nats.errors.NoRespondersError:
        return warning(
            subject,
            "no writer runs: readings stay in the streams and in this spool until one does "
            "(`smart-meter-reader writer`)",
        )
    except (nats.errors.Error, TimeoutError, OSError):
        return unavailable(
            subject,
            f"no answer on {where}: no writer runs, or this key has no right to it. Compare `tenant` "
            f"({settings.tenant}) and `site` ({settings.site}) with what its key may in the servers' "
            "tenants.conf",
        )
    except ValueError as error:
        return unavailable(subject, f"a writer answers what makes no sense ({error}): update it")
    return ok(subject, f"a writer answers for {settings.tenant}, {settings.site}")
