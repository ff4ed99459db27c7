"""P1 codec beside dsmr-parser's own DSMRProtocol, on the same streams; memory and noise of both.

In every stream each telegram differs from all others: meter readings, powers and times advance. What stays
is what a meter leaves alone for a month, the peaks of the months before (98.1.0). Both sides get the same
bytes in the same chunks, check the same checksums or tags, and decode every value.

"Fluvius XT211" is what such a meter sent in October 2024 (tests/data/p1/p1_field.json, its ten months of
peaks made thirteen). Of it stays, too, what stays on that meter: the month's peak, thresholds, and what gas
and water said, which comes once in five minutes.
"""

from __future__ import annotations

import gc
import json
import logging
import re
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

from dsmr_parser import telegram_specifications as specifications
from dsmr_parser.clients.protocol import DSMRProtocol
from dsmr_parser.parsers import TelegramParser as DsmrTelegramParser

from benchmarks.measure import Measure, Row, Spread, alone, beside, cpu, in_turns, named
from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.meters.p1.emulated_telegrams import TEMPLATES

CHUNK = 512  # what comes from a network or a file
PIECE = 64  # what a serial port gives
KEY = bytes(range(16))
AUTHENTICATION_KEY = bytes(range(0xD0, 0xE0))
TITLE = b"SAG5\x00\x01\x23\x45"
_FIELD = Path(__file__).parents[1] / "tests/data/p1/p1_field.json"
_HISTORY = b"0-0:98.1.0"
_CLOCK = re.compile(rb"(?<=0-0:1\.0\.0\()[0-9]{12}(?=[SW]\))")
# What does not change from one telegram of an XT211 to the next.
_STILL = (_HISTORY, b"1-0:1.6.0", b"0-0:17.0.0", b"1-0:31.4.0", b"0-1:24.2.3", b"0-2:24.2.1")
_MONTH = re.compile(rb"\([0-9]{12}[SW]\)\([0-9]{12}[SW]\)\([0-9.]+\*kW\)")
_NUMBER = re.compile(rb"\((-?)([0-9]+)\.?([0-9]*)(\*[kMG]?(?:W|Wh|V|A|var|varh|m3))\)")

# Stream, template, dsmr-parser's specification, key, and the shares of its time that are to be reached, in
# chunks and in the pieces of a serial port.
_CASES: tuple[tuple[str, str, dict[str, object], bytes | None, float, float], ...] = (
    ("DSMR 5", "dsmr-5", specifications.V5, None, 1 / 8, 1 / 8),
    ("DSMR 4.2", "dsmr-4", specifications.V4, None, 1 / 8, 1 / 8),
    ("Fluvius", "belgium", specifications.BELGIUM_FLUVIUS, None, 1 / 8, 1 / 8),
    ("Fluvius XT211", "xt211", specifications.BELGIUM_FLUVIUS, None, 1 / 8, 1 / 8),
    ("T210-D-r, encrypted", "austria", specifications.SAGEMCOM_T210_D_R, KEY, 1 / 4, 1 / 5),
)


def rows(*, quick: bool) -> Iterator[Row]:
    """A telegram of each kind, then what memory and noise cost."""
    logging.disable(logging.CRITICAL)
    count, rounds = (10, 2) if quick else (300, 7)
    for what, template, specification, key, most, most_in_pieces in _CASES:
        stream = b"".join(frames(template, key, count))
        for words, size, goal in (("", CHUNK, most), (f" in pieces of {PIECE} bytes", PIECE, most_in_pieces)):
            pieces = chunks(stream, size)
            ours = partial(our_count, pieces, key)
            theirs = partial(run_theirs, pieces, specification, _keys(key))
            if not ours() == theirs() == count:
                raise SystemExit(f"{what}{words}: not every telegram was read")
            sides = in_turns(rounds, _per_telegram(ours, count), _per_telegram(theirs, count))
            yield beside(f"P1: {what} telegram{words}", "µs", sides[0], named("dsmr-parser"), sides[1], goal)
    yield growth(20 if quick else 20_000)
    yield from noise(0.1 if quick else 5.0, rounds)


def frames(template: str, key: bytes | None, count: int) -> Iterator[bytes]:
    """``count`` telegrams as they go over the line."""
    still = _STILL if template == "xt211" else (_HISTORY,)
    source = _xt211() if template == "xt211" else TEMPLATES[template]
    for counter, frame in enumerate(telegrams(source, count, still=still), 1):
        yield frame if key is None else encrypt_telegram(frame, key, AUTHENTICATION_KEY, TITLE, counter)


def _xt211() -> bytes:
    """What the meter sent, with three more months of peaks and without its checksum."""
    entries = json.loads(_FIELD.read_text("utf-8"))["entries"]
    (text,) = (str(entry["text"]).encode() for entry in entries if entry["id"] == "be-xt211-50221")
    months = _MONTH.findall(text)
    longer = text.replace(months[0], b"".join(months[:4])).replace(b"(10)(1-0:1.6.0)", b"(13)(1-0:1.6.0)")
    return longer[: longer.rindex(b"!") + 1]


def our_count(pieces: list[bytes], key: bytes | None) -> int:
    """With a new opener each time, since it refuses frame counters that it has seen."""
    return run_ours(pieces, Opener(key, AUTHENTICATION_KEY) if key else None)


def _keys(key: bytes | None) -> tuple[str, str]:
    return (key.hex(), AUTHENTICATION_KEY.hex()) if key else ("", "")


def _per_telegram(run: Callable[[], int], count: int) -> Measure:
    return cpu(run, unit=count * 1e-6)


def telegrams(
    template: bytes, count: int, seed: int = 1, still: tuple[bytes, ...] = (_HISTORY,)
) -> Iterator[bytes]:
    """``count`` telegrams, a second apart and all different, with right checksums.

    ``still``: how lines begin that stay as they are.
    """
    random = Random(seed)

    def advance(match: re.Match[bytes]) -> bytes:
        digits = match[2] + match[3]
        number = (int(digits) + random.randrange(1, 100_000)) % 10 ** len(digits)
        text = f"{number:0{len(digits)}d}".encode()
        point = b"." if match[3] else b""
        return b"(" + match[1] + text[: len(match[2])] + point + text[len(match[2]) :] + match[4] + b")"

    for second in range(count):
        minutes, seconds = divmod(second, 60)
        clock = b"24101809%02d%02d" % (minutes % 60, seconds)
        lines = _CLOCK.sub(clock, template).splitlines(keepends=True)
        yield encode_telegram(
            b"".join(line if line.startswith(still) else _NUMBER.sub(advance, line) for line in lines)
        )


def chunks(stream: bytes, size: int = CHUNK) -> list[bytes]:
    return [stream[begin : begin + size] for begin in range(0, len(stream), size)]


def run_ours(pieces: list[bytes], opener: Opener | None) -> int:
    reader = P1Reader(opener)
    count = 0
    for piece in pieces:
        reader.receive_data(piece)
        while (telegram := reader.next_telegram()) is not None:
            count += bool(telegram.objects)
    return count


def run_theirs(pieces: list[bytes], specification: dict[str, object], keys: tuple[str, str]) -> int:
    received: list[object] = []
    protocol = DSMRProtocol(
        None,
        DsmrTelegramParser(specification),
        telegram_callback=lambda telegram: received.append(sum(1 for _ in telegram)),
        encryption_key=keys[0],
        authentication_key=keys[1],
    )
    for piece in pieces:
        protocol.data_received(piece)
    return len(received)


def growth(count: int) -> Row:
    """Memory that telegrams with power failure logs leave behind."""
    some = list(telegrams(TEMPLATES["dsmr-4"], min(500, count)))
    reader = P1Reader()
    parser = DsmrTelegramParser(specifications.V4)
    protocol = DSMRProtocol(None, parser, telegram_callback=lambda _: None)
    ours = _growth(lambda: _read(reader, some), count // len(some))
    # It is slow enough to be measured on fewer.
    theirs = _growth(lambda: _receive(protocol, some), max(1, count // len(some) // 20))
    row = beside("P1: memory left behind", "bytes per telegram", [ours / count], named("dsmr-parser"), [])
    their_count = max(1, count // len(some) // 20) * len(some)
    return replace(row, theirs=Spread.of([theirs / their_count])).with_goal(1.0)


def noise(seconds: float, rounds: int) -> Iterator[Row]:
    """CPU for a second of noise at 115,200 Bd, and the memory that it takes meanwhile."""
    pieces = chunks(Random(1).randbytes(int(seconds * 11_520)))
    # dsmr-parser decodes strictly, and a byte above 7Fh ends its protocol: it gets seven bits of each.
    tame = [bytes(byte & 0x7F for byte in piece) for piece in pieces]

    def theirs() -> None:
        _receive(
            DSMRProtocol(None, DsmrTelegramParser(specifications.V5), telegram_callback=lambda _: None), tame
        )

    sides = in_turns(
        min(rounds, 3),
        cpu(lambda: _read(P1Reader(), pieces), unit=seconds * 1e-3),
        cpu(theirs, unit=seconds * 1e-3),
    )
    yield beside("P1: a second of noise", "ms", sides[0], named("dsmr-parser"), sides[1])
    reader = P1Reader()
    _read(reader, pieces)
    tracemalloc.start()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    _read(reader, pieces)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield alone("P1: memory in noise, at most", "KiB", [(peak - before) / 1024], 64)


def _growth(work: Callable[[], None], repeats: int) -> int:
    """Bytes that ``repeats`` runs leave allocated, after a first one."""
    work()
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(repeats):
        work()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return after - before


def _read(reader: P1Reader, pieces: list[bytes]) -> None:
    for piece in pieces:
        reader.receive_data(piece)
        _drain(reader)


def _drain(reader: P1Reader) -> None:
    while True:
        try:
            if reader.next_telegram() is None:
                return
        except FrameError:
            continue


def _receive(protocol: DSMRProtocol, pieces: list[bytes]) -> None:
    for piece in pieces:
        protocol.data_received(piece)
