"""Who a KMP meter is: type, revision and serial number, also of meters that do not answer every command."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from smart_meter_reader.clients.kmp_connection import KmpConnection
from smart_meter_reader.codecs.kmp import GetTypeResponse
from smart_meter_reader.codecs.kmp.meters import model_of
from smart_meter_reader.codecs.kmp.registers import resolve_register
from smart_meter_reader.exceptions import ExplainedError, ValueFormatError

SERIAL_NUMBER_REGISTER = resolve_register("serial_number").id

# What a command that a meter does not know ends with.
_UNANSWERED = frozenset({"no_echo_no_answer", "echo_only", "damaged_answers", "strange_answers"})

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Identity:
    """What the meter told of itself; "" for what it did not."""

    model: str = ""
    firmware: str = ""
    serial_number: str = ""


async def read_identity(connection: KmpConnection, *, ask_type: bool = True) -> Identity:
    """Ask for type and serial number. Raises what ``read_registers`` raises when the meter answers nothing.

    A meter that leaves GetType unanswered may not know it, may sleep, or may not be there. Its serial
    number, which is a register too, tells: the repeats wake it, and any answer is a sign of life.
    """
    meter_type = await _unless_unanswered(connection.read_type(retries=0)) if ask_type else None
    serial_number: int | None = None
    if meter_type is not None:
        serial_number = await _unless_unanswered(connection.read_serial_number(retries=0))
    register = ""
    if serial_number is None:
        register = await _read_serial_register(connection)
        if not register:
            serial_number = await _unless_unanswered(connection.read_serial_number(retries=1))
    if meter_type is None and ask_type:
        # It is awake now.
        meter_type = await _unless_unanswered(connection.read_type(retries=0))
    return _identity(meter_type, str(serial_number) if serial_number is not None else register)


async def _read_serial_register(connection: KmpConnection) -> str:
    registers = await connection.read_registers([SERIAL_NUMBER_REGISTER])
    try:
        value = registers[SERIAL_NUMBER_REGISTER].value if registers else None
    except ValueFormatError:
        return ""
    return format(value, "f") if isinstance(value, Decimal) else str(value or "")


async def _unless_unanswered(request: Awaitable[_Answer]) -> _Answer | None:
    try:
        return await request
    except ExplainedError as error:
        if error.reason not in _UNANSWERED:
            raise
        return None


def _identity(meter_type: GetTypeResponse | None, serial_number: str) -> Identity:
    if meter_type is None:
        return Identity(serial_number=serial_number)
    model = model_of(meter_type.meter_type) or f"meter type {meter_type.meter_type}"
    return Identity(model, meter_type.software_revision, serial_number)
