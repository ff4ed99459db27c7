"""The whole P1 codec in two verbs: ``receive_data`` takes bytes, ``next_telegram`` gives telegrams."""

from __future__ import annotations

from datetime import datetime

from smart_meter_reader.codecs.other_protocols import other_protocol
from smart_meter_reader.codecs.p1.encryption.cipher import Opened, Opener
from smart_meter_reader.codecs.p1.encryption.header import CipherFrame
from smart_meter_reader.codecs.p1.framing.frame import FrameReader
from smart_meter_reader.codecs.p1.framing.plain import PlainFrame
from smart_meter_reader.codecs.p1.garbage import EXPLANATIONS
from smart_meter_reader.codecs.p1.mbus import InUse
from smart_meter_reader.codecs.p1.obis import CodeTableError, Further
from smart_meter_reader.codecs.p1.telegram import Telegram, TelegramParser
from smart_meter_reader.exceptions import DecryptionError, MalformedError, OtherProtocolError


class P1Reader:
    """Reads a stream of P1 telegrams of any dialect, plain or encrypted.

    ``opener`` holds the keys; without one an encrypted frame gives DecryptionError ``no_key``. With one
    whose policy is "require", a plain telegram gives ``not_encrypted``: anybody could have sent it.
    ``dialect`` forces a dialect instead of recognising it. ``warning`` is why the last telegram's tag
    failed, where the policy let that pass. ``one_meter`` is false for a file with telegrams
    of several meters. ``in_use``: see ``TelegramParser``. ``further``: see ``obis``. ``lenient`` gives
    telegrams that are ``malformed`` as well, for a person to look at.
    """

    def __init__(
        self,
        opener: Opener | None = None,
        *,
        dialect: str = "",
        one_meter: bool = True,
        in_use: InUse | None = None,
        further: Further | None = None,
        lenient: bool = False,
    ) -> None:
        self._opener = opener
        self._now: datetime | None = None
        self._frames = FrameReader(self._open, self._is_likely, one_meter=one_meter)
        self._receive = self._frames.receive_data
        self._has_more = self._frames.has_more
        self._parser = TelegramParser(dialect, in_use, further)
        self._lenient = lenient
        self._waiting: PlainFrame | Opened | None = None  # for dsmr-parser's table
        self.warning: DecryptionError | None = None

    @property
    def skipped(self) -> int:
        """Bytes outside of telegrams so far."""
        return self._frames.skipped

    @property
    def unrecognised(self) -> bytes:
        """The last 2 KiB since the last good telegram, for ``garbage.recognise``."""
        return self._frames.unrecognised

    def receive_data(self, received: bytes, now: datetime | None = None) -> None:
        """Take bytes in, in pieces of any size; ``now`` as ``Opener.open`` wants it."""
        self._now = now
        self._receive(received)

    def leave_out_older(self) -> int:
        """Forget all telegrams received but the newest, unread; how many. For who has no time for all."""
        return self._frames.leave_out_older()

    def finish(self) -> None:
        """Tell that the stream has ended; ``next_telegram`` then judges what is left."""
        self._frames.finish()

    def next_telegram(self) -> Telegram | None:
        """The next telegram, None when more bytes are needed.

        Raises FrameError (``checksum``, ``truncated``, ``overlong``, ``damaged``, ``malformed``) and
        DecryptionError (see ``Opener``); the reader has then gone on already. A telegram with an error is
        never returned. ``malformed``: a line makes no sense, and neither checksum nor tag says that the meter
        sent it so. Raises CodeTableError where ``further`` may; the reader then gives the same telegram next
        time.
        """
        if self._waiting is None and not self._has_more:
            return None  # as it is after most pieces of a serial line
        frame, self._waiting = self._waiting or self._next_frame(), None
        if frame is None:
            return None
        try:
            return self._parse(frame)
        except CodeTableError:
            self._waiting = frame
            raise

    def _open(self, frame: CipherFrame) -> Opened:
        if self._opener is None:
            raise _no_key(frame)
        return self._opener.open(frame, self._now)

    def _is_likely(self, begin: CipherFrame) -> bool:
        return self._opener is not None and self._opener.is_likely(begin)

    def _next_frame(self) -> PlainFrame | Opened | None:
        try:
            frame = self._frames.next_frame()
        except DecryptionError as error:
            raise self._other_framing() or error from None
        if isinstance(frame, PlainFrame) and self._opener is not None and self._opener.policy == "require":
            raise DecryptionError(
                "not_encrypted",
                "the telegram is not encrypted though a key is set: remove key from the settings, "
                'or set authentication = "warn" to read plain telegrams too',
            )
        return frame

    def _parse(self, frame: PlainFrame | Opened) -> Telegram:
        if isinstance(frame, PlainFrame):
            telegram = self._parser.parse(frame.telegram, frame.checksum)
            return telegram if self._lenient else _whole(telegram, frame.telegram)
        self.warning = frame.warning
        return self._parser.parse(frame.telegram, frame.checksum, frame.authentication, frame.frame_counter)

    def _other_framing(self) -> OtherProtocolError | None:
        """HDLC and M-Bus carry frames that begin with DB as well, cut into pieces of their own."""
        other = other_protocol(self._frames.unrecognised)
        return None if other is None else OtherProtocolError(other, EXPLANATIONS[other])


def _whole(telegram: Telegram, raw: bytes) -> Telegram:
    """The telegram; without a checksum only when all of its lines make sense."""
    if telegram.bad_lines and not telegram.vouched_for:
        raise MalformedError(
            "malformed", f"a line makes no sense and there is no checksum: {telegram.bad_lines[0]!r:.80}", raw
        )
    return telegram


def _no_key(frame: CipherFrame) -> DecryptionError:
    if frame.identification:
        who = f"the meter {frame.identification[1:].decode('ascii', 'replace').strip()}"
    else:
        who = f"the meter with system title {frame.system_title.hex()}"
    return DecryptionError(
        "no_key",
        f"{who} sends encrypted telegrams: set key, and authentication_key, "
        "which the grid operator gives out",
    )
