"""The tables, as SQL: what is created, what is looked at, and how rows get in. Names are quoted here alone.

Sources: PostgreSQL 15, "INSERT" (ON CONFLICT) and "System Catalogs"; TimescaleDB, "create_hypertable".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from smart_meter_reader.sinks.spooled.rows import MessageRows
from smart_meter_reader.text import printable

# ON CONFLICT came with 9.5; older ones than 12 have not been tried.
LEAST_VERSION = 120000

# The columns with their types, as the catalogue names them; the first three, or two, are the key.
VALUE_COLUMNS = {
    "meter": "text",
    "quantity": "text",
    "time": "timestamp with time zone",
    "value": "numeric",
    "text": "text",
    "unit": "text",
}
STATE_COLUMNS = {
    "meter": "text",
    "time": "timestamp with time zone",
    "state": "text",
    "reason": "text",
    "detail": "text",
}
VALUE_KEY = ("meter", "quantity", "time")
STATE_KEY = ("meter", "time")


@dataclass(frozen=True, slots=True)
class Table:
    """One of the two tables: its name with its schema, columns and key."""

    schema: str
    name: str
    columns: dict[str, str]
    key: tuple[str, ...]

    @property
    def quoted(self) -> str:
        """Its name for SQL; settings allow no quotation mark in it."""
        return f'"{self.schema}"."{self.name}"'

    @property
    def creation(self) -> str:
        """What makes it where it is not there."""
        never_empty = {*self.key, "unit", "state", "reason", "detail"}
        columns = ", ".join(
            f"{name} {kind}{' NOT NULL' if name in never_empty else ''}"
            for name, kind in self.columns.items()
        )
        return f"CREATE TABLE IF NOT EXISTS {self.quoted} ({columns}, PRIMARY KEY ({', '.join(self.key)}))"

    @property
    def upsert(self) -> str:
        """Takes an array for each column. A row that is there already is not touched, a corrected one is."""
        rest = [name for name in self.columns if name not in self.key]
        kinds = {"timestamp with time zone": "timestamptz"}
        arrays = ", ".join(
            f"${number}::{kinds.get(kind, kind)}[]"
            for number, kind in enumerate(self.columns.values(), start=1)
        )
        return (
            f"INSERT INTO {self.quoted} AS known ({', '.join(self.columns)}) SELECT * FROM unnest({arrays}) "  # noqa: S608
            f"ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET "
            f"{', '.join(f'{name} = excluded.{name}' for name in rest)} "
            f"WHERE ({', '.join(f'known.{name}' for name in rest)}) IS DISTINCT FROM "
            f"({', '.join(f'excluded.{name}' for name in rest)})"
        )


@dataclass(frozen=True, slots=True)
class SinkTables:
    """Both tables of one sink."""

    values: Table
    states: Table

    @classmethod
    def named(cls, schema: str, name: str) -> SinkTables:
        """The tables by their settings."""
        return cls(
            Table(schema, name, VALUE_COLUMNS, VALUE_KEY),
            Table(schema, f"{name}_state", STATE_COLUMNS, STATE_KEY),
        )


# What is known of a table before it is used; $1 is its quoted name.
LOOK = """
SELECT to_regclass($1)::oid AS number,
       has_table_privilege(to_regclass($1)::oid, 'SELECT') AS may_select,
       has_table_privilege(to_regclass($1)::oid, 'INSERT') AS may_insert,
       has_table_privilege(to_regclass($1)::oid, 'UPDATE') AS may_update
"""
COLUMNS = """
SELECT attname, format_type(atttypid, NULL) AS kind FROM pg_attribute
WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped
"""
UNIQUE = """
SELECT array_agg(attname ORDER BY attname)::text[] AS columns FROM pg_index
JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
WHERE indrelid = $1::oid AND indisunique AND indpred IS NULL AND indexprs IS NULL GROUP BY indexrelid
"""
MAY_CREATE = """
SELECT coalesce(has_schema_privilege(oid, 'CREATE'), false) FROM pg_namespace WHERE nspname = $1
"""
TIMESCALE = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
HYPERTABLE = "SELECT create_hypertable($1::text::regclass, 'time', if_not_exists => true)"
IS_HYPERTABLE = """
SELECT EXISTS (SELECT FROM timescaledb_information.hypertables
               WHERE hypertable_schema = $1 AND hypertable_name = $2)
"""

ValueColumns = tuple[
    Sequence[str],
    Sequence[str],
    Sequence[datetime],
    Sequence[Decimal | None],
    Sequence[str | None],
    Sequence[str],
]


def value_arrays(batch: Iterable[MessageRows]) -> ValueColumns:
    """The columns of all values, ordered by key; of the same key the last counts."""
    rows = {
        (printable(row.meter), printable(row.quantity), row.time): (
            row.number,
            printable(row.text) if row.number is None else None,
            printable(row.unit),
        )
        for each in batch
        for row in each.values
    }
    keys = sorted(rows)
    return (
        [key[0] for key in keys],
        [key[1] for key in keys],
        [key[2] for key in keys],
        [rows[key][0] for key in keys],
        [rows[key][1] for key in keys],
        [rows[key][2] for key in keys],
    )


def state_arrays(batch: Iterable[MessageRows]) -> tuple[Sequence[object], ...]:
    """The same of the states."""
    rows = {
        (printable(row.meter), row.time): (row.state, printable(row.reason), printable(row.detail))
        for each in batch
        for row in each.states
    }
    keys = sorted(rows)
    return (
        [key[0] for key in keys],
        [key[1] for key in keys],
        *([rows[key][place] for key in keys] for place in range(3)),
    )
