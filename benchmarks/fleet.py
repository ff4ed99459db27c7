"""A fleet on this computer, measured: how fast a back-log goes out, what writing costs, and many kill -9.

usage: python -m benchmarks.fleet [--readings N] [--meters N] [--kills N]

Three servers with `sync_interval: always`, PostgreSQL with fsync off (a test's), edge and writers as
processes, all on the same cores: a real hub does more. Each run compares what the edges' spools took with
the database.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.fleet.fleet import Fleet, FleetProcess, Keys, all_there, journal
from tests.peers.nats import NatsCluster, Setup
from tests.peers.postgresql import PostgresServer, postgres_server

PATIENCE = 900.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Bench:
    """Servers, database and what runs at them."""

    def __init__(self, cluster: NatsCluster, postgres: PostgresServer, fleet: Fleet) -> None:
        self.cluster = cluster
        self.postgres = postgres
        self.fleet = fleet

    async def there(self, edges: list[FleetProcess], expected: int) -> dict[tuple[str, str], int]:
        return await all_there(self.postgres, self.fleet.name, edges, expected, patience=PATIENCE)


async def back_log(bench: Bench, meters: int, readings: int) -> None:
    """Readings that were taken while the hub was away, from the first connection to the last commit."""
    count = readings // meters
    for server in bench.cluster.servers:
        server.stop()
    edge = bench.fleet.edge("away", meters=meters, count=count, age=3600)
    begun = time.monotonic()
    while len(journal(edge)) < count * meters:  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.2)
    spooled, total = time.monotonic() - begun, count * meters
    print(f"spool: {total} readings of {meters} meters kept on disk, {total / spooled:.0f}/s")
    writers = [bench.fleet.writer(f"late-{number}") for number in (1, 2)]
    await bench.cluster.start()
    begun = time.monotonic()
    before = [cpu_seconds(each) for each in (edge, *writers)]
    found = await bench.there([edge], count * meters)
    took = time.monotonic() - begun
    used = [cpu_seconds(each) - was for each, was in zip((edge, *writers), before, strict=True)]
    assert set(found.values()) == {1}
    print(f"catch-up: all in the database {took:.1f} s after the servers were back, {total / took:.0f}/s")
    per_thousand = [1e6 * seconds / total for seconds in (used[0], sum(used[1:]))]
    print(f"CPU for 1,000 readings: edge {per_thousand[0]:.0f} ms, writers {per_thousand[1]:.0f} ms")
    print(f"memory: edge {resident(edge)} MiB, writer {resident(writers[0])} MiB")
    for each in (edge, *writers):
        each.stop()


async def killed(bench: Bench, kills: int) -> None:
    """kill -9 of an edge, a writer or a server, at random moments."""
    chance = random.Random()
    writers = [bench.fleet.writer(f"w{number}") for number in (1, 2)]
    edges = [bench.fleet.edge(f"e{number}", meters=10, count=kills * 6, pace=0.02) for number in (1, 2)]
    counts = dict.fromkeys(("edge", "writer", "server"), 0)
    begun = time.monotonic()
    for number in range(kills):
        await asyncio.sleep(chance.uniform(0.2, 2.0))
        kind = ("edge", "writer", "edge", "writer", "server")[number % 5]
        counts[kind] += 1
        if kind == "server":
            server = chance.choice(bench.cluster.servers)
            server.kill()
            await asyncio.sleep(chance.uniform(0.5, 4.0))
            await server.start()
            continue
        victim = chance.choice(edges if kind == "edge" else writers)
        victim.kill()
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        victim.start()
    taken = time.monotonic() - begun
    # The edges go on; what counts is what they had until now.
    told = set().union(*(journal(each) for each in edges))
    found = await bench.there(edges, len(told))
    killed_ones = ", ".join(f"{count} {kind}s" for kind, count in counts.items())
    double = sum(1 for count in found.values() if count > 1)
    print(f"kill -9 of {killed_ones} in {taken:.0f} s: {len(told)} readings were in spools")
    print(f"missing {len(told - found.keys())}, double {double}")


def cpu_seconds(process: FleetProcess) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident(process: FleetProcess) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--readings", type=int, default=6000)
    parser.add_argument("--meters", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smr-bench-fleet-")))
        postgres = stack.enter_context(postgres_server())
        keys = Keys()
        cluster = NatsCluster(folder / "hub", Setup(accounts=keys.accounts()))
        stack.callback(cluster.stop)
        await cluster.start()
        fleet = Fleet(folder, keys, cluster.urls, await postgres.create("fleet"))
        stack.callback(fleet.stop)
        fleet.prepare(replicas=3)
        bench = Bench(cluster, postgres, fleet)
        if options.readings:
            await back_log(bench, options.meters, options.readings)
        if options.kills:
            await killed(bench, options.kills)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
