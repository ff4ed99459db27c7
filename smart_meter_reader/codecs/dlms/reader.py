"""From bytes to telegrams: frames, their joining, decryption and what they say, with every damage told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from smart_meter_reader.codecs.dlms.axdr import AxdrError
from smart_meter_reader.codecs.dlms.cipher import TAG as CIPHERED
from smart_meter_reader.codecs.dlms.cipher import DlmsOpener, SealedApdu, parse_cipher_frame
from smart_meter_reader.codecs.dlms.framing.frames import Framed, FrameReader, framing_of
from smart_meter_reader.codecs.dlms.framing.joining import LLC, Joiner
from smart_meter_reader.codecs.dlms.framing.unframed import UnframedFrame
from smart_meter_reader.codecs.dlms.notification import TAG as NOTIFICATION
from smart_meter_reader.codecs.dlms.notification import parse_notification
from smart_meter_reader.codecs.dlms.scales import NO_OWN_STEPS, OwnSteps
from smart_meter_reader.codecs.dlms.telegram import DlmsTelegram, Envelope, build_telegram
from smart_meter_reader.exceptions import DecryptionError, FrameError, MalformedError

_ANSWERED: Final = "it is no data-notification: this meter does not push, or another program asks it"


class DlmsReader:
    """Bytes in by ``receive_data``, telegrams out by ``next_telegram``.

    ``opener`` decrypts; without one an encrypted frame gives DecryptionError ``no_key``. ``own_steps``: see
    ``scales``. ``warning`` is why the last telegram's tag failed, where the policy lets that pass.
    """

    def __init__(self, opener: DlmsOpener | None = None, own_steps: OwnSteps = NO_OWN_STEPS) -> None:
        self._opener = opener
        self._own_steps = own_steps
        self._now: datetime | None = None
        self._frames = FrameReader()
        self._joiner = Joiner()
        self._waiting: deque[DlmsTelegram | FrameError | DecryptionError] = deque()
        self._finished = False
        self.warning: DecryptionError | None = None

    @property
    def skipped(self) -> int:
        """Bytes outside of frames so far."""
        return self._frames.skipped

    @property
    def examined(self) -> int:
        """Bytes that were looked at for frames so far, those looked at twice counted twice."""
        return self._frames.examined

    @property
    def unrecognised(self) -> bytes:
        """The last 2 KiB outside of frames."""
        return self._frames.unrecognised

    def receive_data(self, received: bytes, now: datetime | None = None) -> None:
        """Take bytes in, in pieces of any size; ``now`` as ``DlmsOpener.open`` wants it."""
        self._now = now
        self._frames.receive_data(received)

    def finish(self) -> None:
        """Tell that the stream has ended; ``next_telegram`` then judges what is left."""
        self._frames.finish()
        self._finished = True

    def take_bare(self, apdu: bytes) -> None:
        """Take one APDU that stood without any frame, as ``bare`` finds them."""
        self._waiting.extend(self._read(apdu, UnframedFrame(apdu)))

    def leave_out_older(self) -> int:
        """Forget all telegrams received but the newest, unread; how many. For who has no time for all."""
        telegrams = []
        while (outcome := self._next()) is not None:
            telegrams.append(outcome)
        self._waiting.extend(telegrams[-1:])
        return max(0, len(telegrams) - 1)

    def next_telegram(self) -> DlmsTelegram | None:
        """The next telegram, None when more bytes are needed.

        Raises FrameError (``checksum``, ``truncated``, ``incomplete``, ``malformed``) and DecryptionError
        (see ``DlmsOpener``); the reader has then gone on already. A telegram with an error is never returned.
        """
        outcome = self._next()
        if isinstance(outcome, (FrameError, DecryptionError)):
            raise outcome
        return outcome

    def _next(self) -> DlmsTelegram | FrameError | DecryptionError | None:
        while not self._waiting:
            try:
                arrival = self._frames.next_frame()
            except FrameError as error:
                self._waiting.append(error)
                self._waiting.extend(self._joiner.drop("a frame of it is damaged"))
                break
            if arrival is None:
                if self._finished:
                    self._waiting.extend(self._joiner.drop("the stream ends"))
                break
            for apdu in self._joiner.take(arrival):
                if isinstance(apdu, FrameError):
                    self._waiting.append(apdu)
                else:
                    self._waiting.extend(self._read(apdu, arrival.frame))
        return self._waiting.popleft() if self._waiting else None

    def _read(self, apdu: bytes, frame: Framed) -> Iterator[DlmsTelegram | FrameError | DecryptionError]:
        """What one APDU says, and those behind it in the same frame, each with its own LLC."""
        place = 0
        while True:
            try:
                if apdu[place] == CIPHERED:
                    telegram, place = self._open(apdu, place, frame)
                else:
                    envelope = Envelope(framing=framing_of(frame))
                    telegram, place = self._notification(apdu, place, envelope)
            except (FrameError, DecryptionError) as error:
                yield error
                return
            yield telegram
            if place == len(apdu):
                return
            behind = apdu[place:]
            place += len(LLC)
            if not behind.startswith(LLC) or place == len(apdu):
                yield MalformedError("malformed", f"{len(behind)} octets stand behind a notification", apdu)
                return

    def _open(self, apdu: bytes, place: int, frame: Framed) -> tuple[DlmsTelegram, int]:
        sealed = parse_cipher_frame(apdu, place)
        if self._opener is None:
            raise _no_key(sealed)
        opened = self._opener.open(sealed, self._now)
        self.warning = opened.warning
        envelope = Envelope(
            framing=framing_of(frame),
            authentication=opened.authentication,
            frame_counter=opened.frame_counter,
            system_title=opened.system_title,
        )
        telegram, end = self._notification(opened.plaintext, 0, envelope)
        if end != len(opened.plaintext):
            raise MalformedError("malformed", "more than a notification was encrypted", apdu)
        return telegram, sealed.end

    def _notification(self, apdu: bytes, place: int, envelope: Envelope) -> tuple[DlmsTelegram, int]:
        if apdu[place] != NOTIFICATION:
            raise MalformedError("malformed", f"an APDU with the tag {apdu[place]:02X}: {_ANSWERED}", apdu)
        if envelope.frame_counter is None:
            self._refuse_plain()
        try:
            notification = parse_notification(apdu, place)
        except AxdrError as error:
            raise MalformedError("malformed", f"a notification makes no sense: {error}", apdu) from None
        return build_telegram(notification, envelope, self._own_steps, len(apdu)), notification.end

    def _refuse_plain(self) -> None:
        """Where a key is set and a tag wanted, anybody could have sent what is not encrypted."""
        if self._opener is not None and self._opener.policy == "require":
            raise DecryptionError(
                "not_encrypted",
                "the telegram is not encrypted though a key is set: remove key from the settings, "
                'or set authentication = "warn" to read plain telegrams too',
            )


def _no_key(frame: SealedApdu) -> DecryptionError:
    return DecryptionError(
        "no_key",
        f"the meter with system title {frame.system_title.hex()} sends encrypted telegrams: set key, and "
        "authentication_key where there is one, which the grid operator gives out",
    )
