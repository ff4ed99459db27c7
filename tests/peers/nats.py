"""Real NATS servers on free loopback ports, for tests: one, or a cluster; killed, paused, restarted."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import nats
import nkeys
from nats.aio.client import Client
from nats.js.api import StreamConfig
from nats.js.errors import APIError, NoStreamResponseError

from tests.peers.ports import free_port

ROOT = Path(__file__).parents[2]
_STOPPED_WITHIN = 15.0  # on a busy machine each thread goes on until the kernel has told it to stop
PATIENCE = 120.0  # seconds until a test gives up waiting for servers
AGREED = 30.0  # three that have just been started mostly agree within two
NO_SUITABLE_PEERS = (
    10005  # err_code: three servers launched at once may refuse every R3 stream until restarted
)
ACTIVE = 5_000_000_000  # ns since a follower was last heard of; heartbeats come once a second
SYNCED = "  sync_interval: always\n"

# What every server has besides a test's accounts: one to see whether streams can be placed, and the system's.
HARNESS = {"user": "harness", "password": "of the tests"}
_ACCOUNTS = """\
accounts {
  SYS { users: [ { user: system, password: "of the tests" } ] }
  HARNESS { jetstream: enabled, users: [ { user: harness, password: "of the tests" } ] }
%s
}
system_account: SYS
"""
# Everybody may do everything, as with a server that has no accounts.
OPEN_ACCOUNTS = "  OPEN { jetstream: enabled, users: [ { user: anybody, password: anything } ] }"
OPEN_LINES = "no_auth_user: anybody\n"


@cache
def nats_program(release: str = "trixie") -> str:
    """The path of a server; "bookworm" for one that is too old. Fetches it the first time."""
    script = [str(ROOT / "scripts" / "nats-server"), release]
    return subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _state(thread: Path) -> str:
    """The letter of proc(5) for what a thread does; X for one that is gone."""
    try:
        return (thread / "stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


@dataclass(frozen=True, slots=True)
class Key:
    """An nkey of a user: ``seed`` is what a client keeps, ``public`` what a server's configuration names."""

    seed: str
    public: str


def make_key() -> Key:
    """A new one."""
    pair = nkeys.from_seed(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER))
    return Key(pair.seed.decode(), pair.public_key.decode())


@dataclass(frozen=True, slots=True)
class Setup:
    """What the servers of a test share.

    ``accounts`` stands between the braces of `accounts { }`; without it everybody may do everything.
    ``lines`` are added at the top level: `tls { }`, `leafnodes { }`; ``jetstream`` to `jetstream { }`.
    ``login`` is what the harness itself connects with beside its user and password: a TLS context as ``tls``.
    """

    accounts: str = ""
    lines: str = ""
    jetstream: str = SYNCED
    release: str = "trixie"
    login: dict[str, Any] = field(default_factory=dict)


class NatsServer:
    """One process; ``cluster`` is its part of the configuration that tells it of the others."""

    def __init__(
        self, folder: Path, setup: Setup | None = None, *, name: str = "single", cluster: str = ""
    ) -> None:
        self.name = name
        self.setup = setup or Setup()
        self.port = free_port()
        self.monitor_port = free_port()
        self._folder = folder
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        scheme = "tls" if "tls" in self.setup.login else "nats"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def configuration(self) -> str:
        """As it is written before every start and reload, so that ``setup`` can be changed in between."""
        wanted = self.setup
        return (
            f"server_name: {self.name}\nlisten: 127.0.0.1:{self.port}\nhttp: 127.0.0.1:{self.monitor_port}\n"
            f'jetstream {{\n  store_dir: "{self._folder / "store"}"\n'
            f"  max_memory_store: 64MB\n  max_file_store: 2GB\n{wanted.jetstream}}}\n"
            + self._cluster
            + _ACCOUNTS % (wanted.accounts or OPEN_ACCOUNTS)
            + ("" if wanted.accounts else OPEN_LINES)
            + wanted.lines
        )

    def launch(self) -> None:
        """Start the process and wait for nothing."""
        assert not self.runs
        file = self._folder / "server.conf"
        file.write_text(self.configuration())
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [nats_program(self.setup.release), "-c", str(file)], stdout=log, stderr=log
            )

    async def start(self) -> None:
        """Start it and wait until it takes connections."""
        self.launch()
        await self.until_it_answers()

    async def until_it_answers(self) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            assert self.runs, self.log()
            try:
                await self.told("varz")
                # Clients are listened for a moment after that.
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
            except (OSError, aiohttp.ClientError):
                assert time.monotonic() < until, self.log()
                await asyncio.sleep(0.05)
            else:
                return

    async def told(self, page: str) -> dict[str, Any]:
        """A page of its monitor: "varz", "jsz?streams=1&accounts=1"."""
        timeout = aiohttp.ClientTimeout(total=5)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://127.0.0.1:{self.monitor_port}/{page}") as answer,
        ):
            told: dict[str, Any] = await answer.json(content_type=None)
            return told

    def stop(self) -> None:
        """End it as systemd does; at once if it was paused or does not."""
        if self.runs:
            assert self._process
            self.resume()
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """As the kernel does without memory: nothing is said or written any more."""
        if self.runs:
            assert self._process
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Stop it in its tracks: its port still takes connections and bytes, and nothing comes back."""
        os.kill(self.pid, signal.SIGSTOP)
        until = time.monotonic() + _STOPPED_WITHIN
        while any(_state(task) not in "TtZX" for task in Path(f"/proc/{self.pid}/task").iterdir()):
            assert time.monotonic() < until, "the server does not stop"
            time.sleep(0.005)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def reload(self) -> None:
        """Let it read a changed ``setup``: other keys and rights, without an end of the process."""
        (self._folder / "server.conf").write_text(self.configuration())
        os.kill(self.pid, signal.SIGHUP)

    def resident(self) -> int:
        """Its memory in KiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def log(self) -> str:
        return (self._folder / "server.log").read_text(errors="replace")


class NatsCluster:
    """Three servers, or as many as ``size`` says, that know of each other."""

    def __init__(self, folder: Path, setup: Setup | None = None, *, size: int = 3) -> None:
        ports = [free_port() for _ in range(size)]
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
        self.restarts_for_placement = 0
        self.servers = [
            NatsServer(
                folder / f"n{number}",
                setup,
                name=f"n{number}",
                cluster=f"cluster {{ name: fleet, listen: 127.0.0.1:{port}, routes: [{routes}] }}\n",
            )
            for number, port in enumerate(ports, 1)
        ]

    @property
    def urls(self) -> list[str]:
        return [server.url for server in self.servers]

    async def start(self) -> None:
        """Start all, and wait until they take streams of three replicas."""
        await self._start_all()
        while not await self._places_streams(agreed_within=AGREED):
            # Seen in 2 of 16 starts of 2.10.27: refused for minutes, or no agreement on who is there; only a
            # restart mends it.
            self.restarts_for_placement += 1
            assert self.restarts_for_placement < 5, self.servers[0].log()
            self.stop()
            await self._start_all()

    async def _start_all(self) -> None:
        for server in self.servers:
            if not server.runs:
                server.launch()
        for server in self.servers:
            await server.until_it_answers()

    async def until_ready(self) -> None:
        """Wait until all servers run, one leads, all others keep up, and streams are placed again."""
        assert await self._places_streams(), self.servers[0].log()

    async def _places_streams(self, patience: float = 20, agreed_within: float = PATIENCE) -> bool:
        # Not of a stream's own doing: the meta layer says who is there, the placement whether it believes it.
        until = time.monotonic() + agreed_within
        while not await self._agrees():
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.1)
        client = await nats.connect(self.urls, **HARNESS, **self.servers[0].setup.login, connect_timeout=5)
        try:
            return await _places(client, len(self.servers), patience)
        finally:
            await client.close()

    async def _agrees(self) -> bool:
        for server in self.servers:
            if not server.runs:
                return False
            try:
                told = (await server.told("jsz")).get("meta_cluster", {})
            except (OSError, aiohttp.ClientError, TimeoutError):
                return False
            if told.get("leader") == server.name:
                others = told.get("replicas") or []
                return len(others) == len(self.servers) - 1 and all(
                    not other.get("offline") and other.get("active", 0) < ACTIVE for other in others
                )
        return False

    async def leader(self, stream: str) -> NatsServer:
        """The server that leads a stream (of whatever account); waits until one does."""
        until = time.monotonic() + PATIENCE
        while True:
            for server in self.servers:
                if server.runs and (name := await _leader_told(server, stream)):
                    found = next((each for each in self.servers if each.name == name and each.runs), None)
                    if found:
                        return found
            assert time.monotonic() < until, f"nobody leads {stream}"
            await asyncio.sleep(0.1)

    async def followers(self, stream: str) -> list[NatsServer]:
        leader = await self.leader(stream)
        return [server for server in self.servers if server is not leader]

    async def restart_one_by_one(self) -> None:
        """As an update does: each ends in order, and the next only when all are well again."""
        for server in self.servers:
            await asyncio.to_thread(server.stop)
            await server.start()
            await self.until_ready()

    def stop(self) -> None:
        _stop(self.servers)


def _stop(servers: Iterable[NatsServer]) -> None:
    # None is left behind because another one could not be ended.
    for server in servers:
        server.stop()


async def _leader_told(server: NatsServer, stream: str) -> str:
    try:
        told = await server.told("jsz?streams=1&accounts=1")
    except (OSError, aiohttp.ClientError, TimeoutError):
        return ""  # paused or just killed: another one is asked
    for account in told.get("account_details") or []:
        for each in account.get("stream_detail") or []:
            if each["name"] == stream and each.get("cluster", {}).get("leader"):
                return str(each["cluster"]["leader"])
    return ""


async def _places(client: Client, replicas: int, patience: float) -> bool:
    streams = client.jetstream(timeout=5)
    until = time.monotonic() + patience
    while True:
        try:
            await streams.add_stream(
                StreamConfig(name="HARNESS", subjects=["harness"], num_replicas=replicas)
            )
            await streams.publish("harness", b"")
            await streams.delete_stream("HARNESS")
        except APIError as error:
            if time.monotonic() > until:
                if error.err_code == NO_SUITABLE_PEERS:
                    return False
                raise
            await asyncio.sleep(0.3)
        except (nats.errors.Error, NoStreamResponseError, TimeoutError):
            assert time.monotonic() < until
            await asyncio.sleep(0.3)
        else:
            return True


@asynccontextmanager
async def nats_server(folder: Path, setup: Setup | None = None) -> AsyncIterator[NatsServer]:
    """One server, ended with the block."""
    server = NatsServer(folder, setup)
    try:
        await server.start()
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def nats_cluster(folder: Path, setup: Setup | None = None) -> AsyncIterator[NatsCluster]:
    """Three servers that take streams of three replicas, ended with the block."""
    cluster = NatsCluster(folder, setup)
    try:
        await cluster.start()
        yield cluster
    finally:
        cluster.stop()
