"""Two services that reach one meter: one asks at a time, whoever stops or dies; the other says who reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.fleet.machines import machines
from tests.peers.nats import PATIENCE
from tests.peers.relay import relayed_meter

TTL, RENEW = 15, 2


async def until(enough: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not enough():
            await asyncio.sleep(0.1)


async def test_two_services_never_ask_one_meter_at_once(tmp_path: Path) -> None:
    async with relayed_meter() as (relay, port), machines(tmp_path, port, TTL, RENEW) as running:
        await until(lambda: relay.asked)
        first, second = running.reading(), running.other()
        await until(lambda: '"reason":"standby"' in second.log())
        assert "reads it; this machine takes over within 17 s should that one fail" in second.log()
        assert '"type":"reading"' not in second.log()
        # Stopped in order, it gives the lease back.
        await asyncio.to_thread(first.stop)
        await until(lambda: '"type":"reading"' in second.log())
        revisions = running.revisions()
        assert revisions[second.place.name][0] > revisions[first.place.name][-1]
        first.start()
        await until(lambda: first.log().count('"reason":"standby"'))
        # Killed, it is waited for.
        second.kill()
        asked = len(relay.asked)
        told = first.log().count('"type":"reading"')
        await until(lambda: first.log().count('"type":"reading"') > told)
        assert len(relay.asked) > asked
        assert relay.overlaps == 0
