"""P1 codec beside dsmr-parser's own DSMRProtocol, on the same streams in the same run; prints the ratios.

    python benchmarks/p1_codec.py [--telegrams 400] [--rounds 5] [--memory]

In every stream each telegram differs from all others: meter readings, powers and times advance. Both
sides get the same bytes in the same chunks, check the same checksums or tags, and decode every value.
Rounds alternate; the best round of each side counts, since whatever else runs can only make it slower.
"""

from __future__ import annotations

import argparse
import gc
import logging
import re
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent))

from dsmr_parser import telegram_specifications as specifications
from dsmr_parser.clients.protocol import DSMRProtocol
from dsmr_parser.parsers import TelegramParser as DsmrTelegramParser

from smart_meter_reader.codecs.p1.cipher import Opener
from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.emulators.p1_telegrams import TEMPLATES

CHUNK = 512
KEY = bytes(range(16))
AUTHENTICATION_KEY = bytes(range(0xD0, 0xE0))
TITLE = b"SAG5\x00\x01\x23\x45"
_NUMBER = re.compile(rb"\((-?)([0-9]+)\.?([0-9]*)(\*[kMG]?(?:W|Wh|V|A|var|varh|m3))\)")

TARGETS = {"DSMR 5": 8.0, "DSMR 4.2": 8.0, "Fluvius": 8.0, "T210-D-r, encrypted": 4.0}


def telegrams(template: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """``count`` telegrams, all different, with right checksums."""
    random = Random(seed)

    def advance(match: re.Match[bytes]) -> bytes:
        digits = match[2] + match[3]
        number = (int(digits) + random.randrange(1, 100_000)) % 10 ** len(digits)
        text = f"{number:0{len(digits)}d}".encode()
        point = b"." if match[3] else b""
        return b"(" + match[1] + text[: len(match[2])] + point + text[len(match[2]) :] + match[4] + b")"

    for _ in range(count):
        body = _NUMBER.sub(advance, template)
        yield encode_telegram(body)


def chunks(stream: bytes) -> list[bytes]:
    return [stream[begin : begin + CHUNK] for begin in range(0, len(stream), CHUNK)]


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


def best(rounds: int, *runs: Callable[[], int]) -> list[float]:
    """The CPU seconds of the best round of each, the rounds alternating."""
    times = [float("inf")] * len(runs)
    for _ in range(rounds):
        for index, run in enumerate(runs):
            gc.collect()
            begin = time.process_time()
            run()
            times[index] = min(times[index], time.process_time() - begin)
    return times


def compare(count: int, rounds: int) -> bool:
    cases = (
        ("DSMR 5", "dsmr-5", specifications.V5, None),
        ("DSMR 4.2", "dsmr-4", specifications.V4, None),
        ("Fluvius", "belgium", specifications.BELGIUM_FLUVIUS, None),
        ("T210-D-r, encrypted", "austria", specifications.SAGEMCOM_T210_D_R, KEY),
    )
    reached = True
    print(f"{'stream':22}{'ours':>12}{'dsmr-parser':>14}{'ratio':>8}{'target':>8}")
    for name, dialect, specification, key in cases:
        frames = list(telegrams(TEMPLATES[dialect], count))
        if key is not None:
            frames = [
                encrypt_telegram(frame, key, AUTHENTICATION_KEY, TITLE, counter)
                for counter, frame in enumerate(frames, 1)
            ]
        pieces = chunks(b"".join(frames))

        def ours(pieces: list[bytes] = pieces, key: bytes | None = key) -> int:
            return run_ours(pieces, Opener(key, AUTHENTICATION_KEY) if key else None)

        def theirs(
            pieces: list[bytes] = pieces,
            specification: dict[str, object] = specification,
            key: bytes | None = key,
        ) -> int:
            return run_theirs(
                pieces, specification, (key.hex(), AUTHENTICATION_KEY.hex()) if key else ("", "")
            )

        if not ours() == theirs() == count:
            raise SystemExit(f"{name}: not every telegram was read")
        mine, other = best(rounds, ours, theirs)
        ratio = other / mine
        reached &= ratio >= TARGETS[name]
        print(
            f"{name:22}{mine / count * 1e6:>9.0f} µs{other / count * 1e6:>11.0f} µs"
            f"{ratio:>7.1f}x{TARGETS[name]:>7.0f}x"
        )
    return reached


def memory(count: int) -> None:
    """Growth over telegrams with power failure logs, and what noise costs."""
    reader = P1Reader()
    frames = list(telegrams(TEMPLATES["dsmr-4"], 500))
    _read(reader, frames)
    tracemalloc.start()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(count // len(frames)):
        _read(reader, frames)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    print(f"memory: {Decimal(after - before) / count} bytes per telegram over {count} telegrams")
    noise = Random(1).randbytes(60 * 11520)
    pieces = chunks(noise)
    gc.collect()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    _read(reader, pieces)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    begin = time.process_time()
    _read(reader, pieces)
    seconds = time.process_time() - begin
    print(f"60 s of noise at 115,200 Bd: {seconds:.3f} CPU s, {(peak - before) / 1024:.1f} KiB at most")


def _read(reader: P1Reader, pieces: list[bytes]) -> None:
    for piece in pieces:
        reader.receive_data(piece)
        while reader.next_telegram() is not None:
            pass


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--telegrams", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="also measure memory and noise")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    reached = compare(options.telegrams, options.rounds)
    if options.memory:
        memory(20_000)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
