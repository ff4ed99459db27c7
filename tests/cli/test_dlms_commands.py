"""The commands of the family dlms as a user runs them: decode with its exit codes and keys, emulate, read."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.console import EXIT_DATA, EXIT_OK, EXIT_USAGE
from tests.cli.program import run
from tests.codecs.dlms.vectors import BY_ID, wire


def decoded(text: str) -> list[dict[str, object]]:
    return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in text.splitlines()]


def test_a_capture_as_json() -> None:
    done = run("decode", "dlms", "-", "--json", feed=wire("hdlc-aidon-no-list3-hourly"))
    assert done.returncode == EXIT_OK, done.stderr
    (telegram,) = decoded(done.stdout)
    assert telegram["protocol"] == "dlms"
    assert (telegram["framing"], telegram["authentication"], telegram["frame_counter"]) == (
        *("hdlc", "none", None),
    )
    assert telegram["objects"]["1-0:1.8.0"] == {"value": Decimal(109554020), "unit": "Wh"}  # type: ignore[index]
    assert telegram["measurements"]["voltage_l1"] == {"value": Decimal("233.1"), "unit": "V"}  # type: ignore[index]


def test_keys_from_a_file_and_from_variables(tmp_path: Path) -> None:
    vector = BY_ID["hdlc-kamstrup-dk-glo30"]
    keys = tmp_path / "keys"
    keys.write_text(f"{vector['key_hex']}\n{vector['auth_key_hex']}\n")
    done = run("decode", "dlms", "-", "--json", "--key-file", str(keys), feed=wire(vector))
    assert done.returncode == EXIT_OK, done.stderr
    (telegram,) = decoded(done.stdout)
    assert (telegram["authentication"], telegram["frame_counter"]) == ("verified", Decimal(17784996))
    done = run("decode", "auto", "-", "--json", "--key", vector["key_hex"], feed=wire(vector))
    assert done.returncode == EXIT_DATA
    assert decoded(done.stdout)[0]["error"]["kind"] == "no_authentication_key"  # type: ignore[index]
    assert vector["key_hex"] not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("hdlc-lg-e450-ch-gbt-bad-order", ["incomplete"] * 4),
        ("hdlc-kamstrup-bitflip-bad-fcs", ["checksum"]),
        ("hdlc-kamstrup-undecryptable", ["no_key"]),
    ],
)
def test_what_failed_is_told_in_order_with_65(name: str, kinds: list[str]) -> None:
    done = run("decode", "dlms", "-", "--json", feed=wire(name))
    assert done.returncode == EXIT_DATA
    found = decoded(done.stdout)
    assert [each["error"]["kind"] for each in found] == kinds  # type: ignore[index]
    assert all("objects" not in each and "measurements" not in each for each in found)


def test_a_frame_with_a_wrong_head_check_sequence_fails_beside_good_ones() -> None:
    good = wire("hdlc-aidon-no-list1")
    done = run("decode", "dlms", "-", "--json", feed=good + good[:8] + bytes([good[8] ^ 1]) + good[9:] + good)
    assert done.returncode == EXIT_DATA
    found = decoded(done.stdout)
    assert ["error" in each for each in found] == [False, True, False]
    assert found[1]["framing"] == "hdlc"
    assert "HCS" in found[1]["error"]["detail"]  # type: ignore[index]


def test_a_log_of_another_program_is_read_and_that_is_told() -> None:
    """amsreader-firmware prints sixteen octets in a line, and the APDU without its frame once more."""
    frame = wire("hdlc-aidon-no-list1")
    lines = [
        f"(V) {octets[begin : begin + 16].hex(' ').upper()}"
        for octets in (frame, frame[frame.index(b"\xe6\xe7\x00") : -3])
        for begin in range(0, len(octets), 16)
    ]
    log = "\n".join(["(V) HDLC frame:", *lines, "(D) Received valid DLMS at 18 +23"])
    done = run("decode", "dlms", "-", "--json", feed=log.encode())
    assert done.returncode == EXIT_OK, done.stdout
    assert len(decoded(done.stdout)) == 1
    assert "taken for what a program prints" in done.stderr


def test_nothing_at_all_is_told() -> None:
    done = run("decode", "dlms", "-", feed=b"nothing of this kind")
    assert done.returncode == EXIT_DATA
    assert "no telegram of DLMS" in done.stdout
    done = run("decode", "dlms", "-", feed=b"/ESY5Q3DA1024\r\n\r\n1-0:1.8.0*255(00000001.2*kWh)\r\n!")
    assert "`decode p1` reads it" in done.stdout


def test_an_unknown_list_is_shown_with_its_types() -> None:
    frame = "7ea01f4108831388b0e6e7000f40000000000203060000000106000000021100"
    from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc

    stream = encode_hdlc(bytes.fromhex(frame)[9:])
    done = run("decode", "dlms", "-", "--json", feed=stream)
    assert done.returncode == EXIT_OK, done.stdout
    (telegram,) = decoded(done.stdout)
    assert telegram["unknown_list"] == [
        {"type": "double-long-unsigned", "value": Decimal(1)},
        {"type": "double-long-unsigned", "value": Decimal(2)},
        {"type": "unsigned", "value": Decimal(0)},
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "aidon-no", "--encrypt", "--key", "00" * 16), "aidon-no does not encrypt"),
        (("--model", "kaifa-at", "--encrypt"), "--encrypt needs --key"),
        (("--fault", "nonsense"), "there is no fault 'nonsense'"),
    ],
)
def test_what_cannot_be_emulated_is_wrong_use(arguments: tuple[str, ...], words: str) -> None:
    done = run("emulate", "dlms", *arguments)
    assert done.returncode == EXIT_USAGE
    assert words in done.stderr
