"""A person at a terminal of 80 columns: waits for a question, types a line, reads on."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from tests.peers.imported import STARTED

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
PROGRAM = (*STARTED, "smart_meter_reader")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]|\x07")
CTRL_C, CTRL_D = "\x03", "\x04"


class Dialogue:
    """The program on a pseudo-terminal. ``text`` is all that it showed, without movements of the cursor."""

    def __init__(
        self,
        *arguments: str,
        cwd: Path,
        environment: Mapping[str, str] = MappingProxyType({}),
        terminal: str = "xterm",
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        variables = {name: text for name, text in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self._process = subprocess.Popen(
            [*program, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=cwd,
            env={**variables, "PYTHONPATH": str(ROOT), "TERM": terminal, **environment},
            # Ctrl-C reaches whoever has the terminal; ours takes it by itself.
            start_new_session=True,
            preexec_fn=None
            if program[: len(STARTED)] == STARTED
            else partial(fcntl.ioctl, theirs, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        self._raw = b""
        self._seen = 0
        self._typed = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(PATIENCE)
        os.close(self._ours)

    @property
    def text(self) -> str:
        return _ESCAPES.sub("", self._raw.decode(errors="replace")).replace("\r", "")

    @property
    def raw(self) -> str:
        """The same as it came."""
        return self._raw.decode(errors="replace")

    def expect(self, wanted: str) -> str:
        """What came up to and with ``wanted``, which may be broken between two lines."""
        pattern = re.compile(r"\s+".join(map(re.escape, wanted.split())))
        until = time.monotonic() + PATIENCE
        while True:
            found = pattern.search(self.text, self._seen)
            if found:
                before, self._seen = self.text[self._seen : found.end()], found.end()
                return before
            assert time.monotonic() < until, f"no {wanted!r} in:\n{self.text[self._seen :]}"
            assert self._read(1.0), f"it ended without {wanted!r}:\n{self.text[self._seen :]}"

    def type(self, line: str) -> None:
        """A line with its Enter; a control character alone."""
        ending = "" if line in (CTRL_C, CTRL_D) else "\r"
        self._typed = line
        os.write(self._ours, (line + ending).encode())

    def answer(self, question: str, line: str = "") -> str:
        """Type a line once the question is there; what came before it."""
        before = self.expect(question)
        self.expect(":")
        self.type(line)
        return before

    def end(self) -> int:
        """Read to the end; the exit code.

        Ctrl-C is pressed again each second in which nothing comes, as a person does: see ``terminal``.
        """
        until, before = time.monotonic() + PATIENCE, -1
        while self._read(1.0):
            if self._typed == CTRL_C and len(self._raw) == before:
                self.type(CTRL_C)
            before = len(self._raw)
            assert time.monotonic() < until, f"it goes on:\n{self.text[self._seen :]}"
        return self._process.wait(PATIENCE)

    def _read(self, seconds: float) -> bool:
        """False at the end."""
        ready, _, _ = select.select([self._ours], [], [], seconds)
        if not ready:
            return True
        try:
            piece = os.read(self._ours, 65536)
        except OSError:  # the other side has closed it
            return False
        self._raw += piece
        return bool(piece)
