"""An emulated meter that pushes DLMS: a list at every tick, with faults on demand.

A recording is sent frame by frame in a circle, the frames of one telegram together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.dlms.cipher import encrypt
from smart_meter_reader.codecs.dlms.framing.frames import FrameReader
from smart_meter_reader.codecs.dlms.framing.joining import Joiner
from smart_meter_reader.emulators.faults import Fault
from smart_meter_reader.emulators.pushing import LOAD_CHANGES, PushingMeter
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.meters.dlms.emulated_lists import PushingHousehold
from smart_meter_reader.meters.dlms.emulated_models import MODELS

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "crc": "one bit of the telegram is turned over",
        "drop": "the telegram is not sent",
        "noise": "random bytes and a 00 come before the telegram",
        "cut": "the second half of the telegram is not sent",
        "lose": "one byte in the middle is not sent",
        "piece": "one of several frames of a telegram is not sent",
        "repeat": "one of several frames of a telegram is sent twice",
        "replay": "the telegram before comes again",
        "silence": "nothing is sent for three ticks",
    }
)
_STARTED_WITH: Final = 31_358_606  # Wh
# Watts at the beginning; a third on each phase.
_WATTS: Final = 600


@dataclass(frozen=True, slots=True)
class PushEncryption:
    """With what the meter encrypts; without ``authentication_key`` there is no tag. Never printed."""

    key: bytes
    authentication_key: bytes | None = None
    first_counter: int = 1

    def __repr__(self) -> str:
        return "PushEncryption(keys hidden)"


class DlmsMeter(PushingMeter):
    """One emulated meter. ``interval``: seconds from one list to the next, by the model if None.

    In the house as many seconds pass as the model takes for a list, however fast they come.
    """

    def __init__(
        self,
        model: str = "kaifa-no",
        *,
        recording: Sequence[bytes] = (),
        encryption: PushEncryption | None = None,
        faults: Sequence[Fault] = (),
        interval: float | None = None,
        seed: int = 0,
    ) -> None:
        self._model = MODELS[model]
        own = self._model.interval if interval is None else interval
        super().__init__(own, recording=recording, faults=faults, seed=seed)
        self._encryption = encryption
        self._watts = _WATTS
        self._counted = float(_STARTED_WITH)
        self._started = datetime.now(UTC)
        self._before: list[bytes] = []

    def next_telegram(self) -> bytes:
        """What goes over the line at the next tick; b"" for nothing."""
        frames = [self._recorded()] if self._recording else self._made()
        self._count += 1
        sent = self._spoil(frames)
        self._before = frames
        return sent

    def _made(self) -> list[bytes]:
        home = self._household()
        model = self._model
        # The first list has everything in it, so that nobody has to wait for an hour.
        is_hourly = model.hourly is not None and self._count % model.every == 0
        apdu = model.hourly(home) if is_hourly and model.hourly is not None else model.make(home)
        if self._encryption is not None:
            keys = self._encryption
            counter = keys.first_counter + self._count
            apdu = encrypt(apdu, keys.key, keys.authentication_key, model.title, counter)
        return model.frame(apdu)

    def _household(self) -> PushingHousehold:
        if self._count:
            self._counted += self._watts * self._model.interval / 3600
            if self._random.random() < LOAD_CHANGES:
                self._watts = 200 + self._random.randrange(3000)
        volts = tuple(2290 + self._random.randrange(40) for _ in range(3))
        third = self._watts / 3
        milliamperes = tuple(round(third / each * 10_000) for each in volts)
        passed = timedelta(seconds=self._count * self._model.interval)
        return PushingHousehold(
            time=self._started + passed,
            watts=self._watts,
            imported=int(self._counted),
            exported=7619,
            volts=(volts[0], volts[1], volts[2]),
            milliamperes=(milliamperes[0], milliamperes[1], milliamperes[2]),
        )

    def _spoil(self, frames: list[bytes]) -> bytes:
        """The telegram as the faults leave it."""
        if self._is_kept_back():
            return b""
        strike = self._faults.strike
        if strike("replay") and self._before:
            frames = self._before
        random = self._faults.random
        place = random.randrange(len(frames))
        if strike("piece") and len(frames) > 1:
            frames = [*frames[:place], *frames[place + 1 :]]
        if strike("repeat") and len(frames) > 1:
            frames = [*frames[: place + 1], *frames[place:]]
        telegram = b"".join(frames)
        middle = random.randrange(1, len(telegram) - 1)
        return self._behind_noise(self._cut(self._damaged(telegram, middle)))


def split_recording(recording: bytes) -> list[bytes]:
    """The telegrams of a recording as they stand in it, each with all of its frames.

    Raises ValueError when there is none.
    """
    reader, joiner = FrameReader(), Joiner()
    reader.receive_data(recording)
    reader.finish()
    telegrams: list[bytes] = []
    pending = b""
    while True:
        try:
            arrival = reader.next_frame()
        except FrameError as error:
            telegrams.append(pending + error.frame)
            pending = b""
            continue
        if arrival is None:
            break
        pending += arrival.frame.raw
        for _ in joiner.take(arrival):
            pass
        if not joiner.collecting:
            telegrams.append(pending)
            pending = b""
    if not telegrams:
        raise ValueError("the recording holds no frame of DLMS")
    return telegrams
