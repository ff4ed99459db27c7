"""Puts what was read back from meters' memories into the file at once, so that it can be confirmed."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from smart_meter_reader.history.errors import HistoryError
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Past
from smart_meter_reader.messages.receipts import NO_RECEIPTS
from smart_meter_reader.network.off_loop import in_daemon_thread
from smart_meter_reader.rooms import Room, left_out, outcome
from smart_meter_reader.sinks.history.telling import SeldomTold

if TYPE_CHECKING:
    from smart_meter_reader.history.imports.past import TakenPast

_log = logging.getLogger(__name__)


class Pasts:
    """The past of all meters of one sink."""

    def __init__(self, sink: str, told: SeldomTold, room: Room) -> None:
        self.receipts = NO_RECEIPTS.of(sink)
        self._sink = sink
        self._told = told
        self._room = room
        self._refused = 0

    async def take(self, past: Past, written: Callable[[], Awaitable[Store | None]]) -> None:
        """Write it behind what came before, and confirm it; what cannot be written now is lost.

        ``written`` gives the file with all that came before in it, or None.
        """
        done = False

        async def store() -> None:
            nonlocal done
            file = await written()
            done = file is not None and await self._store(past, file)

        if (error := await outcome(store, self._sink)) is not None:
            self._room.note(error, left_out(past))
        (self.receipts.confirm if done else self.receipts.lose)(past.get("receipt", ""))

    async def _store(self, past: Past, store: Store) -> bool:
        """Whether the file has it now: all that fits. What does not fit is counted and told."""
        try:
            taken = await in_daemon_thread(partial(store.transact, partial(_take, past=past)))
        except HistoryError as error:
            self._told.warn(error.reason, f"{error.detail}; what a meter's memory told is asked for again")
            return False
        who = f"the {past['logger']} logger of {past['meter']}"
        if taken is None:
            # Before the first reading of a device nothing says that it is there.
            _log.info("sink %s: what %s told waits for a reading of that device", self._sink, who)
            return False
        if taken.refused:
            self._refused += taken.refused
            self._told.warn(
                f"refused {past['meter']}",
                f"{taken.refused} values of {who} contradict what is stored and are left out, "
                f"{self._refused} since the start",
            )
        known = f"; of {taken.there} more the same time was stored already" if taken.there else ""
        _log.info("sink %s: %d values of %s are stored%s", self._sink, taken.new, who, known)
        return True


def _take(connection: sqlite3.Connection, past: Past) -> TakenPast | None:
    # Few services ever get one, and it needs what answers questions.
    from smart_meter_reader.history.imports.past import take_past

    return take_past(connection, past)
