"""The client `kamstrup` against emulated meters on real ptys and TCP: what it publishes, and when."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.codecs.kmp import GetRegisterRequest, encode_register
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import EmulatedLine, on_pty, on_tcp
from smart_meter_reader.exceptions import ProtocolError, TransportError
from smart_meter_reader.meters.found import Found
from smart_meter_reader.meters.kmp.client import KamstrupClient
from smart_meter_reader.meters.kmp.emulated_values import read_values, values_of
from smart_meter_reader.meters.kmp.emulator import FAULTS, KamstrupMeter
from smart_meter_reader.meters.kmp.probe import ELECTRICITY
from smart_meter_reader.meters.kmp.settings import (
    DEFAULT_REGISTERS,
    OPTIONAL_REGISTERS,
    GroupSettings,
    KamstrupSettings,
)
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.settings.schema import Origin, Place, parse
from tests.peers.foreign_meter import ForeignMeter, frame
from tests.peers.heard import Heard, once, running
from tests.peers.loop import FairLoop

pytestmark = pytest.mark.usefixtures("hurrying_loop")

SOON = Schedule(interval=timedelta(milliseconds=50))
CALM = Schedule(interval=timedelta(milliseconds=250))


def meter(*faults: str) -> KamstrupMeter:
    return KamstrupMeter(
        faults=parse_faults(faults, FAULTS, with_subject=frozenset({"omit"})), reply_delay=0.0
    )


def client(port: str, **settings: Any) -> KamstrupClient:
    defaults: dict[str, Any] = {
        "port": port,
        "baud": 115_200,
        "answer_timeout": timedelta(milliseconds=200),
        "mains_powered": True,
    }
    return KamstrupClient("heat", KamstrupSettings(**(defaults | settings)))


class HangingUp:
    """A meter behind a serial server that closes the first connection when told to."""

    def __init__(self, inner: KamstrupMeter) -> None:
        self.inner = inner
        self.hang_up = asyncio.Event()
        self.second_session = asyncio.Event()

    async def serve(self, line: EmulatedLine) -> None:
        if self.hang_up.is_set():
            self.second_session.set()
            await self.inner.serve(line)
            return
        talking = asyncio.create_task(self.inner.serve(line))
        await self.hang_up.wait()
        talking.cancel()


def asked(emulated: KamstrupMeter) -> list[tuple[int, ...]]:
    return [request.registers for request in emulated.asked if isinstance(request, GetRegisterRequest)]


async def test_once_publishes_who_the_meter_is_and_then_one_reading() -> None:
    emulated = meter()
    async with on_pty(emulated) as path:
        reader = client(path)
        info, reading = await once(reader)
    assert info["type"] == "info"
    assert (info["manufacturer"], info["firmware"], info["interval"]) == ("Kamstrup", "F1", 3600)
    assert info["serial_number"] == str(emulated._values.serial_number)
    assert reading["type"] == "reading"
    assert reading["meter"] == "heat"
    assert list(reading["measurements"]) == [
        "heat_energy",
        "volume",
        "volume_times_flow_temperature",
        "volume_times_return_temperature",
        "volume_flow",
        "power",
        "flow_temperature",
        "return_temperature",
        "temperature_difference",
        "info_code",
        "info_bits",
        "info_event_count",
        "info_code_text",
        "reported_problems",
    ]
    # What belongs together is told by one answer: volume, E8 and E9.
    assert asked(emulated) == [(60, 68, 97, 110, 74, 80), (86, 87, 89, 99, 369, 113)]
    assert reading["measurements"]["heat_energy"]["unit"] == "GJ"
    assert emulated.counts.requests == 4
    assert reader.health["valid_readings"] == 1
    assert reader.health["requests_24h"] == 4
    assert reader.health["wake_ups_24h"] == 1


async def test_a_meter_without_e8_and_e9_loses_nothing_by_their_being_asked_for() -> None:
    emulated = meter("omit:volume_times_flow_temperature", "omit:volume_times_return_temperature")
    # Each request counts below: none must be repeated because the kernel was late with an answer.
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FairLoop)
    loop.hurries = False
    async with on_pty(emulated) as path:
        reader = client(path, answer_timeout=timedelta(seconds=20))
        async with running(reader) as heard:
            for count in (1, 2, 3):
                await heard.until(lambda count=count: len(heard.readings) == count)  # type: ignore[misc]
                reader.read_now()
    assert {len(reading["measurements"]) for reading in heard.readings} == {12}
    # What it lacks is left alone for two of its intervals, by the clock on the wall.
    assert [len(registers) for registers in asked(emulated)[:3]] == [6, 6, 5]


@pytest.mark.parametrize(
    ("model", "code", "told"),
    [
        ("MULTICAL 602", 0, "none"),
        (
            "MULTICAL 602",
            64 + 65536,
            "leak in the cold water system; info code 65536, which no source explains",
        ),
        ("MULTICAL 62", 64, "info code 64, which no source explains"),
    ],
)
async def test_an_info_code_is_told_in_words_where_a_source_has_them(
    model: str, code: int, told: str
) -> None:
    values = values_of("602", 0, {99: encode_register(99, code, 0)})
    async with on_pty(KamstrupMeter(values=values, reply_delay=0.0)) as path:
        reading = (await once(client(path, model=model)))[-1]
    assert reading["type"] == "reading"
    assert reading["measurements"]["info_code_text"]["value"] == told


async def test_a_meter_without_info_bits_is_asked_for_them_once_in_vain(
    caplog: pytest.LogCaptureFixture,
) -> None:
    foreign = ForeignMeter(deadly=frozenset({369, 113}))
    async with on_pty(foreign) as path:
        reader = client(path)
        async with running(reader) as heard:
            for count in (1, 2, 3):
                await heard.until(lambda count=count: len(heard.readings) == count)  # type: ignore[misc]
                reader.read_now()
    assert sum(369 in registers for registers in foreign.asked) == 1
    told = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert not [line for line in told if "info_bits" in line or "info_event_count" in line]


async def test_an_older_model_is_not_asked_for_info_bits() -> None:
    emulated = KamstrupMeter("402", reply_delay=0.0)
    async with on_pty(emulated) as path:
        reading = (await once(client(path)))[-1]
    assert reading["type"] == "reading"
    assert reading["measurements"]["info_code_text"]["value"] == "none"
    assert not [registers for registers in asked(emulated) if 369 in registers]


@pytest.mark.parametrize(
    ("registers", "requests"),
    [
        (("flow_temperature",), [(86, 99, 369)]),
        (("heat_energy",), [(60,)]),
        (("flow_temperature", "info_bits"), [(86, 369)]),
    ],
)
async def test_whether_a_value_was_measured_is_asked_where_no_setting_does(
    registers: tuple[str, ...], requests: list[tuple[int, ...]], caplog: pytest.LogCaptureFixture
) -> None:
    emulated = meter()
    emulated.report(32)  # T1 is short-circuited
    async with on_pty(emulated) as path:
        reading = (await once(client(path, registers=registers)))[-1]
    assert reading["type"] == "reading"
    assert "flow_temperature" not in reading["measurements"]
    assert asked(emulated) == requests
    if "flow_temperature" in registers:
        assert reading["measurements"]["reported_problems"]["value"] == "t1_low"
        assert "flow_temperature 0.00 °C is left out" in caplog.text


async def test_a_meter_that_has_no_info_code_is_read_without_and_it_is_no_news(
    caplog: pytest.LogCaptureFixture,
) -> None:
    emulated = meter("omit:info_code", "omit:info_bits")
    async with on_pty(emulated) as path:
        reader = client(path, registers=("power",))
        async with running(reader) as heard:
            for count in (1, 2):
                await heard.until(lambda count=count: len(heard.readings) == count)  # type: ignore[misc]
                reader.read_now()
    assert [list(reading["measurements"]) for reading in heard.readings] == [["power"]] * 2
    assert asked(emulated)[:2] == [(80, 99, 369), (80,)]
    assert "does not have" not in caplog.text


async def test_what_the_meter_reports_is_its_status_until_it_is_over() -> None:
    emulated = meter()
    async with on_pty(emulated) as path, running(client(path, interval=SOON)) as heard:
        await heard.until(lambda: len(heard.readings) == 1)
        emulated.report(256)  # V1 air
        await heard.until(lambda: len(heard.of("status")) == 1)
        await heard.until(lambda: "power" not in heard.readings[-1]["measurements"])
        assert "volume_flow" not in heard.readings[-1]["measurements"]
        emulated.report(1)  # the supply was cut off: told, but nothing to do about it
        await heard.until(lambda: len(heard.of("status")) == 2)
        await heard.until(lambda: "power" in heard.readings[-1]["measurements"])
    raised, over = heard.of("status")
    assert (raised["state"], raised["reason"]) == ("online", "meter_reports")
    assert raised["detail"].startswith("the meter reports: flow sensor V1: signal too low (air) (")
    assert (over["state"], over["reason"], over["detail"]) == ("online", "", "readings arrive")


async def test_the_identity_is_asked_once_per_connection() -> None:
    emulated = meter()
    async with on_pty(emulated) as path, running(client(path, interval=SOON)) as heard:
        await heard.until(lambda: len(heard.readings) >= 4)
    assert [message["type"] for message in heard.messages][:2] == ["info", "reading"]
    assert sum(message["type"] == "info" for message in heard.messages) == 1
    assert emulated.counts.requests - len(asked(emulated)) == 2


async def test_totals_rise_with_the_emulated_clock() -> None:
    emulated = KamstrupMeter(reply_delay=0.0, rate=100_000)
    async with on_pty(emulated) as path, running(client(path, interval=SOON)) as heard:
        await heard.until(lambda: len(heard.readings) >= 5)
    totals = [reading["measurements"]["heat_energy"]["value"] for reading in heard.readings]
    assert all(isinstance(total, Decimal) for total in totals)
    assert totals == sorted(totals)
    assert totals[0] != totals[-1]


async def test_groups_have_their_own_interval_and_share_frames_when_due_together() -> None:
    emulated = meter()
    groups = {"peaks": GroupSettings(registers=("power_maximum_month", 139), interval=Schedule.parse("1d"))}
    async with (
        on_pty(emulated) as path,
        running(client(path, registers=("heat_energy", 68), interval=SOON, groups=groups)) as heard,
    ):
        await heard.until(lambda: len(heard.readings) >= 3)
    assert asked(emulated)[:3] == [(60, 68, 143, 139), (60, 68), (60, 68)]


async def test_a_register_the_meter_lacks_is_told_once_and_not_asked_every_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    emulated = meter("omit:volume")
    async with (
        on_pty(emulated) as path,
        # Far above what a poll takes: the pauses are times, and are compared with a number of polls.
        running(client(path, registers=("heat_energy", "volume", 4711), interval=CALM)) as heard,
    ):
        await heard.until(lambda: len(heard.readings) >= 8)
    assert all(list(reading["measurements"]) == ["heat_energy"] for reading in heard.readings)
    told = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == [
        "heat: the meter does not have volume (68), register_4711 (4711); it is asked again now and then"
    ]
    assert sum(68 in registers for registers in asked(emulated)) < 8 / 2


async def test_good_readings_log_nothing_above_info(caplog: pytest.LogCaptureFixture) -> None:
    async with on_pty(meter()) as path:
        await once(client(path))
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


async def test_the_battery_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    for mains_powered, warnings in ((False, 1), (True, 0)):
        caplog.clear()
        reader = client("/dev/nowhere", interval=SOON, mains_powered=mains_powered)
        for _ in range(2):
            with pytest.raises(TransportError):
                await reader.run(Heard("heat"))
        assert sum("battery" in record.message for record in caplog.records) == warnings


async def test_another_meter_is_not_read() -> None:
    emulated = meter()
    async with on_pty(emulated) as path:
        with pytest.raises(ProtocolError, match="settings expect 12345678") as caught:
            await once(client(path, serial_number="12345678"))
        assert caught.value.reason == "wrong_meter"
        assert asked(emulated) == []
        right = str(emulated._values.serial_number)
        assert len(await once(client(path, serial_number=right))) == 2


async def test_a_meter_put_in_the_place_of_another_is_told_when_a_reading_is_doubted() -> None:
    emulated, other = meter(), values_of("403", 2, {})
    first = str(emulated._values.serial_number)
    assert str(other.serial_number) != first
    async with on_pty(emulated) as path:
        reader = client(path)
        async with running(reader) as heard:
            await heard.until(lambda: len(heard.readings) == 1)
            emulated._values = other
            reader.read_now()  # as the guard does
            await heard.until(lambda: len(heard.readings) == 2)
        told = [message.get("serial_number") for message in heard.messages if message["type"] == "info"]
        assert told == [first, str(other.serial_number)]
        assert [message["type"] for message in heard.messages] == ["info", "reading"] * 2


async def test_a_meter_put_in_the_place_of_the_expected_one_is_not_read() -> None:
    emulated, heard = meter(), Heard("heat")
    async with on_pty(emulated) as path:
        reader = client(path, serial_number=str(emulated._values.serial_number))
        task = asyncio.create_task(reader.run(heard))
        await heard.until(lambda: len(heard.readings) == 1)
        emulated._values = values_of("403", 2, {})
        reader.read_now()
        async with asyncio.timeout(15):
            with pytest.raises(ProtocolError, match="the settings expect") as caught:
                await task
    assert caught.value.reason == "wrong_meter"
    assert len(heard.readings) == 1


async def test_a_meter_that_tells_neither_type_nor_serial_number_is_read_all_the_same() -> None:
    foreign = ForeignMeter()
    async with on_pty(foreign) as path:
        info, reading = await once(client(path, registers=(60, 68, 80)))
    assert info["type"] == "info"
    assert "model" not in info
    assert info["serial_number"] == "80000000"
    assert reading["type"] == "reading"
    assert reading["measurements"] == {
        "heat_energy": {"value": Decimal("55.006"), "unit": "MWh"},
        "volume": {"value": Decimal("1917.60"), "unit": "m³"},
        "power": {"value": Decimal(-200), "unit": "W"},
    }


async def test_a_slow_meter_of_other_make_is_read_with_the_default_timing() -> None:
    async with on_pty(ForeignMeter(delay=0.3)) as path:
        reader = KamstrupClient("heat", KamstrupSettings(port=path, registers=(60,), retries=1))
        assert (await once(reader))[-1]["type"] == "reading"


async def test_the_default_follows_a_382_which_counts_electricity() -> None:
    fixed = {1: encode_register(1, 9032, 2), 1023: encode_register(1023, 590, 21)}
    emulated = KamstrupMeter(values=values_of("382", 0, fixed), reply_delay=0.0)
    async with on_pty(emulated) as path:
        reader = client(path, interval=SOON)
        for _ in range(2):
            reading = (await once(reader))[-1]
            assert reading["type"] == "reading"
            measured = {key: str(one["value"]) for key, one in reading["measurements"].items()}
            assert measured.items() >= {"active_energy_import": "9032", "active_power_import": "590"}.items()
        found = await ELECTRICITY.ask(path, "")
    assert isinstance(found, Found)
    assert (found.kind, found.keys["baud"]) == ("electricity", 9600)


async def test_a_meter_with_none_of_the_registers_is_told() -> None:
    async with on_pty(meter()) as path:
        with pytest.raises(ProtocolError) as caught:
            await once(client(path, registers=(4711, 4712)))
    assert caught.value.reason == "registers_unknown"


@pytest.mark.parametrize("fault", ["crc:1/3", "drop:1/4", "noise", "echo", "sleep:1", "stray:1/2"])
async def test_passing_faults_leave_readings_complete(fault: str) -> None:
    async with (
        on_pty(meter(fault)) as path,
        running(client(path, interval=Schedule.parse("100ms"), retries=8)) as heard,
    ):
        await heard.until(lambda: len(heard.readings) >= 3)
    wanted = set(DEFAULT_REGISTERS) - set(OPTIONAL_REGISTERS)
    assert all(wanted <= reading["measurements"].keys() for reading in heard.readings)


async def test_damage_and_retries_are_counted() -> None:
    values = values_of("403", 0, {})
    emulated = KamstrupMeter(values=values, faults=parse_faults(["crc:1/3"], FAULTS), reply_delay=0.0)
    async with on_pty(emulated) as path:
        reader = client(path)
        await once(reader)
    # The third answer is the reading's own.
    assert reader.health["damaged_frames"] == reader.health["retries"] == 1


async def test_read_now_does_not_wait_for_the_schedule() -> None:
    async with on_pty(meter()) as path:
        reader = client(path)
        async with running(reader) as heard:
            await heard.until(lambda: len(heard.readings) == 1)
            await asyncio.sleep(0.05)  # until it sleeps
            reader.read_now()
            await heard.until(lambda: len(heard.readings) == 2)


async def test_ten_requests_in_a_row_are_one_reading_on_the_line_and_no_identity() -> None:
    """M19: psvanstrom/esphome-uh50reader#1, where a button reads the meter as often as it is pressed."""
    emulated = meter()
    async with on_pty(emulated) as path:
        reader = client(path, mains_powered=False)
        async with running(reader) as heard:
            await heard.until(lambda: len(heard.readings) == 1)
            frames, readings = len(emulated.asked), len(asked(emulated))
            answers = []
            for _ in range(10):
                answers.append(reader.request_reading())
                await asyncio.sleep(0)
            await heard.until(lambda: len(heard.readings) == 2)
            # Whatever else had been asked for would be on the line before this one.
            reader.read_now()
            await heard.until(lambda: len(heard.readings) == 3)
    assert [answer.taken for answer in answers] == [True] + [False] * 9
    requested = list(emulated.asked)[frames:]
    assert isinstance(requested[0], GetRegisterRequest)
    assert len(asked(emulated)) == readings + 2 * 2  # two requests each
    assert [m["type"] for m in heard.messages] == ["info", "reading", "reading", "info", "reading"]


@pytest.mark.parametrize(
    ("settings", "taken"),
    [
        ({"mains_powered": True}, True),
        ({"mains_powered": False}, False),
        ({"mains_powered": False, "read_now_distance": timedelta(0)}, True),
        ({"mains_powered": True, "read_now_distance": timedelta(minutes=1)}, False),
    ],
)
async def test_the_distance_follows_the_battery_and_the_setting(
    settings: dict[str, Any], taken: bool
) -> None:
    async with on_pty(meter()) as path:
        reader = client(path, **settings)
        async with running(reader) as heard:
            await heard.until(lambda: len(heard.readings) == 1)
            assert reader.request_reading().taken
            await heard.until(lambda: len(heard.readings) == 2)
            assert reader.request_reading().taken is taken


async def test_a_382_has_no_battery_to_mind() -> None:
    emulated = KamstrupMeter(values=values_of("382", 0, {}), reply_delay=0.0)
    async with on_pty(emulated) as path:
        reader = client(path, mains_powered=False)
        async with running(reader) as heard:
            for count in range(1, 4):
                await heard.until(lambda count=count: len(heard.readings) == count)  # type: ignore[misc]
                assert reader.request_reading().taken


async def test_a_distance_that_empties_the_battery_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    async with on_pty(meter()) as path:
        reader = client(path, mains_powered=False, read_now_distance=timedelta(seconds=10))
        async with running(reader) as heard:
            await heard.until(lambda: len(heard.readings) == 1)
    assert "read_now_distance = 10s lets whoever asks" in caplog.text


async def test_a_port_that_goes_and_comes_back_is_read_again(tmp_path: Path) -> None:
    link = tmp_path / "head"
    heard = Heard("heat")
    reader: KamstrupClient | None = None
    for _ in range(2):
        async with on_pty(meter(), link=link) as path:
            reader = reader or client(path, interval=SOON)
            task = asyncio.create_task(reader.run(heard))
            before = len(heard.readings)
            await heard.until(lambda before=before: len(heard.readings) >= before + 2)  # type: ignore[misc]
        with pytest.raises(TransportError) as caught:
            async with asyncio.timeout(10):
                await task
        assert caught.value.reason in ("lost", "port_missing")
    assert sum(message["type"] == "info" for message in heard.messages) == 2


async def test_after_an_outage_a_reading_comes_at_once_but_not_after_each_of_many(tmp_path: Path) -> None:
    link = tmp_path / "head"
    heard = Heard("heat")
    reader = client(str(link))  # reads once an hour
    for outages in range(3):
        async with on_pty(meter(), link=link):
            task = asyncio.create_task(reader.run(heard))
            await heard.until(lambda: len(heard.readings) >= min(outages + 1, 2))  # noqa: B023
            await asyncio.sleep(0.1)
        with pytest.raises(TransportError):
            await task
    assert len(heard.readings) == 2


async def test_a_peer_that_closes_an_idle_connection_is_not_an_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As ser2net does with its `timeout`: nothing was asked, so nothing was missed."""
    monkeypatch.setattr("smart_meter_reader.meters.kmp.client._IDLE_LIFE", 0.0)
    emulated = HangingUp(meter())
    async with on_tcp(emulated) as place, running(client(f"socket://{place}")) as heard:
        await heard.until(lambda: len(heard.readings) == 1)
        await asyncio.sleep(0.05)  # until the client sleeps
        emulated.hang_up.set()
        async with asyncio.timeout(10):
            await emulated.second_session.wait()
        # Opened again, nobody was asked anything, and no error came out.
        assert emulated.inner.counts.requests == 4
        assert len(heard.messages) == 2


async def test_a_poll_has_one_deadline() -> None:
    async with on_pty(meter("drop")) as path:
        with pytest.raises(TransportError) as caught:
            await once(client(path, poll_timeout=timedelta(milliseconds=300), retries=20))
    assert caught.value.reason == "timeout"


async def test_a_damaged_value_is_left_out_and_counted(tmp_path: Path) -> None:
    values = tmp_path / "values.json"
    values.write_text('{"power_maximum_month_date": {"value": 209999, "unit": ""}, "heat_energy": 7.60}')
    fixed = read_values(values)
    date = bytearray(fixed[142])
    date[2] = 0x30  # 20-99-99 as a date
    emulated = KamstrupMeter(values=values_of("403", 0, fixed | {142: bytes(date)}), reply_delay=0.0)
    async with on_pty(emulated) as path:
        reader = client(path, registers=(60, 142))
        _, reading = await once(reader)
    assert reading["type"] == "reading"
    assert reading["measurements"] == {"heat_energy": {"value": Decimal("7.60"), "unit": "GJ"}}
    assert reader.health["rejected_values"] == 1


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({}, "port: missing"),
        ({"port": "ttyUSB0"}, "a device path such as"),
        ({"port": "socket://attic"}, "rfc2217://host:port"),
        ({"port": "/dev/x", "registers": ["heat_enrgy"]}, "did you mean 'heat_energy'"),
        ({"port": "/dev/x", "registers": []}, "registers is empty"),
        ({"port": "/dev/x", "interval": 60}, "60s"),
        ({"port": "/dev/x", "serial_number": "abc"}, "the digits of a serial number"),
        ({"port": "/dev/x", "groups": {"peaks": {"registers": ["nonsense"], "interval": "1d"}}}, "nonsense"),
        ({"port": "/dev/x", "stopbits": 3}, "1, 2"),
    ],
)
def test_wrong_settings_are_explained(table: dict[str, Any], complaint: str) -> None:
    settings, problems = parse(KamstrupSettings, table, Place({}))
    assert settings is None
    assert complaint in "\n".join(problems)


def test_settings_of_a_toml_table() -> None:
    table = {
        "port": "rfc2217://[::1]:7000",
        "registers": ["heat_energy", 68, "0x50"],
        "interval": "at :59",
        "groups": {"peaks": {"registers": [139], "interval": "daily 06:00"}},
        "serial_number": "12345678",
    }
    settings, problems = parse(KamstrupSettings, table, Place({}))
    assert problems == []
    assert settings is not None
    assert [group.registers for group in settings.plan] == [(60, 68, 80), (139,)]
    assert str(settings.line) == "1200 Bd 8N2"


async def test_a_dead_line_is_told() -> None:
    async with on_pty(meter("drop")) as path:
        with pytest.raises(TransportError) as caught:
            await once(client(path, retries=0))
    assert caught.value.reason == "no_echo_no_answer"


async def test_an_empty_answer_is_asked_for_again_in_the_same_poll() -> None:
    class EmptyOnce(ForeignMeter):
        def _answer(self, content: bytes) -> bytes:
            answer = super()._answer(content)
            # 1001 tells who the meter is; then come the polls.
            return frame(0x40, content[:2]) if len(self.asked) == 3 else answer

    emulated = EmptyOnce()
    async with on_pty(emulated) as path, running(client(path, interval=SOON, registers=(60, 68))) as heard:
        await heard.until(lambda: len(heard.readings) >= 4)
    assert [list(reading["measurements"]) for reading in heard.readings[:4]] == [
        ["heat_energy", "volume"]
    ] * 4
    first = emulated.asked.index((60, 68))
    assert set(emulated.asked[:first]) == {(1001,)}  # asked again where this computer was busy
    assert emulated.asked[first : first + 5] == [(60, 68)] * 5


@pytest.mark.parametrize("written", [12345678, "12345678", "0012345678"])
async def test_a_serial_number_may_stand_without_quotes(written: int | str) -> None:
    emulated = KamstrupMeter(
        values=values_of("403", 0, {1001: encode_register(1001, 12345678, 0)}), reply_delay=0.0
    )
    async with on_pty(emulated) as path:
        place = Place({(): Origin("settings.toml", "x", ())})
        settings, problems = parse(KamstrupSettings, {"port": path, "serial_number": written}, place)
        assert settings is not None, problems
        info, _ = await once(KamstrupClient("heat", settings))
    assert info["type"] == "info"
    assert info["serial_number"] == "12345678"
