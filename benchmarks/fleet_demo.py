"""What scripts/demo-fleet shows: a fleet on this computer that loses servers, machines and writers by turns.

usage: python -m benchmarks.fleet_demo [ROUNDS]
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.fleet.fleet import Fleet, FleetProcess, Keys
from tests.peers.nats import NatsCluster, Setup
from tests.peers.ports import free_port
from tests.peers.postgresql import PostgresServer, postgres_server

ROOT = Path(__file__).parents[1]
PATIENCE = 90.0
METERS = 6  # a gas meter is behind each of the two that send P1
# What a machine that is killed had read in its last moment may not have been on its disk yet.
LAST_MOMENT = 1.0
EDGE = """\
[home]
log_level = "INFO"

[home.meters.heat]
client = "kamstrup"
port = "{heat}"
interval = "3s"
mains_powered = true
model = "MULTICAL 403"

[home.meters.power]
client = "dsmr"
port = "{power}"
interval = "2s"

[home.sinks.nats]
servers = {servers}
tenant = "tenant-{tenant}"
site = "site-1"

[home.sinks.stdout]
format = "json"
"""


class Value(NamedTuple):
    """One value that a machine has read; all but ``time_read`` is its key in the database."""

    tenant: str
    meter: str
    quantity: str
    at: datetime
    time_read: datetime


@dataclass
class Machine:
    """One edge: its process, and what it has read by meter, as its own sink `stdout` tells."""

    name: str
    tenant: str
    process: FleetProcess
    output: Path
    killed: list[float]

    def values(self) -> Iterator[Value]:
        """Each with its time in the database: its own, or that of the meter, or when it was read."""
        for line in self.output.read_text().splitlines():
            try:
                told = json.loads(line)
            except ValueError:
                continue  # cut off by the kill
            if told.get("type") != "reading":
                continue
            time_read = datetime.fromisoformat(told["time"])
            measured = told.get("measured_at", told["time"])
            for quantity, each in told["measurements"].items():
                at = datetime.fromisoformat(each.get("measured_at", measured))
                yield Value(f"tenant-{self.tenant}", told["meter"], quantity, at, time_read)

    def in_last_moment(self, time_read: datetime) -> bool:
        return any(0 <= killed - time_read.timestamp() < LAST_MOMENT for killed in self.killed)


def say(text: str) -> None:
    print(f"{datetime.now():%H:%M:%S} {text}", flush=True)  # noqa: DTZ005 - for who looks on


def emulate(stack: contextlib.ExitStack, link: Path, *kind: str) -> str:
    """Start an emulated meter; the path of its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "smart_meter_reader", "emulate", *kind, "--link", str(link)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=link.parent,
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)
    until = time.monotonic() + PATIENCE
    while not link.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit("demo-fleet: an emulated meter did not start")
        time.sleep(0.05)
    return str(link)


def machine(stack: contextlib.ExitStack, fleet: Fleet, name: str, tenant: str) -> Machine:
    """Start one with two meters."""
    key = {"a": fleet.keys.edge_a, "b": fleet.keys.edge_b}[tenant]
    ports = {
        "heat": emulate(stack, fleet.folder / f"{name}-heat", "kamstrup", "--model", "403"),
        "power": emulate(stack, fleet.folder / f"{name}-power", "p1", "--dialect", "dsmr-5"),
    }
    text = EDGE.format(servers=json.dumps(fleet.servers), tenant=tenant, **ports)
    place = fleet.settings(name, text, f'[home.sinks.nats]\nnkey = "{key.seed.reveal()}"\n')
    output = place / "told.jsonl"
    process = FleetProcess(place, ("smart_meter_reader", "run", "home"), output)
    process.start()
    fleet.processes.append(process)
    return Machine(name, tenant, process, output, [])


async def in_database(postgres: PostgresServer, fleet: Fleet) -> set[tuple[object, ...]]:
    statement = "SELECT tenant, meter, quantity, time FROM fleet_reading"
    return {tuple(row) for row in await postgres.asked(statement, database=fleet.name)}


async def show_meters(postgres: PostgresServer, fleet: Fleet) -> None:
    rows = await postgres.asked(
        "SELECT tenant, site, meter, status ->> 'state' AS state, "
        "extract(epoch FROM now() - newest)::int AS age FROM fleet_meter ORDER BY 1, 2, 3",
        database=fleet.name,
    )
    for row in rows:
        where = f"{row['tenant']}  {row['site']}  {row['meter']:<9}"
        print(f"    {where} {row['state'] or '':<7} {row['age']} s ago")


async def until_all_told(postgres: PostgresServer, fleet: Fleet) -> None:
    until = time.monotonic() + PATIENCE
    while len({key[:2] for key in await in_database(postgres, fleet)}) < METERS:
        if time.monotonic() > until:
            logs = "\n".join(each.log()[-800:] for each in fleet.processes)
            raise SystemExit(f"demo-fleet: not all meters came through\n{logs}")
        await asyncio.sleep(0.5)


async def one_round(cluster: NatsCluster, machines: list[Machine], writers: list[FleetProcess]) -> None:
    """Kill one of each by turns."""
    server = await cluster.leader("READINGS")
    say(f"kill -9 of the server {server.name}, which leads the stream READINGS; it is back after 5 s")
    server.kill()
    await asyncio.sleep(5)
    await server.start()
    await asyncio.sleep(8)
    victim = random.choice(machines)
    say(f"kill -9 of the machine {victim.name}; it is back after 3 s")
    victim.killed.append(time.time())
    victim.process.kill()
    await asyncio.sleep(3)
    victim.process.start()
    await asyncio.sleep(8)
    number = random.randrange(len(writers))
    say(f"kill -9 of the writer {number + 1}; it is back after 3 s")
    writers[number].kill()
    await asyncio.sleep(3)
    writers[number].start()
    await asyncio.sleep(8)


async def verdict(postgres: PostgresServer, fleet: Fleet, machines: list[Machine]) -> bool:
    """Compare what the machines have read until now with what the database has or gets soon."""
    now = datetime.now(UTC)
    until = time.monotonic() + PATIENCE
    while True:
        found = await in_database(postgres, fleet)
        told = {value: each for each in machines for value in each.values() if value.time_read < now}
        gone = {value: each for value, each in told.items() if value[:4] not in found}
        last_moment = [value for value, each in gone.items() if each.in_last_moment(value.time_read)]
        missing = [value for value in gone if value not in last_moment]
        if not missing or time.monotonic() > until:
            break
        await asyncio.sleep(1)
    twice = await postgres.asked(
        "SELECT count(*) - count(DISTINCT (tenant, site, meter, quantity, time)) AS n FROM fleet_reading",
        database=fleet.name,
    )
    values = {value[:4] for value in told}
    # The meters go on, and so does the database: what was read meanwhile is not counted.
    there = len(values & found)
    print(f"\n    {len(values)} values read of {METERS} meters, {there} of them in the database")
    print(f"    missing: {len(missing)}\n    double:  {twice[0]['n']}")
    if last_moment:
        print(f"    {len(last_moment)} were read in the second before a kill, and not yet on the disk")
    for value in missing[:5]:
        print(f"    missing: {value.tenant} {value.meter} {value.quantity} {value.at}")
    return not missing and not twice[0]["n"]


async def demo(rounds: int) -> int:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smr-demo-fleet-")))
        keys = Keys()
        say("starting PostgreSQL and three NATS servers ...")
        postgres = stack.enter_context(postgres_server())
        cluster = NatsCluster(folder / "hub", Setup(accounts=keys.accounts()))
        stack.callback(cluster.stop)
        await cluster.start()
        fleet = Fleet(folder, keys, cluster.urls, await postgres.create("meters"))
        stack.callback(fleet.stop)
        fleet.prepare(replicas=3)
        ports = [free_port(), free_port()]
        writers = [fleet.writer(f"writer-{number}", port=port) for number, port in enumerate(ports, 1)]
        machines = [machine(stack, fleet, "cellar-1", "a"), machine(stack, fleet, "cellar-2", "b")]
        await until_all_told(postgres, fleet)
        say("readings of all meters are in the database:")
        await show_meters(postgres, fleet)
        print(f"\n    Open  http://127.0.0.1:{ports[0]}/  in a browser on this computer.\n")
        for _ in range(rounds):
            await one_round(cluster, machines, writers)
        say("the fleet at the end:")
        await show_meters(postgres, fleet)
        well = await verdict(postgres, fleet, machines)
    print("That was the demo. docs/fleet.md says how to set up your own.")
    return 0 if well else 1


def main() -> int:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    try:
        return asyncio.run(demo(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
