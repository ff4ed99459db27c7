"""The emulated models that push DLMS: what each sends how often, in which frames, on which line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.dlms.framing.joining import LLC, encode_blocks
from smart_meter_reader.codecs.dlms.framing.mbus_frame import encode_mbus
from smart_meter_reader.meters.dlms.emulated_lists import (
    PushingHousehold,
    aidon_list,
    austria_list,
    iskra_slovenia_list,
    kaifa_list,
    kamstrup_denmark_list,
    kamstrup_list,
    swiss_list,
    xt211_list,
)
from smart_meter_reader.meters.dlms.lines import KAMSTRUP_LINE, MBUS_LINE, RS485_LINE, SOCKET_LINE
from smart_meter_reader.transport import LineSettings


def _in_hdlc(apdu: bytes, destination: bytes, source: bytes) -> list[bytes]:
    return [encode_hdlc(LLC + apdu, destination=destination, source=source)]


def _in_segments(apdu: bytes) -> list[bytes]:
    information, size = LLC + apdu, 153
    pieces = [information[begin : begin + size] for begin in range(0, len(information), size)]
    return [
        encode_hdlc(
            piece,
            destination=b"\xcf",
            source=b"\x02\x23",
            control=0x13 if number == len(pieces) else 0x03,
            segmented=number < len(pieces),
        )
        for number, piece in enumerate(pieces, 1)
    ]


def _in_blocks(apdu: bytes) -> list[bytes]:
    blocks = encode_blocks(apdu, 112)
    return [
        encode_hdlc((b"" if number else LLC) + block, destination=b"\xce\xff", source=b"\x03")
        for number, block in enumerate(blocks)
    ]


def _in_mbus(apdu: bytes, longest: int = 245) -> list[bytes]:
    pieces = [apdu[begin : begin + longest] for begin in range(0, len(apdu), longest)]
    return [encode_mbus(piece, number, last=number == len(pieces) - 1) for number, piece in enumerate(pieces)]


MakeList = Callable[[PushingHousehold], bytes]
Framing = Callable[[bytes], list[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PushingModel:
    """One model: its line, its list every ``interval`` seconds, and maybe another in ``every``-th place."""

    line: LineSettings
    interval: float
    make: MakeList
    frame: Framing
    hourly: MakeList | None = None
    every: int = 360
    title: bytes = b""  # of meters that can encrypt


def _frame_as(destination: bytes, source: bytes) -> Framing:
    return lambda apdu: _in_hdlc(apdu, destination, source)


_NORDIC = _frame_as(b"\x41", b"\x08\x83")
_HAN_NVE = _frame_as(b"\x2b", b"\x21")
_NORWAY, _SWEDEN = b"6841121BN243101040", b"6841131BN245101092"

MODELS: Final[Mapping[str, PushingModel]] = MappingProxyType(
    {
        "aidon-no": PushingModel(
            line=MBUS_LINE,
            interval=10,
            make=lambda home: aidon_list(home, hourly=False),
            hourly=lambda home: aidon_list(home, hourly=True),
            frame=_NORDIC,
        ),
        "kaifa-no": PushingModel(
            line=MBUS_LINE,
            interval=10,
            make=lambda home: kaifa_list(home, hourly=False),
            hourly=lambda home: kaifa_list(home, hourly=True),
            frame=_frame_as(b"\x01", b"\x02\x01"),
        ),
        "kamstrup-no": PushingModel(
            line=KAMSTRUP_LINE,
            interval=10,
            make=lambda home: kamstrup_list(home, 10, _NORWAY, hourly=False),
            hourly=lambda home: kamstrup_list(home, 10, _NORWAY, hourly=True),
            frame=_HAN_NVE,
        ),
        "kamstrup-se": PushingModel(
            line=KAMSTRUP_LINE,
            interval=10,
            make=lambda home: kamstrup_list(home, 1, _SWEDEN, hourly=False),
            hourly=lambda home: kamstrup_list(home, 1, _SWEDEN, hourly=True),
            frame=_HAN_NVE,
        ),
        # A type number that no table has, and counters in Wh: ten times too high, and nothing says so.
        "kamstrup-unknown": PushingModel(
            line=KAMSTRUP_LINE,
            interval=10,
            make=lambda home: kamstrup_list(home, 1, b"6841131BN249101001", hourly=False),
            hourly=lambda home: kamstrup_list(home, 1, b"6841131BN249101001", hourly=True),
            frame=_HAN_NVE,
            every=18,
        ),
        "kamstrup-dk": PushingModel(
            line=KAMSTRUP_LINE,
            interval=10,
            make=lambda home: kamstrup_denmark_list(home, hourly=False),
            frame=_frame_as(b"\x41", b"\x03"),
            title=b"KAM\x45\0\0\0\x11",
        ),
        "kaifa-at": PushingModel(
            line=MBUS_LINE, interval=5, make=austria_list, frame=_in_mbus, title=b"KFM\x67\0\0\0\x09"
        ),
        "sagemcom-at": PushingModel(
            line=MBUS_LINE,
            interval=5,
            make=austria_list,
            frame=lambda apdu: _in_mbus(apdu, 252),  # 257 octets, of which the length octet says 01
            title=b"SAG\x59\0\0\0\x36",
        ),
        "e450-ch": PushingModel(
            line=MBUS_LINE,
            interval=5,
            make=lambda home: swiss_list(home, b"LGZ1030600000021", 10),
            frame=_in_blocks,
            title=b"LGZ\x67\0\0\0\x21",
        ),
        "am550-ch": PushingModel(
            line=SOCKET_LINE,
            interval=10,
            make=lambda home: swiss_list(home, b"ISK1030700000030", 1),
            frame=_in_segments,
            title=b"ISK\x74\0\0\0\x30",
        ),
        "am550-si": PushingModel(
            line=SOCKET_LINE,
            interval=5,
            make=lambda home: iskra_slovenia_list(home, hourly=False),
            hourly=lambda home: iskra_slovenia_list(home, hourly=True),
            frame=_frame_as(b"\xcf", b"\x02\x23"),
            every=180,
        ),
        "xt211-cz": PushingModel(line=RS485_LINE, interval=60, make=xt211_list, frame=lambda apdu: [apdu]),
    }
)
"""By maker or model and country."""
