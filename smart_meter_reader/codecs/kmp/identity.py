"""KMP messages about who a meter is: GetType and GetSerialNo.

Source: Kamstrup 5512-447, section 6.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from smart_meter_reader.codecs.kmp.commands import GET_SERIAL_NO, GET_TYPE
from smart_meter_reader.exceptions import ProtocolError

_LETTERS = 26


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


def decode_get_type_response(payload: bytes) -> GetTypeResponse:
    """The type that a meter answered. Raises ProtocolError (``length``)."""
    expect_length(payload, 4, "a GetType answer")
    return GetTypeResponse(payload[:2].hex().upper(), _revision_text(payload[2], payload[3]))


def decode_get_serial_no_response(payload: bytes) -> GetSerialNoResponse:
    """The serial number that a meter answered. Raises ProtocolError (``length``)."""
    expect_length(payload, 4, "a GetSerialNo answer")
    return GetSerialNoResponse(int.from_bytes(payload, "big"))


def decode_get_type_request(payload: bytes) -> GetTypeRequest:
    """The request, which carries nothing. Raises ProtocolError (``length``)."""
    expect_length(payload, 0, "a GetType request")
    return GetTypeRequest()


def decode_get_serial_no_request(payload: bytes) -> GetSerialNoRequest:
    """The request, which carries nothing. Raises ProtocolError (``length``)."""
    expect_length(payload, 0, "a GetSerialNo request")
    return GetSerialNoRequest()


def expect_length(payload: bytes, length: int, what: str) -> None:
    """Raises ProtocolError (``length``) for a payload of another length."""
    if len(payload) != length:
        raise ProtocolError("length", f"{what} carries {length} bytes, not {len(payload)}")


def _revision_text(letter: int, number: int) -> str:
    if not 1 <= letter <= 2 * _LETTERS:
        return f"{letter}.{number}"
    # A utility's concentrator writes what comes after Z as AA, AB and so on.
    first = "A" if letter > _LETTERS else ""
    return f"{first}{chr(ord('A') + (letter - 1) % _LETTERS)}{number}"


def _revision_bytes(text: str) -> bytes:
    match = re.fullmatch(r"(A?[A-Z])([0-9]+)|([0-9]+)\.([0-9]+)", text)
    if match is None:
        raise ValueError(f"a software revision is like F1 or 0.5, not {text!r}")
    letter, number, first, second = match.groups()
    if not letter:
        return bytes((int(first), int(second)))
    place = ord(letter[-1]) - ord("A") + 1 + _LETTERS * (len(letter) - 1)
    return bytes((place, int(number)))
