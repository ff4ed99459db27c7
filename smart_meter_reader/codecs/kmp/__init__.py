"""The Kamstrup Meter Protocol (KMP) of the optical head, both directions.

``frame`` finds frames in bytes, ``message`` reads and writes their content, ``number`` turns register
contents into values, ``units``, ``registers`` and ``meters`` are the tables, ``describe`` tells a capture
in plain objects.
"""

from __future__ import annotations

from smart_meter_reader.codecs.kmp.frame import (
    START_REQUEST,
    START_RESPONSE,
    Ack,
    Frame,
    FrameReader,
    decode_frame,
    encode_frame,
)
from smart_meter_reader.codecs.kmp.message import (
    HEAT_METER,
    MAX_REGISTERS,
    GetRegisterRequest,
    GetRegisterResponse,
    GetSerialNoRequest,
    GetSerialNoResponse,
    GetTypeRequest,
    GetTypeResponse,
    OtherMessage,
    RegisterValue,
    Request,
    Response,
    decode_request,
    decode_response,
    encode_register,
    encode_request,
    encode_response,
)
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
