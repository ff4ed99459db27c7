"""A conversation with a KMP meter: requests out, answers in, repeats, and words for what went wrong.

Usable without settings or pipeline::

    async with KmpConnection("/dev/ttyUSB0") as meter:
        registers = await meter.read_registers([60, 68])
        print(registers[60].value, registers[60].unit)

What is heard after one request is judged in ``listening``; here is what follows from it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from smart_meter_reader.codecs.kmp import (
    HEAT_METER,
    GetRegisterRequest,
    GetRegisterResponse,
    GetSerialNoRequest,
    GetSerialNoResponse,
    GetTypeRequest,
    GetTypeResponse,
    RegisterValue,
    Request,
    Response,
    encode_request,
)
from smart_meter_reader.codecs.kmp.loggers import (
    LogAnswer,
    LoggerConfiguration,
    LoggerConfigurationRequest,
    LogIdPastAbsRequest,
    LogLastEntryPastAbsRequest,
    LogRecords,
    RecordsRequest,
)
from smart_meter_reader.exceptions import MeterSilentError, ProtocolError
from smart_meter_reader.meters.conversation import Conversation, LineCounters, unless_unanswered
from smart_meter_reader.meters.kmp.lines import OPTICAL_LINE
from smart_meter_reader.meters.kmp.listening import Attempt, explain_silence
from smart_meter_reader.meters.kmp.requests import asking, batches
from smart_meter_reader.transport import LineSettings
from smart_meter_reader.transport.ports import named_holders, other_readers

_log = logging.getLogger(__name__)

# So many answers to earlier requests are waited for before the own one, within one attempt.
_MOST_LATE_ANSWERS = 3
# So often, what may have been a damaged answer is asked for again without waiting for another.
_HASTY_ATTEMPTS = 2
# So many bytes may wait unread meanwhile: the system keeps 4096 of a serial line, and loses what is more.
_MOST_UNREAD = 1024

_Answer = TypeVar("_Answer", bound=Response)


@dataclass(frozen=True, slots=True)
class Timing:
    """Waits in seconds. 5512-447 gives the meter 1.6 s to answer, and asks for 1.6 s of rest after an error.

    The rest is for an answer that may still come. Two waits are shorter, because that is taken care of
    otherwise: an answer that came in damaged is asked for again as soon as the line is quiet, since nothing
    is under way any more; and the first repeat of an unanswered request goes out after ``first_answer``,
    since meters answer within 0.4 s and a late answer is told by what it answers. Every later repeat waits
    for ``answer``.
    """

    first_answer: float = 1.0
    answer: float = 1.6
    gap: float = 0.3  # silence inside an answer that means that the rest is lost; above any network jitter
    quiet: float = 0.05  # silence that shows a damaged answer to be over
    late: float = 2.0  # how long an answer to an unanswered request may still be under way
    slow_answer: float = 3.0  # for a meter whose late answers show that it is slow, not deaf
    trickle: float = 10.0  # how much longer an answer may take that comes in pieces with pauses between


class KmpConnection(Conversation):
    """One open line to one KMP meter; see ``Conversation``."""

    def __init__(
        self,
        port: str,
        line: LineSettings = OPTICAL_LINE,
        *,
        address: int = HEAT_METER,
        timing: Timing = Timing(),
        retries: int = 3,
        counters: LineCounters | None = None,
    ) -> None:
        super().__init__(port, line, retries, counters)
        self._address = address
        self._timing = timing
        self._quiet_at = 0.0  # the next request goes out at this time at the earliest
        self._unanswered: dict[Request, float] = {}  # sent without an answer, and when the last time
        self._answered_at = float("-inf")
        self._slow = False  # answers came late and have not come in time since

    async def read_type(self, *, retries: int | None = None) -> GetTypeResponse:
        """Meter type and software revision."""
        return await self._ask(GetTypeRequest(), GetTypeResponse, retries)

    async def read_serial_number(self, *, retries: int | None = None) -> int:
        """The serial number printed on the meter."""
        return (await self._ask(GetSerialNoRequest(), GetSerialNoResponse, retries)).serial_number

    async def read_registers(
        self, registers: Iterable[int], *, doubtful: Collection[int] = ()
    ) -> dict[int, RegisterValue]:
        """The registers that the meter knows, by id; the others are not in the dict.

        ``doubtful``: those of them that the meter may lack. Should it fall silent over them, that costs one
        request.

        Raises TransportError, and MeterSilentError or UnusableAnswersError when the repeats did not help.
        """
        wanted = list(dict.fromkeys(registers))
        found: dict[int, RegisterValue] = {}
        for batch in batches(wanted):
            found |= await self._read_doubtful(batch, [each for each in batch if each in doubtful])
        return found

    async def read_logger_configuration(
        self, logger: int, *, retries: int | None = None
    ) -> LoggerConfiguration:
        """What a logger of the newer generation (B8h) keeps."""
        return await self._ask(LoggerConfigurationRequest(logger), LoggerConfiguration, retries)

    async def read_log(self, request: LogIdPastAbsRequest | LogLastEntryPastAbsRequest) -> LogAnswer:
        """One answer with rows of a logger (B8h): as many as fit into it. See ``loggers.walk`` for more."""
        return await self._ask(request, LogAnswer)

    async def read_records(self, request: RecordsRequest, address: int) -> LogRecords:
        """One answer with records (A0h to A3h) of the logger module at an address."""
        return await self._ask(request, LogRecords, address=address)

    async def try_once(self, request: Request) -> Attempt:
        """Send a request once; what was heard. For tools that watch the line. Raises TransportError.

        Unlike a repeat of ``read_registers`` it waits for no late answer: to whoever watches the line, that
        is an answer too.
        """
        return await self._attempt(request, encode_request(request, self._address), self._timing.answer)

    async def _read_doubtful(self, batch: Sequence[int], doubtful: Sequence[int]) -> dict[int, RegisterValue]:
        """A batch, and without ``doubtful`` where there is no answer to that."""
        sure = [register for register in batch if register not in doubtful]
        if not doubtful or not sure:
            return await self._read_batch(batch)
        awake = self._answered_lately()
        try:
            return await self._ask_registers(batch, retries=0)
        except MeterSilentError:
            found = await self._read_batch(sure)
        except ProtocolError:  # what was heard was damaged, whatever was asked for
            return await self._read_batch(batch)
        if not awake:
            # It may have been asleep only.
            found |= await unless_unanswered(self._ask_registers(doubtful, retries=0)) or {}
        return found

    async def _read_batch(self, batch: Sequence[int]) -> dict[int, RegisterValue]:
        try:
            return await self._ask_registers(batch)
        except MeterSilentError as error:
            # A meter can fall silent over a register that it does not know. One that answers nothing at all
            # is not asked eight times more.
            if len(batch) == 1 or not self._answered_lately():
                raise
            _log.info("%s: no answer to %d registers at once, asking for fewer", self.port, len(batch))
            return await self._search(batch, error)

    async def _search(self, batch: Sequence[int], error: MeterSilentError) -> dict[int, RegisterValue]:
        """Ask for halves of a batch that is not answered, down to the registers that silence the meter."""
        found: dict[int, RegisterValue] = {}
        middle = len(batch) // 2
        silent: list[Sequence[int]] = []
        for half in (batch[:middle], batch[middle:]):
            try:
                found |= await self._ask_registers(half, retries=0)
            except MeterSilentError:
                silent.append(half)
        if len(silent) == 2 and not await self._is_alive():
            raise error
        for half in silent:
            if len(half) > 1:
                found |= await self._search(half, error)
            else:
                _log.info("%s: the meter does not answer when asked for register %d", self.port, half[0])
        return found

    async def _is_alive(self) -> bool:
        try:
            await self.read_serial_number(retries=0)
        except (MeterSilentError, ProtocolError):
            return False
        return True

    def _answered_lately(self) -> bool:
        return asyncio.get_running_loop().time() - self._answered_at < 30.0

    async def _ask_registers(
        self, batch: Sequence[int], *, retries: int | None = None
    ) -> dict[int, RegisterValue]:
        answer = await self._ask(GetRegisterRequest(tuple(batch)), GetRegisterResponse, retries)
        return answer.by_id()

    async def _ask(
        self, request: Request, kind: type[_Answer], retries: int | None = None, address: int | None = None
    ) -> _Answer:
        """Send a request until it is answered, and not more often than allowed."""
        attempts = 1 + (self._retries if retries is None else retries)
        frame = encode_request(request, self._address if address is None else address)
        self._let_pass(request)
        heard: list[Attempt] = []
        for number in range(attempts):
            self.counters.retries += number > 0
            self.counters.doing = asking(request, number, attempts)
            patience = self._timing.answer if number else self._timing.first_answer
            attempt = await self._attempt(request, frame, patience, hasty=number < _HASTY_ATTEMPTS)
            if isinstance(attempt.answer, kind):
                return attempt.answer
            heard.append(attempt)
        rivals = named_holders(other_readers(self.port))
        raise explain_silence(heard, self.port, rivals, self._line.baud)

    def _let_pass(self, request: Request) -> None:
        """Let a late answer to an earlier, equal request pass first: nothing in it tells them apart."""
        if request in self._unanswered:
            self._quiet_at = max(self._quiet_at, self._unanswered.pop(request) + self._timing.late)

    async def _attempt(
        self, request: Request, frame: bytes, patience: float, *, hasty: bool = True
    ) -> Attempt:
        """Send once and listen until there is an answer or no hope for one; ``hasty`` as in ``Attempt``."""
        transport, loop = self._open(), asyncio.get_running_loop()
        # 5512-447, 3.1: at least one byte time between an answer and the next request. Where none is needed
        # this is still a turn of the loop, in which what has arrived unasked comes in, to be discarded.
        await asyncio.sleep(self._quiet_at - loop.time())
        self.counters.skipped_bytes += transport.discard_input()
        self.counters.requests += 1
        started = loop.time()
        await transport.write(frame)
        under_way = self._others_under_way(request, started)
        attempt = Attempt(request, frame, under_way=under_way, hasty=hasty)
        slow_answer = self._timing.slow_answer
        patience_ends = until = transport.sent_at + (slow_answer if self._slow else patience)
        while attempt.answer is None:
            received = await transport.read_before(until)
            if not received:
                attempt.give_up()
                break
            attempt.receive(received)
            if attempt.to_come:  # waking for each of its bytes costs more than all the rest of a reading
                await transport.let_arrive(min(attempt.to_come, _MOST_UNREAD))
            # Late answers come in the order of their requests: ours is behind each that has come.
            behind_others = patience_ends + slow_answer * min(attempt.strangers, _MOST_LATE_ANSWERS)
            until = self._hope_ends(attempt, loop.time(), behind_others)
        self._note(attempt, request, started, loop.time())
        return attempt

    def _hope_ends(self, attempt: Attempt, now: float, patience_ends: float) -> float:
        """Until when to wait for more, having heard what was heard; whatever babbles on the line, it ends."""
        timing, line = self._timing, self._line
        longest = line.seconds(attempt.longest_answer)
        if attempt.in_answer:
            return min(now + timing.gap, patience_ends + max(longest, timing.trickle))
        if attempt.answer_is_over:
            return min(now + timing.quiet + line.seconds(3), patience_ends + longest)
        return patience_ends

    def _others_under_way(self, request: Request, now: float) -> list[Request]:
        """The other requests whose answers may still come."""
        self._unanswered = {
            other: sent for other, sent in self._unanswered.items() if now - sent < self._timing.late
        }
        return [other for other in self._unanswered if other != request]

    def _note(self, attempt: Attempt, request: Request, started: float, now: float) -> None:
        counters = self.counters
        counters.damaged_frames += attempt.damaged
        counters.late_answers += attempt.strangers
        counters.skipped_bytes += attempt.skipped_bytes
        self._slow = self._slow or attempt.strangers > 0
        if attempt.answer is not None:
            counters.latency = now - started
            self._answered_at = now
            self._quiet_at = now + self._line.seconds(1)
            self._slow = self._slow and counters.latency > self._timing.answer
        elif not attempt.answer_came:
            self._unanswered[request] = started
