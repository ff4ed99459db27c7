"""Logs of other programs: the bytes in them are found, and nothing is made of other text."""

from __future__ import annotations

import pytest

from smart_meter_reader.console.printed import find_printed
from tests.codecs.dlms.vectors import wire
from tests.codecs.p1.test_field import wire as p1_wire

TELEGRAM = wire("hdlc-aidon-no-list3-hourly")


def amsreader(octets: bytes) -> str:
    """Sixteen in a line, two blanks between each four (amsreader-firmware); its last line may have one."""
    lines = [octets[begin : begin + 16] for begin in range(0, len(octets), 16)]
    rows = ["  ".join(line[at : at + 4].hex(" ") for at in range(0, len(line), 4)) for line in lines]
    return "\n".join(["(V) HDLC frame:", *(f"(V) {row.upper()}" for row in rows), "(D) Received valid DLMS"])


def tasmota(octets: bytes) -> str:
    lines = [octets[begin : begin + 31] for begin in range(0, len(octets), 31)]
    return "\r\n".join(f"21:00:0{place % 10}.911 : {line.hex(' ')} " for place, line in enumerate(lines))


def esphome(octets: bytes) -> str:
    return f"[12:00:01][D][uart_debug:114]: <<< {octets.hex(':').upper()} ({len(octets)})\n"


def hexdump(octets: bytes) -> str:
    lines = [octets[begin : begin + 16] for begin in range(0, len(octets), 16)]
    return "\n".join(
        f"{place * 16:08x}  {line[:8].hex(' ')}  {line[8:].hex(' ')}  |................|"
        for place, line in enumerate(lines)
    )


def xxd(octets: bytes, group: int = 2) -> str:
    lines = [octets[begin : begin + 16] for begin in range(0, len(octets), 16)]
    rows = [line.hex(" ", -group) for line in lines]
    return "\n".join(
        f"{place * 16:08x}: {row:<{32 + 16 // group}} {'v|. :Nb.'}" for place, row in enumerate(rows)
    )


def xxd_octets(octets: bytes) -> str:
    return xxd(octets, 1)


def dated(octets: bytes) -> str:
    return f"2025-12-14 16:00:11.873\n{octets.hex().upper()}\n\n"


@pytest.mark.parametrize("printed", [amsreader, tasmota, esphome, hexdump, xxd, xxd_octets, dated])
@pytest.mark.parametrize("length", [len(TELEGRAM), 97, 98, 99, 100])
def test_the_bytes_in_a_log_are_found_whole(printed: object, length: int) -> None:
    assert callable(printed)
    found = find_printed(printed(TELEGRAM[:length]))
    assert found is not None
    assert found.octets == TELEGRAM[:length]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing of this kind\n",
        p1_wire("be-badcrc").decode("latin-1"),
        "/LGZ4ZMF100AC.M29\r\n\x02F.F(00000000)\r\n1.8.0(012345.678*kWh)\r\n!\r\n\x03",
        "0000123 0000456 00112233445566\r\n",  # decimal digits alone are what a meter may have sent
        TELEGRAM.hex(" "),  # that is hexadecimal text, all of it
        "commit deadbeefdeadbeef\n" + "a long story of something else\n" * 20,
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert find_printed(text) is None


def test_noise_is_dealt_with_in_linear_time() -> None:
    for text in ("7e " * 50_000 + "x", "7e" * 50_000 + "x", ("7e:" * 300 + "x\n") * 100, "7e 7e\n" * 20_000):
        find_printed(text)
