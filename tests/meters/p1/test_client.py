"""The client `dsmr` against an emulated meter on real pseudo-terminals and TCP ports, with every trouble."""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.codecs.p1.obis import ElectricityCode, Further
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.codecs.parity import add_parity
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import EmulatedLine, on_pty, on_tcp
from smart_meter_reader.exceptions import TransportError
from smart_meter_reader.guard.guard import Guard, MeterPolicy
from smart_meter_reader.messages import Health, Info, Message, Reading
from smart_meter_reader.meters.p1.client import DsmrClient
from smart_meter_reader.meters.p1.emulator import FAULTS, Encryption, P1Meter
from smart_meter_reader.meters.p1.lasting import Lasting
from smart_meter_reader.meters.p1.lines import FAST_LINE
from smart_meter_reader.meters.p1.session import P1Session
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.settings.schema import Place, Secret, parse
from smart_meter_reader.transport import open_transport
from tests.codecs.p1.damage import METERS, damaged, household
from tests.codecs.p1.streams import read as read_all
from tests.codecs.p1.test_describe import in_hdlc
from tests.codecs.p1.test_field import wire as field
from tests.codecs.p1.vectors import wire
from tests.peers.heard import PATIENCE, Heard, running
from tests.peers.loop import FairLoop

KEY = bytes(range(16))
AK = bytes(range(0xD0, 0xE0))
FAST = 0.02  # seconds between telegrams


class Bytes:
    """A meter that sends given bytes once per listener, then nothing, or the same again and again."""

    def __init__(self, stream: bytes, *, pause: float = 0.0, again: bool = False) -> None:
        self._stream = stream
        self._pause = pause
        self._again = again

    async def serve(self, line: EmulatedLine) -> None:
        sender = asyncio.ensure_future(self._send(line))
        try:
            while await line.read():
                pass
        finally:
            sender.cancel()

    async def _send(self, line: EmulatedLine) -> None:
        while True:
            await line.write(self._stream)
            if not self._again:
                return
            await asyncio.sleep(self._pause or FAST)


class Told:
    """A meter that sends its telegrams when it is told to."""

    def __init__(self) -> None:
        self.telegrams: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(self, line: EmulatedLine) -> None:
        while True:
            await line.write(await self.telegrams.get())


def client_of(port: str, **settings: Any) -> DsmrClient:
    settings.setdefault("interval", timedelta(0))
    return DsmrClient("power", DsmrSettings(port=port, **settings))


def meter(dialect: str = "dsmr-5", *faults: str, encrypted: bool = False, **options: Any) -> P1Meter:
    return P1Meter(
        dialect,
        encryption=Encryption(KEY, AK) if encrypted else None,
        faults=parse_faults(faults, FAULTS),
        interval=options.pop("interval", FAST),
        **options,
    )


def values(readings: list[Reading], quantity: str) -> list[Any]:
    return [reading["measurements"][quantity]["value"] for reading in readings]


@pytest.mark.parametrize(
    "dialect", ["dsmr-2.2", "dsmr-4", "dsmr-5", "belgium", "luxembourg", "austria", "germany"]
)
async def test_every_dialect_on_a_pty(dialect: str) -> None:
    async with on_pty(meter(dialect)) as port, running(client_of(port)) as published:
        readings = await published.wait_for(5)
    energies = values(readings, "active_energy_import")
    assert energies == sorted(set(energies))  # rises, none is missing twice
    info = published.of("info")[0]
    assert info["dialect"] == dialect
    assert published.messages[0] is info
    assert readings[0]["authentication"] == "none"
    assert readings[0]["objects"]


async def test_many_listeners_hear_the_same() -> None:
    async with (
        on_tcp(meter(interval=0.1)) as place,
        running(client_of(f"socket://{place}")) as one,
        running(client_of(f"socket://{place}")) as two,
    ):
        await one.wait_for(4)
        await two.wait_for(4)
    heard = [set(values(p.of("reading"), "active_energy_import")) for p in (one, two)]
    assert len(heard[0] & heard[1]) >= 3


async def test_gas_and_water_are_meters_of_their_own() -> None:
    async with on_pty(meter("belgium")) as port, running(client_of(port)) as published:
        await published.wait_for(3)
    for name, quantity, serial in (("gas", "gas_volume", "7FLO"), ("water", "water_volume", "8SAG")):
        info: Info = published.of("info", f"power-{name}")[0]
        assert info["via"] == "power"
        assert info["serial_number"].startswith(serial)
        readings: list[Reading] = published.of("reading", f"power-{name}")
        # The devices measure every five minutes: the same values are not told with every telegram.
        assert 1 <= len(readings) <= 2
        assert readings[0]["measurements"][quantity]["unit"] == "m³"
        assert "measured_at" in readings[0]["measurements"][quantity]


@pytest.mark.parametrize(
    "fault", ["crc:1/3", "cut:1/3", "headless:1/3", "lose:1/3", "noise", "nul", "drop:1/3"]
)
@pytest.mark.parametrize("place", [on_pty, on_tcp])
async def test_good_telegrams_among_bad_ones_arrive(fault: str, place: Any) -> None:
    source = meter("dsmr-5", fault)
    async with place(source) as where:
        port = where if place is on_pty else f"socket://{where}"
        async with running(client_of(port)) as published:
            readings = await published.wait_for(9)
    energies = values(readings, "active_energy_import")
    # In thousandths of a kWh, four registers are summed up in pairs: two steps per telegram sent.
    steps = {int((after - before) * 1000) // 2 for before, after in itertools.pairwise(energies)}
    assert steps <= ({1} if fault in ("noise", "nul") else {1, 2})


async def test_the_interval_thins_what_is_published_and_the_newest_wins() -> None:
    client = client_of("", interval=timedelta(seconds=0.5))
    async with on_pty(meter()) as port:
        client = client_of(port, interval=timedelta(seconds=0.5))
        async with running(client) as published:
            readings = await published.wait_for(4)
            read = client.health["valid_readings"]
    energies = values(readings, "active_energy_import")
    assert read > 3 * len(readings)
    for before, after in itertools.pairwise(energies):
        assert int((after - before) * 1000) // 2 > 5  # some 25 telegrams passed in between


async def test_what_is_late_for_the_interval_does_not_delay_what_follows() -> None:
    """A telegram every 7 s and a reading every minute: eight in seven minutes, not one every 63 s."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FairLoop)
    told = Told()
    async with on_tcp(told) as place:
        client = client_of(f"socket://{place}", interval=timedelta(minutes=1))
        async with running(client) as published:
            for number in range(62):
                told.telegrams.put_nowait(
                    encode_telegram(b"/KMP5\r\n\r\n1-0:1.8.0(%06d.000*kWh)\r\n!" % number)
                )
                async with asyncio.timeout(PATIENCE):
                    while client.health.get("valid_readings", 0) <= number:
                        await asyncio.sleep(0.001)
                loop.skip(7.0)
    assert len(published.of("reading")) == 8


async def test_a_reading_asked_for_comes_before_its_time() -> None:
    async with on_pty(meter()) as port:
        client = client_of(port, interval=timedelta(hours=1))
        async with running(client) as published:
            await published.wait_for(1)
            client.read_now()
            await published.wait_for(2)


@pytest.mark.parametrize(("interval", "answers"), [(timedelta(0), False), (timedelta(hours=1), True)])
async def test_a_person_may_ask_where_that_brings_anything(interval: timedelta, answers: bool) -> None:
    async with on_pty(meter()) as port:
        client = client_of(port, interval=interval)
        assert client.answers_requests is answers
        async with running(client) as published:
            await published.wait_for(1)
            assert client.request_reading().taken
            await published.wait_for(2)


async def test_once_returns_after_one_reading() -> None:
    async with on_pty(meter("belgium")) as port:
        published = Heard("power")
        async with asyncio.timeout(PATIENCE):
            await client_of(port, interval=timedelta(hours=1)).run(published, once=True)
    assert len(published.of("reading")) == 1
    assert len(published.of("reading", "power-gas")) == 1


@pytest.mark.parametrize("place", [on_pty, on_tcp])
async def test_encrypted(place: Any) -> None:
    async with place(meter("austria", encrypted=True)) as where:
        port = where if place is on_pty else f"socket://{where}"
        async with running(
            client_of(port, key=Secret(KEY.hex()), authentication_key=Secret(AK.hex()))
        ) as published:
            readings = await published.wait_for(4)
    assert {reading["authentication"] for reading in readings} == {"verified"}


@pytest.mark.parametrize(
    ("settings", "encrypted", "reason"),
    [
        ({}, True, "no_key"),
        ({"key": bytes(16), "authentication_key": AK}, True, "wrong_encryption_key"),
        ({"key": KEY, "authentication_key": bytes(16)}, True, "wrong_authentication_key"),
        ({"key": KEY}, True, "no_authentication_key"),
        ({"key": KEY, "authentication_key": AK}, False, "not_encrypted"),
    ],
)
async def test_trouble_with_keys_is_an_alert_with_its_cause(
    settings: dict[str, bytes], encrypted: bool, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = {name: Secret(key.hex()) for name, key in settings.items()}
    async with on_pty(meter("austria", encrypted=encrypted)) as port:
        client = client_of(port, **secrets)
        async with running(client) as published:
            (status,) = await published.wait_for(1, "status")
            while client.health.get("damaged_frames", 0) < 4:
                await asyncio.sleep(FAST)  # it keeps listening
    assert (status["state"], status["reason"]) == ("alert", reason)
    assert len(published.of("status")) == 1  # said once
    assert published.of("reading") == []
    told = caplog.text + repr(published.messages) + repr(client.__dict__)
    for key in settings.values():
        assert key.hex() not in told


async def test_warn_accepts_by_the_checksum() -> None:
    secrets = {"key": Secret(KEY.hex()), "authentication_key": Secret("00" * 16)}
    async with (
        on_pty(meter("austria", encrypted=True)) as port,
        running(client_of(port, authentication="warn", **secrets)) as published,
    ):
        readings = await published.wait_for(3)
    assert {reading["authentication"] for reading in readings} == {"failed"}


async def test_a_repeated_telegram_is_refused_also_after_reconnecting() -> None:
    secrets = {"key": Secret(KEY.hex()), "authentication_key": Secret(AK.hex())}
    source = meter("austria", encrypted=True)
    recorded = b"".join(source.next_telegram() for _ in range(4))
    async with on_tcp(Bytes(recorded)) as place:
        client = client_of(f"socket://{place}", **secrets)
        async with running(client) as published:
            await published.wait_for(4)
        async with running(client) as published:
            (status,) = await published.wait_for(1, "status")
    assert status["reason"] == "replayed"
    assert client.health["damaged_frames"] >= 3
    assert published.of("reading") == []


async def died(stream: bytes, **settings: Any) -> TransportError:
    async with on_tcp(Bytes(stream, again=bool(stream))) as place:
        client = client_of(f"socket://{place}", timeout=timedelta(seconds=1), **settings)
        with pytest.raises(TransportError) as error:
            async with asyncio.timeout(PATIENCE):
                await client.run(Heard("power"))
    return error.value


async def test_a_silent_line_is_given_up_with_the_reason() -> None:
    assert (await died(b"")).reason == "silence"


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (bytes(0xFF ^ byte for byte in wire("nl-dsmr50-isk")), "inverted"),
        (b"hello\r\n", "garbage"),
        (in_hdlc(b"\xe6\xe7\x00\x0f" + bytes(40)), "hdlc"),
        (wire("nl-xmx5-corrupt-1008"), "checksum"),
    ],
)
async def test_a_line_without_anything_good_is_given_up_with_the_reason(stream: bytes, reason: str) -> None:
    assert (await died(stream)).reason == reason


async def test_a_meter_that_falls_silent_is_noticed() -> None:
    async with on_tcp(Bytes(wire("nl-dsmr50-isk"))) as place:
        client = client_of(f"socket://{place}", timeout=timedelta(seconds=1))
        published = Heard("power")
        with pytest.raises(TransportError, match="no good telegram") as error:
            async with asyncio.timeout(PATIENCE):
                await client.run(published)
    assert error.value.reason == "silence"  # though it has said something before
    assert len(published.of("reading")) == 1


async def test_parity_of_a_line_behind_a_serial_server_is_taken_off() -> None:
    stream = add_parity(wire("nl-dsmr22-isk"), "E")
    async with (
        on_tcp(Bytes(stream, again=True)) as place,
        running(client_of(f"socket://{place}")) as published,
    ):
        (reading, *_) = await published.wait_for(1)
    assert reading["measurements"]["active_energy_import_tariff_1"]["unit"] == "kWh"


async def test_the_other_speed_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pseudo-terminal has no speed: a meter that talks rubbish at one and well at the other stands in."""
    monkeypatch.setattr("smart_meter_reader.meters.push.session.LINE_TRIAL", 0.2)

    class TwoSpeeds(Bytes):
        async def _send(self, line: EmulatedLine) -> None:
            for _ in range(20):
                await line.write(b"\xf0\x80rubbish\xf0" * 3)
                await asyncio.sleep(FAST)
            await super()._send(line)

    async with on_pty(TwoSpeeds(wire("nl-dsmr22-isk"), again=True)) as port:
        client = client_of(port)
        async with running(client) as published:
            await published.wait_for(2)
            found = client._known.line
    assert found in DsmrSettings(port=port).lines


async def test_damage_is_summed_up_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("smart_meter_reader.meters.push.session.SUMMARY", 0.3)
    caplog.set_level(logging.INFO)
    async with on_pty(meter("dsmr-5", "lose:1/2")) as port, running(client_of(port)) as published:
        async with asyncio.timeout(PATIENCE):
            while "were lost" not in caplog.text:
                await asyncio.sleep(FAST)
        assert published.of("reading")
    summary = next(record.getMessage() for record in caplog.records if "were lost" in record.getMessage())
    assert "checksum" in summary
    assert "bytes are missing: another program reads the same port" in summary
    assert len(caplog.records) < 5


async def test_dead_devices_and_bad_lines_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    body = (
        b"/KMP5\r\n\r\n1-0:1.8.0(000001.000*kWh)\r\nrubbish\r\n"
        b"0-1:24.1.0(003)\r\n0-1:96.1.0(4730)\r\n0-1:24.2.1(700101010000W)(00000000)\r\n!"
    )
    async with on_pty(Bytes(encode_telegram(body), again=True)) as port:
        client = client_of(port)
        async with running(client) as published:
            await published.wait_for(5)
    assert client.health["rejected_values"] >= 5
    messages = [record.getMessage() for record in caplog.records]
    assert len([m for m in messages if "makes no sense" in m]) == 1
    assert len([m for m in messages if "channel 1" in m]) == 1
    assert published.of("reading", "power-gas") == []


async def test_a_bad_line_that_changes_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    stream = b"".join(encode_telegram(b"/KMP5\r\n\r\n1-0:1.8.0(%d\r\n!" % number) for number in range(20))
    async with on_pty(Bytes(stream)) as port, running(client_of(port)) as published:
        await published.wait_for(20)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "power: a line makes no sense and is left out: '1-0:1.8.0(0'"


async def test_a_reconnect_does_not_change_the_gas_meter(tmp_path: Path) -> None:
    """Two live devices: the one in use is still the one, though the other is on the higher channel."""
    first = b"0-1:24.1.0(003)\r\n0-1:96.1.0(4741)\r\n0-1:24.2.1(210101120000W)(00100.000*m3)\r\n"
    second = b"0-2:24.1.0(003)\r\n0-2:96.1.0(4742)\r\n0-2:24.2.1(210101120100W)(00900.000*m3)\r\n"
    client = client_of(str(tmp_path / "p1"))
    for lines in (first, first + second):
        source = Bytes(encode_telegram(b"/KMP5\r\n\r\n" + lines + b"!"))
        async with on_pty(source, link=tmp_path / "p1"), running(client) as published:
            (reading,) = await published.wait_for(1, meter="power-gas")
        assert values([reading], "gas_volume") == [Decimal("100.000")]


class Watched(Further):
    """Tells which thread imported dsmr-parser."""

    def __init__(self) -> None:
        super().__init__(aside=True)
        self.threads: list[threading.Thread] = []

    def load(self) -> Callable[[str], ElectricityCode]:
        self.threads.append(threading.current_thread())
        return super().load()


async def test_dsmr_parser_is_imported_off_the_loop_once_and_no_telegram_is_lost() -> None:
    telegrams = [
        encode_telegram(b"/KMP5\r\n\r\n1-0:1.8.0(%06d.000*kWh)\r\n0-0:21.7.0(00.123*kW)\r\n!" % number)
        for number in range(300)
    ]
    further, published, health = Watched(), Heard("power"), Health()
    settings = DsmrSettings(port="unused", interval=timedelta(0))
    async with (
        on_tcp(Bytes(b"".join(telegrams))) as place,
        await open_transport(f"socket://{place}", FAST_LINE) as transport,
    ):
        lasting = Lasting(FAST_LINE, None, further=further)
        session = P1Session("power", settings, transport, published, health, lasting)
        listening = asyncio.ensure_future(session.listen())
        readings = await published.wait_for(len(telegrams))
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert values(readings, "active_energy_import") == [Decimal(number) for number in range(300)]
    assert set(values(readings, "active_power_import_l1")) == {Decimal("0.123")}
    assert health["valid_readings"] == 300
    assert "damaged_frames" not in health
    assert len(further.threads) == 1
    assert further.threads[0] is not threading.current_thread()


def without_checksum(vector: str, count: int) -> list[bytes]:
    """Telegrams of a household behind a real meter that sends no checksum."""
    return list(household(vector, METERS[vector], count, Random(1)))


def told_of(telegrams: Iterable[bytes]) -> dict[str, set[tuple[str, str]]]:
    """Every value with its unit that the meter itself says, by quantity."""
    told: dict[str, set[tuple[str, str]]] = {}
    for telegram in read_all(b"".join(telegrams)):
        assert isinstance(telegram, Telegram)
        for key, item in telegram.measurements.items():
            told.setdefault(key, set()).add((str(item["value"]), item["unit"]))
    return told


@pytest.mark.parametrize("place", [on_pty, on_tcp])
@pytest.mark.parametrize("vector", METERS)
async def test_a_line_feed_that_is_none_spoils_no_unit_behind_it(place: Any, vector: str) -> None:
    """Sixty telegrams, in the sixth of them one bit of one line feed: through the client and the guard."""
    telegrams = without_checksum(vector, 60)
    told = told_of(telegrams)
    first = telegrams[5].index(b"kWh)\r\n") + 5
    telegrams[5] = telegrams[5][:first] + b"\x1a" + telegrams[5][first + 1 :]
    published, health = await guarded(place, Bytes(b"".join(telegrams)), 57)
    assert health["valid_readings"] == 57  # not the damaged one, and not the first and the last
    assert health["damaged_frames"] == 1
    for reading in published.of("reading"):
        for key, item in reading["measurements"].items():
            assert (str(item["value"]), item["unit"]) in told[key]
    assert published.of("status") == []


async def test_of_telegrams_with_a_flipped_bit_no_wrong_unit_and_no_wrong_total_is_published() -> None:
    random = Random(2)
    telegrams = without_checksum("nb-nocrc14", 300)
    told = told_of(telegrams)
    stream = [damaged(each, random) if number % 3 == 0 else each for number, each in enumerate(telegrams)]
    published, health = await guarded(on_tcp, Bytes(b"".join(stream)), 150)
    assert health["damaged_frames"] > 50
    for reading in published.of("reading"):
        for key, item in reading["measurements"].items():
            assert item["unit"] in {unit for _, unit in told[key]}
            if "power" not in key:
                assert (str(item["value"]), item["unit"]) in told[key]
    assert {info["serial_number"] for info in published.of("info")} == {"ZBEV005106844912"}


async def guarded(place: Any, source: Bytes, enough: int) -> tuple[Heard, Health]:
    """What the client and a guard let through of ``source``, ``enough`` readings at least."""
    published, arrived = Heard("power"), Heard("power")
    async with place(source) as where:
        client = client_of(where if place is on_pty else f"socket://{where}")
        guard = Guard({"power": MeterPolicy()}, checksummed=lambda name: client.checksummed)

        async def publish(message: Message) -> None:
            for passed in guard.check(message):
                await published(passed)
            await arrived(message)

        task = asyncio.ensure_future(client.run(publish))
        await arrived.wait_for(enough)
        # What is on its way when enough has come, too.
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not client.checksummed
    return published, client.health


async def test_a_reading_without_checksum_has_the_time_at_which_it_came() -> None:
    first, second, third = without_checksum("nb-nocrc14", 3)
    let_go = asyncio.Event()

    class TwoAndOne(Bytes):
        async def _send(self, line: EmulatedLine) -> None:
            await line.write(first + second)
            await let_go.wait()
            await line.write(third)

    async with on_tcp(TwoAndOne(b"")) as place:
        client = client_of(f"socket://{place}")
        async with running(client) as published:
            async with asyncio.timeout(PATIENCE):
                while client.checksummed:
                    await asyncio.sleep(FAST)
            await asyncio.sleep(0.1)  # for the second, should it not have come with the first
            third_came = datetime.now(UTC)
            let_go.set()
            (reading,) = await published.wait_for(1)
    assert reading["time"] < third_came


async def test_heat_without_electricity() -> None:
    body = (
        b"/NWA-WARMTELINK\r\n\r\n0-0:1.0.0(240101120000W)\r\n0-1:24.1.0(012)\r\n"
        b"0-1:96.1.0(3132)\r\n0-1:24.2.1(240101115500W)(12.345*GJ)\r\n!\r\n"
    )
    async with on_pty(Bytes(body, again=True)) as port, running(client_of(port)) as published:
        (reading, *_) = await published.wait_for(1, meter="power-heat")
    assert str(reading["measurements"]["heat_energy"]["value"]) == "12.345"
    assert published.of("reading") == []


def test_good_input_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    async def listen() -> None:
        async with on_pty(meter("belgium")) as port, running(client_of(port)) as published:
            await published.wait_for(10)

    asyncio.run(listen())
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"key": Secret("12")}, "key: a key has 32"),
        (
            {"key": Secret("00" * 16), "authentication_key": Secret("zz")},
            "authentication_key: a key consists",
        ),
        ({"authentication_key": Secret("00" * 16)}, "without key"),
        ({"format": "8N1"}, "format needs a baud"),
    ],
)
def test_settings_that_do_not_go_together(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DsmrSettings(port="/dev/null", **settings)


def test_settings_as_they_are_written() -> None:
    table = {
        "port": "/dev/null",
        "interval": "1min",
        "key": "00 01 02 03" * 4,
        "baud": 9600,
        "timeout": "30s",
    }
    settings, problems = parse(DsmrSettings, table, Place({}))
    assert problems == []
    assert settings is not None
    assert settings.baud == 9600
    assert settings.opener() is not None
    assert "00 01" not in repr(settings)
    for wrong in ({"baud": "fast"}, {"authentication": "maybe"}, {"dialect": "klingon"}, {"key": "123"}):
        assert len(parse(DsmrSettings, {**table, **wrong}, Place({}))[1]) == 1
    assert parse(DsmrSettings, {**table, "baud": "auto"}, Place({}))[1] == []


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({}, ["115200 Bd 8N1", "9600 Bd 7E1"]),
        ({"key": Secret("00" * 16)}, ["115200 Bd 8N1"]),
        ({"baud": 9600}, ["9600 Bd 7E1"]),
        ({"baud": 9600, "format": "8N1"}, ["9600 Bd 8N1"]),
        ({"baud": 115200}, ["115200 Bd 8N1"]),
    ],
)
def test_lines_that_are_tried(settings: dict[str, Any], lines: list[str]) -> None:
    assert [str(line) for line in DsmrSettings(port="/dev/null", **settings).lines] == lines


async def test_telegrams_that_all_fail_their_checksum_are_told_as_that(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("smart_meter_reader.meters.push.session.LINE_TRIAL", 0.1)
    monkeypatch.setattr("smart_meter_reader.meters.push.session.SUMMARY", 0.2)
    caplog.set_level(logging.INFO)
    async with on_pty(Bytes(field("be-badcrc"), again=True)) as port:
        client = client_of(port, timeout=timedelta(seconds=1))
        with pytest.raises(TransportError) as death:
            await client.run(Heard("power"))
    assert death.value.reason == "checksum"
    assert "the checksum never fits" in death.value.detail
    assert "trying" not in caplog.text


async def test_elgamas_frames_are_read_with_their_keys() -> None:
    stream = field("pl-elgama-enc")  # UtilitechAS/amsreader-firmware#1177
    async with on_pty(Bytes(stream)) as port:
        client = client_of(port, key=Secret(KEY.hex()), authentication_key=Secret(AK.hex()))
        async with running(client) as heard:
            readings = await heard.wait_for(1)
    energy = readings[0]["measurements"]["active_energy_import"]
    assert (energy["value"], energy["unit"]) == (Decimal("12345.035"), "kWh")


async def test_frames_of_another_protocol_keep_the_speed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("smart_meter_reader.meters.push.session.LINE_TRIAL", 0.1)
    caplog.set_level(logging.INFO)
    # Apollon77/smartmeter-obis (MIT), the begin of test/direct/ttyUSB0.dump
    sml = bytes.fromhex("1b1b1b1b01010101760b4553594203b8e4a7d6e262006200726301017601")
    async with on_pty(Bytes(sml, again=True)) as port:
        with pytest.raises(TransportError) as death:
            await client_of(port, timeout=timedelta(seconds=1)).run(Heard("power"))
    assert death.value.reason == "sml"
    assert "trying" not in caplog.text
