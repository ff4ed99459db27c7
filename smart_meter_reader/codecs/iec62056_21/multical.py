"""The short answers of MULTICAL 66-CDE and its kin: field tables, strict parsing, values with units.

An answer is fields of fixed width, each followed by a blank, and a CR: no units, no decimal signs, no
checksum (5511-634 §4). So every field must have its width and its digits, and every line its fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from smart_meter_reader.codecs.iec62056_21.scaling import Scaling
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.quantities.measurement import Measurement


class Measure(StrEnum):
    """What scales a field, and how far two readings seconds apart may differ in it: see ``agreement``."""

    ENERGY = "energy"
    VOLUME = "volume"
    MASS = "mass"
    HOURS = "hours"
    TEMPERATURE = "temperature"
    DIFFERENCE = "difference"
    POWER = "power"
    FLOW = "flow"
    CODE = "code"  # numbers and dates without a unit
    MOMENTARY = "momentary"  # unit unknown to us, changes between readings


SIGNED = frozenset({Measure.TEMPERATURE, Measure.DIFFERENCE, Measure.POWER, Measure.FLOW, Measure.MOMENTARY})
"""Measures that a meter may send with a sign: "-002735", the sign taking one place of the width."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a short answer; ``quantity`` is "" where we have no quantity or its scale is not told."""

    name: str
    measure: Measure = Measure.CODE
    quantity: str = ""
    width: int = 7


_TARIFFS = (Field("TA2", Measure.CODE), Field("TA3", Measure.CODE))
_INPUTS = (Field("input_a"), Field("input_b"))
_CUSTOMER = Field("customer_no", width=11)
_ENERGY = Field("energy", Measure.ENERGY, "heat_energy")
_VOLUME = Field("volume", Measure.VOLUME, "volume")

SINGLE_LINE: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        "#1": (
            _ENERGY,
            _VOLUME,
            Field("hours", Measure.HOURS, "operating_hours"),
            Field("t_flow", Measure.TEMPERATURE, "flow_temperature"),
            Field("t_return", Measure.TEMPERATURE, "return_temperature"),
            Field("t_diff", Measure.DIFFERENCE, "temperature_difference"),
            Field("power", Measure.POWER, "power"),
            Field("flow", Measure.FLOW, "volume_flow"),
            Field("peak_power_actual", Measure.POWER, "power_maximum_month"),
            Field("info", Measure.CODE, "info_code"),
        ),
        "#2": (
            _CUSTOMER,
            Field("TA2"),
            Field("TL2"),
            Field("TA3"),
            Field("TL3"),
            *_INPUTS,
            Field("ABCCC"),
            Field("DDEFFGG"),
            Field("date"),
        ),
        # The totals of the last target date: no quantities, they would pass for the current ones.
        "#3": (
            _CUSTOMER,
            Field("target_date"),
            Field("energy", Measure.ENERGY),
            Field("volume", Measure.VOLUME),
            *_TARIFFS,
            *_INPUTS,
            Field("peak_power_year", Measure.POWER),
        ),
        "#4": (
            _ENERGY,
            Field("qsum1", Measure.MOMENTARY),
            Field("qsum2", Measure.MOMENTARY),
            Field("volume1", Measure.VOLUME, "volume"),
            Field("volume2", Measure.VOLUME, "volume_2"),
            Field("precounter1", Measure.MOMENTARY),
            *_INPUTS,
            Field("precounter2", Measure.MOMENTARY),
        ),
        "#B": (
            Field("energy_E1_E2", Measure.ENERGY, "heat_energy"),
            Field("energy_cold", Measure.ENERGY, "cooling_energy"),
            Field("volume1", Measure.VOLUME, "volume"),
            Field("volume2", Measure.VOLUME, "volume_2"),
            Field("mass1", Measure.MASS, "mass"),
            Field("mass2", Measure.MASS, "mass_2"),
            *_INPUTS,
            *_TARIFFS,
            Field("m3_tflow"),
            Field("m3_treturn"),
        ),
        "#C": (
            Field("t1", Measure.TEMPERATURE, "flow_temperature"),
            Field("t3", Measure.TEMPERATURE, "temperature_t3"),
            Field("t2", Measure.TEMPERATURE, "return_temperature"),
            Field("p1", Measure.MOMENTARY),
            Field("p2", Measure.MOMENTARY),
            Field("flow1", Measure.FLOW, "volume_flow"),
            Field("flow2", Measure.FLOW, "volume_flow_2"),
            Field("power1", Measure.POWER, "power"),
        ),
        "#D": (
            _CUSTOMER,
            Field("ABCCCCCC", width=8),
            Field("DDEFFGGMN", width=9),
            Field("calendar"),
            Field("clock_or_target", Measure.MOMENTARY),
            Field("hours", Measure.HOURS, "operating_hours"),
            Field("target_date"),
            Field("error_hours", Measure.HOURS, "error_hours"),
        ),
    }
)
"""The requests answered by one line, and its fields (5511-634 §4, tables of the data strings)."""

Widths: TypeAlias = tuple[int, ...]
"""The widths of the fields of a line."""

# The loggers answer many lines: what they mean, and which can be believed, is told by ``log``.
_MONTH = (7,) * 8
_DAY = (7, *(5,) * 10, 7)
_DUMP = (7,) * 12
_LONG_DUMP = (7,) * 13
LOGGERS: Mapping[str, tuple[Widths, frozenset[Widths]]] = MappingProxyType(
    {
        "#5": ((11, *_MONTH), frozenset({_MONTH})),
        "#6": (_DAY, frozenset({_DAY})),
        "#7": (_DAY, frozenset({_DAY})),
        "#8": (_DUMP, frozenset({_DUMP})),
        "#9": (_LONG_DUMP, frozenset({_DUMP, _LONG_DUMP})),
        "#J": ((7,) * 4, frozenset({(7,) * 4})),
    }
)
"""The requests answered by many lines: the widths of the first record, and those of the others."""

_DECIMAL = re.compile(r"[0-9]+")
_SIGNED_DECIMAL = re.compile(r"-?[0-9]+")
# The digits of a logger's binary counters overrun into 3A..3F (":" to "?").
_LOGGER_DIGITS = re.compile(r"[0-?]+")


class FieldsError(FrameError):
    """A line that has not the fields of this request: other ones, more, or fewer where it breaks off."""


@dataclass(frozen=True, slots=True)
class ShortAnswer:
    """A short answer of one line that is whole: its fields as sent, by name."""

    request: str
    fields: Mapping[str, str]

    def numbers(self) -> dict[str, int]:
        """The fields as numbers, leading zeros gone, sign kept."""
        return {name: int(text) for name, text in self.fields.items()}


def encode_short_answer(request: str, fields: Mapping[str, int]) -> bytes:
    """The answer line of a meter, CR included: zero-padded fields, each followed by a blank."""
    texts = [f"{fields[field.name]:0{field.width}d} " for field in SINGLE_LINE[request]]
    # The real meter sends a second blank after #4 (seen in KenanV's dump of a 66C).
    return ("".join(texts) + (" " if request == "#4" else "") + "\r").encode("ascii")


def split_fields(line: bytes) -> list[str]:
    """The fields of a line as they stand there."""
    return line.decode("latin-1").rstrip(" ").split(" ")


def parse_line(request: str, line: bytes) -> ShortAnswer:
    """The answer to a request with one line. Raises FieldsError, and FrameError for what is no number.

    The detail names field and text.
    """
    table = SINGLE_LINE[request]
    texts = split_fields(line)
    if len(texts) != len(table):
        raise FieldsError("field_count", f"{request} has {len(table)} fields, received {len(texts)}", line)
    for field, text in zip(table, texts, strict=True):
        if len(text) != field.width:
            raise FieldsError(
                "field_length", f"{request} {field.name} has {field.width} digits, received {text!r}", line
            )
        digits = _SIGNED_DECIMAL if field.measure in SIGNED else _DECIMAL
        if not digits.fullmatch(text) or not text.isascii():
            raise FrameError("non-decimal", f"{request} non-decimal field {field.name}: {text!r}", line)
    return ShortAnswer(request, {field.name: text for field, text in zip(table, texts, strict=True)})


def parse_record(request: str, line: bytes) -> tuple[str, ...]:
    """One record of a logger. Raises FrameError as ``parse_line``; digits may be 0 to 9 and : ; < = > ?"""
    texts = split_fields(line)
    widths = tuple(len(text) for text in texts)
    first, later = LOGGERS[request]
    if widths != first and widths not in later:
        raise FieldsError("field_length", f"no record of {request}: fields of {widths} digits", line)
    for text in texts:
        if not _LOGGER_DIGITS.fullmatch(text):
            raise FrameError("non-decimal", f"{request} non-decimal field {text!r}", line)
    return tuple(texts)


def measure_answer(answer: ShortAnswer, scaling: Scaling) -> dict[str, Measurement]:
    """Measurements by quantity key; a field whose scale is not known is left out."""
    measured: dict[str, Measurement] = {}
    for field in SINGLE_LINE.get(answer.request, ()):
        if field.quantity:
            scaled = scale_field(field, int(answer.fields[field.name]), scaling)
            if scaled is not None:
                measured[field.quantity] = scaled
    return measured


def scale_field(field: Field, number: int, scaling: Scaling) -> Measurement | None:
    """A field's number with its decimals and unit, or None when nothing tells them."""
    match field.measure:
        case Measure.ENERGY:
            scale = scaling.energy
        case Measure.VOLUME:
            scale = scaling.volume
        case Measure.MASS:
            scale = scaling.mass
        case Measure.POWER:
            scale = scaling.power
        case Measure.FLOW:
            scale = scaling.flow
        case _:
            scale = _FIXED.get(field.measure)
    return None if scale is None else {"value": shift(number, scale[1]), "unit": scale[0]}


# 5511-634 §4: temperatures and differences always have two decimals, hours none.
_FIXED: Mapping[Measure, tuple[str, int]] = MappingProxyType(
    {
        Measure.TEMPERATURE: ("°C", 2),
        Measure.DIFFERENCE: ("K", 2),
        Measure.HOURS: ("h", 0),
        Measure.CODE: ("", 0),
    }
)


def shift(number: int, decimals: int) -> Decimal:
    """``number`` with so many decimals; -1 means that it counts tens."""
    if decimals < 0:
        return Decimal(number * 10**-decimals)
    return Decimal(number).scaleb(-decimals)
