"""Our M-Bus codec beside pymbusparser, which is written in Rust: answers of two meters, bytes to values."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from benchmarks.measure import Row, alone, beside, cpu, in_turns, named, rival
from smart_meter_reader.codecs.mbus.frame import FrameReader, LongFrame
from smart_meter_reader.codecs.mbus.measured import measured_in
from smart_meter_reader.codecs.mbus.telegram import MbusTelegram, parse_telegram
from tests.codecs.mbus.captures import MULTICAL_403, MULTICAL_603, SHARKY

_PACKAGE = "pymbusparser"


def rows(*, quick: bool) -> Iterator[Row]:
    """One answer of a 603 with 30 records, one of a 403 with 9, one of a SHARKY in decimal digits."""
    modules = rival(_PACKAGE, _PACKAGE)
    theirs: Any = modules[0] if modules else None
    repeats, rounds = (5, 2) if quick else (300, 9)
    for what, raw in (("603, 30 records", MULTICAL_603), ("403, 9", MULTICAL_403), ("SHARKY, 16", SHARKY)):
        if theirs:
            assert len(theirs.parse(raw)["records"]) == len(read(raw).records)

        def ours(raw: bytes = raw) -> object:
            return read(raw)

        def parsed(raw: bytes = raw) -> object:
            return theirs.parse(raw)

        sides = in_turns(rounds, cpu(ours, repeats), cpu(parsed, repeats) if theirs else None)
        yield beside(
            f"M-Bus: read an answer of a {what}", "µs", sides[0], named(_PACKAGE) if theirs else "", sides[1]
        )
    (published,) = in_turns(rounds, cpu(lambda: measured_in(read(MULTICAL_603)), repeats))
    yield alone("M-Bus: the same 603 to what is published", "µs", published)
    assert measured_in(read(MULTICAL_603))["heat_energy"]["value"] == Decimal("3363.2")


def read(raw: bytes) -> MbusTelegram:
    """The telegram of one answer."""
    reader = FrameReader()
    reader.receive_data(raw)
    frame = reader.next_frame()
    assert isinstance(frame, LongFrame)
    return parse_telegram(frame)
