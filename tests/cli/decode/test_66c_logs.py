"""`decode` of a MULTICAL 66C: a logger's answer as rows, and what of it gives none."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from smart_meter_reader.cli.decode.command import decode as command
from smart_meter_reader.codecs.iec62056_21.multical import encode_short_answer
from smart_meter_reader.codecs.parity import add_parity
from smart_meter_reader.console import EXIT_DATA
from smart_meter_reader.meters.iec62056_21.log.emulated import STARTED, EmulatedCounters, log_lines
from tests.codecs.iec62056_21.captures import capture

COUNTERS = EmulatedCounters(Decimal(507_109), Decimal(1_296_626))


def conversation(*requests: str) -> bytes:
    """Requests and their answers, with parity in the eighth bit."""
    sent = b""
    for request in requests:
        lines = log_lines(request, COUNTERS, STARTED, 60_017)
        sent += f"/{request}\r".encode() + "".join(f"{line}\r" for line in lines).encode()
    return add_parity(sent)


PROGRAM_AND_CLOCK = encode_short_answer(
    "#D",
    {
        "customer_no": 60_017,
        "ABCCCCCC": 44_119_119,
        "DDEFFGGMN": 0,
        "calendar": 171_028,
        "clock_or_target": 180_419,
        "hours": 32_673,
        "target_date": 531,
        "error_hours": 0,
    },
)


def decode(tmp_path: Path, captured: bytes, *options: str, protocol: str = "iec62056_21") -> Result:
    file = tmp_path / "capture"
    file.write_bytes(captured)
    return CliRunner().invoke(command, [protocol, str(file), *options])


def logs_of(result: Result) -> dict[str, Any]:
    answers = [json.loads(line, parse_float=Decimal) for line in result.stdout.splitlines()]
    return {answer["request"]: answer["log"] for answer in answers if "log" in answer}


def test_a_day_is_a_row_with_time_values_units_and_counter(tmp_path: Path) -> None:
    result = decode(tmp_path, PROGRAM_AND_CLOCK + conversation("#5", "#6", "#7"), "--json")
    assert result.exit_code == 0
    logs = logs_of(result)
    assert [logs[request]["logger"] for request in ("#5", "#6", "#7")] == ["month", "day", "hour"]
    newest = logs["#6"]["rows"][0]
    assert (newest["date"], newest["time"]) == ("2017-10-27", "2017-10-28T00:00:00")
    midnight = STARTED.replace(hour=0, minute=0, second=0)
    counter = Decimal(COUNTERS.energy_at(midnight)).scaleb(-3)
    assert newest["measurements"]["heat_energy"] == {"value": counter, "unit": "MWh"}
    before = Decimal(COUNTERS.energy_at(midnight - timedelta(days=1))).scaleb(-3)
    assert newest["added"]["heat_energy"] == {"value": counter - before, "unit": "MWh"}
    assert "notes" not in logs["#6"]
    hour = logs["#7"]["rows"][0]
    assert hour["time"] == "2017-10-28T18:00:00"
    full = STARTED.replace(minute=0, second=0)
    assert hour["measurements"]["heat_energy"]["value"] == Decimal(COUNTERS.energy_at(full)).scaleb(-3)


def test_without_the_program_number_the_digits_stand_and_it_is_said(tmp_path: Path) -> None:
    log = logs_of(decode(tmp_path, capture("iec-66c-kenanv-5"), "--json", protocol="auto"))["#5"]
    assert log["rows"][0]["measurements"] == {}
    assert log["rows"][0]["digits"]["energy"] == "0505084"
    assert "--program" in log["notes"][0]


def test_a_torn_line_is_an_error_and_gives_no_row(tmp_path: Path) -> None:
    result = decode(tmp_path, capture("iec-66c-kenanv-6"), "--json", "--program", "44119")
    assert result.exit_code == EXIT_DATA
    assert "incomplete" in result.stdout
    assert len(logs_of(result)["#6"]["rows"]) == 19


def test_hours_without_a_clock_have_a_date_only(tmp_path: Path) -> None:
    log = logs_of(decode(tmp_path, conversation("#7"), "--json", "--program", "44119"))["#7"]
    assert "time" not in log["rows"][0]
    assert "clock" in log["notes"][0]


def test_hours_are_told_from_days_without_their_request(tmp_path: Path) -> None:
    answers = conversation("#7").partition(add_parity(b"\r"))[2]
    assert list(logs_of(decode(tmp_path, answers, "--json", "--program", "44119"))) == ["#7"]


def test_a_damaged_line_leaves_the_others_in_their_places(tmp_path: Path) -> None:
    sent = bytearray(conversation("#6"))
    sent[500] ^= 0x80
    result = decode(tmp_path, bytes(sent), "--json", "--program", "44119")
    assert result.exit_code == EXIT_DATA
    rows = logs_of(result)["#6"]["rows"]
    assert [row["line"] for row in rows] == [number for number in range(1, 61) if number != 7]


def test_lines_that_give_no_row_are_told_and_counted(tmp_path: Path) -> None:
    sent = conversation("#6").replace(add_parity(b"\r0171020 "), add_parity(b"\r0171320 "))
    result = decode(tmp_path, sent, "--program", "44119")
    assert result.exit_code == EXIT_DATA
    assert "59 rows" in result.stdout
    assert "line 8 gives no row (date)" in result.stdout


@pytest.mark.parametrize("request_", ["#5", "#6", "#7", "#8", "#9", "#J"])
def test_rows_fit_a_terminal(tmp_path: Path, request_: str) -> None:
    result = decode(tmp_path, PROGRAM_AND_CLOCK + conversation("#5", request_))
    rows = [line for line in result.stdout.splitlines() if line.startswith("  20")]
    assert rows
    assert max(map(len, rows)) <= 80
