"""From telegrams to messages: nothing of a telegram is lost, and nothing of it is told twice."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smart_meter_reader.codecs.p1.mbus import Chosen, InUse
from smart_meter_reader.codecs.p1.telegram import TelegramParser
from smart_meter_reader.guard.guard import Guard
from smart_meter_reader.guard.rules import MeterPolicy
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.p1.messages import Messages
from tests.codecs.p1.test_field import wire as field
from tests.codecs.p1.vectors import PLAIN, Vector, wire

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
WHOLE = [vector for vector in PLAIN if b"\n!" in wire(vector)]


def told(text: bytes, messages: Messages, seconds: float = 0.0) -> list[Message]:
    telegram = TelegramParser().parse(text[: text.index(b"\n!") + 2], "ok")
    return list(messages.of(telegram, NOW, seconds, 0.0))


@pytest.mark.parametrize("vector", WHOLE, ids=lambda v: v["id"])
def test_every_line_stands_once_with_the_meter_that_it_belongs_to(vector: Vector) -> None:
    received = wire(vector)
    messages = [m for m in told(received, Messages("p1")) if m["type"] == "reading"]
    codes = sorted(code for message in messages for code in message["objects"])
    telegram = TelegramParser().parse(received[: received.index(b"\n!") + 2], "ok")
    assert codes == sorted(telegram.objects)
    for code in telegram.objects:
        if code.startswith(("1-0:", "0-0:")):
            assert any(code in message["objects"] for message in messages if message["meter"] == "p1")


def test_why_there_is_no_gas_is_a_status_of_the_gas_meter() -> None:
    messages = Messages("p1")
    info, status = (m for m in told(field("nl-smr55-mt212"), messages) if m["meter"] == "p1-gas")
    assert (info["type"], info["serial_number"]) == ("info", "G0085000001234567")  # type: ignore[typeddict-item]
    assert status["type"] == "status"
    assert (status["state"], status["reason"]) == ("offline", "no_reading")
    assert "G0085000001234567 on M-Bus channel 1" in status["detail"]
    again = told(field("nl-smr55-mt212"), messages)
    assert [m["meter"] for m in again] == ["p1"]


@pytest.mark.parametrize("name", ["nl-t211-nogas", "nl-two-gas", "be-two-gas-zero-newer"])
def test_where_nothing_is_missed_nothing_is_told(name: str) -> None:
    assert [m for m in told(field(name), Messages("p1")) if m["type"] == "status"] == []


def test_a_gas_meter_that_was_read_is_not_told_to_have_no_reading() -> None:
    lines = b"1-0:1.7.0(00.244*kW)\r\n0-1:24.1.0(003)\r\n0-1:96.1.0(4730303339)\r\n0-1:24.2.1(%b)\r\n!"
    messages = Messages("p1")
    for reading in (b"260115120000W)(01000.001*m3", b"700101010000W)(00000000"):
        assert "status" not in [m["type"] for m in told(b"/ISK5\\2\r\n\r\n" + lines % reading, messages)]


def test_an_empty_gas_meter_is_not_told_in_the_place_of_one_that_counted() -> None:
    """dsmrreader/dsmr-reader, test_fluvius_multiple_gas_devices: the counting one was not heard since."""
    chosen = {"gas": Chosen((0, 1), "G0039", counted=True)}
    lines = (
        b"/FLU5\\2\r\n\r\n1-0:1.7.0(00.244*kW)\r\n"
        b"0-2:24.1.0(003)\r\n0-2:96.1.1(4730303430)\r\n0-2:24.2.3(260115120000W)(00000.000*m3)\r\n"
    )
    messages = Messages("p1", in_use=InUse(chosen=chosen))
    telegram = TelegramParser(in_use=InUse(chosen=chosen)).parse(lines + b"!", "ok")
    told_gas = [m for m in messages.of(telegram, NOW, 0.0, 0.0) if m["meter"] == "p1-gas"]
    assert [m["type"] for m in told_gas] == ["status"]
    assert "G0040 on M-Bus channel 2" in told_gas[0]["detail"]  # type: ignore[typeddict-item]


def test_a_gas_meter_without_a_reading_has_the_name_of_its_channel() -> None:
    (info, status) = (
        m for m in told(field("nl-smr55-mt212"), Messages("p1", in_use=InUse(by_channel=True)))
        if m["meter"] != "p1"
    )  # fmt: skip
    assert {info["meter"], status["meter"]} == {"p1-gas-1"}


def test_a_gas_value_that_is_held_back_is_in_no_message() -> None:
    """Among the raw lines of the electricity meter it would still reach the broker."""
    lines = b"1-0:1.7.0(00.244*kW)\r\n0-1:24.1.0(003)\r\n0-1:24.2.1(260115120000W)(%b*m3)\r\n"
    messages, guard = Messages("p1"), Guard({"p1": MeterPolicy()})
    readings = [
        out
        for second, gas in enumerate((b"01000.001", b"00000.007", b"01000.002"))
        for message in told(b"/ISK5\\2\r\n\r\n" + lines % gas + b"!", messages, float(second))
        for out in guard.check(message)
        if out["type"] == "reading"
    ]
    assert [reading["meter"] for reading in readings] == ["p1", "p1-gas", "p1", "p1", "p1-gas"]
    assert "1000.002" in str(readings)
    assert "0.007" not in str(readings)


def test_a_reading_has_the_time_of_the_meters_own_clock() -> None:
    (reading, *_) = [m for m in told(field("be-iskra-ie5"), Messages("p1")) if m["type"] == "reading"]
    assert reading["measured_at"] == datetime(2023, 4, 4, 19, 31, 4, tzinfo=UTC)
    (reading, *_) = [m for m in told(field("nl-clock-unset"), Messages("p1")) if m["type"] == "reading"]
    assert "measured_at" not in reading


def test_a_transformer_ratio_is_for_what_passes_a_transformer() -> None:
    messages = told(field("be-xt211-50221"), Messages("p1", Decimal(40)))
    (info, reading, *behind) = messages
    assert info["type"] == "info"
    assert info["transformer_ratio"] == 40
    assert reading["type"] == "reading"
    found = {key: item["value"] for key, item in reading["measurements"].items()}
    assert found["active_energy_import_tariff_1"] == Decimal("74833.000")
    assert found["active_power_import"] == Decimal("39.520")
    assert found["current_l1"] == Decimal("44.80")
    assert found["voltage_l1"] == Decimal("234.3")
    assert found["current_threshold_l1"] == Decimal("999.99")
    assert reading["measurements"]["active_demand_import_maximum"]["measured_at"].year == 2024
    assert reading["objects"]["1-0:1.7.0"] == {"value": Decimal("0.988"), "unit": "kW"}
    (gas, *_) = [m for m in behind if m["type"] == "reading"]
    assert gas["measurements"]["gas_volume"]["value"] == Decimal("465.041")
