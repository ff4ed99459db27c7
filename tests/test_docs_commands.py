"""Every command that the pages show is taken by the program, and runs where no machine is changed by it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import click
import pytest

from smart_meter_reader.cli.commands import cli
from smart_meter_reader.messages import Message
from tests.cli.program import PROGRAM, ROOT, emulated, run
from tests.codecs.dlms.vectors import wire as dlms
from tests.codecs.sml.vectors import wire as sml
from tests.history.homes import keep, reading
from tests.peers.mosquitto import Mosquitto

# What the program itself tells to type.
MESSAGES = sorted((ROOT / "smart_meter_reader").rglob("*.py"))
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "settings.toml",
    *sorted(path for path in (ROOT / "etc").rglob("*") if path.is_file()),
    *sorted((ROOT / "smart_meter_reader" / "templates").glob("*.template")),
]
NAMES = ("smart-meter-reader", "python -m smart_meter_reader")
_FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.M | re.S)
_INLINE = re.compile(r"`([^`]+)`")
_BEFORE = r"(?:^|\s)(?:\$ |sudo |[A-Za-z_]+=\S+ )*(?:\.venv/bin/|/opt/\S+/bin/)?"
_CALL = re.compile(rf"{_BEFORE}(?:{'|'.join(NAMES)})(?=\s|$)(?P<rest>.*)")
# The first line of a recording has the program's name, too.
_NO_COMMAND = ("recording", "1")
# What a page writes for something that the reader puts in.
_STANDS_FOR = {"ENV": "home", "METER": "heat", "PORT": "PORT", "DIRECTORY": ".", "FILE": "file"}


def shown(page: Path) -> Iterator[str]:
    """What a page tells to type, one command each, with lines that go on joined."""
    text = page.read_text("utf-8")
    if page.suffix == ".md":
        for language, block in _FENCED.findall(text):
            if language in ("", "sh"):
                yield from block.replace("\\\n", " ").splitlines()
        text = _FENCED.sub("", text)
    elif page.suffix != ".py":
        text = re.sub(r"^# ?", "", text, flags=re.M)
        yield from (line for line in text.splitlines() if line.startswith("    "))
    yield from (" ".join(found.split()) for found in _INLINE.findall(text) if "{" not in found)


def arguments(line: str) -> list[str] | None:
    """The arguments of our program in a line that calls it; None for another line."""
    found = _CALL.match(line.strip())
    if found is None:
        return None
    rest = found["rest"].split(" > ")[0]
    words = shlex.split(rest, comments=True)
    optional = [word.strip("[]") for word in words]
    return [_STANDS_FOR.get(word, word) for word in optional]


def commands() -> dict[tuple[str, ...], str]:
    """Every command shown, with the page that shows it first."""
    found: dict[tuple[str, ...], str] = {}
    for page in [*PAGES, *MESSAGES]:
        for line in shown(page):
            typed = arguments(line)
            if typed is not None and tuple(typed) != _NO_COMMAND:
                found.setdefault(tuple(typed), page.name)
    return found


def command_of(typed: Sequence[str]) -> tuple[click.Command, list[str]]:
    """The command that is meant, and what is left for it. Raises click.ClickException."""
    command: click.Command = cli
    words = list(typed)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, found, words = command.resolve_command(click.Context(command), words)
        assert found is not None, name
        command = found
    return command, words


def parse(typed: Sequence[str]) -> None:
    """Raise click.ClickException unless the command takes every argument."""
    command, words = command_of(typed)
    if not isinstance(command, click.Group):
        command.make_context("smart-meter-reader", words)


def is_name(typed: Sequence[str]) -> bool:
    """Whether a page only names the command, and it would need more to run."""
    command, words = command_of(typed)
    return not words and any(each.required for each in command.params)


COMMANDS = commands()


def test_there_are_commands_in_the_pages() -> None:
    assert len(COMMANDS) > 40
    assert ("mqtt", "clear", "heat") in COMMANDS
    assert "settings.toml" in COMMANDS.values()
    assert ("scan", "--write") in COMMANDS


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of the meters that the pages name, with a note."""
    path = tmp_path_factory.mktemp("kept") / "home.history.sqlite"
    begin = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp())
    messages: list[Message] = []
    for day in range(90):
        time = begin + day * 86400
        heat = {"heat_energy": (Decimal(day), "kWh"), "flow_temperature": (Decimal(60), "°C")}
        messages += [reading(time, heat), reading(time, {"water_volume": (Decimal(day), "m³")}, "water")]
    store = keep(path, messages)
    store.open()
    store.note("heat", "", "wrong", begin, begin, "")
    store.close()
    return path


@pytest.fixture
def files(tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the files that the pages name."""
    shutil.copy(ROOT / "config.py", tmp_path)
    shutil.copy(ROOT / "tests/data/recordings/p1_belgium.rec", tmp_path / "kitchen.rec")
    capture = shutil.copy(
        ROOT / "tests/data/recordings/p1_luxembourg_encrypted.rec", tmp_path / "capture.bin"
    )
    (tmp_path / "telegrams.bin").write_bytes(sml("sml-iskra-mt175"))
    (tmp_path / "lists.bin").write_bytes(dlms("hdlc-kaifa-no-list3"))
    keys = re.findall(r'^setting \w*key = "(\w+)"', Path(capture).read_text("utf-8"), re.M)
    assert len(keys) == 2
    (tmp_path / "keys.txt").write_text("\n".join(keys))
    for name in ("state/home.history.sqlite", "backup.sqlite"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(kept, tmp_path / name)
    (tmp_path / "old.csv").write_text(
        "time,meter,quantity,value,unit\n2025-01-01T00:00:00Z,heat,heat_energy,0,kWh\n"
    )
    (tmp_path / "config.yaml").write_text("serial_device: {com_port: /dev/ttyUSB0}\n")
    (tmp_path / "export.csv").write_text("Dato,Stand,Energi\n2025-01-01T00:00:00Z,0,0\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("typed", COMMANDS, ids=" ".join)
def test_each_is_understood(typed: tuple[str, ...], files: Path) -> None:
    if not is_name(typed):
        try:
            parse(typed)
        except click.MissingParameter:
            assert COMMANDS[typed].endswith(".py"), typed  # what a sentence of the program need not repeat
        except click.ClickException as error:
            pytest.fail(f"{COMMANDS[typed]}: {shlex.join(typed)}: {error.format_message()}")


def test_what_no_command_takes_is_noticed(files: Path) -> None:
    for typed in (("check", "--al"), ("mqtt", "claer", "heat"), ("read", "--client", "kamstrop", "/dev/x")):
        with pytest.raises(click.ClickException):
            parse(typed)


SETTINGS = """
[home.meters.heat]
client = "kamstrup"
port = "HEAT"
interval = "1h"
[home.meters.electricity]
client = "dsmr"
port = "POWER"
[home.mqtt]
host = "127.0.0.1"
port = BROKER
[home.sinks.stdout]
format = "table"
[home.sinks.mqtt_json]
[home.sinks.history]
directory = "state"
"""
# Only for the command that names them: others would wait for the servers.
DATABASES = """
[home.sinks.influxdb]
api = "v1"
database = "meters"
[home.sinks.postgresql]
"""
# These go on until somebody ends them.
FOR_EVER = ("run", "emulate")


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Emulated meters of the families that the pages show, and a broker."""
    folder = tmp_path_factory.mktemp("lines")
    with ExitStack() as stack:
        for name, kind in {
            "heat": ["kamstrup", "--model", "601", "--module", "top", "--baud", "0", "--delay", "0"],
            "power": ["p1", "--rate", "10/s"],
            "head": ["sml", "--every", "0.2", "--baud", "0"],
            "han": ["dlms", "--every", "0.2", "--baud", "0"],
            "bus": ["mbus", "--meter", "7", "--baud", "0", "--delay", "0"],
        }.items():
            stack.enter_context(emulated(*kind, "--link", str(folder / name)))
        broker = Mosquitto(folder / "broker")
        stack.callback(broker.stop)
        ports = {name.upper(): str(folder / name) for name in ("heat", "power", "head", "han", "bus")}
        yield {**ports, "BROKER": str(broker.port)}


_A_PORT = re.compile(r"/dev/|/tmp/(heat|power|bus)|socket:|rfc2217:|PORT$")


def put_in(typed: tuple[str, ...], lines: dict[str, str]) -> list[str]:
    """The command with real ports in the place of those that the page makes up, and without long waits."""
    power = "dsmr" in typed or any("power" in word for word in typed[1:])
    pushing = {"sml": "HEAD", "mbus": "BUS", "dlms": "HAN"}
    kinds = [place for client, place in pushing.items() if client in typed]
    port = lines[kinds[0] if kinds else "POWER" if power else "HEAT"]
    words = [port if _A_PORT.match(word) else word for word in typed]
    if typed[:1] == ("scan",):
        words += ["--listen", "0.5", *([] if port in words else [lines["HEAT"], lines["POWER"]])]
    if typed[:1] == ("align",) and "--count" not in typed:
        words += ["--count", "2"]
    if typed[:1] == ("record",):
        words += ["--force"]
    if "--link" in words:
        words[words.index("--link") + 1] = "link"
    if typed[:2] == ("mqtt", "clear"):
        words += ["--yes"]
    if typed[:2] == ("history", "push") and "--dry-run" not in typed:
        words += ["--dry-run"]
    return words


# `service` changes the machine and needs systemd, `health` asks a service that runs: parsed above, they
# have tests of their own. So have the page of several environments and the writer: they run until stopped.
RUN = (
    [
        typed
        for typed, page in COMMANDS.items()
        if page.endswith((".md", ".toml", ".template", ".service"))
        and typed[:1] not in (("service",), ("health",))
        and (typed[:1] != ("clock",) or "--set" not in typed)  # which only a person at a terminal may
        and (typed[:1] != ("web",) or typed[1:2] == ("password",))
        and (typed[:1] != ("writer",) or typed[1:2] == ("--new-key",))
        and not isinstance(command_of(typed)[0], click.Group)
        and not is_name(typed)
    ]
    + [()]
)


# What a person types when asked.
FEEDS: dict[tuple[str, ...], bytes] = {
    ("web", "password"): b"correct horse battery\n",
    ("setup",): b"skip\n" * 20,
    ("setup", "--import", "config.yaml"): b"skip\n" * 20,
}


@pytest.mark.xdist_group("the lines of the commands in the pages")
@pytest.mark.parametrize("typed", RUN, ids=" ".join)
def test_each_runs(typed: tuple[str, ...], lines: dict[str, str], files: Path) -> None:
    if typed == ("init",):
        (files / "config.py").unlink()
    else:
        settings = SETTINGS
        if typed[:2] == ("history", "push"):
            settings += DATABASES
        for name, value in lines.items():
            settings = settings.replace(name, value)
        (files / "settings.toml").write_text(settings)
    words = put_in(typed, lines)
    if (not typed or typed[0] in FOR_EVER) and "--once" not in typed:
        until_it_says_something(words, files)
        return
    done = run(*words, cwd=files, feed=FEEDS.get(typed, b""))
    assert done.returncode == 0, f"{COMMANDS[typed]}: {shlex.join(words)}\n{done.stdout}{done.stderr}"


def until_it_says_something(words: list[str], files: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, *words],
        cwd=files,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert first.strip(), errors
    assert process.returncode == 0, errors


@pytest.mark.xdist_group("the lines of the commands in the pages")
def test_the_first_hour(lines: dict[str, str], tmp_path: Path) -> None:
    """The four commands of the README in a directory with nothing in it; nobody types the environment."""
    readme = (ROOT / "README.md").read_text("utf-8")
    four = ["init", "scan --write", "check", "run"]
    assert "```\n" + "".join(f"smart-meter-reader {each}\n" for each in four) + "```" in readme
    assert run("init", cwd=tmp_path).returncode == 0
    assert (tmp_path / ".secrets.toml").stat().st_mode & 0o777 == 0o600
    scan = run("scan", "--write", "--listen", "0.5", lines["HEAT"], lines["POWER"], cwd=tmp_path)
    assert "added 2 meters to settings.toml, for home. Next: smart-meter-reader check\n" in scan.stderr
    checked = run("check", cwd=tmp_path)
    assert checked.returncode == 0
    assert checked.stdout.splitlines()[-1].startswith(
        "The settings of home are right: meters heat, electricity;"
    )
    read = run("run", "--once", cwd=tmp_path)
    assert read.returncode == 0
    assert "heat · Kamstrup MULTICAL 601 (Pt500) ·" in read.stdout
    assert "electricity · " in read.stdout


def test_the_own_settings_of_the_project_run() -> None:
    """As the service of the first user has it: ENV_FOR_DYNACONF names one of many environments."""
    done = run("run", "--once", environment={"ENV_FOR_DYNACONF": "dummy"})
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[0])["meter"] == "dummy"
    without = run("run", "--once", environment={"ENV_FOR_DYNACONF": ""})
    assert without.returncode == 78
    assert "more than one environment: dummy, databases, demo, kamstrup_403" in without.stderr


SCRIPT = re.compile(r"(?:^|\s)(?:sudo )?(?:\./|smart_meter_reader/)scripts/(?P<name>[\w-]+)(?P<rest>[^#]*)")
MODULE = re.compile(r"python -m (?P<name>(?:benchmarks|tests)[\w.]*)")


def test_each_script_is_there_with_its_options() -> None:
    seen = set()
    for page in PAGES:
        for line in shown(page):
            for found in SCRIPT.finditer(line):
                script = ROOT / "scripts" / found["name"]
                assert os.access(script, os.X_OK), f"{page.name}: {line}"
                text = script.read_text("utf-8")
                options = re.findall(r"(?<=\s)--[a-z-]+", found["rest"])
                missing = [option for option in options if option not in text and "argparse" in text]
                assert not missing, f"{page.name}: {line}"
                seen.add(found["name"])
            for module in MODULE.findall(line):
                assert importlib.util.find_spec(module) is not None, f"{page.name}: {line}"
                seen.add(module)
    assert {"demo", "install", "tests.settings.reference"} <= seen
