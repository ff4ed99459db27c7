"""Made-up numbers in the place of real ones: the same for the same, and every form of the real one known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from smart_meter_reader.text import is_digits

# Shorter numbers occur by chance in anything.
_SHORTEST_TELLING = 6
# With fewer digits it is no number of a device or customer, but one of what a report counts.
_SHORTEST_NAMING = 3
# A protocol that packs a number into bytes has fewer digits; what is longer stands in text only.
_LONGEST_PACKED = 64
HIDDEN = "<hidden>"
_TEXT_IN_HEX = re.compile(r"(?:[2-7][0-9A-Fa-f])+")


class Pseudonyms:
    """Real numbers and names, in the order in which they were met, and what stands for them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    @property
    def originals(self) -> tuple[str, ...]:
        """The real ones, without leading zeros."""
        return tuple(self._numbers)

    def of(self, original: str) -> str:
        """As long as the original: zeros and a number that tells it from others."""
        key = original.strip().lstrip("0")
        if not key:
            return original  # a number that was never set names nobody
        number = self._numbers.setdefault(key, len(self._numbers) + 1)
        return str(number).rjust(len(original), "0")[-len(original) :]

    def of_octets(self, digits: str) -> str:
        """The same for what P1 writes as hexadecimal digits: where they stand for text, they do so again."""
        if len(digits) % 2 or not _TEXT_IN_HEX.fullmatch(digits):
            return self.of(digits)
        self.of(digits)  # a number may look like text: both are known from now on
        return self.of(bytes.fromhex(digits).decode("ascii")).encode("ascii").hex()


def forms_of(original: str) -> Iterator[str]:
    """Every way in which a number or name may stand in a text: forwards, backwards, in hexadecimal."""
    if len(original) < _SHORTEST_TELLING:
        return
    yield original
    yield original[::-1]
    for octets in _octets_of(original):
        yield octets.hex()
        yield octets.hex(" ")
        yield octets.hex(":")


def _octets_of(original: str) -> Iterator[bytes]:
    text = original.encode()
    yield text
    yield text[::-1]
    if is_digits(original, _LONGEST_PACKED) and int(original) >= 1 << 16:
        number = int(original)
        # KMP's four bytes, or as many as it takes.
        size = max(4, (number.bit_length() + 7) // 8)
        yield number.to_bytes(size, "big")
        yield number.to_bytes(size, "little")
        # BCD, as M-Bus has it; digits that pack into letters or digits would be found in any text.
        packed = bytes.fromhex(original.rjust(len(original) + len(original) % 2, "0"))
        if not all(0x20 <= byte < 0x7F for byte in packed):
            yield packed
            yield packed[::-1]


def scrub(text: str, originals: Iterable[str]) -> str:
    """The text without any form of the originals; short numbers are taken out where they stand alone."""
    for original in sorted(originals, key=len, reverse=True):
        for form in forms_of(original):
            text = re.sub(re.escape(form), HIDDEN, text, flags=re.IGNORECASE)
        if _SHORTEST_NAMING <= len(original) < _SHORTEST_TELLING and re.search(r"[0-9]", original):
            text = re.sub(rf"(?<![0-9])0*{re.escape(original)}(?![0-9])", HIDDEN, text, flags=re.IGNORECASE)
    return text


def leaks(payload: bytes, originals: Iterable[str]) -> bool:
    """Whether bytes of a line hold any form of the originals, with parity in the eighth bit or not."""
    seven_bits = bytes(byte & 0x7F for byte in payload)
    for original in originals:
        if len(original) < _SHORTEST_TELLING:
            continue
        for octets in _octets_of(original):
            digits = octets.hex().encode()
            for where in (payload, seven_bits):
                if octets in where or digits in where.lower():
                    return True
    return False
