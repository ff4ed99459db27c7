"""Framing of a P1 stream, plain or encrypted or both: frames in, damaged ones told, the rest survived.

Encrypted frames carry their length; the byte that begins them, DB, occurs in ciphertext as often as any
other. So a header counts only as a whole, and a frame only when it can be opened: one that cannot is
searched for the next header, since a cut frame swallows the beginning of the one behind it. All bytes
outside of encrypted frames go to the reader of plain telegrams.

Fifteen bytes make a header that claims 16 KiB. So what is decrypted in vain is bounded by what has arrived;
headers behind which the first block decrypts to the beginning of a telegram, which nobody can make without
the key, have a share of their own. What is not looked into is told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection

from smart_meter_reader.codecs.p1.encryption.cipher import Opened
from smart_meter_reader.codecs.p1.encryption.header import (
    LONGEST_HEADER,
    CipherFrame,
    find_header,
    interrupts,
    is_whole,
    may_begin,
    own_length,
    parse_frame,
    partial_header,
)
from smart_meter_reader.codecs.p1.framing.plain import DATA_LINE, MAX_TELEGRAM, PlainFrame, PlainReader
from smart_meter_reader.exceptions import DecryptionError, FrameError, IncompleteError

# A recording given in one piece is worked through in small ones, so that its copies stay small.
_PIECE = 4096
# Enough for a frame of any other protocol, to tell what the line carries instead of telegrams.
_KEPT = 2048
_MOST_RECENT = 2 * _KEPT
# For each byte that arrives, so many are decrypted in vain at most.
_IN_VAIN = 4
# An opening costs as much as so many bytes, however short the frame is.
_OPENING = 1024
# Header, frame counter and the first block.
_BEGIN = LONGEST_HEADER + 4 + 16
# As numbers: found faster than bytes of length one, see ``plain``.
_CIPHERED, _SLASH = b"\xdb/"
_MOST_CREDIT = 4 * MAX_TELEGRAM

Framed = PlainFrame | Opened | FrameError | DecryptionError
_ERRORS = (FrameError, DecryptionError)


class FrameReader:
    """Bytes in by ``receive_data``, frames out by ``next_frame``; never more than 48 KiB kept.

    ``open_frame`` decrypts a frame or raises DecryptionError; it is asked for every frame with a
    plausible header, and decides between a real frame and one that only looks so. ``is_likely`` tells by
    little work, from a frame's first bytes, which are rather opened when there are too many.
    """

    def __init__(
        self,
        open_frame: Callable[[CipherFrame], Opened],
        is_likely: Callable[[CipherFrame], bool] = lambda begin: False,
        *,
        one_meter: bool = True,
    ) -> None:
        self._open = open_frame
        self._is_likely = is_likely
        self._events: deque[Framed] = deque()
        self.has_more: Collection[Framed] = self._events  # true while ``next_frame`` has something to tell
        # The plain reader puts in what Framed allows; a deque is not covariant, hence the second name.
        self._plain = PlainReader(self._events, one_meter=one_meter)  # type: ignore[arg-type]
        self._receive_plain = self._plain.receive_data
        self._cipher = bytearray()  # begins with a header, or with what may become one
        self._expected = 0  # length of the frame that begins it, while its end has not come
        self._recent = bytearray()
        self._searched = 0  # how far a frame that is still incomplete was searched for others
        self._skipped_before: int | None = None  # when the last frame was opened, if nothing was told since
        # Bytes that may yet be decrypted in vain, for likely headers and for others; what arrived earns more.
        self._credit = {True: _MOST_CREDIT, False: _MOST_CREDIT}
        self._arrived = 0
        self._unopened = 0  # headers that were not looked into

    @property
    def skipped(self) -> int:
        """Bytes that belonged to no frame, since the reader was made."""
        return self._plain.skipped

    @property
    def unrecognised(self) -> bytes:
        """The last 2 KiB received since the last good frame."""
        return bytes(self._recent[-_KEPT:])

    def receive_data(self, received: bytes) -> None:
        """Take bytes in, in pieces of any size."""
        if len(received) > _PIECE:
            for begin in range(0, len(received), _PIECE):
                self.receive_data(received[begin : begin + _PIECE])
            return
        recent, cipher = self._recent, self._cipher
        recent += received
        if len(recent) > _MOST_RECENT:
            del recent[:-_KEPT]
        if not cipher and _CIPHERED not in received and (_SLASH not in received or not may_begin(received)):
            if self._skipped_before is None:
                self._receive_plain(received)
            else:
                self._give_plain(received)
            return
        before = len(cipher)
        cipher += received
        self._arrived += len(received)
        if len(cipher) < self._expected and not interrupts(cipher, before):
            return  # most pieces of a serial line: neither the end of a frame is in them nor another's begin
        while self._take_frame():
            pass
        if self._unopened:
            self._tell_unopened()

    def next_frame(self) -> PlainFrame | Opened | None:
        """The next frame, None when more bytes are needed.

        Raises FrameError for a damaged frame and DecryptionError for one that cannot be opened; the
        reader has then gone on already.
        """
        if not self._events:
            return None
        event = self._events.popleft()
        if isinstance(event, _ERRORS):
            raise event
        self._recent.clear()
        return event

    def leave_out_older(self) -> int:
        """Forget all frames that are whole and not yet asked for, but the newest; how many those were."""
        frames = [event for event in self._events if not isinstance(event, _ERRORS)]
        older = {id(event) for event in frames[:-1]}
        if older:
            kept = [event for event in self._events if id(event) not in older]
            self._events.clear()
            self._events.extend(kept)
        return len(older)

    def finish(self) -> None:
        """The stream has ended: what is incomplete will not become complete."""
        while self._cipher:
            found = find_header(self._cipher)
            if found is None:
                self._pass_on(len(self._cipher))
                break
            start, length = found
            self._pass_on(start)
            if length <= len(self._cipher):
                self._take_frame()
                continue
            detail = f"the stream ended after {len(self._cipher)} of {length} bytes of an encrypted frame"
            self._tell(IncompleteError("truncated", detail, bytes(self._cipher)))
            following = find_header(self._cipher, 1)
            self._pass_on(following[0] if following else len(self._cipher))
        self._tell_unopened()
        self._plain.finish()

    def _earn(self) -> None:
        for likely, credit in self._credit.items():
            self._credit[likely] = min(_MOST_CREDIT, credit + _IN_VAIN * self._arrived)
        self._arrived = 0

    def _open_at(self, start: int, length: int) -> Opened | None:
        """Decrypt the frame there; None when enough was decrypted in vain. Raises DecryptionError."""
        self._earn()
        # Which share pays for it is worth its work only where one is used up, or has to pay.
        if min(self._credit.values()) <= 0 and self._credit[self._likely_at(start, length)] <= 0:
            self._unopened += 1
            return None
        try:
            return self._open(parse_frame(bytes(self._cipher[start : start + length])))
        except DecryptionError:
            self._credit[self._likely_at(start, length)] -= length + _OPENING
            raise

    def _likely_at(self, start: int, length: int) -> bool:
        return self._is_likely(parse_frame(bytes(self._cipher[start : start + min(length, _BEGIN)])))

    def _pass_on(self, count: int) -> None:
        """Bytes outside of encrypted frames belong to the reader of plain ones."""
        if count:
            self._give_plain(self._cut(count))

    def _give_plain(self, outside: bytes) -> None:
        before = len(self._events)
        self._receive_plain(outside)
        if len(self._events) > before:
            self._skipped_before = None  # told by the other reader

    def _cut(self, count: int) -> bytes:
        removed = bytes(self._cipher[:count])
        del self._cipher[:count]
        self._searched = self._expected = 0
        return removed

    def _take_frame(self) -> bool:
        """Deal with the first header; True when there may be more to do."""
        found = find_header(self._cipher)
        if found is None:
            self._pass_on(partial_header(self._cipher))
            return False
        start, length = found
        self._pass_on(start)
        if length > len(self._cipher):
            self._expected = length
            return self._is_plain() or self._take_inner(length)
        opened = None
        try:
            opened = self._open_at(0, length)
        except DecryptionError as error:
            # Its traceback would keep what was decrypted in memory.
            self._tell(error.with_traceback(None))
        if opened is not None:
            self._take_opened(opened, length)
        elif is_whole(parse_frame(bytes(self._cipher[:length]))):
            self._cut(length)
        else:
            # Had the header been false, a plain telegram may stand behind it.
            self._pass_on(min(length, self._next_header()))
        return bool(self._cipher)

    def _take_opened(self, opened: Opened, length: int) -> None:
        """Put out a frame, behind the loss of at least one whose header was damaged, as it seems."""
        skipped = 0 if self._skipped_before is None else self.skipped - self._skipped_before
        if 2 * skipped > length:
            detail = f"{skipped} bytes before an encrypted frame belong to none: a damaged header, probably"
            # What is kept of what was received ends with this frame and what is behind it.
            end = max(0, len(self._recent) - len(self._cipher))
            self._tell(FrameError("damaged", detail, bytes(self._recent[max(0, end - skipped) : end])))
        self._events.append(opened)
        self._cut(own_length(self._cipher, length))
        self._skipped_before = self.skipped

    def _tell(self, error: FrameError | DecryptionError) -> None:
        self._events.append(error)
        self._skipped_before = None  # what is skipped from here on may be the rest of that frame

    def _tell_unopened(self) -> None:
        if self._unopened:
            detail = (
                f"{self._unopened} beginnings of encrypted frames were not looked into: too many before them "
                "were false"
            )
            self._tell(FrameError("damaged", detail))
            self._unopened = 0

    def _is_plain(self) -> bool:
        """Data lines inside a frame that is not complete: its header was false, or its end got lost."""
        if not DATA_LINE.search(self._cipher, max(0, self._searched - LONGEST_HEADER)):
            return False
        self._pass_on(self._next_header())
        return bool(self._cipher)

    def _next_header(self) -> int:
        """Where, behind the first one, the next header begins, or may begin once more bytes are there."""
        following = find_header(self._cipher, 1)
        return following[0] if following else partial_header(self._cipher)

    def _take_inner(self, length: int) -> bool:
        """A whole frame that opens, inside one that is not complete, proves that it never will be."""
        position = max(1, self._searched)
        while (found := find_header(self._cipher, position)) is not None:
            start, inner_length = found
            if start + inner_length > len(self._cipher):
                self._searched = start
                return False
            opened = None
            try:
                opened = self._open_at(start, inner_length)
            except DecryptionError:
                pass  # no frame, or none of this meter
            if opened is None:
                position = start + 1
                continue
            detail = f"an encrypted frame of {length} bytes was cut after {start}"
            self._tell(IncompleteError("truncated", detail, self._cut(start)))
            self._take_opened(opened, inner_length)
            return bool(self._cipher)
        self._searched = max(position, len(self._cipher) - LONGEST_HEADER)
        return False
