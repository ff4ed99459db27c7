"""What guard and clients remember, as a small file: read at the start, written seldom and whole.

An SD card lives from not being written to: the file is written when what is remembered has changed, at most
once an hour, and at the stop. Trouble with it is told once and costs the memory, never the service.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from smart_meter_reader.files import read_small, write_whole
from smart_meter_reader.guard.memory import Memory, MeterMemory, decode, encode
from smart_meter_reader.log import Seldom

_log = logging.getLogger(__name__)

# A service that ends badly in its first hour has then at least something; later once an hour. Where there was
# nothing at all, not even this long is waited once every meter has told its totals.
FIRST_SAVE_SECONDS = 60.0
SAVE_SECONDS = 3600.0
_LOOK_SECONDS = 1.0
# Where the unit's StateDirectory= is, for commands that are run beside the service.
SERVICE_STATE = Path("/var/lib/smart_meter_reader")


def state_path(environment: str, variables: Mapping[str, str]) -> Path | None:
    """Where an environment's memory is: systemd's StateDirectory=, else the user's state directory.

    None when there is neither (no HOME): everything then begins anew at every start.
    """
    name = f"{environment.replace('/', '_')}.json"
    directory = variables.get("STATE_DIRECTORY", "").split(":")[0]
    if directory:
        return Path(directory) / name
    base = variables.get("XDG_STATE_HOME") or (
        f"{variables['HOME']}/.local/state" if variables.get("HOME") else ""
    )
    # The XDG base directory specification wants relative paths ignored.
    if not base.startswith("/"):
        return None
    return Path(base) / "smart_meter_reader" / name


class Source(Protocol):
    """Who remembers: the guard alone, or with the clients."""

    @property
    def revision(self) -> int:
        """Rises whenever ``memory`` changes by more than times."""

    @property
    def knows_all(self) -> bool:
        """Whether there is something to remember of every meter."""

    def memory(self) -> Memory:
        """A copy of what to remember, by meter."""


class StateFile:
    """One environment's memory on disk. What a disk or a person does to the file raises nothing here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._said = Seldom()
        self._saved_revision = 0
        self._loaded = False
        self._writing = threading.Lock()

    def load(self) -> dict[str, MeterMemory]:
        """What was remembered; empty when there is no file or it cannot be used, which is told."""
        try:
            raw = read_small(self.path)
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._tell(f"cannot read {self.path} ({error.strerror}); the service begins without memory")
            return {}
        try:
            memory = decode(raw)
        except ValueError as error:
            kept = self._set_aside()
            self._tell(f"{self.path} is damaged ({error}); the service begins without memory{kept}")
            return {}
        self._loaded = True
        return memory

    def save(self, source: Source) -> None:
        """Write the memory if it changed since the last time."""
        revision = source.revision
        if revision != self._saved_revision:
            self._write(revision, encode(source.memory()))

    async def save_now(self, source: Source) -> None:
        """As ``save``, beside the loop, for what must be on disk before something else happens."""
        revision = source.revision
        if revision != self._saved_revision:
            # On an SD card fsync can take a second; the meters shall not wait for it.
            await asyncio.to_thread(self._write, revision, encode(source.memory()))

    async def keep(self, source: Source) -> None:
        """Save now and then until cancelled; a last ``save`` is due when all messages are through."""
        await self._wait_for_the_first(source)
        while True:
            await self.save_now(source)
            await asyncio.sleep(SAVE_SECONDS)

    async def _wait_for_the_first(self, source: Source) -> None:
        for _ in range(int(FIRST_SAVE_SECONDS / _LOOK_SECONDS)):
            await asyncio.sleep(_LOOK_SECONDS)
            if source.knows_all and not self._loaded:
                return

    def _write(self, revision: int, text: str) -> None:
        # The last save may come while the hourly one is still at it, and shall win.
        with self._writing:
            if revision < self._saved_revision:
                return
            try:
                write_whole(self.path, text)
            except (OSError, UnicodeEncodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "a text in it is none"
                self._tell(
                    f"cannot write {self.path} ({reason}); the service works, but a restart will "
                    "forget what the totals and frame counters were"
                )
                return
            self._saved_revision = revision
        if self._said.forget():
            _log.info("%s is written again", self.path)

    def _set_aside(self) -> str:
        kept = self.path.with_suffix(".damaged")
        try:
            self.path.replace(kept)
        except OSError:
            return ""
        return f"; the file is kept as {kept.name}"

    def _tell(self, trouble: str) -> None:
        if self._said.first(trouble):
            _log.warning("%s", trouble)
