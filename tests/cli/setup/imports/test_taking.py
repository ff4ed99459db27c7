"""The settings of other programs: every key is told, no secret is, and what comes of them can be used."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from smart_meter_reader.cli.setup.draft import SettingsDraft
from smart_meter_reader.cli.setup.imports.taking import applied, brought_by, refuse_unfit
from smart_meter_reader.console import EXIT_OK, EXIT_SETTINGS, EXIT_USAGE
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.loading import LoadedSettings
from tests.cli.program import emulated, run
from tests.peers.dialogue import Dialogue
from tests.peers.mosquitto import PASSWORD, USER, MakeBroker, Watcher, login_lines

HIDDEN = "s3cr3t-Pass"
GUEK, GAK = "00112233445566778899AABBCCDDEEFF", "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"

KAMSTRUP_402 = f"""\
mqtt:
    host: 10.0.0.210
    port: 8883
    client: kamstrup
    topic: kamstrup
    qos: 0
    retain: False
    authentication: True
    username: user1
    password: {HIDDEN}
    tls_enabled: true
    tls_ca_cert: ca.pem
    keepalive: {HIDDEN}
serial_device:
    com_port: /dev/ttyKamstrup
kamstrup:
    parameters: [energy, Volume, temp1, temp2, minflowDate_m, Heat Energy, colour]
    poll_interval: 28
"""
MC66C = f"""\
main:
  serialport: /dev/ttyUSB13
  destination: mqtt
  compare_previous_readings: True
  energy_threshold: 1
http:
  protocol: http
  api_password: {HIDDEN}
mqtt:
  broker: 192.168.1.50
  port: 8883
  username: mqtt
  password: {HIDDEN}
  certificate: /etc/ssl/certs/ca-certificates.crt
  tls_version: TLSv1_2
  tls_insecure: false
  topic: home-assistant/stadsverwarming
  retain: true
"""
CRONTAB = f"""\
MAILTO=""
# */5 * * * * python3 multical402-4-homeassistant.py -d /dev/old 60
*/20 * * * * /usr/bin/python3 /opt/multical402-4-homeassistant.py -d /dev/ttyUSB0 --mqtt \
--mqtt_ip="10.0.0.1" --mqtt_port=1883 --mqtt_topic="kamstrup" --mqtt_user="kamstrup" \
--mqtt_pass="{HIDDEN}" --add_sensors_to_ha --loud 60 80 86 99999 >> /tmp/log 2>&1
"""
MUELI = """\
[global]
debug_level = "DEBUG"
mqtt_broker = "mortar.example"
mqtt_port = 1884
[dummy]
[dummy.client]
id = "dummy"
[t210]
dynaconf_merge = true
[t210.client]
id = "sagemcom_T210_D_r"
[t210.client.serial]
port = "/dev/ttyS0"
settings = "SERIAL_SETTINGS_V5"
[t210.sink]
ids = ["homie"]
[t210.sink.homie]
id = "electric-smart-meter"
name = "Sagemcom"
colour = "red"
[kamstrup_403.client]
id = "kamstrup_403"
[kamstrup_403.client.serial]
port = "/dev/ttyUSB0"
[kamstrup_403.sink.homie]
id = "heat-smart-meter"
"""
MUELI_SECRETS = f'[t210.client]\nguek = "{GUEK}"\ngak = "{GAK}"\n'


def taken(folder: Path, name: str, text: str) -> tuple[list[str], SettingsDraft]:
    (folder / name).write_text(text)
    (folder / "home").mkdir(exist_ok=True)
    brought = brought_by(folder / name)
    return brought.fates, applied(SettingsDraft.of(folder / "home", None), brought)


def loaded(draft: SettingsDraft) -> LoadedSettings:
    """They can be used, and no secret is where everybody can read."""
    assert HIDDEN not in draft.settings
    return draft.load()


def fate(fates: list[str], key: str) -> str:
    (found,) = [line for line in fates if line.startswith(f"{key}: ")]
    return found.partition(": ")[2]


def test_kamstrup_402_mqtt(tmp_path: Path) -> None:
    fates, draft = taken(tmp_path, "config.yaml", KAMSTRUP_402)
    assert HIDDEN not in "".join(fates)
    assert fate(fates, "serial_device.com_port") == 'taken as [meters.heat] port = "/dev/ttyKamstrup"'
    assert fate(fates, "mqtt.password") == "taken as [mqtt] password, into .secrets.toml"
    assert fate(fates, "mqtt.keepalive") == "unknown: it was left out"
    assert fate(fates, "kamstrup.parameters, colour").startswith("NOT TAKEN: ")
    assert fate(fates, "kamstrup.poll_interval").startswith('taken as [meters.heat] interval = "28min"; ')
    assert draft.table("meters", "heat")["registers"] == [
        "heat_energy",
        "volume",
        "flow_temperature",
        "return_temperature",
        "volume_flow_minimum_month_date",
    ]
    assert draft.table("mqtt") == {
        "host": "10.0.0.210",
        "port": 8883,
        "username": "user1",
        "tls": True,
        "ca": "ca.pem",
    }
    assert draft.table("sinks", "mqtt_json") == {
        "format": "flat",
        "base": "kamstrup",
        "qos": 0,
        "retain": False,
    }
    assert tomllib.loads(draft.secrets) == {"home": {"mqtt": {"password": HIDDEN}}}
    assert loaded(draft).settings.meters["heat"].client == "kamstrup"


def test_kamstrup_402_mqtt_without_login_and_tls(tmp_path: Path) -> None:
    text = KAMSTRUP_402.replace("authentication: True", "authentication: no").replace("tls_enabled: true", "")
    fates, draft = taken(tmp_path, "config.yaml", text)
    assert fate(fates, "mqtt.password") == "not needed: authentication is off"
    assert fate(fates, "mqtt.tls_ca_cert") == "not needed: TLS is off"
    assert draft.table("mqtt") == {"host": "10.0.0.210", "port": 8883}
    loaded(draft)


def test_hass_mc66c_to_mqtt(tmp_path: Path) -> None:
    fates, draft = taken(tmp_path, "config.yaml", MC66C)
    assert HIDDEN not in "".join(fates)
    assert fate(fates, "main.compare_previous_readings").startswith("not needed: the guard")
    assert fate(fates, "http (2 keys)") == "not needed: main.destination names another"
    assert fate(fates, "mqtt.tls_version").startswith("not needed: ")
    meter = loaded(draft).settings.meters["heat"]
    assert (meter.client, meter.driver.reads_from) == ("iec62056_21", "/dev/ttyUSB13")
    assert draft.table("mqtt")["tls"] is True
    assert draft.table("sinks", "mqtt_json")["base"] == "home-assistant/stadsverwarming"


def test_hass_mc66c_to_home_assistant(tmp_path: Path) -> None:
    text = f"""\
main: {{serialport: /dev/ttyUSB0, destination: http}}
http: {{protocol: https, homeassistant_ip: 10.0.0.3, port: 8123, token: {HIDDEN}, energy_icon: "mdi:gauge"}}
"""
    fates, draft = taken(tmp_path, "config.yaml", text)
    assert HIDDEN not in "".join(fates)
    assert fate(fates, "http.energy_icon").startswith("not needed: ")
    assert draft.table("sinks", "home_assistant_rest") == {"url": "https://10.0.0.3:8123"}
    assert "home_assistant_rest" in loaded(draft).settings.sinks


def test_the_crontab_of_multical402(tmp_path: Path) -> None:
    fates, draft = taken(tmp_path, "crontab", CRONTAB)
    assert HIDDEN not in "".join(fates)
    assert fate(fates, "--loud") == "unknown: it was left out"
    assert fate(fates, "register 99999").startswith("NOT TAKEN: ")
    assert fate(fates, "--mqtt_port") == "not needed: 1883 is the usual one"
    assert fate(fates, "what follows >>").startswith("not needed: ")
    assert dict(draft.table("meters", "heat")) == {
        "client": "kamstrup",
        "interval": "20min",
        "port": "/dev/ttyUSB0",
        "registers": ["heat_energy", "power", "flow_temperature"],
    }
    assert set(loaded(draft).settings.sinks) >= {"mqtt_json", "home_assistant"}
    assert tomllib.loads(draft.secrets) == {"home": {"mqtt": {"password": HIDDEN}}}


@pytest.mark.parametrize(
    ("cron", "interval"), [("7 * * * *", "at :07"), ("*/5 * * * *", "5min"), ("0 6 * * *", None), ("", None)]
)
def test_when_cron_ran_it(cron: str, interval: str | None, tmp_path: Path) -> None:
    _, draft = taken(tmp_path, "line", f"{cron} multical402-4-homeassistant.py -d /dev/ttyUSB0 60")
    assert draft.table("meters", "heat").get("interval") == interval
    loaded(draft)


@pytest.mark.parametrize(
    "typed",
    [
        rf"--mqtt_pass\ {HIDDEN}",
        rf"--mqtt_pass\{HIDDEN}",
        f"--mqtt_pass{HIDDEN}",
        rf"--mqtt_user\ me\ --mqtt_pass\ {HIDDEN}",
        rf"--mqtt_pass\={HIDDEN}",
        f"--password {HIDDEN}",
        f"-{HIDDEN}!",
        rf"--loud\ {HIDDEN}",
        f"'>'{HIDDEN}",
        "--mqtt_pas 4711",
        "--mqtt_password 4711",
    ],
)
def test_a_password_with_a_slip_before_it_is_not_shown(tmp_path: Path, typed: str) -> None:
    line = f"0 6 * * * multical402-4-homeassistant.py -d /dev/ttyUSB0 60 {typed} 68\n"
    fates, draft = taken(tmp_path, "crontab", line)
    for secret in (HIDDEN, "4711"):
        assert secret not in "".join(fates)
        assert secret not in draft.settings
    loaded(draft)


def test_the_older_smart_meter_reader(tmp_path: Path) -> None:
    (tmp_path / ".secrets.toml").write_text(MUELI_SECRETS)
    fates, draft = taken(tmp_path, "settings.toml", MUELI)
    assert GUEK not in "".join(fates)
    assert fate(fates, "[dummy]").startswith("not needed: ")
    assert fate(fates, "t210.sink.homie.colour") == "unknown: it was left out"
    assert fate(fates, "t210.client.guek").endswith("into .secrets.toml")
    assert fate(fates, "t210.sink.homie.id").endswith("the name of the meter, electric-smart-meter")
    settings = loaded(draft).settings
    assert {name: meter.client for name, meter in settings.meters.items()} == {
        "electric-smart-meter": "dsmr",
        "heat-smart-meter": "kamstrup",
    }
    assert "homie" in settings.sinks
    assert draft.table("mqtt") == {"host": "mortar.example", "port": 1884}
    assert GUEK not in draft.settings


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("config.yaml", f"mqtt:\n  password: '{HIDDEN}\n  - x", "config.yaml, line"),
        ("config.yaml", f"!!python/object/apply:os.system ['echo {HIDDEN}']", "it is no YAML"),
        ("config.yaml", "[" * 5000, "it is no YAML"),
        ("config.yaml", "- a\n- b\n", "it is none of"),
        ("config.yaml", "", "it is none of"),
        ("config.yaml", "a: 2026-99-99 00:00:00\n", "it is no YAML"),
        ("config.yaml", "x" * 300_000, "larger than 256 KiB"),
        ("settings.toml", f'password = "{HIDDEN}', "it is no TOML"),
        ("settings.toml", "[home.meters.heat]\n", "it is none of"),
        ("line", f"multical402.py --mqtt_pass='{HIDDEN}", "a quote in the command line has no other end"),
    ],
)
def test_what_is_no_settings_of_theirs_is_told_in_a_sentence(
    name: str, text: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SettingsError) as caught:
        brought_by(tmp_path / name)
    (problem,) = caught.value.problems
    assert said in problem
    assert HIDDEN not in problem


@pytest.mark.parametrize(
    "text",
    [
        "serial_device: 3\nkamstrup: [1]\nmqtt: x\n",
        "serial_device: {com_port: [1]}\nkamstrup: {parameters: 7, poll_interval: -1}\n",
        "kamstrup: {parameters: [{a: b}, null, 60], poll_interval: yes}\nmqtt: {port: 999999999999}\n",
        "main: {serialport: {}, destination: [mqtt]}\n",
        "main: {serialport: x, destination: mqtt}\nmqtt: {port: none, retain: 12, certificate: {}}\n",
        "1: 2\nkamstrup: &a {x: *a}\n",
        'kamstrup: {"\\e[2J": 1}\n',
    ],
)
def test_values_of_other_kinds_are_told_and_left_out(text: str, tmp_path: Path) -> None:
    fates, _ = taken(tmp_path, "config.yaml", text)
    assert all(line.isprintable() for line in fates)


@pytest.mark.parametrize(
    ("key", "old", "new", "path"),
    [
        ("mqtt.topic", "topic: kamstrup", "topic: kamstrup/", ("sinks", "mqtt_json")),
        ("mqtt.topic", "topic: kamstrup", 'topic: "kam/#"', ("sinks", "mqtt_json")),
        ("mqtt.host", "10.0.0.210", "mqtt://10.0.0.210", ("mqtt",)),
        ("serial_device.com_port", "/dev/ttyKamstrup", "COM3", ("meters", "heat")),
    ],
)
def test_what_our_settings_cannot_be_is_told_and_left_out(
    key: str, old: str, new: str, path: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(KAMSTRUP_402.replace(old, new))
    brought, empty = brought_by(tmp_path / "config.yaml"), SettingsDraft.of(tmp_path, None)
    refuse_unfit(empty, brought)
    assert fate(brought.fates, key).startswith("NOT TAKEN: found ")
    whole = applied(empty, brought).table(*path)
    assert {"base", "host", "port"} & whole.keys() <= ({"port"} if path == ("mqtt",) else set())


def test_keys_that_are_none_are_told_without_saying_them(tmp_path: Path) -> None:
    (tmp_path / ".secrets.toml").write_text(f'[t210.client]\nguek = "{HIDDEN}"\ngak = "{HIDDEN}"\n')
    (tmp_path / "settings.toml").write_text(MUELI)
    (tmp_path / "home").mkdir()
    brought, empty = brought_by(tmp_path / "settings.toml"), SettingsDraft.of(tmp_path / "home", None)
    refuse_unfit(empty, brought)
    for key in ("guek", "gak"):
        assert fate(brought.fates, f"t210.client.{key}").startswith("NOT TAKEN: a key ")
    assert HIDDEN not in "".join(brought.fates)
    loaded(applied(empty, brought))


def test_a_command_line_over_several_lines(tmp_path: Path) -> None:
    line = (
        "python3 multical402-4-homeassistant.py -d /dev/ttyUSB0 \\\n  --mqtt --mqtt_ip=10.0.0.1 \\\n 60 68\n"
    )
    _, draft = taken(tmp_path, "read.sh", line)
    assert draft.table("meters", "heat")["registers"] == ["heat_energy", "volume"]
    loaded(draft)


def test_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    """No port that this computer could have, and no broker: the meter is read all the same."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "config.yaml").write_text(
        "mqtt: {topic: kamstrup/}\nserial_device: {com_port: COM3}\nkamstrup: {parameters: [energy]}\n"
    )
    variables = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    with (
        emulated("kamstrup", "--baud", "0", "--delay", "0") as port,
        Dialogue("setup", "--import", str(tmp_path / "config.yaml"), cwd=home, environment=variables) as talk,
    ):
        talk.expect("serial_device.com_port: NOT TAKEN: found")
        talk.expect("mqtt.topic: NOT TAKEN")
        talk.expect("heat has no port yet. Which one is it at?")
        talk.answer("Which port", port)
        talk.answer("And now [2]")
        talk.expect("Heat energy")
        talk.answer("Does your display say this?")
        talk.answer("And now [1]")
        talk.answer("How")
        talk.answer("Homie 4")
        talk.answer("and others?")
        talk.answer("Address of the broker", "undo")
        talk.expect("Nothing was written.")
        assert talk.end() == EXIT_OK


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"mqtt: \xff\n")
    with pytest.raises(SettingsError, match="byte 7 is no text in UTF-8: save it as such"):
        brought_by(tmp_path / "config.yaml")


def test_an_import_writes_nothing_by_itself(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(KAMSTRUP_402)
    before = sorted(tmp_path.iterdir())
    done = run("setup", "--import", "config.yaml", cwd=tmp_path)
    assert done.returncode == EXIT_USAGE
    assert "config.yaml has the settings of kamstrup-402-mqtt:" in done.stdout
    assert HIDDEN not in done.stdout + done.stderr
    assert sorted(tmp_path.iterdir()) == before
    done = run("setup", "--import", "nothing.yaml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        EXIT_SETTINGS,
        "nothing.yaml: cannot be read: No such file or directory\n",
    )


def test_from_another_program_to_the_first_reading(make_broker: MakeBroker, tmp_path: Path) -> None:
    broker = make_broker(*login_lines(tmp_path / "login"), anonymous=False)
    watcher = Watcher(broker.port, USER, PASSWORD)
    home = tmp_path / "home"
    home.mkdir()
    variables = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    with emulated("kamstrup", "--baud", "0", "--delay", "0") as port:
        (tmp_path / "config.yaml").write_text(
            f"mqtt: {{host: 127.0.0.1, port: {broker.port}, topic: kamstrup, username: {USER}, "
            f"password: {PASSWORD}, authentication: true}}\n"
            f"serial_device: {{com_port: {port}}}\n"
            "kamstrup: {parameters: [energy, temp1], poll_interval: 60}\n"
        )
        with Dialogue("setup", "--import", "../config.yaml", cwd=home, environment=variables) as talk:
            talk.expect("into .secrets.toml")
            talk.answer("And now [2]")
            assert "Heat energy" in talk.expect("Does your display say this?")
            talk.type("y")
            talk.answer("And now [1]")
            for heading, question in (("2/12", "How"), ("3/12", "Homie 4"), ("4/12", "and others? [Y/n]")):
                talk.expect(heading)
                talk.answer(question)
            talk.answer(f"Address of the broker [127.0.0.1:{broker.port}]")
            talk.answer("TLS?")
            talk.answer(f"Your user name there, - for no login [{USER}]")
            talk.answer("Password there, empty for the one that is set")
            talk.expect("ok: published and read back")
            for heading, question in (("6/12", "`history show`?"), ("7/12", "For whom"), ("8/12", "How")):
                talk.expect(heading)
                talk.answer(question)
            assert "[home.mqtt] password = (not shown)" in talk.expect("Write this?")
            talk.type("y")
            talk.answer("to every sink?")
            talk.expect("The first reading is there.")
            assert talk.end() == EXIT_OK
            assert PASSWORD not in talk.text
    watcher.wait_for(lambda messages: any(each.topic == "kamstrup/heat/state" for each in messages))
    watcher.close()
    assert stat.S_IMODE((home / ".secrets.toml").stat().st_mode) == 0o600
    assert PASSWORD not in (home / "settings.toml").read_text()
