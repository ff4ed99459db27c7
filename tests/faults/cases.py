"""What happens in each row of docs/faults.md: which meter, which settings, which story."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, partial
from typing import Any

from smart_meter_reader.codecs.dlms.reader import DlmsReader
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.sml.describe import describe_capture
from smart_meter_reader.drivers import imported
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import EmulatedMeter, on_pty
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.dlms import emulator as dlms
from smart_meter_reader.meters.dlms.settings import DlmsSettings
from smart_meter_reader.meters.iec62056_21 import emulator as iec62056_21
from smart_meter_reader.meters.iec62056_21.settings import Iec62056_21Settings
from smart_meter_reader.meters.kmp import emulator as kamstrup
from smart_meter_reader.meters.kmp.settings import KamstrupSettings
from smart_meter_reader.meters.mbus import emulator as mbus
from smart_meter_reader.meters.mbus.settings import MbusSettings
from smart_meter_reader.meters.p1 import emulator as p1
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.meters.sml import emulator as sml
from smart_meter_reader.meters.sml.settings import SmlSettings
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.settings.schema import Secret
from tests.faults.meters import ByteByByte, DiesMidFrame, Nonsensical, Troubled
from tests.faults.rig import METER, Port, Shown, shown
from tests.faults.table import Row
from tests.peers.heard import Heard

SOON = Schedule(interval=timedelta(milliseconds=50))
KEY, AUTHENTICATION_KEY = bytes(range(16)), bytes(range(16, 32))

Story = Callable[[Port, Heard, Row, EmulatedMeter], Awaitable[None]]
MakeMeter = Callable[..., EmulatedMeter]


@dataclass(frozen=True, slots=True)
class Protocol:
    """One client: its settings for tests, its emulated meter, and the line that ser2net opens."""

    client: str
    settings_type: type[Any]
    settings: Mapping[str, Any]
    meter: MakeMeter
    line: str


@dataclass(frozen=True, slots=True)
class Case:
    """One row: ``faults`` as for `emulate --fault`; ``around`` puts the meter into other trouble."""

    protocol: Protocol
    faults: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    around: Callable[[EmulatedMeter], EmulatedMeter] = lambda meter: meter
    story: Story | None = None
    encrypted: bool = False
    reads_back: bool = False  # a sink takes a past, so that the meter's loggers are read
    by_the_way: frozenset[str] = frozenset()  # counters that rise or not, as chance has it

    def meter(self) -> EmulatedMeter:
        return self.around(self.protocol.meter(self.faults, encrypted=self.encrypted))

    def settings_for(self, url: str) -> Any:
        keys = {**self.protocol.settings, **self.settings, "port": url}
        return self.protocol.settings_type(**keys)


def _kamstrup_meter(faults: str, *, encrypted: bool) -> EmulatedMeter:
    rules = parse_faults([faults], kamstrup.FAULTS, with_subject=frozenset({"omit"}))
    # Time stands still: every true reading is the same one.
    return kamstrup.KamstrupMeter(faults=rules, reply_delay=0.0, rate=0.0)


def _iec_meter(faults: str, *, encrypted: bool) -> EmulatedMeter:
    rules = parse_faults([faults], iec62056_21.FAULTS)
    return iec62056_21.Iec62056Meter(faults=rules, reply_delay=0.0, rate=0.0)


def _mbus_meter(faults: str, *, encrypted: bool) -> EmulatedMeter:
    # Two telegrams, so that what goes wrong between them is seen too; time stands still.
    meters = [mbus.meter_of("supercal", address=1), mbus.meter_of("water", address=2)]
    rules = parse_faults([faults], mbus.FAULTS)
    return mbus.EmulatedBus(meters, faults=rules, reply_delay=0.0, rate=0.0)


# More than any test takes: of 384 runs the longest took 112, and each has its truth read of all of them.
_MOST_TELEGRAMS = 1000


@cache
def telegrams(dialect: str = "dsmr-5") -> tuple[bytes, ...]:
    """What the P1 meter sends when nothing is wrong."""
    meter = p1.P1Meter(dialect, interval=10.0)
    return tuple(meter.next_telegram() for _ in range(_MOST_TELEGRAMS))


def _p1_meter(faults: str, *, encrypted: bool, dialect: str = "dsmr-5") -> EmulatedMeter:
    return p1.P1Meter(
        recording=telegrams(dialect),
        faults=parse_faults([faults], p1.FAULTS),
        encryption=p1.Encryption(KEY, AUTHENTICATION_KEY) if encrypted else None,
        interval=0.03,
    )


@cache
def sml_telegrams(*, pin: bool = True) -> tuple[bytes, ...]:
    """What the German meter sends when nothing is wrong."""
    meter = sml.SmlMeter("iskra-mt631", interval=10.0, pin=pin)
    return tuple(meter.next_telegram() for _ in range(_MOST_TELEGRAMS))


def _sml_meter(faults: str, *, encrypted: bool, without_pin: int = 0) -> EmulatedMeter:
    return sml.SmlMeter(
        recording=(*sml_telegrams(pin=False)[:without_pin], *sml_telegrams()[without_pin:]),
        faults=parse_faults([faults], sml.FAULTS),
        interval=0.03,
    )


KAMSTRUP = Protocol(
    "kamstrup",
    KamstrupSettings,
    {
        "baud": 115_200,
        "answer_timeout": timedelta(milliseconds=400),
        "retries": 1,
        "interval": SOON,
        "mains_powered": True,
    },
    _kamstrup_meter,
    "1200n82",
)
IEC = Protocol(
    "iec62056_21",
    Iec62056_21Settings,
    {
        "model": "multical_66c",
        "baud": 19_200,
        "repeat_after": timedelta(milliseconds=400),
        "retries": 2,
        "interval": SOON,
        "mains_powered": True,
    },
    _iec_meter,
    "19200e72",
)
MBUS = Protocol(
    "mbus",
    MbusSettings,
    {
        "address": 1,
        "baud": 9600,
        "converter_delay": timedelta(milliseconds=350),
        "interval": SOON,
    },
    _mbus_meter,
    "9600e81",
)
DSMR = Protocol(
    "dsmr",
    DsmrSettings,
    # Far above what ser2net, a process of its own, may need for a telegram on a busy machine.
    {"baud": 115_200, "interval": timedelta(0), "timeout": timedelta(seconds=30)},
    _p1_meter,
    "115200n81",
)
SML = Protocol(
    "sml",
    SmlSettings,
    {"baud": 115_200, "interval": timedelta(0), "timeout": timedelta(seconds=30)},
    _sml_meter,
    "115200n81",
)
SML_WITHOUT_PIN = replace(SML, meter=partial(_sml_meter, without_pin=60))


@cache
def pushes(model: str = "kaifa-no", *, encrypted: bool = False) -> tuple[bytes, ...]:
    """What the emulated meter pushes when nothing is wrong."""
    keys = dlms.PushEncryption(KEY, AUTHENTICATION_KEY) if encrypted else None
    meter = dlms.DlmsMeter(model, encryption=keys)
    return tuple(meter.next_telegram() for _ in range(_MOST_TELEGRAMS))


def _dlms_meter(faults: str, *, encrypted: bool, model: str = "kaifa-no") -> EmulatedMeter:
    rules = parse_faults([faults], dlms.FAULTS)
    if not encrypted and "piece" not in faults and "repeat" not in faults:
        return dlms.DlmsMeter(recording=pushes(model), faults=rules, interval=0.03)
    keys = dlms.PushEncryption(KEY, AUTHENTICATION_KEY) if encrypted else None
    return dlms.DlmsMeter(model, encryption=keys, faults=rules, interval=0.03)


DLMS = Protocol(
    "dlms",
    DlmsSettings,
    {"baud": 115_200, "interval": timedelta(0), "timeout": timedelta(seconds=30)},
    _dlms_meter,
    "115200n81",
)
# General block transfer, and M-Bus framing: several frames in each telegram, encrypted as well.
DLMS_BLOCKS = replace(DLMS, meter=partial(_dlms_meter, model="e450-ch"))
DLMS_MBUS = replace(DLMS, meter=partial(_dlms_meter, model="kaifa-at"))
GIVES_UP = {"timeout": timedelta(seconds=2)}  # where the row says that the line is closed
# A meter that sends no checksum.
DSMR_2 = replace(DSMR, meter=partial(_p1_meter, dialect="dsmr-2.2"))
LEFT_OUT = frozenset({"rejected_values"})  # a text in which a byte is another one
KEYS = {"key": Secret(KEY.hex()), "authentication_key": Secret(AUTHENTICATION_KEY.hex())}


async def endured(port: Port, heard: Heard, row: Row, meter: EmulatedMeter) -> None:
    """Nothing is done about it; where all ends well, often enough for "now and then" to come."""
    await heard.until_state(*row.status)
    if row.status[-1] == "online":
        await heard.more_readings(8)


async def read_back(port: Port, heard: Heard, row: Row, meter: EmulatedMeter) -> None:
    """What the meter remembers comes as well, or it is told why not."""
    await heard.until_state(*row.status)
    if row.log:
        await heard.until(lambda: len(heard.log) >= len(row.log), "word of its loggers")
    else:
        await heard.until(
            lambda: {past["logger"] for past in heard.of("past")} >= {"month", "day", "hour"}, "past"
        )


async def pulled_out(port: Port, heard: Heard, row: Row, meter: EmulatedMeter) -> None:
    """The port goes while all is well, is missed, and comes back."""
    await heard.more_readings(2)
    await port.pull_out()
    await heard.until_state(*row.status[:-1])
    await port.plug_in()


async def dies_mid_frame(port: Port, heard: Heard, row: Row, meter: EmulatedMeter) -> None:
    """The port goes in the middle of a frame, and comes back."""
    assert isinstance(meter, DiesMidFrame)
    # A meter that sends by itself must not die before the service is there to hear it.
    await heard.more_readings(1)
    meter.dying.set()
    await meter.sent_half.wait()
    await port.pull_out()
    meter.revived.set()
    await heard.until_state(*row.status[:-1])
    await port.plug_in()


async def late_port(port: Port, heard: Heard, row: Row, meter: EmulatedMeter) -> None:
    """The service was there before the port (see the test, which plugs in none)."""
    await heard.until_state(*row.status[:-1])
    await port.plug_in()


async def trouble_passes(port: Port, heard: Heard, row: Row, meter: EmulatedMeter) -> None:
    """The trouble of a Troubled meter is over once it has been told."""
    assert isinstance(meter, Troubled)
    await heard.until_state(*row.status[:-1])
    meter.over.set()


def _every(**keys: Any) -> tuple[Case, ...]:
    return tuple(Case(protocol, **keys) for protocol in (KAMSTRUP, DSMR, IEC, SML, MBUS, DLMS))


def _reading_back(faults: str, story: Story | None = read_back) -> Case:
    """Between two live readings there is time for some of what the meter remembers."""
    pauses = {"interval": Schedule(interval=timedelta(seconds=3))}
    return Case(KAMSTRUP, faults, pauses, story=story, reads_back=True)


_MUTE = partial(Troubled, babbles=False)
_BABBLING = partial(Troubled, babbles=True)

_OF_ANY: Mapping[str, tuple[Case, ...]] = {
    "any-bytewise": _every(around=ByteByByte),
    "any-unplugged": _every(story=pulled_out),
    "any-server-gone": _every(story=pulled_out),
    "any-dies-mid-frame": _every(around=DiesMidFrame, story=dies_mid_frame),
    "any-server-dies-mid-frame": _every(around=DiesMidFrame, story=dies_mid_frame),
    "any-late-port": _every(story=late_port),
    "any-late-server": _every(story=late_port),
}
_OF_ONE: Mapping[str, Case] = {
    "kamstrup-hangs": Case(KAMSTRUP, around=_MUTE, story=trouble_passes),
    "kamstrup-babble": Case(KAMSTRUP, around=_BABBLING, story=trouble_passes),
    "kamstrup-crc": Case(KAMSTRUP, "crc:1/3"),
    "kamstrup-crc-always": Case(KAMSTRUP, "crc:6"),
    "kamstrup-drop": Case(KAMSTRUP, "drop:1/6"),
    "kamstrup-drop-always": Case(KAMSTRUP, "drop:6"),
    "kamstrup-noise": Case(KAMSTRUP, "noise"),
    "kamstrup-echo": Case(KAMSTRUP, "echo"),
    "kamstrup-echo-only": Case(KAMSTRUP, "echo,drop:6"),
    "kamstrup-late": Case(KAMSTRUP, "late:1"),
    "kamstrup-sleep": Case(KAMSTRUP, "sleep"),
    "kamstrup-omit": Case(KAMSTRUP, "omit:heat_energy"),
    "kamstrup-mute": Case(KAMSTRUP, "mute"),
    "kamstrup-stray": Case(KAMSTRUP, "stray"),
    "kamstrup-doze": Case(KAMSTRUP, "doze:1/6"),
    "kamstrup-log-doze": _reading_back("doze:1/6"),
    "kamstrup-log-surplus": _reading_back("surplus:1/3"),
    "kamstrup-log-cut": _reading_back("cut:1/3"),
    "kamstrup-log-shift": _reading_back("shift:1/3"),
    "kamstrup-log-memory": _reading_back("memory"),
    "kamstrup-log-reticent": _reading_back("reticent"),
    "kamstrup-log-empty": _reading_back("empty", story=None),
    "kamstrup-log-surplus-always": _reading_back("surplus", story=None),
    "iec-hangs": Case(IEC, around=_MUTE, story=trouble_passes),
    # A babbling line ends an attempt only after the longest answer: one is enough here.
    "iec-babble": Case(IEC, settings={"retries": 0}, around=_BABBLING, story=trouble_passes),
    "iec-drop": Case(IEC, "drop:1/5"),
    "iec-drop-always": Case(IEC, "drop:3"),
    "iec-noise": Case(IEC, "noise:1/3"),
    "iec-truncate": Case(IEC, "truncate:1/5"),
    "iec-truncate-always": Case(IEC, "truncate:3"),
    "iec-parity": Case(IEC, "parity:1/5"),
    "iec-digit": Case(IEC, "digit:1/5"),
    "iec-echo": Case(IEC, "echo"),
    "iec-echo-only": Case(IEC, "echo,drop:3"),
    "iec-slow": Case(IEC, "slow:1", {"repeat_after": timedelta(seconds=6)}),
    "iec-slower": Case(IEC, "slow:1"),
    "iec-sleep": Case(IEC, "sleep", {"wake_up": "nul"}),
    "mbus-hangs": Case(MBUS, around=_MUTE, story=trouble_passes),
    "mbus-babble": Case(MBUS, around=_BABBLING, story=trouble_passes),
    "mbus-drop": Case(MBUS, "drop:1/5"),
    "mbus-drop-always": Case(MBUS, "drop:4"),
    "mbus-echo": Case(MBUS, "echo"),
    "mbus-echo-only": Case(MBUS, "echo,drop:4"),
    "mbus-checksum": Case(MBUS, "checksum:1/4"),
    "mbus-checksum-always": Case(MBUS, "checksum:3"),
    "mbus-cut": Case(MBUS, "cut:1/4"),
    "mbus-collision": Case(MBUS, "collision:1/4"),
    "mbus-several": Case(MBUS, settings={"address": None}),
    "mbus-noise": Case(MBUS, "noise"),
    "mbus-fcb": Case(MBUS, "fcb"),
    "mbus-stale": Case(MBUS, "stale"),
    "mbus-slow": Case(MBUS, "slow:1"),
    "mbus-busy": Case(MBUS, "busy:1"),
    "mbus-busy-always": Case(MBUS, "busy:3"),
    "dsmr-hangs": Case(DSMR, settings=GIVES_UP, around=_MUTE, story=trouble_passes),
    "dsmr-babble": Case(DSMR, settings=GIVES_UP, around=_BABBLING, story=trouble_passes),
    "dsmr-crc": Case(DSMR, "crc:1/4"),
    "dsmr-headless-always": Case(DSMR, "headless:100", GIVES_UP),
    "dsmr-drop": Case(DSMR, "drop:1/4"),
    "dsmr-noise": Case(DSMR, "noise"),
    "dsmr-cut": Case(DSMR, "cut:1/4"),
    "dsmr-headless": Case(DSMR, "headless:1/4"),
    "dsmr-lose": Case(DSMR, "lose:1/4"),
    "dsmr-nul": Case(DSMR, "nul:1/4"),
    "dsmr-nonsense": Case(DSMR, around=Nonsensical),
    "dsmr-replay": Case(DSMR, "replay:1/4"),
    "dsmr-silence": Case(DSMR, "silence:1"),
    "dsmr-unchecked-bit": Case(DSMR_2, "crc:1/4", by_the_way=LEFT_OUT),
    "dsmr-unchecked-lose": Case(DSMR_2, "lose:1/4", by_the_way=LEFT_OUT),
    "dsmr-unchecked-cut": Case(DSMR_2, "cut:1/4"),
    "dsmr-unchecked-drop": Case(DSMR_2, "drop:1/4"),
    "dsmr-unchecked-replay": Case(DSMR_2, "replay:1/4"),
    "dsmr-encrypted-crc": Case(DSMR, "crc:1/4", KEYS, encrypted=True),
    "dsmr-encrypted-replay": Case(DSMR, "replay:1/4", KEYS, encrypted=True),
    "dsmr-no-key": Case(DSMR, encrypted=True),
    "dsmr-wrong-key": Case(DSMR, "", {**KEYS, "key": Secret("00" * 16)}, encrypted=True),
    "dsmr-wrong-authentication-key": Case(
        DSMR, "", {**KEYS, "authentication_key": Secret("00" * 16)}, encrypted=True
    ),
    "dsmr-not-encrypted": Case(DSMR, "", KEYS),
    "sml-crc": Case(SML, "crc:1/4"),
    "sml-crc-always": Case(SML, "crc:100", GIVES_UP),
    "sml-cut": Case(SML, "cut:1/4"),
    "sml-lose": Case(SML, "lose:1/4"),
    "sml-begin": Case(SML, "begin:1/4"),
    "sml-noise": Case(SML, "noise"),
    "sml-drop": Case(SML, "drop:1/4"),
    "sml-silence": Case(SML, "silence:1"),
    "sml-hangs": Case(SML, settings=GIVES_UP, around=_MUTE, story=trouble_passes),
    "sml-babble": Case(SML, settings=GIVES_UP, around=_BABBLING, story=trouble_passes),
    "sml-pin": Case(SML_WITHOUT_PIN),
    "dlms-hangs": Case(DLMS, settings=GIVES_UP, around=_MUTE, story=trouble_passes),
    "dlms-babble": Case(DLMS, settings=GIVES_UP, around=_BABBLING, story=trouble_passes),
    "dlms-crc": Case(DLMS, "crc:1/4"),
    "dlms-crc-always": Case(DLMS, "cut:100", GIVES_UP),
    "dlms-cut": Case(DLMS, "cut:1/4"),
    "dlms-lose": Case(DLMS, "lose:1/4"),
    "dlms-drop": Case(DLMS, "drop:1/4"),
    "dlms-noise": Case(DLMS, "noise"),
    "dlms-replay": Case(DLMS, "replay:1/4"),
    "dlms-silence": Case(DLMS, "silence:1"),
    "dlms-piece": Case(DLMS_BLOCKS, "piece:1/4"),
    "dlms-repeat": Case(DLMS_BLOCKS, "repeat:1/4"),
    "dlms-encrypted-crc": Case(DLMS_MBUS, "crc:1/4", KEYS, encrypted=True),
    "dlms-encrypted-replay": Case(DLMS_MBUS, "replay:1/4", KEYS, encrypted=True),
    "dlms-no-key": Case(DLMS_MBUS, encrypted=True),
    "dlms-wrong-key": Case(DLMS_MBUS, "", {**KEYS, "key": Secret("00" * 16)}, encrypted=True),
    "dlms-wrong-authentication-key": Case(
        DLMS_MBUS, "", {**KEYS, "authentication_key": Secret("00" * 16)}, encrypted=True
    ),
    "dlms-not-encrypted": Case(DLMS, "", KEYS),
    "dlms-not-p1": Case(DSMR, settings=GIVES_UP, around=lambda meter: _dlms_meter("", encrypted=False)),
}
CASES: Mapping[str, tuple[Case, ...]] = {**_OF_ANY, **{name: (case,) for name, case in _OF_ONE.items()}}


async def truth_of(protocol: Protocol) -> frozenset[Shown]:
    """Every value that the meter shows when nothing is wrong with it."""
    if protocol is DSMR:
        return frozenset(_shown_by_telegrams())
    if protocol.client == SML.client:
        return frozenset(_shown_by_sml())
    if protocol is DLMS:
        return frozenset(_shown_by_pushes())
    values: set[Shown] = set()

    async def keep(message: Message) -> None:
        if message["type"] == "reading":
            values.update(shown(message["measurements"]))

    async with on_pty(protocol.meter("", encrypted=False)) as port:
        settings = protocol.settings_type(**{**protocol.settings, "port": port})
        await imported(meter_driver(protocol.client).client)(METER, settings).run(keep, once=True)
    return frozenset(values)


def _shown_by_telegrams() -> Iterator[Shown]:
    reader = P1Reader(one_meter=False)
    for raw in (*telegrams(), *telegrams("dsmr-2.2")):
        reader.receive_data(raw)
        telegram = reader.next_telegram()
        assert telegram is not None
        yield from shown(telegram.measurements)
        for meter in telegram.meters.values():
            yield from shown(meter.measurements)


def _shown_by_sml() -> Iterator[Shown]:
    for reported in ("none", "PIN missing: only kWh", "pin_missing"):
        for key in ("info_code_text", "reported_problems"):
            yield from shown({key: {"value": reported, "unit": ""}})
    for raw in (*sml_telegrams(), *sml_telegrams(pin=False)[:60]):
        (telegram,) = describe_capture(raw)
        yield from shown(telegram["measurements"])


def _shown_by_pushes() -> Iterator[Shown]:
    for model in ("kaifa-no", "e450-ch", "kaifa-at"):
        reader = DlmsReader()
        for raw in pushes(model):
            reader.receive_data(raw)
            telegram = reader.next_telegram()
            assert telegram is not None
            yield from shown(telegram.measurements)
