"""One register as it travels: id, unit, number of bytes, SignExp and mantissa.

Source: Kamstrup 5512-447, sections 4.4 and 6.2.4.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from smart_meter_reader.codecs.kmp.number import decode_value
from smart_meter_reader.codecs.kmp.units import UNIT_BY_CODE
from smart_meter_reader.quantities.measurement import Value

# Register id, unit, number of bytes of the mantissa, SignExp; the mantissa follows.
RECORD_HEAD: Final = struct.Struct(">HBBB")


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
        head = RECORD_HEAD.pack(self.register, self.unit_code, len(self.mantissa), self.sign_exponent)
        return head + self.mantissa
