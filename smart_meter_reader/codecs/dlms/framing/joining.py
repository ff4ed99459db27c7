"""From frames to APDUs: segments of HDLC, general block transfer, numbered pieces of M-Bus.

DLMS UA 1000-2 (Green Book) 8.4.3.6 (segmentation), 8.3.2 (LLC: E6 E7 00 before an APDU), 9.3.13 and 9.4.6.13
(general block transfer)::

    E0 | control | block number, 2 | acknowledged, 2 | length, BER | piece

Control: bit 7 the last block, bit 6 streaming, bits 0 to 5 the window. Block 1 begins anew; a gap, a repeat
or something foreign between drops what was collected. A cipher's header stands in block 1 alone: first
joined, then decrypted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from smart_meter_reader.codecs.dlms.axdr import AxdrError, decode_length, encode_length
from smart_meter_reader.codecs.dlms.framing.frames import ArrivedFrame
from smart_meter_reader.codecs.dlms.framing.hdlc import HdlcFrame
from smart_meter_reader.codecs.dlms.framing.mbus_frame import MbusFrame
from smart_meter_reader.exceptions import FrameError, IncompleteError, MalformedError

LLC: Final = b"\xe6\xe7\x00"
_BLOCK: Final = 0xE0
_LAST_BLOCK: Final = 0x80
_STREAMING: Final = 0x40
_BLOCK_HEADER: Final = 6
# No push is longer; a stream of segments without end is none.
LONGEST_APDU: Final = 16 * 1024


class Joiner:
    """Frames in by ``take``; APDUs and the pieces that were dropped come out of it, in order."""

    def __init__(self) -> None:
        self._segments: list[HdlcFrame] = []
        self._blocks = bytearray()
        self._block = 0  # the number of the last one; 0: none is collected
        self._pieces = bytearray()
        self._sequence = -1  # of the last piece of M-Bus; -1: none is collected

    @property
    def collecting(self) -> bool:
        """Whether something was begun of which the end has not come."""
        return bool(self._segments or self._block or self._sequence >= 0)

    def drop(self, why: str) -> Iterator[FrameError]:
        """Give up what was begun: between its frames was something damaged or foreign."""
        if self.collecting:
            self._segments.clear()
            self._blocks.clear()
            self._pieces.clear()
            self._block, self._sequence = 0, -1
            yield IncompleteError("incomplete", f"a telegram was begun and not ended: {why}")

    def take(self, arrival: ArrivedFrame) -> Iterator[bytes | FrameError]:
        """The APDUs that this frame completes, without LLC at their beginning."""
        frame = arrival.frame
        if isinstance(frame, HdlcFrame):
            yield from self._segment(frame, gap=arrival.gap)
        elif isinstance(frame, MbusFrame):
            yield from self._piece(frame)
        else:
            yield from self.drop("a telegram without frames came between")
            yield frame.raw

    # --- HDLC ---

    def _segment(self, frame: HdlcFrame, *, gap: bool) -> Iterator[bytes | FrameError]:
        if self._sequence >= 0:
            yield from self.drop("a frame of HDLC came between")
        if self._segments:
            first = self._segments[0]
            begins = frame.information.startswith(LLC)
            foreign = (frame.destination, frame.source) != (first.destination, first.source)
            if gap or begins or foreign:
                # Segments have no numbers: only their order on the line tells that none is missing.
                yield from self.drop("another one begins" if begins else "a segment is missing")
                if not begins:
                    return
        self._segments.append(frame)
        if sum(len(each.information) for each in self._segments) > LONGEST_APDU:
            yield from self.drop(f"it has more than {LONGEST_APDU} octets")
        if frame.segmented:
            return
        information = b"".join(each.information for each in self._segments)
        self._segments.clear()
        yield from self._information(information.removeprefix(LLC))

    def _information(self, apdu: bytes) -> Iterator[bytes | FrameError]:
        if apdu[:1] == bytes([_BLOCK]):
            yield from self._transfer(apdu)
            return
        yield from self.drop("a telegram without blocks came between")
        if apdu:
            yield apdu

    def _transfer(self, apdu: bytes) -> Iterator[bytes | FrameError]:
        """One block of a general block transfer."""
        number = int.from_bytes(apdu[2:4], "big")
        try:
            length, place = decode_length(apdu, _BLOCK_HEADER)
        except AxdrError:
            length, place = -1, 0
        if length != len(apdu) - place:
            yield from self.drop("a block is malformed")
            yield MalformedError("malformed", "a block does not hold as many octets as it says", apdu)
            return
        if number == 1:
            yield from self.drop("another one begins at block 1")
        elif number != self._block + 1:
            yield from self.drop(f"block {number} instead of {self._block + 1}")
            yield IncompleteError("incomplete", f"block {number} without those before it", apdu)
            return
        self._block = number
        self._blocks += apdu[place:]
        if len(self._blocks) > LONGEST_APDU:
            yield from self.drop(f"it has more than {LONGEST_APDU} octets")
        elif apdu[1] & _LAST_BLOCK:
            whole = bytes(self._blocks)
            self._blocks.clear()
            self._block = 0
            yield whole.removeprefix(LLC)

    # --- M-Bus ---

    def _piece(self, frame: MbusFrame) -> Iterator[bytes | FrameError]:
        if self._segments or self._block:
            yield from self.drop("a frame of M-Bus came between")
        if not frame.sequence:
            yield from self.drop("another one begins")
        elif frame.sequence != self._sequence + 1:
            yield from self.drop(f"piece {frame.sequence} instead of {self._sequence + 1}")
            yield IncompleteError("incomplete", f"piece {frame.sequence} without those before it", frame.raw)
            return
        self._pieces += frame.piece
        self._sequence = frame.sequence
        if frame.last:
            whole = bytes(self._pieces)
            self._pieces.clear()
            self._sequence = -1
            yield whole.removeprefix(LLC)


def encode_blocks(apdu: bytes, size: int) -> list[bytes]:
    """The apdu in blocks of ``size`` octets, streaming, as Landis+Gyr sends them."""
    pieces = [apdu[begin : begin + size] for begin in range(0, len(apdu), size)]
    return [
        bytes([_BLOCK, _STREAMING | (_LAST_BLOCK if number == len(pieces) else 0)])
        + number.to_bytes(2, "big")
        + bytes(2)
        + encode_length(len(piece))
        + piece
        for number, piece in enumerate(pieces, 1)
    ]
