"""What `doctor` asks of an InfluxDB: that it is there, takes the login, and has the database."""

from __future__ import annotations

from collections.abc import AsyncIterator

from smart_meter_reader.console.checks import Check, ok, unavailable, warning
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.sinks.influxdb.server import connected
from smart_meter_reader.sinks.influxdb.settings import InfluxDbSettings

# VictoriaMetrics calls itself InfluxDB 1.8, and 2 and 3 take the older ways of writing as well.
_NEWEST_API = {"v1": 1, "v2": 2, "v3": 3}


async def examine(subject: str, settings: InfluxDbSettings) -> AsyncIterator[Check]:
    """Ask who it is, and write nothing at all: an empty batch is judged like any other."""
    try:
        async with connected(settings) as server:
            version = await server.version()
            yield ok(subject, f"{settings.url} answers{f' as InfluxDB {version}' if version else ''}")
            if (old := _too_old(version, settings)) is not None:
                yield warning(subject, old)
            # What is refused of an empty batch is that it is empty: login and database come before that.
            await server.write(())
            yield ok(subject, f"it takes what is written to {settings.database}")
    except SinkError as error:
        yield unavailable(subject, error.detail)


def _too_old(version: str, settings: InfluxDbSettings) -> str | None:
    major = version.lstrip("v").partition(".")[0]
    if not major.isdigit() or int(major) >= _NEWEST_API[settings.api]:
        return None
    return f"InfluxDB {version} does not know {settings.api}: set `api` to v{major}"
