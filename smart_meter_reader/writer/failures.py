"""What asyncpg's errors mean for whoever runs a writer, and what to do."""

from __future__ import annotations

import ssl
from typing import Final

import asyncpg

from smart_meter_reader.exceptions import LoginRefusedError, NeedsAPersonError, SinkError
from smart_meter_reader.network.untrusted import certificate_error
from smart_meter_reader.sinks.spooled.destination import SlowError
from smart_meter_reader.writer.settings import WriterSettings

# All that a call can raise; OverflowError is of a port that is none.
ANYTHING: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    ValueError,
    OverflowError,
)


# What a message is refused for, and would be for ever (PostgreSQL, appendix A, classes 22, 23 and 54).
REFUSES_ROWS: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    UnicodeError,  # a text that is none
)


def explained(error: BaseException, settings: WriterSettings) -> SinkError:
    """One of ``ANYTHING`` as ours."""
    where = settings.database
    database, words = f"the database ({where})", " ".join(str(error).split()) or type(error).__name__
    match error:
        case asyncpg.InvalidAuthorizationSpecificationError():
            return LoginRefusedError(
                "login_refused",
                f"{database} does not let us in: {words}; check the user in `database`, `database_password`, "
                "and pg_hba.conf there",
            )
        case asyncpg.InvalidCatalogNameError():
            return NeedsAPersonError("no_database", f"there is no such database ({where}): {words}")
        case asyncpg.InsufficientPrivilegeError():
            return NeedsAPersonError(
                "no_right",
                f"{database}: {words}; the writer needs USAGE on the schema, and SELECT, INSERT and UPDATE "
                "on its tables",
            )
        case asyncpg.UndefinedTableError() | asyncpg.UndefinedColumnError() | asyncpg.DatatypeMismatchError():
            return NeedsAPersonError(
                "other_tables", f"{database} has other tables than this version of the writer makes: {words}"
            )
        case asyncpg.ReadOnlySQLTransactionError():
            return NeedsAPersonError(
                "database_read_only",
                f"{database} takes no writes: it is a standby, or was set to read only; name the primary in "
                "`database`",
            )
        case asyncpg.DeadlockDetectedError() | asyncpg.SerializationError():
            return SinkError("database_busy", "another writer was at the same rows; it is tried again")
        case asyncpg.PostgresError():
            return _busy(error, database, words)
        case _:
            return _unreachable(error, settings, database, words)


def _busy(error: asyncpg.PostgresError, database: str, words: str) -> SinkError:
    match error:
        case asyncpg.QueryCanceledError():
            return SlowError(
                "statement_broken_off",
                f"{database} breaks off what takes so long ({words}): smaller batches are tried; its "
                "`statement_timeout` or `lock_timeout` for this user may be too short",
            )
        case asyncpg.CannotConnectNowError() | asyncpg.OperatorInterventionError():
            return SinkError("database_starts", f"{database} starts or stops: {words}")
        case asyncpg.TooManyConnectionsError():
            return SinkError(
                "too_many_connections",
                f"{database} has no connection left ({words}): a writer takes up to five; end those that "
                "nobody needs, or raise `max_connections` there",
            )
        case _:
            return SinkError("database_error", f"{database} says: {words}")


def _unreachable(error: BaseException, settings: WriterSettings, database: str, words: str) -> SinkError:
    where = settings.database
    match error:
        case ssl.SSLCertVerificationError():
            return certificate_error(
                error, database, "database", settings.database_ca, ca_setting="database_ca"
            )
        case TimeoutError():
            return SinkError("database_slow", f"{database} does not answer in time")
        case ConnectionRefusedError() | FileNotFoundError():
            return SinkError(
                "database_refused", f"no database listens at {where}: check `database`, and whether it runs"
            )
        case ConnectionError() if type(error) is ConnectionError:
            # asyncpg's, of a server without TLS
            return NeedsAPersonError(
                "no_tls",
                f"{database}: {words}; switch `ssl` on there, or leave out `database_tls` and sslmode here",
            )
        case asyncpg.ClientConfigurationError() | OverflowError() | ValueError():
            return NeedsAPersonError("database_address", f"`database` ({where}) cannot be used: {words}")
        case asyncpg.InterfaceError() | ConnectionError():
            # The library's words are of what it was at.
            return SinkError("database_lost", f"the connection to {database} is lost")
        case _:
            return SinkError("database_unreachable", f"{database} cannot be reached: {words}")
