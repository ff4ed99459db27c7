"""`decode iec62056_21`: text, hexadecimal, files, standard input; JSON and lines; exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from smart_meter_reader.cli.decode.command import decode
from tests.codecs.iec62056_21.captures import CAPTURES, capture

LINE = "0507109 1296626 0032673 0006811 0003366 0003445 0000031 0000079 0000093 0000000 "


def run(*arguments: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(decode, ["iec62056_21", *arguments], input=given)


def objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_object_per_answer(tmp_path: Path) -> None:
    path = tmp_path / "capture.bin"
    path.write_bytes(capture("iec-66c-kenanv-2") + capture("iec-66c-kenanv-1"))
    result = run("--json", str(path))
    assert result.exit_code == 0
    program, answer = objects(result)
    assert (program["protocol"], program["kind"], program["request"]) == (
        "iec62056_21",
        "short_request",
        "#2",
    )
    assert answer["fields"]["energy"] == "0507109"
    assert '"heat_energy":{"value":507.109,"unit":"MWh"}' in result.stdout
    assert answer["bcc"] == "absent"


@pytest.mark.parametrize("field", ["bytes_hex", "bytes_as_8n1_even_parity_hex"])
def test_hexadecimal_and_standard_input(field: str) -> None:
    text = CAPTURES["iec-401-completed"][field]
    for result in (
        run("--json", text),
        run("--json", "-", given=text.encode()),
        run("--json", "-", given=bytes.fromhex(text)),
    ):
        assert result.exit_code == 0
        (answer,) = objects(result)
        assert answer["kind"] == "data_message"
        assert answer["bcc"] == "sum"
        assert answer["objects"]["6.31"] == {"value": 40345, "unit": "h"}


def test_text_as_pasted_from_a_terminal() -> None:
    (answer,) = objects(run("--json", "--program", "44119", LINE))
    assert answer["measurements"]["heat_energy"] == {"value": 507.109, "unit": "MWh"}
    (answer,) = objects(run("--json", *LINE.split()))
    assert answer["request"] == "#1"
    (answer,) = objects(run("--json", r"/KAM0MC\r\n\x026.8(1*GJ)!\r\n"))
    assert (answer["ident"], answer["bcc"]) == ("MC", "absent")
    (answer,) = objects(run("--json", "/KAM0MCC"))
    assert answer["kind"] == "identification"


def test_damage_is_told_and_ends_with_65() -> None:
    result = run("--json", LINE.replace("0507109", "050:109") + r"\r")
    assert result.exit_code == 65
    (answer,) = objects(result)
    assert answer["error"]["kind"] == "non-decimal"
    assert "energy" in answer["error"]["detail"]
    assert run(LINE[:40]).exit_code == 65
    assert run("-", given=b"nothing here").exit_code == 65
    damaged = capture("iec-401-completed")[:-1] + b"\x7f"
    (answer,) = objects(run("--json", "-", given=damaged))
    assert answer["bcc"] == "bad"


def test_the_request_can_be_told() -> None:
    result = run("--json", "--request", "#4", LINE + r"\r")
    assert objects(result)[0]["error"]["kind"] == "field_count"


def test_lines_for_a_person() -> None:
    result = run("--program", "44119", LINE)
    assert "short request #1" in result.stdout
    assert "heat_energy             507.109 MWh" in result.stdout
    result = run("-", given=capture("iec-lg-uh50"))
    assert "data message LUG UH50" in result.stdout
    assert "098.5 C" in result.stdout or "98.5 C" in result.stdout
    assert "#5" in run("-", given=capture("iec-66c-kenanv-5")).stdout


@pytest.mark.parametrize("arguments", [(), ("nofile",), ("--program", "12", LINE), ("--request", "#X", LINE)])
def test_wrong_use(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2  # click's own; the program turns it into 64
    assert "Traceback" not in result.output
