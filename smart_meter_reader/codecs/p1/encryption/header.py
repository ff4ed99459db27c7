"""Where encrypted frames begin and end in a stream, and what they consist of: two layouts.

DLMS UA 1000-2 (Green Book) 9.2.7.2; Luxembourg P1 specification 1.1.3 section 3.2.5; Sagemcom T210-D-r::

    DB 08 <system title, 8> <length, BER> <security byte> <frame counter, 4> <ciphertext> <tag, 12>

Elgama in Poland encrypts only what stands between the blank line and the '!' of a telegram, and says its
system title is of length 0 (UtilitechAS/amsreader-firmware#1177). The checksum is over the bytes as sent::

    /EGM5G15 CR LF CR LF 00 82 <length, 2> <security byte> <frame counter, 4> <ciphertext> <tag, 12> !CCCC
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from smart_meter_reader.codecs.ciphering.keys import TAG_LENGTH
from smart_meter_reader.codecs.p1.framing.checksum import crc16_arc
from smart_meter_reader.codecs.p1.framing.plain import DATA_LINE, MAX_TELEGRAM

# The length in its short form or with one to three octets; the security byte of suite 0.
_HEADER = re.compile(
    rb"\xdb\x08(.{8})(?:([\x11-\x7f])|\x81(.)|\x82(..)|\x83(...))([\x10\x20\x30])", re.DOTALL
)
_LONGEST_TITLED = 15
_UNTITLED = re.compile(rb"(/[A-Za-z]{3}[^\r\n()\0]{1,60}\r\n\r\n)\x00\x82(..)([\x20\x30])", re.DOTALL)
_TITLED_MARK = b"\xdb\x08"
_UNTITLED_MARK = b"\n\x00\x82"
_CIPHERED, _SLASH = b"\xdb/"
_LONGEST_IDENTIFICATION = 64 + 4
# An identification line with what may become that header, at the end of what has arrived.
_PARTIAL = re.compile(
    rb"/(?:[A-Za-z]{0,2}|[A-Za-z]{3}[^\r\n()\0]{0,60}(?:\r(?:\n(?:\r(?:\n(?:\0(?:\x82.{0,2})?)?)?)?)?)?)\Z",
    re.DOTALL,
)
LONGEST_HEADER: Final = _LONGEST_IDENTIFICATION + 5
_NO_TITLE: Final = bytes(8)
_END = re.compile(rb"![0-9A-Fa-f]{4}")
_END_LENGTH = len(b"!B5D5")


class CipherFrame(NamedTuple):
    """A whole frame, taken apart and not yet decrypted. ``body`` is ciphertext and tag.

    ``identification`` is the first line and the blank one of a frame without a system title, whose nonce
    has zeros in its place, else empty.
    """

    system_title: bytes
    security: int
    frame_counter: int
    body: bytes
    raw: bytes
    identification: bytes = b""

    @property
    def nonce(self) -> bytes:
        return self.system_title + self.frame_counter.to_bytes(4, "big")


def find_header(stream: bytes | bytearray, position: int = 0) -> tuple[int, int] | None:
    """Start and total length of the next frame by its header; None when there is no plausible header."""
    titled = _find_titled(stream, position)
    if stream.find(_UNTITLED_MARK, position) < 0:
        return titled
    untitled = _find_untitled(stream, position)
    return min(titled, untitled) if titled and untitled else titled or untitled


def _find_titled(stream: bytes | bytearray, position: int) -> tuple[int, int] | None:
    while (match := _HEADER.search(stream, position)) is not None:
        # Only one of the four forms is there.
        length = int.from_bytes(match[2] or match[3] or match[4] or match[5], "big")
        if _is_plausible(length):
            return match.start(), match.end() - 1 + length - match.start()
        position = match.start() + 1
    return None


def _find_untitled(stream: bytes | bytearray, position: int) -> tuple[int, int] | None:
    for match in _UNTITLED.finditer(stream, position):
        length = int.from_bytes(match[2], "big")
        if _is_plausible(length):
            return match.start(), match.end() - 1 + length + _END_LENGTH - match.start()
    return None


def _is_plausible(length: int) -> bool:
    """Security byte, frame counter and tag at least; no telegram is longer than the cap."""
    return 1 + 4 + TAG_LENGTH <= length <= MAX_TELEGRAM


def may_begin(received: bytes) -> bool:
    """Whether a header may begin in ``received``: a fast no for most pieces of plain telegrams."""
    return _CIPHERED in received or (
        _SLASH in received and (_UNTITLED_MARK in received or _PARTIAL.search(received) is not None)
    )


def partial_header(stream: bytes | bytearray) -> int:
    """Where a header may begin at the end of ``stream``; its length when none does."""
    length = len(stream)
    begin = stream.find(0xDB, max(0, length - _LONGEST_TITLED))
    while begin >= 0:
        if begin + 1 == length or stream[begin + 1] == 8:
            break
        begin = stream.find(0xDB, begin + 1)
    untitled = _PARTIAL.search(stream, max(0, length - LONGEST_HEADER))
    return min(begin if begin >= 0 else length, untitled.start() if untitled else length)


def parse_frame(raw: bytes) -> CipherFrame:
    """Take a frame apart; ``raw`` is what ``find_header`` delimited."""
    match = _HEADER.match(raw)
    if match is not None:
        return _frame(raw, match[1], match[6][0], match.end(), len(raw))
    match = _UNTITLED.match(raw)
    if match is None:
        raise ValueError("no frame of general-glo-ciphering")
    end = match.end() - 1 + int.from_bytes(match[2], "big")
    return _frame(raw, _NO_TITLE, match[3][0], match.end(), end, match[1])


def _frame(
    raw: bytes, title: bytes, security: int, counter: int, end: int, identification: bytes = b""
) -> CipherFrame:
    return CipherFrame(
        system_title=title,
        security=security,
        frame_counter=int.from_bytes(raw[counter : counter + 4], "big"),
        body=raw[counter + 4 : end],
        raw=raw,
        identification=identification,
    )


def interrupts(stream: bytearray, begin: int) -> bool:
    """Whether what came from ``begin`` on may be more than the inside of a frame: a header, lines."""
    if stream.find(b":", begin - 1) >= 0 and DATA_LINE.search(stream, max(0, begin - _LONGEST_TITLED)):
        return True
    # A header may have begun in the piece before; the frame's own does not count.
    before = begin - _LONGEST_TITLED
    own = stream.find(_UNTITLED_MARK) if stream[0] == _SLASH else 0
    if before <= own:
        before = own + 1
    return stream.find(_TITLED_MARK, before) >= 0 or stream.find(_UNTITLED_MARK, before) >= 0


def own_length(stream: bytearray, length: int) -> int:
    """Bytes of an opened frame that are its own: where the line was cut, its end begins the next one."""
    return length if stream[0] != _SLASH or _END.match(stream, length - _END_LENGTH) else length - _END_LENGTH


def is_whole(frame: CipherFrame) -> bool:
    """Whether the checksum over the bytes as sent is right; only frames without a system title have one."""
    covered, _, checksum = frame.raw.rpartition(b"!")
    return bool(frame.identification) and checksum.upper() == b"%04X" % crc16_arc(covered + b"!")
