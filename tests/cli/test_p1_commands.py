"""`decode p1`, `emulate p1` and the client on it as processes: outputs, exit codes, and no key anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.meters.cipher_keys import AUTHENTICATION_KEY_VARIABLE, KEY_VARIABLE
from tests.cli import program
from tests.cli.program import PROGRAM, ROOT, emulated
from tests.codecs.p1.vectors import keys, wire

QUICK = ["p1", "--baud", "0", "--rate", "20/s"]
FRAME = "enc-at-rekeyed-0000165e"
KEY, AK = (key.hex() for key in keys(FRAME))


def run(*arguments: str, feed: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    done = program.run(*arguments, feed=feed, environment=environment)
    for key in (KEY, AK):
        assert key not in done.stdout + done.stderr
    return done


def objects(done: subprocess.CompletedProcess[str]) -> list[Any]:
    return [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_decode_tells_telegrams_and_failures(tmp_path: Path, line_end: bytes) -> None:
    capture = tmp_path / "capture"
    capture.write_bytes(wire("nl-dsmr22-isk").replace(b"\r\n", line_end))
    done = run("decode", "p1", str(capture), "--json")
    (telegram,) = objects(done)
    assert done.returncode == 0
    assert telegram["protocol"] == "p1"
    assert telegram["checksum"] == "absent"
    assert telegram["objects"]["1-0:1.8.1"] == {"value": Decimal("1.001"), "unit": "kWh"}
    capture.write_bytes((wire("be-fluvius-171") + wire("nl-xmx5-corrupt-1008")).replace(b"\r\n", line_end))
    done = run("decode", "p1", str(capture), "--json")
    good, bad = objects(done)
    assert done.returncode == 65
    assert good["meters"]["gas"]["serial_number"] == "7FLO2119033733"
    assert bad["error"]["kind"] == "checksum"


def test_decode_for_people() -> None:
    done = run("decode", "p1", "-", feed=wire("be-fluvius-171") + wire("nl-xmx5-corrupt-1008"))
    text = done.stdout
    assert done.returncode == 65
    assert "FLU5\\253769484_A, belgium, checksum ok, 2020-05-12 11:54:09 UTC" in text
    assert "gas on channel 1 7FLO2119033733" in text
    assert "failed (checksum)" in text


@pytest.mark.parametrize("as_hex", [True, False])
def test_decode_takes_keys_in_every_way(tmp_path: Path, as_hex: bool) -> None:
    feed = wire(FRAME).hex().encode() if as_hex else wire(FRAME)
    key_file = tmp_path / "keys"
    key_file.write_text(f"{KEY}\n{AK}\n")
    for arguments, environment in (
        (("--key", KEY, "--authentication-key", AK.upper()), {}),
        (("--key-file", str(key_file)), {}),
        ((), {KEY_VARIABLE: KEY, AUTHENTICATION_KEY_VARIABLE: AK}),
    ):
        done = run("decode", "p1", "-", "--json", *arguments, feed=feed, **environment)
        (telegram,) = objects(done)
        assert done.returncode == 0
        assert telegram["authentication"] == "verified"
        assert telegram["frame_counter"] == 0x165E


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ((), "no_key"),
        (("--key", "00" * 16, "--authentication-key", "00" * 16), "wrong_encryption_key"),
        (("--key", KEY, "--authentication-key", "00" * 16), "wrong_authentication_key"),
        (("--key", KEY), "no_authentication_key"),
    ],
)
def test_decode_tells_wrong_keys_apart(arguments: tuple[str, ...], kind: str) -> None:
    done = run("decode", "p1", "-", "--json", *arguments, feed=wire(FRAME))
    assert done.returncode == 65
    assert [o["error"]["kind"] for o in objects(done)] == [kind]


def test_decode_accepts_a_wrong_tag_when_told_to() -> None:
    wrong = ("--key", KEY, "--authentication-key", "00" * 16)
    for policy, told in (("warn", "failed"), ("off", "none")):
        done = run("decode", "p1", "-", "--json", *wrong, "--authentication", policy, feed=wire(FRAME))
        assert done.returncode == 0
        assert [o["authentication"] for o in objects(done)] == [told]


@pytest.mark.parametrize(
    "arguments",
    [("--key", KEY[:-1]), ("--key", KEY + "zz"), ("--authentication-key", AK), ("--key-file", "/nowhere")],
)
def test_wrong_use_is_explained_without_the_key(arguments: tuple[str, ...]) -> None:
    done = run("decode", "p1", "-", *arguments, feed=wire(FRAME))
    assert done.returncode == 64
    assert arguments[0] in done.stderr
    assert arguments[1] not in done.stderr or arguments[0] == "--key-file"


def test_a_key_file_goes_before_a_forgotten_variable(tmp_path: Path) -> None:
    key_file = tmp_path / "keys"
    key_file.write_text(f"{KEY}\n{AK}\n")
    forgotten = {KEY_VARIABLE: "00" * 16, AUTHENTICATION_KEY_VARIABLE: "00" * 16}
    done = run("decode", "p1", "-", "--json", "--key-file", str(key_file), feed=wire(FRAME), **forgotten)
    assert [o["authentication"] for o in objects(done)] == ["verified"]
    # A file of one key says that there is no other.
    key_file.write_text(f"{KEY}\n")
    done = run("decode", "p1", "-", "--json", "--key-file", str(key_file), feed=wire(FRAME), **forgotten)
    assert [o["error"]["kind"] for o in objects(done)] == ["no_authentication_key"]


@pytest.mark.parametrize(
    ("content", "said"),
    [(f"\n{KEY[1:]}\n", "line 2: "), (f"{KEY}\n{AK}0", "line 2: "), ("\n \n", "is empty")],
)
def test_what_is_wrong_with_a_key_file_is_told(tmp_path: Path, content: str, said: str) -> None:
    key_file = tmp_path / "keys"
    key_file.write_text(content)
    done = run("decode", "p1", "-", "--key-file", str(key_file), feed=wire(FRAME))
    assert done.returncode == 64
    assert f"--key-file {key_file}" in done.stderr
    assert said in done.stderr


def test_a_bad_key_in_a_variable_is_told_by_its_name() -> None:
    done = run("decode", "p1", "-", feed=wire(FRAME), **{KEY_VARIABLE: KEY[1:]})
    assert done.returncode == 64
    assert f"${KEY_VARIABLE}: " in done.stderr


@pytest.mark.parametrize("feed", [b"", b"\x00" * 100, bytes(range(128, 256)) * 4])
def test_decode_of_nothing_is_a_failure(feed: bytes) -> None:
    done = run("decode", "p1", "-", "--json", feed=feed)
    assert done.returncode == 65
    assert [list(o) for o in objects(done)] == [["protocol", "error"]]


def service(tmp_path: Path, port: str, seconds: int = 30, **keys: str) -> list[Any]:
    """What the service prints for a P1 meter until it has published twice."""
    (tmp_path / "config.py").write_text((ROOT / "config.py").read_text())
    (tmp_path / "settings.toml").write_text(
        '[p1.meters.power]\nclient = "dsmr"\n'
        f'port = "{port}"\ninterval = "200ms"\n[p1.sinks.stdout]\nformat = "json"\n'
    )
    (tmp_path / ".secrets.toml").write_text(
        "[p1.meters.power]\n" + "".join(f'{name} = "{key}"\n' for name, key in keys.items())
    )
    (tmp_path / ".secrets.toml").chmod(0o600)
    process = subprocess.Popen(
        PROGRAM,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ENV_FOR_DYNACONF": "p1", "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    messages: list[Any] = []
    try:
        while sum(m["type"] == "reading" and m["meter"] == "power" for m in messages) < 2:
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read()
            messages.append(json.loads(line, parse_float=Decimal))
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=seconds)
    for key in keys.values():
        assert key not in errors
    return messages


def test_the_service_reads_an_emulated_meter_in_the_network(tmp_path: Path) -> None:
    with emulated(
        *QUICK, "--listen", "127.0.0.1:0", "--dialect", "belgium", "--fault", "crc:1/3,noise:1/2"
    ) as port:
        assert port.startswith("socket://127.0.0.1:")
        messages = service(tmp_path, port)
    meters = {message["meter"] for message in messages}
    assert meters == {"power", "power-gas", "power-water"}
    readings = [m for m in messages if m["type"] == "reading" and m["meter"] == "power"]
    assert readings[0]["measurements"] != readings[1]["measurements"]


def test_the_service_reads_an_encrypted_meter(tmp_path: Path) -> None:
    link = tmp_path / "meter"
    arguments = ("--encrypt", "--key", KEY, "--authentication-key", AK, "--dialect", "austria")
    with emulated(*QUICK, "--link", str(link), *arguments) as port:
        assert port == str(link)
        messages = service(tmp_path, port, key=KEY, authentication_key=AK)
    assert {m["authentication"] for m in messages if m["type"] == "reading"} == {"verified"}


def test_a_recording_is_sent_in_a_circle(tmp_path: Path) -> None:
    recording = tmp_path / "recording"
    recording.write_bytes((wire("nl-dsmr50-isk") + wire("at-t210dr-plain")).replace(b"\r\n", b"\n"))
    with emulated(*QUICK, "--link", str(tmp_path / "meter"), "--file", str(recording)) as port:
        messages = service(tmp_path, port)
    assert {m["dialect"] for m in messages if m["type"] == "info" and m["meter"] == "power"} <= {
        "dsmr-5",
        "austria",
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--encrypt",), "--key"),
        (("--rate", "often"), "1/s"),
        (("--rate", "1" + "0" * 400 + "/s"), "1/s"),
        (("--rate", "0.0000000001/h"), "1/s"),
        (("--fault", "flood"), "there is no fault 'flood'"),
        (("--dialect", "klingon"), "klingon"),
        (("--file", os.devnull), "Error"),
    ],
)
def test_emulate_explains_wrong_use(arguments: tuple[str, ...], says: str) -> None:
    done = run("emulate", "p1", *arguments)
    assert done.returncode == 64
    assert says in done.stderr
