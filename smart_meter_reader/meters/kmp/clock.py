"""The clock of a KMP meter: read by its registers, and set by SetClock where its owner asks for that by name.

This is the only place that can send a command that writes, and only ``clock --set`` leads here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from smart_meter_reader.codecs.kmp import FrameReader
from smart_meter_reader.codecs.kmp.frame import Ack
from smart_meter_reader.codecs.kmp.loggers import DATE_AND_TIME, LogRow
from smart_meter_reader.codecs.kmp.set_clock import encode_set_clock
from smart_meter_reader.exceptions import FrameError, ValueFormatError
from smart_meter_reader.meters.backfill.stamps import standard_offset
from smart_meter_reader.meters.by_hand import ClockReading
from smart_meter_reader.meters.conversation import unless_unanswered
from smart_meter_reader.meters.kmp.connection import KmpConnection
from smart_meter_reader.meters.kmp.identity import Identity, read_identity
from smart_meter_reader.meters.kmp.settings import KamstrupSettings

# 348, or the date and the clock of meters without it.
CLOCK_REGISTERS: Final = (DATE_AND_TIME, 1003, 1002)
# From the moment that the meter looks at its clock to the end of its answer, at 1200 Bd; and seconds are cut
# off, half a one as a rule.
_ON_THE_WAY: Final = timedelta(seconds=0.2)
_CUT_OFF: Final = timedelta(seconds=0.5)
# Kamstrup 5512-447, 3.1: the meter answers within 1.6 s.
_ACK_WITHIN: Final = 2.0
_FRAME_LENGTH: Final = 16
# 5512-447: a type of 15xx answers through a 67-05 top module, which does not pass SetClock on.
_TOP_MODULE_67_05: Final = "15"


async def read_clock(connection: KmpConnection) -> ClockReading | None:
    """What the clock says, and when that was; None where the meter has none that makes sense.

    Raises TransportError other than silence.
    """
    answered = await unless_unanswered(connection.read_registers(CLOCK_REGISTERS))
    at = datetime.now(UTC) - _ON_THE_WAY - _CUT_OFF
    if not answered:
        return None
    try:
        told = LogRow(0, tuple(answered.values())).time
    except ValueFormatError:
        return None
    return None if told is None else ClockReading(told.standard, at, told.dst_minutes)


class SettingConnection(KmpConnection):
    """A line on which the clock can be set too."""

    async def set_clock(self, zone: tzinfo | None) -> bool:
        """Set it to this computer's time as standard time of the zone; whether the meter acknowledged.

        Sent once: a repeat would set the time of the first attempt. Raises TransportError.
        """
        transport, loop = self._open(), asyncio.get_running_loop()
        await asyncio.sleep(self._quiet_at - loop.time())
        # It counts from when it has arrived, and only full seconds can be said.
        on_the_way = self._line.seconds(_FRAME_LENGTH)
        now = datetime.now(UTC)
        at = (now + timedelta(seconds=1 + on_the_way)).replace(microsecond=0)
        standard = at + standard_offset(zone, at.year)
        frame = encode_set_clock(standard.replace(tzinfo=None), self._address)
        await asyncio.sleep((at - now).total_seconds() - on_the_way)
        transport.discard_input()
        self.counters.requests += 1
        await transport.write(frame)
        acknowledged = await self._await_ack(transport.sent_at + _ACK_WITHIN)
        self._quiet_at = loop.time() + self._timing.late * (not acknowledged)
        return acknowledged

    async def _await_ack(self, until: float) -> bool:
        reader = FrameReader()
        while received := await self._open().read_before(until):
            reader.receive_data(received)
            while True:
                try:
                    found = reader.next_frame()
                except FrameError:
                    continue
                if found is None:
                    break
                if isinstance(found, Ack):
                    return True
        return False


class _MeterClock:
    """A ``by_hand.Clock``."""

    def __init__(self, connection: SettingConnection, identity: Identity) -> None:
        self.who = described(identity)
        self.serial_number = identity.serial_number
        self.unsettable = _unsettable(identity)
        self._connection = connection

    async def read(self) -> ClockReading | None:
        return await read_clock(self._connection)

    async def set(self, zone: tzinfo | None) -> bool:
        return await self._connection.set_clock(zone)


@asynccontextmanager
async def open_clock(settings: KamstrupSettings) -> AsyncIterator[_MeterClock]:
    """See ``by_hand.OpenClock``. Raises TransportError and ProtocolError."""
    async with SettingConnection(
        settings.port, settings.line, address=settings.address, retries=settings.retries
    ) as connection:
        yield _MeterClock(connection, await read_identity(connection))


def described(identity: Identity) -> str:
    """The meter, for a person."""
    number = f", serial number {identity.serial_number}" if identity.serial_number else ""
    return f"Kamstrup {identity.model or 'meter'}{number}"


def _unsettable(identity: Identity) -> str:
    if identity.type_code.startswith(_TOP_MODULE_67_05):
        return "its top module 67-05 does not pass the command on"
    if not identity.serial_number:
        return "it does not tell its serial number, so that nobody can say which meter is meant"
    return ""
