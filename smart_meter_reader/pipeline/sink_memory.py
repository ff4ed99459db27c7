"""What sinks remember over a restart, as a small file beside the state: written when it changes, seldom."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from smart_meter_reader.files import read_small, write_whole
from smart_meter_reader.guard.state import SERVICE_STATE, state_path
from smart_meter_reader.log import Seldom
from smart_meter_reader.sinks.base import Sink

_log = logging.getLogger(__name__)

VERSION = 1
# It changes when a meter comes or goes.
SAVE_SECONDS = 300.0


def remembered(environment: str, variables: Mapping[str, str]) -> Mapping[str, Any]:
    """What the sinks of an environment remember by now, by their names, for who looks from outside.

    Of this user's service, else of systemd's. Nothing where there is no such file, or it is damaged.
    """
    state = state_path(environment, variables)
    if state is None:
        return {}
    for directory in (state.parent, SERVICE_STATE / environment):
        path = directory / f"{state.stem}.sinks.json"
        try:
            found = json.loads(read_small(path))["sinks"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return {}


class SinkMemory:
    """The memories of the sinks of one environment. What happens to the file raises nothing here."""

    def __init__(self, environment: str, variables: Mapping[str, str], sinks: Sequence[Sink]) -> None:
        state = state_path(environment, variables)
        self._path = state.with_name(f"{state.stem}.sinks.json") if state else None
        self._sinks = sinks
        self._saved = ""
        self._said = Seldom()
        self._writing = threading.Lock()
        self._due = self._written = 0  # how many texts were to be written, and which of them the file has

    def recall(self, meters: Iterable[str]) -> None:
        """Give each sink what it remembered, and the meters that the settings have now."""
        there = tuple(meters)
        memories = self._load()
        for sink in self._sinks:
            memory = memories.get(sink.name, {})
            try:
                sink.recall(memory if isinstance(memory, dict) else {}, there)
            except ValueError as error:
                self._tell(f"{self._path} is damaged ({error}): the sink {sink.name} begins without it")

    def save(self) -> None:
        """Write what has changed since the last time."""
        if text := self._news():
            self._write(self._due, text)

    async def keep(self) -> None:
        """Save now and then, until cancelled."""
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            if text := self._news():
                await asyncio.to_thread(self._write, self._due, text)

    def _news(self) -> str:
        """What is to be written, "" for nothing."""
        text = self._text()
        if text == self._saved:
            return ""
        self._due += 1
        return text

    def _text(self) -> str:
        memories = {sink.name: memory for sink in self._sinks if (memory := dict(sink.memory))}
        if not memories or self._path is None:
            return ""
        return json.dumps({"version": VERSION, "sinks": memories}, ensure_ascii=False, indent=1) + "\n"

    def _write(self, number: int, text: str) -> None:
        assert self._path is not None
        # The last save may come while the one before is still at it, and shall win.
        with self._writing:
            if number < self._written:
                return
            try:
                write_whole(self._path, text)
            except (OSError, UnicodeEncodeError):
                return  # the state file stands beside it, and tells the same trouble
            self._saved, self._written = text, number

    def _load(self) -> dict[str, Any]:
        if self._path is None:
            return {}
        try:
            raw = read_small(self._path)
            content = json.loads(raw)
            if content["version"] == VERSION and isinstance(content["sinks"], dict):
                self._saved = raw.decode()
                return dict(content["sinks"])
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            self._tell(f"{self._path} is damaged ({type(error).__name__}): the sinks begin without memory")
        return {}

    def _tell(self, trouble: str) -> None:
        if self._said.first(trouble):
            _log.warning("%s", trouble)
