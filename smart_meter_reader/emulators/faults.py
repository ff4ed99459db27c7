"""Faults on demand: which kinds of trouble an emulated meter makes, and on which answers."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

WHICH = (
    "alone: always; :0.2 with that probability; :1/3 on every third answer; :2 on the first two answers only"
)
_WHICH = re.compile(r"(?P<every>1/[1-9][0-9]{0,8})|(?P<first>[1-9][0-9]{0,8})|(?P<chance>0?\.[0-9]+|1\.0*|0)")


@dataclass(slots=True)
class Fault:
    """One kind of trouble and its occurrences: a rule asked once per answer, in order."""

    kind: str
    chance: float = 1.0
    every: int = 0  # every n-th answer; 0: not by count
    first: int = 0  # only the first n; 0: not limited
    subject: str = ""  # what it is about, for kinds that take a name
    _asked: int = field(default=0, repr=False)

    def strikes(self, chance: random.Random) -> bool:
        """Whether the next answer is hit."""
        self._asked += 1
        if self.first:
            return self._asked <= self.first
        if self.every:
            return self._asked % self.every == 0
        return self.chance >= 1.0 or chance.random() < self.chance


class Faults:
    """All faults of one emulated meter, by kind; the same seed gives the same trouble."""

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self._faults = list(faults)
        self.random = random.Random(seed)  # noqa: S311 - trouble on demand, protects nothing

    def strike(self, kind: str) -> bool:
        """Whether a fault of this kind hits now."""
        # Every rule counts its occasions, also when an earlier one has struck: hence no short cut.
        struck = [
            rule.strikes(self.random) for rule in self._faults if rule.kind == kind and not rule.subject
        ]
        return True in struck

    def subjects(self, kind: str) -> set[str]:
        """What the faults of this kind are about."""
        return {fault.subject for fault in self._faults if fault.kind == kind and fault.subject}

    def flip_bit(self, frame: bytes) -> bytes:
        """The frame with one bit turned over."""
        position = self.random.randrange(len(frame) * 8)
        damaged = bytearray(frame)
        damaged[position // 8] ^= 1 << position % 8
        return bytes(damaged)

    def noise(self) -> bytes:
        """A few bytes of anything, stray zeros among them."""
        return b"\x00" + self.random.randbytes(self.random.randint(1, 12))


def parse_faults(
    texts: Sequence[str], kinds: Mapping[str, str], *, with_subject: frozenset[str] = frozenset()
) -> list[Fault]:
    """Faults from texts such as "crc", "crc:0.2", "drop:1/3", "late:2,noise".

    Kinds in ``with_subject`` take a name as well. Raises ValueError with a sentence for the user.
    """
    return [
        _parse(part.strip(), kinds, with_subject)
        for text in texts
        for part in text.split(",")
        if part.strip()
    ]


def _parse(text: str, kinds: Mapping[str, str], with_subject: frozenset[str]) -> Fault:
    kind, _, which = text.partition(":")
    if kind not in kinds:
        raise ValueError(f"there is no fault {kind!r}; there are {', '.join(kinds)}")
    if not which:
        return Fault(kind)
    match = _WHICH.fullmatch(which)
    if match is None:
        if kind in with_subject and which[0].isalpha():
            return Fault(kind, subject=which)
        raise ValueError(f"{which!r} in {text!r} does not say when: {WHICH}")
    if match["every"]:
        return Fault(kind, every=int(match["every"][2:]))
    if match["first"]:
        return Fault(kind, first=int(match["first"]))
    return Fault(kind, chance=float(match["chance"]))
