"""A whole fleet for benchmarks: three servers, PostgreSQL, writers and edges, processes of this computer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from tests.fleet.fleet import Fleet, FleetProcess, Keys, journal
from tests.peers.nats import NatsCluster, Setup, nats_cluster
from tests.peers.postgresql import PostgresServer, postgres_server

LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Rig:
    """What runs; the database is that of ``fleet``."""

    cluster: NatsCluster
    fleet: Fleet
    postgres: PostgresServer

    @property
    def database(self) -> str:
        """Its name."""
        return self.fleet.database.rpartition("/")[2]


@asynccontextmanager
async def rig(*, writers: int = 2) -> AsyncIterator[Rig]:
    """With streams of three replicas and tables; ``writers`` run. All ends with the block."""
    with TemporaryDirectory(prefix="smr-fleet-") as name, postgres_server() as postgres:
        folder, keys = Path(name), Keys()
        async with nats_cluster(folder / "hub", Setup(accounts=keys.accounts())) as cluster:
            fleet = Fleet(folder, keys, cluster.urls, await postgres.create("fleet"))
            try:
                await asyncio.to_thread(fleet.prepare, replicas=3)
                for number in range(1, writers + 1):
                    fleet.writer(f"w{number}")
                yield Rig(cluster, fleet, postgres)
            finally:
                fleet.stop()


@dataclass(slots=True)
class Delivery:
    """How rows come into the database: how many, and the longest time in which none came."""

    rows: int = 0
    longest_gap: float = 0.0
    newest_age: float = 0.0
    ages: list[float] = field(default_factory=list)
    grown_at: float = field(default_factory=time.monotonic)

    def note(self, rows: int, age: float, now: float) -> None:
        """One look: ``age`` is that of the newest reading, in seconds."""
        if rows > self.rows:
            self.longest_gap = max(self.longest_gap, now - self.grown_at) if self.rows else 0.0
            self.rows, self.grown_at = rows, now
        self.newest_age = age
        self.ages.append(age)


_LOOK = """
    SELECT (SELECT count(*) FROM fleet_reading WHERE quantity = 'power'),
        extract(epoch FROM now() - (SELECT max(time) FROM fleet_reading))::float8"""


@asynccontextmanager
async def watching(rig: Rig, every: float = LOOK_SECONDS) -> AsyncIterator[Delivery]:
    """Look at the table until the block ends."""
    delivery = Delivery()
    connection = await asyncpg.connect(rig.fleet.database)

    async def look() -> None:
        while True:
            rows, age = await connection.fetchrow(_LOOK)
            delivery.note(rows, age or 0.0, time.monotonic())
            await asyncio.sleep(every)

    task = asyncio.create_task(look())
    try:
        yield delivery
    finally:
        task.cancel()
        await asyncio.wait([task])
        await connection.close()


def journals(edges: Sequence[FleetProcess]) -> int:
    """How many readings the spools of the edges have taken."""
    return sum(len(journal(edge)) for edge in edges)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the database has of what spools had taken."""

    taken: int
    missing: int
    doubled: int

    def __str__(self) -> str:
        return f"{self.taken} readings taken by spools; missing {self.missing}, more than once {self.doubled}"


async def verdict(rig: Rig, edges: Sequence[FleetProcess], patience: float) -> Verdict:
    """Once nothing is missing any more, or after ``patience`` seconds."""
    until = time.monotonic() + patience
    taken = set().union(*(journal(edge) for edge in edges))
    while True:
        rows = await rig.postgres.asked(
            "SELECT meter, to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') AS at, "
            "quantity, count(*) AS n FROM fleet_reading GROUP BY tenant, site, meter, time, quantity",
            database=rig.database,
        )
        found: dict[str, set[tuple[str, str]]] = {"power": set(), "heat_energy": set()}
        for row in rows:
            found[row["quantity"]].add((row["meter"], row["at"]))
        missing = sum(len(taken - each) for each in found.values())
        if not missing or time.monotonic() > until:
            return Verdict(len(taken), missing, sum(row["n"] > 1 for row in rows))
        await asyncio.sleep(1)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Prints how long a block took."""
    began = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)
