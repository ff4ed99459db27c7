"""What came on one M-Bus request: an answer, the converter's echo, a collision, noise, or nothing. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from smart_meter_reader.codecs.mbus.frame import (
    ANY,
    SELECTED,
    Frame,
    FrameReader,
    LongFrame,
    ShortFrame,
    SingleCharacter,
)
from smart_meter_reader.exceptions import FrameError

_GROUPS = (ANY, SELECTED)


@dataclass(slots=True)
class HeardOnBus:
    """One request and what came on it. Give bytes to ``receive``; ``is_done`` says that no more is needed."""

    sent: ShortFrame | LongFrame
    wants_ack: bool
    answer: LongFrame | None = None
    ack: bool = False
    echo: bool = False
    strangers: int = 0  # whole frames that answer something else, or of another reader
    damage: FrameError | None = None  # the last frame that came damaged
    count: int = 0  # of bytes
    _reader: FrameReader = field(default_factory=FrameReader)

    @property
    def is_done(self) -> bool:
        """Whether what was asked for has come."""
        return self.ack if self.wants_ack else self.answer is not None

    @property
    def is_silent(self) -> bool:
        """Whether nothing came but, perhaps, the echo."""
        return not (self.ack or self.answer or self.strangers or self.is_garbled)

    @property
    def is_garbled(self) -> bool:
        """Whether something came that is no frame: several at once, a wrong speed, or noise."""
        return self.damage is not None or self._reader.skipped_bytes > 0

    @property
    def skipped_bytes(self) -> int:
        """How many bytes were part of no frame."""
        return self._reader.skipped_bytes

    def receive(self, received: bytes) -> None:
        """Take bytes from the line."""
        self.count += len(received)
        self._reader.receive_data(received)
        self._drain()

    def give_up(self) -> None:
        """Nothing more comes: what looked like the begin of a frame was not, or is lost."""
        self._reader.finish()
        self._drain()

    def _drain(self) -> None:
        while not self.is_done:
            try:
                frame = self._reader.next_frame()
            except FrameError as error:
                self.damage = error
                continue
            if frame is None:
                return
            self._judge(frame)

    def _judge(self, frame: Frame) -> None:
        if frame == self.sent:
            self.echo = True
        elif isinstance(frame, SingleCharacter):
            self.ack = True
        elif isinstance(frame, LongFrame) and not frame.from_reader and not self.wants_ack:
            if self._is_from_whom_was_asked(frame):
                self.answer = frame
            else:
                self.strangers += 1
        else:
            self.strangers += 1

    def _is_from_whom_was_asked(self, frame: LongFrame) -> bool:
        """A meter that was asked for by something else than its address tells its own; some tell 0."""
        return self.sent.address in _GROUPS or frame.address in (self.sent.address, 0)
