"""`record`, `read replay:`, `diagnose` and `decode auto` as typed, with emulated meters on real ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smart_meter_reader.cli.decode.auto import likeliest
from smart_meter_reader.cli.diagnose.report import type_codes
from smart_meter_reader.cli.record.recorder import record_client
from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram
from smart_meter_reader.console import (
    EXIT_DATA,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_SETTINGS,
    EXIT_UNAVAILABLE,
    EXIT_USAGE,
)
from smart_meter_reader.messages import Info, Publish
from smart_meter_reader.meters.dummy import DummyClient, DummySettings
from smart_meter_reader.meters.registry import meter_drivers
from smart_meter_reader.pipeline.kept_faults import FaultFile
from smart_meter_reader.recordings.pseudonyms import forms_of, leaks
from smart_meter_reader.recordings.text import find_recordings
from smart_meter_reader.rooms import fault_of
from tests.cli.program import PROGRAM, ROOT, emulated, run

DATA = ROOT / "tests" / "data"
CUSTOMER = "98765431"
PASSWORD = "correct-horse-battery"
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.abc"
KEY = "A1B2C3D4E5F60718293A4B5C6D7E8F90"

CONFIG = """
from dynaconf import Dynaconf
settings = Dynaconf(settings_files=["settings.toml", ".secrets.toml"], environments=True, env="default",
                    env_switcher="ENV_FOR_DYNACONF")
"""


def test_what_is_recorded_is_read_again_without_the_meter(tmp_path: Path) -> None:
    with emulated("kamstrup", "--baud", "0", "--delay", "0", cwd=tmp_path) as port:
        recorded = run(
            "record", port, "k.rec", "--client", "kamstrup", "--registers", "60,68", "--count", "2",
            cwd=tmp_path,
        )  # fmt: skip
        assert recorded.returncode == EXIT_OK, recorded.stderr
        assert "2 readings" in recorded.stderr
        again = run("record", port, "k.rec", "--client", "kamstrup", cwd=tmp_path)
        assert again.returncode == EXIT_USAGE
        assert "exists: choose another name, or --force" in again.stderr
        few = run(
            "record", port, "k.rec", "--client", "kamstrup", "--registers", "60", "--count", "99999",
            "--duration", "3", "--force", cwd=tmp_path,
        )  # fmt: skip
        assert few.returncode == EXIT_UNAVAILABLE
        assert " of 99999 readings came" in few.stderr
        done = run(
            "record", port, "k.rec", "--client", "kamstrup", "--registers", "60,68", "--force", cwd=tmp_path
        )
        assert done.returncode == EXIT_OK, done.stderr
    (recording,) = find_recordings((tmp_path / "k.rec").read_text())
    assert recording.settings == {"registers": '["60", "68"]'}
    read = run("read", "replay:k.rec", "--json", cwd=tmp_path)
    assert read.returncode == EXIT_OK, read.stderr
    assert list(json.loads(read.stdout)["measurements"]) == ["heat_energy", "volume"]
    whole = (tmp_path / "k.rec").read_text()
    (tmp_path / "cut.rec").write_text(whole[: whole.rindex("\n", 0, whole.rindex(" < ")) + 1])
    cut = run("read", "replay:cut.rec", cwd=tmp_path)
    assert (cut.returncode, cut.stdout) == (EXIT_UNAVAILABLE, "")
    assert "no reading: the recording ends before one is complete" in cut.stderr


def test_recording_a_meter_that_is_silent_keeps_what_was_asked(tmp_path: Path) -> None:
    with emulated("kamstrup", "--baud", "0", "--fault", "drop", cwd=tmp_path) as port:
        recorded = run(
            "record", port, "k.rec", "--client", "kamstrup", "--set", "retries=0", "--set",
            "answer_timeout=200ms", cwd=tmp_path,
        )  # fmt: skip
    assert recorded.returncode == EXIT_UNAVAILABLE
    assert "ended early (no_echo_no_answer)" in recorded.stderr
    (recording,) = find_recordings((tmp_path / "k.rec").read_text())
    assert {burst.direction for burst in recording.bursts} == {">"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_recording_and_keeps_it(tmp_path: Path, number: signal.Signals) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*PROGRAM, "record", "p1", "p1.rec", "--duration", "50"]
    with emulated("p1", "--dialect", "dsmr-5", "--rate", "20/s", "--link", "p1", cwd=tmp_path):
        # The pseudo-terminal is full of telegrams by now; which of them are read does not matter.
        command[command.index("p1")] = str(tmp_path / "p1")
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=env)
        assert process.stderr is not None
        assert "listening at" in process.stderr.readline()
        time.sleep(1.0)
        process.send_signal(number)
        told = process.stderr.read()
        assert process.wait(10) == EXIT_OK, told
        process.stderr.close()
    (recording,) = find_recordings((tmp_path / "p1.rec").read_text())
    assert b"1-0:1.8.1(" in b"".join(burst.payload for burst in recording.bursts)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--count", "2"], "need --client"),
        (["--format", "9X9"], "8N1"),
        (["--client", "kamstrup", "--set", "colour=1"], "colour: unknown key"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = run("record", "/dev/null", "x.rec", *arguments, cwd=tmp_path)
    assert done.returncode == EXIT_USAGE
    assert said in done.stderr
    assert not (tmp_path / "x.rec").exists()


def test_a_port_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = run("record", "/dev/not-there", "x.rec", "--duration", "1", cwd=tmp_path)
    assert done.returncode == EXIT_UNAVAILABLE
    assert "does not exist" in done.stderr
    done = run("record", "/dev/not-there", "x.rec", "--client", "kamstrup", cwd=tmp_path)
    assert done.returncode == EXIT_UNAVAILABLE
    assert "x.rec is not written" in done.stderr
    assert not (tmp_path / "x.rec").exists()


def settings(folder: Path, text: str, secrets: str = "") -> None:
    (folder / "config.py").write_text(CONFIG)
    (folder / "settings.toml").write_text(text)
    (folder / ".secrets.toml").write_text(secrets)
    (folder / ".secrets.toml").chmod(0o600)


def test_a_bug_report_replays_and_names_nobody(tmp_path: Path) -> None:
    values = {
        "serial_number": {"value": 71234567, "unit": ""},
        "heat_energy": {"value": 227.445, "unit": "GJ"},
    }
    values["customer_number_low"] = {"value": int(CUSTOMER), "unit": ""}
    (tmp_path / "values.json").write_text(json.dumps(values))
    with emulated("kamstrup", "--baud", "0", "--delay", "0", "--values", "values.json", cwd=tmp_path) as port:
        settings(
            tmp_path,
            f"""
[house.meters.heat]
client = "kamstrup"
port = "{port}"
registers = ["heat_energy", "serial_number", "customer_number_low"]
[house.sinks.home_assistant_rest]
url = "http://localhost:1"
[house.sinks.mqtt_json]
host = "localhost"
username = "jan.jansen"
""",
            f"""
[house.sinks.home_assistant_rest]
token = "{TOKEN}"
[house.sinks.mqtt_json]
password = "{PASSWORD}"
""",
        )
        plain = run("read", port, "--client", "kamstrup", "--json", cwd=tmp_path)
        serial = json.loads(plain.stdout)["info"]["serial_number"]
        with (tmp_path / "settings.toml").open("a") as file:
            file.write(f'[house.meters.heat.guard]\n[default.meters.heat]\nserial_number = "{serial}"\n')
        name = ("--model", "heat=MULTICAL 403 of the cellar")
        done = run("diagnose", *name, "--output", "report.txt", "house", cwd=tmp_path)
        for wrong in ("heat=", "heat=SN 12345678", "other=MULTICAL 403"):
            refused = run("diagnose", "--model", wrong, "--output", "no.txt", "house", cwd=tmp_path)
            assert refused.returncode == EXIT_USAGE
    assert done.returncode == EXIT_OK, done.stderr
    report = (tmp_path / "report.txt").read_text()
    assert "type code 3403, revision F1: MULTICAL 403 of the cellar\n" in report
    assert "Python 3" in report
    assert "client kamstrup, 1 reading" in report
    assert 'registers = ["heat_energy", "serial_number", "customer_number_low"]' in report
    for secret in (serial, CUSTOMER, PASSWORD, TOKEN, "jan.jansen"):
        for form in forms_of(secret):
            assert form.lower() not in report.lower(), form
            assert form.lower() not in "".join(report.split()).lower(), form
    (recording,) = find_recordings(report)
    assert not leaks(b"".join(burst.payload for burst in recording.bursts), [serial, CUSTOMER])
    read = run("read", "replay:report.txt", "--json", cwd=tmp_path)
    assert read.returncode == EXIT_OK, read.stderr
    assert json.loads(read.stdout)["measurements"]["heat_energy"]["value"] == 227.445


def test_a_type_code_without_a_name_is_told_with_what_to_do() -> None:
    info: Info = {"type": "info", "meter": "heat", "time": datetime.now(UTC), "type_code": "3403"}
    assert list(type_codes([{**info, "model": "meter type 3403"}], {})) == [
        "type code 3403: what is it called? diagnose --model heat='...'"
    ]
    assert list(type_codes([{**info, "model": "MULTICAL 403", "firmware": "F1"}], {})) == [
        "type code 3403, revision F1: MULTICAL 403"
    ]
    assert list(type_codes([{**info, "model": "my 12345678"}], {})) == ["type code 3403: my <hidden>"]


def record_encrypted(file: Path, telegram: bytes, title: bytes, times: int = 1) -> None:
    """A recording in which a meter with this system title sends a telegram, encrypted with ``KEY``."""
    key = bytes.fromhex(KEY)
    frame = encrypt_telegram(encode_telegram(telegram), key, key, title, 7)
    bursts = "".join(f"0.{number} < {frame.hex()}\n" for number in range(1, times + 1))
    file.write_text(f"smart-meter-reader recording 1\nclient: dsmr\n{bursts}")


def test_a_bug_report_of_an_encrypted_port_replays_with_public_keys(tmp_path: Path) -> None:
    covered = (
        b"/KMP5 KA6U001511209910\r\n\r\n0-0:1.0.0(261121123000W)\r\n0-0:42.0.0(SGM1234567890123)\r\n"
        b"1-0:1.8.1(001234.567*kWh)\r\n!"
    )
    title = b"SGM" + (123456789).to_bytes(5, "big")
    record_encrypted(tmp_path / "meter.rec", covered, title, times=2)
    settings(
        tmp_path,
        '[house.meters.p1]\nclient = "dsmr"\nport = "replay:meter.rec"\n[house.sinks.stdout]\n',
        f'[house.meters.p1]\nkey = "{KEY}"\nauthentication_key = "{KEY}"\n',
    )
    done = run("diagnose", "--output", "report.txt", "house", cwd=tmp_path)
    assert done.returncode == EXIT_OK, done.stderr
    report = (tmp_path / "report.txt").read_text()
    for secret in (KEY, "001511209910", "SGM1234567890123", "123456789"):
        for form in forms_of(secret):
            assert form.lower() not in "".join(report.split()).lower(), form
    read = run("read", "replay:report.txt", "--json", cwd=tmp_path)
    assert read.returncode == EXIT_OK, read.stderr
    reading = json.loads(read.stdout)
    assert reading["authentication"] == "verified"
    assert reading["measurements"]["active_energy_import_tariff_1"]["value"] == 1234.567


def test_a_bug_report_hides_accounts_places_and_bare_numbers(tmp_path: Path) -> None:
    settings(
        tmp_path,
        r"""
[house.meters.heat]
client = "kamstrup"
port = "/dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0"
serial_number = 72345678
address = 127
[house.sinks.mqtt_json]
host = "localhost"
username = 'john"doe'
client_id = 'cli"ent'
tls = true
ca = "/home/johnsmith/ca.pem"
""",
    )
    done = run("diagnose", "--output", "report.txt", "house", cwd=tmp_path)
    assert done.returncode == EXIT_UNAVAILABLE
    report = (tmp_path / "report.txt").read_text()
    for name in ("72345678", "A50285BI", "john", '"doe', "cli\\", 'ent"'):
        assert name not in report, name
    for kept in ("usb-FTDI_<hidden>-if00-port0", "~/ca.pem", "address = 127", "serial_number = 1 "):
        assert kept in report, kept
    (recording,) = find_recordings(report)
    assert recording.settings == {"serial_number": "1", "address": "127"}


def test_a_bug_report_of_an_encrypted_port_without_key_tells_no_system_title(tmp_path: Path) -> None:
    covered = b"/KMP5 KA6U001511209910\r\n\r\n0-0:1.0.0(261121123000W)\r\n!"
    title = b"SAG" + (123456789).to_bytes(5, "big")
    record_encrypted(tmp_path / "meter.rec", covered, title)
    settings(
        tmp_path, '[house.meters.p1]\nclient = "dsmr"\nport = "replay:meter.rec"\n[house.sinks.stdout]\n'
    )
    run("diagnose", "--output", "report.txt", "house", cwd=tmp_path)
    report = (tmp_path / "report.txt").read_text()
    assert "the meter with system title <hidden> sends encrypted telegrams" in report
    assert title.hex() not in report


def test_a_bug_report_hides_short_numbers_and_models_that_are_numbers(tmp_path: Path) -> None:
    telegram = encode_telegram(
        b"/FLU5\\253769484_A\r\n\r\n0-0:96.1.4(50217)\r\n1-0:1.8.1(001234.567*kWh)\r\n!"
    )
    (tmp_path / "p1.rec").write_text(f"smart-meter-reader recording 1\n0.1 < {telegram.hex()}\n")
    settings(tmp_path, '[house.meters.p1]\nclient = "dsmr"\nport = "replay:p1.rec"\n[house.sinks.stdout]\n')
    done = run("diagnose", "--output", "p1.txt", "house", cwd=tmp_path)
    assert done.returncode == EXIT_OK, done.stderr
    report = (tmp_path / "p1.txt").read_text()
    assert '"model":"<hidden>_A"' in report
    assert "3769484" not in report
    with emulated("multical_66c", "--baud", "0", cwd=tmp_path) as port:
        settings(
            tmp_path,
            f'[house.meters.heat]\nclient = "iec62056_21"\nport = "{port}"\nmodel = "multical_66c"\n'
            'serial_number = "60018"\n[house.sinks.stdout]\n',
        )
        done = run("diagnose", "--output", "heat.txt", "house", cwd=tmp_path)
    report = (tmp_path / "heat.txt").read_text()
    assert "a meter with number <hidden> answers, the settings expect <hidden>" in report
    assert "60018" not in report


def test_a_bug_report_about_wrong_settings_hides_the_values_that_name_somebody(tmp_path: Path) -> None:
    settings(
        tmp_path,
        '[house.meters.heat]\nclient = "iec62056_21"\nport = "/dev/x"\naddress = 72345678\n'
        'serial_number = "SN 72345679/x!"\nbaud = "300"\n[house.sinks.mqtt_json]\nhost="h"\nusername=12\n',
    )
    done = run("diagnose", "--output", "report.txt", "house", cwd=tmp_path)
    assert done.returncode == EXIT_SETTINGS
    report = (tmp_path / "report.txt").read_text()
    assert "7234567" not in report
    assert report.count("found <hidden>; allowed: ") == 3


def test_a_bug_report_is_written_about_settings_and_meters_that_fail(tmp_path: Path) -> None:
    settings(tmp_path, '[house.meters.heat]\nclient = "fax"\n[house.sinks.stdout]\n')
    done = run("diagnose", "--output", "broken.txt", "house", cwd=tmp_path)
    assert done.returncode == EXIT_SETTINGS
    assert 'found "fax"' in (tmp_path / "broken.txt").read_text()
    settings(
        tmp_path, '[house.meters.heat]\nclient = "kamstrup"\nport = "/dev/not-there"\n[house.sinks.stdout]\n'
    )
    done = run("diagnose", "--output", "gone.txt", "house", cwd=tmp_path)
    assert done.returncode == EXIT_UNAVAILABLE
    assert "failed: port_missing: /dev/not-there does not exist" in (tmp_path / "gone.txt").read_text()
    assert run("diagnose", "--output", "gone.txt", "house", cwd=tmp_path).returncode == EXIT_USAGE
    assert run("diagnose", "--output", "not-there/a.txt", "house", cwd=tmp_path).returncode == EXIT_USAGE


def test_ctrl_c_ends_a_bug_report_and_what_there_is_gets_written(tmp_path: Path) -> None:
    with (
        emulated("kamstrup", "--baud", "0", cwd=tmp_path) as first,
        emulated("p1", "--dialect", "dsmr-5", "--rate", "1/h", cwd=tmp_path) as second,
    ):
        meter = '[house.meters.{}]\nclient = "{}"\nport = "{}"\n'
        meters = meter.format("a", "kamstrup", first) + meter.format("b", "dsmr", second)
        settings(tmp_path, f"{meters}[house.sinks.stdout]\n")
        process = subprocess.Popen(
            [*PROGRAM, "diagnose", "--output", "report.txt", "house"],
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stderr is not None
        while "reading b" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == EXIT_INTERRUPTED, process.stderr.read()
        process.stderr.close()
    report = (tmp_path / "report.txt").read_text()
    assert "client kamstrup, 1 reading" in report
    assert "by the user, at meter b" in report
    assert len(find_recordings(report)) == 2


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("not-there/x.rec", "nothing can be written into not-there"),
        ("file/x.rec", "file/x.rec cannot be written: Not a directory"),
        ("x" * 300, "cannot be written: File name too long"),
    ],
)
def test_where_nothing_can_be_written_is_told_before_anything_is_read(
    tmp_path: Path, path: str, said: str
) -> None:
    (tmp_path / "file").write_text("")
    for arguments in (["record", "/dev/not-there", path], ["diagnose", "--output", path]):
        done = run(*arguments, cwd=tmp_path)
        assert done.returncode == EXIT_USAGE
        assert said in done.stderr
        assert "/dev/not-there" not in done.stderr


def test_words_too_long_for_a_file_are_told_as_what_they_are(tmp_path: Path) -> None:
    done = run("decode", "kmp", "zz" * 300, cwd=tmp_path)
    assert done.returncode == EXIT_USAGE
    assert "is not hexadecimal; and there is no file of that name" in done.stderr
    done = run("emulate", "kamstrup", "--link", "x" * 300, cwd=tmp_path)
    assert done.returncode == EXIT_USAGE
    assert "cannot be made: File name too long" in done.stderr


def test_a_bug_report_of_a_meter_with_a_wrong_key_ends_at_the_alert(tmp_path: Path) -> None:
    settings(
        tmp_path,
        f'[house.meters.p1]\nclient = "dsmr"\nport = "{tmp_path}/p1"\n[house.sinks.stdout]\n',
        f'[house.meters.p1]\nkey = "{KEY}"\n',
    )
    with emulated("p1", "--dialect", "dsmr-5", "--rate", "5/s", "--link", "p1", cwd=tmp_path):
        done = run("diagnose", "--output", "report.txt", "house", cwd=tmp_path)
    assert done.returncode == EXIT_UNAVAILABLE
    assert "no reading: the telegram is not encrypted" in done.stderr


# --- decode auto ---


@pytest.mark.parametrize(
    ("capture", "protocol", "said"),
    [
        ("803F10 01 003C 9B0D", "kmp", ""),
        ("40 3F 02 05 43 DF 0F A2 42 0D", "kmp", "GetSerialNo"),
        ("40 3F 02 05 43 DF 0F A2 43 0D", "kmp", "damaged (checksum)"),
        (r"/KAM MC\r\n\x026.8(0456.631*GJ)!\r\n\x03", "iec62056_21", ""),
        ("AF A3 B1", "iec62056_21", ""),
        ("", "", ""),
    ],
)
def test_the_protocol_of_a_capture_is_found(tmp_path: Path, capture: str, protocol: str, said: str) -> None:
    done = run("decode", "auto", capture or "0011223344", cwd=tmp_path)
    if protocol:
        assert f"decode {protocol} has more options" in done.stderr
    else:
        assert done.returncode == EXIT_DATA
        assert "not recognised" in done.stderr
    assert said in done.stdout


def test_published_captures_are_told_apart() -> None:
    drivers = [driver for driver in meter_drivers().values() if driver.sniff]

    def guess_protocol(capture: bytes) -> str:
        driver = likeliest(capture, drivers)
        return "" if driver is None else driver.protocol

    for entry in json.loads((DATA / "p1" / "p1_plain.json").read_text())["entries"]:
        if "0-0:" in entry["text"] or "1-3:" in entry["text"]:
            assert guess_protocol(entry["text"].encode("latin-1")) == "p1", entry["id"]
    for entry in json.loads((DATA / "p1" / "p1_encrypted.json").read_text())["entries"]:
        if entry.get("bytes_hex", "").startswith("db08"):
            assert guess_protocol(bytes.fromhex(entry["bytes_hex"])) == "p1", entry["id"]
    for entry in json.loads((DATA / "iec62056_21" / "captures.json").read_text())["entries"]:
        if entry["id"] != "iec-req-ack":  # six bytes of an option select alone tell nothing
            capture = bytes.fromhex(entry["bytes_hex"])
            # Whole codes and no block around them: either decoder reads it.
            either = b"1-0:" in capture and b"\x02" not in capture
            assert guess_protocol(capture) in ({"iec62056_21", "p1"} if either else {"iec62056_21"}), entry[
                "id"
            ]


def test_decode_auto_takes_files_recordings_and_standard_input(tmp_path: Path) -> None:
    telegram = encode_telegram(b"/ABC5x\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.8.1(001234.567*kWh)\r\n!")
    (tmp_path / "p1.bin").write_bytes(telegram)
    (tmp_path / "p1.rec").write_text(f"smart-meter-reader recording 1\n0 < {telegram.hex()}\n")
    for arguments, stdin in ((["p1.bin"], b""), (["p1.rec"], b""), (["-"], telegram)):
        done = run("decode", "auto", *arguments, "--json", cwd=tmp_path, feed=stdin)
        assert done.returncode == EXIT_OK, done.stderr
        assert json.loads(done.stdout)["measurements"]["active_energy_import_tariff_1"]["value"] == 1234.567


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        (".", EXIT_USAGE, "cannot be read: Is a directory"),
        ("my capture (1)", EXIT_USAGE, "cannot be read: Is a directory"),
        ("nothing.bin", EXIT_DATA, "the capture is empty"),
    ],
)
def test_decode_auto_says_why_a_file_cannot_be_decoded(
    tmp_path: Path, name: str, code: int, said: str
) -> None:
    (tmp_path / "my capture (1)").mkdir()
    (tmp_path / "nothing.bin").touch()
    done = run("decode", "auto", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr


def test_a_bug_report_has_what_led_to_a_fault_and_no_number_of_it(tmp_path: Path) -> None:
    telegram = encode_telegram(
        b"/FLU5\\253769484_A\r\n\r\n0-0:96.1.1(3153414731323334353637383930)\r\n"
        b"1-0:1.8.1(001234.567*kWh)\r\n!"
    )
    fault = fault_of(KeyError("1SAG1234567890"))
    file = FaultFile(tmp_path / "house.internal_error.json")
    file.add("p1", fault, telegram)
    file.add("gone", fault, telegram)
    settings(tmp_path, '[house.meters.p1]\nclient = "dsmr"\nport = "/dev/x"\n[house.sinks.stdout]\n')
    state = {"STATE_DIRECTORY": str(tmp_path)}
    run("diagnose", "--output", "report.txt", "house", cwd=tmp_path, environment=state)
    report = (tmp_path / "report.txt").read_text()
    assert "== internal error of p1 ==" in report
    assert "KeyError in " in report
    assert f"{len(telegram)} bytes had come before it" in report
    assert "== received from p1 before KeyError ==" in report
    assert len(find_recordings(report)) == 2
    assert "no such meter any more" in report
    for number in ("1234567890", "3153414731", "3769484"):
        assert number not in report


def test_a_kept_fault_that_cannot_be_read_hinders_no_bug_report(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "house.internal_error.json")
    settings(tmp_path, '[house.meters.p1]\nclient = "dsmr"\nport = "/dev/x"\n[house.sinks.stdout]\n')
    state = {"STATE_DIRECTORY": str(tmp_path)}
    run("diagnose", "--output", "report.txt", "house", cwd=tmp_path, environment=state)
    report = (tmp_path / "report.txt").read_text()
    assert "house.internal_error.json cannot be read: it is a named pipe and no file" in report


async def test_a_client_that_fails_is_recorded_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: DummyClient, publish: Publish, *, once: bool = False) -> None:
        raise KeyError("1SAG1234567890")

    monkeypatch.setattr(DummyClient, "run", fail)
    session = await record_client(
        "dummy", DummyClient("x", DummySettings()), DummySettings(), count=1, seconds=9
    )
    assert session.error is not None
    assert session.error.reason == "internal_error"
    assert "1SAG" not in session.error.detail
