"""`decode kmp` of what is asked of loggers and what they answer: the JSON to the letter, and the text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smart_meter_reader.cli import main
from smart_meter_reader.codecs.kmp.loggers import Logger, LogLastEntryPastAbsRequest
from smart_meter_reader.codecs.kmp.message import OtherMessage, encode_response
from smart_meter_reader.console import EXIT_DATA, EXIT_OK
from smart_meter_reader.meters.kmp.comments import comment
from smart_meter_reader.meters.kmp.decode import _value as shown_value
from smart_meter_reader.meters.kmp.emulated_values import values_of
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from smart_meter_reader.recordings.text import FROM_METER, TO_METER, Burst
from smart_meter_reader.text import plain
from tests.codecs.kmp.vectors import LOGGERS, wire


def told(id_: str, capsys: pytest.CaptureFixture[str], exit_code: int = EXIT_OK) -> dict[str, object]:
    assert main(["decode", "kmp", "--json", wire(id_).hex()]) == exit_code
    (line,) = capsys.readouterr().out.splitlines()
    described: dict[str, object] = json.loads(line)
    return described


def test_rows_of_a_logger(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "kmp", "--json", wire("kmp-log-hour-truncated").hex()]) == EXIT_OK
    assert capsys.readouterr().out == (
        '{"protocol":"kmp","direction":"response","address":63,"cid":184,"command":"GetLogIDPastAbs",'
        '"log":{"logger":5,"first_log_id":9120,"newest_log_id":9120,'
        '"info":["not all entries included","newest entry included"],"rows":['
        '{"log_id":9120,"time":"2026-10-25T03:00:03","registers":['
        '{"id":348,"name":"date_and_time","value":"2026-10-25T03:00:03","unit":"","dst_minutes":0},'
        '{"id":60,"name":"heat_energy","value":378.027,"unit":"GJ"},'
        '{"id":68,"name":"volume","value":246.85,"unit":"m³"}]},'
        '{"log_id":9119,"time":"2026-10-25T02:00:03","registers":['
        '{"id":348,"name":"date_and_time","value":"2026-10-25T02:00:03","unit":"","dst_minutes":0},'
        '{"id":60,"name":"heat_energy","value":378.026,"unit":"GJ"},'
        '{"id":68,"name":"volume","value":246.84,"unit":"m³"}]}]},'
        '"payload":"0605000203000023A0000023A00090015C4F0700001A0A19030003003C0804430005C4AB00442804420000606D'
        '001A0A190200030005C4AA0000606C"}\n'
    )


def test_records_of_an_older_log(capsys: pytest.CaptureFixture[str]) -> None:
    described = told("kmp-log-a0-resp", capsys)
    assert described["command"] == "GetLogTimePresent"
    assert isinstance(described["log"], dict)
    rows = described["log"].pop("rows")
    assert described["log"] == {
        "logger": 1,
        "first_log_id": 0x10F3,
        "last_read_log_id": 0x10F5,
        "newest_log_id": 0x1102,
        "info": [],
    }
    assert [row["log_id"] for row in rows] == [0x10F3, 0x10F4, 0x10F5]
    assert rows[2]["registers"][1] == {"id": 68, "name": "volume", "value": 4065873046, "unit": "l"}


def test_an_older_log_without_records(capsys: pytest.CaptureFixture[str]) -> None:
    assert told("kmp-log-a0-empty", capsys)["log"] == {
        "logger": None,
        "first_log_id": None,
        "last_read_log_id": None,
        "newest_log_id": None,
        "info": ["logger is empty"],
        "rows": [],
    }


def test_bytes_left_over_are_an_error_and_give_no_row(capsys: pytest.CaptureFixture[str]) -> None:
    described = told("kmp-log-surplus", capsys, EXIT_DATA)
    assert described["command"] == "GetLogIDPastAbs"
    assert isinstance(described["error"], dict)
    assert described["error"]["kind"] == "length"
    assert "log" not in described


# An empty logger's answer, as a meter sent it: info bit 0, and a row of zeros.
EMPTY = "0704000103 00000000 00000000 0001 015C4F0700 00000000000000 003C080443 00000000 0044280442 00000000"


@pytest.mark.parametrize("info", ["0001", "0002", "0100", "0200", "0400"])
def test_a_logger_without_rows_has_a_whole_answer_too(info: str, capsys: pytest.CaptureFixture[str]) -> None:
    payload = bytes.fromhex(EMPTY.replace("0001 015C", f"{info} 015C"))
    head = 15
    for cut in range(len(payload) + 1):
        whole = cut in (head, len(payload))
        frame = encode_response(OtherMessage(0xB8, payload[:cut]))
        assert main(["decode", "kmp", "--json", frame.hex()]) == (EXIT_OK if whole or not cut else EXIT_DATA)
        described = json.loads(capsys.readouterr().out)
        assert ("error" in described) is (bool(cut) and not whole)
        assert described.get("log", {"rows": []})["rows"] == []
    for surplus in (b"\0", b"\0\1"):
        assert main(["decode", "kmp", "--json", encode_response(OtherMessage(0xB8, payload + surplus)).hex()])
        assert "log" not in json.loads(capsys.readouterr().out)


def test_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    described = told("kmp-log-year-config", capsys)
    assert described["command"] == "GetConfiguration"
    configuration = described["configuration"]
    assert isinstance(configuration, dict)
    assert (configuration["depth"], configuration["target_dates"]) == (20, ["--01-01"])
    assert len(configuration["registers"]) == 43


def test_summer_time_of_a_plain_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert told("kmp-log-348-summer", capsys)["registers"] == [
        {"id": 348, "name": "date_and_time", "value": "2016-06-30T14:48:55", "unit": "", "dst_minutes": 60}
    ]


def test_text_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    frames = [wire(id_).hex() for id_ in ("kmp-log-hour-req", "kmp-log-info-logger", "kmp-log-a3-req")]
    assert main(["decode", "kmp", *frames]) == EXIT_OK
    assert capsys.readouterr().out.splitlines() == [
        "request GetLogIDPastAbs (CID B8h, address 3Fh)",
        "  logger: 5",
        "  log id: 9120",
        "  entries: 24",
        "    348  date_and_time",
        "     60  heat_energy",
        "     68  volume",
        "response GetLogIDPastAbs (CID B8h, address 3Fh)",
        "  logger: 1",
        "  first log id: 17",
        "  newest log id: 17",
        "  info: newest entry included",
        "  entry 17, 2026-07-03T11:42:09 standard time",
        "      348  date_and_time  2026-07-03T11:42:09 + 60 min of summer time",
        "      369  info_bits      256: flow sensor V1: signal too low (air)",
        "       60  heat_energy    377.000 GJ",
        "  entry 16, 2026-07-03T11:12:30 standard time",
        "      348  date_and_time  2026-07-03T11:12:30 + 60 min of summer time",
        "      369  info_bits      0",
        "       60  heat_energy    377.000 GJ",
        "request GetLogTimePast (CID A3h, address BFh)",
        "  logger: 1",
        "  time: 2007-05-24T19:45:00",
        "  offset: 6",
        "  entries: 3",
        "  max length: 128",
        "     60  heat_energy",
        "     68  volume",
    ]


@pytest.mark.parametrize("id_", sorted({*LOGGERS} - {"kmp-log-surplus"}))
def test_decode_auto_takes_each_for_kmp(id_: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "auto", "--json", wire(id_).hex()]) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["protocol"] == "kmp"


def test_what_a_recording_says_beside_them() -> None:
    assert comment(Burst(0, TO_METER, wire("kmp-log-hour-req"))).endswith(
        "GetLogIDPastAbs logger 5 log_id=9120"
    )
    assert comment(Burst(0, FROM_METER, wire("kmp-log-hour-dst-end"))).endswith(
        "GetLogIDPastAbs logger 5 rows 9120 to 9116 newest entry included"
    )
    assert comment(Burst(0, FROM_METER, wire("kmp-log-a0-empty"))).endswith("no rows logger is empty")


def test_entries_of_the_info_logger_have_their_bits_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    meter = KamstrupMeter("603", values=values_of("603", 0, {}, datetime(2026, 11, 29, 12, tzinfo=UTC)))
    meter.report(258, -3600.0)
    frame = meter.answer(LogLastEntryPastAbsRequest(Logger.INFO, 0, 3, (348, 369)), 0.0)
    assert frame is not None
    assert main(["decode", "kmp", frame.hex()]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    bits = [line.partition("info_bits")[2].strip() for line in lines if "info_bits" in line]
    assert bits == [
        "258: the battery is low, or the meter runs on its backup battery; "
        "flow sensor V1: signal too low (air)",
        "0",
        "256: flow sensor V1: signal too low (air)",
    ]
    assert "  entry 3, 2026-11-29T11:00:04 standard time" in lines


@pytest.mark.parametrize(
    "value", [{"value": "2026-11-29"}, {"value": Decimal("1e20")}, {"value": Decimal(-1)}]
)
def test_bits_that_are_none_are_shown_as_they_are(value: dict[str, object]) -> None:
    assert shown_value({"id": 369, "unit": ""} | value) == plain(value["value"])
