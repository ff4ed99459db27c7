"""Scanning: every kind of meter is found, no battery is worried, and what is no meter is explained."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from smart_meter_reader.cli.scan.scanning import (
    ListeningLine,
    PortReport,
    hear,
    listen,
    scan_port,
    scan_ports,
    shared_lines,
)
from smart_meter_reader.codecs.kmp import GetRegisterRequest, GetTypeRequest, encode_request
from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.codecs.parity import add_parity
from smart_meter_reader.drivers import imported
from smart_meter_reader.emulators.faults import Fault
from smart_meter_reader.emulators.stream import EmulatedLine, EmulatedMeter, on_pty, on_tcp
from smart_meter_reader.meters.dlms.lines import MBUS_LINE
from smart_meter_reader.meters.found import Found
from smart_meter_reader.meters.iec62056_21 import emulator
from smart_meter_reader.meters.iec62056_21.emulator import Iec62056Meter
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from smart_meter_reader.meters.p1.emulator import Encryption, P1Meter
from smart_meter_reader.meters.p1.lines import FAST_LINE, SLOW_LINE
from smart_meter_reader.meters.registry import meter_drivers
from smart_meter_reader.meters.sml.lines import LINE as SML_LINE
from smart_meter_reader.transport import LineSettings
from tests.cli.decode.test_auto import SML
from tests.codecs.dlms.vectors import wire as dlms_wire
from tests.codecs.mbus.captures import SHARKY
from tests.codecs.p1.test_field import wire
from tests.codecs.sml.vectors import wire as sml_wire
from tests.peers.foreign_meter import ForeignMeter
from tests.peers.lines import Echo, Noise, Silent
from tests.peers.ser2net import ser2net
from tests.peers.wires import heard_at, sending

LISTEN = 0.6


def no_progress(port: str, what: str) -> None:
    """The tests look at the reports."""


async def scan(meter: EmulatedMeter) -> PortReport:
    async with on_pty(meter) as port:
        return await scan_port(port, no_progress, LISTEN)


class SevenBits:
    """Sends a telegram of DSMR 2.2 as 7E1 looks on a line read as 8N1: even parity in the eighth bit."""

    def __init__(self) -> None:
        text = (
            b"/ISk5\\2MT382-1003\r\n\r\n0-0:96.1.1(31)\r\n1-0:1.8.1(00001.001*kWh)\r\n0-0:96.14.0(0001)\r\n!"
        )
        telegram = encode_telegram(text, "none")
        self._sent = bytes(byte | (byte.bit_count() & 1) << 7 for byte in telegram)

    async def serve(self, line: EmulatedLine) -> None:
        while True:
            await line.write(self._sent)
            await asyncio.sleep(0.05)


KEYS = Encryption(bytes(range(16)), bytes(16))
METERS: dict[str, tuple[EmulatedMeter, dict[str, str]]] = {
    "multical": (
        KamstrupMeter("402", reply_delay=0),
        {"client": "kamstrup", "protocol": "KMP", "kind": "heat", "model": "MULTICAL 402"},
    ),
    # As a MULTICAL 21: volume, and no energy.
    "water meter": (
        KamstrupMeter(
            "402",
            faults=[Fault("omit", subject="heat_energy"), Fault("omit", subject="cooling_energy")],
            reply_delay=0,
        ),
        {"client": "kamstrup", "kind": "water"},
    ),
    "multical asleep": (
        KamstrupMeter("402", faults=[Fault("drop", first=1)], reply_delay=0),
        {"client": "kamstrup", "model": "MULTICAL 402"},
    ),
    "not ours": (
        ForeignMeter(),
        {"client": "kamstrup", "model": "", "serial_number": "80000000"},
    ),
    "66c": (
        Iec62056Meter("multical_66c", reply_delay=0),
        {"client": "iec62056_21", "model": "MULTICAL 66-CDE", "kind": "heat"},
    ),
    "401": (
        Iec62056Meter("multical_401", reply_delay=0),
        {"client": "iec62056_21", "model": "MULTICAL 401", "serial_number": "60017"},
    ),
    "mode C": (
        Iec62056Meter("iec62056_21", reply_delay=0),
        {"client": "iec62056_21", "manufacturer": "EMU", "protocol": "IEC 62056-21 mode C", "kind": "meter"},
    ),
    "P1": (
        P1Meter("dsmr-5", interval=0.1),
        {"client": "dsmr", "protocol": "P1", "dialect": "dsmr-5", "kind": "electricity"},
    ),
    "P1 of Belgium": (P1Meter("belgium", interval=0.1), {"client": "dsmr", "dialect": "belgium"}),
    "encrypted P1": (
        P1Meter("austria", interval=0.1, encryption=KEYS),
        {"client": "dsmr", "protocol": "encrypted P1", "model": ""},
    ),
    "P1 with parity": (SevenBits(), {"client": "dsmr", "dialect": "dsmr-2.2"}),
}


@pytest.mark.usefixtures("hurrying_loop")
async def test_all_ports_are_scanned_at_once_and_every_meter_is_found() -> None:
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(on_pty(meter)) for meter, _ in METERS.values()]
        reports = await scan_ports(ports, no_progress, LISTEN)
    assert [report.port for report in reports] == ports
    for (name, (_, expected)), report in zip(METERS.items(), reports, strict=True):
        assert report.found is not None, (name, report)
        seen = {key: getattr(report.found, key) for key in expected}
        assert seen == expected, name


async def test_a_meter_in_poland_that_encrypts_behind_a_plain_first_line_is_p1() -> None:
    # UtilitechAS/amsreader-firmware#1177: its identification was once taken for the answer to a sign-on.
    report = await scan(Noise(wire("pl-elgama-enc")))
    assert report.found is not None
    assert (report.found.client, report.found.protocol) == ("dsmr", "encrypted P1")


@pytest.mark.usefixtures("hurrying_loop")
async def test_an_older_multical_that_knows_no_sign_on_is_found_by_its_short_answers() -> None:
    meter = Iec62056Meter("multical_66c", reply_delay=0)

    class Deaf:
        """Lets nothing but short requests through."""

        async def serve(self, line: EmulatedLine) -> None:
            class Filtered:
                line: LineSettings | None = None

                async def read(self) -> bytes:
                    received = await _line.read()
                    seven = bytes(byte & 0x7F for byte in received)
                    return received if seven.startswith(b"/#") or not received else b"\0"

                async def write(self, payload: bytes) -> None:
                    await _line.write(payload)

            _line = line
            await meter.serve(Filtered())

    report = await scan(Deaf())
    assert report.found is not None, report
    assert (report.found.client, report.found.keys["model"]) == ("iec62056_21", "multical_66c")
    assert report.found.serial_number == "60017"


@pytest.mark.usefixtures("hurrying_loop")
async def test_silence_is_asked_once_in_each_protocol_and_signs_of_a_meter_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A line that babbles is otherwise heard for longer than a test should take.
    monkeypatch.setattr("smart_meter_reader.meters.iec62056_21.sign_on._LONGEST", 1.0)
    monkeypatch.setattr("smart_meter_reader.meters.iec62056_21.line._SHORT_ANSWER_TIME", 1.0)
    monkeypatch.setattr("smart_meter_reader.meters.mbus.timing.MAX_FRAME_LENGTH", 10)
    silent = Silent()
    damaged = KamstrupMeter("403", faults=[Fault("crc")], reply_delay=0)
    lines: list[EmulatedMeter] = [silent, Echo(), Noise(), damaged]
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(on_pty(line)) for line in lines]
        reports = await scan_ports(ports, no_progress, LISTEN)
    assert [report.found for report in reports] == [None] * len(lines)
    told = ["; ".join(report.clues) for report in reports]
    assert told[0] == ""
    assert "the head returns what is sent" in told[1]
    assert "bytes that are no telegram" in told[2]
    assert "came damaged" in told[3]
    # The battery: KMP's second request is for a meter that the first one woke.
    kmp = encode_request(GetTypeRequest()) + encode_request(GetRegisterRequest((1001,)))
    assert silent.heard.startswith(kmp)
    # Last come those that need a wake-up, and KMP at the speed of a 382.
    asked, _, m_bus = silent.heard.partition(b"\x55" * 500)
    assert m_bus.strip(b"\x55") == bytes.fromhex("105bfe5916") + bytes.fromhex("107bfe7916")
    assert asked.endswith(kmp)
    others = asked[len(kmp) : -len(kmp)]
    # On a bus: any meter, and the selection of any, twice; at each of three speeds.
    for request in ("107bfe7916", "680b0b6873fd52ffffffffffffffffba16", "680b0b6873fd52ffffffffffffffffba16"):
        assert others.count(bytes.fromhex(request)) == 3 * (1 + (request[:2] == "68"))
    bus = bytes.fromhex("107bfe7916" + 2 * "680b0b6873fd52ffffffffffffffffba16" + "1040fd3d16")
    seven = bytes(byte & 0x7F for byte in others.replace(bus, b""))
    assert seven.replace(b"\x00", b"") == b"/?!\r\n/#1\r/?!\r\n"


@pytest.mark.usefixtures("hurrying_loop")
async def test_a_heat_meter_that_speaks_m_bus_at_its_optical_head_is_found() -> None:
    class Sharky:
        async def serve(self, line: EmulatedLine) -> None:
            heard = b""
            while received := await line.read():
                heard += received
                if heard.endswith(b"\x55" * 480 + bytes.fromhex("105bfe5916")):
                    await line.write(SHARKY)

    report = await scan(Sharky())
    assert report.found is not None
    assert (report.found.client, report.found.manufacturer, report.found.kind) == (
        "mbus",
        "Diehl Metering (Hydrometer)",
        "heat",
    )
    assert dict(report.found.keys) == {"wake_up": "0x55", "interval": "1h"}


@pytest.mark.usefixtures("hurrying_loop")
async def test_a_meter_that_sends_no_whole_telegram_of_sml_is_named_and_left_alone() -> None:
    class Sml(Silent):
        async def serve(self, line: EmulatedLine) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(Noise(bytes.fromhex(SML)).serve(line))
                group.create_task(super().serve(line))

    meter = Sml()
    report = await scan(meter)
    assert report.found is None
    assert "SML" in report.unread
    assert meter.heard == b""


async def test_a_meter_that_sends_is_never_asked() -> None:
    class Watched(Silent):
        async def serve(self, line: EmulatedLine) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(P1Meter("dsmr-5", interval=0.1).serve(line))
                group.create_task(super().serve(line))

    meter = Watched()
    report = await scan(meter)
    assert report.found is not None
    assert meter.heard == b""


@pytest.mark.usefixtures("hurrying_loop")
async def test_a_meter_whose_readout_cannot_be_read_is_found_without_its_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its block check is right, so that the line is not to blame; the other port is scanned all the same."""
    monkeypatch.setattr(emulator, "encode_data_sets", lambda _: b"0.0.0(00060017\r\n1.8.0(1*kWh)\r\n!\r\n")
    async with (
        on_pty(Iec62056Meter("iec62056_21", reply_delay=0)) as odd,
        on_pty(KamstrupMeter("402", reply_delay=0)) as well,
    ):
        reports = await scan_ports([odd, well], no_progress, LISTEN)
    assert [
        report.found and (report.found.client, bool(report.found.serial_number)) for report in reports
    ] == [
        ("iec62056_21", False),
        ("kamstrup", True),
    ]


async def test_a_meter_behind_rfc_2217_is_found_with_its_speed(tmp_path: Path) -> None:
    async with (
        on_pty(KamstrupMeter("402", reply_delay=0)) as device,
        ser2net(device, tmp_path, accepter="telnet(rfc2217),tcp") as place,
    ):
        report = await scan_port(f"rfc2217://{place}", no_progress, LISTEN)
    assert report.found is not None, report
    assert report.found.description.startswith("Kamstrup MULTICAL 402, serial number")
    assert report.found.description.endswith("KMP at 1200 Bd 8N2")


async def test_a_meter_behind_a_serial_server_is_found_without_a_speed(tmp_path: Path) -> None:
    async with (
        on_pty(KamstrupMeter("402", reply_delay=0)) as device,
        ser2net(device, tmp_path, accepter="tcp") as place,
    ):
        report = await scan_port(f"socket://{place}", no_progress, LISTEN)
    assert report.found is not None, report
    assert report.found.model == "MULTICAL 402"
    assert " Bd" not in report.found.description
    async with on_tcp(P1Meter("dsmr-5", interval=0.1)) as place:
        report = await scan_port(f"socket://{place}", no_progress, LISTEN)
    assert report.found is not None
    assert "baud" not in report.found.keys


@pytest.mark.parametrize(
    ("port", "said"),
    [
        ("/dev/not-a-port", "does not exist"),
        ("/etc", "not a serial port"),
        ("socket://127.0.0.1:1", "refuses"),
    ],
)
async def test_a_port_that_cannot_be_used_is_explained(port: str, said: str) -> None:
    report = await scan_port(port, no_progress, LISTEN)
    assert (report.found, report.clues) == (None, [])
    assert said in report.problem


def test_what_a_meter_says_of_itself_cannot_steer_the_terminal() -> None:
    found = Found(
        "/dev/x", "P1", FAST_LINE, "electricity", model="A\x1b[2J\nB", serial_number="1\r2", client="dsmr"
    )
    assert found.description == "A[2JB, serial number 12: P1 at 115200 Bd 8N1"


@pytest.mark.usefixtures("hurrying_loop")
async def test_of_a_long_stream_every_byte_is_counted_and_its_end_is_looked_through() -> None:
    telegram = add_parity(encode_telegram(b"/ABC5x\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.8.1(001234.567*kWh)\r\n!"))
    stream = b"noise " * 50_000 + telegram * (80_000 // len(telegram))

    class Stream:
        async def serve(self, line: EmulatedLine) -> None:
            await line.write(stream)
            await line.read()

    async with on_tcp(Stream()) as place:
        url = f"socket://{place}"
        report = PortReport(url)
        heard = await hear(report, ListeningLine(FAST_LINE, {"dsmr": FAST_LINE}), 3.0)
    assert heard == (len(stream), False)
    assert report.found is not None


def test_each_line_is_listened_to_once_for_all_families_the_likelier_first() -> None:
    listening = {
        client: imported(driver.listens) for client, driver in meter_drivers().items() if driver.listens
    }
    shared = shared_lines({client: each.lines for client, each in listening.items()})
    assert [(str(each.line), sorted(each.clients)) for each in shared] == [
        ("115200 Bd 8N1", ["dlms", "dsmr"]),
        ("9600 Bd 8N1", ["dlms", "dsmr", "sml"]),
        ("2400 Bd 8E1", ["dlms"]),
        ("2400 Bd 8N1", ["dlms", "dsmr"]),
    ]
    for client, each in listening.items():
        assert [line.clients[client] for line in shared if client in line.clients] != []
        assert {line.clients[client] for line in shared if client in line.clients} == set(each.lines)


P1_TEXT = b"/ISk5\\2MT382-1003\r\n\r\n0-0:96.1.1(31)\r\n1-0:1.8.1(00001.001*kWh)\r\n0-0:96.14.0(0001)\r\n!"
PUSHED: dict[str, tuple[bytes, LineSettings, str]] = {
    "sml": (sml_wire("sml-dzg-7420"), SML_LINE, "9600 Bd 8N1"),
    "old p1": (encode_telegram(P1_TEXT, "none"), SLOW_LINE, "9600 Bd 7E1"),
    "dlms": (dlms_wire("hdlc-aidon-no-list3-hourly"), MBUS_LINE, "2400 Bd 8E1"),
}


@pytest.mark.parametrize("name", PUSHED)
async def test_a_speed_at_which_nothing_makes_sense_is_left_for_the_next_one(name: str) -> None:
    """None is listened to for a minute, though each may be."""
    telegram, line, told = PUSHED[name]
    steps: list[str] = []
    async with sending(telegram, line, 0.8) as port:
        report = await scan_port(port, lambda _, what: steps.append(what), 60.0)
    assert report.found is not None, report
    assert str(report.found.line) == told
    assert [step.partition(" at ")[2] for step in steps] == [
        f"{each} (up to 60 s)" for each in ("115200 Bd 8N1", "9600 Bd 8N1", "2400 Bd 8E1")
    ][: len(steps)]


async def test_what_makes_no_sense_at_any_speed_is_listened_to_again_for_all_of_its_time() -> None:
    steps: list[str] = []
    async with sending(bytes(range(32, 127)), SML_LINE, 0.7) as port:
        report = PortReport(port)
        await listen(report, lambda _, what: steps.append(what), 1.5)
    assert report.found is None
    listened = [step.partition(" at ")[2] for step in steps]
    assert len(listened) == 8
    assert listened[:4] == listened[4:]
    assert any("bytes that are no telegram" in clue for clue in report.clues)


def test_the_wire_of_these_tests_spoils_what_is_heard_at_another_speed() -> None:
    for telegram, line, _ in PUSHED.values():
        assert heard_at(telegram, replace(line, parity="N", bytesize=8), line.baud) == telegram
        for baud in {115_200, 9600, 2400} - {line.baud}:
            assert telegram[:20] not in heard_at(telegram, line, baud)
            assert len(heard_at(telegram, line, baud)) >= 16
