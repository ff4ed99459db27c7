"""One meter on one kind of port that can be taken away and put back, read by the whole service."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import MappingProxyType

from smart_meter_reader import app
from smart_meter_reader.emulators.stream import EmulatedMeter, on_pty, on_tcp
from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.messages import Message
from smart_meter_reader.messages.receipts import SinkReceipts
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.settings.loading import MeterSettings, ServiceSettings, SinkSettings
from smart_meter_reader.sinks.base import Sink
from tests.peers.heard import Heard
from tests.peers.ports import free_port
from tests.peers.ser2net import ser2net
from tests.records import sink_record

METER = "meter"


class Port:
    """Where a meter can be read, and pulled out from under its reader."""

    def __init__(self, kind: str, folder: Path, meter: EmulatedMeter, line: str) -> None:
        self.kind = kind
        self._folder = folder
        self._meter = meter
        self._line = line
        self._link = folder / "port"
        self._number = free_port()
        self._behind = AsyncExitStack()  # the pseudo-terminal behind ser2net, which stays
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        return str(self._link) if self.kind == "device" else f"{self.kind}://127.0.0.1:{self._number}"

    async def plug_in(self) -> None:
        self._stack = AsyncExitStack()
        if self.kind == "device":
            await self._stack.enter_async_context(on_pty(self._meter, link=self._link))
        elif self.kind == "socket":
            await self._stack.enter_async_context(on_tcp(self._meter, port=self._number))
        else:
            if not self._link.exists():
                await self._behind.enter_async_context(on_pty(self._meter, link=self._link))
            server = ser2net(
                str(self._link),
                self._folder,
                accepter="telnet(rfc2217),tcp",
                line=self._line,
                port=self._number,
            )
            await self._stack.enter_async_context(server)

    async def pull_out(self) -> None:
        await self._stack.aclose()

    async def close(self) -> None:
        await self._stack.aclose()
        await self._behind.aclose()


class _CollectingSink(Sink):
    def __init__(self, name: str, settings: Heard) -> None:
        self.name = name
        self._heard = settings

    async def run(self, messages: AsyncIterator[Message]) -> None:
        async for message in messages:
            self._heard.take(message)


class _PastCollectingSink(_CollectingSink):
    """One that has each past for good as soon as it comes."""

    takes_past = True

    def take_receipts(self, receipts: SinkReceipts) -> None:
        self._receipts = receipts

    async def run(self, messages: AsyncIterator[Message]) -> None:
        async for message in messages:
            self._heard.take(message)
            if message["type"] == "past" and "receipt" in message:
                self._receipts.confirm(message["receipt"])


_heard: contextvars.ContextVar[Heard] = contextvars.ContextVar("heard")


class LogToHeard(logging.Handler):
    """Gives each log line to the rig in whose tasks it arose: rigs run side by side."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = _heard.get(None)
        if heard is not None and record.levelno > logging.INFO:
            heard.log.append(record.getMessage())


@asynccontextmanager
async def running_service(
    client: str, settings: object, name: str, *, reads_back: bool = False
) -> AsyncIterator[Heard]:
    """The service with one meter and one sink; at the end it is stopped in order.

    ``reads_back``: a sink that takes a past, so that the meter's loggers are read. The registry of sinks must
    know the sinks of ``COLLECTING``.
    """
    heard = Heard(METER)
    _heard.set(heard)
    driver = "past_collecting" if reads_back else "collecting"
    service = app.Service(
        ServiceSettings(
            environment=name,
            log_level="INFO",
            queue_size=10_000,
            meters=MappingProxyType({METER: MeterSettings(METER, client, settings, GuardSettings())}),
            sinks=MappingProxyType({"all": SinkSettings("all", driver, heard)}),
        )
    )
    task = asyncio.create_task(service.run(), name=f"service {name}")
    try:
        yield heard
    finally:
        # The newest counters, also where no state has changed since the trouble.
        for meter in service.meters:
            await meter.publish_health()
        service.stop()
        await task


COLLECTING_DRIVER = sink_record(f"{__name__}:_CollectingSink", "builtins:object")
PAST_COLLECTING_DRIVER = sink_record(f"{__name__}:_PastCollectingSink", "builtins:object")
COLLECTING: Mapping[str, str] = {
    "collecting": f"{__name__}:COLLECTING_DRIVER",
    "past_collecting": f"{__name__}:PAST_COLLECTING_DRIVER",
}


Shown = tuple[str, str, str]


def shown(measurements: Mapping[str, Measurement]) -> set[Shown]:
    """Keys with values and units, to be compared."""
    return {(key, str(each["value"]), each["unit"]) for key, each in measurements.items()}
