"""What each emulated meter sends: made up, with the entries, widths and scalers of such meters' captures.

Sources: captures of libsml-testing and of SmlLib's tests, as tests/data/sml/captures.json names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from smart_meter_reader.codecs.sml.frame import Checksum

Shape = Literal["octets", "total", "net", "power", "voltage", "current", "frequency", "angle", "historic"]


@dataclass(frozen=True, slots=True)
class SentEntry:
    """One entry. ``share``: of the household's total or power, in percent; ``octets``: at least so wide."""

    code: str  # twelve hexadecimal digits
    shape: Shape
    scaler: int = 0
    share: int = 100
    octets: int = 1
    signed: bool = True
    status: int | None = None
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class SmlModel:
    """One model: who it says it is, and its entries in order. ``bare_time``: a number without choice."""

    server_id: bytes
    entries: tuple[SentEntry, ...]
    checksum: Checksum = "x25"
    bare_time: bool = False
    fault: Literal["", "unsigned"] = ""  # DZG's power


def _key() -> SentEntry:
    return SentEntry("8181c78205ff", "octets", text=bytes(range(0x30, 0x60)))


def _id(server_id: str, code: str = "0100600100ff") -> SentEntry:
    return SentEntry(code, "octets", text=bytes.fromhex(server_id))


def _maker(letters: bytes, code: str = "010060320101") -> SentEntry:
    return SentEntry(code, "octets", text=letters)


def _per_phase(
    codes: tuple[str, str, str], shape: Shape, scaler: int, octets: int = 1
) -> tuple[SentEntry, ...]:
    shares = (50, 20, 30)
    return tuple(
        SentEntry(code, shape, scaler, share, octets, signed=shape == "power")
        for code, share in zip(codes, shares, strict=True)
    )


_EMH, _ISKRA, _EASY = "06454d48010200000017", "0a0149534b0001000017", "09014553591100000017"
_DZG, _HOLLEY, _EBZ = "0a01445a470002816017", "0a01484c590200000017", "090145425a0100000017"

MODELS: Final[Mapping[str, SmlModel]] = MappingProxyType(
    {
        "iskra-mt631": SmlModel(
            bytes.fromhex(_ISKRA),
            (
                _maker(b"ISK"),
                _id(_ISKRA),
                SentEntry("0100010800ff", "total", -1, 100, 4, signed=False, status=0x1C0004),
                SentEntry("0100010801ff", "total", -1, 30, 2, signed=False),
                SentEntry("0100010802ff", "total", -1, 70, 4, signed=False),
                SentEntry("0100020800ff", "total", -1, 40, 4, signed=False, status=0x1C0004),
                SentEntry("0100100700ff", "net"),
            ),
        ),
        "emh-ehz": SmlModel(
            bytes.fromhex(_EMH),
            (
                _maker(b"EMH", "8181c78203ff"),
                _id(_EMH, "0100000009ff"),
                SentEntry("0100010800ff", "total", -1, 100, 5, status=0x182),
                SentEntry("0100010801ff", "total", -1, 100, 5),
                SentEntry("0100010802ff", "total", -1, 0, 5),
                SentEntry("01000f0700ff", "power", -1, 100, 4),
                _key(),
            ),
        ),
        "easymeter-q3a": SmlModel(
            bytes.fromhex(_EASY),
            (
                _maker(b"ESY", "8181c78203ff"),
                _id(_EASY, "0100000009ff"),
                SentEntry("0100010800ff", "total", -4, 100, 8, status=0x80),
                SentEntry("0100020800ff", "total", -4, 40, 8, status=0x80),
                SentEntry("0100100700ff", "net", -2, 100, 8),
                *_per_phase(("0100240700ff", "0100380700ff", "01004c0700ff"), "power", scaler=-2, octets=8),
                _key(),
                *_per_phase(("0100200700ff", "0100340700ff", "0100480700ff"), "voltage", scaler=-1, octets=2),
            ),
        ),
        "dzg-dvs74": SmlModel(
            bytes.fromhex(_DZG),
            (
                _maker(b"DZG"),
                _id(_DZG),
                SentEntry("0100010800ff", "total", -1, 100, 4, signed=False, status=0x1C0104),
                SentEntry("0100020800ff", "total", -1, 40, 4, signed=False),
                SentEntry("0100100700ff", "net", -2),
            ),
            fault="unsigned",
        ),
        "holley-dtz541": SmlModel(
            bytes.fromhex(_HOLLEY),
            (
                _maker(b"HLY"),
                _id(_HOLLEY),
                SentEntry("0100010800ff", "total", -1, 100, 4, signed=False, status=0x1C0104),
                SentEntry("0100020800ff", "total", -1, 40, 4, signed=False, status=0x1C0104),
                SentEntry("0100100700ff", "net", 0, 100, 2),
                *_per_phase(("0100200700ff", "0100340700ff", "0100480700ff"), "voltage", scaler=-1, octets=2),
                *_per_phase(("01001f0700ff", "0100330700ff", "0100470700ff"), "current", scaler=-2),
                SentEntry("0100510701ff", "angle", share=120, signed=False),
                SentEntry("0100510702ff", "angle", share=240, signed=False),
                SentEntry("01000e0700ff", "frequency", -1, signed=False),
                SentEntry("010001080060", "historic", 2, 1, signed=False),
                SentEntry("010001080064", "historic", 2, 100, signed=False),
                SentEntry("010000020000", "octets", text=b"1.02.007"),
            ),
            checksum="kermit",
            bare_time=True,
        ),
        "ebz-dd3": SmlModel(
            bytes.fromhex(_EBZ),
            (
                _maker(b"EBZ", "8181c78203ff"),
                _id(_EBZ, "0100000009ff"),
                SentEntry("0100010800ff", "total", -5, 100, 8, signed=False, status=0x10180),
                SentEntry("0100010801ff", "total", -5, 90, 8, signed=False),
                SentEntry("0100010802ff", "total", -5, 10, 8, signed=False),
                SentEntry("0100020800ff", "total", -5, 40, 8, signed=False, status=0x10180),
                SentEntry("0100100700ff", "net", -2, 100, 4),
                *_per_phase(("0100240700ff", "0100380700ff", "01004c0700ff"), "power", scaler=-2, octets=4),
            ),
        ),
    }
)
