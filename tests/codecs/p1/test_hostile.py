"""Hostile telegrams with a right checksum: values or bad lines come out of them, printable and bounded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_meter_reader.codecs.p1.describe import describe_capture
from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.text import LONGEST_NAME
from tests.fuzz.harmless import harmful, leaves
from tests.fuzz.hostile import ESCAPES, NUMBERS, TIMES, fields

# "!" ends a telegram, and a NUL is a break on the line and not in the checksum.
_KEPT_OUT = str.maketrans("!", "?", "\0")
GOOD = "1-0:1.8.1(000123.456*kWh)"
# A code of each type and role.
CODES = (
    *("0-0:1.0.0", "1-0:1.8.1", "1-0:1.7.0", "1-0:1.6.0", "0-0:96.14.0", "0-0:96.7.21", "1-0:99.97.0"),
    *("0-0:96.1.1", "0-0:96.13.0", "0-0:17.0.0", "1-3:0.2.8", "0-0:96.3.10", "0-0:42.0.0", "0-0:98.1.0"),
    *("0-1:24.1.0", "0-1:24.2.1", "0-1:24.3.0", "0-1:24.4.0", "0-1:96.1.0", "7-0:23.1.0", "9-9:9.9.9"),
)


def read(*lines: str) -> Telegram:
    """The telegram of these lines, with a right checksum, as a reader tells it the second time."""
    body = "".join(f"{line}\r\n" for line in lines).translate(_KEPT_OUT)
    stream = encode_telegram(f"/XMX5HOSTILE\r\n\r\n{body}!".encode("latin-1", "replace"))
    reader = P1Reader()
    reader.receive_data(stream + stream)
    first, second = reader.next_telegram(), reader.next_telegram()
    assert first is not None
    assert second is not None
    assert first.objects == second.objects
    return second


@pytest.mark.parametrize("code", CODES)
def test_a_hostile_field_costs_its_line(code: str) -> None:
    for field in (*TIMES, *NUMBERS, *ESCAPES):
        for line in (
            f"{code}({field})",
            f"{code}({field}*kWh)",
            f"{code}({field})(0.5*kW)",
            f"{code}(1)(x)({field})",
        ):
            telegram = read("1-0:1.8.2(000001.000*kWh)", line)
            assert str(telegram.measurements["active_energy_import_tariff_2"]["value"]) == "1.000", line


@given(st.lists(st.builds("{}({})".format, st.sampled_from(CODES), fields()), max_size=8))
@settings(max_examples=300, deadline=None)
def test_whatever_a_telegram_says_is_harmless(lines: list[str]) -> None:
    body = "".join(f"{line}\r\n" for line in (GOOD, *lines)).translate(_KEPT_OUT)
    stream = encode_telegram(f"/XMX5HOSTILE\r\n\r\n{body}!".encode("latin-1", "replace"))
    for description in describe_capture(stream):
        assert harmful(description) == []


@pytest.mark.parametrize("escape", ESCAPES)
def test_every_text_of_a_telegram_is_made_printable(escape: str) -> None:
    reader = P1Reader()
    gas = f"0-1:24.1.0(003)\r\n0-1:96.1.0(G{escape})\r\n0-1:24.2.1(260101000000W)(1.0*m3)\r\n"
    dead = f"0-2:24.1.0(003)\r\n0-2:96.1.0(D{escape})\r\n0-2:24.2.1(260101000000W)()\r\n"
    model = escape.replace("\r", "")
    body = (
        f"/XMX5MODEL{model}\r\n\r\n{GOOD}\r\n0-0:96.1.1(S{escape})\r\n1-3:0.2.8(50{escape})\r\n"
        f"0-0:96.13.0(T{escape})\r\n9-9:9.9.9(O{escape}*u{escape})\r\n1-0:bad{escape}(1\r\n{gas}{dead}!"
    )
    reader.receive_data(encode_telegram(body.encode("latin-1").replace(b"\0", b"")))
    telegram = reader.next_telegram()
    assert telegram is not None
    identity = telegram.identity
    texts = (
        *(telegram.header, identity.model, identity.serial_number, identity.version, *telegram.bad_lines),
        *(str(telegram.measurements["text_message"]["value"]), *map(str, leaves(telegram.objects))),
        *(telegram.meters["gas"].serial_number, telegram.dead_meters[0].serial_number),
    )
    assert identity.serial_number.startswith("S\N{REPLACEMENT CHARACTER}" if escape[0] != "a" else "Sa")
    assert [text for text in texts if not text.isprintable()] == []


def test_a_name_is_cut() -> None:
    telegram = read("0-0:96.1.1(" + "4B" * 1000 + ")", GOOD)
    assert telegram.identity.serial_number == "K" * (LONGEST_NAME - 1) + "\N{HORIZONTAL ELLIPSIS}"


def test_no_total_of_more_digits_than_a_number_has() -> None:
    telegram = read(f"1-0:1.8.1({'9' * 20}*kWh)", "1-0:1.8.2(1*kWh)")
    assert "active_energy_import_tariff_1" in telegram.measurements
    assert "active_energy_import" not in telegram.measurements


def test_a_device_type_is_one_octet() -> None:
    telegram = read("0-1:24.1.0(9999)", "0-1:24.2.1(260101000000W)()", GOOD)
    assert telegram.dead_meters == ()
