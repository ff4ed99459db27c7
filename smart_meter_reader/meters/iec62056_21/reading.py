"""What a reading of an IEC 62056-21 meter is made of: confirmed answers, scaled, by quantity."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import TypeVar

from smart_meter_reader.codecs.iec62056_21.agreement import (
    Comparison,
    compare_answers,
    compare_data_sets,
    middle_answer,
    middle_data_sets,
)
from smart_meter_reader.codecs.iec62056_21.bcc import usual_bcc
from smart_meter_reader.codecs.iec62056_21.capture import Readout
from smart_meter_reader.codecs.iec62056_21.codes import quantities_of
from smart_meter_reader.codecs.iec62056_21.multical import SINGLE_LINE, ShortAnswer
from smart_meter_reader.exceptions import ProtocolError
from smart_meter_reader.meters.iec62056_21.line import MeterLine
from smart_meter_reader.quantities import QUANTITIES, Kind

_log = logging.getLogger(__name__)

_A = TypeVar("_A")

# Answers asked for until two in succession agree: a counter that moves on costs one more, damage two.
_ANSWERS = 6
# Where values moved between two answers, the middle ones of so many count.
_TO_DECIDE = 3


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
        return {quantity for data_set in doubtful for quantity in quantities_of(data_set)}


async def confirmed_answer(line: MeterLine, request: str) -> Confirmed:
    """The answer to a short request, confirmed by a second one: see ``agreement``.

    Raises ProtocolError ``contradicting_answers`` when no two answers in succession agree.
    """
    answers, agreement = await _confirm(lambda: line.ask_short(request), compare_answers, line, request)
    return Confirmed(middle_answer(answers), frozenset(agreement.unsteady))


async def confirmed_readout(line: MeterLine, read_out: Callable[[], Awaitable[Readout]]) -> Confirmed:
    """A readout with the block check character of its make, or one that a second one confirms.

    A right one of the other make counts as none: of all damaged readouts it lets one in 128 pass.
    """
    first = await read_out()
    if first.bcc == usual_bcc(first.identification.manufacturer if first.identification else ""):
        return Confirmed(first)
    pending: list[Readout] = [first]

    async def next_readout() -> Readout:
        return pending.pop() if pending else await read_out()

    readouts, agreement = await _confirm(
        next_readout,
        lambda one, other: compare_data_sets(one.sets, other.sets),
        line,
        "the readout",
    )
    sets = middle_data_sets([readout.sets for readout in readouts])
    return Confirmed(replace(readouts[-1], sets=sets), frozenset(agreement.unsteady))


async def _confirm(
    ask: Callable[[], Awaitable[_A]], compare: Callable[[_A, _A], Comparison], line: MeterLine, what: str
) -> tuple[list[_A], Comparison]:
    """Ask until two answers in succession agree, and a third time where values moved between them.

    Returns the answers that count together: the last one where it equals the one before it, otherwise the
    last three.
    """
    answers = [await ask()]
    agreement = Comparison(contradicted=("everything",))
    while len(answers) < _ANSWERS:
        await asyncio.sleep(line.timing.rest)
        answers.append(await ask())
        agreement = compare(answers[-2], answers[-1])
        if agreement == Comparison():
            return answers[-1:], agreement
        if len(answers) >= _TO_DECIDE and not agreement.contradicted and not agreement.unsteady:
            break
        _log.debug("%s: two answers to %s differ in %s", line.port, what, agreement)
    if agreement.contradicted:
        raise ProtocolError(
            "contradicting_answers",
            f"{line.port}: no two answers to {what} agree, at last in {', '.join(agreement.contradicted)}: "
            "the line is damaged too often; move the head a little and keep sunlight off it",
        )
    return answers[-_TO_DECIDE:], agreement


def holds_a_measured_value(measured: Collection[str], wanted: Collection[str]) -> bool:
    """Whether a reading has a quantity that is wanted; where all are, more than the meter's own number."""
    if wanted:
        return any(quantity in wanted for quantity in measured)
    return any(QUANTITIES[quantity].kind is not Kind.TEXT for quantity in measured)
