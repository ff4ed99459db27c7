"""The error tree: one class per consequence.

====================  ======================================================================
SettingsError         the process ends with 78; systemd does not restart it
TransportError        the port or connection is gone or silent: reopen it with backoff
ProtocolError         bytes arrived and were wrong: drop the frame, retry, then reopen
ValueFormatError      one value made no sense: leave out that one quantity
DecryptionError       status ``alert`` with the reason; keep listening
SinkError             restart that sink only
====================  ======================================================================

Anything else is a bug, and stays in its room (``rooms``): the meter's status is ``alert internal_error``, and
that client or sink alone is started again with backoff. A meter repeats what it says, so a process that ended
would end again, and take all others along.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from smart_meter_reader.text import printable

# Of one value among others: it may be of thousands of characters, and one line of the log tells it.
LONGEST_MESSAGE: Final = 300


class MeterReaderError(Exception):
    """Base of all errors that this package raises on purpose."""


class SettingsError(MeterReaderError):
    """The settings cannot be used. ``problems`` holds one line for a person per problem."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(map(printable, problems))
        super().__init__("\n".join(self.problems))


class ExplainedError(MeterReaderError):
    """An error that becomes a status: ``reason`` is a short stable word, ``detail`` a sentence for a person.

    The detail says what was seen and what to do about it. What was seen may be anything, so it is made
    printable and bounded here, once for all statuses, log lines and terminals.
    """

    def __init__(self, reason: str, detail: str) -> None:
        detail = printable(detail)
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class TransportError(ExplainedError):
    """The port or connection could not be opened, was lost, or stayed silent."""


class ProtocolError(ExplainedError):
    """Bytes arrived that the protocol does not allow at this place."""


class FrameError(ProtocolError):
    """A damaged frame. ``reason`` is its kind: checksum, stuffing, length, ...

    The reader that raised it has already resynchronised; ``frame`` holds the bytes given up.
    """

    def __init__(self, reason: str, detail: str, frame: bytes = b"") -> None:
        super().__init__(reason, detail)
        self.frame = frame


class DecryptionError(ExplainedError):
    """A frame arrived whole and could not be decrypted or authenticated."""


class ValueFormatError(MeterReaderError):
    """One value cannot be read; its neighbours can. The message is made printable and bounded."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message, LONGEST_MESSAGE))


class SinkError(ExplainedError):
    """A sink cannot deliver; only that sink is restarted."""


class RecordingEndedError(ExplainedError):
    """The recording that stands in for a meter is over: nothing was lost, and nothing more will come."""
