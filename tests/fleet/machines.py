"""Two services on this computer that reach one meter, and the servers that say which of them reads it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fleet.fleet import ROOT, FleetProcess
from tests.peers.nats import NatsCluster, nats_cluster

_SETTINGS = """
[home]
log_level = "INFO"
[home.leases]
tenant = "tenant-a"
site = "cellar"
edge = "{edge}"
servers = [{servers}]
ttl = "{ttl}s"
renew = "{renew}s"
[home.meters.heat]
client = "kamstrup"
port = "socket://127.0.0.1:{port}"
interval = "2s"
mains_powered = true
lease = true
[home.sinks.stdout]
"""


@dataclass(slots=True)
class Machines:
    """The two services and the engine."""

    cluster: NatsCluster
    processes: list[FleetProcess]

    def reading(self) -> FleetProcess:
        """The one that has the lease, by its log."""
        return max(self.processes, key=_taken_at)

    def revisions(self) -> dict[str, list[int]]:
        """Those that went with the readings of each, in the order in which it told them."""
        pattern = re.compile(r'"lease_revision":(\d+)')
        return {
            each.place.name: [int(found) for found in pattern.findall(each.log())] for each in self.processes
        }

    def other(self) -> FleetProcess:
        """The one that waits."""
        return next(each for each in self.processes if each is not self.reading())


def _taken_at(process: FleetProcess) -> str:
    """When it last took the lease, as its log tells the time."""
    lines = [line for line in process.log().splitlines() if "reads it, by the lease" in line]
    return lines[-1][:8] if lines else ""


@asynccontextmanager
async def machines(folder: Path, port: int, ttl: int, renew: int) -> AsyncIterator[Machines]:
    """Three servers and two services that read the meter at ``port``."""
    async with nats_cluster(folder / "hub") as cluster:
        servers = ", ".join(f'"127.0.0.1:{server.port}"' for server in cluster.servers)
        processes = []
        try:
            for edge in ("edge-a", "edge-b"):
                place = folder / edge
                place.mkdir()
                (place / "config.py").write_text((ROOT / "config.py").read_text())
                (place / "settings.toml").write_text(
                    _SETTINGS.format(edge=edge, servers=servers, port=port, ttl=ttl, renew=renew)
                )
                processes.append(FleetProcess(place, ("smart_meter_reader", "run")))
                processes[-1].start()
                await asyncio.sleep(3)
            yield Machines(cluster, processes)
        finally:
            for process in processes:
                process.stop()
