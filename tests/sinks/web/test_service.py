"""The page of a running service: beside other sinks, at the stop, and in what the service says of it."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path

import aiohttp

from smart_meter_reader.sinks.web.access.passwords import is_password
from smart_meter_reader.sinks.web.examination import examine
from smart_meter_reader.sinks.web.settings import WebSettings
from tests.cli.program import run
from tests.peers.mosquitto import Certificates
from tests.peers.ports import free_port
from tests.peers.service_process import service_process
from tests.sinks.web.running import KEPT, PASSWORD, TOKEN, page, reading, status

SETTINGS = """
[home.meters.heat]
client = "dummy"
interval = "100ms"
[home.meters.hall]
client = "dummy"
interval = "1h"
[home.sinks.stdout]
[home.sinks.web]
port = {port}
"""


async def test_a_stop_does_not_wait_for_those_who_listen(tmp_path: Path) -> None:
    port = free_port()
    async with service_process(tmp_path, SETTINGS.format(port=port), "home") as service:
        await service.until(lambda: "the page is at" in service.log, "page")
        async with aiohttp.ClientSession() as browser:
            streams = [await browser.get(f"http://127.0.0.1:{port}/api/v1/stream") for _ in range(5)]
            await service.stop()
            for each in streams:
                # All of it came, or the connection ended; in any case nothing hangs.
                async with asyncio.timeout(20):
                    await asyncio.gather(each.read(), return_exceptions=True)
    assert "takes long to stop" not in service.log
    assert "leaving it behind" not in service.log
    assert "ERROR" not in service.log


async def test_a_port_that_is_taken_costs_the_page_alone_and_not_for_long(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with service_process(tmp_path, SETTINGS.format(port=port), "home") as service:
            await service.until(lambda: "is taken by another program" in service.log, "word of the port")
            await service.more_readings(20)
            other.close()
            await service.until(lambda: "the page is at" in service.log, "page")
            async with (
                aiohttp.ClientSession() as browser,
                browser.get(f"http://127.0.0.1:{port}/health") as answer,
            ):
                # Also what came while nobody could listen is known.
                assert set((await answer.json())["meters"]) == {"heat", "hall"}
                assert answer.status == 200
            await service.stop()
    assert service.log.count("is taken by another program") == 1


async def test_a_reading_now_comes_through_the_page(tmp_path: Path) -> None:
    port = free_port()
    async with service_process(tmp_path, SETTINGS.format(port=port), "home") as service:
        await service.until(lambda: "the page is at" in service.log, "page")
        async with aiohttp.ClientSession() as browser:
            before = len([each for each in service.readings if each["meter"] == "hall"])
            async with browser.post(f"http://127.0.0.1:{port}/api/v1/meters/hall/read") as answer:
                assert answer.status == 202
            await service.until(
                lambda: len([each for each in service.readings if each["meter"] == "hall"]) > before,
                "reading",
            )
        service.send(signal.SIGTERM)


async def test_nothing_listens_without_the_table(tmp_path: Path) -> None:
    settings = SETTINGS.partition("[home.sinks.web]")[0]
    async with service_process(tmp_path, settings, "home", anew=True) as service:
        await service.more_readings(2)
        files = Path(f"/proc/{service.process_id}/fd")
        inodes = {each.readlink().name.removeprefix("socket:[").rstrip("]") for each in files.iterdir()}
        listening = [
            line.split()[9]
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
            if line.split()[3] == "0A"
        ]
        assert not inodes & set(listening)
        mapped = Path(f"/proc/{service.process_id}/maps").read_text()
        assert "aiohttp" not in mapped
        await service.stop()


async def test_its_secrets_show_nowhere(tmp_path: Path) -> None:
    port = free_port()
    secrets = tmp_path / ".secrets.toml"
    secrets.write_text(
        f'[home.sinks.web]\npassword = "{KEPT.reveal()}"\n[home.sinks.web.tokens]\nx = "{TOKEN}"\n'
    )
    secrets.chmod(0o600)
    settings = SETTINGS.format(port=port).replace("100ms", "1s")
    async with service_process(tmp_path, f'[default]\nlog_level = "DEBUG"\n{settings}', "home") as service:
        await service.until(lambda: "the page is at" in service.log, "page")
        address = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            async with browser.get(
                f"{address}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
            ) as answer:
                assert answer.status == 200
            form = {"password": PASSWORD}
            async with browser.post(f"{address}/login", data=form, allow_redirects=False) as answer:
                assert answer.status == 303
            cookies = [each.value for each in browser.cookie_jar]
            async with browser.get(f"{address}/?password={PASSWORD}&lang=xx") as answer:
                assert answer.status == 200
        await service.stop()
    (memory,) = tmp_path.glob("*.sinks.json")
    assert json.loads(memory.read_text())["sinks"]["web"]["sessions"]
    checked = run("check", "home", "--all", cwd=tmp_path)
    assert checked.returncode == 0
    said = service.log + memory.read_text() + checked.stdout + checked.stderr + str(service.messages)
    for secret in (PASSWORD, TOKEN, KEPT.reveal(), *cookies):
        assert secret not in said


def test_the_password_becomes_a_line_for_the_settings(tmp_path: Path) -> None:
    done = run("web", "password", "barn", cwd=tmp_path, feed="grüße aus dem Keller\n".encode())
    assert done.returncode == 0
    key, _, value = done.stdout.strip().partition(" = ")
    assert key == "password"
    assert is_password("grüße aus dem Keller", value.strip('"'))
    assert "[barn.sinks.web]" in done.stderr
    assert "Keller" not in done.stdout + done.stderr
    short = run("web", "password", cwd=tmp_path, feed=b"short\n")
    assert (short.returncode, "8 characters at least" in short.stderr) == (64, True)


def test_on_another_address_it_refuses_to_start_without_a_password(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_bytes(Path("config.py").read_bytes())
    (tmp_path / "settings.toml").write_text(SETTINGS.format(port=8080) + 'host = "0.0.0.0"\n')
    done = run("run", "home", cwd=tmp_path)
    assert done.returncode == 78
    assert "set `password` to the line that `smart-meter-reader web password` gives" in done.stderr


async def told(settings: WebSettings) -> list[str]:
    return [f"{check.level.name} {check.text}" async for check in examine("web", settings)]


async def test_doctor_asks_the_page(tmp_path: Path, certificates: Certificates) -> None:
    free = WebSettings(port=free_port())
    assert await told(free) == [
        f"OK the page would be at http://127.0.0.1:{free.port}/; no service shows it now"
    ]
    missing = WebSettings(port=free.port, certificate=tmp_path / "missing.pem")
    assert (await told(missing))[0].startswith(f"UNAVAILABLE `certificate` ({tmp_path}/missing.pem) cannot")
    for certificate in (None, certificates.server):
        async with page(reading(), status(), meters=("heat",), certificate=certificate) as running:
            settings = WebSettings(port=running.port, certificate=certificate)
            assert "answers, and all readings are fresh" in (await told(settings))[0]
            running.put(status(state="offline"))
            async with asyncio.timeout(20):
                while "without fresh readings: heat" not in (await told(settings))[0]:
                    pass
    with socket.create_server(("127.0.0.1", free.port)) as other:
        answering = asyncio.ensure_future(asyncio.to_thread(lambda: other.accept()[0].close()))
        assert "is taken by another program" in (await told(free))[0]
        await answering
