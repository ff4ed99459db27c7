"""A house whose service is off at times: a meter with loggers, the program as a process, and its history."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from smart_meter_reader.codecs.kmp.loggers import (
    LoggerConfigurationRequest,
    LogIdPastAbsRequest,
    LogLastEntryPastAbsRequest,
)
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.meters.kmp.emulated_values import values_of
from smart_meter_reader.meters.kmp.emulator import FAULTS, KamstrupMeter
from tests.peers.imported import STARTED

ROOT = Path(__file__).parents[4]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_TWENTY_PAST = 1200.0
_ROWS = (
    "SELECT segment.serial_number, counter.time, counter.value FROM counter JOIN series ON "
    "series.id = counter.series JOIN segment ON segment.id = series.segment WHERE quantity = 'heat_energy'"
)
_OF_LOGGERS = (LoggerConfigurationRequest, LogIdPastAbsRequest, LogLastEntryPastAbsRequest)


@dataclass
class House:
    """``away`` is how far the house's time is behind this computer's, in seconds.

    It is twenty past an hour there when it begins. The meter keeps three days of hours: at a full hour the
    oldest of those that a test waits for would be written over.
    """

    folder: Path
    away: float
    model: str = "403"
    seed: int = 0
    answer_limit: int = 128
    reply_delay: float = 0.0
    client: str = "kamstrup"
    zone: str = "UTC"
    settings: str = 'baud = 115200\nlogger_budget = "1h"\nanswer_timeout = "300ms"'
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.away += (self.now().timestamp() - _TWENTY_PAST) % HOUR.total_seconds()
        self.meter = self.another_meter(self.seed)
        shutil.copy(ROOT / "config.py", self.folder)

    def now(self) -> datetime:
        return datetime.now(UTC) - timedelta(seconds=self.away)

    def another_meter(self, seed: int) -> KamstrupMeter:
        self.born = self.now()
        values = values_of(self.model, seed, {}, self.born, zone=ZoneInfo(self.zone))
        return KamstrupMeter(
            self.model,
            values=values,
            seed=seed,
            faults=parse_faults(["sleep"], FAULTS),
            answer_limit=self.answer_limit,
            reply_delay=self.reply_delay,
        )

    def pass_time(self, time: timedelta) -> None:
        """So much time passes in the house, whatever runs in it."""
        self.away -= time.total_seconds()
        self.meter.advance(time.total_seconds())
        self.meter._awake_until = float("-inf")

    def energy(self) -> dict[tuple[str, datetime], int]:
        """What is stored of the heat energy, by serial number and time, in the meter's last decimal."""
        path = self.folder / "state" / "home.history.sqlite"
        if not path.exists():
            return {}
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            try:
                rows = connection.execute(_ROWS).fetchall()
            except sqlite3.OperationalError:  # it is just being made
                return {}
        return {(serial, datetime.fromtimestamp(time, UTC)): value for serial, time, value in rows}

    def hours(self, since: datetime, until: datetime) -> dict[tuple[str, datetime], int]:
        """What the present meter's display showed at each full hour, ``until`` included."""
        values, found = self.meter._values, {}
        full = since.replace(minute=0, second=0, microsecond=0) + HOUR
        while full <= until:
            record = values.record(60, (full - self.born).total_seconds())
            assert record is not None
            found[str(values.serial_number), full] = int.from_bytes(record[5:], "big")
            full += HOUR
        return found

    def lacks(self, expected: dict[tuple[str, datetime], int]) -> set[tuple[str, datetime]]:
        """The hours that are not stored as they were; what differs is an error at once."""
        stored = self.energy()
        wrong = {key: stored[key] for key, value in expected.items() if stored.get(key, value) != value}
        assert not wrong, wrong
        return expected.keys() - stored.keys()

    @property
    def wake_ups(self) -> int:
        """How often the meter was asleep when it was asked (with the fault ``sleep``)."""
        return self.meter.counts.requests - self.meter.counts.answers

    @property
    def log_requests(self) -> int:
        return sum(isinstance(request, _OF_LOGGERS) for request in self.meter.asked)

    @asynccontextmanager
    async def service(self, port: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """The service, stopped with SIGTERM at the end where it still runs."""
        (self.folder / "settings.toml").write_text(
            f'[home.meters.heat]\nclient = "{self.client}"\nport = "{port}"\n{self.settings}\n'
            f'[home.sinks.history]\nwrite_every = "1s"\ntime_zone = "{self.zone}"\n'
        )
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        process = await asyncio.create_subprocess_exec(
            *(*STARTED, "tests.peers.shifted_clock", str(-self.away), "run", "home"),
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(state), "TZ": self.zone},
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        listening = asyncio.create_task(self._listen(process))
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()
            await listening

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            self.said.append(line.decode().rstrip())

    async def until(self, condition: Callable[[], bool], patience: float = 60.0) -> None:
        try:
            async with asyncio.timeout(patience):
                while not condition():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError("\n".join(self.said[-20:])) from None
