"""Finding meters that push DLMS: what `scan` makes of bytes that come by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from smart_meter_reader.codecs.dlms.reader import DlmsReader
from smart_meter_reader.codecs.dlms.telegram import DlmsTelegram
from smart_meter_reader.exceptions import DecryptionError, FrameError
from smart_meter_reader.meters.dlms.lines import LINES
from smart_meter_reader.meters.found import Found, Listening, Outcome, printable_only
from smart_meter_reader.transport import LineSettings

_ENCRYPTED = (
    "the telegrams are encrypted: ask the grid operator for the key (GUEK, EK or GPK60) and, where the meter "
    "authenticates, for the authentication key (GAK, AK or GPK61)"
)


class DlmsHearing:
    """Waits for a telegram, plain or encrypted."""

    def __init__(self, port: str, line: LineSettings) -> None:
        self._port = port
        self._line = line
        self._reader = DlmsReader()
        self._damaged = 0

    def receive_data(self, received: bytes) -> Found | None:
        """The meter, once a telegram or an encrypted frame is whole."""
        self._reader.receive_data(received)
        while True:
            try:
                telegram = self._reader.next_telegram()
            except FrameError:
                self._damaged += 1
                continue
            except DecryptionError as error:
                return self._encrypted(error)
            return None if telegram is None else self._plain(telegram)

    def judge(self) -> Outcome:
        """Frames that came damaged, or without their other parts."""
        if not self._damaged:
            return ""
        return f"{self._damaged} frames of DLMS came damaged or not to their end at {self._line}"

    def _plain(self, telegram: DlmsTelegram) -> Found:
        identity = telegram.identity
        return Found(
            self._port,
            "DLMS",
            self._line,
            "electricity",
            manufacturer=identity.manufacturer,
            model=identity.model,
            serial_number=identity.serial_number,
            keys=self._keys(),
        )

    def _encrypted(self, error: DecryptionError) -> Found:
        return Found(
            self._port,
            "encrypted DLMS",
            self._line,
            "electricity",
            keys=self._keys(),
            encrypts=True,
            notes=(
                printable_only(error.detail),
                _ENCRYPTED,
                "keys belong into .secrets.toml, under the same table name",
            ),
        )

    def _keys(self) -> Mapping[str, str | int]:
        """The line, where it is ours to set, and an interval: without one every list is published."""
        form = "8E1" if self._line.parity == "E" else "8N1"
        line: dict[str, str | int] = (
            {} if self._port.startswith("socket://") else {"baud": self._line.baud, "format": form}
        )
        return MappingProxyType({**line, "interval": "10s"})


LISTENING = Listening(LINES, DlmsHearing)
