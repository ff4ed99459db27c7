"""A KMP meter at 1200 Bd on a pseudo-terminal that shares no code with the package: a program.

    python -m benchmarks.paced_meter [SPEED [LIMIT]]

Says the path of its pseudo-terminal, then answers GetRegister with a value for every register asked for, and
what is asked of its loggers with rows of LIMIT bytes of payload at the most: byte by byte at the times at
which a line of 1200 Bd with two stop bits would bring them (SPEED times as fast). When its standard input
ends, it says what went over the line, as JSON.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
import tty

from tests.peers.foreign_loggers import ForeignLoggers
from tests.peers.foreign_meter import frame, unstuffed

BYTE_SECONDS = 11 / 1200
# As quick as a meter can be: what the reader adds is not lost in the meter's own pauses.
REPLY_DELAY = 0.02
_START, _STOP = 0x80, 0x0D
_OF_LOGGERS = (0xA0, 0xA2, 0xB8)


def answer_to(request: bytes, loggers: ForeignLoggers | None = None) -> bytes:
    """A value of four bytes for every register of a GetRegister request; four zeros for any other.

    What is asked of ``loggers``, these answer.
    """
    content = unstuffed(request)
    if loggers is not None and content[1] in _OF_LOGGERS:
        return loggers.answer(request)
    if content[1] != 0x10:
        return frame(0x40, content[:2] + bytes(4))
    records = (content[i : i + 2] + b"\x08\x04\x42\x00\x02\x11\x22" for i in range(3, len(content), 2))
    return frame(0x40, content[:2] + b"".join(records))


def main(speed: float, limit: int = 1 << 16) -> None:
    loggers = ForeignLoggers(limit=limit)
    master, slave = os.openpty()
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)
    byte_seconds, exchanges, request, begun = BYTE_SECONDS / speed, 0, b"", 0.0
    bytes_in = bytes_out = 0
    while True:
        ready, _, _ = select.select([master, sys.stdin], [], [])
        if master not in ready:
            break
        begun = begun if request else time.monotonic()
        request += os.read(master, 4096)
        if request[-1] != _STOP:
            continue
        # Of two requests the first was given up, and a damaged one is left unanswered: as a meter does it.
        request = request[request.rfind(_START) :]
        try:
            answer = answer_to(request, loggers)
        except AssertionError:
            print(f"left unanswered: {request.hex()}", file=sys.stderr, flush=True)
            request = b""
            continue
        exchanges, bytes_in, bytes_out = exchanges + 1, bytes_in + len(request), bytes_out + len(answer)
        first = begun + len(request) * byte_seconds + REPLY_DELAY / speed
        for number, byte in enumerate(answer, 1):
            time.sleep(max(0.0, first + number * byte_seconds - time.monotonic()))
            os.write(master, bytes((byte,)))
        request = b""
    print(json.dumps({"exchanges": exchanges, "bytes_in": bytes_in, "bytes_out": bytes_out}))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0, *map(int, sys.argv[2:3]))
