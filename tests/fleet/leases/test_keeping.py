"""Leases over a real server: one machine reads, another goes on; settings that do not fit are told."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from nats.js.kv import KeyValue

from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.fleet.leases.keeping import Leases
from smart_meter_reader.fleet.leases.lease import Lease
from smart_meter_reader.fleet.leases.settings import LeaseSettings
from smart_meter_reader.settings.schema import Secret
from tests.fleet.fleet import Keys
from tests.peers.nats import PATIENCE, NatsServer, make_key, nats_server

ROOT = Path(__file__).parents[3]


def settings(server: NatsServer, edge: str) -> LeaseSettings:
    """The shortest that may be set."""
    return LeaseSettings(
        servers=(f"127.0.0.1:{server.port}",),
        tenant="tenant-a",
        site="cellar",
        edge=edge,
        ttl=timedelta(seconds=15),
        renew=timedelta(seconds=1),
        read_after=timedelta(minutes=1),
    )


@asynccontextmanager
async def kept(leases: Leases) -> AsyncIterator[Lease]:
    """The lease of the meter heat, kept for a block."""
    task = asyncio.create_task(leases.run())
    try:
        yield leases.of("heat")
    finally:
        task.cancel()
        await asyncio.wait([task])


class MetByTheEnd(Leases):
    """Is cancelled in the very turn of the loop in which the servers answer for the second time."""

    running: asyncio.Task[None] | None = None
    answers = 0

    async def _take(self, bucket: KeyValue, key: str, last: int | None) -> int:
        revision = await super()._take(bucket, key, last)
        self.answers += 1
        if self.answers != 2 or self.running is None:
            return revision
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[int] = loop.create_future()
        loop.call_soon(answer.set_result, revision)
        loop.call_soon(self.running.cancel)
        return await asyncio.wait_for(answer, PATIENCE)  # as nats-py waits for each answer


async def until(enough: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not enough():
            await asyncio.sleep(0.02)


async def test_one_of_two_has_it_and_the_other_goes_on_when_it_is_given_back(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        second = Leases(settings(server, "edge-b"), ["heat"])
        async with kept(Leases(settings(server, "edge-a"), ["heat"])) as first:
            await first.until_may_read()
            assert first.revision == 1
            async with kept(second) as waiting:
                await until(lambda: waiting.is_standby)
                assert waiting.sentence.startswith("edge-a reads it; this machine takes over within 16 s")
                assert not waiting.may_read
                await until(lambda: first.revision and first.revision > 2)
                assert not waiting.may_read
        async with kept(second) as following:
            # Not after the time it lives: it was given back.
            await following.until_may_read()
            assert following.revision
            assert following.revision > (first.revision or 0)
            assert "edge-b" in following.sentence


async def test_an_end_in_the_moment_of_an_answer_is_not_lost(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        leases = MetByTheEnd(settings(server, "edge-a"), ["heat"])
        leases.running = asyncio.create_task(leases.run())
        try:
            done, _ = await asyncio.wait([leases.running], timeout=PATIENCE)
            assert leases.answers >= 2
            assert done
            assert leases.running.cancelled()
        finally:
            leases.running.cancel()


async def test_it_ends_by_our_clock_while_nobody_answers_and_comes_back(tmp_path: Path) -> None:
    async with (
        nats_server(tmp_path) as server,
        kept(Leases(settings(server, "edge-a"), ["heat"])) as first,
        kept(Leases(settings(server, "edge-b"), ["heat"])) as second,
    ):
        await until(lambda: first.may_read or second.may_read)
        holder, other = (first, second) if first.may_read else (second, first)
        revision = holder.revision or 0
        server.pause()
        await holder.until_over()
        # Nobody has said so: the lease is there for 10 s yet.
        assert not other.may_read
        assert "could not be renewed" in holder.sentence
        server.resume()
        await until(lambda: first.may_read or second.may_read)
        assert not (first.may_read and second.may_read)
        assert max(first.revision or 0, second.revision or 0) > revision


async def test_the_lease_of_a_server_that_was_restarted_is_kept(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server, kept(Leases(settings(server, "a"), ["heat"])) as lease:
        await lease.until_may_read()
        before = lease.revision or 0
        server.kill()
        await server.start()
        await until(lambda: (lease.revision or 0) > before)
        assert lease.may_read


async def test_another_ttl_on_another_machine_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with nats_server(tmp_path) as server, kept(Leases(settings(server, "a"), ["heat"])) as lease:
        await lease.until_may_read()
        differs = replace(settings(server, "b"), ttl=timedelta(seconds=20))
        async with kept(Leases(differs, ["heat"])) as refused:
            await until(lambda: refused.trouble)
            assert "live 15 s" in refused.trouble
            assert "`ttl` says 20 s" in refused.trouble
    assert "has to be the same on all machines" in caplog.text


METER = """[home.meters.heat]
client = "kamstrup"
lease = true
port = "{port}"
[home.sinks.stdout]
"""
LEASES = """[home.leases]
tenant = "tenant-a"
site = "cellar"
edge = "edge-a"
"""


def loaded(folder: Path, text: str) -> tuple[list[str], tuple[str, ...]]:
    """The problems and the warnings of settings."""
    (folder / "config.py").write_text((ROOT / "config.py").read_text())
    (folder / "settings.toml").write_text(f"[home]\n{text}")
    try:
        return [], load_settings(folder, "home").warnings
    except SettingsError as error:
        return list(error.problems), ()


def test_a_meter_at_a_local_port_has_no_use_for_a_lease(tmp_path: Path) -> None:
    (problem,), _ = loaded(tmp_path, METER.format(port="/dev/ttyUSB0") + LEASES)
    assert "meters.heat.lease: found true; allowed: only for a meter that other machines reach" in problem
    assert '"/dev/ttyUSB0" is a port of this machine alone. Remove this line' in problem


def test_a_lease_needs_to_know_the_site(tmp_path: Path) -> None:
    problems, _ = loaded(tmp_path, METER.format(port="socket://10.0.0.7:5000"))
    assert "leases.site: missing" in "\n".join(problems)


def test_leases_of_no_meter_are_told(tmp_path: Path) -> None:
    text = METER.format(port="socket://10.0.0.7:5000").replace("lease = true\n", "")
    (problem,), _ = loaded(tmp_path, text + LEASES)
    assert "no meter has a lease" in problem


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('ttl = "20s"\nrenew = "6s"\n', "at least 22s"),
        ('read_after = "1min"\nttl = "2min"\n', "shorter than `ttl`"),
        ('without_servers = "panic"\n', 'allowed: "read", "wait"'),
        ('edges = "a"\n', "unknown key"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, lines: str, told: str) -> None:
    problems, _ = loaded(tmp_path, METER.format(port="socket://10.0.0.7:5000") + LEASES + lines)
    assert told in "\n".join(problems)


def test_a_short_lease_is_warned_of_and_the_connection_may_be_shared(tmp_path: Path) -> None:
    text = METER.format(port="rfc2217://10.0.0.7:5000") + LEASES + 'ttl = "20s"\nrenew = "4s"\n'
    problems, warnings = loaded(tmp_path, text + '[home.nats]\nservers = ["hub-1:4222"]\n')
    assert not problems
    assert any("shorter than a fail-over of the servers" in warning for warning in warnings)


async def test_the_rights_of_the_example_do_for_leases_of_the_own_site(hub: NatsServer, keys: Keys) -> None:
    """etc/fleet/tenants.conf: an edge makes the bucket, and neither leases nor answers go to another site."""
    own = replace(settings(hub, "edge-a"), site="site-1", nkey=Secret(keys.edge_a.seed.reveal()))
    async with kept(Leases(own, ["heat"])) as lease, kept(Leases(replace(own, edge="b"), ["heat"])) as second:
        await until(lambda: lease.may_read or second.may_read)
        await until(lambda: lease.is_standby or second.is_standby)
    async with kept(Leases(replace(own, site="site-2"), ["heat"])) as foreign:
        await until(lambda: foreign.trouble)
        assert "this key may not" in foreign.trouble
        assert not foreign.may_read


async def test_a_wrong_key_is_told(hub: NatsServer) -> None:
    wrong = replace(settings(hub, "edge-a"), nkey=Secret(make_key().seed))
    async with kept(Leases(wrong, ["heat"])) as lease:
        await until(lambda: lease.trouble)
        assert "do not let us in: compare the nkey" in lease.trouble


def test_a_home_without_leases_imports_nothing_of_them() -> None:
    loaded = "[name for name in sys.modules if 'nats' in name or 'fleet' in name or 'leased' in name]"
    program = f"import sys, smart_meter_reader.app, smart_meter_reader.cli.settings; print({loaded})"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
