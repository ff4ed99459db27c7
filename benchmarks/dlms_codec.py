"""DLMS codec beside amshan's reader and decoder, on the same streams of Norwegian and Swedish meters.

In every stream each telegram differs from all others, as an emulated house makes them. Both sides get the
same bytes in the same pieces, check the same check sequences, and decode every value. Of what amshan does
not read (encryption, blocks, M-Bus framing) there is our time alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.measure import Measure, Row, alone, beside, cpu, in_turns, named, rival
from smart_meter_reader.codecs.dlms.cipher import DlmsOpener
from smart_meter_reader.codecs.dlms.reader import DlmsReader
from smart_meter_reader.meters.dlms.emulator import DlmsMeter, PushEncryption

PIECE = 64  # what a serial port gives
KEY, AUTHENTICATION_KEY = bytes(range(16)), bytes(range(0xD0, 0xE0))
# Model, and whether each telegram is the one with everything in it.
_BESIDE = (("Kaifa list 2", "kaifa-no"), ("Aidon list 2", "aidon-no"), ("Kamstrup list 2", "kamstrup-no"))
_ALONE = (
    ("Landis+Gyr E450, Swiss list in blocks", "e450-ch", False),
    ("Kamstrup, Denmark, encrypted", "kamstrup-dk", True),
    ("Kaifa, Austria, M-Bus framing, encrypted", "kaifa-at", True),
)


def rows(*, quick: bool) -> Iterator[Row]:
    """A telegram of each kind."""
    count, rounds = (10, 2) if quick else (300, 7)
    modules = rival("amshan", "han.hdlc", "han.autodecoder")
    for what, model in _BESIDE:
        pieces = chunks(b"".join(telegrams(model, count, encrypted=False)))
        ours = partial(run_ours, pieces, None)
        theirs = None if modules is None else partial(run_theirs, pieces, modules)
        if ours() != count or (theirs is not None and theirs() != count):
            raise SystemExit(f"{what}: not every telegram was read")
        sides = in_turns(rounds, _each(ours, count), None if theirs is None else _each(theirs, count))
        name = "" if theirs is None else named("amshan")
        yield beside(f"DLMS: {what} telegram", "µs", sides[0], name, sides[1], 1 / 4)
    for what, model, encrypted in _ALONE:
        pieces = chunks(b"".join(telegrams(model, count, encrypted=encrypted)))
        if _fresh(pieces, encrypted) != count:
            raise SystemExit(f"{what}: not every telegram was read")
        (side,) = in_turns(rounds, _each(partial(_fresh, pieces, encrypted), count))
        yield alone(f"DLMS: {what}, a telegram", "µs", side)


def telegrams(model: str, count: int, *, encrypted: bool) -> Iterator[bytes]:
    """``count`` telegrams of an emulated meter; of those with an hourly list, without it."""
    meter = DlmsMeter(model, encryption=PushEncryption(KEY, AUTHENTICATION_KEY) if encrypted else None)
    meter.next_telegram()
    for _ in range(count):
        telegram = meter.next_telegram()
        yield telegram


def chunks(stream: bytes) -> list[bytes]:
    return [stream[begin : begin + PIECE] for begin in range(0, len(stream), PIECE)]


def _each(run: Callable[[], int], count: int) -> Measure:
    return cpu(run, unit=count * 1e-6)


def _fresh(pieces: list[bytes], encrypted: bool) -> int:
    """With a new opener each time, since it refuses frame counters that it has seen."""
    return run_ours(pieces, DlmsOpener(KEY, AUTHENTICATION_KEY) if encrypted else None)


def run_ours(pieces: list[bytes], opener: DlmsOpener | None) -> int:
    reader = DlmsReader(opener)
    count = 0
    for piece in pieces:
        reader.receive_data(piece)
        while (telegram := reader.next_telegram()) is not None:
            count += bool(telegram.measurements)
    return count


def run_theirs(pieces: list[bytes], modules: list[Any]) -> int:
    hdlc, autodecoder = modules
    reader, decoder = hdlc.HdlcFrameReader(), autodecoder.AutoDecoder()
    count = 0
    for piece in pieces:
        for frame in reader.read(piece):
            if frame.is_good_ffc and frame.is_expected_length:
                count += bool(decoder.decode_message(frame))
    return count
