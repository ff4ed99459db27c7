"""Who a meter is, by its server id.

DIN 43863-5: medium (1 electricity), three letters of the maker, a block of two hexadecimal digits and eight
decimal ones; as octets 0A or 09, 01, the letters, one octet, four octets. It stands so on the front of the
meter: 1 DZG 00 42082910. EMH's EDL21 meters have 06, the letters and six octets, and print the hexadecimal.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from smart_meter_reader.text import LONGEST_NAME, printable

_LENGTH: Final = 10
_DIN, _EDL21 = (0x0A, 0x09), 0x06
_ELECTRICITY: Final = 1
_FLAG_LENGTH: Final = 3

_MAKERS: Final = MappingProxyType(
    {
        "APA": "Apator",
        "DNT": "Dr. Neuhaus",
        "DZG": "DZG",
        "EBZ": "eBZ",
        "EFR": "EFR",
        "EMH": "EMH",
        "ESY": "EasyMeter",
        "HAG": "Hager",
        "HLY": "Holley",
        "ISK": "Iskraemeco",
        "ITR": "Itron",
        "KAM": "Kamstrup",
        "LGZ": "Landis+Gyr",
        "LOG": "Logarex",
        "NES": "NES",
        "PAF": "Pafal",
    }
)


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """``flag``: the three letters, "" where the id has none. ``number``: the serial one of the maker, or 0.

    ``serial_number`` as it stands on the meter, without blanks.
    """

    serial_number: str
    flag: str = ""
    number: int = 0

    @property
    def manufacturer(self) -> str:
        """The maker's name; the letters where nobody told us more."""
        return _MAKERS.get(self.flag, self.flag)


def identity_of(server_id: bytes, maker: bytes = b"") -> ServerIdentity:
    """Who has this server id; one of zeros alone, or none, is nobody's.

    ``maker``: what the telegram calls its maker. Older ids and ids of zeros do not name one.
    """
    flag = maker[:_FLAG_LENGTH]
    known = flag.decode("ascii").upper() if flag.isalpha() else ""
    if not any(server_id):
        return ServerIdentity("", known if known in _MAKERS else "")
    if len(server_id) == _LENGTH:
        first, letters = server_id[0], server_id[2:5]
        if first in _DIN and server_id[1] == _ELECTRICITY and letters.isalpha():
            number = int.from_bytes(server_id[6:], "big")
            flag_of_id = letters.decode("ascii").upper()
            return ServerIdentity(f"1{flag_of_id}{server_id[5]:02X}{number:08d}", flag_of_id, number)
        if first == _EDL21 and server_id[1:4].isalpha():
            flag_of_id = server_id[1:4].decode("ascii").upper()
            return ServerIdentity(server_id.hex().upper(), flag_of_id, int.from_bytes(server_id[6:], "big"))
    text = text_of(server_id)
    serial_number = text.removeprefix("0x").upper() if text.startswith("0x") else text
    return ServerIdentity(serial_number, known if known in _MAKERS else "")


def text_of(octets: bytes) -> str:
    """Octets as text where they are such, else as ``0x`` and hexadecimal digits."""
    if octets and octets.isascii():
        text = octets.decode("ascii")
        if text.isprintable():
            return printable(text, LONGEST_NAME)
    return printable(f"0x{octets.hex()}", LONGEST_NAME)
