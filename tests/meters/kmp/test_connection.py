"""Conversations with emulated meters over real ptys, TCP and ser2net: every fault, every way to fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from smart_meter_reader.codecs.kmp import GetRegisterRequest, GetSerialNoResponse, encode_response
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import EmulatedLine, on_pty, on_tcp
from smart_meter_reader.exceptions import ExplainedError, LostError, ProtocolError, TransportError
from smart_meter_reader.meters.kmp.connection import KmpConnection, Timing
from smart_meter_reader.meters.kmp.emulator import FAULTS, KamstrupMeter
from smart_meter_reader.meters.kmp.identity import read_identity
from smart_meter_reader.transport import LineSettings, Transport, open_transport, opening_by
from tests.peers.foreign_meter import RECORDS, ForeignMeter, frame, unstuffed
from tests.peers.ser2net import ser2net

pytestmark = pytest.mark.usefixtures("hurrying_loop")

EIGHT = (60, 68, 74, 80, 86, 87, 89, 99)
FAST = LineSettings(115_200, 8, "N", 2)
QUICK = Timing(first_answer=0.15, answer=0.3, gap=0.06, quiet=0.01, late=0.3, slow_answer=0.6)
# For meters that answer all: a busy machine hands bytes on late, which the loop's clock does not see, and
# a repeat would be one request more.
PATIENT = Timing(first_answer=30, answer=30, gap=30, late=30)


def meter(*faults: str, seed: int = 1) -> KamstrupMeter:
    return KamstrupMeter(
        faults=parse_faults(faults, FAULTS, with_subject=frozenset({"omit"})), seed=seed, reply_delay=0.0
    )


def connection(port: str, retries: int = 3, timing: Timing = QUICK) -> KmpConnection:
    return KmpConnection(port, FAST, timing=timing, retries=retries)


def register_requests(emulated: KamstrupMeter) -> list[Sequence[int]]:
    return [request.registers for request in emulated.asked if isinstance(request, GetRegisterRequest)]


async def test_eight_registers_are_one_frame() -> None:
    emulated = meter()
    async with on_pty(emulated) as path, connection(path, timing=PATIENT) as line:
        answered = await line.read_registers(EIGHT)
    assert list(answered) == list(EIGHT)
    assert answered[60].unit == "GJ"
    assert isinstance(answered[60].value, Decimal)
    assert register_requests(emulated) == [EIGHT]
    assert line.counters.retries == line.counters.damaged_frames == line.counters.skipped_bytes == 0


async def test_all_registers_take_the_fewest_frames() -> None:
    emulated = meter()
    wanted = sorted(emulated._values.registers)
    async with on_pty(emulated) as path, connection(path, timing=PATIENT) as line:
        answered = await line.read_registers(wanted)
    assert sorted(answered) == wanted
    sizes = [len(ids) for ids in register_requests(emulated)]
    assert len(sizes) == -(-len(wanted) // 8)
    assert max(sizes) - min(sizes) <= 1


async def test_identity_comes_from_type_and_serial_number() -> None:
    emulated = KamstrupMeter("601", reply_delay=0.0)
    async with on_pty(emulated) as path, connection(path, timing=PATIENT) as line:
        identity = await read_identity(line)
    assert identity.model.startswith("MULTICAL 601")
    assert identity.firmware == "F1"
    assert identity.serial_number.isdecimal()
    assert emulated.counts.requests == 2


@pytest.mark.parametrize(
    ("fault", "seed"),
    [
        *product(
            ["crc:1", "crc:2", "drop:1", "drop:2", "noise", "echo", "sleep:1", "stray", "crc:1/2"], range(3)
        ),
        ("late:1", 0),
    ],
)
async def test_a_passing_fault_leaves_the_reading_complete(fault: str, seed: int) -> None:
    clean, faulty = meter(seed=seed), meter(fault, seed=seed)
    async with on_pty(clean) as path, connection(path) as line:
        expected = await line.read_registers(EIGHT)
    async with on_pty(faulty) as path, connection(path, retries=8) as line:
        answered = await line.read_registers(EIGHT)
        assert await line.read_serial_number() == clean._values.serial_number
        again = await line.read_registers([1001])
    assert list(answered) == list(EIGHT)
    assert answered[60] == expected[60]  # the emulated clock has hardly moved
    assert list(again) == [1001]


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (["drop"], "no_echo_no_answer"),
        (["drop", "echo"], "echo_only"),
        (["crc"], "damaged_answers"),
        (["crc", "echo", "noise"], "damaged_answers"),
    ],
)
async def test_a_lasting_fault_is_named(faults: list[str], reason: str) -> None:
    async with on_pty(meter(*faults)) as path, connection(path, retries=2) as line:
        with pytest.raises(ExplainedError) as caught:
            await line.read_registers(EIGHT)
    assert caught.value.reason == reason
    assert line.counters.requests == 3
    assert line.counters.retries == 2


async def test_retries_are_bounded() -> None:
    emulated = meter("drop")
    async with on_pty(emulated) as path, connection(path, retries=0) as line:
        with pytest.raises(TransportError):
            await line.read_serial_number()
    assert emulated.counts.requests == 1


async def test_an_unknown_register_is_missing_from_the_answer() -> None:
    async with on_pty(meter("omit:power")) as path, connection(path) as line:
        assert list(await line.read_registers([60, 80, 4711, 68])) == [60, 68]
        assert await line.read_registers([4711]) == {}


async def test_a_meter_of_other_make_is_read_without_type_and_serial_commands() -> None:
    foreign = ForeignMeter(delay=0.05)
    async with on_pty(foreign) as path, connection(path) as line:
        identity = await read_identity(line)
        answered = await line.read_registers([60, 68, 80, 74])
    assert identity.serial_number == "80000000"
    assert identity.model == ""
    assert {key: (str(entry.value), entry.unit) for key, entry in answered.items()} == {
        60: ("55.006", "MWh"),
        68: ("1917.60", "m³"),
        80: ("-200", "W"),
    }


async def test_a_register_that_silences_the_meter_is_found_and_left_out() -> None:
    foreign = ForeignMeter(deadly=frozenset({74}))
    async with on_pty(foreign) as path, connection(path, retries=1) as line:
        await line.read_registers([60])
        answered = await line.read_registers([60, 68, 74, 80, 1001])
    assert list(answered) == [60, 68, 80, 1001]


async def test_a_register_that_may_be_lacking_costs_one_request_where_it_silences_the_meter() -> None:
    foreign = ForeignMeter(deadly=frozenset({369}))
    async with on_pty(foreign) as path, connection(path) as line:
        await line.read_registers([60])
        answered = await line.read_registers([68, 80, 369], doubtful={369})
    assert list(answered) == [68, 80]
    assert len(foreign.asked) == 1 + 2


async def test_a_register_that_may_be_lacking_is_read_of_a_meter_that_was_asleep() -> None:
    emulated = meter("sleep")
    async with on_pty(emulated) as path, connection(path) as line:
        answered = await line.read_registers([60, 68, 369], doubtful={369})
        assert list(answered) == [60, 68, 369]
        await line.read_registers([60, 68, 369], doubtful={369})
    assert register_requests(emulated) == [(60, 68, 369), (60, 68), (369,), (60, 68, 369)]


async def test_a_damaged_answer_says_nothing_of_what_may_be_lacking() -> None:
    emulated = meter("crc:1")
    async with on_pty(emulated) as path, connection(path) as line:
        answered = await line.read_registers([60, 68, 369], doubtful={369})
    assert list(answered) == [60, 68, 369]
    assert register_requests(emulated) == [(60, 68, 369)] * 2


async def test_a_meter_that_falls_silent_altogether_is_not_asked_for_every_register() -> None:
    foreign = ForeignMeter(deadly=frozenset(EIGHT))
    async with on_pty(foreign) as path, connection(path, retries=1) as line:
        await line.read_registers([1001])
        with pytest.raises(TransportError, match="no echo and no answer"):
            await line.read_registers(EIGHT)
    assert len(foreign.asked) == 1 + 2 + 2


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one() -> None:
    """Two polls at once: an answer to the first is still under way when the second begins."""

    class Slow(ForeignMeter):
        """Counts its answers in register 60 and takes 0.2 s for the first."""

        def _answer(self, content: bytes) -> bytes:
            answer = super()._answer(content)
            self._delay = 0.2 if len(self.asked) == 1 else 0.0
            return answer

    slow = Slow()
    async with on_pty(slow) as path, connection(path) as line:
        await line.read_registers([60])
        first = len(slow.asked)
        await line.read_registers([60])
        # By then every earlier answer had come in and was thrown away: one question, one answer.
        assert len(slow.asked) == max(first, 2) + 1
    assert line.counters.retries == 1


async def test_one_byte_at_a_time_is_an_answer_too() -> None:
    async with on_pty(meter(), line=LineSettings(9600, 8, "N", 2)) as path, connection(path) as line:
        assert len(await line.read_registers(EIGHT)) == 8


class Moody:
    """Answers byte by byte; each answer has the records that are next."""

    def __init__(self, *records: bytes) -> None:
        self._records = list(records)

    async def serve(self, line: EmulatedLine) -> None:
        while await line.read():
            if self._records:
                await line.write(frame(0x40, b"\x3f\x10" + self._records.pop(0)))


async def test_an_answer_may_be_longer_or_shorter_than_the_last_one() -> None:
    both, plain = RECORDS[60] + RECORDS[68], bytes.fromhex("003c 03 04 43 00000000")
    stuffed = bytes.fromhex("003c 03 04 43 06060606")
    moody = Moody(plain, both, plain, both, stuffed, plain, b"", both)
    async with (
        on_pty(moody, line=LineSettings(2400, 8, "N", 2)) as path,
        KmpConnection(path, LineSettings(2400, 8, "N", 2), timing=PATIENT, retries=0) as line,
    ):
        answers = [list(await line.read_registers([60, 68])) for _ in range(8)]
    assert answers == [[60], [60, 68], [60], [60, 68], [60], [60], [], [60, 68]]


class Pieces:
    """Counts the bytes of an answer, and in how many pieces they are read."""

    def __init__(self) -> None:
        self.count = self.octets = 0

    def sent(self, payload: bytes) -> None:
        self.count = self.octets = 0

    def received(self, payload: bytes) -> None:
        self.count += 1
        self.octets += len(payload)

    def line_changed(self, line: LineSettings) -> None:
        pass


async def test_most_of_an_answer_is_not_read_byte_by_byte() -> None:
    pieces = Pieces()

    async def open_tapped(port: str, line: LineSettings, seconds: float) -> Transport:
        transport = await open_transport(port, line, connect_timeout=seconds)
        transport.tap = pieces
        return transport

    slow = LineSettings(2400, 8, "N", 2)
    async with on_pty(meter(), line=slow) as path:
        with opening_by(open_tapped):
            async with KmpConnection(path, slow, timing=PATIENT, retries=0) as line:
                assert len(await line.read_registers(EIGHT)) == 8
    assert pieces.count * 2 < pieces.octets


async def test_an_answer_that_lacks_most_registers_is_read_all_the_same() -> None:
    slow = LineSettings(1200, 8, "N", 2)
    async with (
        on_pty(Moody(RECORDS[60], RECORDS[60]), line=slow) as path,
        KmpConnection(path, slow, timing=PATIENT, retries=0) as line,
    ):
        answers = [await line.read_registers(EIGHT) for _ in range(2)]
        assert line.counters.damaged_frames == 0
    assert [list(answer) for answer in answers] == [[60], [60]]


async def test_a_stray_start_byte_does_not_hide_the_answer_that_follows() -> None:
    class Stutters(ForeignMeter):
        async def serve(self, line: EmulatedLine) -> None:
            for stray in (b"", b"\x40", b"\x40\x40"):
                await line.read()
                await line.write(stray)
                await asyncio.sleep(0.1)
                await line.write(frame(0x40, b"\x3f\x10" + RECORDS[60]))

    # The pause is longer than the gap that ends an answer, and nothing else is in a hurry.
    timing = replace(PATIENT, gap=QUICK.gap, quiet=QUICK.quiet)
    async with on_pty(Stutters()) as path, connection(path, retries=0, timing=timing) as line:
        assert [list(await line.read_registers([60])) for _ in range(3)] == [[60]] * 3


async def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    class BreaksOffOnce(ForeignMeter):
        async def serve(self, line: EmulatedLine) -> None:
            for length in (None, 5, None):
                await line.read()
                await line.write(frame(0x40, b"\x3f\x10" + RECORDS[60])[:length])

    async with on_pty(BreaksOffOnce()) as path, connection(path) as line:
        assert [list(await line.read_registers([60])) for _ in range(2)] == [[60], [60]]
        assert line.counters.retries == 1


class Trickle:
    """Answers byte by byte, with pauses that make the answer longer than a fast line would."""

    async def serve(self, line: EmulatedLine) -> None:
        await line.read()
        for byte in frame(0x40, b"\x3f\x10" + RECORDS[60] + RECORDS[68]):
            await line.write(bytes([byte]))
            await asyncio.sleep(0.02)


async def test_an_answer_in_pieces_may_take_its_time() -> None:
    timing = replace(QUICK, gap=PATIENT.gap)  # its pauses, however long they become on a busy computer
    async with on_pty(Trickle()) as path, connection(path, retries=0, timing=timing) as line:
        assert list(await line.read_registers([60, 68])) == [60, 68]


class DamagedEcho(ForeignMeter):
    """A head that returns every request damaged, and a meter that hears nothing until it has answered."""

    async def serve(self, line: EmulatedLine) -> None:
        answering: asyncio.Task[None] | None = None
        while received := await line.read():
            await line.write(b"\x00" + received[1:])
            if answering is None or answering.done():
                answering = asyncio.create_task(self._reply(received, line))

    async def _reply(self, received: bytes, line: EmulatedLine) -> None:
        await asyncio.sleep(0.14)
        await line.write(self._answer(unstuffed(received)))


async def test_an_echo_that_is_always_damaged_does_not_use_up_the_repeats() -> None:
    foreign = DamagedEcho()
    async with on_pty(foreign) as path, connection(path) as line:
        assert list(await line.read_registers([60, 68])) == [60, 68]
        assert list(await line.read_registers([80, 60])) == [80, 60]


async def test_the_late_answer_to_a_smaller_request_is_not_taken_for_an_incomplete_one() -> None:
    class Slow(ForeignMeter):
        """Takes 0.2 s for the first answer, so that the request is repeated, and 0.05 s for the repeat."""

        def _answer(self, content: bytes) -> bytes:
            answer = super()._answer(content)
            self._delay = {1: 0.2, 2: 0.05}.get(len(self.asked), 0.0)
            return answer

    async with on_pty(Slow()) as path, connection(path) as line:
        await line.read_registers([1001])
        assert list(await line.read_registers([60, 1001, 68])) == [60, 1001, 68]


async def test_a_meter_that_is_always_late_is_read_with_few_repeats() -> None:
    foreign = ForeignMeter(delay=0.4)
    async with on_pty(foreign) as path, connection(path) as line:
        assert (await read_identity(line)).serial_number == "80000000"
        for _ in range(3):
            assert list(await line.read_registers([60, 68])) == [60, 68]
            assert list(await line.read_registers([80])) == [80]
        learnt = line.counters.requests
        assert list(await line.read_registers([60, 68])) == [60, 68]
    assert line.counters.requests == learnt + 1


async def test_tcp_and_ser2net_carry_the_conversation(tmp_path: Path) -> None:
    async with on_tcp(meter()) as place, connection(f"socket://{place}") as line:
        assert len(await line.read_registers(EIGHT)) == 8
    for scheme, accepter in (("socket", "tcp"), ("rfc2217", "telnet(rfc2217),tcp")):
        async with (
            on_pty(meter("echo", "noise")) as path,
            ser2net(path, tmp_path, accepter=accepter) as place,
            connection(f"{scheme}://{place}") as line,
        ):
            assert len(await line.read_registers(EIGHT)) == 8


async def test_a_listener_that_never_answers_is_told_as_silence() -> None:
    async with on_tcp(meter("drop")) as place, connection(f"socket://{place}") as line:
        with pytest.raises(TransportError) as caught:
            await line.read_registers(EIGHT)
    assert caught.value.reason == "no_echo_no_answer"
    assert "serial server" in caught.value.detail


class HalfAnAnswer:
    """Hangs up in the middle of its answer."""

    async def serve(self, line: EmulatedLine) -> None:
        await line.read()
        await line.write(b"\x40\x3f\x10\x00\x3c")


class Babble:
    """Sends noise without an end."""

    async def serve(self, line: EmulatedLine) -> None:
        while True:
            await line.write(b"\x55\xaa")
            await asyncio.sleep(0.005)


async def test_a_peer_that_dies_in_the_middle_of_a_frame_is_lost() -> None:
    async with on_tcp(HalfAnAnswer()) as place, connection(f"socket://{place}") as line:
        with pytest.raises(LostError) as caught:
            await line.read_registers(EIGHT)
    assert caught.value.reason == "lost"


class LeavesInTheSearch:
    """Answers one register, not eight, and hangs up when it is asked for four of them."""

    async def serve(self, line: EmulatedLine) -> None:
        await line.read()
        await line.write(encode_response(GetSerialNoResponse(12345678)))
        await line.read()
        await line.read()


async def test_a_port_that_goes_while_fewer_registers_are_asked_for_is_lost_and_not_silent() -> None:
    async with on_tcp(LeavesInTheSearch()) as place, connection(f"socket://{place}", retries=0) as line:
        assert await line.read_serial_number() == 12345678
        with pytest.raises(LostError):
            await line.read_registers(EIGHT)


async def test_babble_does_not_keep_a_request_waiting_for_ever() -> None:
    async with on_pty(Babble()) as path, connection(path, retries=1) as line, asyncio.timeout(10):
        with pytest.raises(ProtocolError) as caught:
            await line.read_registers(EIGHT)
    assert caught.value.reason == "damaged_answers"


async def test_a_connection_that_is_not_open_says_so() -> None:
    with pytest.raises(TransportError, match="async with"):
        await KmpConnection("/dev/null").read_registers([60])
