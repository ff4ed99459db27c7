"""The emulated MULTICAL: what it measures and how it answers, seen by a reader that is not ours."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.codecs.kmp import (
    Frame,
    GetRegisterRequest,
    GetRegisterResponse,
    GetSerialNoRequest,
    GetTypeRequest,
    RegisterValue,
    Request,
    decode_frame,
    decode_response,
    encode_request,
)
from smart_meter_reader.emulators.clock import FASTEST
from smart_meter_reader.emulators.stream import on_tcp
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.meters.kmp.emulated_values import read_values, values_of
from smart_meter_reader.meters.kmp.emulator import MODELS, KamstrupMeter
from smart_meter_reader.meters.kmp.lines import OPTICAL_LINE
from smart_meter_reader.transport import LineSettings

START = datetime(2026, 1, 15, 12, 30, 5, tzinfo=UTC)


def value_of(record: bytes | None) -> RegisterValue:
    assert record is not None
    response = decode_response(Frame("response", 0x3F, 0x10, record))
    assert isinstance(response, GetRegisterResponse)
    return response.registers[0]


def number(record: bytes | None) -> Decimal:
    value = value_of(record).value
    assert isinstance(value, Decimal)
    return value


@pytest.mark.parametrize("model", sorted({*MODELS} - {"21"}))
def test_every_model_knows_what_a_heat_meter_shows(model: str) -> None:
    values = values_of(model, 0, {}, START)
    assert {60, 68, 74, 80, 86, 87, 89} <= values.registers
    for register in values.registers:
        assert value_of(values.record(register, 1000.0)).value is not None
    assert values.record(4711, 0.0) is None


@pytest.mark.parametrize("seed", range(5))
def test_totals_rise_by_what_the_power_gives(seed: int) -> None:
    values = values_of("403", seed, {}, START)
    hour = [number(values.record(60, at * 3600.0)) for at in range(49)]
    assert hour == sorted(hour)
    power = [number(values.record(80, at * 3600.0)) for at in range(49)]
    assert all(value > 0 for value in power)
    # kWh of two days from hourly powers, against GJ counted.
    assert (hour[-1] - hour[0]) / Decimal("0.0036") == pytest.approx(sum(power[:-1]), rel=Decimal("0.03"))
    difference = number(values.record(86, 500.0)) - number(values.record(87, 500.0))
    assert abs(difference - number(values.record(89, 500.0))) <= Decimal("0.02")


def test_the_same_seed_is_the_same_house() -> None:
    def readings(seed: int) -> list[bytes | None]:
        values = values_of("403", seed, {}, START)
        return [values.record(register, 12_345.6) for register in sorted(values.registers)]

    assert readings(7) == readings(7)
    assert readings(7) != readings(8)


def test_clock_and_dates_are_those_of_the_emulated_time() -> None:
    values = values_of("403", 0, {}, START)
    assert value_of(values.record(1002, 60.0)).value == "12:31:05"
    assert value_of(values.record(138, 0.0)).value == "2026-01-11"


def test_values_from_a_file_keep_their_digits_and_units(tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    path.write_text(
        '{"heat_energy": {"value": 227.4450, "unit": "MWh"}, "99": 16, "0x7B": "2022-01-12", "power": "-0.2"}'
    )
    values = values_of("403", 0, read_values(path))
    energy = value_of(values.record(60, 0.0))
    assert (str(energy.value), energy.unit) == ("227.4450", "MWh")
    assert value_of(values.record(99, 0.0)).value == 16
    assert value_of(values.record(123, 0.0)).value == "2022-01-12"
    assert value_of(values.record(80, 0.0)).value == Decimal("-0.2")
    toml = tmp_path / "values.toml"
    toml.write_text("heat_energy = 7.60\nserial_number = 12345678\n")
    values = values_of("403", 0, read_values(toml))
    assert str(value_of(values.record(60, 0.0)).value) == "7.60"
    assert values.serial_number == 12_345_678


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "neither JSON nor TOML"),
        ("[1]", "no table"),
        ('{"heat_enrgy": 1}', "did you mean 'heat_energy'"),
        ('{"heat_energy": {"value": 1, "unit": "BTU"}}', "unknown unit 'BTU'"),
        ('{"heat_energy": true}', "is no value"),
        ('{"heat_energy": "much"}', "not a number"),
        ('{"heat_energy": {"value": 1, "unit": []}}', "unknown unit"),
        ('{"serial_number": 12345678901}', "takes 5 bytes, not 4"),
        ("[" * 100_000, "neither JSON nor TOML"),
    ],
)
def test_wrong_values_are_explained(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "values.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=complaint):
        read_values(path)


async def ask(place: str, *requests: bytes) -> list[Frame]:
    """What a plain TCP connection gets for some bytes."""
    host, port = place.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    frames = []
    try:
        for request in requests:
            writer.write(request)
            async with asyncio.timeout(5):
                frames.append(decode_frame(await reader.readuntil(b"\r")))
    finally:
        writer.close()
        await writer.wait_closed()
    return frames


def encoded(*requests: Request) -> list[bytes]:
    return [encode_request(request) for request in requests]


async def test_all_three_commands_are_answered_over_tcp_to_several_listeners() -> None:
    async with on_tcp(KamstrupMeter(reply_delay=0.0)) as place:
        requests = encoded(GetTypeRequest(), GetSerialNoRequest(), GetRegisterRequest((60, 4711, 68)))
        for frames in await asyncio.gather(*(ask(place, *requests) for _ in range(3))):
            assert [frame.cid for frame in frames] == [0x01, 0x02, 0x10]
            answer = decode_response(frames[2])
            assert isinstance(answer, GetRegisterResponse)
            assert list(answer.by_id()) == [60, 68]


@pytest.mark.parametrize("rate", [0.0, 1e6, FASTEST])
async def test_a_meter_of_any_rate_answers(rate: float) -> None:
    """Its calendar would end after a week at a million, and at once at the fastest."""
    every = sorted(values_of("403", 0, {}).registers)
    async with on_tcp(KamstrupMeter(reply_delay=0.0, rate=rate)) as place:
        asked = [GetRegisterRequest(tuple(every[at : at + 8])) for at in range(0, len(every), 8)]
        frames = await ask(place, *encoded(*asked))
    assert len(frames) == len(asked)


async def test_what_is_no_request_to_this_meter_is_met_with_silence() -> None:
    meter = KamstrupMeter(reply_delay=0.0)
    good = encode_request(GetSerialNoRequest())
    nine = bytes.fromhex("803f1009") + bytes(18)
    async with on_tcp(meter) as place:
        for unwanted in (
            b"noise",
            good[:-3] + b"\x00\x00\r",
            encode_request(GetSerialNoRequest(), address=0x7F),
            nine + b"\x00\x00\r",
        ):
            # The answer that comes is the one to the good request behind it.
            (frame,) = await ask(place, unwanted + good)
            assert frame.cid == 0x02
    assert meter.counts.answers == 4


async def test_more_than_eight_registers_are_refused() -> None:
    from smart_meter_reader.codecs.kmp import START_REQUEST, encode_frame

    payload = b"\x09" + b"".join(register.to_bytes(2, "big") for register in range(60, 69))
    nine = encode_frame(START_REQUEST, 0x3F, 0x10, payload)
    meter = KamstrupMeter(reply_delay=0.0)
    async with on_tcp(meter) as place:
        (frame,) = await ask(place, nine + encode_request(GetSerialNoRequest()))
    assert frame.cid == 0x02
    assert meter.counts.damaged == 1


async def test_bytes_take_their_time_on_a_line_of_some_speed() -> None:
    loop = asyncio.get_running_loop()
    line = LineSettings(4800, 8, "N", 2)
    request = encode_request(GetRegisterRequest((60, 68, 74, 80)))
    async with on_tcp(KamstrupMeter(reply_delay=0.0), line=line) as place:
        started = loop.time()
        (frame,) = await ask(place, request)
        took = loop.time() - started
    # At least as long as on a wire; how much longer depends on the machine.
    assert took >= line.seconds(len(request) + len(frame.encode())) * 0.99


def test_the_optical_line_is_1200_baud_with_two_stop_bits() -> None:
    assert str(OPTICAL_LINE) == "1200 Bd 8N2"
