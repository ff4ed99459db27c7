"""What is heard after one KMP request: an answer, an echo, noise, damage, somebody else's answer, nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smart_meter_reader.codecs.kmp import (
    START_RESPONSE,
    Frame,
    FrameReader,
    GetRegisterRequest,
    GetRegisterResponse,
    Request,
    Response,
    decode_frame,
    decode_response,
)
from smart_meter_reader.codecs.kmp.frame import MAX_FRAME_LENGTH, content_so_far
from smart_meter_reader.codecs.kmp.loggers import (
    LogAnswer,
    LoggerConfiguration,
    LoggerConfigurationRequest,
    LogIdPastAbsRequest,
    LogIdPresentRequest,
    LogLastEntryPastAbsRequest,
    LogRecords,
    LogTimePastRequest,
    LogTimePresentRequest,
    is_answer_to,
)
from smart_meter_reader.codecs.kmp.loggers.past import least_length
from smart_meter_reader.exceptions import (
    FrameError,
    MeterSilentError,
    NothingHeardError,
    ProtocolError,
    UnusableAnswersError,
)
from smart_meter_reader.meters.kmp.lines import ELECTRICITY_LINE, OPTICAL_LINE

_STOP = 0x0D
# Start, address, CID, two bytes of CRC, stop: whatever is shorter was never an answer.
_SHORTEST_ANSWER = 6
# Register id, unit, number of bytes of the mantissa, SignExp, and a mantissa of one byte.
_SHORTEST_RECORD = 6
# The longest mantissa seen, on the MULTICAL 382.
_LONGEST_MANTISSA = 10
# Eight registers of such, with a third of it stuffed.
_LONGEST_ANSWER = 8 * (5 + _LONGEST_MANTISSA) * 4 // 3 + _SHORTEST_ANSWER
_LOG_ANSWERS = (LogAnswer, LoggerConfiguration, LogRecords)
_LOG_REQUESTS = (
    LoggerConfigurationRequest,
    LogIdPastAbsRequest,
    LogLastEntryPastAbsRequest,
    LogTimePresentRequest,
    LogIdPresentRequest,
    LogTimePastRequest,
)


class Attempt:
    """Judges the bytes that arrive after ``request`` went out as ``frame``. Pure: the caller keeps the time.

    Answers are told apart by command and register ids. ``under_way`` are other requests whose answers may
    still come: an answer that lacks registers of this request and could be the answer to one of those is not
    believed.
    ``hasty``: noise that ends like an answer is taken for one that was damaged at its start, so that the
    caller need not wait. It can also be noise, or the echo that the head damages every time.
    """

    def __init__(
        self, request: Request, frame: bytes, *, under_way: Iterable[Request] = (), hasty: bool = True
    ) -> None:
        self.answer: Response | None = None
        self.echo = False
        self.damaged = 0
        self.strangers = 0  # whole answers to something else
        self.heard = 0  # bytes of any kind
        registers = request.registers if isinstance(request, GetRegisterRequest) else ()
        self._shortest_answer = _SHORTEST_ANSWER + _SHORTEST_RECORD * len(registers)
        self._has_rows = isinstance(request, LogIdPastAbsRequest | LogLastEntryPastAbsRequest)
        self.longest_answer = len(frame) + longest_answer(request)  # with an echo of the request
        self.answer_came = False  # certainly, though damaged
        self.answer_is_over = False  # what arrived was an answer once, as it seems, and has ended
        self._request = request
        self._sent = decode_frame(frame)
        self._under_way = [
            frozenset(other.registers) for other in under_way if isinstance(other, GetRegisterRequest)
        ]
        self._hasty = hasty
        self._reader = FrameReader()
        self._begun = False  # the beginning of an answer was cut off by another start byte
        self._address = frame[1]

    @property
    def skipped_bytes(self) -> int:
        return self._reader.skipped_bytes

    @property
    def in_answer(self) -> bool:
        """Whether what looks like an answer has begun and not ended."""
        pending = self._reader.pending
        return self._looks_like_answer(pending) or (self._begun and bool(pending))

    @property
    def to_come(self) -> int:
        """How many bytes are to come, at the least, of an answer that has begun and holds all asked for.

        One that lacks registers can be shorter: it is then known some tenths of a second later.
        """
        if not self.in_answer:
            return 0
        pending = self._reader.pending
        if not self._has_rows:
            return max(0, self._shortest_answer - len(pending))
        content = content_so_far(pending)
        # Of address and CID, two bytes of CRC, and the stop byte.
        return max(0, 2 + least_length(content[2:]) + 3 - len(content))

    def receive(self, received: bytes) -> None:
        """Judge what arrived; ``answer`` is there when it was the answer."""
        self.heard += len(received)
        self._reader.receive_data(received)
        while self.answer is None:
            try:
                frame = self._reader.next_frame()
            except FrameError as error:
                self._note_damage(error.frame)
                continue
            if frame is None:
                break
            if isinstance(frame, Frame):
                self._judge(frame)
        # An answer whose start byte was hit is skipped as noise; its stop byte gives it away.
        if self._hasty and self.skipped_bytes >= _SHORTEST_ANSWER and received[-1] == _STOP:
            self.answer_is_over = True

    def give_up(self) -> None:
        """The time is over: what has begun will not end."""
        self.answer_came |= self.in_answer
        if self.in_answer or (self.answer_is_over and not self.damaged):
            self.damaged += 1

    def _judge(self, frame: Frame) -> None:
        if frame.direction == "request":
            # The head's echo of this request; any other request is some other reader's on the same meter.
            self.echo = self.echo or frame == self._sent
            return
        try:
            answer = decode_response(frame)
        except ProtocolError:
            self.damaged += 1
            self.answer_came = self.answer_is_over = True
            return
        if self._answers(answer, frame):
            self.answer = answer
        else:
            self.strangers += 1

    def _answers(self, answer: Response, frame: Frame) -> bool:
        if frame.address != self._address:
            return False
        if isinstance(answer, _LOG_ANSWERS) and isinstance(self._request, _LOG_REQUESTS):
            return is_answer_to(self._request, answer)
        if answer.CID != self._request.CID:
            return False
        if not isinstance(answer, GetRegisterResponse) or not isinstance(self._request, GetRegisterRequest):
            return True
        answered, wanted = {value.register for value in answer.registers}, set(self._request.registers)
        if answered < wanted and any(answered <= others for others in self._under_way):
            return False
        return answered <= wanted

    def _note_damage(self, raw: bytes) -> None:
        if self._begun or (raw[0] == START_RESPONSE and len(raw) >= _SHORTEST_ANSWER):
            self.damaged += 1
            self.answer_came |= self._begun or self._looks_like_answer(raw)
            self.answer_is_over |= self._hasty or self.answer_came
            self._begun = False
        elif self._looks_like_answer(raw):
            # Too short to be all of it: noise, or an answer in which a byte became a start byte.
            self._begun = True

    def _looks_like_answer(self, raw: bytes) -> bool:
        # One byte can be noise still; from the second on the address must be right.
        return raw[:2] == bytes((START_RESPONSE, self._address))


def longest_answer(request: Request) -> int:
    """How many bytes an answer has at the most, all but impossible ones."""
    if not isinstance(request, LogIdPastAbsRequest | LogLastEntryPastAbsRequest):
        return _LONGEST_ANSWER
    rows = len(request.registers) * (5 + request.entries * _LONGEST_MANTISSA)
    return min(MAX_FRAME_LENGTH, _LONGEST_ANSWER + rows * 4 // 3)


def explain_silence(
    heard: Sequence[Attempt], port: str, other_readers: str = "", baud: int = OPTICAL_LINE.baud
) -> MeterSilentError | UnusableAnswersError:
    """The error for a request that stayed without an answer through all its repeats.

    ``other_readers`` names processes that have the port open as well; ``baud`` is how fast it was asked.
    """
    error = _explain(heard, port)
    hints = ""
    # A serial server has its speed set elsewhere.
    if isinstance(error, MeterSilentError) and baud != ELECTRICITY_LINE.baud and "socket://" not in port:
        hints = (
            f"; a 382 speaks faster: baud = {ELECTRICITY_LINE.baud}, stopbits = {ELECTRICITY_LINE.stopbits}"
        )
    if other_readers:
        hints += f"; and stop {other_readers}, since two readers take each other's bytes"
    return type(error)(error.reason, error.detail + hints)


def _explain(heard: Sequence[Attempt], port: str) -> MeterSilentError | UnusableAnswersError:
    times = "once" if len(heard) == 1 else f"{len(heard)} times"
    damaged = sum(attempt.damaged for attempt in heard)
    if damaged:
        return UnusableAnswersError(
            "damaged_answers",
            f"{port}: asked {times}, {damaged} answers came damaged: move the head by a millimetre or two on "
            "the meter, turn it, and keep light off it",
        )
    if any(attempt.strangers for attempt in heard):
        return UnusableAnswersError(
            "strange_answers",
            f"{port}: asked {times}, what came answers something else: stop whatever else reads this meter, "
            "or give a slow one more time by answer_timeout",
        )
    if any(attempt.echo for attempt in heard):
        return MeterSilentError(
            "echo_only",
            f"{port}: asked {times}, the head returns what is sent but the meter does not answer: put the "
            "head onto the meter's optical eye, and press a key on the meter to wake it",
        )
    if any(attempt.heard for attempt in heard):
        return UnusableAnswersError(
            "damaged_answers",
            f"{port}: asked {times}, nothing came but noise: check speed and stop bits, and move the head",
        )
    return NothingHeardError(
        "no_echo_no_answer", f"{port}: asked {times}, no echo and no answer: {_advice(port)}"
    )


def _advice(port: str) -> str:
    if "://" in port:
        return (
            "check adapter and line settings at the serial server and the head's place on the meter's "
            "optical eye, and press a key on the meter to wake it"
        )
    return (
        "check the cable and the head's place on the meter's optical eye, and press a key on the meter to "
        "wake it"
    )
