"""Does Home Assistant answer at its address, and take the token?"""

from __future__ import annotations

from collections.abc import AsyncIterator

from smart_meter_reader.console.checks import Check, ok, unavailable
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.network.off_loop import in_daemon_thread
from smart_meter_reader.sinks.home_assistant.api import Api
from smart_meter_reader.sinks.home_assistant.rest import HomeAssistantRestSettings


async def check_home_assistant(subject: str, settings: HomeAssistantRestSettings) -> AsyncIterator[Check]:
    """Ask the API whether it takes the token; posts nothing."""
    api = Api(
        settings.url,
        settings.token.reveal().strip(),
        ca=settings.ca,
        insecure=settings.insecure,
        timeout=settings.timeout.total_seconds(),
    )
    try:
        await in_daemon_thread(api.check, abandon=lambda _: None)
    except SinkError as error:
        yield unavailable(subject, error.detail)
    else:
        yield ok(subject, f"Home Assistant at {settings.url} takes the token")
    finally:
        api.close()
