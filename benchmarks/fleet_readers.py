"""Two machines that reach one meter over TCP: python -m benchmarks.fleet_readers [SECONDS]

Two real services with a lease read one emulated MULTICAL behind a relay that counts requests and notes who
asks when. The one that reads is killed, stopped and paused in turn, the leader of the engine is killed, and
all servers are away for longer than a lease lives. Prints how often two asked at the same time, how long
nobody asked, and how many readings each machine told. Ends with 1 if two asked at once.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fleet.machines import Machines, machines
from tests.peers.relay import Relay, relayed_meter

SECONDS = 240
TTL, RENEW = 20, 3


async def _killed(machines: Machines) -> None:
    victim = machines.reading()
    victim.kill()
    await asyncio.sleep(TTL + RENEW + 10)
    victim.start()
    await asyncio.sleep(10)


async def _stopped(machines: Machines) -> None:
    victim = machines.reading()
    await asyncio.to_thread(victim.stop)
    await asyncio.sleep(12)
    victim.start()
    await asyncio.sleep(8)


async def _paused(machines: Machines) -> None:
    victim = machines.reading()
    victim.pause()
    await asyncio.sleep(TTL + RENEW + 8)
    victim.resume()
    await asyncio.sleep(10)


async def _leader_killed(machines: Machines) -> None:
    leader = await machines.cluster.leader("KV_leases")
    leader.kill()
    await asyncio.sleep(15)
    await leader.start()
    await asyncio.sleep(5)


async def _away(machines: Machines) -> None:
    for server in machines.cluster.servers:
        server.pause()
    await asyncio.sleep(TTL + 10)
    for server in machines.cluster.servers:
        server.resume()
    await asyncio.sleep(20)


Fault = tuple[str, Callable[[Machines], Awaitable[None]]]
FAULTS: tuple[Fault, ...] = (
    ("the reader is stopped in order", _stopped),
    ("kill -9 of the reader", _killed),
    ("kill -9 of the engine's leader", _leader_killed),
    ("all servers paused for longer than a lease", _away),
    ("SIGSTOP of the reader for longer than a lease", _paused),
)


async def _tried(fault: Fault, running: Machines, relay: Relay) -> None:
    what, work = fault
    since, overlaps, asked = time.monotonic(), relay.overlaps, len(relay.asked)
    await work(running)
    print(
        f"{what}: {len(relay.asked) - asked} requests, nobody asked for "
        f"{relay.longest_silence(since):.0f} s at most, two at once {relay.overlaps - overlaps} times",
        flush=True,
    )


async def readers(seconds: float) -> bool:
    """Whether two never asked at once."""
    async with relayed_meter() as (relay, port):
        with TemporaryDirectory(prefix="smr-readers-") as name:
            async with machines(Path(name), port, TTL, RENEW) as running:
                await asyncio.sleep(20)
                began = time.monotonic()
                while time.monotonic() - began < seconds:
                    for fault in FAULTS:
                        await _tried(fault, running, relay)
                logs = [each.log() for each in running.processes]
    taken = [log.count('"type":"reading"') for log in logs]
    print(f"{len(relay.asked)} requests; readings {taken}; two at once {relay.overlaps} times")
    return not relay.overlaps


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    sys.exit(0 if asyncio.run(readers(seconds)) else 1)


if __name__ == "__main__":
    main()
