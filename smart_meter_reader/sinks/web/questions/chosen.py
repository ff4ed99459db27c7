"""Which counter a question is about: a meter's own quantity, or its main one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smart_meter_reader.history.errors import NoHistoryError
from smart_meter_reader.history.media import MainCounter, main_counters
from smart_meter_reader.history.questions.bars import Bar
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.history.questions.record import History, Kept
from smart_meter_reader.history.questions.summed import summed_bars
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.sinks.web.questions.asked import Inquiry, QuestionError, not_stored


@dataclass(frozen=True, slots=True)
class ChosenCounter:
    """A quantity of a meter, with the counters that add up to it: one, or one for each tariff."""

    meter: str
    quantity: str
    quantities: tuple[str, ...]
    counters: tuple[CounterHistory, ...]
    unit: str

    @property
    def name(self) -> str:
        """What people call the quantity."""
        return name_of(self.quantity)

    @property
    def first(self) -> int:
        """The time of the oldest reading."""
        return min(counter.parts[0].first.time for counter in self.counters)

    @property
    def last(self) -> int:
        """The time of the newest reading."""
        return max(part.last.time for counter in self.counters for part in counter.parts)

    @property
    def interval(self) -> int:
        """How many seconds usually lie between two readings of late; 900 at least."""
        counter = self.counters[0]
        return counter.usual_interval(counter.parts[-1], counter.parts[-1].last.time)

    def bars(self, boundaries: Sequence[int]) -> list[Bar]:
        """What was counted in each piece. Raises ValueFormatError for a unit in which that cannot be said."""
        return summed_bars(self.counters, boundaries, self.unit)


def name_of(quantity: str) -> str:
    """What people call a quantity; one that the catalogue does not know by its key."""
    known = QUANTITIES.get(quantity)
    return known.name if known else quantity


def asked_meter(asked: Inquiry) -> str:
    """The meter that is asked for; the first one where none is named.

    Raises QuestionError, and NoHistoryError where nothing is stored of any.
    """
    there = asked.history.meters()
    meter = asked.text("meter")
    if not there:
        raise NoHistoryError("no_history", "nothing is stored of any meter yet: its first reading will be")
    if meter and meter not in there:
        raise not_stored("meter", meter, there)
    return meter or there[0]


def mains_of(kept: Sequence[Kept]) -> list[MainCounter]:
    """What a meter counts of each medium, its main counter first."""
    return main_counters([each.quantity for each in kept if each.kind == "counter"])


def chosen(asked: Inquiry, quantity: str | None = None) -> ChosenCounter:
    """The counter that is asked for, in the unit that is asked for. Raises QuestionError."""
    meter = asked_meter(asked)
    kept = {each.quantity: each for each in asked.history.kept(meter) if each.kind == "counter"}
    if not kept:
        raise QuestionError("no_counter", "of the meter {meter} no counter is stored", meter=meter)
    wanted = asked.text("quantity") if quantity is None else quantity
    key, quantities = _quantities(meter, wanted, kept)
    counters = tuple(counters_of(asked.history, meter, quantities))
    if not counters:
        raise QuestionError(
            "counter_without_reading",
            "of {quantity} of the meter {meter} no reading is stored that counts",
            quantity=key,
            meter=meter,
        )
    return ChosenCounter(meter, key, quantities, counters, asked.text("unit") or counters[0].parts[-1].unit)


def counters_of(history: History, meter: str, quantities: Sequence[str]) -> list[CounterHistory]:
    """The counters of which something is known."""
    return [counter for quantity in quantities if (counter := history.counter(meter, quantity)).parts]


def _quantities(meter: str, wanted: str, kept: dict[str, Kept]) -> tuple[str, tuple[str, ...]]:
    if wanted in kept:
        return wanted, (wanted,)
    mains = main_counters(kept)
    if not wanted:
        if mains:
            return mains[0].key, mains[0].quantities
        first = next(iter(kept))
        return first, (first,)
    for main in mains:
        if main.key == wanted:
            return main.key, main.quantities
    raise QuestionError(
        "no_such_counter",
        "quantity: of {wanted!r} of the meter {meter} no counter is stored; stored is: {there}",
        wanted=wanted,
        meter=meter,
        there=", ".join(kept),
    )
