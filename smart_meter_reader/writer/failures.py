"""What asyncpg's errors mean for whoever runs a writer, and what to do."""

from __future__ import annotations

from typing import Final

import asyncpg

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.sinks.postgresql import failures
from smart_meter_reader.sinks.postgresql.failures import ServerWords
from smart_meter_reader.writer.settings import WriterSettings

STATEMENT_SECONDS: Final = 20.0


def explained(error: BaseException, settings: WriterSettings) -> SinkError:
    """One of ``failures.ANYTHING`` as ours."""
    match error:
        case asyncpg.UndefinedTableError() | asyncpg.UndefinedColumnError() | asyncpg.DatatypeMismatchError():
            return NeedsAPersonError(
                "other_tables",
                f"{settings.database} has other tables than this version of the writer makes: {error}",
            )
        case _:
            return failures.explained(error, _words(settings))


def _words(settings: WriterSettings) -> ServerWords:
    return ServerWords(
        where=settings.database,
        user="us",
        database="of that name",
        place="`database`",
        name_setting="database",
        login="the user in `database`, `database_password`",
        tls="`database_tls` and sslmode",
        ca_setting="database_ca",
        ca=settings.database_ca,
        rights="the writer needs USAGE on the schema, and SELECT, INSERT and UPDATE on its tables",
        seconds=STATEMENT_SECONDS,
    )
