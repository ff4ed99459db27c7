"""The files of etc/fleet as they are, but for names, ports and keys: a hub of three with TLS, and a leaf."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import nats.errors
import pytest

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.fleet.connection import linked
from smart_meter_reader.fleet.settings import NatsSettings
from tests.fleet.fleet import PATIENCE, ROOT, Fleet, Keys, all_there
from tests.peers.mosquitto import Certificates
from tests.peers.nats import nats_program
from tests.peers.ports import free_port
from tests.peers.postgresql import PostgresServer

FILES = ROOT / "etc" / "fleet"
_numbers = count(1)


class Hub:
    """Three servers with hub.conf, tls.conf and tenants.conf, and one with leaf.conf."""

    def __init__(self, folder: Path, keys: Keys, certificates: Certificates) -> None:
        self.folder = folder
        self.clients = [free_port() for _ in range(3)]
        self.leaf_port = free_port()
        self._routes = [free_port() for _ in range(3)]
        self._leaves = [free_port() for _ in range(3)]
        self._processes: list[subprocess.Popen[bytes]] = []
        self._keys = keys
        self._certificates = certificates

    @property
    def servers(self) -> list[str]:
        return [f"localhost:{port}" for port in self.clients]

    def write(self) -> list[Path]:
        """The files with what says "Change this" changed, and ports of this computer."""
        tls = (FILES / "tls.conf").read_text()
        for name in ("server.pem", "server.key"):
            assert f"/etc/nats/{name}" in tls
            tls = tls.replace(f"/etc/nats/{name}", str(self._certificates.server))
        (self.folder / "tls.conf").write_text(tls)
        (self.folder / "tenants.conf").write_text(f"accounts {{\n{self._keys.accounts()}\n}}\n")
        written = []
        for number, port in enumerate(self.clients):
            text = (FILES / "hub.conf").read_text()
            for old, new in (
                ("hub-1\nlisten: 0.0.0.0:4222", f"hub-{number + 1}\nlisten: 127.0.0.1:{port}"),
                ("http: 127.0.0.1:8222", f"http: 127.0.0.1:{free_port()}"),
                ("/var/lib/nats", str(self.folder / f"store-{number}")),
                ("listen: 0.0.0.0:6222", f"listen: 127.0.0.1:{self._routes[number]}"),
                ("listen: 0.0.0.0:7422", f"listen: 127.0.0.1:{self._leaves[number]}"),
                *(
                    (f"nats://hub-{each + 1}.example.org:6222", f"nats://127.0.0.1:{route}")
                    for each, route in enumerate(self._routes)
                ),
            ):
                assert text.count(old) == 1, old
                text = text.replace(old, new)
            path = self.folder / f"hub-{number + 1}.conf"
            path.write_text(text)
            written.append(path)
        return written

    def write_leaf(self) -> Path:
        text = (FILES / "leaf.conf").read_text()
        text = text.replace("listen: 127.0.0.1:4222", f"listen: 127.0.0.1:{self.leaf_port}")
        for number, port in enumerate(self._leaves, 1):
            text = text.replace(f"tls://hub-{number}.example.org:7422", f"tls://localhost:{port}")
        seed = self._keys.edge_a.seed.reveal()
        # The system does not know the CA of a test.
        own = f'nkey: {seed}\n      tls {{ ca_file: "{self._certificates.ca}" }}'
        text, found = re.subn(r"nkey: SUEDGEA\w+", own, text)
        assert found == 1
        assert "example.org" not in re.sub("#.*", "", text)
        path = self.folder / "leaf.conf"
        path.write_text(text)
        return path

    def start(self, *files: Path) -> None:
        for file in files:
            with file.with_suffix(".log").open("ab") as log:
                command = [nats_program(), "-c", str(file)]
                self._processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def start_ended(self) -> None:
        """Those that have ended: somebody's connection had one of their ports just then."""
        for number, process in enumerate(self._processes):
            if process.poll() is not None:
                self.start(Path(str(process.args[-1])))  # type: ignore[index]  # the list of ``start``
                self._processes[number] = self._processes.pop()

    def stop(self, last: int | None = None) -> None:
        """All, or the last so many."""
        for process in self._processes[-(last or len(self._processes)) :]:
            process.terminate()
            process.wait(20)

    def logs(self) -> str:
        return "\n".join(path.read_text()[-1500:] for path in self.folder.glob("*.log"))


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    try:
        hub.start(*hub.write())
        yield hub
    finally:
        hub.stop()


@pytest.fixture
async def secure(
    tmp_path: Path, keys: Keys, certificates: Certificates, postgres: PostgresServer
) -> AsyncIterator[tuple[Hub, Fleet]]:
    folder = tmp_path / "hub"
    folder.mkdir()
    with running(Hub(folder, keys, certificates)) as hub:
        fleet = Fleet(tmp_path, keys, hub.servers, await postgres.create(f"secure{next(_numbers)}"))
        try:
            await until_prepared(hub, fleet, certificates)
            yield hub, fleet
        finally:
            fleet.stop()


async def until_prepared(hub: Hub, fleet: Fleet, certificates: Certificates) -> None:
    """`--prepare` as soon as the three agree; see ``NatsCluster`` for those that refuse streams at first."""
    until = time.monotonic() + 2 * PATIENCE
    while True:
        try:
            await asyncio.to_thread(fleet.prepare, replicas=3, tls=True, ca=str(certificates.ca))
            return
        except AssertionError:
            if time.monotonic() > until:
                raise AssertionError(hub.logs()) from None
            await asyncio.sleep(1)
            hub.start_ended()


async def test_readings_come_through_the_examples(
    secure: tuple[Hub, Fleet], certificates: Certificates, postgres: PostgresServer
) -> None:
    hub, fleet = secure
    ca = str(certificates.ca)
    fleet.writer("w1", tls=True, ca=ca)
    direct = fleet.edge("e1", meters=2, count=10, tls=True, ca=ca)
    hub.start(hub.write_leaf())
    # Over the server beside it, which needs no key and no encryption of its clients.
    beside = fleet.edge("e2", meters=2, count=10, servers=[f"127.0.0.1:{hub.leaf_port}"], nkey=None)
    try:
        found = await all_there(postgres, fleet.name, [direct, beside], 40, patience=2 * PATIENCE)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{hub.logs()}") from None
    assert set(found.values()) == {1}
    # The leaf speaks for its site alone, too.
    client = await nats.connect(f"nats://127.0.0.1:{hub.leaf_port}")
    with pytest.raises((nats.errors.TimeoutError, nats.errors.NoRespondersError)):
        await client.request("smr.v1.tenant-b.site-1.reading.x", b"{}", timeout=1)
    await client.close()


async def test_a_server_that_is_not_trusted_is_told_nothing(
    secure: tuple[Hub, Fleet], certificates: Certificates
) -> None:
    hub, fleet = secure
    for ca in (None, certificates.other_ca):
        settings = NatsSettings(servers=tuple(hub.servers), nkey=fleet.keys.edge_a.seed, tls=True, ca=ca)
        with pytest.raises(NeedsAPersonError, match="certificate"):
            async with linked("edge", settings):
                pass


async def test_without_tls_nobody_gets_in(secure: tuple[Hub, Fleet]) -> None:
    hub, fleet = secure
    settings = NatsSettings(servers=tuple(hub.servers), nkey=fleet.keys.edge_a.seed)
    with pytest.raises(SinkError):
        async with linked("edge", settings):
            pass
