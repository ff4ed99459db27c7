"""Loading from a directory: what wins, what is warned about, what the project ships, and check and init."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import warnings as python_warnings
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.loading import LoadedSettings, load_environment
from smart_meter_reader.settings.warnings import warnings_about
from smart_meter_reader.transport import ports as serial_ports
from tests.cli.program import QUICKLY
from tests.settings import reference as settings_reference
from tests.settings.drivers import REGISTRIES

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "smart_meter_reader" / "templates"
SETTINGS = """
[default.meters.heat]
retries = 1
timeout = "1s"
[house.meters.heat]
client = "heat"
port = "/dev/null"
timeout = "2s"
[house.sinks.screen]
"""


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if "DYNACONF" in name or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "config.py").write_text((ROOT / "config.py").read_text("utf-8"), "utf-8")
    (tmp_path / "settings.toml").write_text(SETTINGS, "utf-8")
    return tmp_path


def load_house(directory: Path) -> LoadedSettings:
    return load_environment(directory, "house", registries=REGISTRIES)


def heat(directory: Path) -> Any:
    return load_house(directory).settings.meters["heat"].driver


def key(digit: str) -> str:
    return digit * 32


def write_secrets(path: Path, digit: str, environment: str = "house") -> None:
    path.write_text(f'[{environment}.meters.heat]\nencryption_key = "{key(digit)}"\n', "utf-8")
    path.chmod(0o600)


def test_each_source_goes_before_the_one_before(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert heat(directory).timeout.total_seconds() == 2  # the environment before [default]
    assert heat(directory).retries == 1
    assert heat(directory).encryption_key is None

    secrets = directory / ".secrets.toml"
    write_secrets(secrets, "1", "default")
    assert heat(directory).encryption_key.reveal() == key("1")
    write_secrets(secrets, "2")
    assert heat(directory).encryption_key.reveal() == key("2")
    assert heat(directory).port == "/dev/null", "a secret leaves its siblings alone"

    credentials = directory / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert heat(directory).encryption_key.reveal() == key("2"), "no secrets.toml among the credentials"
    write_secrets(credentials / "secrets.toml", "3", "default")
    assert heat(directory).encryption_key.reveal() == key("3")
    write_secrets(credentials / "secrets.toml", "4")
    assert heat(directory).encryption_key.reveal() == key("4")

    monkeypatch.setenv("DYNACONF_METERS__HEAT__ENCRYPTION_KEY", key("5"))
    assert heat(directory).encryption_key.reveal() == key("5")
    assert load_house(directory).warnings == ()


def test_a_credential_that_cannot_be_read_is_named(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root reads everything, but no file that leads back to itself.
    (directory / "secrets.toml").symlink_to("secrets.toml")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(directory))
    with pytest.raises(SettingsError, match=r"/secrets\.toml: cannot be read: Too many levels") as raised:
        load_house(directory)
    assert len(raised.value.problems) == 1


def test_the_environment_comes_from_its_variable(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV_FOR_DYNACONF", "House")
    assert load_environment(directory, registries=REGISTRIES).settings.environment == "house"
    monkeypatch.chdir(directory)
    assert load_environment(registries=REGISTRIES).settings.environment == "house"


def test_variables_say_numbers_lists_and_tables(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNACONF_METERS__heat__retries", "7")
    monkeypatch.setenv("DYNACONF_METERS__heat__factor", "0.5")
    monkeypatch.setenv("DYNACONF_METERS__heat__serial_number", "007")
    monkeypatch.setenv(
        "DYNACONF_METERS__heat__groups__peaks", "{registers = ['power'], interval = 'daily 06:00'}"
    )
    monkeypatch.setenv("DYNACONF_METERS__attic", "{client = 'heat', port = '/dev/zero'}")
    monkeypatch.setenv("DYNACONF_METERS__attic__retries", "@int 4")
    monkeypatch.setenv("DYNACONF_METERS__heat__recording", "[1]")
    monkeypatch.setenv("DYNACONF_METERS__heat__port", "07:30:00.5")
    settings = load_house(directory).settings
    driver = settings.meters["heat"].driver
    assert (driver.retries, str(driver.factor), driver.serial_number) == (7, "0.5", "007")
    assert str(driver.recording) == "[1]", "a text that TOML takes for a list"
    assert driver.groups["peaks"].registers == ("power",)
    assert driver.port == "07:30:00.5", "a text that TOML takes for a time"
    assert settings.meters["attic"].driver.retries == 4


def test_a_variable_takes_a_key_away(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNACONF_METERS__heat__retries", "@none")
    assert heat(directory).retries == 2  # the driver's default


def test_another_config_py_on_the_path_is_not_taken(
    directory: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "config.py").write_text("raise SystemExit('wrong file')", "utf-8")
    monkeypatch.syspath_prepend(str(other))
    assert heat(directory).retries == 1


CHANGES = """
import atexit, os, signal, subprocess, sys, warnings
print("printed")
subprocess.run(["echo", "by another program"])
os.write(1, b"written")
os.chdir("/")
os.umask(0)
os.environ["PATH"] = "/nowhere"
os.environ["ADDED"] = "1"
del os.environ["HOME"]
sys.path.insert(0, "/nowhere")
sys.dont_write_bytecode = False
sys.excepthook = None
warnings.simplefilter("error")
signal.alarm(1)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGPIPE, signal.SIGCHLD):
    signal.signal(number, signal.SIG_DFL)
"""


def state_of_the_process() -> list[object]:
    os.umask(mask := os.umask(0))
    return [
        dict(os.environ),
        Path.cwd(),
        mask,
        list(sys.path),
        sys.dont_write_bytecode,
        sys.excepthook,
        list(python_warnings.filters),
        signal.alarm(0),
        *map(signal.getsignal, sorted(signal.valid_signals())),
        [os.fstat(number).st_ino for number in range(3)],
        sys.stdout,
        len(list(Path("/proc/self/fd").iterdir())),
    ]


@pytest.mark.unmeasured
@pytest.mark.timeout(0)  # which would set an alarm as well
@pytest.mark.parametrize("end", ["", "sys.exit('enough')\n", "raise KeyboardInterrupt\n"])
def test_loading_leaves_no_trace(
    end: str, directory: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", "/home")
    (directory / "config.py").write_text(CHANGES + (ROOT / "config.py").read_text("utf-8") + end, "utf-8")
    before = state_of_the_process()
    if end:
        with pytest.raises(SettingsError, match=r"^config\.py"):
            load_house(directory)
    else:
        load_house(directory)
    assert state_of_the_process() == before
    assert sorted(path.name for path in directory.iterdir()) == ["config.py", "settings.toml"]
    printed = capfd.readouterr()
    assert printed.out == ""
    assert all(text in printed.err for text in ("printed", "by another program", "written"))


def test_ctrl_c_ends_a_config_py_that_hangs(directory: Path) -> None:
    (directory / "config.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n", "utf-8"
    )
    checked = command(directory, "check", "house")
    assert (checked.returncode, checked.stdout, checked.stderr) == (130, "", "")


def test_files_of_the_folder_above_do_not_count(directory: Path) -> None:
    below = directory / "below"
    below.mkdir()
    (below / "config.py").write_text((ROOT / "config.py").read_text("utf-8"), "utf-8")
    with pytest.raises(SettingsError, match=r"settings\.toml: not found"):
        load_house(below)


def test_warns_when_secrets_can_be_read_by_all(directory: Path) -> None:
    secrets = directory / ".secrets.toml"
    write_secrets(secrets, "1")
    secrets.chmod(0o640)
    assert load_house(directory).warnings == ()
    secrets.chmod(0o644)
    assert load_house(directory).warnings == (
        f".secrets.toml can be read by every user of this computer; run: chmod 600 {secrets}",
    )


def test_the_command_for_secrets_takes_a_path_with_blanks(tmp_path: Path) -> None:
    secrets = tmp_path / "my meters" / ".secrets.toml"
    secrets.parent.mkdir()
    write_secrets(secrets, "1")
    secrets.chmod(0o644)
    (told,) = warnings_about([], [secrets])
    assert shlex.split(told.rpartition("run: ")[2]) == ["chmod", "600", str(secrets)]


def test_a_file_that_cannot_be_read_is_told(directory: Path) -> None:
    (directory / ".secrets.toml").mkdir()
    with pytest.raises(SettingsError, match=r"\.secrets\.toml: cannot be read: Is a directory"):
        load_house(directory)


def test_a_file_that_is_not_utf_8_is_told(directory: Path) -> None:
    (directory / "settings.toml").write_bytes("[house]\nname = 'Zähler'".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"settings\.toml, line 2: not UTF-8 text.*save it as UTF-8"):
        load_house(directory)


def test_warns_when_a_port_has_a_lasting_name(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The one thing that cannot be installed: an adapter with its links below /dev/serial.
    monkeypatch.setattr(serial_ports, "stable_name", lambda device: f"/dev/serial/by-id/usb-{device[-7:]}")
    for port, warnings in (("/dev/ttyUSB0", 1), ("/dev/ttyACM12", 1), ("/dev/ttyAMA0", 0), ("/dev/null", 0)):
        monkeypatch.setenv("DYNACONF_METERS__heat__port", port)
        loaded = load_house(directory)
        assert len(loaded.warnings) == warnings, port
        assert all("/dev/serial/by-id/usb-" in line and port in line for line in loaded.warnings)


def test_warns_when_a_meter_has_the_name_of_one_behind_another(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text((ROOT / "config.py").read_text("utf-8"), "utf-8")
    meters = {"el": "dsmr", "el-heat": "kamstrup", "el-2": "dsmr", "heat-gas": "dsmr", "el-heat-gas": "dsmr"}
    tables = [
        f'[house.meters.{name}]\nclient = "{client}"\nport = "socket://10.0.0.1:{number}"\n'
        for number, (name, client) in enumerate(meters.items(), 2000)
    ]
    (tmp_path / "settings.toml").write_text("".join(tables) + "[house.sinks.stdout]\n", "utf-8")
    (warning,) = load_settings(tmp_path, "house").warnings
    assert warning == (
        'settings.toml [house] meters.el-heat: meter "el" gives this name to the heat meter behind it, if '
        "there is one, and their readings would mix; give this one another name"
    )


def test_a_port_under_two_names_is_still_one_port(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = directory / "head"
    link.symlink_to("/dev/null")
    monkeypatch.setenv("DYNACONF_METERS__attic", f"{{client = 'heat', port = '{link}'}}")
    with pytest.raises(SettingsError, match='meter "heat" has this one'):
        load_house(directory)


@pytest.mark.parametrize("environment", ["dummy", "demo", "kamstrup_403", "multical_66c"])
def test_the_shipped_environments_are_right(environment: str) -> None:
    assert load_settings(ROOT, environment).settings.environment == environment


@pytest.mark.parametrize(
    ("file", "template"),
    [
        ("config.py", "config.py.template"),
        ("settings.toml", "settings.examples.toml.template"),
        ("etc/secrets.example.toml", "secrets.toml.template"),
    ],
)
def test_the_templates_are_the_projects_own_files(file: str, template: str) -> None:
    same = (TEMPLATES / template).read_text("utf-8") == (ROOT / file).read_text("utf-8")
    assert same, f"run: cp {file} smart_meter_reader/templates/{template}"


def test_the_reference_has_every_key() -> None:
    text = settings_reference.REFERENCE.read_text("utf-8")
    assert settings_reference.written(text) == text, "run: python -m tests.settings.reference"


def command(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*QUICKLY, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_init_writes_what_check_accepts_and_never_overwrites(tmp_path: Path) -> None:
    first = command(tmp_path, "init")
    assert (first.returncode, first.stderr) == (0, "")
    assert (tmp_path / ".secrets.toml").stat().st_mode & 0o777 == 0o600

    # Nothing is wrong with it but that there is no meter yet, and what adds one is said.
    checked = command(tmp_path, "check")
    assert checked.returncode == 78
    missing, todo = checked.stderr.splitlines()
    assert missing.startswith("settings.toml [home] meters: missing")
    assert "`smart-meter-reader scan --write`" in missing
    assert todo.startswith("1 thing is to be put right")

    (tmp_path / "settings.toml").write_text("[house]\n", "utf-8")
    (tmp_path / "config.py").unlink()
    second = command(tmp_path, "init")
    assert second.returncode == 64
    assert "wrote config.py" in second.stdout
    assert second.stderr == (
        "settings.toml exists and was left as it is\nsettings.examples.toml exists and was left as it is\n"
        ".secrets.toml exists and was left as it is\n"
    )
    assert (tmp_path / "settings.toml").read_text("utf-8") == "[house]\n"


def test_what_init_writes_in_remarks_is_right_without_the_remark_signs(tmp_path: Path) -> None:
    assert command(tmp_path, "init").returncode == 0
    for name in ("settings.toml", ".secrets.toml"):
        text = (tmp_path / name).read_text("utf-8")
        (tmp_path / name).write_text(re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.M), "utf-8")
    text = (tmp_path / "settings.toml").read_text("utf-8")
    assert text.count("usb-...") == 2
    (tmp_path / "settings.toml").write_text(text.replace("usb-...", "usb-1", 1), "utf-8")
    secrets = tmp_path / ".secrets.toml"
    secrets.write_text(
        re.sub(r'^(\w*key = ")\.\.\.', r"\g<1>" + "0" * 32, secrets.read_text("utf-8"), flags=re.M)
    )
    loaded = load_settings(tmp_path)
    assert list(loaded.settings.meters) == ["heat", "electricity"]
    assert list(loaded.settings.sinks) == ["stdout", "history", "home_assistant"]


def test_check_shows_what_is_set_and_with_all_the_defaults(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "settings.toml").write_text(
        '[default]\nlog_level = "ERROR"\n[home.meters.heat]\nclient = "dummy"\ninterval = "5s"\n'
        "[home.sinks.stdout]\n",
        "utf-8",
    )
    monkeypatch.setenv("DYNACONF_METERS__HEAT__SEED", "7")
    short = command(directory, "check")
    assert (short.returncode, short.stderr) == (0, "")
    *settings, _, sentence = short.stdout.splitlines()
    assert [" ".join(line.split()) for line in settings] == [
        "# environment home",
        "",
        'log_level = "ERROR" # settings.toml [default]',
        "",
        "[meters.heat]",
        'client = "dummy"',
        'interval = "5s"',
        "seed = 7 # variable DYNACONF_METERS__HEAT__SEED [home]",
        "",
        "[sinks.stdout]",
    ]
    assert sentence == (
        "The settings of home are right: meter heat; sink stdout. Next: `smart-meter-reader doctor` tries "
        "the meters and the sinks, `smart-meter-reader run` starts, `smart-meter-reader check --all` shows "
        "the defaults too."
    )
    whole = command(directory, "check", "--all")
    assert "# default\n" in whole.stdout
    assert sentence.partition(", `smart-meter-reader check")[0] in whole.stdout


def test_check_names_the_environment_where_there_is_another(directory: Path) -> None:
    one = '[{0}.meters.heat]\nclient = "dummy"\n[{0}.sinks.stdout]\n'
    (directory / "settings.toml").write_text(one.format("home") + one.format("barn"), "utf-8")
    assert "more than one environment: home, barn" in command(directory, "check").stderr
    assert "`smart-meter-reader run barn` starts" in command(directory, "check", "barn").stdout


@pytest.mark.parametrize(
    "table", ['[writer]\ndatabase = "postgresql://host/name"\n', "[page]\nport = 8080\n"]
)
def test_a_table_of_a_command_is_no_environment_that_anybody_could_mean(directory: Path, table: str) -> None:
    one = f'[home.meters.heat]\nclient = "dummy"\n[home.sinks.stdout]\n{table}'
    (directory / "settings.toml").write_text(one, "utf-8")
    assert "The settings of home are right" in command(directory, "check").stdout
    assert 'no environment "hone", only: home; did you mean' in command(directory, "check", "hone").stderr
    (directory / "settings.toml").write_text(f'{one}[shed.meters.heat]\nclient = "dummy"\n', "utf-8")
    assert "more than one environment: home, shed; name" in command(directory, "check").stderr
    (directory / "settings.toml").write_text(one + '[leases]\nttl = "1min"\n', "utf-8")
    assert "[leases] belongs to no environment" in command(directory, "check").stderr


def test_init_on_a_full_disk_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    limited = ["sh", "-c", 'ulimit -f 3; exec "$0" -m smart_meter_reader init', sys.executable]
    # Nor of a file of Python's own, which would be broken for whoever comes next.
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(limited, cwd=tmp_path, env=variables, capture_output=True)
    assert done.returncode == 69
    assert b"cannot be written here: File too large" in done.stderr
    # What is small enough is there whole, and nothing else.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.py", "settings.toml"]


def test_a_port_that_can_be_no_path_is_a_problem_of_the_settings(directory: Path) -> None:
    (directory / "settings.toml").write_text(
        '[house.meters.heat]\nclient = "kamstrup"\nport = "/dev/tty\\u0000X"\n[house.sinks.stdout]\n', "utf-8"
    )
    checked = command(directory, "check", "house")
    assert checked.returncode == 78
    assert checked.stderr.startswith("settings.toml [house] meters.heat.port: found ")
    assert "a device path such as" in checked.stderr


def test_a_config_py_that_is_killed_is_tried_again(directory: Path) -> None:
    """By a machine short of memory, say: systemd starts it again; 78 would be the end of the service."""
    (directory / "config.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "utf-8")
    checked = command(directory, "check", "house")
    assert checked.returncode == -signal.SIGKILL


def test_a_request_for_a_reading_that_comes_too_early_ends_nothing(directory: Path) -> None:
    with (directory / "config.py").open("a") as file:
        file.write("import os, signal\nos.kill(os.getpid(), signal.SIGUSR1)\n")
    (directory / "settings.toml").write_text(
        '[house.meters.heat]\nclient = "dummy"\ninterval = "20ms"\n[house.sinks.stdout]\n', "utf-8"
    )
    ran = command(directory, "run", "house", "--once")
    assert (ran.returncode, '"heat"' in ran.stdout) == (0, True), ran.stderr


def test_check_says_every_problem_and_exits_with_78(directory: Path) -> None:
    (directory / "settings.toml").write_text(
        '[house.meters.HEAT]\nclient = "kamstrup"\n[house.sinks.stdot]\n[house.sinks.homie]', "utf-8"
    )
    checked = command(directory, "check", "house")
    assert checked.returncode == 78
    assert checked.stdout == ""
    lines = checked.stderr.splitlines()
    assert len(lines) == 5
    assert lines.pop() == ("4 things are to be put right: do what the lines above say, then check again.")
    assert all(line.startswith("settings.toml [house] ") for line in lines)
    expected = ['"heat"', "port: missing", '"stdout"', "homie.host: missing"]
    assert all(words in line for words, line in zip(expected, lines, strict=True))
