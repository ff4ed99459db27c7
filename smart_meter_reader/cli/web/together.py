"""`web ENV...`: shows several environments on one page, from their histories, until it is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.sinks.web.together.settings import PageSettings

if TYPE_CHECKING:
    from smart_meter_reader.pipeline.sink_memory import SinkMemory
    from smart_meter_reader.sinks.web.together.page import TogetherPage

# Before what the page knows is kept again, once that failed.
KEEP_PAUSE = 60.0


@click.command()
@click.argument("environments", metavar="ENV...", nargs=-1, required=True)
def together(environments: tuple[str, ...]) -> int:
    """Show environments that run on this machine on one page, from their histories."""
    from smart_meter_reader.sinks.web.together.settings import headed, load_page

    loaded = load_page(Path())
    names = tuple(dict.fromkeys(environments))

    import logging

    from smart_meter_reader.log import set_up_logging

    set_up_logging("INFO")
    for warning in loaded.warnings:
        logging.getLogger(__name__).warning("%s", warning)
    asyncio.run(_run(headed(loaded.settings, names), names))
    return EXIT_OK


async def _run(settings: PageSettings, environments: tuple[str, ...]) -> None:
    from smart_meter_reader.pipeline.sink_memory import SinkMemory
    from smart_meter_reader.service.notify import Notifier
    from smart_meter_reader.sinks.web.settings import page_url
    from smart_meter_reader.sinks.web.together.page import TogetherPage
    from smart_meter_reader.sinks.web.together.stores import store_of

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    notifier = Notifier.from_environment()
    stores = [store_of(each, settings.histories, os.environ) for each in environments]

    def ready() -> None:
        notifier.ready(f"the page is at {page_url(settings)}")

    page = TogetherPage("page", settings, stores, ready)
    memory = SinkMemory("page", os.environ, [page])
    memory.recall(())
    await run_page(page, memory, stop)
    notifier.stopping()


async def run_page(page: TogetherPage, memory: SinkMemory, stop: asyncio.Event) -> None:
    """Run the page until ``stop``, and keep what it knows meanwhile and at the end. Raises what it raises."""
    from smart_meter_reader.pipeline.tasks import cancel

    # In no group: what ends the page is to reach the command as it is, and not in a group of one.
    keeping = asyncio.create_task(_keep(memory), name="memory of the page")
    try:
        await page.run(page.looks(stop))
    finally:
        await cancel([keeping], 1.0)
        memory.save()


async def _keep(memory: SinkMemory) -> None:
    """What goes on beside the page neither ends it nor ends unheard."""
    from smart_meter_reader.rooms import Room, outcome

    room = Room("memory of the page")
    while (error := await outcome(memory.keep, room.name)) is not None:
        room.note(error, "it begins anew")
        await asyncio.sleep(KEEP_PAUSE)
