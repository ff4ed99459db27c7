"""The Kamstrup Meter Protocol (KMP) of the optical head, both directions.

``frame`` finds frames in bytes, ``commands`` names what is asked of whom and lists what may be; ``message``,
``identity`` and ``loggers`` read and write their content, ``record`` and ``number`` turn register contents
into values; ``set_clock`` is the one thing that changes a meter; ``units``, ``registers`` and ``meters`` are
the tables, ``describe`` tells a capture in plain objects.
"""

from __future__ import annotations

from smart_meter_reader.codecs.kmp.commands import HEAT_METER
from smart_meter_reader.codecs.kmp.frame import (
    START_REQUEST,
    START_RESPONSE,
    Ack,
    Frame,
    FrameReader,
    decode_frame,
    encode_frame,
)
from smart_meter_reader.codecs.kmp.identity import (
    GetSerialNoRequest,
    GetSerialNoResponse,
    GetTypeRequest,
    GetTypeResponse,
)
from smart_meter_reader.codecs.kmp.message import (
    MAX_REGISTERS,
    GetRegisterRequest,
    GetRegisterResponse,
    OtherMessage,
    Request,
    Response,
    decode_request,
    decode_response,
    encode_register,
    encode_request,
    encode_response,
)
from smart_meter_reader.codecs.kmp.record import RegisterValue
from smart_meter_reader.codecs.kmp.registers import REGISTERS, Register, register_of, resolve_register

__all__ = [
    "HEAT_METER",
    "MAX_REGISTERS",
    "REGISTERS",
    "START_REQUEST",
    "START_RESPONSE",
    "Ack",
    "Frame",
    "FrameReader",
    "GetRegisterRequest",
    "GetRegisterResponse",
    "GetSerialNoRequest",
    "GetSerialNoResponse",
    "GetTypeRequest",
    "GetTypeResponse",
    "OtherMessage",
    "Register",
    "RegisterValue",
    "Request",
    "Response",
    "decode_frame",
    "decode_request",
    "decode_response",
    "encode_frame",
    "encode_register",
    "encode_request",
    "encode_response",
    "register_of",
    "resolve_register",
]
