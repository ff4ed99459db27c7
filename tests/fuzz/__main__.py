"""Runs the fuzzer for a given time: `python -m tests.fuzz [SECONDS] [TARGET...]`."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter

from hypothesis import HealthCheck, given, settings

from tests.fuzz.inputs import seeds, streams
from tests.fuzz.targets import TARGETS, Target, protocol_of

# A round is short, so that each target has its share also of a short time.
ROUND = 200


def fuzz(target: Target, captures: list[bytes], examples: int, protocol: str = "") -> None:
    """Feed one target; raises, with the smallest input that does it, what the target must not raise."""

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(streams(captures, protocol))
    def feed(pieces: list[bytes]) -> None:
        target(pieces)

    feed()


def main(arguments: list[str]) -> int:
    """Fuzz until the time is over; 1 when something was found."""
    seconds = float(arguments[0]) if arguments else 60.0
    chosen = [name for name in TARGETS if any(name.startswith(word) for word in arguments[1:] or ("",))]
    logging.disable()  # of ten thousand hostile meters the guard has much to say
    captures = seeds()
    sys.stderr.write(f"fuzzing {', '.join(chosen)} with {len(captures)} captures for {seconds:g} s\n")
    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while chosen and time.monotonic() < end:
        for name in chosen:
            fuzz(TARGETS[name], captures, ROUND, protocol_of(name))
            counts[name] += ROUND
    for name, count in counts.items():
        sys.stdout.write(f"{name}: {count} inputs, nothing found\n")
    return 0 if counts else 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
