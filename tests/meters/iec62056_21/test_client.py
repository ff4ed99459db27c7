"""The client `iec62056_21` against emulated meters on real ptys and TCP: and what it publishes."""

from __future__ import annotations

import asyncio
import logging
import os
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from smart_meter_reader.codecs.iec62056_21.bcc import sum_bcc, xor_bcc
from smart_meter_reader.codecs.parity import add_parity, strip_parity
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import EmulatedLine, EmulatedMeter, on_pty, on_tcp
from smart_meter_reader.exceptions import ExplainedError, MeterSilentError, ProtocolError, TransportError
from smart_meter_reader.messages import Info, Message, Reading
from smart_meter_reader.meters.found import Found
from smart_meter_reader.meters.head import Sign
from smart_meter_reader.meters.iec62056_21.client import Iec62056_21Client
from smart_meter_reader.meters.iec62056_21.emulator import FAULTS, Iec62056Meter
from smart_meter_reader.meters.iec62056_21.line import LineTiming, MeterLine
from smart_meter_reader.meters.iec62056_21.probe import SLEEPING, ask_sign_on, head_probe
from smart_meter_reader.meters.iec62056_21.settings import Iec62056_21Settings
from smart_meter_reader.settings.durations import format_duration
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.settings.schema import Origin, Place, parse
from smart_meter_reader.transport import LineSettings
from tests.codecs.iec62056_21.captures import capture
from tests.peers.heard import Heard

pytestmark = pytest.mark.usefixtures("hurrying_loop")

SOON = Schedule(interval=timedelta(milliseconds=20))
FAST_LINE = LineSettings(baud=19_200, bytesize=7, parity="E", stopbits=2)
FAST = LineTiming.repeating_after(0.15)


def emulated(model: str = "multical_66c", *faults: str, **options: Any) -> Iec62056Meter:
    return Iec62056Meter(model, faults=parse_faults(faults, FAULTS), reply_delay=0.0, **options)


def client(port: str, **settings: Any) -> Iec62056_21Client:
    defaults: dict[str, Any] = {
        "port": port,
        "model": "multical_66c",
        "repeat_after": timedelta(milliseconds=150),
        "mains_powered": True,
        "baud": 19_200,  # a stream without a line takes it at any speed
    }
    return Iec62056_21Client("heat", Iec62056_21Settings(**(defaults | settings)))


async def read_once(meter: EmulatedMeter, **settings: Any) -> tuple[Info, Reading, Iec62056_21Client]:
    """Info, reading and client after one reading of ``meter`` on a pseudo-terminal."""
    async with on_pty(meter) as port:
        return await read_port(port, **settings)


async def read_port(port: str, **settings: Any) -> tuple[Info, Reading, Iec62056_21Client]:
    messages: list[Message] = []
    reader = client(port, **settings)

    async def publish(message: Message) -> None:
        messages.append(message)

    await reader.run(publish, once=True)
    info, reading = messages
    assert info["type"] == "info"
    assert reading["type"] == "reading"
    return info, reading, reader


def plain(reading: Reading) -> dict[str, str]:
    return {
        key: f"{measured['value']} {measured['unit']}".strip()
        for key, measured in reading["measurements"].items()
    }


HEAT = {
    "heat_energy": "507.109 MWh",
    "volume": "12966.26 m³",
    "operating_hours": "32673 h",
    "flow_temperature": "68.11 °C",
    "return_temperature": "33.66 °C",
    "temperature_difference": "34.45 K",
    "power": "3.1 kW",
    "volume_flow": "79 L/h",
    "power_maximum_month": "9.3 kW",
    "info_code": "0",
    "info_code_text": "none",
    "reported_problems": "none",
}


async def test_a_66c_is_read_by_short_requests_scaled_by_its_program(
    caplog: pytest.LogCaptureFixture,
) -> None:
    meter = emulated()
    info, reading, reader = await read_once(meter)
    assert plain(reading) == HEAT
    assert (info["manufacturer"], info["model"]) == ("Kamstrup", "MULTICAL 66-CDE")
    assert info["serial_number"] == "60017"
    assert list(meter.asked) == [b"/#2", b"/#2", b"/#1", b"/#1"]
    assert reader.health["requests_24h"] == 4
    assert reader.health["damaged_frames"] == 0
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


@pytest.mark.parametrize(
    ("model", "name"),
    [("multical_66c", "MULTICAL 66-CDE"), ("multical_401", "MULTICAL 401"), ("iec62056_21", "EMULATED")],
)
@pytest.mark.parametrize("place", [on_pty, on_tcp])
async def test_auto_finds_out_which_meter_it_is(model: str, name: str, place: Any) -> None:
    context: AbstractAsyncContextManager[str] = place(emulated(model))
    async with context as port:
        url = port if port.startswith("/") else f"socket://{port}"
        info, reading, _ = await read_port(url, model="auto")
    assert info["model"] == name
    assert reading["measurements"]


async def test_a_401_is_scaled_by_its_readout_and_the_rest_asked_of_the_owner(
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, reading, _ = await read_once(emulated("multical_401"), model="multical_401")
    assert plain(reading)["heat_energy"] == "507.109 GJ"
    assert plain(reading)["volume"] == "1296.626 m³"
    assert plain(reading)["flow_temperature"] == "68.11 °C"
    assert "power" not in reading["measurements"]
    assert "flow_decimals, power_decimals" in caplog.text


async def test_settings_tell_decimals_that_the_meter_does_not() -> None:
    _, reading, _ = await read_once(
        emulated("multical_401"), model="multical_401", flow_decimals=0, power_decimals=1
    )
    assert plain(reading)["power"] == "3.1 kW"
    assert plain(reading)["volume_flow"] == "79 L/h"


async def test_settings_go_before_what_the_meter_tells() -> None:
    _, reading, _ = await read_once(emulated(), energy_unit="GJ", energy_decimals=2, volume_decimals=1)
    assert plain(reading)["heat_energy"] == "5071.09 GJ"
    assert plain(reading)["volume"] == "129662.6 m³"


async def test_a_program_that_is_not_in_the_table_is_made_up_for_by_the_readout() -> None:
    _, reading, _ = await read_once(emulated(values={"ABCCC": 44_999}))
    assert plain(reading)["heat_energy"] == "507.109 MWh"
    assert plain(reading)["volume"] == "12966.26 m³"
    assert "volume_flow" not in reading["measurements"]


async def test_nothing_is_asked_for_what_nobody_wants() -> None:
    meter = emulated("multical_401")
    _, reading, _ = await read_once(meter, model="multical_401", registers=("heat_energy", "volume"))
    assert set(reading["measurements"]) == {"heat_energy", "volume"}
    assert list(meter.asked) == [b"/?!\r\n", b"\x06000\r\n"]


async def test_what_was_not_measured_is_left_out_also_where_the_info_code_is_not_wanted() -> None:
    broken = emulated(values={"t_flow": 0, "info": 8})  # T1 is outside of its range
    async with on_pty(broken) as port:
        reader, heard = client(port, registers=("flow_temperature", "volume")), Heard("heat")
        await reader.run(heard, once=True)
    (reading,) = heard.readings
    assert reading["measurements"].keys() == {"volume", "info_code_text", "reported_problems"}
    assert reader.health["rejected_values"] == 1


async def test_a_mode_c_meter_is_read_at_the_speed_it_offers() -> None:
    meter = emulated("iec62056_21")
    _, reading, _ = await read_once(meter, model="generic")
    assert plain(reading)["active_energy_import"] == "507109.0 kWh"
    assert plain(reading)["voltage_l1"] == "230.4 V"
    assert list(meter.asked) == [b"/?!\r\n", b"\x06050\r\n"]


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        ("multical_66c", "drop:1/3"),
        ("multical_66c", "noise:1/2"),
        ("multical_66c", "parity:1"),
        ("multical_66c", "digit:1"),
        ("multical_66c", "digit:1/3"),
        ("multical_66c", "echo,noise:1/3"),
        ("iec62056_21", "drop:1/3"),
        ("iec62056_21", "digit:2"),
        ("iec62056_21", "echo,parity:1"),
    ],
)
async def test_faults_cost_repeats_and_never_a_wrong_value(model: str, fault: str) -> None:
    expected = HEAT if model == "multical_66c" else {"active_energy_import": "507109.0 kWh"}
    settings = {"retries": 8, "registers": tuple(expected)}
    model_setting = "multical_66c" if model == "multical_66c" else "generic"
    _, reading, _ = await read_once(emulated(model, fault), model=model_setting, **settings)
    for key, value in plain(reading).items():
        assert value == expected[key]


class Altered(Iec62056Meter):
    """A meter one of whose answers is altered on the way, parity and all."""

    def __init__(self, model: str, number: int, altered: tuple[bytes, bytes]) -> None:
        super().__init__(model, reply_delay=0.0)
        self._number = number
        self._altered = altered

    def _answer(self, request: Any, seconds: float) -> tuple[bytes, int]:
        answer, baud = super()._answer(request, seconds)
        return (answer.replace(*self._altered) if len(self.asked) == self._number else answer), baud


@pytest.mark.parametrize("number", [3, 4])
@pytest.mark.parametrize("wrong", [b"0006871", b"0006311", b"0096811"])
async def test_a_wrong_digit_in_a_temperature_is_not_published(number: int, wrong: bytes) -> None:
    meter = Altered("multical_66c", number, (b"0006811", wrong))
    _, reading, _ = await read_once(meter)
    assert plain(reading) == HEAT


async def test_a_meter_without_parity_on_a_bare_stream_is_read_too() -> None:
    _, reading, _ = await read_once(emulated(parity=False))
    assert plain(reading) == HEAT


class Selective(Iec62056Meter):
    """A meter that is silent on some requests."""

    def __init__(self, model: str, *silent_on: bytes) -> None:
        super().__init__(model, reply_delay=0.0)
        self._silent_on = silent_on

    def _answer(self, request: Any, seconds: float) -> tuple[bytes, int]:
        return (b"", 0) if request[0] in self._silent_on else super()._answer(request, seconds)


async def test_a_readout_is_published_though_the_short_request_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, reading, _ = await read_once(Selective("multical_401", b"/#1"), model="multical_401", retries=1)
    assert set(reading["measurements"]) == {"heat_energy", "volume", "operating_hours", "serial_number"}
    assert "leaves #1 without an answer" in caplog.text
    assert 'requests = ["readout"]' in caplog.text


async def test_a_request_that_is_never_answered_is_asked_no_more() -> None:
    meter = Selective("multical_401", b"/#1")
    readings: list[Message] = []
    async with on_pty(meter) as port:
        done = asyncio.Event()

        async def publish(message: Message) -> None:
            if message["type"] == "reading":
                readings.append(message)
                if len(readings) == 5:
                    done.set()

        async with asyncio.TaskGroup() as group:
            reader = client(port, model="multical_401", retries=0, interval=SOON)
            task = group.create_task(reader.run(publish))
            async with asyncio.timeout(20):
                await done.wait()
            task.cancel()
    assert list(meter.asked)[:15].count(b"/#1") == 3


async def test_a_multical_iii_without_a_program_number_is_scaled_by_its_readout() -> None:
    _, reading, _ = await read_once(Selective("multical_66c", b"/#2"), model="multical_iii", retries=1)
    assert plain(reading)["heat_energy"] == "507.109 MWh"


async def test_auto_finds_a_66c_that_does_not_answer_the_sign_on() -> None:
    info, reading, _ = await read_once(Selective("multical_66c", b"/?!\r\n"), model="auto", retries=1)
    assert info["model"] == "MULTICAL 66-CDE"
    assert plain(reading) == HEAT


async def test_a_value_that_does_not_keep_still_is_left_out_and_counted() -> None:
    class Restless(Iec62056Meter):
        """A meter whose flow jumps from one answer to the next."""

        def __init__(self) -> None:
            super().__init__(reply_delay=0.0)
            self._jumps = False

        def _answer(self, request: Any, seconds: float) -> tuple[bytes, int]:
            answer, baud = super()._answer(request, seconds)
            self._jumps = not self._jumps
            return (answer.replace(b" 0000079 ", b" 0000979 ") if self._jumps else answer), baud

    _, reading, reader = await read_once(Restless())
    assert set(HEAT) - set(reading["measurements"]) == {"volume_flow"}
    assert reader.health["rejected_values"] == 1


@asynccontextmanager
async def line_to(meter: EmulatedMeter, **options: Any) -> AsyncIterator[MeterLine]:
    settings: Mapping[str, Any] = {"line": FAST_LINE, "timing": FAST, "retries": 2} | options
    async with on_pty(meter) as port, MeterLine(port, **settings) as line:
        yield line


@pytest.mark.parametrize(
    ("faults", "error", "reason"),
    [
        (("drop",), TransportError, "no_echo_no_answer"),
        (("drop", "echo"), TransportError, "echo_only"),
        (("truncate",), ProtocolError, "damaged_answers"),
        (("parity",), ProtocolError, "damaged_answers"),
    ],
)
async def test_what_went_wrong_is_told_in_a_word(
    faults: tuple[str, ...], error: type[ExplainedError], reason: str
) -> None:
    meter = emulated("multical_66c", *faults)
    async with line_to(meter) as line:
        with pytest.raises(error) as caught:
            await line.ask_short("#1")
    assert caught.value.reason == reason
    assert line.counters.requests == 3
    assert line.counters.retries == 2


async def test_answers_that_never_agree_are_no_reading() -> None:
    with pytest.raises(ProtocolError) as caught:
        await read_once(emulated("multical_66c", "digit"), registers=("heat_energy",))
    assert caught.value.reason == "contradicting_answers"


@pytest.mark.parametrize(("place", "prefix", "speed"), [(on_pty, "", b"5"), (on_tcp, "socket://", b"0")])
async def test_a_speed_is_chosen_only_where_the_line_can_follow(
    place: Any, prefix: str, speed: bytes
) -> None:
    meter = emulated("iec62056_21")
    async with (
        place(meter) as port,
        MeterLine(f"{prefix}{port}", FAST_LINE, timing=FAST, retries=0) as line,
    ):
        await line.read_out()
    assert list(meter.asked) == [b"/?!\r\n", b"\x060" + speed + b"0\r\n"]


class OneSpeed(Iec62056Meter):
    """A mode C meter whose answers at the offered speed are lost on their way."""

    def _answer(self, request: Any, seconds: float) -> tuple[bytes, int]:
        return (b"", 0) if request["speed"] == b"5" else super()._answer(request, seconds)


async def test_the_speed_that_worked_is_the_one_of_the_next_readout() -> None:
    meter = OneSpeed("iec62056_21", reply_delay=0.0)
    async with line_to(meter) as line:
        await line.read_out()
        meter.asked.clear()
        await line.read_out()
    assert list(meter.asked) == [b"/?!\r\n", b"\x06000\r\n"]


async def test_a_readout_with_a_wrong_bcc_is_not_believed() -> None:
    async with line_to(emulated("iec62056_21", "digit:1/2")) as line:
        with pytest.raises(ProtocolError) as caught:
            await line.read_out()
    assert caught.value.reason == "damaged_answers"


class ByNumber(Iec62056Meter):
    """Answers a sign-on with its own number only, as EMH's ITZ does (volkszaehler/vzlogger#233)."""

    async def _reply(self, request: Any, line: EmulatedLine, *, woken: bool) -> None:
        if request[0] not in (b"/?!\r\n", b"/?00054321!\r\n"):
            await super()._reply(request, line, woken=woken)


async def test_a_meter_that_answers_only_to_its_number_is_read_by_its_address() -> None:
    meter = ByNumber("iec62056_21", reply_delay=0.0)
    _, reading, _ = await read_once(meter, model="generic", address="00012345")
    assert plain(reading)["active_energy_import"] == "507109.0 kWh"
    for wrong in ("", "00054321"):
        with pytest.raises(MeterSilentError, match="which address sends"):
            await read_once(meter, model="generic", address=wrong, retries=0)


async def test_a_sleeping_meter_answers_once_it_is_woken_up() -> None:
    async with line_to(emulated("multical_66c", "sleep"), wake_up=b"\x55") as line:
        answer = await line.ask_short("#1")
    assert answer.fields["energy"] == "0507109"
    assert line.counters.wake_ups == 1
    assert line.counters.retries == 0


async def test_another_meter_is_not_read() -> None:
    with pytest.raises(ProtocolError) as caught:
        await read_once(emulated(), serial_number="4711")
    assert caught.value.reason == "wrong_meter"
    assert "60017" in caught.value.detail
    _, reading, _ = await read_once(emulated(), serial_number="00000060017")
    assert reading["measurements"]


@pytest.mark.parametrize("model", ["multical_66c", "multical_401"])
async def test_a_meter_put_in_the_place_of_another_is_not_read_when_a_reading_is_doubted(model: str) -> None:
    meter, messages, read = emulated(model), [], asyncio.Event()

    async def publish(message: Message) -> None:
        messages.append(message["type"])
        if message["type"] == "reading":
            read.set()

    async with on_pty(meter) as port:
        reader = client(port, model=model, serial_number="60017")
        task = asyncio.create_task(reader.run(publish))
        async with asyncio.timeout(20):
            await read.wait()
            meter._house.fixed = {"customer_no": 60_018}
            reader.read_now()  # as the guard does
            with pytest.raises(ProtocolError, match="60018") as caught:
                await task
    assert caught.value.reason == "wrong_meter"
    assert messages == ["info", "reading"]


async def test_a_meter_that_needs_its_option_selected_in_mode_a_gets_it() -> None:
    class Blank(Iec62056Meter):
        """A 66C that writes a blank for its speed, and waits for the option select nevertheless."""

        def _answer(self, request: Any, seconds: float) -> tuple[bytes, int]:
            answer, baud = super()._answer(request, seconds)
            return answer.replace(b"/KAM0MC", b"/KAM MC"), baud

    async with line_to(Blank(reply_delay=0.0)) as line:
        readout = await line.read_out()
    assert readout.bcc == "sum"
    assert readout.identification is not None
    assert readout.identification.mode == "A"


class ModeA:
    """A meter that sends its readout right behind its identification."""

    async def serve(self, line: EmulatedLine) -> None:
        while await line.read():
            body = b"0.0(10865272)\r\n1.20(0009032*kWh)\r\n1.6(000001,5*kW)!\r\n\x03"
            block = b"\x02" + body + bytes([sum(body) & 0x7F])
            await line.write(add_parity(b"/KAM 685-382-OK-10\r\n" + block))


async def test_a_382_of_mode_a() -> None:
    info, reading, _ = await read_once(ModeA(), model="auto")
    assert info["model"] == "382"
    assert plain(reading)["active_energy_import"] == "9032 kWh"


class WrongAtFirst:
    """A meter of the standard's BCC; its first readout is damaged so that Kamstrup's computation fits."""

    def __init__(self) -> None:
        self.readouts = 0

    async def serve(self, line: EmulatedLine) -> None:
        while await line.read():
            self.readouts += 1
            true = b"1.8.0(000448.5*kWh)!\r\n\x03"
            wrong = true.replace(b"000448", b"008448")
            check = xor_bcc(true)
            assert sum_bcc(wrong) == check
            sent = wrong if self.readouts == 1 else true
            await line.write(add_parity(b"/ISK MT174\r\n\x02" + sent + bytes([check])))


async def test_a_readout_that_passes_only_by_the_computation_of_another_make_is_confirmed() -> None:
    meter = WrongAtFirst()
    _, reading, _ = await read_once(meter, model="generic")
    assert plain(reading)["active_energy_import"] == "448.5 kWh"
    assert meter.readouts == 3


class Told:
    """A meter of mode A that answers each sign-on with one readout, with the standard's BCC."""

    def __init__(self, text: bytes, ident: bytes = b"/LGZ ZMD") -> None:
        self.readouts = 0
        block = text + b"!\r\n\x03"
        self._answer = add_parity(ident + b"\r\n\x02" + block + bytes([xor_bcc(block)]))

    async def serve(self, line: EmulatedLine) -> None:
        while await line.read():
            self.readouts += 1
            await line.write(self._answer)


async def test_a_bcc_that_fits_both_computations_is_settled_by_the_make() -> None:
    texts = (f"1.8.0({number:06d}.5*kWh)".encode() for number in range(1_000_000))
    text = next(text for text in texts if sum_bcc(text + b"!\r\n\x03") == xor_bcc(text + b"!\r\n\x03"))
    meter = Told(text)
    await read_once(meter, model="generic")
    assert meter.readouts == 1


async def test_values_without_a_unit_count_and_power_is_asked_of_the_owner(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # PAFAL 20EC3gr (rkoshak/sensorReporter#80): no units, the current value marked *00.
    meter = Told(b"0.0.0(00012345)\r\n1.8.1*00(071354.27)\r\n1.7.0(00.25)\r\n", b"/PAF 5EC3gr00006")
    _, reading, _ = await read_once(meter, model="generic")
    assert plain(reading) == {"active_energy_import_tariff_1": "71354.27 kWh", "serial_number": "00012345"}
    assert "active_power_import" in caplog.text
    assert "electricity_power_unit" in caplog.text
    _, reading, _ = await read_once(meter, model="generic", electricity_power_unit="kW")
    assert plain(reading)["active_power_import"] == "0.25 kW"


async def test_a_reading_without_a_measured_value_is_none() -> None:
    meter = Told(b"0.0.0(00012345)\r\nF.F(00)\r\n")
    with pytest.raises(ProtocolError, match="registers_unknown"):
        await read_once(meter, model="generic")
    _, reading, _ = await read_once(meter, model="generic", registers=("serial_number",))
    assert plain(reading) == {"serial_number": "00012345"}


class Turning:
    """A meter whose house feeds in for a moment, with one code for what it takes and gives."""

    def __init__(self) -> None:
        self.powers = iter(("0.25", "-0.25", "0.25"))

    async def serve(self, line: EmulatedLine) -> None:
        for power in self.powers:
            await line.read()
            block = f"1.8.0(1*kWh)\r\n1.7.0({power}*kW)\r\n!\r\n\x03".encode()
            await line.write(add_parity(b"/XYZ 5M\r\n\x02" + block + bytes([xor_bcc(block)])))


async def test_a_power_with_a_sign_is_import_and_export_from_the_first_negative_one_on() -> None:
    told: list[dict[str, str]] = []
    done = asyncio.Event()

    async def publish(message: Message) -> None:
        if message["type"] == "reading":
            told.append({key: text for key, text in plain(message).items() if "power" in key})
            if len(told) == 3:
                done.set()

    async with on_pty(Turning()) as port, asyncio.TaskGroup() as group:
        task = group.create_task(client(port, model="generic", interval=SOON).run(publish))
        async with asyncio.timeout(20):
            await done.wait()
        task.cancel()
    assert told == [
        {"active_power_import": "0.25 kW"},
        {
            "active_power_import": "0.00 kW",
            "active_power_export": "0.25 kW",
            "active_power_net": "-0.25 kW",
        },
        {
            "active_power_import": "0.25 kW",
            "active_power_export": "0.00 kW",
            "active_power_net": "0.25 kW",
        },
    ]


async def test_what_the_meter_never_tells_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    messages: list[Message] = []
    meter = Told(b"6.8(0326.062*MWh)6.26(07939.56*m3)9.21(00070000)9.20(66900000)\r\n", b"/LUG UH50")
    async with on_pty(meter) as port:
        reader = client(port, model="generic", registers=("heat_energy", "volume", "power"))

        async def publish(message: Message) -> None:
            messages.append(message)

        for _ in range(2):
            await reader.run(publish, once=True)
    assert [message["type"] for message in messages] == ["info", "reading"] * 2
    (warning,) = [record.message for record in caplog.records if "does not tell" in record.message]
    assert "power" in warning
    assert "volume" not in warning


MOMENTARY = {
    "power": "3.2 kW",
    "volume_flow": "0.084 m³/h",
    "flow_temperature": "72.4 °C",
    "return_temperature": "39.8 °C",
    "temperature_difference": "32.6 K",
}


class Sleeper:
    """A UH50 (psvanstrom/esphome-uh50reader#7): answers a sign-on only right behind NULs, in mode B."""

    def __init__(self, *, knows_momentary: bool = True, data: bytes | None = None) -> None:
        self.asked: list[bytes] = []
        whole = capture("iec-lg-uh50-momentary")
        self._identification, _, self._momentary = whole.partition(b"\r\n")
        self._plain = capture("iec-lg-t550-mwh").partition(b"\r\n")[2]
        self._knows_momentary = knows_momentary
        self._data = data

    async def serve(self, line: EmulatedLine) -> None:
        buffer = b""
        while received := await line.read():
            buffer += strip_parity(received)
            before, found, _ = buffer.partition(b"!\r\n")
            if not found:
                continue
            buffer = b""
            self.asked.append(before[-2:])
            if before.count(0) < 32 or (before.endswith(b"/#") and not self._knows_momentary):
                continue
            await line.write(add_parity(self._identification + b"\r\n"))
            readout = self._momentary if before.endswith(b"/#") else self._plain
            await asyncio.sleep(0.02)
            await line.write(add_parity(readout) if self._data is None else self._data)


@pytest.fixture
def shortly_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The NULs and the rest behind them, which the standard wants longer than a test should last."""
    monkeypatch.setattr("smart_meter_reader.meters.iec62056_21.line._WAKE_UP_REST", 0.05)
    monkeypatch.setattr("smart_meter_reader.meters.iec62056_21.line._WAKE_UP", 0.1)


@pytest.mark.usefixtures("shortly_woken")
@pytest.mark.parametrize("model", ["auto", "uh50"])
async def test_a_uh50_that_sleeps_is_woken_before_each_sign_on(model: str) -> None:
    meter = Sleeper()
    info, reading, reader = await read_once(meter, model=model)
    assert (info["manufacturer"], info["model"]) == ("Landis+Gyr", "UH50")
    assert info["serial_number"] == "66900000"
    assert plain(reading).items() >= MOMENTARY.items()
    assert plain(reading)["heat_energy_previous_year"] == "323.272 MWh"
    # Nothing else wakes a meter of which nobody knows that it sleeps, and then every sign-on does.
    assert meter.asked == ([b"/?"] * 3 + [b"/#"] if model == "auto" else [b"/#"])
    assert reader.health["wake_ups_24h"] == (2 if model == "auto" else 1)


class StillSending(Sleeper):
    """A sleeper in the middle of a readout, which the first sign-on meets (home-assistant/core#92770)."""

    async def serve(self, line: EmulatedLine) -> None:
        self.asked.append(strip_parity(await line.read())[-5:-3])
        await line.write(b"\xf0\x9c\x21\x84" * 20)  # 2400 Bd as they look at 300 Bd
        await super().serve(line)


@pytest.mark.usefixtures("shortly_woken")
async def test_a_uh50_is_woken_though_the_end_of_an_earlier_readout_came_first() -> None:
    meter = StillSending()
    _, reading, _ = await read_once(meter, model="auto", repeat_after=timedelta(seconds=0.3))
    assert plain(reading).items() >= MOMENTARY.items()
    assert meter.asked == [b"/?"] * 4 + [b"/#"]


@pytest.mark.usefixtures("shortly_woken")
async def test_a_uh50_without_momentary_values_is_read_by_its_readout(
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, reading, _ = await read_once(Sleeper(knows_momentary=False), model="uh50", retries=0)
    assert plain(reading)["heat_energy"] == "326.062 MWh"
    assert not plain(reading).keys() & MOMENTARY.keys()
    assert "does not answer /#!" in caplog.text


@pytest.mark.usefixtures("shortly_woken")
@pytest.mark.parametrize(
    ("place", "data", "reason"),
    [(on_pty, b"", "no_data"), (on_tcp, b"\xf0\x9c\x21" * 20, "fixed_speed"), (on_tcp, b"", "fixed_speed")],
    ids=["silence", "noise over TCP", "silence over TCP"],
)
async def test_an_identification_without_data_behind_it(place: Any, data: bytes, reason: str) -> None:
    async with place(Sleeper(data=data)) as port:
        with pytest.raises(ProtocolError) as caught:
            await read_port(f"socket://{port}" if place is on_tcp else port, model="auto", wake_up="nul")
    assert caught.value.reason == reason
    assert "UH50" in caught.value.detail
    assert ("rfc2217://" in caught.value.detail) == (reason == "fixed_speed")


@pytest.mark.usefixtures("shortly_woken")
async def test_in_mode_b_the_speed_changes_behind_the_end_of_the_identification() -> None:
    """The LF is on its way for 33 ms more: what is heard of it at another speed is noise, and no data."""

    speeds: list[int] = []

    class Late(Sleeper):
        async def serve(self, line: EmulatedLine) -> None:
            while b"!" not in strip_parity(await line.read()):
                pass
            await line.write(add_parity(self._identification + b"\r"))
            await asyncio.sleep(0.034)
            device = os.open(port, os.O_RDWR | os.O_NOCTTY)
            speeds.append(termios.tcgetattr(device)[5])
            os.close(device)
            await line.write(b"\n" + add_parity(self._plain))

    async with on_pty(Late()) as port:
        _, reading, _ = await read_port(port, model="generic")
    assert plain(reading)["heat_energy"] == "326.062 MWh"
    assert speeds == [termios.B19200]


async def test_scan_and_align_wake_a_meter_that_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smart_meter_reader.meters.iec62056_21.sign_on.WAKE_UP_REST", 0.05)
    async with on_pty(Sleeper()) as port:
        assert await ask_sign_on(port) == ""
        found = await SLEEPING.ask(port, "")
        assert isinstance(found, Found)
        assert (found.model, found.serial_number) == ("UH50", "66900000")
        assert found.keys == {"model": "uh50", "interval": "1d"}
    async with on_pty(Sleeper()) as port, head_probe(port) as probe:
        assert [await probe(), await probe(), await probe()] == [Sign.NOTHING, Sign.CLEAN, Sign.CLEAN]


class WithoutProgram:
    """A MULTICAL 66C that leaves all but #1 without an answer."""

    async def serve(self, line: EmulatedLine) -> None:
        buffer = b""
        while received := await line.read():
            buffer += strip_parity(received)
            if buffer.endswith(b"/#1\r"):
                buffer = b""
                fields = b"0507109 1296626 0032673 0006811 0003366 0003445 0000031 0000079 0000093 0000000 \r"
                await line.write(add_parity(fields))


SCALES: dict[str, Any] = {
    "energy_unit": "MWh",
    "energy_decimals": 3,
    "volume_decimals": 2,
    "flow_decimals": 0,
    "power_decimals": 1,
}


@pytest.mark.parametrize("model", ["multical_66c", "auto"])
async def test_a_66c_without_a_program_number_is_read_when_all_is_set(model: str) -> None:
    _, reading, _ = await read_once(WithoutProgram(), model=model, retries=0, requests=("#1",), **SCALES)
    assert plain(reading)["heat_energy"] == "507.109 MWh"
    with pytest.raises(MeterSilentError, match=r"answers #1, but not #2.* set energy_unit"):
        await read_once(WithoutProgram(), model=model, retries=0, requests=("#1",))


async def test_a_program_number_that_never_comes_and_is_not_needed_is_waited_for_once() -> None:
    meter = Selective("multical_66c", b"/#2")
    async with on_pty(meter) as port:
        reader = client(port, retries=1, requests=("#1",), interval=SOON, **SCALES)

        async def publish(message: Message) -> None:
            pass

        for _ in range(3):
            await reader.run(publish, once=True)
    assert list(meter.asked).count(b"/#2") == 2


async def test_align_hears_a_66c_that_answers_short_requests_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smart_meter_reader.meters.iec62056_21.sign_on.WAKE_UP_REST", 0.05)
    monkeypatch.setattr("smart_meter_reader.meters.iec62056_21.probe.SHORT_GAP", 0.3)
    async with on_pty(WithoutProgram()) as port, head_probe(port) as probe:
        signs = [await probe() for _ in range(4)]
    assert signs == [Sign.NOTHING, Sign.NOTHING, Sign.CLEAN, Sign.CLEAN]


def test_a_uh50_is_read_once_a_day_unless_somebody_says_otherwise() -> None:
    place = Place({(): Origin("settings.toml", "home", ())})
    for table, period in (({}, timedelta(days=1)), ({"interval": "1h"}, timedelta(hours=1))):
        settings, problems = parse(
            Iec62056_21Settings, {"port": "/dev/ttyS0", "model": "t550", **table}, place
        )
        assert settings is not None, problems
        assert settings.interval.period == period


@pytest.mark.usefixtures("shortly_woken")
async def test_a_uh50_that_is_found_is_read_once_a_day_unless_somebody_says_otherwise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    info, _, _ = await read_once(Sleeper(), model="auto", mains_powered=False)
    assert info["interval"] == 24 * 60 * 60
    assert "battery" not in caplog.text
    hourly = Schedule(interval=timedelta(hours=1))
    info, _, _ = await read_once(Sleeper(), model="auto", mains_powered=False, interval=hourly)
    assert info["interval"] == 60 * 60
    assert "empties this meter's battery" in caplog.text


@pytest.mark.usefixtures("shortly_woken")
async def test_frequent_readings_of_a_uh50_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    hourly = Schedule(interval=timedelta(hours=1))
    await read_once(Sleeper(), model="uh50", interval=hourly, mains_powered=False)
    assert "empties this meter's battery" in caplog.text


class Pushing:
    """A meter of mode D: sends by itself, in tenths of a watt-hour; every third readout is damaged."""

    async def serve(self, line: EmulatedLine) -> None:
        for number in range(1000):
            energy = Decimal("4637.1246") + Decimal(number) / 10_000
            text = (
                f"/ESY5Q3DA1004\r\n\r\n1-0:1.8.0*255({energy:013.4f}*kWh)\r\n1-0:1.7.0*255(0.36*kW)\r\n!\r\n"
            )
            sent = text.replace("(000", "(900") if number % 3 == 2 else text
            await line.write(add_parity(sent.encode()))
            await asyncio.sleep(0.02)


async def test_a_meter_of_mode_d_is_listened_to() -> None:
    readings: list[Reading] = []
    async with on_pty(Pushing()) as port:
        reader = client(port, model="generic", mode="push", interval=SOON)
        done = asyncio.Event()

        async def publish(message: Message) -> None:
            if message["type"] == "reading":
                readings.append(message)
                if len(readings) == 4:
                    done.set()

        async with asyncio.TaskGroup() as group:
            task = group.create_task(reader.run(publish))
            async with asyncio.timeout(20):
                await done.wait()
            task.cancel()
    energies = [reading["measurements"]["active_energy_import"]["value"] for reading in readings]
    assert energies == sorted(energies)
    assert all(Decimal(4637) < Decimal(energy) < Decimal(4638) for energy in energies)


async def test_it_keeps_reading_and_reads_now_when_asked() -> None:
    messages: list[Message] = []
    async with on_pty(emulated()) as port:
        reader = client(port)
        arrived = asyncio.Event()

        async def publish(message: Message) -> None:
            messages.append(message)
            arrived.set()

        async with asyncio.TaskGroup() as group:
            task = group.create_task(reader.run(publish))
            async with asyncio.timeout(20):
                while len(messages) < 2:
                    arrived.clear()
                    await arrived.wait()
                reader.read_now()
                while len(messages) < 4:
                    arrived.clear()
                    await arrived.wait()
            task.cancel()
    assert [message["type"] for message in messages] == ["info", "reading"] * 2


async def test_a_port_that_goes_ends_the_run() -> None:
    meter = emulated()
    async with asyncio.TaskGroup() as group:
        async with on_tcp(meter) as port:
            arrived = asyncio.Event()

            async def publish(message: Message) -> None:
                arrived.set()

            async def run() -> ExplainedError:
                with pytest.raises(TransportError) as caught:
                    await client(f"socket://{port}").run(publish)
                return caught.value

            task = group.create_task(run())
            await arrived.wait()
        error = await task
    assert error.reason == "lost"


def test_settings_from_a_table() -> None:
    settings, problems = parse(
        Iec62056_21Settings,
        {"port": "/dev/ttyUSB0", "model": "multical_66c", "interval": "30min", "wake_up": "nul"},
        Place({}),
    )
    assert not problems
    assert settings is not None
    assert settings.interval == Schedule(interval=timedelta(minutes=30))
    assert (settings.line.baud, settings.line.bytesize, settings.line.parity) == (300, 7, "E")


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"model": "multical_66d"}, "multical_66c"),
        ({"registers": ["heat_energie"]}, "heat_energy"),
        # Names that people bring along are suggested, too.
        ({"registers": ["enrgy"]}, 'did you mean "energy"?'),
        ({"registers": ["flwo"]}, 'did you mean "flow"?'),
        ({"requests": ["#7"]}, "#1"),
        ({"energy_decimals": 3}, "energy_unit"),
        ({"wake_up": "yes"}, "nul"),
    ],
)
def test_settings_that_cannot_be_used(table: dict[str, Any], complaint: str) -> None:
    settings, problems = parse(Iec62056_21Settings, {"port": "/dev/ttyUSB0"} | table, Place({}))
    assert settings is None
    assert complaint in "\n".join(problems)


def test_energy_needs_unit_and_decimals_together() -> None:
    with pytest.raises(ValueError, match="energy_unit and energy_decimals"):
        Iec62056_21Settings(port="/dev/ttyUSB0", energy_decimals=2)


async def test_frequent_readings_of_a_battery_meter_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    reader = client("/nowhere", interval=SOON, mains_powered=False)

    async def publish(message: Message) -> None:
        raise AssertionError(message)

    with pytest.raises(TransportError):
        await reader.run(publish)
    assert "battery" in caplog.text


@pytest.mark.parametrize(
    ("settings", "distance"),
    [
        ({"model": "multical_66c"}, timedelta(minutes=5)),
        ({"model": "auto"}, timedelta(minutes=5)),
        ({"model": "uh50"}, timedelta(hours=1)),
        ({"model": "uh50", "read_now_distance": timedelta(minutes=20)}, timedelta(minutes=20)),
    ],
)
async def test_how_far_apart_requests_are_is_by_the_model(
    settings: dict[str, Any], distance: timedelta
) -> None:
    reader = client("/dev/null", mains_powered=False, **settings)
    assert reader.request_reading().taken
    assert f"less than {format_duration(distance)} ago" in reader.request_reading().detail


@pytest.mark.parametrize("settings", [{"model": "382"}, {"mode": "push"}, {"mains_powered": True}])
async def test_where_there_is_no_battery_requests_only_wait_for_each_other(settings: dict[str, Any]) -> None:
    reader = client("/dev/null", **({"mains_powered": False} | settings))
    assert reader.request_reading().taken
    assert reader.request_reading().reason == "under_way"


@pytest.mark.usefixtures("shortly_woken")
async def test_a_uh50_that_was_found_is_spared_as_one_that_was_set() -> None:
    *_, reader = await read_once(Sleeper(), model="auto", mains_powered=False)
    assert reader.request_reading().taken
    assert "less than 1h ago" in reader.request_reading().detail
