"""Writes text to standard output from a thread of its own, which neither a reader nor a disk can hang."""

from __future__ import annotations

import asyncio
import errno
import io
import logging
import os
import queue
import select
import stat
import threading
import time
from collections.abc import Callable
from typing import TextIO

from smart_meter_reader.sinks.whole_writes import room_in

_log = logging.getLogger(__name__)

# More messages than these are left in the sink's queue, where meters take turns and drops are counted.
MOST_WAITING = 100
# How long a full disk is left alone before the next attempt.
RETRY_SECONDS = 5.0
# These pass: somebody tidies the disk up, a network disk comes back.
_PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.ENOBUFS, errno.ETIMEDOUT})


class TextWriter:
    """Writes to a stream from a daemon thread, which a hanging reader or full disk cannot make us wait for.

    What comes while the thread still writes goes out together: a hand-over for each text would cost more
    than the writing when the loop is busy. ``until_failure`` expires when nothing more can be written.
    """

    def __init__(self, sink: str, stream: TextIO, until_failure: asyncio.Timeout) -> None:
        self.waiting = 0  # texts handed over and not yet written
        self.failure = ""
        self.reader_gone = False
        self.fault: BaseException | None = None  # a bug that ended the thread
        self._until_failure = until_failure
        self._write = _unlocked(sink, stream)
        self._at_once = room_in(stream)
        self._texts: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._progress = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._watched = self._watch_reader(stream)
        threading.Thread(target=self._work, name="stdout writer", daemon=True).start()

    async def write(self, text: str) -> None:
        """Hand over a text; waits while too many are waiting to be written."""
        self.waiting += 1
        self._texts.put(text)
        await self._until_fewer_than(MOST_WAITING)

    async def finish(self) -> None:
        """Wait until everything is written."""
        await self._until_fewer_than(1)

    def close(self) -> None:
        """Watch for nothing more."""
        if self._watched is not None:
            self._loop.remove_reader(self._watched)
            self._watched = None

    def _watch_reader(self, stream: TextIO) -> int | None:
        """Have the end of a pipe's reader told at once, and not at the next reading; the descriptor."""
        try:
            descriptor = stream.fileno()
            if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                return None
        except (OSError, ValueError):  # text in memory, or closed: then writing says so
            return None
        # The end that is written to never has anything to read: only an error makes it ready, pipe(7).
        self._loop.add_reader(descriptor, self._note_failure, BrokenPipeError())
        return descriptor

    async def _until_fewer_than(self, most: int) -> None:
        while self.waiting >= most:
            self._progress.clear()
            await self._progress.wait()

    def _work(self) -> None:
        left_over = ""
        while True:
            texts = [left_over or self._texts.get()]
            left_over = ""
            while not left_over and not self._texts.empty():  # nobody else takes from it
                text = self._texts.get()
                if sum(map(len, texts)) + len(text) > self._at_once():
                    left_over = text
                else:
                    texts.append(text)
            try:
                self._write("".join(texts))
            except (OSError, ValueError) as error:  # ValueError: the stream has been closed
                self._call(self._note_failure, error)
                return
            except BaseException as error:  # noqa: BLE001 - raised again in the sink's task, which waits
                self._call(self._note_fault, error)
                return
            if not self._call(self._note, len(texts)):
                return

    def _call(self, function: Callable[..., None], argument: object) -> bool:
        try:
            self._loop.call_soon_threadsafe(function, argument)
        except RuntimeError:
            return False  # the loop has ended while a reader kept us waiting
        return True

    def _note(self, written: int) -> None:
        self.waiting -= written
        self._progress.set()

    def _note_failure(self, error: OSError | ValueError) -> None:
        self.close()
        self.failure = _failure(error)
        self.reader_gone = not isinstance(error, OSError) or isinstance(error, BrokenPipeError)
        self._give_up()

    def _note_fault(self, error: BaseException) -> None:
        self.fault = error
        self._give_up()

    def _give_up(self) -> None:
        try:
            self._until_failure.reschedule(self._loop.time())
        except RuntimeError:
            pass  # the sink was cancelled before


def _failure(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return f"standard output cannot be written ({error.strerror})"
    return "whoever read standard output has gone"


def _unlocked(sink: str, stream: TextIO) -> Callable[[str], None]:
    """How to write at once: past the stream's buffer, whose lock would else hang the end of the process."""
    stream.flush()
    try:
        descriptor = stream.fileno()
    except io.UnsupportedOperation:  # text in memory

        def write(text: str) -> None:
            stream.write(text)

        return write

    def write_bytes(text: str) -> None:
        rest, waited = text.encode(stream.encoding, stream.errors or "strict"), False
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                _wait_until_writable(descriptor)
            except OSError as error:
                if error.errno not in _PASSING:
                    raise
                if not waited:
                    _log.warning("sink %s: %s; it is tried again and again", sink, _failure(error))
                waited = True
                time.sleep(RETRY_SECONDS)
        if waited:
            _log.info("sink %s: standard output can be written again", sink)

    return write_bytes


def _wait_until_writable(descriptor: int) -> None:
    """Wait for the reader of a pipe that whoever started us made non-blocking."""
    writable = select.poll()
    writable.register(descriptor, select.POLLOUT)
    writable.poll()


def in_journal(stream: TextIO) -> bool:
    """Whether what is written there goes to systemd's journal (JOURNAL_STREAM, systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
