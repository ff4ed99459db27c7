"""Whether numbers that came without a scale can be right: voltages by their range, counters by the power.

Nothing on the wire tells whether a step is 1 or 10 Wh, or 0.1 or 1 V. But a house has 230 V; and a counter
rises by the power that flows. Times are arguments, in seconds of any clock that does not jump.

A factor is told only where ten times more or less makes it right; anything else is for the guard, and for
nobody where a phase is missing (0 V, as in an IT net).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.quantities.units import ratio

_LOWEST, _HIGHEST = 180.0, 280.0
_PHASES: Final = ("l1", "l2", "l3")
_WAYS: Final = ("import", "export")
# A counter is compared with the power over so many of its steps at least, so that its last digit is little.
_LEAST_STEPS: Final = 20
# Between two powers nobody knows what flowed: longer gaps say nothing.
_LONGEST_GAP: Final = 120.0
_LEAST_SECONDS: Final = 60.0
# Where ten times more is the truth, the share is about 10; loads that change between two powers blur it.
_TOO_MUCH, _TOO_LITTLE = (4.0, 25.0), (0.04, 0.25)
_RIGHT = (0.5, 2.0)

Subject = Literal["voltage", "energy", "power"]


class ScaleDoubt(NamedTuple):
    """That numbers of a kind seem ``factor`` times too high: 10, or 0.1 where they seem too low."""

    subject: Subject
    factor: Decimal

    @property
    def words(self) -> str:
        """A sentence for a person, with what to set."""
        times = "10x too high" if self.factor > 1 else "a tenth of what is right"
        told = {
            "voltage": f"your voltages seem {times} (180 to 280 V is right)",
            "energy": f"your counter seems {times}: it does not rise as the power says",
            "power": f"your power seems {times}: neither counter nor voltage and current agree with it",
        }[self.subject]
        return (
            f"{told}; the meter does not send the scale of its numbers. They are not published: set "
            f"{self.subject}_step, which says what one step of the meter's number is worth"
        )


@dataclass(slots=True)
class _Course:
    """What has flowed by the power since the counter was last looked at."""

    counted: Decimal
    step: Decimal
    since: float
    flowed: float = 0.0  # Wh
    covered: float = 0.0  # seconds of which the power is known


class ScaleCheck:
    """Looks at one meter's readings, in order. ``doubts`` is what seems wrong; a right look ends a doubt."""

    def __init__(self) -> None:
        self.doubts: dict[Subject, ScaleDoubt] = {}
        self.proven = False  # whether the counter has risen as the power says
        self._power: dict[str, tuple[float, float]] = {}  # by way: watts and when
        self._courses: dict[str, _Course] = {}
        self._share = 0.0  # of active power in voltage times current, as last seen; 0: not known

    def look(
        self,
        measurements: Mapping[str, Measurement],
        assumed: frozenset[str],
        step: Decimal,
        now: float,
    ) -> None:
        """One telegram: those of its ``measurements`` that are ``assumed`` are checked.

        ``step``: what one step of a counter is worth, in Wh.
        """
        self._look_at_voltages(measurements, assumed)
        self._note_share(measurements)
        for way in _WAYS:
            self._look_at_counter(way, measurements, assumed, step, now)

    def _look_at_voltages(self, measurements: Mapping[str, Measurement], assumed: frozenset[str]) -> None:
        volts = [
            _in(measurements[key], "V")
            for key in (f"voltage_{phase}" for phase in _PHASES)
            if key in assumed and key in measurements
        ]
        present = [each for each in volts if each]
        if not present:
            return
        self.doubts.pop("voltage", None)
        for factor in (Decimal(10), Decimal("0.1")):
            if all(_LOWEST <= each / float(factor) <= _HIGHEST for each in present):
                self.doubts["voltage"] = ScaleDoubt("voltage", factor)

    def _note_share(self, measurements: Mapping[str, Measurement]) -> None:
        """How the active power compares with voltage times current, where all of them came together."""
        apparent = 0.0
        for phase in _PHASES:
            volts, amperes = measurements.get(f"voltage_{phase}"), measurements.get(f"current_{phase}")
            if volts is not None and amperes is not None:
                apparent += _in(volts, "V") * abs(_in(amperes, "A"))
        keys = [key for way in _WAYS if (key := f"active_power_{way}") in measurements]
        powers = [_in(measurements[key], "W") for key in keys]
        if apparent > 100 and powers:
            self._share = max(powers) / apparent

    def _look_at_counter(
        self,
        way: str,
        measurements: Mapping[str, Measurement],
        assumed: frozenset[str],
        step: Decimal,
        now: float,
    ) -> None:
        self._flow(way, measurements.get(f"active_power_{way}"), now)
        key = f"active_energy_{way}"
        counter = measurements.get(key)
        if counter is None or key not in assumed:
            return
        counted = _exact(counter, "Wh")
        course = self._courses.get(way)
        if course is None or counted < course.counted or step != course.step or now < course.since:
            self._courses[way] = _Course(counted, step, now)
            return
        rise = float(counted - course.counted)
        enough = (
            max(rise, course.flowed) >= _LEAST_STEPS * float(step) and now - course.since >= _LEAST_SECONDS
        )
        # Ten times too low, and twenty steps of power are two of the counter.
        if not enough or course.covered < 0.9 * (now - course.since):
            if now - course.since > 4 * 3600:
                self._courses[way] = _Course(counted, step, now)
            return
        self._courses[way] = _Course(counted, step, now)
        self._judge(rise / course.flowed if course.flowed > 0 else 0.0)

    def _flow(self, way: str, power: Measurement | None, now: float) -> None:
        if power is None:
            return
        watts = _in(power, "W")
        before = self._power.get(way)
        self._power[way] = watts, now
        course = self._courses.get(way)
        if before is None or course is None or not 0 < now - before[1] <= _LONGEST_GAP:
            return
        seconds = now - max(before[1], course.since)
        course.flowed += (watts + before[0]) / 2 * seconds / 3600
        course.covered += seconds

    def _judge(self, share: float) -> None:
        """``share``: what was counted for each Wh that flowed by the power."""
        if _RIGHT[0] <= share <= _RIGHT[1]:
            self.proven = True
            self.doubts.pop("energy", None)
            self.doubts.pop("power", None)
        elif _TOO_MUCH[0] <= share <= _TOO_MUCH[1]:
            self._doubt(Decimal(10))
        elif _TOO_LITTLE[0] <= share <= _TOO_LITTLE[1]:
            self._doubt(Decimal("0.1"))

    def _doubt(self, counter_factor: Decimal) -> None:
        """Either the counter is wrong, or the power the other way: voltage and current know which."""
        power_factor = 1 / counter_factor
        by_current = self._share
        power_wrong = 3 <= by_current <= 15 if power_factor > 1 else 0.01 <= by_current <= 0.13
        self.doubts.pop("energy" if power_wrong else "power", None)
        if power_wrong:
            self.doubts["power"] = ScaleDoubt("power", power_factor)
        else:
            self.doubts["energy"] = ScaleDoubt("energy", counter_factor)


def _exact(measured: Measurement, unit: str) -> Decimal:
    factor = ratio(measured["unit"], unit)
    value = measured["value"]
    return Decimal(value) * factor if factor is not None and not isinstance(value, str) else Decimal(0)


def _in(measured: Measurement, unit: str) -> float:
    return float(_exact(measured, unit))
