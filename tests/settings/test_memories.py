"""What `check` says of a meter's own memory: by the sinks that are there it is read back, or it is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smart_meter_reader.cli import main
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.drivers import imported
from smart_meter_reader.settings.memories import who_takes_past
from smart_meter_reader.settings.schema import DriverSettings
from smart_meter_reader.sinks.registry import SINKS, sink_driver
from tests.cli.program import ROOT

HEAT = '[home.meters.heat]\nclient = "kamstrup"\nport = "/dev/null"\n'
OLD = '[home.meters.heat]\nclient = "iec62056_21"\nport = "/dev/null"\nmodel = "multical_66c"\n'
# Settings that a sink cannot do without.
NEEDED = {
    "home_assistant_rest": 'url = "http://127.0.0.1:8123"\ntoken = "x"',
    "influxdb": 'api = "v1"\ndatabase = "meters"',
    "postgresql": 'host = "127.0.0.1"\ndatabase = "meters"\nusername = "meters"',
    "nats": 'servers = ["127.0.0.1"]\ntenant = "a"\nsite = "b"',
}
TAKES = {"history", "influxdb", "postgresql", "nats"}


def write(directory: Path, text: str) -> None:
    shutil.copy(ROOT / "config.py", directory)
    (directory / "settings.toml").write_text(text, "utf-8")


def told(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> str:
    write(directory, text)
    monkeypatch.chdir(directory)
    code = main(["check"])
    out, err = capsys.readouterr()
    assert code == EXIT_OK, err
    return " ".join((out + err).split())


@pytest.mark.parametrize("meter", [HEAT, OLD], ids=["kmp", "66c"])
@pytest.mark.parametrize("kind", SINKS)
def test_the_memory_is_read_back_for_the_sinks_that_take_it(
    kind: str, meter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"{meter}[home.sinks.{kind}]\n{NEEDED.get(kind, '')}\n[home.mqtt]\nhost = 'localhost'\n"
    said = told(tmp_path, monkeypatch, capsys, text)
    assert ("is read back, for 60 s of the line a day at most" in said) is (kind in TAKES)
    assert ("is not read back, as no sink here takes it; `history`, " in said) is (kind not in TAKES)


@pytest.mark.parametrize(
    ("sink", "taken"),
    [
        ("[home.sinks.mqtt_json]\nhistory = true", True),
        (f"[home.sinks.influxdb]\n{NEEDED['influxdb']}\npast = false", False),
        ("[home.sinks.stdout]\n[home.sinks.history]", True),
    ],
    ids=["mqtt with history", "influxdb without past", "two"],
)
def test_settings_of_the_sink_decide(
    sink: str,
    taken: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = told(tmp_path, monkeypatch, capsys, f"{HEAT}{sink}\n[home.mqtt]\nhost = 'localhost'\n")
    assert ("is read back" in said, "is not read back" in said) == (taken, not taken)


@pytest.mark.parametrize("logger", ["logger = false", 'logger_budget = "0s"'])
def test_nothing_is_said_of_a_memory_that_is_left_alone(
    logger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(tmp_path, monkeypatch, capsys, f"{HEAT}{logger}\n[home.sinks.stdout]\n")
    assert "read back" not in said


def test_log_mode_without_a_sink_that_takes_the_hours_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f'{HEAT}mode = "log"\n[home.sinks.stdout]\n'
    said = told(tmp_path, monkeypatch, capsys, text)
    assert "meters.heat.mode" in said or "[home.meters.heat] mode" in said
    assert "no sink here takes them: there is one reading a day" in said
    assert "no sink here takes them" not in told(
        tmp_path, monkeypatch, capsys, text + "[home.sinks.history]\n"
    )


def test_all_sinks_that_may_take_it_are_named() -> None:
    able = {
        kind for kind in SINKS if imported(sink_driver(kind).settings).takes_past != DriverSettings.takes_past
    }
    assert able == {kind for kind in SINKS if f"`{kind}`" in who_takes_past(SINKS)}
    assert who_takes_past(SINKS).endswith(" and `postgresql`")


@pytest.mark.parametrize("kind", SINKS)
def test_sinks_do_as_their_settings_say(kind: str, tmp_path: Path) -> None:
    text = f"{HEAT}[home.sinks.{kind}]\n{NEEDED.get(kind, '')}\n[home.mqtt]\nhost = 'localhost'\n"
    write(tmp_path, text)
    settings = load_settings(tmp_path, "home").settings.sinks[kind].driver
    sink = imported(sink_driver(kind).sink)(kind, settings)
    assert sink.takes_past is settings.takes_past is (kind in TAKES)
