"""`scan`, `align` and `doctor` as typed: outputs, exit codes, terminals, Ctrl-C, no permission."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest

from smart_meter_reader.cli import main
from smart_meter_reader.console import EXIT_OK, EXIT_SETTINGS, EXIT_UNAVAILABLE, EXIT_USAGE
from tests.cli.program import HURRIED, PROGRAM, ROOT, emulated, run
from tests.peers.lines import silent_terminal
from tests.peers.mosquitto import PASSWORD, USER, MakeBroker, Mosquitto, login_lines


def run_without_privileges(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run as one who may open no more than the rights of files say, which root does not ask for."""
    powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    return run(*arguments, cwd=cwd, program=[*powerless, *PROGRAM])


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_asked(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    assert any("1/1" in line for line in process.stderr)


@pytest.fixture(scope="module")
def multical() -> Iterator[str]:
    with emulated("kamstrup", "--baud", "0", "--model", "402", "--delay", "0") as port:
        yield port


@pytest.fixture
def closed_port() -> Iterator[str]:
    """A port that nobody but root may open."""
    with silent_terminal() as port:
        Path(port).chmod(0)
        yield port


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "config.py").write_text((ROOT / "config.py").read_text())
    return folder


# --- align ---


def test_align_prints_a_line_per_request_and_ends_with_the_count(multical: str) -> None:
    done = run("align", multical, "--count", "2")
    assert done.returncode == EXIT_OK
    assert done.stdout.startswith("2 of 2 answers clean; that took as much of the meter's battery as 2 hours")
    lines = done.stderr.splitlines()
    assert "Ctrl-C ends it" in lines[0]
    assert lines[1] == "clean: leave the head like this"
    assert lines[2:] == [
        "[####################] 100% clean  now: clean      1/1",
        "[####################] 100% clean  now: clean      2/2",
    ]
    assert "\r" not in done.stderr
    assert "\x1b" not in done.stderr


def test_align_over_nothing_says_what_to_check() -> None:
    with silent_terminal() as port:
        done = run("align", port, "--count", "1")
    assert done.returncode == EXIT_UNAVAILABLE
    assert done.stdout.startswith("0 of 1 answers clean (1 nothing)")
    assert "check the cable" in done.stderr
    # kamstrup is only the default, and a UH50 is as silent on KMP as a missing head.
    assert "another kind of meter than kamstrup reads? try --client iec62056_21" in done.stderr


def test_align_beeps_and_rewrites_its_line_on_a_terminal(multical: str) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "align", multical, "--count", "2", "--beep"], stdout=slave, stderr=slave, stdin=slave
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            received = os.read(master, 4096)
        except OSError:  # the terminal ends with its last user
            break
        shown += received
    os.close(master)
    assert process.wait(10) == EXIT_OK
    assert shown.count(b"\a") == 2
    assert b"\r[####################] 100% clean  now: clean      1/1  \a\r[####" in shown
    assert b"\x1b" not in shown
    assert shown.rstrip().splitlines()[-1].startswith(b"2 of 2 answers clean")


def test_ctrl_c_ends_align_with_its_count(multical: str) -> None:
    with started("align", multical) as process:
        wait_until_asked(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert process.returncode == EXIT_OK
    assert " answers clean" in out
    assert "Traceback" not in err


def test_align_says_that_the_port_went_and_still_counts() -> None:
    with ExitStack() as until_it_ends:
        port = until_it_ends.enter_context(emulated("kamstrup", "--baud", "0", "--delay", "0"))
        with started("align", port) as process:
            wait_until_asked(process)
            until_it_ends.close()
            out, err = process.communicate(timeout=10)
    assert process.returncode == EXIT_UNAVAILABLE
    assert f"{port} was closed from the other side: check the cable" in err
    assert " answers clean" in out


@pytest.mark.parametrize(
    ("farewell", "said"),
    [
        (b"Port already in use\r\n", 'which says "Port already in use": look at the serial server'),
        (b"", "was closed from the other side: check the cable and its power"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        ["read", "PORT", "--client", "kamstrup"],
        ["align", "PORT"],
        ["scan", "PORT"],
        ["record", "PORT", "x.rec", "--client", "kamstrup"],
        ["record", "PORT", "x.rec"],
        ["clock", "PORT", "--client", "kamstrup"],
        ["logs", "PORT", "--client", "kamstrup"],
    ],
    ids=" ".join,
)
def test_a_port_that_goes_is_told_as_to_somebody_who_is_there(
    command: list[str], farewell: bytes, said: str, tmp_path: Path
) -> None:
    """The service opens it again by itself; no command does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            with suppress(OSError):  # the server is closed in the end
                while True:
                    connection, _ = server.accept()
                    connection.sendall(farewell)
                    connection.shutdown(socket.SHUT_WR)
                    connection.close()

        Thread(target=hang_up, daemon=True).start()
        port = f"socket://127.0.0.1:{server.getsockname()[1]}"
        done = run(*(port if word == "PORT" else word for word in command), cwd=tmp_path)
        server.shutdown(socket.SHUT_RDWR)
    assert done.returncode == EXIT_UNAVAILABLE
    assert f"{said}, then start this again" in done.stderr
    assert "by itself" not in done.stderr


def test_align_says_why_a_port_cannot_be_opened(closed_port: str) -> None:
    done = run_without_privileges("align", closed_port, "--count", "1")
    assert done.returncode == EXIT_UNAVAILABLE
    assert f"{closed_port} may be opened by the group" in done.stderr
    assert done.stdout == "0 of 0 answers clean\n"


# --- scan ---


def test_scan_prints_settings_that_check_accepts(multical: str, home: Path) -> None:
    done = run("scan", multical, "--listen", "0.2", cwd=home)
    assert done.returncode == EXIT_OK
    assert f"{multical}: found Kamstrup MULTICAL 402, serial number" in done.stderr
    assert not (home / "settings.toml").exists()
    (home / "settings.toml").write_text(done.stdout)
    checked = run("check", "home", cwd=home)
    assert (checked.returncode, checked.stderr) == (EXIT_OK, "")
    assert f'port = "{multical}"' in checked.stdout


def test_scan_write_makes_what_is_missing(multical: str, home: Path) -> None:
    for name in ("settings.toml", "config.py"):
        (home / name).unlink(missing_ok=True)
    done = run("scan", multical, "--write", "--listen", "0.2", cwd=home)
    assert done.returncode == EXIT_OK
    assert done.stdout.splitlines() == [
        f"wrote {name}" for name in ("config.py", "settings.toml", "settings.examples.toml", ".secrets.toml")
    ]
    assert done.stderr.endswith(
        "added the meter to settings.toml, for home. Next: smart-meter-reader check\n"
    )
    checked = run("check", cwd=home)
    assert (checked.returncode, checked.stderr) == (EXIT_OK, "")
    assert run("run", "--once", cwd=home).returncode == EXIT_OK


def test_scan_writes_to_the_only_environment_and_never_over_anything(multical: str, home: Path) -> None:
    before = "# mine\n[Barn.meters.heat]\nclient = 'dummy'\n[Barn.sinks.stdout]\n"
    (home / "settings.toml").write_text(before)
    done = run("scan", multical, "--write", "--listen", "0.2", cwd=home)
    assert done.returncode == EXIT_OK
    assert "added the meter to settings.toml, for Barn" in done.stderr
    written = (home / "settings.toml").read_text()
    assert written.startswith(before)
    tables = tomllib.loads(written)
    assert list(tables) == ["Barn"]
    assert list(tables["Barn"]["meters"]) == ["heat", "heat-2"]
    assert tables["Barn"]["sinks"] == {"stdout": {}}
    assert run("run", "--once", cwd=home).returncode == EXIT_OK
    again = run("scan", multical, "--write", "--listen", "0.2", cwd=home)
    assert again.returncode == EXIT_OK
    assert "in settings.toml already, as meter heat-2 of Barn; left as it is" in again.stderr
    assert (home / "settings.toml").read_text() == written


def test_scan_json_is_one_object_per_port(multical: str) -> None:
    done = run("scan", multical, "/dev/not-a-port", "--json", "--listen", "0.2")
    found, missing = map(json.loads, done.stdout.splitlines())
    assert done.returncode == EXIT_OK
    assert (found["found"], found["client"], found["model"]) == (True, "kamstrup", "MULTICAL 402")
    assert found["settings"] == {"client": "kamstrup", "port": multical, "interval": "1h"}
    assert missing["found"] is False
    assert "does not exist" in missing["problem"]


def test_scan_without_permission_says_which_group(closed_port: str) -> None:
    done = run_without_privileges("scan", closed_port, "--listen", "0.2")
    assert done.returncode == EXIT_UNAVAILABLE
    assert f"{closed_port} may be opened by the group" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("name", ["default", "page", "a.b", "", "größe", "1st"])
def test_scan_refuses_names_that_are_no_environments(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "/dev/x", "--environment", name]) == EXIT_USAGE
    assert "--environment" in capsys.readouterr().err


# --- doctor ---


def settings(home: Path, text: str) -> None:
    (home / "settings.toml").write_text(text)


def heat(port: str, more: str = "") -> str:
    return f'[home.meters.heat]\nclient = "kamstrup"\nport = "{port}"\n{more}[home.sinks.stdout]\n'


def test_doctor_finds_everything_well(multical: str, home: Path) -> None:
    settings(home, heat(multical))
    done = run("doctor", "home", cwd=home)
    assert done.returncode == EXIT_OK
    assert "environment home is understood: meters heat; sinks stdout" in done.stdout
    assert "meter heat: Kamstrup MULTICAL 402 answers, serial number" in done.stdout
    assert "meter heat: one reading: 13 values" in done.stdout
    assert {line.split()[0] for line in done.stdout.splitlines()} <= {"ok", "warning"}


def test_doctor_spares_the_battery_when_told(home: Path) -> None:
    with silent_terminal() as port:
        settings(home, heat(port))
        done = run("doctor", "home", "--no-meter", cwd=home)
    assert done.returncode == EXIT_OK
    assert "not asked for a reading, as you wished" in done.stdout


def test_doctor_tells_a_silent_meter_from_a_missing_port(home: Path) -> None:
    with silent_terminal() as port:
        settings(home, heat(port, 'answer_timeout = "100ms"\nretries = 0\n'))
        done = run("doctor", "home", cwd=home, program=HURRIED)
    assert done.returncode == EXIT_UNAVAILABLE
    assert "WRONG    meter heat: no reading (no_echo_no_answer)" in done.stdout
    settings(home, heat("/dev/not-a-port"))
    done = run("doctor", "home", cwd=home)
    assert done.returncode == EXIT_UNAVAILABLE
    assert "WRONG    meter heat: /dev/not-a-port does not exist" in done.stdout
    assert "no reading" not in done.stdout
    settings(home, heat(str(home)))
    assert "is not a serial port" in run("doctor", "home", cwd=home).stdout


def test_doctor_says_how_to_get_permission(closed_port: str, home: Path) -> None:
    settings(home, heat(closed_port))
    done = run_without_privileges("doctor", "home", cwd=home)
    assert done.returncode == EXIT_UNAVAILABLE, done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
    assert f"may not open {closed_port} (c---------" in line
    assert "usermod -aG" in line or "udev rule" in line


def test_doctor_gives_every_problem_of_the_settings(home: Path) -> None:
    settings(home, '[home.meters.heat]\nclient = "kamstrop"\n[home.sinks.stdot]\n')
    done = run("doctor", "home", cwd=home)
    assert done.returncode == EXIT_SETTINGS
    wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG    settings: settings.toml")]
    assert len(wrong) == 2
    assert "clock: " in done.stdout


def test_doctor_says_which_keys_are_there_and_never_what_they_are(home: Path) -> None:
    key = "00112233445566778899AABBCCDDEE01"
    settings(home, '[home.meters.power]\nclient = "dsmr"\nport = "/dev/not-a-port"\n[home.sinks.stdout]\n')
    (home / ".secrets.toml").write_text(f'[home.meters.power]\nkey = "{key}"\n')
    (home / ".secrets.toml").chmod(0o644)
    done = run("doctor", "home", "--no-meter", cwd=home)
    assert "meter power: key is set in .secrets.toml, and of the right form" in done.stdout
    assert "meter power: no authentication_key is set" in done.stdout
    assert "warning  settings: .secrets.toml can be read by every user" in done.stdout
    assert key not in done.stdout + done.stderr


def with_broker(port: int, more: str = "") -> str:
    return (
        f'[home.meters.dummy]\nclient = "dummy"\n[home.mqtt]\nhost = "127.0.0.1"\nport = {port}\n{more}'
        "[home.sinks.homie]\n[home.sinks.mqtt_json]\n"
    )


def test_doctor_logs_in_to_each_broker_once(make_broker: MakeBroker, tmp_path: Path, home: Path) -> None:
    broker = make_broker(*login_lines(tmp_path), anonymous=False)
    settings(home, with_broker(broker.port, f'username = "{USER}"\npassword = "{PASSWORD}"\n'))
    done = run("doctor", "home", "--no-meter", cwd=home)
    assert done.returncode == EXIT_OK
    assert (
        f"broker of homie: 127.0.0.1:{broker.port} accepts the connection as {USER} (MQTT 5)" in done.stdout
    )
    assert "broker of mqtt_json" not in done.stdout
    assert PASSWORD not in done.stdout
    settings(home, with_broker(broker.port, f'username = "{USER}"\npassword = "wrong"\n'))
    done = run("doctor", "home", "--no-meter", cwd=home)
    assert done.returncode == EXIT_UNAVAILABLE
    assert "WRONG    broker of homie: " in done.stdout
    assert "this user" in done.stdout


def test_doctor_judges_each_way_to_reach_a_broker(broker: Mosquitto, home: Path) -> None:
    text = with_broker(broker.port, "tls = true\n")
    settings(home, f"{text}insecure = true\n")
    done = run("doctor", "home", "--no-meter", cwd=home)
    assert "broker of homie: TLS verifies the broker by" in done.stdout
    assert "broker of mqtt_json: TLS does not verify who the broker is" in done.stdout


def test_doctor_says_that_no_broker_listens(broker: Mosquitto, home: Path) -> None:
    broker.stop()
    settings(home, with_broker(broker.port))
    done = run("doctor", "home", "--no-meter", cwd=home)
    assert done.returncode == EXIT_UNAVAILABLE
    assert f"WRONG    broker of homie: nothing listens on 127.0.0.1:{broker.port}" in done.stdout
