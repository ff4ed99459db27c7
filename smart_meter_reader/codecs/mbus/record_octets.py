"""The octets of M-Bus records, taken one after another; what ends too early is no record."""

from __future__ import annotations

from typing import Final

from smart_meter_reader.codecs.mbus.values import text
from smart_meter_reader.exceptions import MalformedError

_EXTENSION: Final = 0x80
_MOST_EXTENSIONS: Final = 10


def malformed(detail: str) -> MalformedError:
    """Of which no more can be told, since the next record begins nobody knows where."""
    return MalformedError("records", detail)


class RecordOctets:
    """What is left of a telegram."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._place = 0

    @property
    def place(self) -> int:
        """How many were taken."""
        return self._place

    @property
    def at_end(self) -> bool:
        """Whether all were taken."""
        return self._place >= len(self._octets)

    def one(self, what: str) -> int:
        """The next one. Raises MalformedError, as all that take."""
        return self.take(1, what)[0]

    def take(self, count: int, what: str) -> bytes:
        """So many; ``what`` they are, for a person."""
        taken = self._octets[self._place : self._place + count]
        if len(taken) < count:
            raise malformed(f"the telegram ends inside {what} of a record (octet {self._place})")
        self._place += count
        return taken

    def rest(self) -> bytes:
        """All that are left."""
        return self.take(len(self._octets) - self._place, "what is the maker's")

    def extensions(self, first: int, what: str) -> bytes:
        """The octet and those that it says follow."""
        octets = bytearray((first,))
        while octets[-1] & _EXTENSION:
            if len(octets) > _MOST_EXTENSIONS:
                raise malformed(f"more than {_MOST_EXTENSIONS} {what}E (octet {self._place})")
            octets.append(self.one(what + "E"))
        return bytes(octets)

    def unit(self) -> str:
        """The text of a plain text VIF, behind its length."""
        return text(self.take(self.one("a text VIF"), "the text VIF"))

    @property
    def text_is_last(self) -> bool:
        """Whether the text of a VIF FCh stands behind its extensions.

        The standard says so, but meters (Elvaco's) have it before them: there it is sought first.
        """
        behind = self._place
        while behind < len(self._octets) and self._octets[behind] & _EXTENSION:
            behind += 1
        return not self._has_text(self._place) and self._has_text(behind + 1)

    def _has_text(self, place: int) -> bool:
        length = int.from_bytes(self._octets[place : place + 1])
        letters = self._octets[place + 1 : place + 1 + length]
        return 0 < length == len(letters) and letters.decode("latin-1").isprintable()
