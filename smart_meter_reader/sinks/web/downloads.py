"""Sends files that are made on the disk: one at a time, beside the questions, piece by piece."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.network.off_loop import in_daemon_thread
from smart_meter_reader.sinks.web.asking import BusyError, TooMuchError

if TYPE_CHECKING:
    from smart_meter_reader.sinks.web.parts import Answering
    from smart_meter_reader.sinks.web.questions import Download

# Ten years of a large home on a slow disk.
MAKING_SECONDS = 120.0
_PIECE = 64 * 1024


class Downloads:
    """Lets one file after the other be made and sent."""

    def __init__(self) -> None:
        self._busy = False

    async def send(self, request: web.Request, questions: Answering) -> web.StreamResponse:
        """The file that the query of ``request`` asks for. Raises BusyError, and what making it raises."""
        if self._busy:
            raise BusyError(
                "busy", "download_before", "another download is being made: ask again when it is done"
            )
        download = await self._made(partial(questions.download, dict(request.query)), questions)
        try:
            return await _sent(request, download)
        finally:
            download.file.close()

    async def _made(self, make: partial[Download], questions: Answering) -> Download:
        self._busy = True

        def work() -> Download:
            # Before whoever waits is told: the next one is to find the place free.
            try:
                return make()
            finally:
                self._end()

        try:
            async with asyncio.timeout(MAKING_SECONDS):
                return await in_daemon_thread(work, lambda made: made.file.close(), self._end)
        except TimeoutError:
            questions.stop_download()
            raise TooMuchError(
                "too_slow",
                "file_too_slow",
                "the file takes more than {seconds} s: ask for a shorter time",
                seconds=round(MAKING_SECONDS),
            ) from None
        except asyncio.CancelledError:
            questions.stop_download()  # nobody waits for it any more
            raise
        except OSError as error:
            raise SinkError("no_room", f"the file cannot be made: {error.strerror}") from error

    def _end(self) -> None:
        self._busy = False


async def _sent(request: web.Request, download: Download) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: download.content_type,
            hdrs.CONTENT_LENGTH: str(download.size),
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{download.file_name}"',
        }
    )
    await response.prepare(request)
    while piece := await in_daemon_thread(partial(download.file.read, _PIECE), lambda _: None):
        await response.write(piece)
    return response
