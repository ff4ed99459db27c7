"""Who a KMP meter is: type, revision and serial number, also of meters that do not answer every command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smart_meter_reader.codecs.kmp import GetTypeResponse, RegisterValue
from smart_meter_reader.codecs.kmp.meters import model_of
from smart_meter_reader.codecs.kmp.registers import resolve_register
from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.meters.conversation import unless_unanswered
from smart_meter_reader.meters.kmp.connection import KmpConnection
from smart_meter_reader.text import plain

SERIAL_NUMBER = resolve_register("serial_number").id


@dataclass(frozen=True, slots=True)
class Identity:
    """What the meter told of itself; "" for what it did not."""

    model: str = ""
    firmware: str = ""
    serial_number: str = ""
    type_code: str = ""


async def read_identity(connection: KmpConnection, *, ask_type: bool = True) -> Identity:
    """Ask for type and serial number. Raises what ``read_registers`` raises when the meter answers nothing.

    A meter that leaves GetType unanswered may not know it, may sleep, or may not be there. Its serial
    number, which is a register too, tells: the repeats wake it, and any answer is a sign of life.
    """
    meter_type = await unless_unanswered(connection.read_type(retries=0)) if ask_type else None
    serial_number: int | None = None
    if meter_type is not None:
        serial_number = await unless_unanswered(connection.read_serial_number(retries=0))
    register = ""
    if serial_number is None:
        register = await read_serial_register(connection)
        if not register:
            serial_number = await unless_unanswered(connection.read_serial_number(retries=1))
    if meter_type is None and ask_type:
        # It is awake now.
        meter_type = await unless_unanswered(connection.read_type(retries=0))
    return Identity(
        model=type_name(meter_type),
        firmware=meter_type.software_revision if meter_type is not None else "",
        serial_number=str(serial_number) if serial_number is not None else register,
        type_code=meter_type.meter_type if meter_type is not None else "",
    )


async def read_serial_register(connection: KmpConnection) -> str:
    """The serial number by its register; "" when the meter has none there. Raises as ``read_registers``."""
    return serial_in(await connection.read_registers([SERIAL_NUMBER]))


def serial_in(registers: Mapping[int, RegisterValue]) -> str:
    """The serial number among registers; "" when it is not there, or makes no sense."""
    try:
        value = registers[SERIAL_NUMBER].value if SERIAL_NUMBER in registers else None
    except ValueFormatError:
        return ""
    return plain(value or "")


def type_name(meter_type: GetTypeResponse | None) -> str:
    """What the meter is called, by its type; "" when it did not tell that."""
    if meter_type is None:
        return ""
    return model_of(meter_type.meter_type) or f"meter type {meter_type.meter_type}"
