"""What the counter guard believes: pure rules on values, units and times; no state here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.quantities import QUANTITIES, Kind, Quantity
from smart_meter_reader.quantities.quantity import TOTALS
from smart_meter_reader.quantities.units import UNITS, canonical, ratio

# Meters add up in batches (a MULTICAL integrates about every minute, others seldomer), so that two totals
# read within seconds may differ by minutes' worth.
SHORTEST_PAUSE = timedelta(minutes=5)
_SECOND = timedelta(seconds=1)
_ONE = Decimal(1)
_LITTLE = Decimal(1)  # kWh, m³ and the like, by a ceiling's unit
_TRANSFORMED = frozenset({Kind.ENERGY, Kind.REACTIVE_ENERGY, Kind.APPARENT_ENERGY, Kind.POWER})

# kWh and m³ per hour: a large building. Where damage goes unnoticed otherwise, a block of flats.
CEILINGS = (Decimal(1000), Decimal(100))
CEILINGS_WITHOUT_CHECKSUM = (Decimal(250), Decimal(25))

# A counter of fewer digits does not exist; a fall to nearly zero from 99.9 is damage, not a roll-over.
FEWEST_DIGITS = 7

# Registers of more resolution than digits roll over at will: Kamstrup's 266 shows Wh without relation to the
# total (MULTICAL 403 technical description, 11.3), and on older meters the rise since the last integration.
# Test registers are cleared by whoever tests.
ROLLING = ("_high_resolution", "_extra_digit", "_test")


class Total(NamedTuple):
    """What a counter showed, and when it did. A tuple, since every telegram makes half a dozen of them."""

    value: Decimal
    unit: str
    time: datetime

    @property
    def step(self) -> Decimal:
        """One unit in the last place."""
        exponent = self.value.as_tuple().exponent
        assert isinstance(exponent, int), "only finite values become totals"
        return Decimal(1).scaleb(exponent)

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit}".rstrip()


class Verdict(StrEnum):
    """How a counter's new value goes with its last one."""

    BELIEVED = "believed"
    # Believed, although the number falls:
    ROUNDED = "rounded"
    ROLLED_OVER = "rolled over"
    # Not believed:
    FELL = "fell"
    ZERO = "zero"
    JUMPED = "jumped"
    UNIT_CHANGED = "unit changed"


DOUBTS = frozenset({Verdict.FELL, Verdict.ZERO, Verdict.JUMPED, Verdict.UNIT_CHANGED})
REASONS = MappingProxyType(
    {
        Verdict.FELL: "a total does not fall",
        Verdict.ZERO: "a total does not become zero",
        Verdict.UNIT_CHANGED: "another unit",
        Verdict.JUMPED: "a jump beyond what the [guard] table of the settings allows",
    }
)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How fast a counter can rise.

    ``per_hour`` is in ``unit`` and None where nothing is known; ``step`` is in the meter's own unit
    and 0 for any. ``digits``: the counter has as many at least.
    """

    unit: str = ""
    per_hour: Decimal | None = None
    step: Decimal = Decimal(0)
    rolling: bool = False
    digits: int = FEWEST_DIGITS


@dataclass(frozen=True, slots=True)
class Range:
    """Where a value that is no counter can lie, in ``unit``."""

    unit: str
    lowest: Decimal
    highest: Decimal

    def contains(self, value: Decimal, unit: str) -> bool:
        """Whether the value is believed; a unit of another dimension is not judged."""
        if unit == self.unit:
            return self.lowest <= value <= self.highest
        factor = ratio(unit, self.unit)
        return factor is None or self.lowest <= value * factor <= self.highest


Rule = Ceiling | Range


def rule_for(
    quantity: Quantity, settings: GuardSettings, *, checksummed: bool, every_counter: bool
) -> Rule | None:
    """The rule for a quantity, or None when its values pass unjudged."""
    if not quantity.cumulative:
        return _ranges(settings).get(quantity.kind)
    if not every_counter and quantity.kind not in TOTALS:
        return None
    return _ceiling(quantity, settings, *(CEILINGS if checksummed else CEILINGS_WITHOUT_CHECKSUM))


def _ranges(settings: GuardSettings) -> Mapping[Kind, Range]:
    widest = settings.temperature_max - settings.temperature_min
    return {
        Kind.TEMPERATURE: Range("°C", settings.temperature_min, settings.temperature_max),
        Kind.TEMPERATURE_DIFFERENCE: Range("K", -widest, widest),
        Kind.VOLUME_FLOW: Range("m³/h", -settings.flow_max, settings.flow_max),
        Kind.POWER: Range("kW", -settings.power_max, settings.power_max),
    }


def _ceiling(quantity: Quantity, settings: GuardSettings, kilowatts: Decimal, flow: Decimal) -> Ceiling:
    energy = settings.energy_per_hour or kilowatts
    volume = settings.volume_per_hour or flow
    rolling = quantity.key.endswith(ROLLING)
    match quantity.kind:
        case Kind.ENERGY:
            return Ceiling("kWh", energy, settings.energy_threshold, rolling)
        case Kind.REACTIVE_ENERGY:
            return Ceiling("kvarh", energy, settings.energy_threshold, rolling)
        case Kind.APPARENT_ENERGY:
            return Ceiling("kVAh", energy, settings.energy_threshold, rolling)
        case Kind.VOLUME | Kind.WATER | Kind.GAS:
            return Ceiling("m³", volume, settings.volume_threshold, rolling)
        case Kind.MASS:
            return Ceiling("t", volume)
        case Kind.VOLUME_TEMPERATURE:
            return Ceiling("m³·°C", volume * settings.temperature_max)
        case Kind.DURATION:
            # An hour per hour; twice that, since neither clock is perfect.
            return Ceiling("h", Decimal(2))
        case _:
            return Ceiling(rolling=rolling)


@dataclass(frozen=True, slots=True)
class MeterPolicy:
    """How one configured meter is guarded.

    ``checksummed``: its protocol tells damaged bytes from good ones. ``counter_digits``: its counters have as
    many at least. ``simulated``: nothing real is behind it (a dummy, a recording), so that its totals may
    begin anew at every start. ``origin``: a text that is another one when the meter is to be found elsewhere;
    memory of another origin does not count.
    """

    settings: GuardSettings = field(default_factory=GuardSettings)
    checksummed: bool = True
    counter_digits: int = FEWEST_DIGITS
    simulated: bool = False
    origin: str = ""

    @property
    def active(self) -> bool:
        """Whether anything is judged."""
        mode = self.settings.mode
        return mode == "all" or (mode == "auto" and not self.simulated)

    def rules(self, ratio: Decimal = _ONE) -> Mapping[str, Rule]:
        """The rule of every judged quantity by its key; meters that are guarded alike share them.

        ``ratio``: of current transformers, by which the meter's own values were multiplied.
        """
        if not self.active:
            return {}
        every_counter = self.settings.mode == "all" or not self.checksummed
        rules = _rules(self.settings, self.checksummed, every_counter, self.counter_digits)
        return rules if ratio == 1 else {key: _transformed(rule, key, ratio) for key, rule in rules.items()}


@cache
def _rules(
    settings: GuardSettings, checksummed: bool, every_counter: bool, digits: int
) -> Mapping[str, Rule]:
    rules: dict[str, Rule] = {}
    for key, quantity in QUANTITIES.items():
        rule = rule_for(quantity, settings, checksummed=checksummed, every_counter=every_counter)
        if rule is not None:
            rules[key] = replace(rule, digits=digits) if isinstance(rule, Ceiling) else rule
    return MappingProxyType(rules)


def _transformed(rule: Rule, key: str, ratio: Decimal) -> Rule:
    """The rule for what was multiplied by ``ratio``: energies and powers, and nothing else that is judged."""
    if QUANTITIES[key].kind not in _TRANSFORMED:
        return rule
    if isinstance(rule, Range):
        return replace(rule, lowest=rule.lowest * ratio, highest=rule.highest * ratio)
    fastest = None if rule.per_hour is None else rule.per_hour * ratio
    return replace(rule, per_hour=fastest, step=rule.step * ratio)


def is_possible(value: Decimal) -> bool:
    """Whether a counter can show it: nothing shows 10**16 of anything."""
    return -20 <= value.adjusted() <= 15


def judge(last: Total, new: Total, ceiling: Ceiling) -> Verdict:
    """How ``new`` goes with ``last``.

    The unit may change to another one of the same dimension; the coarser of the two resolutions is then,
    and whenever the number of decimals changes, the tolerance.
    """
    if last.value == new.value and last.unit == new.unit:
        return Verdict.BELIEVED
    factor = ratio(last.unit, new.unit)
    if factor is None:
        return Verdict.UNIT_CHANGED
    rise = new.value - last.value * factor
    if rise >= 0:
        return Verdict.BELIEVED if _may_rise(rise, last, new, ceiling) else Verdict.JUMPED
    if last.unit != new.unit or not last.value.same_quantum(new.value):
        if _is_rounded_down(-rise, last, new, ceiling):
            return Verdict.ROUNDED
    elif ceiling.rolling or _rolled_over(last, new, ceiling):
        return Verdict.ROLLED_OVER
    return Verdict.FELL if new.value else Verdict.ZERO


def _may_rise(rise: Decimal, last: Total, new: Total, ceiling: Ceiling) -> bool:
    """Whether the rise, in ``new``'s unit, is believable. By the rate alone, one step always is."""
    if ceiling.step and rise > ceiling.step:
        return False
    factor = ratio(ceiling.unit, new.unit)
    if ceiling.per_hour is None or factor is None:
        return True
    pause = max(new.time - last.time, SHORTEST_PAUSE)
    fastest = ceiling.per_hour * factor * (pause // _SECOND) / 3600
    return rise <= fastest or rise <= fastest + _coarser_step(last, new)


def _is_rounded_down(fall: Decimal, last: Total, new: Total, ceiling: Ceiling) -> bool:
    """Whether a total that falls by ``fall``, in ``new``'s unit, does so for being told coarser.

    What becomes zero was less than one step of that, and so little that it does not matter if it was lost:
    746.4 Wh are 0 kWh while the PIN is missing.
    """
    if new.value:
        return fall <= _coarser_step(last, new)
    step = ratio(new.unit, ceiling.unit)
    return step is not None and fall < new.step and new.step * step <= _LITTLE


def _coarser_step(last: Total, new: Total) -> Decimal:
    """One unit in the last place of the coarser of the two, in ``new``'s unit."""
    return max(new.step, last.step * (ratio(last.unit, new.unit) or 1))


def _rolled_over(last: Total, new: Total, ceiling: Ceiling) -> bool:
    """Whether all digits of ``last`` were used up: 9999.999 -> 0000.012.

    From a value that begins with another digit it is none, however long the pause: leading zeros are not in
    the number. Nor is it to zero itself, which a meter shows that has lost its total.
    """
    digits = last.value.as_tuple().digits
    if len(digits) < ceiling.digits or digits[0] != 9 or new.value <= 0:
        return False
    if ceiling.per_hour is None or ratio(ceiling.unit, new.unit) is None:
        return False
    return _may_rise(new.value + last.step.scaleb(len(digits)) - last.value, last, new, ceiling)


def never_counts(verdict: Verdict, new: Total) -> bool:
    """Whether no repetition helps: what is no unit is damage, however often it comes."""
    return verdict is Verdict.UNIT_CHANGED and UNITS.get(canonical(new.unit)) not in TOTALS


def sentence(key: str, verdict: Verdict, last: Total, new: Total, settings: GuardSettings) -> str:
    """Why a total is held back, for a person, and what makes it count after all."""
    reason = REASONS[verdict]
    remedy = f"It counts when {settings.confirmations} readings in a row agree"
    if never_counts(verdict, new):
        remedy = "It never counts, for this is no unit that a total is known to have"
    return f"{key} {new} held back: {reason}; it was {last} at {last.time:%Y-%m-%d %H:%M} UTC. {remedy}"
