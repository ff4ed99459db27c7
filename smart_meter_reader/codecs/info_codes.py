"""What the info code of a MULTICAL says: per family of models a table, a sentence for each thing it tells.

The code is the meter's own, whatever asks for it: KMP (registers 99 and 369) and the short answers of IEC
62056-21 share these tables. How sure each is stands with it, in ``sources``:

- ``ADDITIVE``: Kamstrup 5512-931 (MULTICAL 602), section 6.11.2; "the sum of the info codes is shown".
- ``BITS``, register 369 of the 303, 403, 603 and 803: Kamstrup 5512-1689 (403), section 7.7.1, "bit format",
  as far as bit 15; the others by what a wireless meter of the same generation sends (names only, no capture).
- ``DIGITS``, register 99 of the same meters, taken for the eight digits of the display (5512-1689, 7.7.1; t3
  and V2 by 5512-2360, 7.8.1). That the register holds just these is inferred: no capture has a code set.
- ``SHORT``: Kamstrup 5511-634 (66-C/D/E).
- ``WATER``: Kamstrup 5512-897 (MULTICAL 21, flowIQ 2101), section 11.4: four bits for now, then three bits
  for each of them, a coarse count of hours. The ranges of hours are those of the meter's display by radio.

Of the 302, the 62, the 401 and the III no source tells: there the number alone is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_UTILITY = "tell the utility, which owns the meter"
_SENSOR = f"until its sensor or cable is mended the meter counts no energy: {_UTILITY}"
_BURST = f"look at once, and shut the heating off where water comes out; {_UTILITY}"
_FLOW_SENSOR = f"what flows is not counted meanwhile: {_UTILITY}"


@dataclass(frozen=True, slots=True)
class InfoReport:
    """One thing that the meter reports.

    ``key``: a stable word. ``sentence``: for a person, without a full stop or "; ". ``advice``: what to do.
    ``problem``: whether something is wrong now, and not just told. ``sensor``: t1, t2, t3, v1 or v2
    where that one does not measure meanwhile.
    """

    key: str
    sentence: str
    advice: str
    problem: bool = True
    sensor: str = ""


def _temperature(sensor: str, name: str) -> tuple[InfoReport, ...]:
    return (
        InfoReport(f"{sensor}_out_of_range", f"temperature {name} is out of range", _SENSOR, sensor=sensor),
        InfoReport(
            f"{sensor}_high",
            f"temperature sensor {sensor} is above its range or disconnected",
            _SENSOR,
            sensor=sensor,
        ),
        InfoReport(
            f"{sensor}_low",
            f"temperature sensor {sensor} is below its range or short-circuited",
            _SENSOR,
            sensor=sensor,
        ),
    )


def _flow(sensor: str, name: str) -> tuple[InfoReport, ...]:
    who = f"flow sensor {name}"
    return (
        InfoReport(f"{sensor}_communication", f"{who} does not communicate", _FLOW_SENSOR, sensor=sensor),
        InfoReport(
            f"{sensor}_air",
            f"{who}: signal too low (air)",
            "let the air out of the pipes and bring the pressure up; what flows is not counted meanwhile",
            sensor=sensor,
        ),
        InfoReport(
            f"{sensor}_direction",
            f"{who}: wrong flow direction",
            f"it may be built in the wrong way round, or a pump pushes water back; {_FLOW_SENSOR}",
            sensor=sensor,
        ),
        InfoReport(
            f"{sensor}_pulse_figure",
            f"{who} has the wrong pulse figure",
            f"meter and flow sensor do not belong together, so that volumes and energy are wrong: {_UTILITY}",
        ),
        InfoReport(
            f"{sensor}_overload",
            f"{who}: more flow than it is made for, for over an hour",
            f"a valve may be open too wide, or the meter too small: {_UTILITY}",
        ),
    )


def _input(key: str, name: str) -> tuple[InfoReport, ...]:
    return (
        InfoReport(
            f"input_{key}_leak",
            f"leak at pulse input {name}: its meter never stood still for a day",
            "look for a tap or cistern that runs",
        ),
        InfoReport(
            f"input_{key}_alarm", f"alarm at pulse input {name}", "look at what is connected to that input"
        ),
    )


_REPORTS: Final[Mapping[str, InfoReport]] = MappingProxyType(
    {
        report.key: report
        for report in (
            InfoReport(
                "supply_cut_off",
                "the supply voltage was cut off",
                "nothing now: nothing was counted while it lasted",
                problem=False,
            ),
            InfoReport(
                "battery_low",
                "the battery is low, or the meter runs on its backup battery",
                f"a mains meter may have lost its supply; else {_UTILITY}",
            ),
            InfoReport("external_alarm", "an alarm was set in the meter from outside", _UTILITY),
            *_temperature("t1", "T1"),
            *_temperature("t2", "T2"),
            *_temperature("t3", "T3"),
            InfoReport(
                "difference_invalid",
                "the temperature difference t1-t2 is invalid",
                f"the sensors of flow and return may be swapped: {_UTILITY}",
            ),
            *_flow("v1", "V1"),
            *_flow("v2", "V2"),
            *_input("a", "A"),
            *_input("b", "B"),
            *_input("a2", "A2"),
            *_input("b2", "B2"),
            InfoReport(
                "cold_water_leak",
                "leak in the cold water system",
                "look for a tap or cistern that runs: no hour without water for a day",
            ),
            InfoReport(
                "heating_leak",
                "leak in the heating system",
                f"look for wet places and compare the pressure with yesterday's; {_UTILITY}",
            ),
            InfoReport(
                "heating_burst",
                "burst in the heating system",
                _BURST,
            ),
            InfoReport(
                "burst_loss",
                "burst: much water goes in by V1 and does not come back by V2",
                _BURST,
            ),
            InfoReport(
                "burst_penetration", "burst: much water comes back by V2 that did not go in", _UTILITY
            ),
            InfoReport(
                "leak_loss",
                "leak: water goes in by V1 and does not come back by V2",
                f"look for wet places; {_UTILITY}",
            ),
            InfoReport("leak_penetration", "leak: water comes back by V2 that did not go in", _UTILITY),
            InfoReport("dry", "there is no water in the meter", "nothing, where the water is shut off"),
            InfoReport(
                "reverse",
                "water flows the wrong way through the meter",
                f"a check valve may be stuck, or the meter built in the wrong way round: {_UTILITY}",
            ),
            InfoReport(
                "leak",
                "leak: no hour without flow for a day",
                "look for a tap or cistern that runs",
            ),
            InfoReport(
                "burst",
                "burst: very much water for half an hour",
                "look at once, and shut the water off where it comes out",
            ),
        )
    }
)

_ADDITIVE: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "supply_cut_off",
        4: "t2_out_of_range",
        8: "t1_out_of_range",
        16: "v1_communication",
        32: "t3_out_of_range",
        64: "cold_water_leak",
        128: "v2_pulse_figure",
        256: "heating_leak",
        512: "heating_burst",
        1024: "v2_communication",
        2048: "v1_pulse_figure",
        4096: "v1_air",
        8192: "v2_air",
        16384: "v1_direction",
        32768: "v2_direction",
    }
)
# 5511-634: the same numbers as far as they go.
_SHORT: Final[Mapping[int, str]] = MappingProxyType(
    {number: _ADDITIVE[number] for number in (1, 4, 8, 32, 64, 256, 512)}
)
_BITS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "supply_cut_off",
        2: "battery_low",
        4: "external_alarm",
        8: "t1_high",
        16: "t2_high",
        32: "t1_low",
        64: "t2_low",
        128: "difference_invalid",
        256: "v1_air",
        512: "v1_direction",
        2048: "v1_overload",
        4096: "input_a_leak",
        8192: "input_b_leak",
        16384: "input_a_alarm",
        32768: "input_b_alarm",
        1 << 16: "v1_communication",
        1 << 17: "v1_pulse_figure",
        1 << 18: "input_a2_leak",
        1 << 19: "input_b2_leak",
        1 << 20: "t3_high",
        1 << 21: "t3_low",
        1 << 22: "v2_communication",
        1 << 23: "v2_pulse_figure",
        1 << 24: "v2_air",
        1 << 25: "v2_direction",
        1 << 27: "v2_overload",
        1 << 28: "burst_loss",
        1 << 29: "burst_penetration",
        1 << 30: "leak_loss",
        1 << 31: "leak_penetration",
    }
)
_DIGITS_SHOWN: Final = 8
# Of each place of the display, counted from the left, what its digits say. 9 at t1 and t2 says one thing.
_DIGITS: Final[Mapping[int, Mapping[int, str]]] = MappingProxyType(
    {
        1: {1: "supply_cut_off", 2: "battery_low", 9: "external_alarm"},
        2: {1: "t1_high", 2: "t1_low", 9: "difference_invalid"},
        3: {1: "t2_high", 2: "t2_low", 9: "difference_invalid"},
        4: {1: "t3_high", 2: "t3_low"},
        5: {3: "v1_air", 4: "v1_direction", 6: "v1_overload"},
        6: {3: "v2_air", 4: "v2_direction", 6: "v2_overload"},
        7: {8: "input_a_leak", 9: "input_a_alarm"},
        8: {8: "input_b_leak", 9: "input_b_alarm"},
    }
)
_WATER: Final[Mapping[int, str]] = MappingProxyType({1: "dry", 2: "reverse", 4: "leak", 8: "burst"})
_HOURS: Final = (
    "",
    "1 to 8 hours",
    "9 to 24 hours",
    "2 to 3 days",
    "4 to 7 days",
    "8 to 14 days",
    "15 to 21 days",
    "22 to 31 days",
)
_WATER_HOURS: Final = (("dry", 4), ("reverse", 7), ("leak", 10), ("burst", 13))
_LATELY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dry": "no water in the meter",
        "reverse": "water flowing the wrong way",
        "leak": "a leak",
        "burst": "a burst",
    }
)

_602: Final = "documented for the 602 (5512-931, 6.11.2)"
_403: Final = "documented for the 403 (5512-1689, 7.7.1)"


@dataclass(frozen=True, slots=True)
class Family:
    """The models whose info code one table explains, and where that table comes from."""

    name: str
    title: str
    models: tuple[str, ...]
    sources: str


ADDITIVE: Final = Family(
    "additive",
    "MULTICAL 602, 601, 402, 801",
    ("602", "601", "402", "801"),
    f"{_602}; for 601, 402 and 801 inferred",
)
BITS: Final = Family(
    "bits",
    "MULTICAL 303, 403, 603, 803 (register 369)",
    ("303", "403", "603", "803"),
    f"as far as 32768 {_403}; above that inferred",
)
DIGITS: Final = Family(
    "digits",
    "MULTICAL 303, 403, 603, 803 (display; register 99)",
    BITS.models,
    f"the display is {_403} and for the 803 (5512-2360, 7.8.1); that register 99 holds it is inferred",
)
SHORT: Final = Family(
    "short",
    "MULTICAL 66-C, 66-D, 66-E",
    ("66", "66c", "66d", "66e", "66-c", "66-d", "66-e", "66-cde"),
    "documented (5511-634)",
)
WATER: Final = Family(
    "water",
    "MULTICAL 21, flowIQ, KWM2231",
    ("21", "flowiq", "kwm2231"),
    "documented for the 21 and flowIQ 2101 (5512-897, 11.4); other models and the ranges of hours inferred",
)
FAMILIES: Final = (ADDITIVE, SHORT, BITS, WATER)
_TABLES: Final[Mapping[str, Mapping[int, str]]] = MappingProxyType(
    {"additive": _ADDITIVE, "short": _SHORT, "bits": _BITS, "water": _WATER}
)


def family_of(model: str) -> Family | None:
    """The family of a model by what it is called ("MULTICAL 602", "66-CDE", "flowIQ 2200"); None: unknown."""
    words = {word.lower() for word in re.split(r"[^0-9A-Za-z-]+", model)}
    return next((family for family in FAMILIES if words & set(family.models)), None)


def reports(model: str, code: int | None, bits: int | None = None) -> tuple[InfoReport, ...]:
    """All that an info code tells, what no source explains by its number; () for a code of 0, or none.

    ``code`` is register 99, or the field ``info`` of a short answer; ``bits`` is register 369, which tells
    more exactly and is of itself the sign of its family, whatever the meter is called.
    """
    family = family_of(model)
    if bits is not None and bits >= 0 and family is not WATER:
        return tuple(_of_bits(bits, _BITS))
    if not code:
        return ()
    if family is None or code < 0:
        return (
            _unexplained(str(code), "compare with the meter's manual, and set `model` where it is missing"),
        )
    if family is BITS:
        return tuple(_of_digits(code))
    if family is WATER:
        return tuple(_of_water(code))
    return tuple(_of_bits(code, _TABLES[family.name]))


def reports_of(family: Family) -> Iterator[tuple[str, InfoReport]]:
    """What a table explains, for people: the number, or the digit at its place, and the report."""
    if family is DIGITS:
        for place, digits in _DIGITS.items():
            for digit, key in digits.items():
                yield "".join(str(digit) if at == place else "·" for at in range(1, 9)), _REPORTS[key]
        return
    for number, key in _TABLES[family.name].items():
        yield str(number), _REPORTS[key]


def _unexplained(number: str, advice: str = "compare with the meter's manual") -> InfoReport:
    return InfoReport(f"info_code_{number}", f"info code {number}, which no source explains", advice)


def _of_bits(number: int, known: Mapping[int, str]) -> Iterator[InfoReport]:
    for place in range(number.bit_length()):
        bit = 1 << place
        if number & bit:
            yield _REPORTS[known[bit]] if bit in known else _unexplained(str(bit))


def _of_digits(code: int) -> Iterator[InfoReport]:
    shown = f"{code:0{_DIGITS_SHOWN}d}"
    if len(shown) > _DIGITS_SHOWN:
        yield _unexplained(shown)
        return
    told: set[str] = set()
    for place, digit in enumerate(map(int, shown), start=1):
        if not digit:
            continue
        key = _DIGITS[place].get(digit)
        report = _REPORTS[key] if key else _unexplained(f"{digit}{'0' * (_DIGITS_SHOWN - place)}")
        if report.key not in told:
            told.add(report.key)
            yield report


def _of_water(code: int) -> Iterator[InfoReport]:
    yield from _of_bits(code & 0xF, _WATER)
    for key, place in _WATER_HOURS:
        if (hours := code >> place & 7) and not code & _bit_of(key):
            sentence = f"{_LATELY[key]} for {_HOURS[hours]} in the last month, and not now"
            yield InfoReport(f"{key}_lately", sentence, "nothing, if you know why", problem=False)
    yield from _of_bits(code >> 16 << 16, {})


def _bit_of(key: str) -> int:
    return next(bit for bit, name in _WATER.items() if name == key)
