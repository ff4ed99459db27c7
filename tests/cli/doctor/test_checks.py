"""The doctor's checks of clock, ports and brokers, where a whole run would not show every case."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from smart_meter_reader.cli.doctor.clock_checks import check_clock, ntp_synchronised
from smart_meter_reader.cli.doctor.meter_checks import check_reading
from smart_meter_reader.cli.doctor.port_checks import check_port
from smart_meter_reader.console.checks import Check, Level
from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.meters.p1.emulator import Encryption, P1Meter
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.mqtt.examination import check_broker
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.loading import MeterSettings
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.sinks.home_assistant.examination import check_home_assistant
from smart_meter_reader.sinks.home_assistant.rest import HomeAssistantRestSettings
from smart_meter_reader.transport.ports import (
    Holder,
    holders,
    is_console,
    named_holders,
    other_readers,
    stable_name,
)
from tests.peers.lines import silent_terminal
from tests.peers.mosquitto import Certificates, MakeBroker
from tests.peers.ports import free_port

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("synchronised", "age", "level", "said"),
    [
        (True, timedelta(days=1), Level.OK, "2026-03-01 12:00:00 UTC, synchronised by NTP"),
        (None, timedelta(days=1), Level.OK, "not known here"),
        (False, timedelta(days=1), Level.WARNING, "timedatectl set-ntp true"),
        (True, -timedelta(days=1), Level.WARNING, "before the settings were written"),
        (True, -timedelta(seconds=10), Level.OK, "synchronised"),
    ],
)
def test_the_clock(
    synchronised: bool | None, age: timedelta, level: Level, said: str, tmp_path: Path
) -> None:
    written = tmp_path / "settings.toml"
    written.touch()
    os.utime(written, ((NOW - age).timestamp(),) * 2)
    check = check_clock(NOW, [written, tmp_path / "missing"], synchronised)
    assert (check.level, check.subject) == (level, "clock")
    assert said in check.text


@pytest.mark.parametrize(("says", "expected"), [("yes", True), ("no", False), ("", None), ("exit 1", None)])
def test_what_systemd_says_of_the_clock(
    says: str, expected: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "timedatectl"
    program.write_text("#!/bin/sh\n" + (says if says.startswith("exit") else f"echo {says}") + "\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("smart_meter_reader.cli.doctor.clock_checks._SYNCHRONISED", tmp_path / "missing")
    assert ntp_synchronised() is expected
    (tmp_path / "missing").touch()
    assert ntp_synchronised() is True


def test_a_system_without_systemd_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("smart_meter_reader.cli.doctor.clock_checks._SYNCHRONISED", tmp_path / "missing")
    assert ntp_synchronised() is None


def test_a_port_by_a_name_that_stays() -> None:
    with silent_terminal() as port:
        checks = list(check_port("meter heat", port))
    assert [check.level for check in checks] == [Level.OK, Level.OK]
    assert "may open it" in checks[1].text


def test_a_port_by_a_name_that_can_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stable_name, "__defaults__", (tmp_path,))
    lasting = tmp_path / "usb-head"
    with silent_terminal() as port:
        lasting.symlink_to(port)
        name, *_ = check_port("meter heat", port)
        assert name.level is Level.WARNING
        assert f"set port to {lasting}" in name.text
        name, *_ = check_port("meter heat", str(lasting))
        assert (name.level, name.text) == (Level.OK, f"{lasting} exists and leads to {port}")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (None, "no reading (no_key)"),
        ("00112233445566778899AABBCCDDEE01", "no reading (wrong_encryption_key)"),
        ("000102030405060708090A0B0C0D0E0F", "one reading: "),
    ],
)
async def test_the_reading_tells_at_once_whether_the_key_is_right(key: str | None, said: str) -> None:
    encryption = Encryption(bytes(range(16)), bytes(16))
    async with on_pty(P1Meter("austria", interval=0.1, encryption=encryption)) as port:
        settings = DsmrSettings(
            port=port,
            interval=timedelta(0),
            key=Secret(key) if key else None,
            authentication_key=Secret("00" * 16) if key else None,
        )
        meter = MeterSettings("power", "dsmr", settings, GuardSettings())
        checks = [check async for check in check_reading("meter power", meter, 30, print)]
    assert any(said in check.text for check in checks), checks
    assert max(check.level for check in checks) is (Level.OK if "one" in said else Level.UNAVAILABLE)


def test_a_url_has_no_port_here() -> None:
    assert list(check_port("meter heat", "socket://127.0.0.1:1")) == []
    assert other_readers("socket://127.0.0.1:1") == ()


def test_whoever_has_a_port_open_is_named() -> None:
    # A device that a process of ours has open, and few others have.
    with Path("/dev/full").open("rb") as device, subprocess.Popen(["sleep", "60"], stdin=device) as process:
        assert process.pid in [holder.pid for holder in other_readers("/dev/full")]
        checks = list(check_port("meter heat", "/dev/full"))
        process.terminate()
    (held,) = [check for check in checks if check.level is Level.WARNING]
    assert f"sleep (process {process.pid})" in held.text


def test_a_name_that_the_kernel_cut_inside_a_letter_is_shown(tmp_path: Path) -> None:
    sleep = tmp_path / "zaehlerlesegerät"  # the 15th byte is half of the letter
    sleep.symlink_to(shutil.which("sleep") or "")
    with Path("/dev/null").open("rb") as device, subprocess.Popen([sleep, "60"], stdin=device) as process:
        names = {holder.pid: holder.name for holder in holders("/dev/null")}
        process.terminate()
    assert names[process.pid].startswith("zaehlerleseger")


def test_a_file_is_held_by_nobody_and_a_loop_of_links_is_no_crash(tmp_path: Path) -> None:
    """The kernel gives every file the device number 0."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        holder = subprocess.Popen(["sleep", "60"], stdin=file.file)
        assert list(holders(file.name)) == []
        holder.terminate()
        holder.wait()
    assert other_readers(str(loop)) == ()
    (told,) = list(check_port("meter heat", str(loop)))
    assert told.level is Level.UNAVAILABLE


def test_of_many_holders_some_are_named() -> None:
    several = [Holder(number, "cat") for number in range(1, 60)]
    assert named_holders([]) == ""
    assert named_holders(several[:2]) == f"{several[0]} and {several[1]}"
    assert named_holders(several).endswith(f"{several[3]} and 55 more")
    assert len(named_holders(several)) < 120


@pytest.mark.parametrize(
    ("active", "expected"), [("tty0 ttyS0\n", True), ("tty0 ttyS01\n", False), ("", False)]
)
def test_the_console_is_told_from_other_ports(active: str, expected: bool, tmp_path: Path) -> None:
    names = tmp_path / "active"
    assert is_console("/dev/ttyS0", names) is False
    names.write_text(active)
    assert is_console("/dev/ttyS0", names) is expected


class _Api(BaseHTTPRequestHandler):
    """Home Assistant as far as the token is concerned."""

    def do_GET(self) -> None:
        good = self.path == "/api/" and self.headers["Authorization"] == "Bearer good"
        answer = b'{"message": "API running."}' if good else b"401: Unauthorized"
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Requests are nothing to print."""


@pytest.mark.parametrize(("token", "level"), [("good", Level.OK), ("bad", Level.UNAVAILABLE)])
async def test_home_assistant_is_asked_whether_it_takes_the_token(token: str, level: Level) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Api) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        settings = HomeAssistantRestSettings(url=url, token=Secret(token))
        (check,) = [check async for check in check_home_assistant("sink rest", settings)]
        server.shutdown()
    assert check.level is level, check
    assert token not in check.text.split()


async def checks_of(broker: BrokerSettings) -> list[Check]:
    return [check async for check in check_broker("broker", broker)]


async def test_tls_is_judged(make_broker: MakeBroker, certificates: Certificates) -> None:
    port = free_port()
    make_broker(
        f"listener {port} 127.0.0.1",
        f"cafile {certificates.ca}",
        f"certfile {certificates.server}",
        f"keyfile {certificates.server}",
    )
    good, protected = await checks_of(
        BrokerSettings(host="localhost", port=port, tls=True, ca=certificates.ca)
    )
    assert (good.level, protected.level) == (Level.OK, Level.OK)
    assert "verifies the broker" in protected.text
    untrusted, _ = await checks_of(BrokerSettings(host="localhost", port=port, tls=True))
    assert untrusted.level is Level.UNAVAILABLE
    assert "set `ca`" in untrusted.text
    blind, unprotected = await checks_of(BrokerSettings(host="localhost", port=port, tls=True, insecure=True))
    assert (blind.level, unprotected.level) == (Level.OK, Level.WARNING)


async def test_no_tls_on_this_computer_and_without_a_password_is_fine() -> None:
    broker = BrokerSettings(host="127.0.0.2", port=1, username="me", password=Secret("secret"))
    away, clear = await checks_of(broker)
    assert (away.level, clear.level) == (Level.UNAVAILABLE, Level.OK)
    assert "on this computer" in clear.text
    assert "secret" not in away.text + clear.text
    _, harmless = await checks_of(BrokerSettings(host="broker.invalid"))
    assert (harmless.level, "nothing secret" in harmless.text) == (Level.OK, True)


async def test_of_a_password_sent_openly_the_settings_warn_and_nobody_else() -> None:
    broker = BrokerSettings(host="broker.invalid", username="me", password=Secret("secret"))
    assert [check.level for check in await checks_of(broker)] == [Level.UNAVAILABLE]
