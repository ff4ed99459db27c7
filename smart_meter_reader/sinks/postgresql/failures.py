"""What asyncpg's errors mean for a person, and what is done next; for the sink and a fleet's writer."""

from __future__ import annotations

import ssl
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from smart_meter_reader.exceptions import LoginRefusedError, NeedsAPersonError, SinkError
from smart_meter_reader.network import untrusted
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
# All that a call can raise; OverflowError is of a port that is none.
ANYTHING = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    ValueError,
    OverflowError,
)

_LONGEST_WORDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerWords:
    """What a person calls a server, and the settings that lead to it."""

    where: str
    user: str
    database: str
    # Names of settings, as they stand in sentences: of the place, of who we are, and of TLS.
    place: str
    name_setting: str  # the one that has the name which a certificate is for
    login: str
    tls: str
    ca_setting: str
    ca: Path | None
    rights: str  # what to do where some are missing
    seconds: float  # how long it has for a batch


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


def explained(error: BaseException, server: ServerWords) -> SinkError:
    """One of ``ANYTHING`` as ours."""
    words = printable(" ".join(str(error).split()), _LONGEST_WORDS) or type(error).__name__
    where = server.where
    match error:
        case _ if isinstance(error, REFUSES_ROWS):
            return RowsRefusedError("refused_for_ever", words)
        case asyncpg.InvalidAuthorizationSpecificationError():
            return LoginRefusedError(
                "login_refused_by_database",
                f"{where} does not let {server.user} in ({words}): check {server.login}, "
                "and pg_hba.conf there",
            )
        case asyncpg.InvalidCatalogNameError():
            return NeedsAPersonError(
                "no_database",
                f"{where} has no database {server.database}: create it there, or check `database`",
            )
        case asyncpg.InsufficientPrivilegeError():
            return NeedsAPersonError(
                "no_rights", f"{where} does not let {server.user} write ({words}): {server.rights}"
            )
        case asyncpg.ReadOnlySQLTransactionError():
            return NeedsAPersonError(
                "read_only",
                f"{where} takes no writes: it is a standby, or was set to read only; name the primary "
                f"in {server.place}",
            )
        case asyncpg.PostgresError():
            return _busy(error, where, words)
        case _:
            return _unreachable(error, server, words)


def _busy(error: asyncpg.PostgresError, where: str, words: str) -> SinkError:
    match error:
        case asyncpg.DeadlockDetectedError() | asyncpg.SerializationError():
            return SinkError(
                "database_busy", f"another program was at the same rows of {where}; it is tried again"
            )
        case asyncpg.QueryCanceledError():
            return SlowError(
                "statement_broken_off",
                f"{where} breaks off what takes so long ({words}): smaller batches are tried; its "
                "`statement_timeout` or `lock_timeout` for this login may be too short",
            )
        case asyncpg.CannotConnectNowError() | asyncpg.OperatorInterventionError():
            return SinkError("database_starts", f"{where} starts or stops ({words})")
        case asyncpg.TooManyConnectionsError():
            return SinkError(
                "too_many_connections",
                f"{where} has no connection left ({words}): end those that nobody needs, or raise "
                "`max_connections` there",
            )
        case _:
            return SinkError("database_error", f"{where} says: {words}")


def _unreachable(error: BaseException, server: ServerWords, words: str) -> SinkError:
    where = server.where
    match error:
        case ssl.SSLCertVerificationError():
            return untrusted.certificate_error(
                error, where, server.name_setting, server.ca, ca_setting=server.ca_setting
            )
        case ssl.SSLError():
            return NeedsAPersonError("tls_failed", f"TLS with {where} fails: check its ssl settings")
        case TimeoutError():
            return SlowError("batch_timeout", f"{where} does not answer within {server.seconds:g} s")
        case FileNotFoundError():
            return SinkError(
                "port_closed", f"no server listens in {where}: check {server.place}, and whether it runs"
            )
        case ConnectionRefusedError():
            return SinkError(
                "port_closed", f"nothing listens on {where}: check {server.place}, and whether it runs"
            )
        case ConnectionError() if type(error) is ConnectionError:
            # asyncpg's, of a server without TLS
            return NeedsAPersonError(
                "no_tls",
                f"{where} speaks no TLS ({words}): switch `ssl` on there, or leave {server.tls} out here",
            )
        case asyncpg.ClientConfigurationError() | OverflowError():
            return NeedsAPersonError("database_address", f"{server.place} ({where}) cannot be used: {words}")
        case asyncpg.InterfaceError() | ConnectionError() | ValueError():
            return SinkError("database_connection_lost", f"the connection to {where} is lost ({words})")
        case _:
            return SinkError(
                "unreachable", f"{where} cannot be reached ({words}): check {server.place} and the network"
            )
