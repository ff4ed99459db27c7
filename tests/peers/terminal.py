"""The program at a terminal of its own, with somebody who types."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

_PATIENCE = 60.0
_PRESSED_AGAIN = 1.0
CTRL_C = "\x03"


@dataclass(frozen=True, slots=True)
class Screen:
    """What stood on the terminal, and how the program ended."""

    text: str
    returncode: int


def at_terminal(
    command: Sequence[str], answers: Sequence[tuple[str, str | signal.Signals]], columns: int = 80
) -> Screen:
    """Run to the end; each answer is typed, or sent as a signal, once the text before it stands there.

    Ctrl-C is pressed again each second, as a person does: a first one may fall between Python's last look at
    its signals and the read of the line, which then waits for the next.
    """
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - the program itself
        os.environ["COLUMNS"] = str(columns)
        os.execvp(command[0], list(command))  # noqa: S606 - the program under test
    seen, searched, left, typed = "", 0, list(answers), ""
    end = time.monotonic() + _PATIENCE
    while True:
        rest = max(0.0, end - time.monotonic())
        wait = min(rest, _PRESSED_AGAIN) if typed == CTRL_C else rest
        ready, _, _ = select.select([terminal], [], [], wait)
        if not ready and wait < rest:
            os.write(terminal, CTRL_C.encode())
            continue
        if not ready:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise AssertionError(f"nothing more came: {seen}")
        try:
            got = os.read(terminal, 65536)
        except OSError:  # the program has closed its side
            got = b""
        if not got:
            break
        seen += got.decode(errors="replace")
        while left and (place := seen.find(left[0][0], searched)) >= 0:
            searched = place + len(left[0][0])
            what = left.pop(0)[1]
            typed = what if isinstance(what, str) else ""
            if isinstance(what, str):
                os.write(terminal, what.encode())
            else:
                os.kill(pid, what)
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert not left, f"{left} was waited for in vain: {seen}"
    return Screen(seen.replace("\r\n", "\n"), os.waitstatus_to_exitcode(status))
