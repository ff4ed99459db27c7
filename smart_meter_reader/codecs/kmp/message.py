"""KMP messages, requests and responses, to and from a frame's payload; GetRegister among them.

Source: Kamstrup 5512-447, sections 3.3 (CID), 4.4 (registers), 6.1 and 6.2 (commands and answers).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import ClassVar, Final, TypeAlias

from smart_meter_reader.codecs.kmp.commands import (
    GET_EVENT_STATUS,
    GET_LOAD_PROFILE_CONFIG,
    GET_LOG,
    GET_LOG_ID_PRESENT,
    GET_LOG_LAST_PRESENT,
    GET_LOG_TIME_PAST,
    GET_LOG_TIME_PRESENT,
    GET_REGISTER,
    GET_SERIAL_NO,
    GET_TYPE,
    HEAT_METER,
)
from smart_meter_reader.codecs.kmp.frame import START_REQUEST, START_RESPONSE, Frame, encode_frame
from smart_meter_reader.codecs.kmp.identity import (
    GetSerialNoRequest,
    GetSerialNoResponse,
    GetTypeRequest,
    GetTypeResponse,
    decode_get_serial_no_request,
    decode_get_serial_no_response,
    decode_get_type_request,
    decode_get_type_response,
    expect_length,
)
from smart_meter_reader.codecs.kmp.loggers.compressed import CompressedLogAnswer
from smart_meter_reader.codecs.kmp.loggers.past import LogAnswer, LoggerConfiguration, decode_past_answer
from smart_meter_reader.codecs.kmp.loggers.past_requests import PastRequest, decode_past_request
from smart_meter_reader.codecs.kmp.loggers.record_answers import LogRecords, decode_records
from smart_meter_reader.codecs.kmp.loggers.records import (
    EventStatus,
    EventStatusRequest,
    LoadProfileConfigRequest,
    RecordsRequest,
    decode_event_status,
    decode_records_request,
)
from smart_meter_reader.codecs.kmp.number import encode_value
from smart_meter_reader.codecs.kmp.record import RECORD_HEAD, RegisterValue
from smart_meter_reader.exceptions import ProtocolError
from smart_meter_reader.quantities.measurement import Value

MAX_REGISTERS: Final = 8  # 5512-447, 6.2.4: registers in one GetRegister request


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


Request: TypeAlias = (
    GetTypeRequest
    | GetSerialNoRequest
    | GetRegisterRequest
    | PastRequest
    | RecordsRequest
    | EventStatusRequest
    | LoadProfileConfigRequest
    | OtherMessage
)
Response: TypeAlias = (
    GetTypeResponse
    | GetSerialNoResponse
    | GetRegisterResponse
    | LoggerConfiguration
    | LogAnswer
    | CompressedLogAnswer
    | LogRecords
    | EventStatus
    | OtherMessage
)


def encode_request(request: Request, address: int = HEAT_METER) -> bytes:
    """The frame of a request, ready to be sent.

    Raises ForbiddenCommandError for a command that does more than read, or that no heat meter is known to
    answer.
    """
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
            register, unit_code, size, sign_exponent = RECORD_HEAD.unpack_from(payload, position)
        except struct.error:
            raise _truncated(len(registers) + 1) from None
        start, position = position + 5, position + 5 + size
        if position > end:
            raise _truncated(len(registers) + 1)
        registers.append(RegisterValue(register, unit_code, sign_exponent, payload[start:position]))
    return GetRegisterResponse(tuple(registers))


def _truncated(number: int) -> ProtocolError:
    return ProtocolError("length", f"register number {number} of the answer ends before its value does")


def _decode_event_status_request(payload: bytes) -> EventStatusRequest:
    expect_length(payload, 0, "a GetEventStatus request")
    return EventStatusRequest()


def _decode_load_profile_request(payload: bytes) -> LoadProfileConfigRequest | OtherMessage:
    # No source tells what it carries in an electricity meter.
    return OtherMessage(GET_LOAD_PROFILE_CONFIG, payload) if payload else LoadProfileConfigRequest()


_RECORDS: Final = (GET_LOG_TIME_PRESENT, GET_LOG_LAST_PRESENT, GET_LOG_ID_PRESENT, GET_LOG_TIME_PAST)
_REQUESTS: Final[Mapping[int, Callable[[bytes], Request]]] = MappingProxyType(
    {
        GET_TYPE: decode_get_type_request,
        GET_SERIAL_NO: decode_get_serial_no_request,
        GET_REGISTER: _decode_get_register_request,
        GET_EVENT_STATUS: _decode_event_status_request,
        GET_LOAD_PROFILE_CONFIG: _decode_load_profile_request,
        GET_LOG: lambda payload: decode_past_request(payload) or OtherMessage(GET_LOG, payload),
        **{cid: partial(decode_records_request, cid) for cid in _RECORDS},
    }
)
_RESPONSES: Final[Mapping[int, Callable[[bytes], Response]]] = MappingProxyType(
    {
        GET_TYPE: decode_get_type_response,
        GET_SERIAL_NO: decode_get_serial_no_response,
        GET_REGISTER: _decode_get_register_response,
        GET_EVENT_STATUS: decode_event_status,
        GET_LOG: lambda payload: decode_past_answer(payload) or OtherMessage(GET_LOG, payload),
        **{cid: partial(decode_records, cid) for cid in _RECORDS},
    }
)
