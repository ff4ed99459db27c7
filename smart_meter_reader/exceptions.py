"""The error tree: one class per consequence. Who branches, branches on a class; ``reason`` is for people.

========================  ==================================================================
SettingsError             the process ends with 78; systemd does not restart it
TransportError            the port or connection is gone or silent: reopen it with backoff
  LostError               it was open and is gone: whatever was to be asked, stop asking
  AbsentError             it is not there: behind a LostError, that is no news
  NoTelegramError         it is there, and no telegram comes: another kind of meter may be behind it
  MeterSilentError        the port is well, the meter is not: ask it less often, or for less
    NothingHeardError     not even an echo: nothing says that there is a meter
ProtocolError             bytes arrived and were wrong: drop the frame, retry, then reopen
  UnusableAnswersError    no repeat helped: do without this answer, ask for the next
  LoggerRefusedError      the meter says that it gives no rows of a logger: ask for the next thing
    NotInLoggerError      ... these: ask again which it has
    NoSuchLoggerError     ... any: never ask again
  WrongMeterError         another meter answers: read nothing of it until the settings say so
  FrameError              one frame is damaged: count it, take the next
    ChecksumError         ... it is whole, and not as it was sent
    IncompleteError       ... its beginning or end is missing
    MalformedError        ... nothing but its sense tells: tell that sense
DecryptionError           status ``alert`` with the reason; keep listening
  OtherProtocolError      it is a frame of another protocol: no key opens it
  ReplayedError           one among good ones is no alert
  WrongTagError           authentication has failed, and was not just left out
    DamagedCipherError    ... by damage on the way: one among good ones is no alert
ValueFormatError          one value made no sense: leave out that one quantity
SinkError                 restart that sink only
  NeedsAPersonError       it does not mend itself: try seldom, tell it each time it is new
    LoginRefusedError     trying again may get us banned: not before minutes have passed
RecordingEndedError       all of it was played: end, as after a success
InternalError             a fault of this program, told where an error of the world could be
  ForbiddenCommandError   it was about to send what a reader never sends: nothing has been sent
========================  ==================================================================

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

    @property
    def by_hand(self) -> str:
        """The detail for a person whose command ends with this error, and who is on the spot."""
        return self.detail


class WordedError(ExplainedError):
    """One that a page tells in the language of whoever looks: by its ``kind``, with ``facts`` in the places.

    ``sentence`` is the English one, with the same places. Facts are texts, and numbers as they are.
    """

    def __init__(self, reason: str, kind: str, sentence: str, /, **facts: str | int) -> None:
        told = {key: printable(fact) if isinstance(fact, str) else fact for key, fact in facts.items()}
        super().__init__(reason, sentence.format(**told))
        self.kind = kind
        self.facts: dict[str, str | int] = told


class InternalError(ExplainedError):
    """A fault of this program, in the words in which a person is told of it."""


class ForbiddenCommandError(InternalError):
    """A command that is not on the list of what may be sent to a meter. It was not sent."""


class TransportError(ExplainedError):
    """The port or connection could not be opened, was lost, or stayed silent."""


class LostError(TransportError):
    """The port or connection was open and is gone. The service opens it again, a command does not."""

    def __init__(self, reason: str, detail: str, by_hand: str = "") -> None:
        super().__init__(reason, detail)
        self._by_hand = printable(by_hand)

    @property
    def by_hand(self) -> str:
        return self._by_hand or self.detail


class AbsentError(TransportError):
    """The port is not there, or nobody answers at its address: behind a ``LostError`` no other trouble."""


class NoTelegramError(TransportError):
    """The port is there, and nothing good comes from a meter that should send by itself."""


class MeterSilentError(TransportError):
    """The port is there, and whatever was sent or awaited, no answer of a meter came."""


class NothingHeardError(MeterSilentError):
    """Not a byte came back, not even an echo."""


class ProtocolError(ExplainedError):
    """Bytes arrived that the protocol does not allow at this place."""


class UnusableAnswersError(ProtocolError):
    """Each answer to a request and its repeats was damaged, or answered something else."""


class LoggerRefusedError(ProtocolError):
    """A whole answer says that the meter gives no rows of a logger: its memory failed, say."""


class NotInLoggerError(LoggerRefusedError):
    """The logger is empty, or does not hold (or no longer holds) what was asked for."""


class NoSuchLoggerError(LoggerRefusedError):
    """The meter does not have this logger."""


class WrongMeterError(ProtocolError):
    """A meter answers that is not the one in the settings."""


class FrameError(ProtocolError):
    """A damaged frame. ``reason`` is its kind: checksum, stuffing, length, ...

    The reader that raised it has already resynchronised; ``frame`` holds the bytes given up.
    """

    def __init__(self, reason: str, detail: str, frame: bytes = b"") -> None:
        super().__init__(reason, detail)
        self.frame = frame


class ChecksumError(FrameError):
    """A frame from beginning to end, with a checksum that is wrong or missing."""


class IncompleteError(FrameError):
    """A frame whose beginning or end is missing."""


class MalformedError(FrameError):
    """A whole frame without a checksum that could vouch for what makes no sense in it."""


class DecryptionError(ExplainedError):
    """A frame arrived whole and could not be decrypted or authenticated."""


class OtherProtocolError(DecryptionError):
    """The frame is one of another protocol, so that no key opens it."""


class ReplayedError(DecryptionError):
    """A frame that came before: a repeated or recorded one."""


class WrongTagError(DecryptionError):
    """The tag of a frame is not the one that our keys give: another key, or other bytes."""


class DamagedCipherError(WrongTagError):
    """The keys are right, so that the frame was damaged on the way."""


class ValueFormatError(MeterReaderError):
    """One value cannot be read; its neighbours can. The message is made printable and bounded."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message, LONGEST_MESSAGE))


class SinkError(ExplainedError):
    """A sink cannot deliver; only that sink is restarted."""


class NeedsAPersonError(SinkError):
    """Somebody has to change a setting or the server: trying again in a minute helps nobody."""


class LoginRefusedError(NeedsAPersonError):
    """The server does not let us in as who we say we are. Many such attempts may get our address banned."""


class RecordingEndedError(ExplainedError):
    """The recording that stands in for a meter is over: nothing was lost, and nothing more will come."""
