"""Where the files of an environment's history are, and how a damaged one is moved out of the way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smart_meter_reader.history.storage.raw_columns import Columns

# SQLite's write-ahead log and its index belong to their file.
_BESIDE = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class HistoryPlace:
    """Where the history of an environment is, and whose days it counts."""

    file: Path
    recent: Path | None  # the ring of raw readings; None where none are kept
    zone: str
    # The single readings of a meter that are in memory still, of these quantities; for any thread.
    unwritten: Callable[[str, Collection[str]], Sequence[Columns]] = lambda _meter, _wanted: ()


def history_file(directory: Path, name: str) -> Path:
    """The history, for ever."""
    return directory / f"{name.replace('/', '_')}.history.sqlite"


def recent_file(directory: Path, name: str) -> Path:
    """The ring of raw readings."""
    return directory / f"{name.replace('/', '_')}.recent.sqlite"


def prices_file(history: Path) -> Path:
    """The prices that were told on MQTT topics, beside a history."""
    return history.with_name(f"{history.name.removesuffix('.history.sqlite')}.prices.sqlite")


def backups(path: Path) -> list[Path]:
    """The backups beside a history, the newest last."""
    return sorted(path.parent.glob(f"{path.stem}.backup-*.sqlite"))


def backup_file(path: Path, now: datetime) -> Path:
    """What a backup of this moment is called."""
    return path.with_name(f"{path.stem}.backup-{now:%Y%m%d-%H%M%S}.sqlite")


def set_aside(path: Path, now: datetime) -> Path:
    """Move a file that cannot be used, with all that belongs to it; where it is now. Raises OSError."""
    return move_aside(path, "damaged", now)


def move_aside(path: Path, why: str, now: datetime) -> Path:
    """Move a file, with all that belongs to it, beside its place; where it is now. Raises OSError."""
    aside = path.with_name(f"{path.name}.{why}-{now:%Y%m%d-%H%M%S}")
    for ending in _BESIDE:
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    return aside


def identity(path: Path) -> tuple[int, int] | None:
    """Which file it is, whatever it is called; None for none. Raises no OSError."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
