"""The client `sml` against an emulated meter on real pseudo-terminals and TCP ports, with every trouble."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import EmulatedLine, on_pty, on_tcp
from smart_meter_reader.exceptions import NoTelegramError, WrongMeterError
from smart_meter_reader.guard.guard import Guard, MeterPolicy
from smart_meter_reader.messages import METER_REPORTS, Info, Message, Reading
from smart_meter_reader.meters.sml.client import SmlClient
from smart_meter_reader.meters.sml.emulated_models import MODELS
from smart_meter_reader.meters.sml.emulator import FAULTS, SmlMeter
from smart_meter_reader.meters.sml.settings import SmlSettings
from tests.codecs.sml.vectors import wire
from tests.peers.heard import Heard, once, running

FAST = 0.02  # seconds between telegrams


def client_of(port: str, **settings: Any) -> SmlClient:
    settings.setdefault("interval", timedelta(0))
    return SmlClient("power", SmlSettings(port=port, **settings))


def meter(model: str = "iskra-mt631", *faults: str, **options: Any) -> SmlMeter:
    return SmlMeter(
        model, faults=parse_faults(faults, FAULTS), interval=options.pop("interval", FAST), **options
    )


@asynccontextmanager
async def listening(emulated: SmlMeter, **settings: Any) -> AsyncIterator[Heard]:
    async with on_pty(emulated) as port, running(client_of(port, **settings)) as heard:
        yield heard


def values(readings: list[Reading], quantity: str) -> list[Any]:
    return [reading["measurements"][quantity]["value"] for reading in readings]


class Recorded(SmlMeter):
    """Sends captures one after the other, in a circle."""

    def __init__(self, *telegrams: bytes) -> None:
        super().__init__(recording=telegrams, interval=FAST)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("sun", [0, 5000])
async def test_every_model_on_a_pty(model: str, sun: int) -> None:
    async with listening(meter(model, sun=sun)) as heard:
        readings = await heard.wait_for(5)
    energies = values(readings, "active_energy_import")
    assert energies == sorted(energies)
    powers = values(readings, "active_power_net")
    assert all(power < 0 if sun else power > 0 for power in powers)
    info: Info = heard.of("info")[0]
    assert heard.messages[0] is info
    assert info["serial_number"]
    assert readings[0]["objects"]
    assert readings[0]["measurements"]["reported_problems"]["value"] == "none"
    assert heard.of("status") == []


async def test_many_listeners_hear_the_same() -> None:
    async with (
        on_tcp(meter(interval=0.1)) as place,
        running(client_of(f"socket://{place}")) as one,
        running(client_of(f"socket://{place}")) as two,
    ):
        await one.wait_for(4)
        await two.wait_for(4)
    heard = [set(values(p.of("reading"), "active_energy_import")) for p in (one, two)]
    assert heard[0] & heard[1]


async def test_with_an_interval_the_newest_telegram_is_published() -> None:
    async with listening(meter(), interval=timedelta(seconds=0.4)) as heard:
        await heard.wait_for(3)
        client_counted = len(heard.readings)
    assert client_counted < 10


@pytest.mark.parametrize("fault", ["crc:1/3", "cut:1/3", "lose:1/3", "begin:1/3", "noise", "drop:1/3"])
async def test_trouble_on_the_line_costs_the_telegrams_that_it_spoils(fault: str) -> None:
    clean = meter()
    told = {clean.next_telegram() for _ in range(400)}
    assert len(told) == 400
    async with listening(meter("iskra-mt631", fault)) as heard:
        readings = await heard.wait_for(8)
    energies = values(readings, "active_energy_import")
    assert energies == sorted(energies)
    assert set(energies) <= {Decimal(16_824_856_500 + step).scaleb(-3) for step in range(0, 10**6, 100)}


async def test_kermit_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with listening(meter("holley-dtz541")) as heard:
        await heard.wait_for(5)
    assert caplog.text.count("CRC-16/Kermit") == 1
    assert heard.of("info")[0]["firmware"] == "1.02.007"


async def test_a_missing_pin_is_told_with_what_to_do_and_so_is_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with listening(meter("ebz-dd3", "pin:3")) as heard:
        await heard.until(lambda: len(heard.states) == 2, "two states")
        await heard.more_readings(2)
    assert heard.states == (f"online {METER_REPORTS}", "online")
    assert "PIN missing: only kWh" in heard.of("status")[0]["detail"]
    assert 'InF to "on"' in heard.of("status")[0]["detail"]
    first, last = heard.readings[0]["measurements"], heard.readings[-1]["measurements"]
    assert first["info_code_text"]["value"] == "PIN missing: only kWh"
    assert first["reported_problems"]["value"] == "pin_missing"
    assert last["info_code_text"]["value"] == last["reported_problems"]["value"] == "none"
    assert first["active_energy_import"] == {"value": Decimal("1.6824E+7"), "unit": "Wh"}
    assert "active_power_net" not in first
    assert caplog.text.count("PIN missing") == caplog.text.count("full resolution") == 1


async def test_a_pin_that_comes_and_goes_is_no_reset_for_the_guard() -> None:
    guard = Guard({"power": MeterPolicy(counter_digits=7)})
    async with listening(meter("iskra-mt631", "pin:1/5")) as heard:
        await heard.wait_for(30)
    published = [out for message in heard.messages for out in guard.check(message)]
    assert len([out for out in published if out["type"] == "reading"]) == len(heard.readings)
    assert not guard.rejected("power")
    assert all(out["reason"] in ("", METER_REPORTS) for out in published if out["type"] == "status")


async def test_a_reset_and_another_meter_still_are_told_by_the_guard() -> None:
    for fault, reason in (("reset:1/6", "implausible_value"), ("swap:1/20", "meter_replaced")):
        guard = Guard({"power": MeterPolicy()})
        async with listening(meter("iskra-mt631", fault)) as heard:
            await heard.wait_for(30)
        published: list[Message] = [out for message in heard.messages for out in guard.check(message)]
        assert {message["meter"] for message in published} == {"power"}
        assert reason in {out["reason"] for out in published if out["type"] == "status"}, fault


async def test_two_meters_at_one_port_are_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    pair = wire("sml-iskra-mt631-pin"), wire("sml-ebz-dd3-5digits"), wire("sml-itron-pin")
    async with on_pty(Recorded(*pair)) as port:
        client = client_of(port)
        async with running(client) as heard:
            await heard.wait_for(3)
            await heard.wait_for(3, meter="power-2")
            await heard.wait_for(3, meter="power-3")
    assert {reading["meter"] for reading in heard.readings} == {"power", "power-2", "power-3"}
    second = heard.of("info", "power-3")[0]
    assert second["via"] == "power"
    for name in ("power", "power-2", "power-3"):
        assert len(set(values(heard.of("reading", name), "active_energy_import"))) == 1
    assert "another meter, 1ITR0000000017, is heard at the same port and named power-3" in caplog.text
    again = client_of("/dev/null")
    again.recall(client.memory)
    assert again.memory == client.memory
    assert sorted(client.memory["meters"].values()) == [1, 2, 3]


async def test_the_one_that_the_settings_name_is_read_alone() -> None:
    pair = wire("sml-iskra-mt631-pin"), wire("sml-itron-pin")
    async with on_pty(Recorded(*pair)) as port:
        client = client_of(port, serial_number="1 itr00 0000 0017")
        async with running(client) as heard:
            await heard.wait_for(4)
    assert {reading["meter"] for reading in heard.readings} == {"power"}
    assert set(values(heard.readings, "active_energy_import")) == {Decimal("25892776.1")}
    assert client.memory == {}


async def test_where_only_another_meter_is_heard_than_the_settings_name_that_is_told() -> None:
    """Its telegrams are no sign of life of the one that is wanted, which would else be silent for ever."""
    async with on_pty(Recorded(wire("sml-iskra-mt631-pin"))) as port:
        client = client_of(port, serial_number="1ITR0000000017", timeout=timedelta(seconds=0.5))
        with pytest.raises(
            WrongMeterError, match=r"1ISK\w+ is heard there, the settings expect 1ITR0000000017"
        ):
            await client.run(Heard("power"))


@pytest.mark.parametrize(
    "memory",
    [
        {"meters": {"xx": 1}},
        {"meters": {"00": 0}},
        {"meters": {"00": "1"}},
        {"meters": {"00": 1, "01": 1}},
        {"meters": {f"0{n}": n for n in range(1, 6)}},
        {"meters": []},
        {"other": {}},
    ],
)
def test_a_damaged_memory_is_refused(memory: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        client_of("/dev/null").recall(memory)


class Bytes:
    """Sends the same bytes again and again."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream

    async def serve(self, line: EmulatedLine) -> None:
        async def send() -> None:
            while self._stream:
                await line.write(self._stream)
                await asyncio.sleep(FAST)

        sender = asyncio.ensure_future(send())
        try:
            while await line.read():
                pass
        finally:
            sender.cancel()


PLAIN = wire("sml-iskra-mt175")


@pytest.mark.parametrize(
    ("stream", "reason", "words"),
    [
        (b"", "silence", "not a byte"),
        (PLAIN[:-2] + b"\0\0", "checksum", "move the head"),
        (bytes(octet & 0x7F for octet in PLAIN[20:-20]), "seven_bits", "9600 8N1"),
        (bytes(octet & 0x7F for octet in PLAIN), "seven_bits", "9600 8N1"),
        (PLAIN[20:-20], "no_control", "raw"),
        (PLAIN.replace(b"\x1a", b""), "no_control", "never end"),
        (b"\x55\xaa" * 50, "garbage", "sunlight"),
        (b"/EBZ5DD32R06ETA_107\r\n\r\n1-0:1.8.0*255(000001.0*kWh)\r\n!\r\n", "garbage", "SML"),
    ],
)
async def test_why_nothing_good_comes(stream: bytes, reason: str, words: str) -> None:
    async with on_pty(Bytes(stream)) as port:
        with pytest.raises(NoTelegramError) as death:
            await client_of(port, timeout=timedelta(seconds=1)).run(Heard("power"))
    assert death.value.reason == reason
    assert words in death.value.detail


async def test_one_reading_for_who_waits() -> None:
    async with on_pty(meter()) as port:
        messages = await once(client_of(port))
    assert [message["type"] for message in messages] == ["info", "reading"]


async def test_what_a_firmware_does_wrong_is_corrected_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with listening(Recorded(wire("sml-dzg-dvs74-bug"), wire("sml-emh-null-value"))) as heard:
        await heard.wait_for(3)
        await heard.wait_for(3, meter="power-2")
    assert set(values(heard.of("reading"), "active_power_net")) == {Decimal("356.24")}
    assert caplog.text.count("this meter's firmware") == 1
    assert caplog.text.count("1-0:96.50.2*6 has no value that makes sense") == 1
