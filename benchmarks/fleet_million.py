"""A million meters, read hourly: python -m benchmarks.fleet_million [SECONDS [RATE]]

RATE readings a second of a million meters: those of one edge in twenty by a real edge with the sink `nats`,
the others published as that does, by one process. In the middle the three servers are restarted one by one.
Prints how old the newest reading in the database was, what edge, servers and writers took of CPU and memory,
and the longest time without a row. Ends with 1 if a reading is lost or the lag passes 5 s.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.fleet_rig import Rig, journals, rig, verdict, watching
from benchmarks.processes import cpu_seconds, resident_mib
from tests.fleet.fleet import FleetProcess

SECONDS, RATE, EDGES, METERS = 600, 300, 20, 1_000_000  # of the edges one is real
MOST_LAG = 5.0
START = 20.0  # until all edges run


@dataclass(frozen=True, slots=True)
class Cost:
    """Of some processes together: CPU seconds, and MiB of resident memory."""

    cpu: float
    memory: float


def cost(pids: Iterable[int]) -> Cost:
    """Up to now."""
    numbers = list(pids)
    return Cost(sum(map(cpu_seconds, numbers)), sum(map(resident_mib, numbers)))


async def million(seconds: int, rate: int) -> bool:
    """Whether nothing was lost and the lag stayed small."""
    total = int((seconds + START) * rate)
    async with rig() as running, watching(running, 0.5) as delivery:
        fleet, servers = running.fleet, running.cluster.servers
        writers = list(fleet.processes)
        began = time.monotonic()
        edge = fleet.edge(
            "e0",
            meters=METERS // EDGES,
            count=1,
            pace=EDGES / rate,
            readings=total // EDGES,
            spool_after="5s",
        )
        others = publisher(running, total - total // EDGES, rate * (EDGES - 1) / EDGES)
        edges = [edge, others]
        await asyncio.sleep(START)
        groups = {
            "edge": [edge.pid],
            "servers": [each.pid for each in servers],
            "writers": [each.pid for each in writers],
        }
        before = {name: cost(pids) for name, pids in groups.items()}
        rows, since = delivery.rows, time.monotonic()
        delivery.ages.clear()
        delivery.longest_gap = 0.0
        await asyncio.sleep(seconds / 2)
        used = {name: cost(pids) for name, pids in groups.items()}
        written, half = delivery.rows - rows, time.monotonic() - since
        calm, gap = sorted(delivery.ages), delivery.longest_gap
        delivery.ages.clear()
        delivery.longest_gap = 0.0
        restart = time.monotonic()
        await running.cluster.restart_one_by_one()
        print(f"the servers restarted one by one in {time.monotonic() - restart:.0f} s", flush=True)
        await asyncio.sleep(max(0.0, seconds / 2 - (time.monotonic() - restart)))
        later, later_gap = sorted(delivery.ages), delivery.longest_gap
        given, fed = journals(edges), time.monotonic() - began
        while journals(edges) < total:  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(1)
        print(f"all {total} readings were given after {time.monotonic() - began:.0f} s", flush=True)
        found = await verdict(running, edges, 120)
    print(f"{given} readings of {METERS} meters in {fed:.0f} s: {given / fed:.0f}/s, asked for {rate}/s")
    _tell_cost(before, used, written, half)
    for what, ages, longest in (("calm", calm, gap), ("servers restarted one by one", later, later_gap)):
        print(
            f"{what}: the newest reading in the database was {ages[len(ages) // 2]:.2f} s old in the median, "
            f"{ages[int(len(ages) * 0.99)]:.2f} s in 99 of 100 looks, {ages[-1]:.2f} s at most; longest time "
            f"without a row {longest:.1f} s"
        )
    print(found)
    return not found.missing and not found.doubled and calm[-1] < MOST_LAG


def publisher(running: Rig, readings: int, rate: float) -> FleetProcess:
    """The process of the edges that are simulated; see ``fleet_publisher``."""
    fleet, place = running.fleet, running.fleet.folder / "others"
    place.mkdir()
    told = {
        "servers": fleet.servers,
        "nkey": fleet.keys.edge_a.seed.reveal(),
        "edge": "others",
        "meters": METERS - METERS // EDGES,
        "readings": readings,
        "rate": rate,
    }
    (place / "edge.json").write_text(json.dumps(told))
    process = FleetProcess(place, ("benchmarks.fleet_publisher", str(place)))
    process.start()
    fleet.processes.append(process)
    return process


def _tell_cost(before: Mapping[str, Cost], used: Mapping[str, Cost], written: int, seconds: float) -> None:
    print(f"for {written} readings in {seconds:.0f} s of calm:")
    for name, after in used.items():
        cpu = after.cpu - before[name].cpu
        # A thousand meters that are read once an hour give a thousand readings in that hour.
        each = 1e3 * cpu / max(written / EDGES if name == "edge" else written, 1)
        print(
            f"  {name}: {cpu:.1f} s of CPU, {each:.2f} ms a reading, that is {each:.1f} s an hour for 1,000 "
            f"meters read hourly; {after.memory:.0f} MiB"
        )


def main() -> None:
    numbers = [int(each) for each in sys.argv[1:]]
    seconds, rate = (numbers + [SECONDS, RATE][len(numbers) :])[:2]
    sys.exit(0 if asyncio.run(million(seconds, rate)) else 1)


if __name__ == "__main__":
    main()
