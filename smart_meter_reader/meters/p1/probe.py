"""Finding P1 meters: what `scan` makes of bytes that come by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from smart_meter_reader.codecs.iec62056_21.request import MODE_D_BAUD
from smart_meter_reader.codecs.p1.garbage import EXPLANATIONS, OTHER_FRAMES, Garbage, recognise
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.codecs.parity import strip_parity
from smart_meter_reader.exceptions import DecryptionError, FrameError, OtherProtocolError
from smart_meter_reader.meters.found import Found, Listening, Outcome, Unread, printable_only
from smart_meter_reader.meters.p1.lines import FAST_LINE, SLOW_LINE
from smart_meter_reader.transport import LineSettings

# What is looked through when no telegram came: the last of it, several telegrams long.
_JUDGED = 64 * 1024
_READ_BY_OTHERS: frozenset[Garbage] = frozenset({"hdlc", "dlms", "sml"})


class P1Hearing:
    """Waits for a telegram, plain or encrypted."""

    def __init__(self, port: str, line: LineSettings) -> None:
        self._port = port
        self._line = line
        self._reader = P1Reader()
        # Who listens at a line of seven bits for others as well gets their parity too.
        self._stripped = P1Reader() if line.bytesize < 8 else None
        self._received = b""

    def receive_data(self, received: bytes) -> Found | None:
        """The meter, once a telegram or an encrypted frame is whole."""
        self._received = (self._received + received)[-_JUDGED:]
        self._reader.receive_data(received)
        found = _telegram_in(self._reader, self._port, self._line)
        if found is None and self._stripped is not None:
            self._stripped.receive_data(strip_parity(received))
            found = _telegram_in(self._stripped, self._port, self._line)
        return found

    def judge(self) -> Outcome:
        """Parity that is still in the bytes, or another protocol."""
        kind = recognise(self._received)
        if kind == "parity":
            reader = P1Reader()
            reader.receive_data(strip_parity(self._received))
            found = _telegram_in(reader, self._port, self._line)
            if found is not None:
                return found
        if kind in _READ_BY_OTHERS:
            return ""  # who reads it listens as well, and knows more of the meter
        return Unread(EXPLANATIONS[kind]) if kind in OTHER_FRAMES else ""


# DSMR 4 and later; DSMR 2.2 and 3; IEC 62056-21 mode D.
LISTENING = Listening((FAST_LINE, SLOW_LINE, replace(SLOW_LINE, baud=MODE_D_BAUD)), P1Hearing)


def _telegram_in(reader: P1Reader, port: str, line: LineSettings) -> Found | None:
    while True:
        try:
            telegram = reader.next_telegram()
        except FrameError:
            continue
        except OtherProtocolError:
            continue  # what it is, is told when all that came is judged
        except DecryptionError as error:
            return _encrypted(port, line, error)
        return None if telegram is None else _plain(port, line, telegram)


def _plain(port: str, line: LineSettings, telegram: Telegram) -> Found:
    identity = telegram.identity
    return Found(
        port,
        "P1",
        line,
        "electricity",
        manufacturer=identity.manufacturer,
        model=identity.model,
        serial_number=identity.serial_number,
        dialect=identity.dialect,
        keys=_keys_of(port, line),
    )


def _encrypted(port: str, line: LineSettings, error: DecryptionError) -> Found:
    return Found(
        port,
        "encrypted P1",
        line,
        "electricity",
        keys=_keys_of(port, line),
        encrypts=True,
        notes=(printable_only(error.detail), "keys belong into .secrets.toml, under the same table name"),
    )


def _keys_of(port: str, line: LineSettings) -> Mapping[str, str | int]:
    """The speed, where it is ours to set, and an interval: without one every telegram is published."""
    speed: dict[str, str | int] = {} if port.startswith("socket://") else {"baud": line.baud}
    return MappingProxyType({**speed, "interval": "10s"})
