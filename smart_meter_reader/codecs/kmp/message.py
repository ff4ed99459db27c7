"""KMP messages: GetType, GetSerialNo and GetRegister, requests and responses, to and from a frame's payload.

Source: Kamstrup 5512-447, sections 3.3 (CID), 4.4 (registers), 6.1 and 6.2 (commands and answers).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, NamedTuple, TypeAlias

from smart_meter_reader.codecs.kmp.frame import START_REQUEST, START_RESPONSE, Frame, encode_frame
from smart_meter_reader.codecs.kmp.number import decode_value, encode_value
from smart_meter_reader.codecs.kmp.units import UNIT_BY_CODE
from smart_meter_reader.exceptions import ProtocolError
from smart_meter_reader.quantities.measurement import Value

HEAT_METER: Final = 0x3F  # 5512-447, 3.2: destination addresses
LOGGER_TOP: Final = 0x7F
LOGGER_BASE: Final = 0xBF

GET_TYPE: Final = 0x01
GET_SERIAL_NO: Final = 0x02
GET_REGISTER: Final = 0x10

# Commands by CID; those that write to a meter are named so that a capture can be read, never sent.
COMMANDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        GET_TYPE: "GetType",
        GET_SERIAL_NO: "GetSerialNo",
        0x09: "SetClock",
        GET_REGISTER: "GetRegister",
        0x11: "PutRegister",
        0x92: "Login",
        0x9B: "GetEventStatus",
        0x9C: "ClearEventStatus",
        0xA0: "GetLogTimePresent",
        0xA1: "GetLogLastPresent",
        0xA2: "GetLogIDPresent",
        0xA3: "GetLogTimePast",
        0xB8: "GetLog",  # the loggers of MULTICAL 303/403/603; 5512-447 does not know it
    }
)

# 5512-447, 4.4 and 6.2.4: register id, unit, number of bytes of the mantissa, SignExp; the mantissa follows.
_RECORD_HEAD: Final = struct.Struct(">HBBB")

MAX_REGISTERS: Final = 8  # 5512-447, 6.2.4: registers in one GetRegister request


@dataclass(frozen=True, slots=True)
class GetTypeRequest:
    """Asks for the meter's type and software revision."""

    CID: ClassVar[int] = GET_TYPE

    def encode(self) -> bytes:
        """The payload: none."""
        return b""


@dataclass(frozen=True, slots=True)
class GetTypeResponse:
    """``meter_type`` is four hexadecimal digits; ``software_revision`` a letter and a number ("F1").

    A revision whose first byte names no letter is written as two numbers ("0.5").
    """

    CID: ClassVar[int] = GET_TYPE

    meter_type: str
    software_revision: str

    def encode(self) -> bytes:
        """The payload: four bytes. Raises ValueError when a field is not of the form above."""
        return bytes.fromhex(self.meter_type) + _revision_bytes(self.software_revision)


@dataclass(frozen=True, slots=True)
class GetSerialNoRequest:
    """Asks for the meter's serial number."""

    CID: ClassVar[int] = GET_SERIAL_NO

    def encode(self) -> bytes:
        """The payload: none."""
        return b""


@dataclass(frozen=True, slots=True)
class GetSerialNoResponse:
    """The serial number as printed on the meter."""

    CID: ClassVar[int] = GET_SERIAL_NO

    serial_number: int

    def encode(self) -> bytes:
        """The payload: four bytes, most significant first."""
        return self.serial_number.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class GetRegisterRequest:
    """Asks for one to eight registers."""

    CID: ClassVar[int] = GET_REGISTER

    registers: tuple[int, ...]

    def encode(self) -> bytes:
        """The payload: the count and the ids. Raises ValueError unless there are one to eight."""
        if not 1 <= len(self.registers) <= MAX_REGISTERS:
            raise ValueError(f"a request takes 1 to {MAX_REGISTERS} registers, not {len(self.registers)}")
        ids = b"".join([register.to_bytes(2, "big") for register in self.registers])
        return bytes((len(self.registers),)) + ids


class RegisterValue(NamedTuple):
    """One register of an answer, as it was sent; ``value`` and ``unit`` say what it means.

    A tuple, since every answer makes eight of them and a frozen dataclass takes three times as long to make.
    """

    register: int
    unit_code: int
    sign_exponent: int
    mantissa: bytes

    @property
    def unit(self) -> str:
        """The unit as text: "GJ"; "" for what has none; ``unit_0x7a`` when the code is unknown."""
        return UNIT_BY_CODE[self.unit_code].symbol

    @property
    def value(self) -> Value | None:
        """The value; None for a date that is not set. Raises ValueFormatError (see ``decode_value``)."""
        return decode_value(self.unit_code, self.sign_exponent, self.mantissa)

    def encode(self) -> bytes:
        """The record: id, unit, number of bytes, SignExp, mantissa."""
        head = _RECORD_HEAD.pack(self.register, self.unit_code, len(self.mantissa), self.sign_exponent)
        return head + self.mantissa


@dataclass(frozen=True, slots=True)
class GetRegisterResponse:
    """The registers that the meter answered, in its order. Registers it does not know are missing."""

    CID: ClassVar[int] = GET_REGISTER

    registers: tuple[RegisterValue, ...]

    def encode(self) -> bytes:
        """The payload: the records one after another."""
        return b"".join([register.encode() for register in self.registers])

    def by_id(self) -> dict[int, RegisterValue]:
        """The registers by id: the only way to tell which is which."""
        return {register.register: register for register in self.registers}


@dataclass(frozen=True, slots=True)
class OtherMessage:
    """A command that this module does not take apart."""

    cid: int
    payload: bytes

    @property
    def CID(self) -> int:  # noqa: N802 - named as in the other messages
        """The command id."""
        return self.cid

    def encode(self) -> bytes:
        """The payload as it is."""
        return self.payload


Request: TypeAlias = GetTypeRequest | GetSerialNoRequest | GetRegisterRequest | OtherMessage
Response: TypeAlias = GetTypeResponse | GetSerialNoResponse | GetRegisterResponse | OtherMessage


def encode_request(request: Request, address: int = HEAT_METER) -> bytes:
    """The frame of a request, ready to be sent."""
    return encode_frame(START_REQUEST, address, request.CID, request.encode())


def encode_response(response: Response, address: int = HEAT_METER) -> bytes:
    """The frame of a response, as a meter sends it."""
    return encode_frame(START_RESPONSE, address, response.CID, response.encode())


def encode_register(register: int, value: Value, unit_code: int, size: int | None = None) -> bytes:
    """The record of one register in an answer; ``size`` and errors as in ``number.encode_value``."""
    sign_exponent, mantissa = encode_value(value, unit_code, size)
    return RegisterValue(register, unit_code, sign_exponent, mantissa).encode()


def decode_request(frame: Frame) -> Request:
    """What a request asks for. Raises ProtocolError (``direction`` or ``length``) for what is none."""
    if frame.direction != "request":
        raise ProtocolError("direction", "the frame comes from the meter and is no request")
    decode = _REQUESTS.get(frame.cid)
    return decode(frame.payload) if decode else OtherMessage(frame.cid, frame.payload)


def decode_response(frame: Frame) -> Response:
    """What the meter answered. Raises ProtocolError (``direction`` or ``length``) for what is no answer."""
    if frame.direction != "response":
        raise ProtocolError("direction", "the frame goes to the meter (an echo?) and is no answer")
    decode = _RESPONSES.get(frame.cid)
    return decode(frame.payload) if decode else OtherMessage(frame.cid, frame.payload)


def _decode_get_register_request(payload: bytes) -> GetRegisterRequest:
    count = payload[0] if payload else 0
    if len(payload) != 1 + 2 * count or not 1 <= count <= MAX_REGISTERS:
        raise ProtocolError(
            "length",
            f"a GetRegister request holds a count of 1 to {MAX_REGISTERS} and as many ids of 2 bytes; "
            f"this one has {len(payload)} bytes and the count {count}",
        )
    return GetRegisterRequest(
        tuple(int.from_bytes(payload[i : i + 2], "big") for i in range(1, len(payload), 2))
    )


def _decode_get_register_response(payload: bytes) -> GetRegisterResponse:
    registers: list[RegisterValue] = []
    position, end = 0, len(payload)
    while position < end:
        try:
            register, unit_code, size, sign_exponent = _RECORD_HEAD.unpack_from(payload, position)
        except struct.error:
            raise _truncated(len(registers) + 1) from None
        start, position = position + 5, position + 5 + size
        if position > end:
            raise _truncated(len(registers) + 1)
        registers.append(RegisterValue(register, unit_code, sign_exponent, payload[start:position]))
    return GetRegisterResponse(tuple(registers))


def _truncated(number: int) -> ProtocolError:
    return ProtocolError("length", f"register number {number} of the answer ends before its value does")


def _decode_get_type_response(payload: bytes) -> GetTypeResponse:
    _expect_length(payload, 4, "a GetType answer")
    return GetTypeResponse(payload[:2].hex().upper(), _revision_text(payload[2], payload[3]))


def _decode_get_serial_no_response(payload: bytes) -> GetSerialNoResponse:
    _expect_length(payload, 4, "a GetSerialNo answer")
    return GetSerialNoResponse(int.from_bytes(payload, "big"))


def _decode_get_type_request(payload: bytes) -> GetTypeRequest:
    _expect_length(payload, 0, "a GetType request")
    return GetTypeRequest()


def _decode_get_serial_no_request(payload: bytes) -> GetSerialNoRequest:
    _expect_length(payload, 0, "a GetSerialNo request")
    return GetSerialNoRequest()


def _expect_length(payload: bytes, length: int, what: str) -> None:
    if len(payload) != length:
        raise ProtocolError("length", f"{what} carries {length} bytes, not {len(payload)}")


def _revision_text(letter: int, number: int) -> str:
    return f"{chr(ord('A') - 1 + letter)}{number}" if 1 <= letter <= 26 else f"{letter}.{number}"


def _revision_bytes(text: str) -> bytes:
    match = re.fullmatch(r"([A-Z])([0-9]+)|([0-9]+)\.([0-9]+)", text)
    if match is None:
        raise ValueError(f"a software revision is like F1 or 0.5, not {text!r}")
    letter, number, first, second = match.groups()
    return bytes((ord(letter) - ord("A") + 1, int(number)) if letter else (int(first), int(second)))


_REQUESTS: Final[Mapping[int, Callable[[bytes], Request]]] = MappingProxyType(
    {
        GET_TYPE: _decode_get_type_request,
        GET_SERIAL_NO: _decode_get_serial_no_request,
        GET_REGISTER: _decode_get_register_request,
    }
)
_RESPONSES: Final[Mapping[int, Callable[[bytes], Response]]] = MappingProxyType(
    {
        GET_TYPE: _decode_get_type_response,
        GET_SERIAL_NO: _decode_get_serial_no_response,
        GET_REGISTER: _decode_get_register_response,
    }
)
