"""`history push` as its users type it, to what speaks as Home Assistant does and refuses what it refuses."""

from __future__ import annotations

import asyncio
import os
import pty
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smart_meter_reader.console import EXIT_OK, EXIT_SETTINGS, EXIT_UNAVAILABLE, EXIT_USAGE
from tests.cli.history.conftest import T0, House
from tests.cli.program import QUICKLY, ROOT, run
from tests.history.homes import energy, keep
from tests.peers.home_assistant_statistics import TOKEN, Statistics, serving
from tests.peers.mosquitto import Certificates, certificates

__all__ = ["certificates"]

ID = "smart_meter_reader:heat_heat_energy"


async def pushed(house: House, *arguments: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        run, "history", "push", *arguments, cwd=house.directory, feed=f"{token}\n".encode()
    )


def sums(home: Statistics) -> list[tuple[datetime, float]]:
    return [(start, row["sum"]) for start, row in sorted(home.rows[ID].items())]


@asynccontextmanager
async def settled_at(house: House, home: Statistics) -> AsyncIterator[str]:
    """Its address and token in the settings, as users have them."""
    async with serving(home) as url:
        with (house.directory / "settings.toml").open("a") as file:
            file.write(f'home_assistant_url = "{url}"\n')
        (house.directory / ".secrets.toml").write_text(
            f'[home.sinks.history]\nhome_assistant_token = "{TOKEN}"\n'
        )
        (house.directory / ".secrets.toml").chmod(0o600)
        yield url


@pytest.mark.parametrize("version", ["2022.10.1", "2025.10.4", "2025.11.0", "2026.2.3"])
async def test_all_hours_arrive_and_again_they_are_the_same(house: House, version: str) -> None:
    home = Statistics(version)
    async with settled_at(house, home):
        done = await pushed(house, token="")
        assert (done.returncode, done.stderr) == (EXIT_OK, "")
        assert done.stdout.splitlines() == [
            f"{ID} (Heat meter heat energy): 335 hours from 2025-06-01 00:00 (1000.25 kWh) "
            "to 2025-06-14 23:00 (1083.75 kWh)",
            "Home Assistant has all 335 hours.",
        ]
        first = sums(home)
        assert first[0] == (datetime.fromtimestamp(T0, UTC), 1000.25)
        assert first[-1] == (datetime.fromtimestamp(T0 + 334 * 3600, UTC), 1083.75)
        assert home.metadata[ID]["unit_of_measurement"] == "kWh"
        assert (await pushed(house, token="")).returncode == EXIT_OK
        assert sums(home) == first
        # What was missed is filled, and what was there stays as it is.
        home.rows[ID] = dict(list(home.rows[ID].items())[:50])
        some = await pushed(house, "--since", "2025-06-03", "--until", "2025-06-13", token="")
        assert "264 hours from 2025-06-03 00:00" in some.stdout
        assert sums(home) == [
            each for each in first if each[0] < datetime.fromtimestamp(T0 + 13 * 86400, UTC)
        ]


async def test_a_long_history_goes_in_pieces(house: House) -> None:
    keep(house.history, [energy(T0 + i * 3600, Decimal(1000) + Decimal(i) / 4) for i in range(336, 2600)])
    home = Statistics()
    async with settled_at(house, home):
        assert (await pushed(house)).returncode == EXIT_OK
    assert home.commands.count("recorder/import_statistics") == 3
    assert len(home.rows[ID]) == 2599


async def test_a_dry_run_asks_nobody(house: House) -> None:
    done = await pushed(house, "--dry-run", "--url", "http://127.0.0.1:9", "--meter", "heat")
    assert (done.returncode, done.stderr) == (EXIT_OK, "")
    assert done.stdout.splitlines()[1:] == ["Nothing is sent: without --dry-run it is."]


async def test_a_history_without_a_whole_hour(house: House) -> None:
    done = await pushed(house, "--since", "2030-01-01")
    assert (done.returncode, done.stdout) == (EXIT_OK, "")
    assert "no whole hour" in done.stderr


async def test_a_token_that_is_asked_for_is_never_shown(house: House) -> None:
    home = Statistics()
    async with serving(home) as url:
        master, slave = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *QUICKLY,
            *("history", "push", "--url", url),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=house.directory,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        os.close(slave)
        shown = b""
        while b"access token of Home Assistant: " not in shown:
            shown += await asyncio.to_thread(os.read, master, 4096)
        os.write(master, f"{TOKEN}\n".encode())
        try:
            while more := await asyncio.to_thread(os.read, master, 4096):
                shown += more
        except OSError:
            pass  # the other end is closed
        assert await process.wait() == EXIT_OK
        os.close(master)
    assert TOKEN.encode() not in shown
    assert b"Home Assistant has all 335 hours." in shown
    assert len(home.rows[ID]) == 335


@pytest.mark.parametrize(
    ("home", "token", "said"),
    [
        (Statistics(), "wrong-token", "does not accept the token: create a long-lived access token"),
        (Statistics(administrator=False), TOKEN, "lets only administrators change statistics"),
        (Statistics("2021.8.0", has_recorder=False), TOKEN, "Home Assistant 2021.8.0 at"),
    ],
)
async def test_refusals_say_what_to_do(house: House, home: Statistics, token: str, said: str) -> None:
    async with serving(home) as url:
        done = await pushed(house, "--url", url, token=token)
    assert done.returncode == EXIT_UNAVAILABLE
    assert said in " ".join(done.stderr.split())
    assert token not in done.stdout + done.stderr


async def test_what_is_taken_and_not_shown_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from smart_meter_reader.cli.history import push
    from smart_meter_reader.settings.schema import Secret
    from smart_meter_reader.sinks.home_assistant.rest import HomeAssistantRestSettings
    from smart_meter_reader.sinks.home_assistant.statistics import HourOfCounter, statistic_of

    monkeypatch.setattr(push, "_SHOWN_SECONDS", 0.1)
    statistic = statistic_of("heat", "heat_energy", "kWh")
    assert statistic is not None
    rows = [HourOfCounter(T0, Decimal(1), Decimal(1))]
    async with serving(Statistics(never_shows=True)) as url:
        server = HomeAssistantRestSettings(url=url, token=Secret(TOKEN))
        assert await push._push(server, [push.Pushed(statistic, rows)]) == [statistic]


async def test_addresses_that_are_none(house: House, certificates: Certificates) -> None:
    async def refused(url: str) -> tuple[int, str]:
        done = await pushed(house, "--url", url)
        return done.returncode, " ".join(done.stderr.split())

    code, said = await refused("homeassistant.local:8123")
    assert code == EXIT_USAGE
    assert "http://HOST:PORT" in said
    for url in ("http://[::1:8123", "http://homeassistant.local:81230"):
        code, said = await refused(url)
        assert (code, "http://HOST:PORT" in said) == (EXIT_USAGE, True)
    code, said = await refused("http://no-such-host.invalid:8123")
    assert code == EXIT_UNAVAILABLE
    assert "there is no host" in said
    code, said = await refused("http://127.0.0.1:9")
    assert code == EXIT_UNAVAILABLE
    assert "whether Home Assistant runs" in said
    home = Statistics()
    async with serving(home) as url:
        code, said = await refused(f"{url}/sub/path")
        assert (code, "has no WebSocket API (HTTP 404)" in said) == (EXIT_UNAVAILABLE, True)
        code, said = await refused(url.replace("http:", "https:"))
        assert (code, "has its https port" in said) == (EXIT_UNAVAILABLE, True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server)
    async with serving(Statistics(), context) as url:
        code, said = await refused(url)
        assert (code, "certificate" in said) == (EXIT_UNAVAILABLE, True)
        code, said = await refused(url.replace("https:", "http:"))
        assert (code, "begin with https://" in said) == (EXIT_UNAVAILABLE, True)
        with (house.directory / "settings.toml").open("a") as file:
            file.write(f'home_assistant_url = "{url.replace("127.0.0.1", "localhost")}"\n')
            file.write(f'home_assistant_ca = "{certificates.ca}"\n')
        done = await pushed(house)
        assert (done.returncode, done.stderr) == (EXIT_OK, "")


async def test_an_address_that_cannot_be_is_a_fault_of_the_settings(house: House) -> None:
    with (house.directory / "settings.toml").open("a") as file:
        file.write('home_assistant_url = "http://homeassistant.local:81230"\n')
    done = await pushed(house, "--dry-run")
    assert done.returncode == EXIT_SETTINGS
    assert "home_assistant_url: found" in done.stderr


async def test_without_an_address_it_is_asked_for(house: House) -> None:
    done = await pushed(house)
    assert done.returncode == EXIT_USAGE
    assert "where is Home Assistant?" in done.stderr
    for days, said in (
        (("--until", "9999-12-31"), "no meter was read in 9999"),
        (("--since", "2025-06-03", "--until", "2025-06-02"), "--until is before --since"),
    ):
        done = await pushed(house, *days, "--dry-run")
        assert (done.returncode, said in done.stderr) == (EXIT_USAGE, True)
    done = await pushed(house, "--meter", "nobody", "--dry-run")
    assert done.returncode == EXIT_USAGE
    assert "there is no meter nobody in the history; stored is: heat" in " ".join(done.stderr.split())
