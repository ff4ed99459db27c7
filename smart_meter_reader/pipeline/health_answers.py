"""Answers whoever asks on this computer whether readings still come: a socket beside the memory.

Asking costs a line of JSON; while nobody asks nothing is written, for an SD card lives from that. The socket
lets in its owner and root alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.guard.state import SERVICE_STATE, state_path
from smart_meter_reader.messages.freshness import health_of
from smart_meter_reader.pipeline.supervisor import MeterSupervisor
from smart_meter_reader.service.notify import WatchdogPolicy

_log = logging.getLogger(__name__)

ANSWER_SECONDS = 5.0
# Thousands of meters; what sends more is none of ours.
_LONGEST = 4 * 1024 * 1024


class NoAnswerError(ExplainedError):
    """No service answers for the environment."""


def health_path(environment: str, variables: Mapping[str, str]) -> Path | None:
    """Where the service of an environment answers; None where it has no place for its memory either."""
    memory = state_path(environment, variables)
    return memory.with_suffix(".health") if memory else None


def health(meters: Collection[MeterSupervisor]) -> dict[str, Any]:
    """The same answer as that of the page at /health; and in ``hanging`` what only a restart may mend."""
    found = {name: each for meter in meters for name, each in meter.freshness().items()}
    hanging = WatchdogPolicy().hanging([meter.pulse() for meter in meters])
    return {**health_of(found)[1], "hanging": [pulse.meter for pulse in hanging]}


async def answer_health(path: Path | None, meters: Collection[MeterSupervisor]) -> None:
    """Answer at ``path`` until cancelled. Where that cannot be, it is told, and the service goes on."""
    if path is None:
        return

    def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps(health(meters)).encode())
        writer.close()

    try:
        listening = _listen(path)
    except OSError as error:
        _log.warning(
            "%s cannot be made (%s): `smart-meter-reader health` has no answer", path, error.strerror
        )
        return
    try:
        async with await asyncio.start_unix_server(answer, sock=listening):
            await asyncio.Event().wait()
    finally:
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - of a local disk, once


def asked_health(environment: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """What the service of an environment says of its health; that of systemd, where we have none of our own.

    Blocks for ANSWER_SECONDS at most. Raises NoAnswerError.
    """
    service = health_path(environment, {"STATE_DIRECTORY": str(SERVICE_STATE / environment)})
    why = "it has no place for its memory (HOME or STATE_DIRECTORY)"
    for path in (health_path(environment, variables), service):
        try:
            if path is not None:
                return _asked(path)
        except (FileNotFoundError, ConnectionRefusedError):
            why = "it does not run"
        except (OSError, ValueError) as error:
            why = f"{path} gives none: {error.strerror if isinstance(error, OSError) else 'it is cut off'}"
            break
    raise NoAnswerError("no_answer", f"the service of the environment {environment} does not answer: {why}")


def _asked(path: Path) -> dict[str, Any]:
    with _short(path) as address, socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(ANSWER_SECONDS)
        asking.connect(address)
        with asking.makefile("rb") as answer:
            found = json.loads(answer.read(_LONGEST))
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _listen(path: Path) -> socket.socket:
    """The environment's lock is ours: what is there is left of a service that was killed. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    try:
        with _short(path) as address:
            listening.bind(address)
            Path(address).chmod(0o600)
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """The same place in fewer than the 108 bytes that an address has (unix(7)). Raises OSError."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        with suppress(OSError):
            os.close(folder)
