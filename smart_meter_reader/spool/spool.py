"""The spool of one sink: entries that its destination has not confirmed yet. Told in the class."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from smart_meter_reader.spool.disk import EntriesOnDisk
from smart_meter_reader.spool.entries import Spooled, SpoolEntry, SpoolLimits, SpoolState
from smart_meter_reader.spool.file import Written
from smart_meter_reader.spool.memory import EntriesInMemory
from smart_meter_reader.spool.telling import SpoolTold

# So many sequences are taken at once from the file, so that none is used again after a kill -9.
_RESERVED = 1_000_000
# In a millisecond nobody uses more; with it sequences stay below 2**62 for a century.
_CLOCK_SHIFT = 20
# What is done is deleted from the disk so seldom, or when it is so much.
_TIDY_SECONDS = 60.0
_TIDY_COUNT = 5000
# Room is made for more than what does not fit, by this part of the whole.
_ROOM = 100


class Spool:
    """Keeps entries, oldest first, until the destination has them.

    An entry is *waiting* until ``sent`` says that it is on its way, and kept until ``done`` says that the
    destination has it, for good where nothing may be lost. ``again`` makes sent ones waiting again: the
    connection was lost, or the answer is late. Who needs no such state calls ``oldest`` and ``done`` alone.
    Sequences rise in the order of ``add``, have gaps, and are never used twice, over restarts too.

    What comes stays in memory. It is written to the disk, all that is due in one transaction, when it was not
    done within ``disk_after``, when there is more than ``memory_bytes`` of it, and in ``close``. While the
    destination is well the disk gets one write at the start and no more.

    What kill -9 or a power cut takes: entries younger than ``disk_after`` that were not done. With 0 s
    ``add`` returns when the disk has them, and nothing is taken. Never taken is what is on the disk; what of
    that was sent, or was done within the last minute, is waiting again after a restart and goes out once
    more: the destination knows it by its id.

    A full spool drops its oldest entries (counted, told, their ids given to ``lose``).
    A disk that takes nothing is told; until it does, ``memory_bytes`` are kept. A damaged file is set aside,
    and a new one begins. With ``path`` None all is in memory, and ``memory_bytes`` do not matter.

    A sink calls ``open``, has one task run ``keep`` beside those that add and send, and at the end ``close``.
    All are for one loop. Nothing raises for the disk, but SpoolTakenError where another process has the file.
    """

    def __init__(
        self,
        sink: str,
        path: Path | None,
        limits: SpoolLimits,
        lose: Callable[[Sequence[str]], None] = lambda ids: None,
    ) -> None:
        self._limits = limits
        self._lose = lose
        self._told = SpoolTold(sink)
        self._memory = EntriesInMemory()  # younger than all on the disk
        self._disk = EntriesOnDisk(path, self._told, self._count_lost) if path else None
        self._opening = asyncio.Lock()
        self._more = asyncio.Event()
        self._sent: dict[int, float] = {}  # since when, monotonic
        self._next = self._reserved = 0
        self._tidied = float("-inf")
        self._opened = False
        self._dropped = 0

    async def open(self) -> None:
        """Open the file and find what an earlier run left: all of it is waiting.

        For one that is open it does nothing; one that was closed can be opened again. Raises SpoolTakenError.
        """
        async with self._opening:
            if self._opened:
                return
            if self._disk is not None:
                await self._disk.open()
                self._told.found(len(self._disk) if not self._next else 0)
            if not self._next:
                await self._reserve()
            self._opened = True
        self._more.set()

    async def add(self, entries: Iterable[SpoolEntry]) -> None:
        """Take entries. One whose id is in memory already is the same one; on the disk it becomes that later.

        Raises ValueError for a naive time, with none of them taken. Waits for the disk only where
        ``disk_after`` is 0 s, or more than ``memory_bytes`` are held.
        """
        new = self._unknown(entries)
        if self._next + len(new) > self._reserved:
            async with self._opening:
                await self._reserve()
        now, added = time.monotonic(), time.time_ns() // 1_000_000
        for entry in new:
            self._memory.put(Written(self._next, added, entry), now)
            self._next += 1
        self._more.set()
        if self._bytes > self._limits.most_bytes:
            await self._make_room()
        if self._disk is None:
            return
        if not self._limits.disk_after or self._memory.bytes > self._limits.memory_bytes:
            await self._write(all_of_it=True)
        if self._memory.bytes > self._limits.memory_bytes:
            self._drop_from_memory(self._limits.memory_bytes, "the disk takes none")

    async def oldest(self, most: int, *, after: int = 0, most_bytes: int = 1 << 20) -> list[Spooled]:
        """The oldest waiting entries behind the sequence ``after``: at most so many, with so many bytes of
        bodies, but one where there is one. They stay waiting.

        With ``after`` a sender can deliver what is new beside a backlog. Where the disk cannot be read now it
        takes a second, and memory alone gives some.
        """
        found: list[Spooled] = []
        if self._disk is not None and self._disk.known.entries:
            found = await self._disk.oldest(most, after, most_bytes, self._sent)
        left = most_bytes - sum(len(each.entry.body) for each in found)
        for held in self._memory:
            if len(found) >= most or (found and left < len(held.entry.body)):
                break
            if held.sequence > after and held.sequence not in self._sent:
                left -= len(held.entry.body)
                found.append(Spooled(held.sequence, held.entry))
        if not found and not after and self.state.waiting:
            await asyncio.sleep(1)  # who asks again at once shall not spin
        return found

    async def ready(self) -> None:
        """Wait until something is waiting."""
        while not self.state.waiting:
            self._more.clear()
            await self._more.wait()

    def sent(self, sequences: Iterable[int]) -> None:
        """These are on their way: not waiting, and not done."""
        now = time.monotonic()
        self._sent.update(dict.fromkeys(sequences, now))

    def again(self, sequences: Iterable[int] | None = None, *, late: float = 0.0) -> int:
        """These, or all, if they were sent ``late`` seconds ago or earlier, are waiting again; how many."""
        now = time.monotonic()
        chosen = list(self._sent) if sequences is None else sequences
        back = [each for each in chosen if each in self._sent and now - self._sent[each] >= late]
        for each in back:
            del self._sent[each]
            if self._disk is not None:
                self._disk.wait_again(each)
        if back:
            self._more.set()
        return len(back)

    def done(self, sequences: Iterable[int]) -> None:
        """The destination has these for good. Those that are not here any more do not matter."""
        for sequence in sequences:
            self._sent.pop(sequence, None)
            if self._memory.pop(sequence) is None and self._disk is not None:
                self._disk.finish(sequence)

    async def keep(self) -> None:
        """Write what is due, for ever."""
        pause = min(max(self._limits.disk_after.total_seconds() / 4, 0.1), _TIDY_SECONDS)
        while True:
            await asyncio.sleep(pause)
            await self._write(all_of_it=False)

    async def close(self) -> None:
        """Write all that is not done, and close the file."""
        await self._write(all_of_it=True, at_once=True)
        self._opened = False
        if self._disk is not None:
            await self._disk.close()

    @property
    def state(self) -> SpoolState:
        """Its numbers; those of the disk as at the last write."""
        on_disk = self._disk.known.oldest if self._disk is not None and len(self._disk) else 0
        oldest = on_disk or next((each.added for each in self._memory), 0)
        depth = len(self._memory) + (len(self._disk) if self._disk is not None else 0)
        return SpoolState(
            depth=depth,
            waiting=max(0, depth - len(self._sent)),
            sent=len(self._sent),
            bytes=self._bytes,
            age_seconds=max(0, time.time_ns() // 1_000_000 - oldest) // 1000 if depth else None,
            dropped=self._dropped,
        )

    @property
    def _bytes(self) -> int:
        return self._memory.bytes + (self._disk.known.bytes if self._disk is not None else 0)

    def _unknown(self, entries: Iterable[SpoolEntry]) -> Sequence[SpoolEntry]:
        """Those whose id is not in memory, each once. Raises ValueError."""
        new: dict[str, SpoolEntry] = {}
        for entry in entries:
            if entry.time.tzinfo is None:
                raise ValueError(f"the time of the entry {entry.id} is naive")
            if entry.id not in new and self._memory.sequence_of(entry.id) is None:
                new[entry.id] = entry
        return list(new.values())

    async def _reserve(self) -> None:
        # Where the file cannot be had, the clock tells numbers that were not used either. Where two machines
        # have the same name, as copies of one memory card, and start together, chance keeps theirs apart:
        # what a writer says of one machine's shall be nothing of the other's.
        clock = (time.time_ns() // 1_000_000 << _CLOCK_SHIFT) | secrets.randbits(_CLOCK_SHIFT)
        least = max(self._next, clock)
        found = await self._disk.reserve(least, _RESERVED) if self._disk is not None else None
        self._next = least if found is None else found
        self._reserved = self._next + _RESERVED

    async def _write(self, *, all_of_it: bool, at_once: bool = False, tidy: bool = False) -> None:
        """Write what is due; delete what is done where that is due too, or something is written anyway."""
        if self._disk is None:
            return
        now = time.monotonic()
        until = now if all_of_it else now - self._limits.disk_after.total_seconds()
        many = len(self._disk.finished) >= _TIDY_COUNT
        late = self._disk.finished and now - self._tidied >= _TIDY_SECONDS
        if not (tidy or at_once or many or late or self._memory.due(until)):
            return
        for each in await self._disk.write(lambda: self._memory.due(until), at_once=at_once) or ():
            # What was done meanwhile is on the disk all the same.
            if self._memory.pop(each.sequence) is None:
                self._disk.finish(each.sequence)
        self._tidied = now

    async def _make_room(self) -> None:
        """Drop the oldest: on the disk, then in memory."""
        await self._write(all_of_it=False, tidy=True)
        wanted = self._limits.most_bytes - self._limits.most_bytes // _ROOM
        if self._disk is not None and self._bytes > self._limits.most_bytes and len(self._disk):
            dropped = await self._disk.drop_oldest(self._bytes - wanted)
            self._note_dropped(dropped, "it is full")
        if self._bytes > self._limits.most_bytes:
            on_disk = self._bytes - self._memory.bytes
            self._drop_from_memory(wanted - on_disk, "it is full")

    def _drop_from_memory(self, most_bytes: int, why: str) -> None:
        dropped = []
        while self._memory.bytes > most_bytes and len(self._memory):
            first = self._memory.drop_first()
            dropped.append((first.sequence, first.entry.id))
        self._note_dropped(dropped, why)

    def _note_dropped(self, dropped: Sequence[tuple[int, str]], why: str) -> None:
        for sequence, _ in dropped:
            self._sent.pop(sequence, None)
        self._count_lost(len(dropped), why)
        if dropped:
            self._lose([key for _, key in dropped])

    def _count_lost(self, count: int, why: str) -> None:
        self._dropped += count
        self._told.dropped(count, self._dropped, why)
