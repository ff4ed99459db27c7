"""A fleet on this computer: servers with the files of etc/fleet, a database, writers, edges."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client

from smart_meter_reader.fleet.keys import NewKey, new_key
from tests.peers.imported import STARTED, number_of, send
from tests.peers.nats import NatsCluster, NatsServer, Setup
from tests.peers.ports import free_port
from tests.peers.postgresql import PostgresServer

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
_PLACES = ("UADMIN", "UWRITER", "UEDGEA", "UEDGEB")
_CONFIG = (ROOT / "config.py").read_text()


@dataclass(frozen=True, slots=True)
class Keys:
    """One of each kind that etc/fleet/tenants.conf has a place for."""

    admin: NewKey = field(default_factory=new_key)
    writer: NewKey = field(default_factory=new_key)
    edge_a: NewKey = field(default_factory=new_key)
    edge_b: NewKey = field(default_factory=new_key)

    def accounts(self) -> str:
        """What stands between the braces of `accounts` in the example, with these keys."""
        text = (ROOT / "etc" / "fleet" / "tenants.conf").read_text()
        for place, key in zip(_PLACES, (self.admin, self.writer, self.edge_a, self.edge_b), strict=True):
            text, count = re.subn(rf"\b{place}[A-Z]*\b", key.public, text)
            assert count, f"the example has no key {place}..."
        inner = re.search(r"accounts \{\n(.*)\n\}\s*\Z", text, re.DOTALL)
        assert inner
        return inner[1]


class Fleet:
    """What the tests start and kill. ``urls`` are HOST:PORT of the servers."""

    def __init__(self, folder: Path, keys: Keys, urls: Sequence[str], database: str) -> None:
        self.folder = folder
        self.keys = keys
        self.servers = [url.rpartition("//")[2] for url in urls]
        self.database = database
        self.processes: list[FleetProcess] = []

    @property
    def name(self) -> str:
        """That of the database."""
        return self.database.rpartition("/")[2]

    def settings(self, name: str, text: str, secrets: str) -> Path:
        """A directory with the three files."""
        place = self.folder / name
        place.mkdir(exist_ok=True)
        (place / "config.py").write_text(_CONFIG)
        (place / "settings.toml").write_text(text)
        (place / ".secrets.toml").write_text(secrets)
        (place / ".secrets.toml").chmod(0o600)
        return place

    def writer_settings(self, name: str, key: NewKey, **keys: object) -> Path:
        told = {"servers": self.servers, "database": self.database, "port": 0, "replicas": 1, **keys}
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in told.items())
        return self.settings(name, f"[writer]\n{lines}", f'[writer]\nnkey = "{key.seed.reveal()}"\n')

    def prepare(self, **keys: object) -> str:
        """`writer --prepare`, with the administrator's key; what it prints."""
        place = self.writer_settings("admin", self.keys.admin, stream_mib=64, **keys)
        result = subprocess.run(
            [*STARTED, "smart_meter_reader", "writer", "--prepare"],
            cwd=place, env=_variables(place), capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return result.stdout

    def writer(self, name: str, **keys: object) -> FleetProcess:
        """Start a writer."""
        place = self.writer_settings(name, self.keys.writer, **keys)
        return self._start(place, "smart_meter_reader", "writer")

    def edge(
        self,
        name: str,
        *,
        meters: int,
        count: int,
        pace: float = 0.0,
        age: float = 0.0,
        readings: int | None = None,
        **keys: object,
    ) -> FleetProcess:
        """Start an edge of tenant-a whose ``meters`` give ``count`` readings each; see ``fed_edge``.

        ``pace``: seconds between two readings; ``age``: how long ago they were taken; ``readings``: so many
        of all meters together, instead.
        """
        told = {
            "servers": self.servers, "tenant": "tenant-a", "site": "site-1", "edge": name,
            "nkey": self.keys.edge_a.seed.reveal(), "spool_directory": str(self.folder / name), **keys,
        }  # fmt: skip
        place = self.folder / name
        place.mkdir(exist_ok=True)
        (place / "edge.json").write_text(
            json.dumps(
                {
                    "settings": {key: value for key, value in told.items() if value is not None},
                    "meters": meters,
                    "pace": pace,
                    "age": age,
                    "readings": meters * count if readings is None else readings,
                }
            )
        )
        return self._start(place, "tests.fleet.fed_edge", str(place))

    def _start(self, place: Path, *arguments: str) -> FleetProcess:
        process = FleetProcess(place, arguments)
        process.start()
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for each in self.processes:
            each.stop()

    async def connect(self, key: NewKey, **options: Any) -> Client:
        """A client of the test's own."""
        urls = [f"nats://{each}" for each in self.servers]
        return await nats.connect(urls, nkeys_seed_str=key.seed.reveal(), **options)


class FleetProcess:
    """A writer or an edge."""

    def __init__(self, place: Path, arguments: Sequence[str], output: Path | None = None) -> None:
        """``arguments`` begin with the module.

        ``output``: where its standard output is added; without it, to its log.
        """
        self.place = place
        self._arguments = arguments
        self._output = output or place / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    @property
    def pid(self) -> int:
        assert self._process
        return number_of(self._process.pid)

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        assert not self.runs
        self.starts += 1
        with (self.place / "log").open("ab") as log, self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [*STARTED, *self._arguments], cwd=self.place, env=_variables(self.place),
                stdout=output, stderr=log,
            )  # fmt: skip

    def kill(self) -> None:
        """kill -9."""
        if self.runs:
            assert self._process
            self._send(signal.SIGKILL)
            self._process.wait()

    def pause(self) -> None:
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        assert self._process
        send(self._process.pid, number)

    def stop(self) -> None:
        if self.runs:
            assert self._process
            self.resume()
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def log(self) -> str:
        return (self.place / "log").read_text(errors="replace")


def _variables(place: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "ENV_FOR_DYNACONF"}
    return {**kept, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(place)}


def journal(edge: FleetProcess) -> set[tuple[str, str]]:
    """What an edge must not lose: (meter, time) of readings that its spool has taken."""
    path = edge.place / "journal"
    lines = path.read_text().splitlines() if path.exists() else []
    return {(meter, time) for meter, _, time in (line.partition(" ") for line in lines) if time}


async def stored(server: PostgresServer, database: str) -> dict[tuple[str, str], int]:
    """How often each (meter, time) with a value is in the table."""
    rows = await server.asked(
        "SELECT meter, to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') AS at, count(*) AS n "
        "FROM fleet_reading WHERE quantity = 'power' GROUP BY meter, time",
        database=database,
    )
    return {(row["meter"], row["at"]): row["n"] for row in rows}


async def all_there(
    server: PostgresServer,
    database: str,
    edges: Sequence[FleetProcess],
    expected: int = 0,
    patience: float = PATIENCE,
) -> dict[tuple[str, str], int]:
    """Wait until the edges' spools took ``expected`` readings and the table has them; what it has."""
    until = time.monotonic() + patience
    while True:
        found = await stored(server, database)
        journals = [journal(edge) for edge in edges]
        missing = set().union(*journals) - found.keys()
        if not missing and sum(map(len, journals)) >= expected:
            return found
        if time.monotonic() > until:
            logs = "\n".join(edge.log()[-1500:] for edge in edges)
            raise AssertionError(f"{len(missing)} are missing, such as {sorted(missing)[:3]}\n{logs}")
        await asyncio.sleep(0.3)


__all__ = ["Fleet", "FleetProcess", "Keys", "NatsCluster", "NatsServer", "Setup", "free_port"]
