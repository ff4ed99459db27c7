"""Framing of plain telegrams: from a stream of bytes with anything in it to whole, checked telegrams.

IEC 62056-21 section 6.3.2 (identification) and DSMR 5.0.2 P1 section 6.2: ``/`` three letters, rest of the
identification line, data lines, ``!``, up to four hexadecimal digits, CR LF.

Decided on bytes, before anything is decoded. A telegram is told from noise by its identification line at
one end and a line that begins with ``!`` at the other; between them a slash may be anything: part of
Holley's identification, of a text, or the start of the next telegram after the end of this one got lost.
So every possible start is tried against the checksum, oldest first.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Literal, NamedTuple

from smart_meter_reader.codecs.p1.framing.checksum import crc16_arc, verify
from smart_meter_reader.exceptions import ChecksumError, FrameError, IncompleteError

# Luxembourg's five messages of 1024 characters are 10 kB of octets (specification 1.1.3).
MAX_TELEGRAM = 16 * 1024
_LONGEST_START = 130
_MAX_STARTS = 8
# As numbers: a number is looked for in bytes in an eighth of the time that it takes for bytes of length one.
_NUL, _END_MARK, _SLASH, _COLON = b"\0!/:"
_ROOMY = MAX_TELEGRAM // 2  # a telegram that long is looked at piece by piece, lest it grow

_START = re.compile(rb"/[0-9A-Za-z]{3}[^\r\n()]{0,124}[\r\n]")
_PARTIAL_START = re.compile(rb"/(?:[0-9A-Za-z]{0,2}|[0-9A-Za-z]{3}[^\r\n()]{0,124})\Z")
# Within an identification line only letters begin another one, that of the telegram which came when this
# line was cut: "/ISK5\2M5/ISK5\2M550T". A slash of the meter's own is followed by other things: "/HLY5/D545".
_INNER_START = re.compile(rb"/[A-Za-z]{3}[^\r\n()]{0,124}[\r\n]")
# Four characters end the checksum at once; fewer need the line end: "!521", and "!" of DSMR 2.2. A slash ends
# it too, and is the next telegram's: no checksum has one.
_END = re.compile(rb"\n!([^\r\n/]{4}|[^\r\n/]{0,3}(?:[\r\n]|(?=/)))")
_CHECKSUM = re.compile(rb"[0-9A-Fa-f]{1,4}")
# The begin of a data line, which neither noise nor ciphertext contains by chance.
DATA_LINE = re.compile(rb"[\r\n][0-9]{1,2}-[0-9]{1,2}:[0-9]")
_LONGEST_LINE_START = 8
_DATA = re.compile(rb"[0-9]{1,2}-[0-9]{1,2}:[0-9.*]+\(|\(")
_HOLLEY = b"/HLY"


class PlainFrame(NamedTuple):
    """A telegram from '/' to '!' as its checksum confirms it, or as it came when there is none."""

    telegram: bytes
    checksum: Literal["ok", "absent"]


class PlainReader:
    """Finds telegrams in a stream; ``events`` gets them, and a FrameError for each that was spoilt.

    At most 16 KiB and a chunk are kept; each byte is looked at a bounded number of times. A telegram whose
    beginning was missed when the stream was opened is no error. ``one_meter``: a meter that has sent a
    checksum always sends one, so a telegram without has lost it.
    """

    def __init__(self, events: deque[PlainFrame | FrameError], *, one_meter: bool = True) -> None:
        self._events = events
        self._one_meter = one_meter
        self._buffer = bytearray()
        self._scanned = 0  # no end of telegram begins before this
        self._inside = False
        self._ending = False  # whether the line of the end has begun
        self._synchronised = False
        self._lost_start = False
        self._passed = b""  # the last of what was skipped, where the begin of a data line may be cut
        self._checked_header = b""  # header of the last telegram with a good checksum
        self.skipped = 0  # bytes outside of telegrams

    def receive_data(self, received: bytes) -> None:
        """Take bytes in; whatever became complete is in ``events`` afterwards."""
        # A break on the line is received as NUL, and no telegram has one (DSMR 5.0.2 P1, 6.4: text only).
        if _NUL in received:
            received = received.translate(None, b"\0")
        buffer = self._buffer
        if self._inside:
            if _END_MARK not in received and not self._ending and len(buffer) < _ROOMY:
                buffer += received  # most pieces of a serial line: the end is not in them
                return
        elif not buffer and _SLASH not in received:
            self._note_skipped(received)  # nothing can begin here: most of noise ends so, byte by byte too
            return
        buffer += received
        more = True
        while more:
            more = self._follow() if self._inside else self._hunt()

    def finish(self) -> None:
        """The stream has ended: judge what is left."""
        if self._inside:
            # "!" or "!521" as the very last bytes lack only the line end that would complete them.
            self.receive_data(b"\r\n")
        if self._inside and DATA_LINE.search(self._buffer):
            self._events.append(
                IncompleteError("truncated", "the stream ended inside a telegram", bytes(self._buffer))
            )
        self._buffer.clear()
        self._inside = False

    def _hunt(self) -> bool:
        """Look for the next identification line; True when inside a telegram."""
        start = _START.search(self._buffer)
        if start is not None:
            self._skip(start.start())
            self._scanned = start.end() - start.start() - 1
            self._inside = True
            return True
        partial = _PARTIAL_START.search(self._buffer, max(0, len(self._buffer) - _LONGEST_START))
        self._skip(partial.start() if partial else len(self._buffer))
        return False

    def _skip(self, count: int) -> None:
        if not count:
            return
        skipped = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._note_skipped(skipped)

    def _note_skipped(self, skipped: bytes) -> None:
        """Count what is outside of telegrams; lines of data and an end are one that lost its first line."""
        self.skipped += len(skipped)
        seen = self._passed + skipped
        self._passed = seen[1 - _LONGEST_LINE_START :]
        place = 0
        while True:
            if not self._lost_start:
                line = DATA_LINE.search(seen, place) if _COLON in seen else None
                if line is None:
                    return
                self._lost_start, place = True, line.end()
            place = seen.find(_END_MARK, place) + 1
            if not place:
                return
            if self._synchronised:
                self._events.append(
                    IncompleteError("truncated", "a telegram came without its first line", skipped)
                )
            self._lost_start, self._synchronised = False, True

    def _follow(self) -> bool:
        """Look for the end of the telegram; True when there may be more to do."""
        end = self._buffer.find(b"\n!", self._scanned)
        if end < 0:
            self._scanned = max(0, len(self._buffer) - 1)
            return self._overflow() if len(self._buffer) > MAX_TELEGRAM else False
        match = _END.match(self._buffer, end)
        if match is None:
            self._scanned = end
            self._ending = True
            return False
        self._ending = False
        field = match[1].strip()
        covered = bytes(self._buffer[: end + 2])
        del self._buffer[: match.end()]
        self._inside = False
        self._judge(covered, field)
        self._synchronised = True
        self._lost_start, self._passed = False, b""
        return True

    def _overflow(self) -> bool:
        """No telegram is that long: go on at a start in the newer half, which leaves room for a whole one."""
        start = _START.search(self._buffer, len(self._buffer) // 2)
        given_up = bytes(self._buffer[: start.start() if start else None])
        if DATA_LINE.search(given_up):
            self._events.append(
                FrameError("overlong", f"no end of telegram within {MAX_TELEGRAM} bytes", given_up)
            )
        del self._buffer[: len(given_up)]
        self.skipped += len(given_up)
        self._inside = start is not None
        self._scanned = 0
        return self._inside

    def _judge(self, covered: bytes, field: bytes) -> None:
        if not DATA_LINE.search(covered):
            self.skipped += len(covered)  # noise that happened to have a first and a last line
        elif not field:
            self._accept_unchecked(covered)
        elif not _CHECKSUM.fullmatch(field):
            self._events.append(ChecksumError("checksum", "the checksum itself is damaged", covered))
        else:
            self._check(covered, int(field, 16))

    def _check(self, covered: bytes, expected: int) -> None:
        # Nearly always the telegram begins where the first identification line does.
        telegram = _confirm(covered, 0, expected)
        begin = 0
        if telegram is None:
            for begin in _inner_starts(covered):
                telegram = _confirm(covered, begin, expected)
                if telegram is not None:
                    break
        if telegram is not None:
            if begin and DATA_LINE.search(covered, 0, begin):
                self._events.append(
                    IncompleteError("truncated", "a telegram ended where the next one began", covered[:begin])
                )
            self._checked_header = telegram[: telegram.index(b"\n")]
            self._events.append(PlainFrame(telegram, "ok"))
            return
        telegram = covered[_last_start(covered) :]
        computed = crc16_arc(telegram)
        self._events.append(
            ChecksumError(
                "checksum",
                f"the checksum says {expected:04X}, the {len(telegram)} bytes received give {computed:04X}",
                telegram,
            )
        )

    def _accept_unchecked(self, covered: bytes) -> None:
        """A telegram without checksum is complete when its '!' stands alone on a line."""
        start = _last_start(covered)
        telegram = covered[start:]
        if DATA_LINE.search(covered[:start]):
            self._events.append(
                IncompleteError("truncated", "a telegram ended where the next one began", covered[:start])
            )
        if not DATA_LINE.search(telegram):
            return
        if self._one_meter and telegram[: telegram.index(b"\n")] == self._checked_header:
            self._events.append(
                ChecksumError("checksum", "the checksum is missing, though this meter sends one", telegram)
            )
        else:
            self._events.append(PlainFrame(telegram, "absent"))


def reads_well(telegram: bytes) -> bool:
    """Whether bytes from '/' to '!' are text and all their lines are lines of data, by no checksum."""
    _, _, body = telegram.partition(b"\n")
    lines = [line for line in body.splitlines() if line.strip()]
    return (
        telegram.startswith(b"/")
        and telegram.isascii()
        and lines[-1:] == [b"!"]
        and all(line.endswith(b")") and _DATA.match(line) for line in lines[:-1])
    )


def _confirm(covered: bytes, begin: int, expected: int) -> bytes | None:
    return verify(covered[begin:], expected, x25=covered.startswith(_HOLLEY, begin))


def _inner_starts(covered: bytes) -> list[int]:
    """Where else a telegram may begin: at any slash with an identification behind it, the newest ones."""
    starts: deque[int] = deque(maxlen=_MAX_STARTS)
    inner = _START.search(covered, 1)
    while inner is not None:
        starts.append(inner.start())
        inner = _START.search(covered, inner.start() + 1)
    return list(starts)


def _last_start(covered: bytes) -> int:
    """The newest identification line, its own slashes apart."""
    start = max((match.start() for match in _START.finditer(covered)), default=0)
    while (inner := _INNER_START.search(covered, start + 1)) is not None:
        start = inner.start()
    return start


def take_apart(plaintext: bytes) -> tuple[bytes, Literal["ok", "absent", "bad"]] | None:
    """A decrypted telegram, from '/' to '!', and its checksum; None when it is no telegram at all."""
    end = plaintext.rfind(b"\n!")
    if not _START.match(plaintext) or end < 0:
        return None
    covered = plaintext[: end + 2]
    field = plaintext[end + 2 :].strip(b"\r\n\0 ")
    if not field:
        return covered, "absent"
    if not _CHECKSUM.fullmatch(field):
        return covered, "bad"
    telegram = verify(covered, int(field, 16))
    return (covered, "bad") if telegram is None else (telegram, "ok")
