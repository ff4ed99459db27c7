"""What was received when this program failed in a client, kept as a small file for `diagnose`.

Beside the guard's memory, for the service's user alone: the bytes are a meter's, with its numbers in them.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smart_meter_reader.files import read_small, write_whole
from smart_meter_reader.guard.state import SERVICE_STATE, state_path
from smart_meter_reader.log import Seldom
from smart_meter_reader.rooms import Bug

_log = logging.getLogger(__name__)

VERSION = 1
# The newest; of one meter at one place in the program only one.
MOST = 20


@dataclass(frozen=True, slots=True)
class KeptFault:
    """A fault in the client of a meter, when it was, and the last bytes that had come from the meter."""

    time: str
    meter: str
    kind: str
    place: str
    trace: tuple[str, ...]
    received: bytes


class FaultFile:
    """The kept faults on disk. Trouble with the file is told once, and costs only what would be in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.Lock()
        self._said = Seldom()

    def add(self, meter: str, fault: Bug, received: bytes) -> None:
        """Keep one more. Waits for the disk: not for the event loop."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        new = KeptFault(now, meter, fault.kind, fault.place, fault.trace, received)
        with self._writing:
            try:
                before = self.load()
                kept = [each for each in before if (each.meter, each.place) != (new.meter, new.place)]
                write_whole(self.path, _encode([*kept, new][-MOST:]))
            except OSError as error:
                if self._said.first("no file"):
                    _log.warning("cannot keep a fault for diagnose in %s (%s)", self.path, error.strerror)
                return
        _log.info("what meter %s had sent is kept in %s for `diagnose`", meter, self.path)

    def add_aside(self, meter: str, fault: Bug, received: bytes) -> None:
        """The same for the event loop: nobody waits for the disk, not even the end of the process."""
        keeping = threading.Thread(
            target=self.add, args=(meter, fault, received), name="keep a fault", daemon=True
        )
        try:
            keeping.start()
        except RuntimeError as error:
            if self._said.first("no thread"):
                _log.warning("cannot keep a fault for diagnose: the system gives no thread (%s)", error)

    def load(self) -> list[KeptFault]:
        """What is kept, the oldest first; nothing when the file is missing or damaged. Raises OSError."""
        try:
            return _decode(read_small(self.path))
        except (FileNotFoundError, ValueError, RecursionError):
            return []


def fault_path(environment: str, variables: Mapping[str, str]) -> Path | None:
    """Where an environment's faults are kept; None where its memory has no place either."""
    memory = state_path(environment, variables)
    return memory and memory.with_suffix(".internal_error.json")


def fault_paths(environment: str) -> Iterable[Path]:
    """Where `diagnose` looks: where a service of this user keeps them, and where the one of systemd does."""
    own = fault_path(environment, os.environ)
    service = fault_path(environment, {"STATE_DIRECTORY": str(SERVICE_STATE / environment)})
    return dict.fromkeys(path for path in (own, service) if path is not None)


def _encode(faults: Iterable[KeptFault]) -> str:
    kept = [{**asdict(each), "received": each.received.hex()} for each in faults]
    return json.dumps({"version": VERSION, "faults": kept}, indent=1) + "\n"


def _decode(raw: bytes) -> list[KeptFault]:
    content = json.loads(raw)
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise ValueError("another version")
    faults = content.get("faults")
    if not isinstance(faults, list):
        raise ValueError("no list")
    return [_decode_fault(each) for each in faults]


def _decode_fault(content: Any) -> KeptFault:
    if not isinstance(content, dict) or not isinstance(content.get("trace"), list):
        raise ValueError("no fault")
    texts = [content.get(key) for key in ("time", "meter", "kind", "place", "received")]
    if not all(isinstance(text, str) for text in (*texts, *content["trace"])):
        raise ValueError("no text")
    time, meter, kind, place, received = (str(text) for text in texts)
    return KeptFault(time, meter, kind, place, tuple(content["trace"]), bytes.fromhex(received))
