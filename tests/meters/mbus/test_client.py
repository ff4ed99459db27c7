"""The client `mbus` against emulated buses on real ptys and TCP: what it publishes, and what it asks."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.codecs.mbus.encode import integer_record
from smart_meter_reader.codecs.mbus.frame import LongFrame, ShortFrame
from smart_meter_reader.emulators.stream import EmulatedLine, on_pty, on_tcp
from smart_meter_reader.exceptions import (
    MeterSilentError,
    NothingHeardError,
    ProtocolError,
    TransportError,
    UnusableAnswersError,
    WrongMeterError,
)
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.lines import shared_line, sharing_lines
from smart_meter_reader.meters.mbus.emulated_meters import Counted, Telegrams
from smart_meter_reader.meters.mbus.emulator import EmulatedBus, meter_of
from smart_meter_reader.meters.mbus.settings import MbusSettings
from smart_meter_reader.meters.mbus.timing import line_at
from smart_meter_reader.settings.schedule import Schedule
from tests.meters.mbus.buses import bus, client
from tests.peers.heard import Heard, once, running

pytestmark = pytest.mark.usefixtures("hurrying_loop")

NKE, FIRST, SECOND = "1040014116", "107b017c16", "105b015c16"


def asked(emulated: EmulatedBus) -> list[str]:
    return [request.encode().hex() for request in emulated.asked]


async def test_once_publishes_who_the_meter_is_and_then_one_reading() -> None:
    emulated = bus()
    async with on_pty(emulated) as path:
        info, reading = await once(client(path, address=1))
    assert info["type"] == "info"
    assert (info["manufacturer"], info["model"], info["serial_number"]) == (
        "Kamstrup",
        "MULTICAL 403",
        "12345678",
    )
    assert reading["type"] == "reading"
    assert reading["measurements"]["heat_energy"] == {"value": Decimal(37351), "unit": "kWh"}
    assert reading["measurements"]["power"] == {"value": Decimal("3.1"), "unit": "kW"}
    assert reading["measurements"]["info_bits"]["value"] == 0
    assert asked(emulated) == [NKE, FIRST]


async def test_the_same_over_tcp() -> None:
    async with on_tcp(bus()) as place:
        _, reading = await once(client(f"socket://{place}", address=1))
    assert reading["type"] == "reading"
    assert reading["measurements"]["volume"]["value"] == Decimal("561.08")


async def test_a_meter_that_is_alone_needs_no_address() -> None:
    async with on_pty(bus(meters=[meter_of("water", address=77)])) as path:
        info, reading = await once(client(path))
    assert info["type"] == "info"
    assert info["manufacturer"] == "Itron"
    assert reading["type"] == "reading"
    assert list(reading["measurements"]) == ["water_volume", "reported_problems"]


async def test_a_readout_in_two_telegrams_is_one_reading() -> None:
    emulated = bus(meters=[meter_of("supercal", address=1)])
    async with on_pty(emulated) as path:
        _, reading = await once(client(path, address=1))
        _, again = await once(client(path, address=1))
    assert reading["type"] == again["type"] == "reading"
    assert list(reading["measurements"]) == [
        "heat_energy",
        "volume",
        "flow_temperature",
        "return_temperature",
        "volume_flow",
        "power",
        "operating_hours",
        "reported_problems",
    ]
    assert reading["measurements"] == again["measurements"]
    assert asked(emulated) == [NKE, FIRST, SECOND] * 2


async def test_a_meter_is_selected_by_its_number_and_let_go_again() -> None:
    meters = [meter_of("multical_403", address=0, number="11111111"), meter_of("water", number="22222222")]
    emulated = bus(meters=meters)
    async with on_pty(emulated) as path:
        info, reading = await once(client(path, secondary_address="2222FFFF"))
    assert info["type"] == "info"
    assert info["serial_number"] == "22222222"
    assert reading["type"] == "reading"
    assert asked(emulated) == [
        "1040fd3d16",
        LongFrame(0x73, 253, 0x52, bytes.fromhex("ffff2222ffffffff")).encode().hex(),
        "107bfd7816",
        "1040fd3d16",
    ]
    assert not any(meter.selected for meter in meters)


@pytest.mark.parametrize(
    "fault", ["drop:1", "checksum:1", "cut:1", "collision:1", "noise:1", "busy:1", "slow:1"]
)
@pytest.mark.parametrize("model", ["multical_403", "supercal"])
async def test_trouble_that_passes_is_asked_over(fault: str, model: str) -> None:
    async with on_pty(bus(fault, meters=[meter_of(model, address=1)])) as path:
        reader = client(path, address=1)
        _, reading = await once(reader)
    async with on_pty(bus(meters=[meter_of(model, address=1)])) as path:
        _, well = await once(client(path, address=1))
    assert reading["type"] == well["type"] == "reading"
    assert reading["measurements"] == well["measurements"]


async def test_a_slow_converter_is_given_the_time_that_it_takes() -> None:
    emulated = bus("slow")
    async with on_pty(emulated) as path:
        await once(client(path, address=1, converter_delay=timedelta(seconds=5)))
    assert asked(emulated) == [NKE, FIRST]


@pytest.mark.parametrize("fault", ["echo", "stale", "fcb", "noise:1/3", "drop:1/4", "checksum:1/3"])
async def test_trouble_that_stays_spoils_no_reading(fault: str) -> None:
    async with on_pty(bus(fault)) as path, running(client(path, address=1)) as heard:
        await heard.wait_for(4)
    for reading in heard.readings:
        assert reading["measurements"]["heat_energy"]["value"] == 37351
        assert reading["measurements"]["volume_flow"]["value"] == 79


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ("drop", NothingHeardError, "no_echo_no_answer"),
        ("drop,echo", MeterSilentError, "echo_only"),
        ("checksum", UnusableAnswersError, "damaged_answers"),
        ("cut", UnusableAnswersError, "damaged_answers"),
        ("busy", ProtocolError, "meter_busy"),
    ],
)
async def test_trouble_that_stays_is_told_with_its_reason(
    fault: str, kind: type[ProtocolError | TransportError], reason: str
) -> None:
    async with on_pty(bus(fault)) as path:
        with pytest.raises(kind) as caught:
            await once(client(path, address=1, retries=1))
    assert caught.value.reason == reason
    assert path in caught.value.detail


async def test_two_that_answer_at_once_are_a_collision_and_not_noise() -> None:
    meters = [meter_of("multical_403", address=1), meter_of("sharky", address=2)]
    async with on_pty(bus(meters=meters)) as path:
        with pytest.raises(UnusableAnswersError) as caught:
            await once(client(path, retries=1))
    assert caught.value.reason == "collision"
    assert "secondary_address" in caught.value.detail


async def test_bytes_that_come_unasked_are_noise() -> None:
    class Floating:
        async def serve(self, line: EmulatedLine) -> None:
            async with asyncio.TaskGroup() as group:
                babbling = group.create_task(self._babble(line))
                while await line.read():
                    pass
                babbling.cancel()

        async def _babble(self, line: EmulatedLine) -> None:
            while True:
                await line.write(b"\xfe\xdc\xba")
                await asyncio.sleep(0.01)

    async with on_pty(Floating()) as path:
        with pytest.raises(UnusableAnswersError) as caught:
            await once(client(path, address=1, retries=1))
    assert caught.value.reason == "noise"
    assert "8E1" in caught.value.detail


async def test_another_meter_than_the_expected_one_is_not_read() -> None:
    async with on_pty(bus()) as path:
        await once(client(path, address=1, serial_number="12345678"))
        with pytest.raises(WrongMeterError, match="12345678 answers, the settings expect 4711"):
            await once(client(path, address=1, serial_number="4711"))


async def test_only_what_is_wanted_is_published(caplog: pytest.LogCaptureFixture) -> None:
    async with on_pty(bus()) as path:
        wanted = ("volume", "heat_energy", "gas_volume")
        _, reading = await once(client(path, address=1, registers=wanted))
        assert reading["type"] == "reading"
        assert reading["measurements"].keys() == {"volume", "heat_energy"}
        assert "does not tell gas_volume" in caplog.text
        with pytest.raises(ProtocolError, match="no measured value that is wanted"):
            await once(client(path, address=1, registers=("gas_volume",)))


def _shorted(counted: Counted, number: str) -> Telegrams:
    """A MULTICAL whose flow sensor T1 is short-circuited, as info bit 32 tells."""
    (records,) = meter_of("multical_403").model.telegrams(counted, number)
    there = {
        integer_record(6811, b"\x59", octets=2): integer_record(0, b"\x59", octets=2),
        integer_record(0, b"\xff\x22"): integer_record(32, b"\xff\x22"),
    }
    return (tuple(there.get(record, record) for record in records),)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (("flow_temperature",), {"info_code_text", "reported_problems"}),
        (("volume",), {"volume"}),
        (("volume", "info_bits"), {"volume", "info_bits", "info_code_text", "reported_problems"}),
    ],
)
async def test_what_was_not_measured_is_told_also_where_the_info_code_is_not_wanted(
    wanted: tuple[str, ...], told: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    whole = meter_of("multical_403", address=1)
    broken = replace(whole, model=replace(whole.model, telegrams=_shorted))
    async with on_pty(bus(meters=(broken,))) as path:
        reading = (await once(client(path, address=1, registers=wanted)))[-1]
    assert reading["type"] == "reading"
    assert reading["measurements"].keys() == told
    assert ("flow_temperature 0.00 °C is left out" in caplog.text) == (wanted == ("flow_temperature",))


async def test_a_meter_at_a_head_is_woken_before_it_is_asked() -> None:
    emulated = bus("sleep", meters=[meter_of("sharky", address=0)])
    async with on_pty(emulated) as path:
        with pytest.raises(NothingHeardError):
            await once(client(path, retries=0))
        emulated.asked.clear()
        reader = client(path, baud=2400, wake_up="0x55")
        _, reading = await once(reader)
    assert reading["type"] == "reading"
    assert reading["measurements"]["heat_energy"] == {"value": Decimal(37351), "unit": "kWh"}
    assert reader.health["wake_ups_24h"] == 1
    assert asked(emulated) == ["105bfe5916"]


async def test_meters_on_one_bus_share_its_line_and_take_turns() -> None:
    meters = [
        meter_of("multical_403", address=1),
        meter_of("supercal", address=2),
        meter_of("water", address=3),
    ]
    emulated = bus(meters=meters)
    heard = Heard("meter-1")
    names = [f"meter-{number}" for number in (1, 2, 3)]
    async with on_pty(emulated) as path:
        with sharing_lines():
            async with asyncio.TaskGroup() as group:
                readers = [client(path, name, address=number) for number, name in enumerate(names, 1)]
                tasks = [group.create_task(reader.run(heard)) for reader in readers]
                for name in names:
                    await heard.wait_for(3, meter=name)
                for task in tasks:
                    task.cancel()
    # Nobody's readout is broken into: each begins with the link's reset, and all its requests follow.
    requests = [request for request in emulated.asked if isinstance(request, ShortFrame)]
    conversations = _conversations(requests)
    assert {(len(each), each[0].address) for each in conversations[:-1]} == {(2, 1), (3, 2), (2, 3)}
    by_meter = {name: _values(heard.messages, name) for name in names}
    assert all(len(values) == 1 for values in by_meter.values()), by_meter


def _conversations(requests: list[ShortFrame]) -> list[list[ShortFrame]]:
    found: list[list[ShortFrame]] = []
    for request in requests:
        if request.control == 0x40:
            found.append([])
        found[-1].append(request)
        assert request.address == found[-1][0].address
    return found


def _values(messages: list[Message], name: str) -> set[str]:
    return {
        str(sorted((key, str(each["value"])) for key, each in message["measurements"].items()))
        for message in messages
        if message["type"] == "reading" and message["meter"] == name
    }


async def test_a_silent_neighbour_costs_no_reading_and_no_port() -> None:
    heard, others = Heard("heat"), Heard("gone")
    async with on_pty(bus()) as path:
        with sharing_lines():
            async with shared_line(path, line_at(9600)) as line, asyncio.TaskGroup() as group:
                reading = group.create_task(client(path, address=1).run(heard))
                await heard.wait_for(1)
                with pytest.raises(NothingHeardError):
                    await client(path, "gone", address=9, retries=0).run(others)
                await heard.more_readings(2)
                assert line.users == 2
                reading.cancel()
    assert not others.messages


async def test_a_bus_that_is_lost_is_opened_again(tmp_path: Path) -> None:
    link = tmp_path / "bus"
    with sharing_lines():
        async with on_pty(bus(), link=link):
            await once(client(str(link), address=1))
        with pytest.raises(TransportError):
            await once(client(str(link), address=1))
        async with on_pty(bus(), link=link):
            await once(client(str(link), address=1))


def test_good_readings_say_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def read() -> None:
        async with on_pty(bus()) as path:
            await once(client(path, address=1))

    asyncio.run(read())
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"address": 251}, "allowed: 0 to 250"),
        ({"baud": 1000}, "allowed: 300, 600"),
        ({"address": 1, "secondary_address": "12345678"}, "two ways"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, object], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        MbusSettings(port="/dev/null", **settings)  # type: ignore[arg-type]


def test_how_often_a_meter_is_read_by_itself() -> None:
    assert MbusSettings(port="/dev/null").interval == Schedule(interval=timedelta(minutes=1))
    assert MbusSettings(port="/dev/null", wake_up="0x55").interval == Schedule(interval=timedelta(hours=1))


def test_how_long_is_waited_follows_from_the_speed() -> None:
    slow, usual = (MbusSettings(port="/dev/null", baud=baud).timing for baud in (300, 2400))
    assert usual.reaction == pytest.approx(330 / 2400 + 0.05 + 0.3)
    assert slow.reaction == pytest.approx(330 / 300 + 0.05 + 0.3)
    assert slow.longest > 2 * 261 * 11 / 300
