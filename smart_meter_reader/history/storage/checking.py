"""Whether a history is sound: what SQLite finds, and what our own rules find. Blocking; reads everything."""

from __future__ import annotations

from pathlib import Path

from smart_meter_reader.history.storage.connecting import connect, explained_for
from smart_meter_reader.history.storage.interrupting import interruptible_questions
from smart_meter_reader.history.storage.schema import HISTORY, RECENT, Format

# More of the same tells a person nothing new.
_MOST = 20


def problems(path: Path, kind: Format = HISTORY) -> list[str]:
    """A sentence for each thing that is wrong with a file. Raises HistoryError when it cannot be read."""
    connection = connect(path, kind, read_only=True)
    try:
        with explained_for(path), interruptible_questions(connection):
            found = [str(row[0]) for row in connection.execute(f"PRAGMA quick_check({_MOST})")]
            told = [] if found == ["ok"] else [f"SQLite: {each}" for each in found]
            if kind is RECENT or told:
                return told
            orphans = connection.execute(
                "SELECT count(*) FROM (SELECT series FROM counter UNION SELECT series FROM gauge) "
                "WHERE series NOT IN (SELECT id FROM series)"
            ).fetchone()[0]
            return [f"{orphans} series have values, but no name"] if orphans else []
    finally:
        connection.close()
