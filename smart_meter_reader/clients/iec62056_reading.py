"""What a reading of an IEC 62056-21 meter is made of: confirmed answers, scaled, by quantity."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from smart_meter_reader.clients.iec62056_line import MeterLine
from smart_meter_reader.codecs.iec62056_21.agreement import Agreement, compare_answers, compare_data_sets
from smart_meter_reader.codecs.iec62056_21.bcc import Bcc
from smart_meter_reader.codecs.iec62056_21.capture import Readout
from smart_meter_reader.codecs.iec62056_21.codes import quantity_of
from smart_meter_reader.codecs.iec62056_21.multical import SINGLE_LINE, ShortAnswer
from smart_meter_reader.exceptions import ProtocolError

_log = logging.getLogger(__name__)

_A = TypeVar("_A")

# Answers asked for until two in succession agree: a counter that moves on costs one more, damage two.
_ANSWERS = 6


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An answer that counts, and the names of the fields or codes in it that do not."""

    answer: ShortAnswer | Readout
    unsteady: frozenset[str] = frozenset()

    def doubtful_quantities(self) -> set[str]:
        """The quantities of the fields that do not count."""
        if isinstance(self.answer, ShortAnswer):
            fields = SINGLE_LINE[self.answer.request]
            return {field.quantity for field in fields if field.name in self.unsteady}
        doubtful = (data_set for data_set in self.answer.sets if data_set.code in self.unsteady)
        return {quantity_of(data_set.code, data_set.values[0]) or "" for data_set in doubtful}


async def confirmed_answer(line: MeterLine, request: str) -> Confirmed:
    """The answer to a short request, confirmed by a second one: see ``agreement``.

    Raises ProtocolError ``contradicting_answers`` when no two answers in succession agree.
    """
    answer, agreement = await _confirm(lambda: line.ask_short(request), compare_answers, line, request)
    return Confirmed(answer, frozenset(agreement.unsteady))


async def confirmed_readout(line: MeterLine, read_out: Callable[[], Awaitable[Readout]]) -> Confirmed:
    """A readout with a right block check character, or one that a second one confirms."""
    first = await read_out()
    if first.bcc in (Bcc.SUM, Bcc.XOR):
        return Confirmed(first)
    pending: list[Readout] = [first]

    async def next_readout() -> Readout:
        return pending.pop() if pending else await read_out()

    answer, agreement = await _confirm(
        next_readout,
        lambda one, other: compare_data_sets(one.sets, other.sets),
        line,
        "the readout",
    )
    return Confirmed(answer, frozenset(agreement.unsteady))


async def _confirm(
    ask: Callable[[], Awaitable[_A]], compare: Callable[[_A, _A], Agreement], line: MeterLine, what: str
) -> tuple[_A, Agreement]:
    previous = await ask()
    agreement = Agreement(contradicted=("everything",))
    for number in range(1, _ANSWERS):
        await asyncio.sleep(line.timing.rest)
        answer = await ask()
        agreement = compare(previous, answer)
        previous = answer
        if not agreement.contradicted and (not agreement.unsteady or number == _ANSWERS - 1):
            break
        _log.debug("%s: two answers to %s differ in %s", line.port, what, agreement)
    if agreement.contradicted:
        raise ProtocolError(
            "contradicting_answers",
            f"{line.port}: no two answers to {what} agree, at last in {', '.join(agreement.contradicted)}: "
            "the line is damaged too often; move the head a little and keep sunlight off it",
        )
    return previous, agreement
