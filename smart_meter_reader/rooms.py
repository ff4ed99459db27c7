"""Rooms: what nobody foresaw in one client, sink or callback stays there, is told and counted.

An exception outside of our error tree is a bug, and its text may quote what the meter or the settings said: a
serial number, a key. So it is told by its class and by the places it came through, never by its text.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from types import TracebackType
from typing import TypeVar

from smart_meter_reader.exceptions import ExplainedError, InternalError
from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Message

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

INTERNAL_ERROR = "internal_error"
"""The reason of the status ``alert`` of a meter, and the word in the log, for a bug of this program."""

# Of a recursion only where it began and where it ended.
_FIRST_FRAMES = 4
_LAST_FRAMES = 12
_MOST_CAUSES = 4
# A telegram of the longest kind, or several of the usual one.
_HEARD = 4096
_OURS = "smart_meter_reader"
# Behind these a path no longer tells whose computer it is.
_ROOTS = (_OURS, "site-packages", "dist-packages")


@dataclass(frozen=True, slots=True)
class Bug:
    """An unexpected exception without its text: its class, where it arose, how it came there, its causes."""

    kind: str
    place: str
    trace: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} in {self.place}"


def fault_of(error: BaseException) -> Bug:
    """The fault that an exception is. Never asks for its text, which may fail or quote a value."""
    frames = _frames(error.__traceback__)
    ours = [frame for frame in frames if frame.startswith(f"{_OURS}/")]
    place = (ours or frames or ["a place that is not known"])[-1]
    return Bug(_kind(error), place, tuple(_trace(error)))


def explained_error(
    error: BaseException, kind: type[ExplainedError] = ExplainedError
) -> ExplainedError | None:
    """The error itself when it is of ``kind``, or the first of a group of nothing else; None for a bug."""
    if isinstance(error, kind):
        return error
    if isinstance(error, BaseExceptionGroup):
        found = [explained_error(inner, kind) for inner in error.exceptions]
        return found[0] if all(found) else None
    return None


def _kind(error: BaseException) -> str:
    name = type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        return f"{name} of {_kind(error.exceptions[0])}"
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return f"{name} {errno.errorcode.get(error.errno, error.errno)}"
    return name


def _trace(error: BaseException) -> Iterator[str]:
    told: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting and len(told) < _MOST_CAUSES:
        each = waiting.pop(0)
        if each is None or any(each is before for before in told):
            continue
        told.append(each)
        frames = _frames(each.__traceback__)
        if len(frames) > _FIRST_FRAMES + _LAST_FRAMES:
            left_out = len(frames) - _FIRST_FRAMES - _LAST_FRAMES
            frames[_FIRST_FRAMES:-_LAST_FRAMES] = [f"... {left_out} more ..."]
        yield " > ".join([*frames, _kind(each)])
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
        waiting.append(each.__cause__ or (None if each.__suppress_context__ else each.__context__))


def _frames(trace: TracebackType | None) -> list[str]:
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{_short(code.co_filename)}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames


@lru_cache(maxsize=512)  # one endless recursion asks a thousand times for the same file
def _short(filename: str) -> str:
    """A file's path without what is this computer's own: a home directory has a name in it."""
    parts = PurePath(filename).parts
    for position in range(len(parts) - 2, -1, -1):
        if parts[position] in _ROOTS:
            return "/".join(parts[position + (parts[position] != _OURS) :])
    return parts[-1] if parts else filename


def advice(fault: Bug) -> str:
    """A sentence for a person whose meter gives no reading because of a fault."""
    return (
        f"a fault of this program, and none of the meter's ({fault}): please report it with what "
        "`smart-meter-reader diagnose` writes"
    )


def as_explained(error: BaseException) -> ExplainedError:
    """The error itself, or what to tell a person of a bug, for a command that shows one or the other."""
    return explained_error(error) or InternalError(INTERNAL_ERROR, advice(fault_of(error)))


class Room:
    """Where one task's bugs are counted, and logged once an hour each with the way that led there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.errors = 0
        self._seldom = Seldom()

    def note(self, error: BaseException, consequence: str) -> tuple[Bug, bool]:
        """Count and log, with the ``consequence``: the fault, and whether it was logged in full."""
        self.errors += 1
        fault = fault_of(error)
        more = self._seldom.more(str(fault), time.monotonic())
        if more is None:
            _log.debug("%s: %s again: %s", self.name, INTERNAL_ERROR, fault)
        else:
            _log.error(
                "%s: %s, a fault of this program: %s; %s%s. Traceback: %s",
                self.name,
                INTERNAL_ERROR,
                fault,
                consequence,
                more,
                "; caused by ".join(fault.trace),
            )
        return fault, more is not None

    def contain(self, work: Callable[[], _Result], otherwise: _Result, consequence: str) -> _Result:
        """What ``work`` gives, or ``otherwise`` when it raises anything at all. Not for what awaits."""
        try:
            return work()
        except BaseException as error:  # noqa: BLE001 - that is what a room is for
            self.note(error, consequence)
            return otherwise


def left_out(message: Message) -> str:
    """What it means for a sink when it fails on one message."""
    return f"a {message['type']} of the meter {message['meter']} is left out of it"


async def outcome(work: Callable[[], Awaitable[object]], name: str) -> BaseException | None:
    """Await ``work()`` in a task of its own: what it raised, None when it returned.

    Only the cancellation of whoever waits comes out, when that of ``work`` is done. A cancellation that
    nobody asked for, SystemExit, and whatever else would end more than this task is what it raised.
    """
    task: asyncio.Task[BaseException | None] | None = None
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_raised_by(work), name=name)
    except asyncio.CancelledError:
        error = task.result() if task is not None and not task.cancelled() else None
        if error is not None and explained_error(error) is None:
            Room(name).note(error, "it was about to stop")
        raise
    return asyncio.CancelledError() if task.cancelled() else task.result()


async def _raised_by(work: Callable[[], Awaitable[object]]) -> BaseException | None:
    try:
        await work()
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return error
    except BaseException as error:  # noqa: BLE001 - given to whoever waits, whatever it is
        return error
    return None


class LastReceived:
    """The last bytes that a task's transports received: what was being decoded when something went wrong."""

    def __init__(self) -> None:
        self._received = bytearray()

    def add(self, received: bytes) -> None:
        """Bytes have arrived."""
        self._received += received
        if len(self._received) > 2 * _HEARD:
            del self._received[:-_HEARD]

    def last(self) -> bytes:
        """The last ones, 4 KiB at most."""
        return bytes(self._received[-_HEARD:])

    def clear(self) -> None:
        """Forget them: another attempt begins."""
        self._received.clear()


# Of the task that runs a client: every transport that it opens adds to it.
_heard: ContextVar[LastReceived | None] = ContextVar("heard", default=None)


@contextmanager
def hearing(heard: LastReceived) -> Iterator[None]:
    """Inside, whatever this task's transports receive is added to ``heard``."""
    token = _heard.set(heard)
    try:
        yield
    finally:
        _heard.reset(token)


def current_heard() -> LastReceived | None:
    """Where the running task's transports add what they receive; None outside of ``hearing``."""
    return _heard.get()
