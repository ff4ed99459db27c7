"""SQLite files of other programs, opened so that nothing in them is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from smart_meter_reader.history.imports.found import Findings

# A value, a row or the making of a table that is longer has been made to fill the memory.
_LONGEST = 1_000_000
MAGIC = b"SQLite format 3\0"


@contextmanager
def opened(path: Path, findings: Findings) -> Iterator[sqlite3.Connection]:
    """A connection that only reads. Raises RefusedFileError for what is no database."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
            connection.execute("PRAGMA trusted_schema = OFF")
            if connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'view'").fetchone():
                # Whatever reads one would run what somebody has written into it, for ever perhaps.
                raise findings.give_up("it has views, which no such program makes: try a copy of the tables")
            yield connection
    except sqlite3.Error as error:
        raise findings.give_up(
            f"it cannot be read as a database of SQLite ({error}): try a copy of it"
        ) from None


def table_names(path: Path, findings: Findings) -> frozenset[str]:
    """The names of its tables. Raises RefusedFileError."""
    with opened(path, findings) as connection:
        return frozenset(
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        )
