"""Tells one register of an answer in plain objects."""

from __future__ import annotations

from typing import Any

from smart_meter_reader.codecs.kmp.clock import read_local_time
from smart_meter_reader.codecs.kmp.number import bounded
from smart_meter_reader.codecs.kmp.record import RegisterValue
from smart_meter_reader.codecs.kmp.registers import register_of
from smart_meter_reader.codecs.kmp.units import UNIT_BY_CODE, Layout
from smart_meter_reader.exceptions import ValueFormatError


def describe_id(register: int) -> dict[str, Any]:
    """``id`` and ``name`` of a register."""
    return {"id": register, "name": register_of(register).quantity}


def describe_register(register: RegisterValue) -> dict[str, Any]:
    """``id``, ``name``, ``value`` and ``unit``, or an ``error`` in place of a value that cannot be read.

    A date and time with minutes of summer time (unit 4Fh) has ``dst_minutes`` too: its value is without them.
    """
    described = describe_id(register.register)
    try:
        described["value"] = bounded(register.value)
    except ValueFormatError as error:
        described["error"] = {"kind": "value", "detail": str(error)}
    described["unit"] = register.unit
    if UNIT_BY_CODE[register.unit_code].layout is Layout.LOCAL_TIME and described.get("value") is not None:
        found = read_local_time(register.mantissa)
        described["dst_minutes"] = found.dst_minutes if found else 0
    return described
