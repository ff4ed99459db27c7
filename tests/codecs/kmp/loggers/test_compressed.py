"""Answers of B8h with differences between rows: each kind of difference, every cut, and what is not known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from smart_meter_reader.codecs.kmp.describe import describe_frame
from smart_meter_reader.codecs.kmp.frame import Frame

HEAD = "020602 00000010"  # GetLogIDPresent, logger 6, two registers, entry 16
FIRST = "0001 02 04 42 00003039" + "0417 48 05 00 01 0A000000"  # 123.45 kWh; a clock in seconds
TAIL = "00000020 0080"
# The clock goes on by a quarter of an hour unless a row says otherwise.
QUARTERS = "0417 0000000384"
NONE = "FFFF"


def told(payload: str) -> dict[str, Any]:
    return describe_frame(Frame("response", 0x3F, 0xB8, bytes.fromhex(payload)))


def values(described: dict[str, Any]) -> list[tuple[int, Any, Any]]:
    return [
        (row["log_id"], *(register["value"] for register in row["registers"]))
        for row in described["log"]["rows"]
    ]


def test_differences_are_to_the_row_before() -> None:
    described = told(HEAD + FIRST + QUARTERS + "10 05" + "91 02 0A" + "74 00000001 00000384" + "00" + TAIL)
    assert described["command"] == "GetLogIDPresent"
    log = described["log"]
    assert (log["logger"], log["first_log_id"], log["newest_log_id"]) == (6, 16, 32)
    assert log["info"] == ["newest entry included"]
    assert log["rows"][0]["registers"][0] == {
        "id": 1,
        "name": "active_energy_import",
        "value": Decimal("123.45"),
        "unit": "kWh",
    }
    assert values(described) == [
        (16, Decimal("123.45"), "010A000000"),
        (17, Decimal("123.50"), "010A000384"),
        (18, Decimal("123.48"), "010A00038E"),
        (19, Decimal("0.01"), "010A000712"),
        (20, Decimal("0.01"), "010A000A96"),
    ]


def test_back_in_time_the_ids_fall() -> None:
    payload = HEAD.replace("02", "03", 1) + FIRST + NONE + "90 05" + TAIL
    described = told(payload)
    assert described["command"] == "GetLogTimePast"
    assert values(described) == [
        (16, Decimal("123.45"), "010A000000"),
        (15, Decimal("123.40"), "010A000000"),
    ]


def test_a_register_alone_has_a_byte_of_its_own() -> None:
    described = told("000601 00000010 0001020442 00003039 FFFF 10 05 00 70 00000002" + TAIL)
    assert described["command"] == "GetLogTimePresent"
    assert [row["registers"][0]["value"] for row in described["log"]["rows"]] == [
        Decimal("123.45"),
        Decimal("123.50"),
        Decimal("123.50"),
        Decimal("0.02"),
    ]


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        pytest.param(HEAD + FIRST + "0002 00" + TAIL, "length", id="a default that is in no row"),
        pytest.param(HEAD + FIRST + NONE + "F0 00" + TAIL, "length", id="half a value"),
        pytest.param("020600 00000010 00" + TAIL, "length", id="a byte for no register"),
        pytest.param(HEAD + TAIL, "length", id="two registers and nothing of them"),
        pytest.param(HEAD + FIRST + NONE + "C0 7FFFFFFF" + TAIL, "data_set", id="below zero"),
        pytest.param(HEAD + FIRST + NONE + "40 FFFFFFFF" + TAIL, "data_set", id="too large"),
        pytest.param(
            "020601 00000010 0001 02 04 C2 00003039 FFFF 10 05" + TAIL, "data_set", id="of a negative number"
        ),
        pytest.param(
            "020601 00000010 015C 4F 07 00 001A0A19030003 FFFF 10 05" + TAIL, "data_set", id="of raw bytes"
        ),
        pytest.param(HEAD + FIRST + NONE + "00" * 17 + TAIL, "ids", id="newer than the newest"),
        pytest.param("0306" + HEAD[4:] + FIRST + NONE + "00" * 17 + TAIL, "ids", id="below entry 0"),
        pytest.param("020602 00000030" + FIRST + NONE + TAIL, "ids", id="first is newer than the newest"),
        pytest.param(HEAD + FIRST + NONE + "00020010 0080", "ids", id="older than any logger is deep"),
        pytest.param(HEAD + FIRST + NONE + "00000020 4080", "length", id="an info bit without meaning"),
    ],
)
def test_what_cannot_be_gives_no_row(payload: str, kind: str) -> None:
    described = told(payload)
    assert described["error"]["kind"] == kind
    assert "log" not in described


def test_whole_values_of_any_kind_are_taken() -> None:
    described = told("020601 00000010 015C4F0700 001A0A19030003 FFFF 70 001A0A19040003" + TAIL)
    assert [row["time"] for row in described["log"]["rows"]] == ["2026-10-25T03:00:03", "2026-10-25T04:00:03"]


def test_no_row_of_an_empty_logger() -> None:
    described = told(HEAD + "0001 02 04 00 00000000" + "0417 48 05 00 0000000000" + NONE + "00000000 0001")
    assert described["log"] == {
        "logger": 6,
        "first_log_id": 16,
        "newest_log_id": 0,
        "info": ["logger is empty"],
        "rows": [],
    }


ROW = "0001 02 01 00 05 FFFF"


@pytest.mark.parametrize(
    ("sub", "first", "further", "newest", "ids"),
    [
        pytest.param("00", 0, 0, 0, [0], id="the only entry"),
        pytest.param("02", 0, 2, 2, [0, 1, 2], id="from entry 0 to the newest"),
        pytest.param("03", 2, 2, 2, [2, 1, 0], id="from the newest to entry 0"),
        pytest.param("02", 1, 0, 0x10000, [1], id="as far back as a logger can be deep"),
        pytest.param("02", 0, 0, 0x10000, None, id="further back"),
        pytest.param("03", 2, 2, 0x10000, None, id="back to further back"),
        pytest.param("02", 1, 2, 2, None, id="beyond the newest"),
        pytest.param("03", 3, 2, 2, None, id="back from beyond the newest"),
        pytest.param("03", 1, 2, 2, None, id="back beyond entry 0"),
    ],
)
def test_which_entries_there_can_be(
    sub: str, first: int, further: int, newest: int, ids: list[int] | None
) -> None:
    described = told(f"{sub}0601 {first:08x}" + ROW + "00" * further + f"{newest:08x} 0000")
    if ids is None:
        assert described["error"]["kind"] == "ids"
    else:
        assert [row["log_id"] for row in described["log"]["rows"]] == ids


def test_rows_of_no_register_are_none() -> None:
    described = told("020600 00000010" + TAIL)
    assert (described["log"]["rows"], described["log"]["newest_log_id"]) == ([], 32)


@pytest.mark.parametrize("rows", ["10 05", "10 05 91 02 0A", "11 01 02 91 03 02 70 0005C500 00"])
@pytest.mark.parametrize("sub", ["00", "02", "03"])
def test_no_cut_gives_a_row(sub: str, rows: str) -> None:
    """Nothing says how many rows there are: behind a cut the newest id and info are other bytes."""
    whole = bytes.fromhex(sub + HEAD[2:] + FIRST + QUARTERS + rows + TAIL)
    for cut in range(1, len(whole)):
        described = told(whole[:cut].hex())
        assert "error" in described or not described["log"]["rows"], cut


def test_what_a_logger_that_says_no_sends_in_place_of_rows_is_whole_too() -> None:
    memory_error = "00000020 0100"
    assert told(HEAD + memory_error)["log"]["info"] == ["memory error"]
    assert told(HEAD + FIRST + NONE + memory_error)["log"]["rows"] == []
    assert told(HEAD + FIRST[:-2] + memory_error)["error"]["kind"] == "length"


@pytest.mark.parametrize("sub", ["00", "02", "03"])
def test_what_is_asked_is_told_as_bytes(sub: str) -> None:
    asked = describe_frame(Frame("request", 0x3F, 0xB8, bytes.fromhex(sub + "0600")))
    assert (asked["payload"], "error" in asked, "log_request" in asked) == (
        sub.upper() + "0600",
        False,
        False,
    )
