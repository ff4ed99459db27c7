"""`read`, `emulate` and `ports` as processes: outputs, exit codes, and no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import HURRIED, PROGRAM, QUICKLY, emulated, run

QUICK = ["kamstrup", "--baud", "0", "--delay", "0"]
LINE = ["--set", "answer_timeout=200ms", "--baud", "115200"]


def json_of(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def test_read_prints_one_object_with_the_reading_and_the_meter(tmp_path: Path) -> None:
    values = tmp_path / "values.json"
    values.write_text('{"heat_energy": {"value": 7.60, "unit": "MWh"}, "volume": 1917.60, "1001": 12345678}')
    with emulated(
        *QUICK, "--link", str(tmp_path / "head"), "--values", str(values), "--model", "601"
    ) as port:
        assert port == str(tmp_path / "head")
        done = run("read", port, "--client", "kamstrup", "--registers", "60,volume,4711", "--json", *LINE)
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    reading = json_of(done.stdout)
    assert reading["measurements"] == {
        "heat_energy": {"value": Decimal("7.60"), "unit": "MWh"},
        "volume": {"value": Decimal("1917.60"), "unit": "m³"},
    }
    assert str(reading["measurements"]["heat_energy"]["value"]) == "7.60"
    assert reading["info"]["serial_number"] == "12345678"
    assert reading["info"]["model"].startswith("MULTICAL 601")
    assert "does not have register_4711" in done.stderr


def test_read_over_tcp_prints_a_table_for_people() -> None:
    with emulated(*QUICK, "--listen", "127.0.0.1:0", "--fault", "echo,noise") as port:
        assert port.startswith("socket://127.0.0.1:")
        done = run("read", port, "--client", "kamstrup", *LINE)
    assert done.returncode == 0
    assert "Heat energy" in done.stdout
    assert "serial number" in done.stderr


@pytest.mark.parametrize(
    ("faults", "reason"),
    [("drop", "no_echo_no_answer"), ("drop,echo", "echo_only"), ("crc", "damaged_answers")],
)
def test_read_says_why_there_is_no_reading(faults: str, reason: str) -> None:
    with emulated(*QUICK, "--fault", faults) as port:
        # What drops all can be waited for in no time; what answers must be given time to.
        program = HURRIED if faults == "drop" else QUICKLY
        done = run("read", port, "--client", "kamstrup", "--set", "retries=0", *LINE, program=program)
    assert done.returncode == 69
    assert reason in done.stderr
    assert done.stdout == ""


def test_read_of_a_missing_port_is_unavailable() -> None:
    done = run("read", "/dev/serial/by-id/none", "--client", "kamstrup", "--json")
    assert (done.returncode, done.stdout) == (69, "")
    assert "port_missing" in done.stderr


def test_a_text_that_looks_like_a_number_can_be_set_from_a_shell() -> None:
    with emulated(*QUICK) as port:
        done = run("read", port, "--client", "kamstrup", "--set", "model=403", "--json", *LINE)
    assert done.returncode == 0
    assert json_of(done.stdout)["info"]["model"] == "403"


@pytest.mark.parametrize(
    "arguments",
    [
        ["read"],
        ["read", "/dev/x"],
        ["read", "/dev/x", "--client", "nonsense"],
        ["read", "/dev/x", "--client", "kamstrup", "--registers", "heat_enrgy"],
        ["read", "/dev/x", "--client", "kamstrup", "--registers", ","],
        ["read", "socket://host", "--client", "kamstrup"],
        ["read", "x", "--client", "dummy"],
        ["read", "x", "--client", "replay"],
        ["read", "replay:tests/data/recordings/p1_belgium.rec", "--registers", "60"],
        ["read", "replay:tests/data/recordings/p1_belgium.rec", "--baud", "300"],
        ["read", "replay:tests/data/recordings/p1_belgium.rec", "--set", "file=x"],
        ["read", "/dev/x", "--client", "kamstrup", "--set", "port=/dev/y"],
        ["read", "/dev/x", "--client", "kamstrup", "--baud", "300", "--set", "baud=1200"],
        ["read", "/dev/x", "--client", "kamstrup", "--set", "nonsense"],
        ["read", "/dev/x", "--client", "kamstrup", "--set", "intervall=1h"],
        ["emulate", "kamstrup", "--fault", "crcc"],
        ["emulate", "kamstrup", "--fault", "omit:heat_enrgy"],
        ["emulate", "kamstrup", "--listen", "nowhere"],
        ["emulate", "kamstrup", "--link", "/no/such/folder/head"],
        ["emulate", "kamstrup", "--link", "x", "--listen", "1"],
        ["emulate", "p1", "--key", "00112233445566778899aabbccddeeff"],
        ["emulate", "dlms", "--model", "kaifa-at", "--authentication-key", "0" * 32],
        ["emulate", "dlms", "--model", "kaifa-at", "--encrypt", "--key", "0" * 32, "--file", "README.md"],
        ["emulate", "kamstrup", "--link", ""],
        ["emulate", "kamstrup", "--link", "/"],
        ["emulate", "kamstrup", "--baud", f"1{'0' * 400}"],
        ["emulate", "nonsense"],
        ["scan", "socket://host"],
        ["scan", "/dev/x", "http://host:1"],
        ["scan", ""],
        ["align", "socket://host"],
        ["record", "socket://host", "x.rec"],
        ["record", "/dev/x", "x.rec", "--client", "kamstrup", "--count", f"1{'0' * 400}"],
    ],
    ids=lambda arguments: " ".join(arguments)[:60],
)
def test_wrong_use_exits_64_and_says_what_is_wrong(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 64
    assert "Error:" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_other_signals_end_the_emulator_as_cleanly_as_a_termination(
    tmp_path: Path, number: signal.Signals
) -> None:
    link = tmp_path / "head"
    process = subprocess.Popen(
        [*PROGRAM, "emulate", "kamstrup", "--link", str(link)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    assert Path(port).exists()
    process.send_signal(number)
    assert process.wait(timeout=10) == 0
    assert not link.is_symlink()
    process.stdout.close()


def test_an_emulator_under_nohup_outlives_its_terminal() -> None:
    process = subprocess.Popen(
        ["nohup", *PROGRAM, "emulate", "kamstrup"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    process.send_signal(signal.SIGHUP)
    done = run("read", port, "--client", "kamstrup", *LINE)
    process.terminate()
    process.communicate(timeout=10)
    assert (done.returncode, process.returncode) == (0, 0)


def test_ports_are_listed_for_people_and_for_programs() -> None:
    for done in (run("ports"), run("ports", "--json")):
        assert done.returncode == 0
    for line in done.stdout.splitlines():
        port = json_of(line)
        assert {"device", "by_id", "group", "may_open", "holders"} <= set(port)


def test_describing_a_port_names_its_group_and_its_holder(tmp_path: Path) -> None:
    from smart_meter_reader.transport.ports import describe_port, stable_name

    with emulated(*QUICK) as device:
        port = describe_port(device)
        assert port.may_open
        assert port.group
        assert port.mode.startswith("crw")
        assert [holder.name for holder in port.holders]
        (tmp_path / "usb-Kamstrup").symlink_to(device)
        assert stable_name(device, tmp_path) == str(tmp_path / "usb-Kamstrup")
    assert stable_name(os.devnull, tmp_path) == ""
