"""No secret comes out: every command and the service run with marked ones, on good ways and on bad."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from smart_meter_reader.cli.commands import COMMANDS
from tests.cli.program import QUICKLY
from tests.peers.mosquitto import MakeBroker, Mosquitto
from tests.peers.mqtt_recorder import recording
from tests.peers.ports import free_port
from tests.service.marked_secrets import (
    AUTHENTICATION_KEY,
    KEY,
    PASSWORD,
    SECRETS,
    TOKEN,
    find,
    find_in_folder,
)

ROOT = Path(__file__).parents[2]
USER = "meter"
PATIENCE = 30.0
SECRET_FILES = frozenset({".secrets.toml", "secrets.toml", "keys.txt", "passwords"})

SETTINGS = """
[default]
log_level = "DEBUG"
[default.mqtt]
host = "127.0.0.1"
port = {mqtt}
username = "{user}"

[house.meters.p1]
client = "dsmr"
port = "socket://127.0.0.1:{p1}"
interval = "0s"
timeout = "1s"
baud = 115200
[house.meters.dummy]
client = "dummy"
interval = "20ms"
[house.sinks.stdout]
[house.sinks.mqtt_json]
[house.sinks.homie]
[house.sinks.home_assistant]
[house.sinks.home_assistant_rest]
url = "http://127.0.0.1:{http}"
[house.sinks.influxdb]
api = "v3"
url = "http://127.0.0.1:{http}"
database = "meters"
[house.sinks.postgresql]
host = "127.0.0.1"
port = 9
"""
SECRETS_FILE = """
[default.mqtt]
{password} = "{password_value}"
[house.meters.p1]
{key} = "{key_value}"
{authentication_key} = "{authentication_key_value}"
[house.sinks.home_assistant_rest]
{token} = "{token_value}"
[house.sinks.influxdb]
{token} = "{token_value}"
[house.sinks.postgresql]
{password} = "{password_value}"
"""
RIGHT = {
    **{name: name for name in ("password", "key", "authentication_key", "token")},
    "password_value": PASSWORD,
    "key_value": KEY,
    "authentication_key_value": AUTHENTICATION_KEY,
    "token_value": TOKEN,
}
# What people do to the file of secrets; each must be refused without a word of what it holds.
SPOILT: Mapping[str, Mapping[str, str]] = {
    "misspelt": {"password": "pasword", "key": "keey", "authentication_key": "auth_key", "token": "tokn"},
    "capitals": {"password": "PASS_WORD", "key": "GUEK", "authentication_key": "GAK", "token": "BEARER"},
    "keys cut short": {"key_value": KEY[:-1], "authentication_key_value": AUTHENTICATION_KEY[:-2]},
    "keys swapped with others": {
        "key_value": PASSWORD,
        "authentication_key_value": TOKEN,
        "token_value": f"{TOKEN} {KEY}",
    },
    "a broken file": {"key_value": f'{KEY}"""\n[['},
    "no quotes": {"key": f"key = {KEY}\nother"},
    "a table": {
        "password": f'password = {{ value = "{PASSWORD}" }}\nother',
        "key": f'key = ["{KEY}"]\nother2',
    },
}


class House:
    """A folder of settings with secrets, and commands run in it; all that they say is searched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir()
        shutil.copy(ROOT / "config.py", folder)

    def write(self, settings: str, secrets: Mapping[str, str] = RIGHT) -> None:
        (self.folder / "settings.toml").write_text(settings)
        path = self.folder / ".secrets.toml"
        path.write_text(SECRETS_FILE.format(**{**RIGHT, **secrets}))
        path.chmod(0o644)  # which is warned about

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*QUICKLY, *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "ENV_FOR_DYNACONF": "house",
                "STATE_DIRECTORY": str(self.state),
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )

    def run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """The exit code and all output of a command, in which no secret was found."""
        process = self.start(*arguments, **variables)
        output, errors = process.communicate(timeout=60)
        assert "Traceback" not in errors, errors
        assert find(output, f"stdout of {arguments}") == []
        assert find(errors, f"stderr of {arguments}") == []
        self.search_files()
        return process.returncode, output + errors

    def search_files(self) -> None:
        assert find_in_folder(self.folder, leave_out=SECRET_FILES) == []


@pytest.fixture
def house(tmp_path: Path) -> House:
    folder = tmp_path / "house"
    folder.mkdir()
    return House(folder)


@pytest.fixture
def home_assistant() -> Iterator[tuple[int, list[str]]]:
    """A server that refuses every token; its port, and the tokens that came."""
    came: list[str] = []

    class Refusing(BaseHTTPRequestHandler):
        def refuse(self) -> None:
            came.append(self.headers.get("Authorization", ""))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            # A bad server repeats what it was sent.
            body = self.headers.get("Authorization", "").encode()
            self.send_response(401, f"refused {came[-1]}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = refuse  # noqa: N815 - as the base class wants it

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1], came
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def p1(house: House) -> Iterator[int]:
    """The port of an emulated meter that encrypts with the marked keys, from a file."""
    number = free_port()
    keys = house.folder.parent / "keys.txt"
    keys.write_text(f"{KEY}\n{AUTHENTICATION_KEY}\n")
    process = house.start(
        *("emulate", "p1", "--encrypt", "--key-file", str(keys)),
        *("--rate", "20/s", "--listen", str(number)),
    )
    assert process.stdout is not None
    assert "socket://" in process.stdout.readline()
    yield number
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=20)
    assert find(output + errors, "emulate p1") == []


def broker_with(make_broker: MakeBroker, folder: Path, password: str) -> Mosquitto:
    passwords = folder / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), USER, password], check=True)
    return make_broker(f"password_file {passwords}", anonymous=False)


def run_for_a_while(house: House, *, until: str, **variables: str) -> None:
    """Run the service until ``until`` stands in its log, and search all it says."""
    process = house.start("run", **variables)
    drained: list[str] = []
    reading = threading.Thread(target=lambda: drained.extend(process.stdout or ()))
    reading.start()
    assert process.stderr is not None
    errors: list[str] = []
    too_long = threading.Timer(PATIENCE, process.kill)
    too_long.start()
    for line in process.stderr:
        errors.append(line)
        if until in line:
            break
    process.send_signal(signal.SIGTERM)
    errors += list(process.stderr)
    process.wait(20)
    too_long.cancel()
    reading.join()
    process.communicate()
    text = "".join(errors)
    assert until in text, text
    assert "Traceback" not in text, text
    assert find(text, "the log") == []
    assert find("".join(drained), "stdout of the service") == []
    house.search_files()


def test_the_marks_are_found_in_every_form() -> None:
    """The search itself, so that the tests below can fail."""
    key = bytes.fromhex(KEY)
    for leak in (
        *SECRETS,
        KEY.lower(),
        " ".join(KEY[i : i + 2] for i in range(0, 32, 2)),
        repr(key),
        str(list(key)),
        PASSWORD.encode().hex(),
        f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}",
    ):
        assert find(f"something {leak} else", "here"), leak
    assert not find("password = <hidden>, key = <hidden>", "here")


def test_the_service_with_all_secrets_right(
    house: House, make_broker: MakeBroker, p1: int, home_assistant: tuple[int, list[str]]
) -> None:
    """... but for the token, which is refused by a server that repeats it."""
    broker = broker_with(make_broker, house.folder.parent, PASSWORD)
    open_listener = make_broker()
    house.write(SETTINGS.format(mqtt=broker.port, user=USER, p1=p1, http=home_assistant[0]))
    run_for_a_while(house, until="meter p1 is online")
    assert any(TOKEN in header for header in home_assistant[1])
    assert find(broker.log(), "the broker's log") == []
    # What the sinks publish, on a broker that anybody may listen to.
    house.write(SETTINGS.format(mqtt=open_listener.port, user=USER, p1=p1, http=home_assistant[0]))
    with recording(open_listener.port) as recorder:
        run_for_a_while(house, until="meter p1 is online")
        traffic = "\n".join(f"{item.topic} {item.payload}" for item in recorder.traffic)
    assert "active_energy_import" in traffic
    assert find(traffic, "MQTT traffic") == []


def test_the_service_with_wrong_ones(
    house: House, make_broker: MakeBroker, p1: int, home_assistant: tuple[int, list[str]]
) -> None:
    broker = broker_with(make_broker, house.folder.parent, "another one")
    settings = SETTINGS.format(mqtt=broker.port, user=USER, p1=p1, http=home_assistant[0])
    # Both keys are the marked ones, and both are wrong.
    house.write(settings, {"key_value": AUTHENTICATION_KEY, "authentication_key_value": KEY})
    run_for_a_while(house, until="check the encryption key")
    house.write(settings, {"authentication_key_value": KEY})
    run_for_a_while(house, until="check authentication_key")
    house.write(settings)
    run_for_a_while(house, until="sink mqtt_json: ")


@pytest.mark.parametrize("spoilt", SPOILT)
def test_settings_that_are_refused(house: House, spoilt: str) -> None:
    house.write(SETTINGS.format(mqtt=1, user=USER, p1=1, http=1), SPOILT[spoilt])
    for command in (["check"], ["run"]):
        code, said = house.run(*command)
        assert code == 78, said


VARIABLES = {
    "DYNACONF_MQTT__password": PASSWORD,
    "DYNACONF_METERS__p1__key": KEY,
    "DYNACONF_METERS__p1__authentication_key": AUTHENTICATION_KEY,
    "DYNACONF_SINKS__home_assistant_rest__token": TOKEN,
}
MISSPELT_VARIABLES = {
    "DYNACONF_MQTT__pasword": PASSWORD,
    "DYNACONF_METERS__p1__keey": KEY,
    "DYNACONF_METERS__p2__key": KEY,
    "DYNACONF_PASSWORD": PASSWORD,
    "DYNACONF_TOKEN": TOKEN,
}


def test_secrets_in_variables_and_credentials(house: House) -> None:
    settings = SETTINGS.format(mqtt=1, user=USER, p1=1, http=1)
    (house.folder / "settings.toml").write_text(settings)
    code, said = house.run("check", **VARIABLES)
    assert code == 0, said
    assert said.count("<hidden>") >= 4
    code, said = house.run("check", **VARIABLES, **MISSPELT_VARIABLES)
    assert code == 78, said
    credentials = house.folder.parent / "credentials"
    credentials.mkdir()
    (credentials / "secrets.toml").write_text(SECRETS_FILE.format(**RIGHT))
    code, said = house.run("check", CREDENTIALS_DIRECTORY=str(credentials))
    assert code == 0, said
    (credentials / "secrets.toml").write_text(SECRETS_FILE.format(**{**RIGHT, **SPOILT["misspelt"]}))
    code, said = house.run("check", CREDENTIALS_DIRECTORY=str(credentials))
    assert code == 78, said


# Every command, with arguments that bring it as far as it gets without a meter.
COMMAND_LINES: Mapping[str, list[list[str]]] = {
    "run": [["run", "--once"]],
    "check": [["check"]],
    "init": [["init"]],
    "ports": [["ports"]],
    "scan": [["scan", "/nowhere"]],
    "align": [["align", "/nowhere", "--count", "1"]],
    "read": [
        ["read", "/nowhere", "--client", "dsmr", "--set", f"key={KEY}"],
        ["read", "/nowhere", "--client", "dsmr", "--set", f"keey={KEY}"],
        ["read", "/nowhere", "--client", "dsmr", "--set", f"key={KEY[:-1]}"],
    ],
    "record": [["record", "/nowhere", "file", "--client", "dsmr", "--set", f"key={KEY}"]],
    "diagnose": [["diagnose", "house", "--output", "report.txt", "--timeout", "2"]],
    "doctor": [["doctor", "--timeout", "2"]],
    "registers": [["registers"]],
    "decode": [
        ["decode", "p1", "settings.toml", "--key", KEY, "--authentication-key", AUTHENTICATION_KEY],
        ["decode", "p1", "settings.toml", "--key", KEY[:-1]],
    ],
    "emulate": [["emulate", "p1", "--encrypt", "--key", KEY[:-1]]],
    "mqtt": [["mqtt", "test"], ["mqtt", "preview"], ["mqtt", "preview", "--json"], ["mqtt", "clear", "p1"]],
    "history": [["history", "export"], ["history", "export", "--format", "json"]],
    "service": [["service", "install", "house", "--dry-run"], ["service", "status", "house"]],
    "web": [["web", "password"]],
    "writer": [["writer"], ["writer", "--prepare"], ["writer", "--check"]],
    "completion": [["completion", "bash"]],
    "health": [["health", "house"]],
    "setup": [["setup", "house"]],
    "logs": [["logs", "/nowhere"]],
    "clock": [["clock", "/nowhere"]],
}


def test_no_command_is_left_out() -> None:
    assert set(COMMAND_LINES) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMAND_LINES)
def test_commands_hide_them(
    command: str, house: House, make_broker: MakeBroker, home_assistant: tuple[int, list[str]]
) -> None:
    broker = broker_with(make_broker, house.folder.parent, PASSWORD)
    settings = SETTINGS.format(mqtt=broker.port, user=USER, p1=free_port(), http=home_assistant[0])
    house.write(settings.replace('"DEBUG"', '"INFO"'))
    for line in COMMAND_LINES[command]:
        code, said = house.run(*line)
        assert said or code == 0


def test_diagnose_holds_none(house: House, p1: int) -> None:
    house.write(SETTINGS.format(mqtt=1, user=USER, p1=p1, http=1))
    code, said = house.run("diagnose", "house", "--output", "report.txt")
    assert code == 0, said
    report = (house.folder / "report.txt").read_text()
    assert "<hidden>" in report
    assert find(report, "the report") == []
