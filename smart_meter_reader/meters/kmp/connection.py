"""A conversation with a KMP meter: requests out, answers in, repeats, and words for what went wrong.

Usable without settings or pipeline::

    async with KmpConnection("/dev/ttyUSB0") as meter:
        registers = await meter.read_registers([60, 68])
        print(registers[60].value, registers[60].unit)

What is heard after one request is judged in ``kmp_answer``; here is what follows from it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from smart_meter_reader.codecs.kmp import (
    HEAT_METER,
    MAX_REGISTERS,
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
from smart_meter_reader.exceptions import MeterSilentError, ProtocolError
from smart_meter_reader.meters.conversation import Conversation, LineCounters
from smart_meter_reader.meters.kmp.lines import OPTICAL_LINE
from smart_meter_reader.meters.kmp.listening import Attempt, explain_silence
from smart_meter_reader.transport import LineSettings
from smart_meter_reader.transport.ports import other_readers

_log = logging.getLogger(__name__)

# So many answers to earlier requests are waited for before the own one, within one attempt.
_MOST_LATE_ANSWERS = 3
# So often, what may have been a damaged answer is asked for again without waiting for another.
_HASTY_ATTEMPTS = 2

# An answer comes byte by byte for most of a second. If it is as long as the last one to the same request, it
# is slept through but for its last byte, which is missing when one byte less is stuffed this time.
_KEPT_AWAKE = 1

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
        self._usual_lengths: dict[Request, int] = {}  # of the last answer to each

    async def read_type(self, *, retries: int | None = None) -> GetTypeResponse:
        """Meter type and software revision."""
        return await self._ask(GetTypeRequest(), GetTypeResponse, retries)

    async def read_serial_number(self, *, retries: int | None = None) -> int:
        """The serial number printed on the meter."""
        return (await self._ask(GetSerialNoRequest(), GetSerialNoResponse, retries)).serial_number

    async def read_registers(self, registers: Iterable[int]) -> dict[int, RegisterValue]:
        """The registers that the meter knows, by id; the others are not in the dict.

        Raises TransportError, and MeterSilentError or UnusableAnswersError when the repeats did not help.
        """
        wanted = list(dict.fromkeys(registers))
        found: dict[int, RegisterValue] = {}
        for start in range(0, len(wanted), MAX_REGISTERS):
            found |= await self._read_batch(wanted[start : start + MAX_REGISTERS])
        return found

    async def try_once(self, request: Request) -> Attempt:
        """Send a request once; what was heard. For tools that watch the line. Raises TransportError.

        Unlike a repeat of ``read_registers`` it waits for no late answer: to whoever watches the line, that
        is an answer too.
        """
        return await self._attempt(request, encode_request(request, self._address), self._timing.answer)

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

    async def _ask(self, request: Request, kind: type[_Answer], retries: int | None) -> _Answer:
        """Send a request until it is answered, and not more often than allowed."""
        attempts = 1 + (self._retries if retries is None else retries)
        frame = encode_request(request, self._address)
        self._let_pass(request)
        heard: list[Attempt] = []
        for attempt in range(attempts):
            self.counters.retries += attempt > 0
            patience = self._timing.answer if attempt else self._timing.first_answer
            listening = await self._attempt(request, frame, patience, hasty=attempt < _HASTY_ATTEMPTS)
            if isinstance(listening.answer, kind):
                return listening.answer
            heard.append(listening)
        raise explain_silence(heard, self.port, " and ".join(map(str, other_readers(self.port))))

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
        listening = Attempt(request, frame, under_way=under_way, hasty=hasty)
        slow_answer = self._timing.slow_answer
        patience_ends = until = transport.sent_at + (slow_answer if self._slow else patience)
        usual_length = self._usual_lengths.get(request, 0)
        while listening.answer is None:
            received = await transport.read_before(until)
            if not received:
                listening.give_up()
                break
            listening.receive(received)
            rest = listening.missing(usual_length) - _KEPT_AWAKE
            if rest > 0:
                await transport.let_arrive(rest)
                # What has arrived is read before hope ends. Only once, since babble begins many answers.
                patience_ends = max(patience_ends, loop.time() + self._timing.gap)
                usual_length = 0
            # Late answers come in the order of their requests: ours is behind each that has come.
            behind_others = patience_ends + slow_answer * min(listening.strangers, _MOST_LATE_ANSWERS)
            until = self._hope_ends(listening, loop.time(), behind_others)
        self._note(listening, request, started, loop.time())
        return listening

    def _hope_ends(self, listening: Attempt, now: float, patience_ends: float) -> float:
        """Until when to wait for more, having heard what was heard; whatever babbles on the line, it ends."""
        timing, line = self._timing, self._line
        longest = line.seconds(listening.longest_answer)
        if listening.in_answer:
            return min(now + timing.gap, patience_ends + max(longest, timing.trickle))
        if listening.answer_is_over:
            return min(now + timing.quiet + line.seconds(3), patience_ends + longest)
        return patience_ends

    def _others_under_way(self, request: Request, now: float) -> list[Request]:
        """The other requests whose answers may still come."""
        self._unanswered = {
            other: sent for other, sent in self._unanswered.items() if now - sent < self._timing.late
        }
        return [other for other in self._unanswered if other != request]

    def _note(self, listening: Attempt, request: Request, started: float, now: float) -> None:
        counters = self.counters
        counters.damaged_frames += listening.damaged
        counters.late_answers += listening.strangers
        counters.skipped_bytes += listening.skipped_bytes
        self._slow = self._slow or listening.strangers > 0
        if listening.answer is not None:
            counters.latency = now - started
            self._usual_lengths[request] = listening.answer_length
            self._answered_at = now
            self._quiet_at = now + self._line.seconds(1)
            self._slow = self._slow and counters.latency > self._timing.answer
        elif not listening.answer_came:
            self._unanswered[request] = started
