"""How much can be written to standard output at once and be sure to go out whole."""

from __future__ import annotations

import fcntl
import os
import stat
import struct
import termios
from collections.abc import Callable
from typing import TextIO

# Characters written at once. What fits into PIPE_BUF (4096 bytes) goes into a pipe whole or not at all, so
# that no half line is left behind when a reader does not read on and the process ends.
_WHOLE_IN_A_PIPE = 2048
# Where that cannot happen: each write costs the thread a wait for its turn, which is long on a busy machine.
_MOST_AT_ONCE = 256 * 1024


def room_in(stream: TextIO) -> Callable[[], int]:
    """How many characters can be written now and be sure to go out whole."""
    try:
        descriptor = stream.fileno()
        mode = os.fstat(descriptor).st_mode
    except OSError:  # text in memory, or closed: then writing says so
        return lambda: _MOST_AT_ONCE
    if stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and not os.isatty(descriptor)):
        return lambda: _MOST_AT_ONCE
    if not stat.S_ISFIFO(mode):
        return lambda: _WHOLE_IN_A_PIPE

    def room() -> int:
        waiting = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))[0]
        # The pages at both ends may be full in part only, and a character now and then takes two bytes.
        free: int = fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) - waiting - 8192
        return max(_WHOLE_IN_A_PIPE, free * 9 // 10)

    return room
