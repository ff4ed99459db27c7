"""What a meter's info code does to its readings: words for it, and values that are none meanwhile. Pure.

A MULTICAL whose temperature sensor is broken goes on answering: 185.00 °C for one that is disconnected,
0.00 °C for one that is short-circuited, and 0.0 kW; one with air in its flow sensor answers 0 l/h (Kamstrup
5512-1689, section 7.7.3; 5512-2029, 7.8). None of that was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.info_codes import InfoReport, reports
from smart_meter_reader.quantities.measurement import Measurement, Value
from smart_meter_reader.text import bounded_number

NOTHING_REPORTED: Final = "none"
"""What the texts say where there is nothing to say."""

CODES: Final = frozenset({"info_code", "info_bits", "water_info_code"})
"""The quantities that say what a meter reports."""

_DISCONNECTED, _SHORTED = Decimal(185), Decimal(0)
_NO_TEMPERATURE: Final = (_DISCONNECTED, _SHORTED)
_NOTHING: Final = (Decimal(0),)
# By sensor: the quantities that it measures, and the values that stand for none.
_TEMPERATURES: Final[Mapping[str, str]] = MappingProxyType(
    {"t1": "flow_temperature", "t2": "return_temperature", "t3": "temperature_t3"}
)
_FLOWS: Final[Mapping[str, str]] = MappingProxyType({"v1": "volume_flow", "v2": "volume_flow_2"})
_ENDINGS: Final = ("", "_one_decimal", "_average_hour", "_average_day", "_average_interval")
_DIFFERENCES: Final = ("temperature_difference", "temperature_difference_one_decimal")
_POWER: Final = "power"

JUDGED: Final = frozenset(
    (
        *(quantity + ending for quantity in _TEMPERATURES.values() for ending in _ENDINGS),
        *_DIFFERENCES,
        *_FLOWS.values(),
        _POWER,
    )
)
"""The quantities whose values may be none, as only the info code tells."""


class InfoCodes:
    """What one meter reports, from reading to reading: not every reading has the code in it."""

    def __init__(self) -> None:
        self.reports: tuple[InfoReport, ...] = ()
        self._told = ""

    def begin(self) -> None:
        """A new connection: what was told of the one before counts no more."""
        self._told = ""

    def judge(
        self, measurements: Mapping[str, Measurement], model: str
    ) -> tuple[dict[str, Measurement], list[str]]:
        """The reading with the code in words, without what was not measured; a sentence for each of that."""
        code, bits = (_number(measurements, key) for key in ("info_code", "info_bits"))
        water = _number(measurements, "water_info_code")
        words: dict[str, Measurement] = {}
        if water is not None:
            self.reports = reports("flowIQ", water)
        elif code is not None or bits is not None:
            self.reports = reports(model, code, bits)
        if not (code is bits is water is None):
            words = _in_words(self.reports)
        false = dict(_not_measured(measurements, self.reports))
        left = {key: each for key, each in measurements.items() if key not in false}
        return left | words, list(false.values())

    def news(self) -> str | None:
        """What the meter reports, as a sentence, where that is not what was told last; "" for all well."""
        told = ""
        if problems := [report for report in self.reports if report.problem]:
            told = "the meter reports: " + "; ".join(f"{each.sentence} ({each.advice})" for each in problems)
        if told == self._told:
            return None
        self._told = told
        return told


def _in_words(told: tuple[InfoReport, ...]) -> dict[str, Measurement]:
    sentences = "; ".join(report.sentence for report in told)
    problems = " ".join(report.key for report in told if report.problem)
    return {
        "info_code_text": {"value": sentences or NOTHING_REPORTED, "unit": ""},
        "reported_problems": {"value": problems or NOTHING_REPORTED, "unit": ""},
    }


def _number(measurements: Mapping[str, Measurement], key: str) -> int | None:
    number = bounded_number(measurements[key]["value"]) if key in measurements else None
    return None if number is None else int(number)


def _not_measured(
    measurements: Mapping[str, Measurement], told: tuple[InfoReport, ...]
) -> Iterator[tuple[str, str]]:
    """The quantities whose values were not measured while these things are reported, each with a sentence."""
    for key, sentence in _false(measurements, {report.sensor: report for report in told if report.sensor}):
        each = measurements[key]
        shown = f"{key} {each['value']} {each['unit']}".rstrip()
        yield key, f"{shown} is left out: the meter reports {sentence}"


def _false(
    measurements: Mapping[str, Measurement], broken: Mapping[str, InfoReport]
) -> Iterator[tuple[str, str]]:
    warm = [broken[sensor] for sensor in ("t1", "t2") if sensor in broken]
    gone = False
    for sensor, quantity in _TEMPERATURES.items():
        for key in [quantity + ending for ending in _ENDINGS if quantity + ending in measurements]:
            if sensor in broken and _is_one_of(measurements[key]["value"], _NO_TEMPERATURE):
                yield key, broken[sensor].sentence
                gone = gone or sensor != "t3"
    for key in _DIFFERENCES:
        # Where one side was not measured, nor was what lies between them.
        if warm and key in measurements and (gone or _is_one_of(measurements[key]["value"], _NOTHING)):
            yield key, warm[0].sentence
    for sensor, quantity in _FLOWS.items():
        told = sensor in broken and quantity in measurements
        if told and _is_one_of(measurements[quantity]["value"], _NOTHING):
            yield quantity, broken[sensor].sentence
    makes_power = [*warm, *([broken["v1"]] if "v1" in broken else [])]
    if makes_power and _POWER in measurements and _is_one_of(measurements[_POWER]["value"], _NOTHING):
        yield _POWER, makes_power[0].sentence


def _is_one_of(value: Value, none: tuple[Decimal, ...]) -> bool:
    return bounded_number(value) in none
