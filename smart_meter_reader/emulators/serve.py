"""Runs one emulated meter as a program: on a pseudo-terminal or a TCP port until a signal ends it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from smart_meter_reader.emulators.stream import EmulatedMeter, on_pty, on_tcp
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.text import is_digits, printable
from smart_meter_reader.transport import LineSettings

LOOPBACK = "127.0.0.1"


def run_emulator(
    meter: EmulatedMeter,
    line: LineSettings | None,
    announce: Callable[[str], None],
    *,
    link: Path | None = None,
    listen: str | None = None,
) -> None:
    """Serve ``meter`` until a signal; ``announce`` gets the port to read, as the clients write it.

    ``listen`` is ``host:port`` or ``port`` (then on loopback); without it, a pseudo-terminal. Raises
    SettingsError when the place cannot be used.
    """
    asyncio.run(_serve(_place(meter, line, link, listen), "socket://" if listen else "", announce))


def _place(
    meter: EmulatedMeter, line: LineSettings | None, link: Path | None, listen: str | None
) -> AbstractAsyncContextManager[str]:
    if listen is None:
        return on_pty(meter, link=link, line=line)
    host, _, port = listen.rpartition(":")
    if not is_digits(port, 5) or int(port) > 65_535:
        shown = printable(listen, 60)
        raise SettingsError([f"--listen {shown} has no port number: give HOST:PORT, or PORT for loopback"])
    return on_tcp(meter, host=host.strip("[]") or LOOPBACK, port=int(port), line=line)


async def _serve(
    place: AbstractAsyncContextManager[str], scheme: str, announce: Callable[[str], None]
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            loop.add_signal_handler(number, stop.set)
    async with place as path:
        announce(scheme + path)
        await stop.wait()
