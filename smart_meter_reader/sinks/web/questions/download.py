"""What is stored as a file to keep: CSV, XLSX or JSON of any period, or a copy of the whole history."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from smart_meter_reader.history.errors import HistoryBusyError
from smart_meter_reader.history.exports.csv_text import write_for_machines, write_for_people
from smart_meter_reader.history.exports.json_lines import write_json
from smart_meter_reader.history.exports.lines import Selection, counters, lines
from smart_meter_reader.history.exports.words import LANGUAGES
from smart_meter_reader.history.periods import Period
from smart_meter_reader.history.places import backup_file
from smart_meter_reader.history.storage.backups import BackupStoppedError, back_up
from smart_meter_reader.sinks.web.questions.asked import Inquiry, QuestionError, days_reversed, not_stored
from smart_meter_reader.sinks.web.questions.shown import PER_DAY

_READINGS = "readings"


class FileKind(StrEnum):
    """What can be downloaded."""

    CSV = "csv"
    CSV_PEOPLE = "csv-people"
    XLSX = "xlsx"
    JSON = "json"
    BACKUP = "backup"


CONTENT_TYPES: Mapping[FileKind, str] = MappingProxyType(
    {
        FileKind.CSV: "text/csv; charset=utf-8",
        FileKind.CSV_PEOPLE: "text/csv; charset=utf-8",
        FileKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        FileKind.JSON: "application/json",
        FileKind.BACKUP: "application/vnd.sqlite3",
    }
)
# What takes some seconds here is half a minute on the smallest computer; a spreadsheet takes five times that.
MOST_LINES = 100_000
MOST_ROWS = 20_000
_ENDINGS = {FileKind.CSV_PEOPLE: "csv"}
STEPS = (*Period, _READINGS)


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is ready: whoever asked reads it from the beginning, and closes it. Then it is gone."""

    file_name: str
    content_type: str
    size: int
    file: BinaryIO


def prepared(asked: Inquiry, path: Path, stopped: Callable[[], bool]) -> Download:
    """The file that is asked for, from the history at ``path``.

    Raises QuestionError, HistoryError, sqlite3.Error, and OSError where there is no room for it.
    """
    kind = asked.choice("kind", FileKind) or FileKind.CSV
    if kind is FileKind.BACKUP:
        name, file = _copied(path, datetime.fromtimestamp(asked.now, UTC), stopped)
    else:
        selection = _selection(asked)
        _require_few(asked, selection, MOST_ROWS if kind is FileKind.XLSX else MOST_LINES)
        name = f"{_ascii(path)}{_days(selection)}.{_ENDINGS.get(kind, kind)}"
        file = tempfile.TemporaryFile(dir=_room_beside(path))  # noqa: SIM115 - whoever asked closes it
        try:
            _write(asked, kind, selection, file)
        except BaseException:  # whatever it is, the file does not stay
            file.close()
            raise
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return Download(name, CONTENT_TYPES[kind], size, file)


def _selection(asked: Inquiry) -> Selection:
    step = asked.one_of("step", [Period.DAY, *(each for each in STEPS if each is not Period.DAY)])
    since, until = asked.day("from"), asked.day("to")
    if since and until and until <= since:
        raise days_reversed(since, until)
    selection = Selection(
        None if step == _READINGS else Period(step),
        asked.names("meters"),
        asked.names("quantities"),
        since,
        until,
    )
    stored = counters(asked.history)
    for key, named, there in (
        ("meters", selection.meters, [meter for meter, _ in stored]),
        ("quantities", selection.quantities, [quantity for _, quantity in stored]),
    ):
        for name in named:
            if name not in there:
                raise not_stored(key, name, dict.fromkeys(there))
    return selection


def _require_few(asked: Inquiry, selection: Selection, most: int) -> None:
    """Raise QuestionError for more lines than somebody can wait for."""
    history, house = asked.history, asked.house
    found = 0.0
    for meter, quantity in counters(history):
        if (selection.meters and meter not in selection.meters) or (
            selection.quantities and quantity not in selection.quantities
        ):
            continue
        counter = history.counter(meter, quantity)
        for part in counter.parts:
            since = max(part.first.time, house.midnight(selection.since or date(1970, 1, 2)))
            until = min(part.last.time, house.midnight(selection.until or date(2200, 1, 1)))
            if selection.step is None:
                found += counter.count(part, since, until)
            else:
                found += max(0, until - since) / 86400 * PER_DAY[selection.step]
    if found > most:
        raise QuestionError(
            "too_many_lines",
            "step: some {found:,} lines are more than the {most:,} of one download; ask for fewer "
            "days, meters or quantities, or a longer step; `smart-meter-reader history export` writes all",
            found=round(found),
            most=most,
        )


def _write(asked: Inquiry, kind: FileKind, selection: Selection, file: BinaryIO) -> None:
    language = LANGUAGES[asked.one_of("language", list(LANGUAGES))]
    with closing(lines(asked.history, selection)) as found:
        match kind:
            case FileKind.CSV_PEOPLE:
                write_for_people(file, found, asked.house, language)
            case FileKind.JSON:
                write_json(file, found, asked.house)
            case FileKind.XLSX:
                from smart_meter_reader.history.exports.xlsx import write_xlsx

                write_xlsx(file, found, asked.house, language)
            case _:
                write_for_machines(file, found, asked.house)


def _copied(path: Path, now: datetime, stopped: Callable[[], bool]) -> tuple[str, BinaryIO]:
    """A copy of the history that is open, and already has no name any more."""
    with tempfile.TemporaryDirectory(prefix=".download-", dir=_room_beside(path)) as directory:
        copy = Path(directory) / backup_file(path, now).name
        try:
            back_up(path, copy, lambda _: stopped())
        except BackupStoppedError:
            raise HistoryBusyError(
                "stopped_copy", "the copy of the history was stopped before its end"
            ) from None
        return copy.name, copy.open("rb")


def _room_beside(path: Path) -> Path | None:
    """Beside the history, on the disk: elsewhere may be memory. None, the system's place, where none may."""
    return path.parent if os.access(path.parent, os.W_OK) else None


def _ascii(path: Path) -> str:
    """What the history is called, in letters that every system takes."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", path.name.partition(".")[0]) or "history"


def _days(selection: Selection) -> str:
    until = selection.until - timedelta(days=1) if selection.until else None
    return "".join(f"-{day}" for day in (selection.since, until) if day is not None)
