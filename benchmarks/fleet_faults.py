"""Readings through kill -9 and SIGSTOP of everything: python -m benchmarks.fleet_faults [READINGS [KILLS]]

Edges, writers and servers are killed while readings come; in the end the database must have each (meter,
time, quantity) that a spool had taken, once. Prints the longest time in which no row came; ends with 1 if one
is lost.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.fleet_rig import Delivery, Rig, journals, rig, verdict, watching
from tests.fleet.fleet import FleetProcess
from tests.peers.nats import NatsServer

READINGS, KILLS, METERS, EDGES = 72_000, 100, 100, 2
PACE = 0.004  # seconds between two readings of an edge, at least
STREAM = "READINGS"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong at the servers, and is over when ``work`` ends."""

    name: str
    work: Callable[[Rig], Awaitable[None]]


async def _killed(servers: list[NatsServer], seconds: float) -> None:
    for server in servers:
        server.kill()
    await asyncio.sleep(seconds)
    for server in servers:
        server.launch()
    for server in servers:
        await server.until_it_answers()


async def _leader(rig: Rig) -> None:
    await _killed([await rig.cluster.leader(STREAM)], 4)


async def _follower(rig: Rig) -> None:
    await _killed((await rig.cluster.followers(STREAM))[:1], 4)


async def _two(rig: Rig) -> None:
    await _killed([await rig.cluster.leader(STREAM), (await rig.cluster.followers(STREAM))[0]], 6)


async def _all(rig: Rig) -> None:
    await _killed(rig.cluster.servers, 2)


async def _paused(rig: Rig) -> None:
    leader = await rig.cluster.leader(STREAM)
    leader.pause()
    await asyncio.sleep(8)
    leader.resume()


FAULTS = (
    Fault("kill -9 of the leader, back after 4 s", _leader),
    Fault("kill -9 of a follower, back after 4 s", _follower),
    Fault("kill -9 of two of three, back after 6 s", _two),
    Fault("SIGSTOP of the leader for 8 s", _paused),
    Fault("kill -9 of all three, back after 2 s", _all),
)


async def faults_by_turns(rig: Rig, delivery: Delivery, told: dict[str, float]) -> None:
    """Until cancelled; ``told`` gets the longest gap around each."""
    while True:
        for fault in FAULTS:
            await asyncio.sleep(5)
            delivery.longest_gap, delivery.grown_at = 0.0, time.monotonic()
            await fault.work(rig)
            await asyncio.sleep(10)
            gap = max(delivery.longest_gap, time.monotonic() - delivery.grown_at)
            told[fault.name] = max(told.get(fault.name, 0.0), gap)
            print(f"  {fault.name}: no row for {gap:.1f} s at most", flush=True)


async def kills(processes: list[FleetProcess], count: int, seconds: float, dice: random.Random) -> int:
    """Kill processes at ``count`` random moments, spread over so many seconds, and start them again."""
    for _ in range(count):
        await asyncio.sleep(dice.uniform(0, 2 * seconds / count))
        process = dice.choice(processes)
        process.kill()
        process.start()
    return count


async def faulty(readings: int, kill_count: int) -> bool:
    """Whether nothing was lost or doubled."""
    dice = random.Random(18)
    async with rig() as running, watching(running) as delivery:
        edges = [
            running.fleet.edge(f"e{number}", meters=METERS, count=readings // METERS // EDGES, pace=PACE)
            for number in range(1, EDGES + 1)
        ]
        began, gaps = time.monotonic(), dict[str, float]()
        seconds = readings / EDGES * 0.012
        beside = [
            asyncio.create_task(faults_by_turns(running, delivery, gaps)),
            asyncio.create_task(kills(list(running.fleet.processes), kill_count, seconds, dice)),
        ]
        while journals(edges) < readings and not beside[0].done():  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(1)
        fed = time.monotonic() - began
        killed = await beside[1]
        beside[0].cancel()
        await asyncio.wait(beside)
        for server in running.cluster.servers:
            if server.runs:
                server.resume()
            else:
                await server.start()
        found = await verdict(running, edges, 180)
        if found.missing:
            for process in running.fleet.processes:
                print(f"== {process.place.name}\n{process.log()[-3000:]}")
        took = time.monotonic() - began
    print(f"{found}")
    print(f"fed in {fed:.0f} s, in the database after {took:.0f} s; edges and writers killed {killed} times")
    for name, gap in gaps.items():
        print(f"longest time without a row, {name}: {gap:.1f} s")
    return not found.missing and not found.doubled and found.taken >= readings


def main() -> None:
    numbers = [int(each) for each in sys.argv[1:]]
    readings, kill_count = (numbers + [READINGS, KILLS][len(numbers) :])[:2]
    sys.exit(0 if asyncio.run(faulty(readings, kill_count)) else 1)


if __name__ == "__main__":
    main()
