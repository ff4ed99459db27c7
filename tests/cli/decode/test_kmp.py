"""`decode kmp`: ways to give a capture, JSON lines, text for people, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.cli import main
from smart_meter_reader.console import EXIT_DATA, EXIT_OK, EXIT_USAGE
from smart_meter_reader.console.capture import hex_bytes
from smart_meter_reader.recordings.text import MAGIC, Burst, Recording, format_recording

REQUEST = "803f1001003cb25f0d"
ANSWER = "403f10003c0304430000d6de03220d"
DAMAGED = "403f10003c0304430000d6df03220d"


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]


def test_one_json_object_for_each_frame(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "kmp", "--json", REQUEST, "00", ANSWER, "06"]) == EXIT_OK
    out = capsys.readouterr().out
    assert out.splitlines()[1] == (
        '{"protocol":"kmp","direction":"response","address":63,"cid":16,"command":"GetRegister",'
        '"registers":[{"id":60,"name":"heat_energy","value":55.006,"unit":"MWh"}]}'
    )
    assert [frame["direction"] for frame in json_lines(out)] == ["request", "response", "ack"]


def test_damage_is_told_and_exits_with_65(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "kmp", "--json", "fffe", DAMAGED, ANSWER]) == EXIT_DATA
    out, err = capsys.readouterr()
    damaged, good = json_lines(out)
    assert damaged["error"]["kind"] == "checksum"
    assert damaged["skipped_bytes"] == 2
    assert good["registers"][0]["value"] == Decimal("55.006")
    assert err.splitlines() == ["1 frame of 2 damaged", "2 bytes outside of frames skipped"]


def test_identity_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "kmp", "--json", "403f0201234567e9560d 403f0100041bf90126990d"]) == EXIT_OK
    serial, type_ = json_lines(capsys.readouterr().out)
    assert serial["serial_number"] == 19088743
    assert (type_["meter_type"], type_["software_revision"]) == ("0004", "F1")


def test_text_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["decode", "kmp", REQUEST, ANSWER, DAMAGED, "06", "403f0201234567e9560d"])
    assert exit_code == EXIT_DATA
    assert capsys.readouterr().out.splitlines() == [
        "request GetRegister (CID 10h, address 3Fh)",
        "     60  heat_energy",
        "response GetRegister (CID 10h, address 3Fh)",
        "     60  heat_energy  55.006 MWh",
        "response 403F10003C0304430000D6DF03220D",
        "  damaged (checksum): CRC 0322 received, 1303 calculated: damaged on the line",
        "acknowledge",
        "response GetSerialNo (CID 02h, address 3Fh)",
        "  serial number: 19088743",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "403f10003c",
        "40 3F 10 00 3C",
        "40:3f:10:00:3c",
        "0x40 0x3F 0x10 0x0 0x3c",
        "0x403F10003C",
        "[0x40, 0x3f, 0x10, 0x00, 0x3c]",
        r"\x40\x3f\x10\x00\x3c",
        "40-3F-10-00-3C",
        "40h 3Fh 10h 00h 3Ch",
        "\n403f10\r\n003c\n",
    ],
)
def test_ways_to_write_bytes(text: str) -> None:
    assert hex_bytes(text) == bytes.fromhex("403f10003c")


@pytest.mark.parametrize("word", ["403", "4g", "0x403", "-40", "²²"])
def test_what_is_not_hexadecimal_is_named(word: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        hex_bytes(f"40 {word}")


@pytest.mark.parametrize(
    "content",
    [
        bytes.fromhex(ANSWER),
        bytes.fromhex("ff" + ANSWER + "00"),
        ANSWER.encode(),
        b"\xef\xbb\xbf40:3F:10\n" + ANSWER[6:].encode() + b"\n",
    ],
    ids=["bytes", "bytes among others", "hexadecimal", "hexadecimal with marks and lines"],
)
def test_files(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = tmp_path / "capture"
    capture.write_bytes(content)
    assert main(["decode", "kmp", "--json", str(capture)]) == EXIT_OK
    (frame,) = json_lines(capsys.readouterr().out)
    assert frame["registers"][0]["value"] == Decimal("55.006")


def test_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = Recording((Burst(0, ">", bytes.fromhex(REQUEST)), Burst(300, "<", bytes.fromhex(ANSWER))))
    capture = tmp_path / "kitchen.rec"
    capture.write_text(format_recording(recording))
    assert main(["decode", "kmp", "--json", str(capture)]) == EXIT_OK
    assert [frame["direction"] for frame in json_lines(capsys.readouterr().out)] == ["request", "response"]
    capture.write_text(f"{MAGIC}\n  0.000 > 80 3\n")
    assert main(["decode", "kmp", "--json", str(capture)]) == EXIT_USAGE
    assert "kitchen.rec: line 2" in capsys.readouterr().err


@pytest.mark.parametrize("text", [f"80 3F 10 00 {ANSWER[:-1]}\n", ANSWER[:-1]])
def test_hexadecimal_that_lacks_a_digit_is_not_taken_for_the_bytes(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = tmp_path / "capture"
    capture.write_text(text)
    assert main(["decode", "kmp", "--json", str(capture)]) == EXIT_USAGE
    assert "odd number of hexadecimal digits" in capsys.readouterr().err


def test_a_closed_standard_input_is_told() -> None:
    command = f"'{sys.executable}' -m smart_meter_reader decode kmp - <&-"
    finished = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert finished.returncode == EXIT_USAGE
    assert "standard input is closed" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("content", [bytes.fromhex(ANSWER), ANSWER.encode()], ids=["bytes", "hexadecimal"])
def test_standard_input(content: bytes) -> None:
    command = [sys.executable, "-m", "smart_meter_reader", "decode", "kmp", "--json", "-"]
    finished = subprocess.run(command, input=content, capture_output=True, check=False)
    assert (finished.returncode, finished.stderr) == (EXIT_OK, b"")
    assert json.loads(finished.stdout)["registers"][0]["unit"] == "MWh"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument"),
        (["no-such-file"], "there is no file of that name"),
        (["403"], "odd number of hexadecimal digits"),
        ([ANSWER, "xyz"], "'xyz' is not hexadecimal"),
        (["."], "cannot be read"),
        (["--yaml", ANSWER], "No such option"),
    ],
)
def test_unusable_arguments_exit_with_64(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", "kmp", *arguments]) == EXIT_USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


@pytest.mark.parametrize("capture", ["", "313233", "00"])
def test_a_capture_without_a_frame_exits_with_65(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "kmp", "--json", capture]) == EXIT_DATA
    out, err = capsys.readouterr()
    assert out == ""
    assert "no KMP frame found" in err


def test_a_value_that_cannot_be_is_told_beside_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    from smart_meter_reader.codecs.kmp import GetRegisterResponse, RegisterValue, encode_response

    answer = encode_response(
        GetRegisterResponse(
            (
                RegisterValue(123, 0x30, 0, (221301).to_bytes(4, "big")),
                RegisterValue(127, 0x30, 0, bytes(4)),
                RegisterValue(68, 0x28, 0x42, (760).to_bytes(4, "big")),
            )
        )
    )
    assert main(["decode", "kmp", answer.hex()]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split(maxsplit=2)[2] for line in lines] == [
        "unreadable: 2022-13-01 cannot be: month must be in 1..12",
        "not set",
        "7.60 m³",
    ]
