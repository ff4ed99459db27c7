"""The tables of the files, and the way from each earlier version of them to this one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

# Settings of the house that stand in the file.
ZONE = "time_zone"
YEAR_BEGINS = "year_begins"

_TABLES = """
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE meter (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- One device behind a name, from its first day to its last.
CREATE TABLE segment (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL REFERENCES meter (id),
    since INTEGER NOT NULL,
    serial_number TEXT NOT NULL,
    why TEXT NOT NULL
);
CREATE INDEX segment_of_meter ON segment (meter, since);
-- Values are integers in the last decimal of the unit. Another unit is another series: a GJ is no finite
-- number of kWh.
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    segment INTEGER NOT NULL REFERENCES segment (id),
    quantity TEXT NOT NULL,
    unit TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('counter', 'gauge')),
    decimals INTEGER NOT NULL CHECK (decimals BETWEEN 0 AND 18),
    UNIQUE (segment, quantity, unit, kind)
);
CREATE TABLE counter (
    series INTEGER NOT NULL,
    time INTEGER NOT NULL,
    value INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    PRIMARY KEY (series, time)
) WITHOUT ROWID;
-- Where a counter does not go on from its row before: modulus is one turn of its digits, NULL a new start.
CREATE TABLE restart (
    series INTEGER NOT NULL,
    time INTEGER NOT NULL,
    modulus INTEGER,
    PRIMARY KEY (series, time)
) WITHOUT ROWID;
CREATE TABLE gauge (
    series INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    n INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    total INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    PRIMARY KEY (series, hour)
) WITHOUT ROWID;
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    meter INTEGER REFERENCES meter (id),
    kind TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX event_by_time ON event (time);
-- What a person knows better. A note is taken back, never deleted.
CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    made INTEGER NOT NULL,
    meter INTEGER NOT NULL REFERENCES meter (id),
    quantity TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('replaced', 'wrong')),
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    text TEXT NOT NULL,
    taken_back INTEGER
);
"""

_RECENT_TABLES = """
-- A quarter of an hour of raw readings of one meter, as `raw` codes it.
CREATE TABLE raw (
    id INTEGER PRIMARY KEY,
    meter TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    coded BLOB NOT NULL
);
CREATE INDEX raw_of_meter ON raw (meter, until);
CREATE INDEX raw_by_time ON raw (until);
"""


_PRICE_TABLES = """
-- What was told on a topic: a price from its moment to the next one's, for ``longest`` seconds at most.
CREATE TABLE price (
    topic TEXT NOT NULL,
    since INTEGER NOT NULL,
    longest INTEGER NOT NULL,
    price TEXT NOT NULL,
    PRIMARY KEY (topic, since)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: the number by which it is known, and what brings it from each version to the next.

    The first migration makes an empty file one of version 1. One that has been released is never changed.
    """

    name: str
    application_id: int
    migrations: tuple[str, ...]

    @property
    def version(self) -> int:
        """The newest version, which this program writes."""
        return len(self.migrations)


HISTORY = Format("history", 0x534D5248, (_TABLES,))  # "SMRH"
RECENT = Format("ring of recent readings", 0x534D5252, (_RECENT_TABLES,))  # "SMRR"
PRICES = Format("file of prices", 0x534D5250, (_PRICE_TABLES,))  # "SMRP"


def version_of(connection: sqlite3.Connection) -> int:
    """The version of the file; 0 for an empty one. Raises sqlite3.DatabaseError for what is no such file."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def is_of_kind(connection: sqlite3.Connection, kind: Format) -> bool:
    """Whether the file is of this kind, or still empty."""
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    if application == 0:
        return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None
    return application == kind.application_id


def migrate(connection: sqlite3.Connection, kind: Format) -> None:
    """Bring the file forward, one transaction for each version, so that a power cut leaves a whole version.

    The connection is in autocommit mode (``isolation_level=None``). Raises sqlite3.Error.
    """
    for version in range(version_of(connection), kind.version):
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE; {kind.migrations[version]} PRAGMA user_version = {version + 1};"
                f" PRAGMA application_id = {kind.application_id}; COMMIT;"
            )
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
