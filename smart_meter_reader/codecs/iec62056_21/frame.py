"""Framing: finds identifications, data messages and short answers in a stream, damaged or not.

One reader for live lines and for captures. It takes eight-bit bytes: where the eighth bit is in use it
must be even parity, where it is not (a port that did the parity itself) nothing is checked.

    /KAM0MC CR LF                      -> Identification
    STX 6.8(0456.631*GJ) ! CR LF ETX BCC  -> DataBlock with its BCC judged
    6.8(0456.631*GJ) CR LF ... ! CR LF    -> DataBlock without BCC (mode D, transcripts)
    0507109 1296626 ... CR             -> ShortLine
    /#1 CR, /?! CR LF, ACK 000 CR LF   -> Request (the echo of a reading head, or a recorded request)
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

from smart_meter_reader.codecs.iec62056_21.bcc import Bcc, judge_bcc, usual_bcc
from smart_meter_reader.codecs.iec62056_21.message import (
    DataBlock,
    Frame,
    Identification,
    Request,
    ShortLine,
    leading_noise,
    parse_identification,
    swallowed_identification,
)
from smart_meter_reader.codecs.parity import count_parity_errors, strip_parity
from smart_meter_reader.exceptions import ChecksumError, FrameError, IncompleteError

__all__ = ["DataBlock", "Frame", "FrameReader", "Identification", "Request", "ShortLine"]

STX, ETX, ACK, CR, LF, SLASH = 0x02, 0x03, 0x06, 0x0D, 0x0A, 0x2F

BLOCK_LIMIT = 64 * 1024  # the longest readouts of industrial meters are some 20 kB
LINE_LIMIT = 1024  # the longest line of a MULTICAL logger has 104 characters

_TURN_AROUND_NOISE = frozenset((0x00, 0x7F, CR, LF))
_PARENTHESES = b"()"
_SHORT_REQUEST = re.compile(rb"/#[1-9BCDJ]")
_DIGITS = re.compile(rb"[0-9]{4}")


class FrameReader:
    """Sans-IO reader: bytes in through ``receive_data``, frames out of ``next_frame``.

    Whatever precedes a frame and is none (NUL of a wake-up, turn-around noise) is skipped and counted in
    ``skipped``. Linear in the input; a frame without end is given up at 64 KiB (a line at 1 KiB).
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._found: deque[Frame | FrameError] = deque()
        self._raw = bytearray()  # the frame in progress, eight-bit, from its first byte
        self._lines: list[bytes] = []  # data lines outside STX ... ETX, seven-bit
        self._lines_length = 0
        self._in_parentheses = False
        self._usual_bcc = Bcc.SUM  # of the make that identified itself last
        self._state: Callable[[int], None] = self._idle

    @property
    def is_empty(self) -> bool:
        """Whether no frame is in progress or waiting to be fetched."""
        return not (self._raw or self._lines or self._found)

    @property
    def in_request(self) -> bool:
        """Whether what is in progress is a request: an echo that lost its line end."""
        return self._text()[:2] in (b"/?", b"/#")

    def receive_data(self, received: bytes) -> None:
        """Take bytes from the line."""
        for byte in received:
            self._raw.append(byte)
            self._state(byte & 0x7F)

    def end_of_data(self) -> None:
        """The stream has ended: what is in progress becomes a frame if it can, and an error if not."""
        state = self._state
        if state == self._in_block and b"!" in self._text():
            self._finish_block(Bcc.ABSENT)
        elif state == self._in_block or state == self._at_bcc:
            self._give_up(IncompleteError, "incomplete", "the data message breaks off before its end")
        elif state == self._in_slash_line:
            self._end_slash_line()
        elif state == self._in_line:
            self._finish_line(ended=False)
        self._drop_lines()
        self._restart()

    def next_frame(self) -> Frame | None:
        """The next frame, or None when more bytes are needed. Raises FrameError for a damaged one."""
        found = self._found.popleft() if self._found else None
        if isinstance(found, FrameError):
            raise found
        return found

    # --- states: each takes the seven bits of the byte that was just appended to _raw ---

    def _idle(self, byte: int) -> None:
        if byte in _TURN_AROUND_NOISE:
            self.skipped += byte not in (CR, LF)
            self._raw.clear()
        elif byte == STX:
            self._drop_lines()
            self._state = self._in_block
        elif byte == SLASH:
            self._state = self._in_slash_line
        elif byte == ACK:
            self._state = self._in_option_select
        else:
            self._state = self._in_line
            self._in_line(byte)

    def _in_slash_line(self, byte: int) -> None:
        if byte in (CR, LF):
            self._finish_slash_line()
        elif byte in (STX, SLASH):
            self._restart_at_last_byte(byte)
        elif len(self._raw) > LINE_LIMIT:
            self._skip()

    def _in_option_select(self, byte: int) -> None:
        if byte in (CR, LF):
            text = self._text()[1:]
            if len(text) == 4:  # three characters and the line end
                self._found.append(Request(text[:3]))
                self._restart()
            else:
                self._skip()
        elif byte in (STX, SLASH):
            self._restart_at_last_byte(byte)
        elif len(self._raw) > 5:
            # No option select is that long: the ACK was noise before something else.
            self.skipped += 1
            del self._raw[:1]
            self._state = self._in_line

    def _in_block(self, byte: int) -> None:
        if byte == ETX:
            self._state = self._at_bcc
        elif byte == STX or (byte == SLASH and self._may_begin_here()):
            if b"(" in self._raw:
                self._give_up(
                    IncompleteError, "incomplete", "a new message begins inside the last", keep_last=True
                )
            self._restart_at_last_byte(byte)
        elif byte in (CR, LF) and b"(" not in self._raw and self._text()[1:].strip():
            # No data set has begun, so the STX was turn-around noise before a short answer.
            self._finish_line()
        elif len(self._raw) > BLOCK_LIMIT:
            self._give_up(FrameError, "length", f"no end of the data message within {BLOCK_LIMIT} bytes")

    def _may_begin_here(self) -> bool:
        """Whether a slash inside a block begins a message: no code holds one, and no line starts with one."""
        return b"(" not in self._raw or self._raw[-2] & 0x7F in (CR, LF)

    def _at_bcc(self, byte: int) -> None:
        block = self._text()[1:-1]
        self._finish_block(judge_bcc(block, byte, self._usual_bcc))

    def _in_line(self, byte: int) -> None:
        if byte in (CR, LF):
            self._finish_line()
        elif byte == STX or (byte == SLASH and not self._in_parentheses):
            self._end_stray_line()
            self._restart_at_last_byte(byte)
        elif byte in _PARENTHESES:
            self._in_parentheses = byte == _PARENTHESES[0]
        elif len(self._raw) > LINE_LIMIT:
            self._skip()

    # --- ends ---

    def _text(self) -> bytes:
        return strip_parity(bytes(self._raw))

    def _restart(self) -> None:
        self._raw.clear()
        self._in_parentheses = False
        self._state = self._idle

    def _skip(self) -> None:
        self.skipped += len(self._raw)
        self._restart()

    def _restart_at_last_byte(self, byte: int) -> None:
        self.skipped += max(0, len(self._raw) - 1)
        del self._raw[:-1]
        self._idle(byte)

    def _give_up(self, kind: type[FrameError], reason: str, detail: str, *, keep_last: bool = False) -> None:
        kept = self._raw[-1:] if keep_last else bytearray()
        self._found.append(kind(reason, detail, bytes(self._raw[: len(self._raw) - len(kept)])))
        self._raw[:] = kept
        if not keep_last:
            self._state = self._idle

    def _damaged(self) -> bool:
        errors = count_parity_errors(bytes(self._raw))
        if errors:
            self._give_up(FrameError, "parity", f"{errors} of {len(self._raw)} bytes have wrong parity")
        return bool(errors)

    def _finish_block(self, bcc: Bcc) -> None:
        if self._damaged():
            return
        text = self._text()[1:]
        if bcc is Bcc.BAD:
            self._give_up(
                ChecksumError,
                "checksum",
                f"the block check character {text[-1]:02X} fits neither computation",
            )
            return
        body = text if bcc is Bcc.ABSENT else text[:-2]
        self._found.append(DataBlock(body, bcc))
        self._restart()

    def _finish_slash_line(self) -> None:
        text = self._text().rstrip(b"\r\n")
        if _SHORT_REQUEST.match(text) and _DIGITS.search(text, 3):
            # An echo whose line end got lost, and the answer right behind it.
            self._found.append(Request(text[:3]))
            del self._raw[:3]
            self._finish_line()
        elif text[1:2] in (b"?", b"#"):
            self._found.append(Request(text))
            self._restart()
        elif len(text) < 5 or not text[1:4].isalpha() or not text[4:].decode("ascii").isprintable():
            self.skipped += 1
            del self._raw[:1]
            self._finish_line()
        elif not self._damaged():
            self._drop_lines()
            identification = parse_identification(text.decode("ascii"))
            self._usual_bcc = usual_bcc(identification.manufacturer)
            self._found.append(identification)
            self._restart()

    def _end_slash_line(self) -> None:
        if self._text()[1:2] in (b"?", b"#"):
            self._finish_slash_line()  # a request needs no line end
        elif len(self._raw) > 1:
            self._give_up(IncompleteError, "incomplete", "the identification breaks off before its end")

    def _finish_line(self, *, ended: bool = True) -> None:
        noise = leading_noise(self._text())
        self.skipped += noise
        del self._raw[:noise]
        text = self._text().rstrip(b"\r\n")
        if place := swallowed_identification(text):
            # The line was cut off, and the next message came right behind it.
            self._lines.append(text[:place])
            self._drop_lines()
            del self._raw[:place]
            self._finish_slash_line()
        elif b"(" in text or text.lstrip().startswith(b"!"):
            if not self._damaged():
                self._take_data_line(text)
        elif _DIGITS.search(text):
            self._drop_lines()
            if not self._damaged():
                self._found.append(ShortLine(text, ended))
                self._restart()
        elif self._lines and text.decode("ascii").isprintable():
            self._take_data_line(text)
        else:
            self._skip()

    def _take_data_line(self, text: bytes) -> None:
        self._lines.append(text)
        self._lines_length += len(text) + 2
        if text.rstrip().endswith(b"!") or text.lstrip().startswith(b"!"):
            self._found.append(DataBlock(b"\r\n".join(self._lines), Bcc.ABSENT))
            self._lines.clear()
            self._lines_length = 0
        elif self._lines_length > BLOCK_LIMIT:
            self._drop_lines()
        self._restart()

    def _end_stray_line(self) -> None:
        """A new frame begins inside a line: the line itself is noise, unless it held values."""
        if _DIGITS.search(self._text()[:-1]):
            self._found.append(
                IncompleteError("incomplete", "a new message begins inside the last", bytes(self._raw[:-1]))
            )
            del self._raw[:-1]

    def _drop_lines(self) -> None:
        if self._lines:
            given_up = b"\r\n".join(self._lines)
            self._lines.clear()
            self._lines_length = 0
            self._found.append(
                IncompleteError("incomplete", "the data sets end without a closing '!'", given_up)
            )
