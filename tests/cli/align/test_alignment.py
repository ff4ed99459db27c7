"""Aligning a head: each thing that can come back, and the words for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.cli.align.alignment import Tally, bar, watch
from smart_meter_reader.drivers import imported
from smart_meter_reader.emulators.faults import Fault
from smart_meter_reader.emulators.stream import EmulatedMeter, on_pty, on_tcp
from smart_meter_reader.exceptions import ProtocolError, TransportError
from smart_meter_reader.meters.head import Sign
from smart_meter_reader.meters.iec62056_21.emulator import Iec62056Meter
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from smart_meter_reader.meters.p1.emulator import P1Meter
from smart_meter_reader.meters.registry import meter_driver
from tests.peers.foreign_meter import ForeignMeter
from tests.peers.lines import Echo, Noise, Silent


async def signs(port: str, count: int, client: str = "kamstrup", address: str = "") -> list[Sign]:
    seen: list[Sign] = []
    await watch(
        imported(meter_driver(client).head)(port, address),
        Tally(),
        lambda tally, sign: seen.append(sign),
        count=count,
        seconds=60,
    )
    return seen


def multical(*faults: str) -> KamstrupMeter:
    return KamstrupMeter("403", faults=[Fault(fault) for fault in faults], reply_delay=0)


@pytest.mark.parametrize(
    ("meter", "sign"),
    [
        (multical(), Sign.CLEAN),
        (multical("echo"), Sign.CLEAN),
        (multical("crc"), Sign.DAMAGED),
        (multical("echo", "crc"), Sign.DAMAGED),
        (multical("drop"), Sign.NOTHING),
        (ForeignMeter(), Sign.CLEAN),
        (Echo(), Sign.ECHO),
        (Noise(), Sign.NOISE),
        (Silent(), Sign.NOTHING),
    ],
    ids=["clean", "echo", "damaged", "damaged-echo", "asleep", "foreign", "no-meter", "light", "cable"],
)
async def test_kmp_tells_what_comes_back(meter: EmulatedMeter, sign: Sign) -> None:
    async with on_pty(meter) as port:
        assert await signs(port, 1) == [sign]


@pytest.mark.parametrize(
    ("meter", "sign"),
    [
        (Iec62056Meter("multical_66c", reply_delay=0), Sign.CLEAN),
        (Echo(), Sign.ECHO),
        (Noise(b"/KAM\xff\x01"), Sign.DAMAGED),
        (Silent(), Sign.NOTHING),
    ],
    ids=["clean", "no-meter", "damaged", "cable"],
)
@pytest.mark.usefixtures("hurrying_loop")
async def test_the_sign_on_tells_what_comes_back(
    meter: EmulatedMeter, sign: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A line that babbles is otherwise heard for half a minute.
    monkeypatch.setattr("smart_meter_reader.meters.iec62056_21.sign_on._LONGEST", 1.0)
    async with on_pty(meter) as port:
        assert await signs(port, 1, "iec62056_21") == [sign]


async def test_a_meter_that_sends_by_itself_is_listened_to() -> None:
    """Logarex, EBZ: a sign-on is no use to them, and what they send at 9600 Bd is noise at 300."""
    async with on_pty(P1Meter(dialect="germany", interval=0.5)) as port:
        assert await signs(port, 2, "iec62056_21") == [Sign.PUSHED, Sign.PUSHED]
    tally = Tally()
    tally.add(Sign.PUSHED)
    assert (tally.clean, tally.rate) == (1, 1.0)
    assert "sent by the meter without a question" in tally.advice


@pytest.mark.parametrize(("address", "sign"), [("", Sign.CLEAN), ("63", Sign.CLEAN), ("64", Sign.NOTHING)])
async def test_the_address_is_asked_for(address: str, sign: Sign) -> None:
    async with on_pty(multical()) as port:
        assert await signs(port, 1, "kamstrup", address) == [sign]


async def test_what_is_no_address_of_kmp() -> None:
    with pytest.raises(ProtocolError, match="no address of KMP"):
        await signs("/dev/not-a-port", 1, "kamstrup", "12345678")


async def test_it_works_through_a_serial_server() -> None:
    async with on_tcp(multical()) as place:
        assert await signs(f"socket://{place}", 2) == [Sign.CLEAN, Sign.CLEAN]


async def test_it_stops_by_itself() -> None:
    seen: list[Sign] = []
    async with on_pty(multical()) as port:
        await watch(
            imported(meter_driver("kamstrup").head)(port),
            Tally(),
            lambda tally, sign: seen.append(sign),
            count=0,
            seconds=0.01,
        )
    assert seen == [Sign.CLEAN]


async def test_a_port_that_is_not_there_is_explained() -> None:
    with pytest.raises(TransportError) as raised:
        await signs("/dev/not-a-port", 1)
    assert raised.value.reason == "port_missing"


@pytest.mark.parametrize(
    ("history", "said"),
    [
        ([Sign.NOTHING], "check the cable"),
        ([Sign.CLEAN, Sign.ECHO], "press a key"),
        ([Sign.NOISE], "keep light off"),
        ([Sign.DAMAGED], "a little, lower"),
        ([Sign.DAMAGED, Sign.CLEAN], "a hair, lower"),
        ([Sign.NOTHING, Sign.CLEAN], "hold the head still"),
        ([Sign.NOTHING] + [Sign.CLEAN] * 10, "leave the head like this"),
    ],
)
def test_the_words_follow_the_last_answers(history: list[Sign], said: str) -> None:
    tally = Tally()
    for sign in history:
        tally.add(sign)
    assert said in tally.advice


@given(st.lists(st.sampled_from(Sign)))
def test_the_rate_is_of_the_last_ten_and_the_total_of_all(history: list[Sign]) -> None:
    tally = Tally()
    for sign in history:
        tally.add(sign)
    last = history[-10:]
    assert tally.requests == len(history)
    assert tally.clean == sum(sign.is_clean for sign in history)
    assert tally.rate == (sum(sign.is_clean for sign in last) / len(last) if last else 0)
    assert bool(tally.advice) == bool(history)


@given(st.floats(0, 1))
def test_the_bar_keeps_its_length(share: float) -> None:
    assert len(bar(share)) == len(bar(0)) == 22
    assert bar(share).count("#") == round(share * 20)
