"""What `writer --check` asks of the database: is it there, verified, ours to write to?"""

from __future__ import annotations

from collections.abc import AsyncIterator

from smart_meter_reader.console.checks import Check, ok, unavailable, warning
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.writer.database import Database
from smart_meter_reader.writer.settings import WriterSettings


async def examine_database(settings: WriterSettings) -> AsyncIterator[Check]:
    """Look, and write nothing."""
    subject, database = "database", Database(settings)
    if settings.sent_openly:
        yield warning(subject, settings.sent_openly)
    try:
        await database.open()
        version, user, encrypted = await database.who()
        over = " over TLS" if encrypted else ""
        yield ok(subject, f"{settings.database} is PostgreSQL {version} and lets {user} in{over}")
        if settings.database_tls:
            yield ok(subject, f"TLS verifies it by {settings.database_ca or 'the CAs of this system'}")
        await database.check()
        yield ok(subject, f"its tables are there, and {user} may write to them")
    except SinkError as error:
        yield unavailable(subject, error.detail)
    finally:
        await database.close()
