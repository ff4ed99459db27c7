"""The hub away for ten minutes, and how an edge catches up: python -m benchmarks.fleet_away [SECONDS [RATE]]

One edge goes on giving RATE readings a second while the servers are gone. Then: how fast the back-log comes
in beside the live readings, how old the newest reading in the database is meanwhile, and whether each meter's
back-log was published in order. Ends with 1 if a reading is lost, doubled or out of order, or if catching up
is slower than ten times the live rate.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field

from nats.aio.msg import Msg

from benchmarks.fleet_rig import Rig, journals, rig, verdict, watching
from smart_meter_reader.fleet.envelope import SEQUENCE
from smart_meter_reader.fleet.subjects import parse_subject

SECONDS, RATE, METERS = 600, 10, 20
BEFORE = 10.0
LEAST_TIMES = 10.0


@dataclass(slots=True)
class Order:
    """What an observer with the administrator's key sees published: sequences by meter and kind."""

    newest: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    turned: int = 0
    seen: int = 0

    async def note(self, message: Msg) -> None:
        """A message; one that was published again is no turn."""
        subject = parse_subject(message.subject)
        sequence = int((message.headers or {})[SEQUENCE])
        key = (subject.source, subject.kind)
        self.seen += 1
        if sequence < self.newest[key]:
            self.turned += 1
        self.newest[key] = max(self.newest[key], sequence)


async def away(seconds: int, rate: int) -> bool:
    """Whether all came, in order and fast enough."""
    order = Order()
    async with rig() as running, watching(running) as delivery:
        total = (seconds + 900) * rate // METERS
        edge = running.fleet.edge("e1", meters=METERS, count=total, pace=1 / rate)
        client = await running.fleet.connect(
            running.fleet.keys.admin, max_reconnect_attempts=-1, error_cb=_expected
        )
        for kind in ("reading", "history"):
            await client.subscribe(f"smr.v1.tenant-a.site-1.{kind}.*", cb=order.note)
        await asyncio.sleep(BEFORE)
        for server in running.cluster.servers:
            server.kill()
        before = delivery.rows
        await asyncio.sleep(seconds)
        assert delivery.rows - before < rate * BEFORE
        backlog = journals([edge]) - delivery.rows
        print(f"hub away for {seconds} s: {backlog} readings wait in the spool", flush=True)
        for server in running.cluster.servers:
            server.launch()
        back = time.monotonic()
        await running.cluster.until_ready()
        first = await _grown(delivery.rows, running)
        delivery.ages.clear()
        ready = time.monotonic() - back
        print(f"servers are well again after {ready:.1f} s, the first row came after {first - back:.1f} s")
        while journals([edge]) - delivery.rows > 3 * rate:  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(0.25)
        took = time.monotonic() - first
        live = sorted(delivery.ages)
        edge.stop()
        found = await verdict(running, [edge], 120)
        await client.close()
    times = (backlog + took * rate) / took / rate
    print(
        f"caught up in {took:.1f} s: {backlog / took:.0f} readings/s beside {rate}/s live, "
        f"{times:.0f} times the rate"
    )
    print(
        f"meanwhile the newest reading in the database was {live[len(live) // 2]:.1f} s old in the median, "
        f"{live[-1]:.1f} s at most"
    )
    print(f"{found}; of {order.seen} messages seen, out of order {order.turned}")
    return not (found.missing or found.doubled or order.turned) and times >= LEAST_TIMES


async def _expected(error: Exception) -> None:
    """The observer's connection goes with the servers, and comes back with them."""


async def _grown(rows: int, running: Rig) -> float:
    async with watching(running) as delivery:
        while delivery.rows <= rows:  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(0.1)
        return time.monotonic()


def main() -> None:
    numbers = [int(each) for each in sys.argv[1:]]
    seconds, rate = (numbers + [SECONDS, RATE][len(numbers) :])[:2]
    sys.exit(0 if asyncio.run(away(seconds, rate)) else 1)


if __name__ == "__main__":
    main()
