"""The slips of people who type settings: each is told with its line and with what to type instead."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.cli.diagnose.settings_redaction import redact_problem
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.files.toml_slips import is_toml, slip_in
from smart_meter_reader.settings.files.toml_text import decode_text, parse_toml

CONFIG = Path(__file__).parents[3] / "config.py"

LONG_PORT = "/dev/serial/by-id/usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0"

# What is typed, and what is proposed in its place.
LINES = {
    "client = kamstrup": 'client = "kamstrup"',
    "interval = 1h  # the battery": 'interval = "1h"  # the battery',
    "interval = at :59": 'interval = "at :59"',
    "interval = daily 06:00,18:00": 'interval = "daily 06:00,18:00"',
    "port = /dev/ttyUSB0": 'port = "/dev/ttyUSB0"',
    f"port = {LONG_PORT}": f'port = "{LONG_PORT}"',
    "port = socket://192.168.1.20:4001": 'port = "socket://192.168.1.20:4001"',
    'client: "kamstrup"': 'client = "kamstrup"',
    "client: kamstrup,": 'client = "kamstrup"',
    '"client": "kamstrup",': 'client = "kamstrup"',
    'client "kamstrup"': 'client = "kamstrup"',
    'client == "kamstrup"': 'client = "kamstrup"',
    'client := "kamstrup"': 'client = "kamstrup"',
    'client => "kamstrup"': 'client = "kamstrup"',
    'client = "kamstrup";': 'client = "kamstrup"',
    'client = "kamstrup': 'client = "kamstrup"',
    'client = kamstrup"': 'client = "kamstrup"',
    "client = \"kamstrup'": 'client = "kamstrup"',
    "client = \u201ckamstrup\u201d": 'client = "kamstrup"',
    "client = \u201ekamstrup\u201c": 'client = "kamstrup"',
    "client = \u2018kamstrup\u2019": "client = 'kamstrup'",
    "client = \u00abkamstrup\u00bb": 'client = "kamstrup"',
    'client\u00a0= "kamstrup"': 'client = "kamstrup"',
    '\u200bclient = "kamstrup"': 'client = "kamstrup"',
    'client = "kamstrup" port = "/dev/x"': 'client = "kamstrup"',
    "mains_powered = yes": "mains_powered = true",
    "mains_powered = True": "mains_powered = true",
    "history = off": "history = false",
    "history = NO": "history = false",
    "factor = 0,5": "factor = 0.5",
    "serial_number = 007": 'serial_number = "007"',
    'serial number = "1"': 'serial_number = "1"',
    "registers = [volume, power]": 'registers = ["volume", "power"]',
    'registers = ["volume" "power"]': 'registers = ["volume", "power"]',
    'registers = ("volume", "power")': 'registers = ["volume", "power"]',
    "registers = volume, power": 'registers = ["volume", "power"]',
    r'ca = "C:\Users\me\ca.pem"': r"ca = 'C:\Users\me\ca.pem'",
    'name = "the "old" one"': "name = 'the \"old\" one'",
    "[home.meters.heat": "[home.meters.heat]",
    "home.meters.heat]": "[home.meters.heat]",
    "[home.meters.heat]]": "[home.meters.heat]",
    "[[home.meters.heat]": "[home.meters.heat]",
    "{home.meters.heat}": "[home.meters.heat]",
    "[home meters heat]": "[home.meters.heat]",
    "[home/meters/heat]": "[home.meters.heat]",
    "[home.meters.heat]:": "[home.meters.heat]",
    '[home.meters.heat] client = "kamstrup"': "[home.meters.heat]",
    "[home.meters.wärme]": "[home.meters.waerme]",
    "[home.meters.My Meter]": "[home.meters.my-meter]",
    "// a remark": "# a remark",
    "; a remark": "# a remark",
}


@pytest.mark.parametrize(("typed", "meant"), LINES.items(), ids=list(LINES))
def test_a_slip_is_told_with_its_line_and_what_to_type(typed: str, meant: str) -> None:
    text = f"# settings\n\n{typed}\n"
    (told,) = problems(text)
    assert told.startswith("settings.toml, line 3: ")
    quoted = " ".join(typed.split()).replace("\u200b", "\ufffd")  # shows where it is
    assert told.endswith(f": found {quoted}; write: {' '.join(meant.split())}")
    assert is_toml(meant)


def problems(text: str, name: str = "settings.toml") -> tuple[str, ...]:
    with pytest.raises(SettingsError) as raised:
        parse_toml(decode_text(text.encode(), name), name)
    return raised.value.problems


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[a.b]\nx = 1\n\n[a.b]\ny = 2\n", 4, "this table stands in line 1 already"),
        ("[a.b]\nx = 1\nx = 2\n", 3, "x is set in line 2 already; remove one of the two"),
        (
            '[a]\nmeters = "heat"\n[a.meters.heat]\n',
            3,
            "a.meters is a value in line 2, and cannot be a table",
        ),
        ('[a]\nr = ["volume", "power"\ni = 1\n', 2, "the list that begins here is never closed"),
        ('[a]\nr = [\n  "volume",\n  "power"\n\n[b]\n', 2, "the list that begins here is never closed"),
        ('[a]\nr = [\n  "volume"\n  "power"\n]\n', 2, "a comma stands between the values of a list"),
        ("[a]\nr = [\n  volume,\n  power,\n]\n", 2, "the texts of a list stand in quotes"),
        ('[a]\nx = """long\n[b]\n', 2, "the long text that begins here is never closed"),
        ("[a]\nclient =\n", 2, "nothing stands behind the ="),
        ("[a]\nclient = null\n", 2, "what is not to be set is left out"),
        ('[a.meters]\nheat = { client = "dummy",\n', 2, "a table in { } stands in one line"),
        ("home:\n  meters:\n", 1, "a line is the name of a table in [ ]"),
        ('{\n  "home": {\n', 1, "a line is the name of a table in [ ]"),
        ("[a]\nheat\n", 2, "a line is the name of a table in [ ]"),
        ('[[home.meters.heat]]\nclient = "dummy"\n', 1, "the name of a table stands in one [ and one ]"),
        ("[a]\rclient = x\r", 2, "a text stands in quotes"),
        ("x" * 5000, 1, "in a line of 5000 characters"),
    ],
)
def test_what_the_lines_around_it_make_wrong(text: str, line: int, said: str) -> None:
    (told, *_) = problems(text)
    assert told.startswith(f"settings.toml, line {line}: "), told
    assert said in told


def test_all_slips_are_told_at_once() -> None:
    told = problems("[home.meters.heat\nclient: kamstrup\nport = /dev/ttyUSB0\nmains_powered = yes\n")
    assert [line.partition(": ")[0] for line in told] == [f"settings.toml, line {n}" for n in (1, 2, 3, 4)]
    assert len(problems("client = kamstrup\n" * 99)) <= 10


def test_tabs_and_windows_line_ends_are_no_slips() -> None:
    assert parse_toml(decode_text(b"[home]\r\n\tx\t=\t1\r\n", "x"), "x") == {"home": {"x": 1}}


SECRET = "sesame-open"


@pytest.mark.parametrize("name", ["settings.toml", ".secrets.toml", "/run/credentials/x/secrets.toml"])
@pytest.mark.parametrize(
    "line",
    [
        f"password = {SECRET}",
        f"password: {SECRET}",
        f'password "{SECRET}"',
        f'password = "{SECRET}',
        f"pasword = {SECRET}",
        f'host = "broker" password = "{SECRET}"',
        f"token = \u201c{SECRET}\u201d",
        f"password =\n{SECRET}",
        f'password = "first\n{SECRET}"',
        f'password = """first\n{SECRET}\n',
        f"authentication_key = [{SECRET}",
        f"password = 1\npassword = '{SECRET}'",
        f"port = socket://me:{SECRET}@host:1",
    ],
)
def test_no_secret_is_quoted(line: str, name: str) -> None:
    assert not any(SECRET in told for told in problems(f"[home.mqtt]\n{line}\n", name))


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_whatever_is_typed_a_proposal_is_right(text: str) -> None:
    line = text.replace("\n", "").replace("\r", "")
    proposed = slip_in(line).line
    assert not proposed or isinstance(tomllib.loads(proposed), dict)


TYPED = st.text(st.sampled_from("[]{}=:,\"'#.\n ax1/\\"), max_size=40)


@given(TYPED, st.sampled_from(["settings.toml", ".secrets.toml"]))
def test_whatever_is_typed_there_is_a_sentence(text: str, name: str) -> None:
    if not is_toml(text):
        assert all(told.startswith(f"{name}, line ") for told in problems(text, name))


def test_a_mark_in_front_is_accepted(tmp_path: Path) -> None:
    shutil.copy(CONFIG, tmp_path)
    settings = '[home.meters.heat]\nclient = "dummy"\n[home.mqtt]\nhost = "x"\n[home.sinks.homie]\n'
    (tmp_path / "settings.toml").write_text(settings, "utf-8-sig", newline="\r")
    secrets = tmp_path / ".secrets.toml"
    secrets.touch(0o600)
    secrets.write_text('[home.mqtt]\nusername = "me"\npassword = "sesame"\n', "utf-8-sig")
    loaded = load_settings(tmp_path)
    assert loaded.settings.environment == "home"
    assert loaded.settings.sinks["homie"].driver.password.reveal() == "sesame"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["settings.toml", ".secrets.toml"])
def test_utf_16_is_told(encoding: str, name: str, tmp_path: Path) -> None:
    shutil.copy(CONFIG, tmp_path)
    (tmp_path / "settings.toml").write_text("[home]\n")
    (tmp_path / name).write_text("[home]\n", encoding)
    with pytest.raises(SettingsError, match=rf"{name}: it is saved as UTF-16 .*; save it as UTF-8"):
        load_settings(tmp_path)


def test_a_report_has_the_slip_without_the_line() -> None:
    (told,) = problems("[home.meters.heat]\nserial_number = K12 345\n")
    redacted = redact_problem(told)
    assert redacted.startswith("settings.toml, line 2: a text stands in quotes: found ")
    assert "345" not in redacted


def test_a_secret_is_told_by_its_key() -> None:
    for typed, told in {
        "password = sesame": 'found password = ...; write: password = "..."',
        "password: sesame": 'found password: ...; write: password = "..."',
        'password = "sesame",': 'found password = ...; write: password = "..."',
    }.items():
        (line,) = problems(f"[home.mqtt]\n{typed}\n", ".secrets.toml")
        assert line.startswith(".secrets.toml, line 2: ")
        assert line.endswith(told)
