"""An emulated P1 meter: a telegram at every tick, with faults on demand.

Time and registers run: a telegram differs from all before it. A recording is sent telegram by telegram in a
circle.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.p1.encode import Algorithm, encode_telegram, encrypt_telegram
from smart_meter_reader.codecs.p1.encryption.header import find_header
from smart_meter_reader.emulators.faults import Fault
from smart_meter_reader.emulators.pushing import LOAD_CHANGES, PushingMeter
from smart_meter_reader.meters.p1.emulated_telegrams import EXTRA, INTERVALS, TEMPLATES, WITHOUT_CHECKSUM

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "crc": "one bit of the telegram is turned over",
        "drop": "the telegram is not sent",
        "noise": "random bytes and a 00 come before the telegram",
        "cut": "the second half of the telegram is not sent",
        "headless": "the first line of the telegram is not sent",
        "lose": "one byte in the middle is not sent",
        "nul": "NULs come inside the telegram",
        "replay": "the telegram before comes again",
        "silence": "nothing is sent for three ticks",
    }
)

_ENERGY = re.compile(rb"(1-[01]:[12]\.8\.[0-4](?:\*255)?)\(([0-9]{1,12})(\.?)([0-9]{0,8})\*")
_POWER = re.compile(rb"(1-[01]:(?:[1246]?1|[12])\.7\.0(?:\*255)?)\(([0-9]{1,12})(\.?)([0-9]{0,8})\*(k?W)\)")
_VOLTAGE = re.compile(rb"([357]2\.7\.0)\(([0-9]{1,12})(\.?)([0-9]{0,8})\*V\)")


@dataclass(frozen=True, slots=True)
class Encryption:
    """With what the meter encrypts. No part of it is ever printed."""

    key: bytes
    authentication_key: bytes
    system_title: bytes = b"SAG5\x00\x01\x23\x45"
    first_counter: int = 1

    def __repr__(self) -> str:
        return f"Encryption({self.system_title!r}, keys hidden)"


class P1Meter(PushingMeter):
    """One emulated meter. ``interval``: seconds from one telegram to the next, by the dialect if None."""

    def __init__(
        self,
        dialect: str = "dsmr-5",
        *,
        recording: Sequence[bytes] = (),
        encryption: Encryption | None = None,
        faults: Sequence[Fault] = (),
        interval: float | None = None,
        seed: int = 0,
    ) -> None:
        own = INTERVALS[dialect] if interval is None else interval
        super().__init__(own, recording=recording, faults=faults, seed=seed)
        self._dialect = dialect
        self._encryption = encryption
        self._watts = 400
        self._started = datetime.now(UTC)
        self._before = b""

    def next_telegram(self) -> bytes:
        """What goes over the line at the next tick; b"" for nothing."""
        telegram = self._recorded() if self._recording else self._made()
        self._count += 1
        if self._encryption is not None:
            counter = self._encryption.first_counter + self._count - 1
            telegram = encrypt_telegram(
                telegram,
                self._encryption.key,
                self._encryption.authentication_key,
                self._encryption.system_title,
                counter,
            )
        sent = self._spoil(telegram)
        self._before = telegram
        return sent

    def _made(self) -> bytes:
        now = self._started + timedelta(seconds=self._count * self._interval)
        self._watts = _next_load(self._watts, self._random)
        covered = _advance(TEMPLATES[self._dialect], now, self._count, self._watts, self._random)
        algorithm: Algorithm = "none" if self._dialect in WITHOUT_CHECKSUM else "arc"
        return encode_telegram(covered, algorithm) + EXTRA.get(self._dialect, b"")

    def _spoil(self, telegram: bytes) -> bytes:
        """The telegram as the faults leave it."""
        if self._is_kept_back():
            return b""
        strike = self._faults.strike
        if strike("replay") and self._before:
            telegram = self._before
        middle = self._faults.random.randrange(1, len(telegram) - 1)
        telegram = self._damaged(telegram, middle)
        if strike("nul"):
            telegram = telegram[:middle] + b"\0\0" + telegram[middle:]
        telegram = self._cut(telegram)
        if strike("headless"):
            telegram = telegram[telegram.find(b"\n") + 1 :]
        return self._behind_noise(telegram)


def _next_load(watts: int, random: Random) -> int:
    """What a household takes: it wavers, and now and then somebody boils water or stops doing so."""
    if random.random() < LOAD_CHANGES:
        return 200 + random.randrange(3000)
    return max(100, watts * random.randrange(97, 104) // 100)


def _advance(template: bytes, now: datetime, count: int, watts: int, random: Random) -> bytes:
    """The template ``count`` telegrams later: clock, energies, powers and voltages have moved."""
    # Standard time all year, as W says: an emulated meter needs no zone.
    stamp = (now + timedelta(hours=1)).strftime("%y%m%d%H%M%SW").encode()

    def energy(match: re.Match[bytes]) -> bytes:
        code, before, point, after = match.groups()
        value = int(before + after)
        # A register that never counted stays at zero; the others rise from telegram to telegram.
        return code + b"(" + _digits(value and value + count, before, point, after) + b"*"

    def power(match: re.Match[bytes]) -> bytes:
        code, before, point, after, unit = match.groups()
        if code[4:].startswith((b"2.", b"22.", b"42.", b"62.")):
            return match[0]
        value = watts if code[4:].startswith(b"1.") else watts // 3
        scaled = value * 10 ** len(after) // (1000 if unit == b"kW" else 1)
        return code + b"(" + _digits(scaled, before, point, after) + b"*" + unit + b")"

    def voltage(match: re.Match[bytes]) -> bytes:
        code, before, point, after = match.groups()
        return code + b"(" + _digits(2250 + random.randrange(130), before, point, after) + b"*V)"

    advanced = re.sub(rb"(0-0:1\.0\.0)\([0-9]{12}[SW]\)", rb"\g<1>(" + stamp + rb")", template)
    # M-Bus devices measured at the last full five minutes.
    measured = (now + timedelta(hours=1)).replace(minute=now.minute // 5 * 5)
    advanced = re.sub(
        rb"(24\.2\.[13])\([0-9]{12}[SW]\)", measured.strftime(r"\g<1>(%y%m%d%H%M00W)").encode(), advanced
    )
    advanced = _ENERGY.sub(energy, advanced)
    advanced = _POWER.sub(power, advanced)
    return _VOLTAGE.sub(voltage, advanced)


def _digits(number: int, before: bytes, point: bytes, after: bytes) -> bytes:
    """A number with as many digits before and after the point as the template has."""
    width = len(before) + len(after)
    text = b"%0*d" % (width, number % 10**width)
    return text[: len(before)] + point + text[len(before) :]


def split_recording(recording: bytes) -> list[bytes]:
    """The telegrams of a recording as they stand in it, damaged ones too, each up to the next start.

    Raises ValueError when there is none.
    """
    if recording[:1] == b"\xdb":
        return _split_frames(recording)
    starts = [match.start() for match in re.finditer(rb"(?:^|(?<=[\r\n]))/[0-9A-Za-z]{3}", recording)]
    if not starts:
        raise ValueError("the recording holds no P1 telegram: none of its lines begins with '/'")
    text = recording if b"\r\n" in recording else recording.replace(b"\n", b"\r\n")
    if text is not recording:
        return split_recording(text)
    return [recording[begin:end] for begin, end in zip(starts, [*starts[1:], len(recording)], strict=True)]


def _split_frames(recording: bytes) -> list[bytes]:
    frames = []
    position = 0
    while (found := find_header(recording, position)) is not None:
        start, length = found
        frames.append(recording[start : start + length])
        position = start + length
    if not frames:
        raise ValueError("the recording holds no P1 telegram and no encrypted frame")
    return frames
