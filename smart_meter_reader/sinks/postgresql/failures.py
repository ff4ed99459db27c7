"""What asyncpg's errors mean for a person, and what is done next."""

from __future__ import annotations

import ssl
from collections.abc import Collection

import asyncpg

from smart_meter_reader.exceptions import LoginRefusedError, NeedsAPersonError, SinkError
from smart_meter_reader.network import untrusted
from smart_meter_reader.sinks.postgresql.settings import PostgreSqlSettings
from smart_meter_reader.sinks.postgresql.tables import STATE_COLUMNS, VALUE_COLUMNS
from smart_meter_reader.sinks.spooled.destination import SlowError
from smart_meter_reader.text import printable

# What the server says of one value or row, and would say of it for ever: classes 22, 23 and 54, and what a
# trigger raises (PostgreSQL, appendix A).
REFUSES_ROWS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.PLPGSQLError,
    asyncpg.ProgramLimitExceededError,
)
# All that a call can raise.
ANYTHING = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError)

_LONGEST_WORDS = 300
_OURS = frozenset(VALUE_COLUMNS) | frozenset(STATE_COLUMNS)


def unfit_table(error: BaseException, columns: Collection[str]) -> str:
    """What a person has to do about the table before it takes any row; "" where it is a row that is refused.

    ``columns`` are those that we fill.
    """
    match error:
        case asyncpg.NotNullViolationError() if error.column_name not in columns:
            return (
                f"{error.table_name} has a column {error.column_name} that is none of ours and must not be "
                "empty: give it a default, or ALTER COLUMN ... DROP NOT NULL"
            )
        case asyncpg.CheckViolationError() if not error.constraint_name:
            # PostgreSQL has no code of its own for it (15, "Table Partitioning").
            return f"a partition is missing for that time, or a default one ({error}): create it"
        case _:
            return ""


class RowsRefusedError(SinkError):
    """Something of the batch is refused for ever; nothing of it is stored."""


def explained(error: BaseException, settings: PostgreSqlSettings) -> SinkError:
    """One of ``ANYTHING`` as ours."""
    words = printable(" ".join(str(error).split()), _LONGEST_WORDS)
    where = settings.where
    if unfit := unfit_table(error, _OURS):
        return NeedsAPersonError("unfit_table", f"{settings.database} at {where} takes no rows: {unfit}")
    match error:
        case _ if isinstance(error, REFUSES_ROWS):
            return RowsRefusedError("refused_for_ever", words)
        case asyncpg.InvalidAuthorizationSpecificationError():
            return LoginRefusedError(
                "login_refused_by_database",
                f"{where} does not let {settings.username} in ({words}): check `username`, `password` and "
                "`tls`, and pg_hba.conf there",
            )
        case asyncpg.InvalidCatalogNameError():
            return NeedsAPersonError(
                "no_database",
                f"{where} has no database {settings.database}: create it there, or check `database`",
            )
        case asyncpg.InsufficientPrivilegeError():
            return NeedsAPersonError(
                "no_rights", f"{where} does not let {settings.username} write ({words}): grant it that right"
            )
        case (
            asyncpg.InvalidSchemaNameError() | asyncpg.UndefinedTableError() | asyncpg.UndefinedColumnError()
        ):
            # The next attempt looks at the tables, and creates those that have gone.
            return SinkError("table_changed", f"the tables in {settings.database} have changed ({words})")
        case asyncpg.ReadOnlySQLTransactionError():
            return NeedsAPersonError(
                "read_only",
                f"{where} takes no writes: it is a standby, or was set to read only; name the primary "
                "in `host`",
            )
        case asyncpg.PostgresError():
            return _busy(error, where, words)
        case _:
            return _unreachable(error, settings, words)


def _busy(error: asyncpg.PostgresError, where: str, words: str) -> SinkError:
    match error:
        case asyncpg.QueryCanceledError():
            return SlowError(
                "statement_broken_off",
                f"{where} breaks off what takes so long ({words}): smaller batches are tried; its "
                "`statement_timeout` or `lock_timeout` for this login may be too short",
            )
        case asyncpg.TooManyConnectionsError():
            return SinkError(
                "too_many_connections",
                f"{where} has no connection left ({words}): end those that nobody needs, or raise "
                "`max_connections` there",
            )
        case _:
            return SinkError("database_error", f"{where} says: {words}")


def _unreachable(error: BaseException, settings: PostgreSqlSettings, words: str) -> SinkError:
    where = settings.where
    match error:
        case ssl.SSLCertVerificationError():
            return untrusted.certificate_error(error, where, "host", settings.ca)
        case ssl.SSLError():
            return NeedsAPersonError("tls_failed", f"TLS with {where} fails: check its ssl settings")
        case TimeoutError():
            seconds = settings.timeout.total_seconds()
            return SlowError("batch_timeout", f"{where} does not answer within {seconds:g} s")
        case FileNotFoundError() if settings.is_socket:
            return SinkError(
                "port_closed", f"no server listens in {where}: check `host`, and whether it runs"
            )
        case ConnectionRefusedError():
            return SinkError(
                "port_closed", f"nothing listens on {where}: check `host` and `port`, and whether it runs"
            )
        case ConnectionError() if type(error) is ConnectionError and settings.tls:
            return NeedsAPersonError(
                "no_tls", f"{where} speaks no TLS ({words}): switch `ssl` on there, or leave `tls` out here"
            )
        case asyncpg.InterfaceError() | ConnectionError() | ValueError():
            return SinkError("database_connection_lost", f"the connection to {where} is lost ({words})")
        case _:
            return SinkError(
                "unreachable", f"{where} cannot be reached ({words}): check `host` and the network"
            )
