"""A new family needs its folder and one registry line: no command needs another change."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smart_meter_reader.console import EXIT_DATA, EXIT_OK, EXIT_SETTINGS
from smart_meter_reader.meters.registry import METERS
from smart_meter_reader.sinks.registry import SINKS
from tests.cli.program import ROOT, run
from tests.new_family.street.codec import Answer, encode
from tests.new_family.street.emulate import NUMBER

PROGRAM = (sys.executable, "-m", "tests.new_family.program")
DOORPLATE = "Maartje de Vries"


@contextmanager
def emulated(*arguments: str) -> Iterator[str]:
    process = subprocess.Popen(
        [*PROGRAM, "emulate", "street", "--baud", "0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 0


def command(*arguments: str, cwd: Path = ROOT, feed: bytes = b"") -> subprocess.CompletedProcess[str]:
    return run(*arguments, cwd=cwd, feed=feed, program=PROGRAM)


@pytest.fixture
def port() -> Iterator[str]:
    with emulated() as port:
        yield port


@pytest.fixture
def home(tmp_path: Path, port: str) -> Path:
    (tmp_path / "config.py").write_text((ROOT / "config.py").read_text())
    (tmp_path / "settings.toml").write_text(
        f'[home.meters.door]\nclient = "street"\nport = "{port}"\ndoorplate = "{DOORPLATE}"\n'
        "[home.sinks.stdout]\n"
        "[home.sinks.mqtt_json]\n"
        "[home.mqtt]\n"
        'host = "localhost"\n'
        "port = 1\n"
    )
    return tmp_path


def test_check_knows_its_settings(home: Path) -> None:
    done = command("check", "home", cwd=home)
    assert done.returncode == EXIT_OK, done.stderr
    assert f'doorplate = "{DOORPLATE}"' in done.stdout
    settings = home / "settings.toml"
    settings.write_text(settings.read_text().replace("doorplate", "dorplate"))
    done = command("check", "home", cwd=home)
    assert done.returncode == EXIT_SETTINGS
    assert 'did you mean "doorplate"?' in done.stderr
    settings.write_text(
        settings.read_text().replace("dorplate", "doorplate").replace('"street"', '"strasse"')
    )
    assert 'did you mean "street"?' in command("check", "home", cwd=home).stderr


def test_run_publishes_its_readings(home: Path) -> None:
    text = (home / "settings.toml").read_text()
    (home / "settings.toml").write_text(text.replace("[home.sinks.mqtt_json]\n", ""))
    done = command("run", "home", "--once", cwd=home)
    assert done.returncode == EXIT_OK, done.stderr
    (reading,) = [each for each in map(json.loads, done.stdout.splitlines()) if each["type"] == "reading"]
    assert reading["measurements"]["active_energy_import"] == {"value": 1234.51, "unit": "kWh"}


def test_read_takes_a_reading(port: str) -> None:
    done = command("read", port, "--client", "street", "--json")
    assert done.returncode == EXIT_OK, done.stderr
    assert json.loads(done.stdout)["info"]["serial_number"] == NUMBER


def test_scan_finds_it(port: str) -> None:
    done = command("scan", port, "--listen", "0.2")
    assert done.returncode == EXIT_OK, done.stderr
    assert "asking in the street's way" in done.stderr
    assert 'client = "street"' in done.stdout
    assert NUMBER in done.stdout


@pytest.mark.parametrize(("faults", "said"), [((), "2 of 2"), (("--fault", "sum"), "0 of 2")])
def test_align_asks_it(faults: tuple[str, ...], said: str) -> None:
    with emulated(*faults) as port:
        assert said in command("align", port, "--client", "street", "--count", "2").stdout


@pytest.mark.parametrize("protocol", ["street", "auto"])
def test_decode_reads_its_frames(protocol: str) -> None:
    frame = encode(Answer(NUMBER, json.loads("12.5")))
    done = command("decode", protocol, "-", "--json", feed=frame)
    assert done.returncode == EXIT_OK, done.stderr
    assert json.loads(done.stdout) == {"protocol": "street", "number": NUMBER, "energy": 12.5}
    if protocol == "street":
        assert command("decode", protocol, "-", feed=frame.replace(b"#", b"#0")).returncode == EXIT_DATA
    else:
        assert "taken for Street" in done.stderr


def test_decode_auto_says_what_of_the_family_cannot_be_read() -> None:
    done = command("decode", "auto", "-", feed=b"*1;2")
    assert done.returncode == EXIT_DATA
    assert "this is a street's answer without its end, which this program does not read" in done.stderr


def test_mqtt_preview_shows_what_it_tells(home: Path) -> None:
    done = command("mqtt", "preview", "home", "--json", cwd=home)
    assert done.returncode == EXIT_OK, done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    (state,) = [json.loads(each["payload"]) for each in messages if each["topic"].endswith("door/state")]
    assert list(state["measurements"]) == ["active_energy_import"]


def test_record_writes_and_replays_it(port: str, tmp_path: Path) -> None:
    recording = tmp_path / "door.rec"
    done = command("record", port, str(recording), "--client", "street")
    assert done.returncode == EXIT_OK, done.stderr
    assert "1234.510 kWh" in recording.read_text(), "the comment behind the bytes"
    done = command("read", f"replay:{recording}", "--json")
    assert json.loads(done.stdout)["info"]["serial_number"] == NUMBER


def test_diagnose_gives_nothing_away(home: Path) -> None:
    report = home / "report.txt"
    done = command("diagnose", "home", "--output", str(report), cwd=home)
    assert done.returncode == EXIT_OK, done.stderr
    text = report.read_text()
    for secret in (DOORPLATE, NUMBER, NUMBER.encode().hex(), NUMBER.encode().hex(" "), "Maartje"):
        assert secret not in text
    assert "1 reading" in text
    replayed = command("read", f"replay:{report}", "--json")
    assert json.loads(replayed.stdout)["measurements"]["active_energy_import"]["value"] == 1234.51
    # Settings that cannot be loaded are told too, and their values are as private.
    settings = home / "settings.toml"
    settings.write_text(settings.read_text().replace(f'"{DOORPLATE}"', f'["{DOORPLATE}"]'))
    report.unlink()
    assert command("diagnose", "home", "--output", str(report), cwd=home).returncode == EXIT_SETTINGS
    assert "doorplate" in report.read_text()
    assert "Maartje" not in report.read_text()


def test_the_page_lists_exactly_the_files_of_a_family() -> None:
    """docs/adding-a-meter.md names what one touches: the folder's files, the registry, tests, one page."""
    page = (ROOT / "docs" / "adding-a-meter.md").read_text()
    listed = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    folder = "meters/<family>/"
    inside = {name.removeprefix(folder) for name in listed if name.startswith(folder)}
    rooms = ROOT / "smart_meter_reader" / "meters"
    for room in ("kmp", "p1", "iec62056_21"):
        # Telegrams of P1 are text, which needs no comments.
        assert {name for name in inside if not (rooms / room / name).exists()} <= {"comments.py"}, room
    assert not (rooms / "p1" / "comments.py").exists()
    assert {name for name in listed if not name.startswith(folder)} == {
        "codecs/<protocol>/",
        "meters/registry.py",
        "tests/meters/<family>/",
        "docs/connect-<meter>.md",
    }


# The settings of programs that read one family, or write to one place.
OF_OTHER_PROGRAMS = {
    f"cli/setup/imports/{name}.py" for name in ("hass_mc66c", "kamstrup_402_mqtt", "mueli", "multical402")
}


def naming(rooms: Iterable[str], apart: str, names: Iterable[str], word: str) -> set[str]:
    """The modules of the program that name a driver, or import it; ``apart`` is where all have their home."""
    package = ROOT / "smart_meter_reader"
    homes = "|".join(sorted({path.partition(":")[0].rpartition(f"{apart}.")[2] for path in names}))
    named = re.compile(rf"\b{apart}\.({homes})\b|\"({word})\"")
    found = {path for part in rooms for path in (package / part).rglob("*.py")} | set(package.glob("*.py"))
    return {
        str(path.relative_to(package)) for path in found if named.search(path.read_text("utf-8"))
    } - OF_OTHER_PROGRAMS


# All but what meters and sinks are made of, each with a room of its own; a codec is of a protocol.
ROOMS = (
    *("quantities", "messages", "network", "transport", "recordings", "settings", "console", "emulators"),
    *("guard", "history", "mqtt", "spool", "fleet", "service", "pipeline", "cli"),
)


def test_every_command_knows_the_family_by_its_record_alone() -> None:
    """Outside of its own room no module of the program names a family, its client or its protocol."""
    known = {
        "cli/mqtt/preview.py",  # the dummy meter makes up the values
        "cli/mqtt/own_messages.py",  # a recording is played by the client that replays
        "cli/align/command.py",  # the default is the meter that most people put a head on
        "cli/meter_at.py",  # likewise, for logs and clock
        "cli/read/command.py",  # a recording is read by the client that replays
    }
    assert naming((*ROOMS, "sinks", "writer"), "meters", METERS.values(), "|".join(METERS)) == known


def test_every_command_knows_the_sink_by_its_record_alone() -> None:
    """But for commands whose matter is one sink, and those that propose one."""
    known = {
        *("cli/history/place.py", "cli/history/push.py", "cli/history/push_rows.py"),
        *("cli/web/command.py", "cli/web/password.py", "cli/web/together.py"),
        *("cli/diagnose/command.py", "cli/diagnose/history_section.py"),  # what the history's file is like
        *("cli/service/sole_services.py", "service/page_installation.py"),  # the page of all environments
        *("cli/setup/destinations.py", "cli/setup/here.py", "cli/setup/finding.py"),  # what a new home gets
        *("cli/home_assistant_app/options.py", "cli/scan/settings_block.py"),  # likewise
        "cli/read/command.py",  # a reading is shown as `stdout` shows it
    }
    words = set(SINKS) - {"history", "nats", "web"}  # of commands, of a table and of a scheme, too
    assert naming((*ROOMS, "meters", "codecs"), "sinks", SINKS.values(), "|".join(sorted(words))) == known
