"""What the guard and the clients remember over a restart, as one, by meter: given out and given back."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from smart_meter_reader.guard.guard import Guard
from smart_meter_reader.guard.memory import MeterMemory
from smart_meter_reader.guard.state import StateFile
from smart_meter_reader.meters.base import Client

_log = logging.getLogger(__name__)


def recall(client: Client, origin: str, memory: Mapping[str, MeterMemory]) -> None:
    """Give a client what it remembered, if it may be of the meter that it reads. What it refuses is told."""
    remembered = memory.get(client.meter)
    if remembered is None or not remembered.is_of(origin, moved=client.memory_moves):
        return
    try:
        client.recall(remembered.client)
    except ValueError as error:
        _log.warning(
            "meter %s: what it knew before the restart is damaged in the state file (%s); it begins without",
            client.meter,
            error,
        )


class Memories:
    """The memory of the guard, and beside it that of each client, of which ``origins`` tells the place."""

    def __init__(self, guard: Guard, clients: Iterable[Client], origins: Mapping[str, str]) -> None:
        self._guard = guard
        self._clients = tuple(clients)
        self._origins = origins
        self._told: list[Mapping[str, Any]] = [client.memory for client in self._clients]
        self._changes = 0

    def keep_in(self, file: StateFile) -> None:
        """Give the clients the means to have what they know kept at once."""
        for client in self._clients:
            client.take_keeper(partial(file.save_now, self))

    @property
    def revision(self) -> int:
        """Rises whenever ``memory`` has changed since it was last asked for."""
        now = [client.memory for client in self._clients]
        if now != self._told:
            self._told = now
            self._changes += 1
        return self._guard.revision + self._changes

    @property
    def knows_all(self) -> bool:
        """As of the guard: a client has learnt what it can when its meter has told its totals."""
        return self._guard.knows_all

    def memory(self) -> dict[str, MeterMemory]:
        """A copy of what to remember, by meter."""
        memory = self._guard.memory()
        for client in self._clients:
            own, origin = client.memory, self._origins[client.meter]
            known = memory.get(client.meter, MeterMemory(origin))
            if known.origin == origin:
                memory[client.meter] = replace(known, client=own)
            elif own and own != known.client:
                memory[client.meter] = MeterMemory(origin, client=own)
        return memory
