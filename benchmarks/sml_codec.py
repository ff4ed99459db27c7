"""SML codec beside pysml's own SmlBase, on the same telegrams in the same chunks; memory and junk.

Both sides look for frames in the chunks, check the checksum and decode every value. Ours then also says what
each value means (quantities); pysml leaves that to Home Assistant. No telegram is like the one before: they
are made by the emulated meters, which send what those of tests/data/sml do.
"""

from __future__ import annotations

import logging
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any

from benchmarks.measure import Measure, Row, Spread, alone, beside, cpu, in_turns, named, rival
from smart_meter_reader.codecs.sml.frame import FrameReader
from smart_meter_reader.codecs.sml.measure import SmlSender
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.meters.sml.emulator import SmlMeter

PIECE = 64  # what a serial port gives
_RATIO = 1 / 5
_MOST_MILLISECONDS = 0.3
# Emulated model, and whether pysml reads it: it has no Kermit, and corrects DZG's power in its own way.
_CASES = (
    ("Iskraemeco MT631, 7 values", "iskra-mt631", True),
    ("EMH eHZ, 7 values and a key", "emh-ehz", True),
    ("eBZ DD3, 10 values", "ebz-dd3", True),
    ("EasyMeter Q3A, 12 values", "easymeter-q3a", True),
    ("Holley DTZ541, 16 values, Kermit", "holley-dtz541", False),
)


def rows(*, quick: bool) -> Iterator[Row]:
    """A telegram of each kind, then what memory and junk cost."""
    logging.disable(logging.CRITICAL)
    count, rounds = (10, 2) if quick else (500, 7)
    modules = rival("pysml", "sml")
    for what, model, both in _CASES:
        pieces = pieces_of(model, count)
        ours = partial(our_count, pieces)
        theirs = partial(their_count, modules[0], pieces) if modules and both else None
        if ours() != count or (theirs is not None and theirs() != count):
            raise SystemExit(f"{what}: not every telegram was read")
        sides = in_turns(
            rounds,
            _per_telegram(ours, count),
            None if theirs is None else _per_telegram(theirs, count),
        )
        name = f"SML: telegram of {what}"
        yield beside(name, "ms", sides[0], named("pysml") if theirs else "", sides[1], _RATIO)
        yield alone(f"{name}, by itself", "ms", sides[0], _MOST_MILLISECONDS)
    yield growth(20 if quick else 8640)
    yield junk(0.1 if quick else 5.0, rounds)


def pieces_of(model: str, count: int) -> list[bytes]:
    """So many telegrams of a meter, as a serial port gives them."""
    meter = SmlMeter(model, interval=10.0)
    stream = b"".join(meter.next_telegram() for _ in range(count))
    return [stream[begin : begin + PIECE] for begin in range(0, len(stream), PIECE)]


def our_count(pieces: list[bytes]) -> int:
    """How many telegrams were read, each with its quantities."""
    reader = FrameReader()
    sender: SmlSender | None = None
    count = 0
    for piece in pieces:
        reader.receive_data(piece)
        while (frame := reader.next_frame()) is not None:
            for message in frame.messages:
                if message.values is not None:
                    sender = sender or SmlSender(message.values.server_id)
                    count += bool(sender.read(message.values).measurements)
    return count


def their_count(sml: Any, pieces: list[bytes]) -> int:
    """The same by pysml, as its serial protocol does it."""
    buffer, count = b"", 0
    for piece in pieces:
        buffer += piece
        while True:
            end, frame = sml.SmlBase.find_frame(buffer)
            buffer = buffer[end:]
            if not frame:
                break
            for message in frame:
                body = message.get("messageBody")
                count += isinstance(body, sml.SmlGetListResponse) and bool(body["valList"])
    return count


def _per_telegram(run: Callable[[], int], count: int) -> Measure:
    return cpu(run, unit=count * 1e-3)


def growth(count: int) -> Row:
    """What is kept after a day of a list every ten seconds."""
    pieces = pieces_of("easymeter-q3a", count)
    our_count(pieces[:200])
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        reader = FrameReader()
        for piece in pieces:
            reader.receive_data(piece)
            while reader.next_frame() is not None:
                pass
        grown = (tracemalloc.get_traced_memory()[0] - before) / 1024
    finally:
        tracemalloc.stop()
    return alone(f"SML: memory kept after {count} telegrams", "KiB", [max(0.0, grown)], 64.0)


def junk(megabytes: float, rounds: int) -> Row:
    """What a line that babbles costs: a megabyte of it, full of escapes."""
    stream = bytes(Random(1).choices(b"\x1b\x01\x1a\x00\x76", k=int(megabytes * 1e6)))

    def read() -> None:
        reader = FrameReader()
        for begin in range(0, len(stream), 4096):
            reader.receive_data(stream[begin : begin + 4096])
            while True:
                try:
                    if reader.next_frame() is None:
                        break
                except FrameError:
                    continue

    values = in_turns(rounds, cpu(read, unit=megabytes * 1e-3))[0]
    return Row("SML: a megabyte of junk full of escapes", "ms", Spread.of(values))
