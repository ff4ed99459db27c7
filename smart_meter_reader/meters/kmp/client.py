"""The client `kamstrup`: reads a KMP meter at its times and publishes who it is and what it answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from smart_meter_reader.codecs.kmp import RegisterValue
from smart_meter_reader.codecs.kmp.meters import MANUFACTURER
from smart_meter_reader.codecs.kmp.registers import register_of, resolve_register
from smart_meter_reader.exceptions import ProtocolError, TransportError, ValueFormatError
from smart_meter_reader.messages import Info, Publish
from smart_meter_reader.meters.kmp.absences import Absences
from smart_meter_reader.meters.kmp.connection import KmpConnection, Timing
from smart_meter_reader.meters.kmp.identity import Identity, read_identity
from smart_meter_reader.meters.kmp.settings import (
    DEFAULT_REGISTERS,
    ELECTRICITY_REGISTERS,
    KamstrupSettings,
)
from smart_meter_reader.meters.polling import PolledClient
from smart_meter_reader.quantities.measurement import Measurement, Value
from smart_meter_reader.text import LONGEST_NUMBER, is_bounded

_log = logging.getLogger(__name__)

_TIMING = Timing()
# The optical circuit of the meter is awake for a while after a request; later the next request wakes it.
_STAYS_AWAKE = timedelta(seconds=30)
# A connection that lived for less has a reason to be told; an older one was closed for being idle.
_IDLE_LIFE = 60.0
_REOPEN_PAUSE = 1.0


_ELECTRICITY = tuple(resolve_register(quantity).id for quantity in ELECTRICITY_REGISTERS)


class _IdleLossError(Exception):
    """The port went while nothing was asked."""

    def __init__(self, loss: TransportError) -> None:
        super().__init__(str(loss))
        self.loss = loss


class KamstrupClient(PolledClient[KamstrupSettings]):
    """Polls one meter at its times, in as few frames as possible; what the meter lacks is left alone."""

    def __init__(self, meter: str, settings: KamstrupSettings) -> None:
        super().__init__(meter, settings, settings.plan)
        self._absences = Absences()
        self._last_poll: datetime | None = None
        self._tells_type = True
        self._is_electricity = False  # a 382, as its answers have shown

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        if not once and not self._settings.mains_powered:
            self._warn_of_battery()
        self._times.prove_soon()
        loop = asyncio.get_running_loop()
        while True:
            opened = loop.time()
            try:
                async with self._connection() as connection:
                    await self._serve(connection, publish, once=once)
                    return
            except _IdleLossError as idle:
                # A serial server may close a connection on which nothing happens for an hour. If it opens
                # again, nobody needs to know; if not, opening raises what there is to say.
                if loop.time() - opened < _IDLE_LIFE:
                    raise idle.loss from None
                _log.info("%s: %s", self.meter, idle.loss.detail)
                await asyncio.sleep(_REOPEN_PAUSE)

    def _connection(self) -> KmpConnection:
        settings = self._settings
        patience = settings.answer_timeout.total_seconds()
        return KmpConnection(
            settings.port,
            settings.line,
            address=settings.address,
            timing=Timing(
                first_answer=patience,
                answer=max(patience, _TIMING.answer),
                slow_answer=max(patience, _TIMING.slow_answer),
            ),
            retries=settings.retries,
            counters=self._counters,
        )

    async def _serve(self, connection: KmpConnection, publish: Publish, *, once: bool) -> None:
        """Poll over one open connection until it ends."""
        self._absences.forget_pauses()
        identified = False
        while True:
            await self._times.wait_until_due(lambda: _listen_idle(connection))
            async with self._in_time():
                # A doubted reading may be another meter's, put in the place of the one that was.
                if not identified or self._times.asked_now:
                    await self._identify(connection, publish)
                    identified = True
                await self._poll(connection, publish)
            if once:
                return

    async def _identify(self, connection: KmpConnection, publish: Publish) -> None:
        """Ask and publish who the meter is. A meter that is not the expected one is not read."""
        self._note_wake_up(datetime.now(UTC))
        identity = await read_identity(connection, ask_type=self._tells_type)
        # Not asked for again at every reconnection: the meter just showed that it answers, but not that.
        self._tells_type = bool(identity.model)
        self._expect(identity.serial_number, "serial number")
        await publish(self._info(identity))

    async def _poll(self, connection: KmpConnection, publish: Publish) -> None:
        """One reading of all groups that are due."""
        now = datetime.now(UTC)
        self._note_wake_up(now)
        due = self._times.registers_due(now)
        wanted = self._absences.present(list(_ELECTRICITY) if self._is_electricity else due, now)
        # A second time when nothing came: that can be a meter without any of these, or one in trouble.
        answered = await connection.read_registers(wanted) or await connection.read_registers(wanted)
        if not answered and self._has_default_registers:
            wanted = list(_ELECTRICITY)
            answered = await connection.read_registers(wanted)
            self._is_electricity = bool(answered)
        self._times.mark_read(now)
        self._note_absent(wanted, answered, now)
        measurements = self._measurements(wanted, answered)
        if measurements:
            await self._publish_reading(measurements, publish)

    def _period_of(self, register: int) -> timedelta:
        return self._times.shortest_period if self._is_electricity else self._times.period_of(register)

    @property
    def _has_default_registers(self) -> bool:
        return self._settings.registers == DEFAULT_REGISTERS and not self._settings.groups

    def _measurements(
        self, wanted: Sequence[int], answered: Mapping[int, RegisterValue]
    ) -> dict[str, Measurement]:
        """The values by quantity, in the order of the settings. A date that is not set is absent."""
        measurements: dict[str, Measurement] = {}
        for register in wanted:
            if register not in answered:
                continue
            try:
                value = _published(answered[register].value)
            except ValueFormatError as error:
                self.health["rejected_values"] = self.health.get("rejected_values", 0) + 1
                self._warn_once(
                    f"{register_of(register).quantity} (register {register}) is left out: {error}"
                )
                continue
            if value is not None:
                quantity = register_of(register).quantity
                measurements[quantity] = {"value": value, "unit": answered[register].unit}
        return measurements

    def _note_absent(self, wanted: Sequence[int], answered: Mapping[int, object], now: datetime) -> None:
        if wanted and not answered and not self.health.get("valid_readings"):
            raise ProtocolError(
                "registers_unknown",
                f"{self._settings.port}: the meter answers, but has none of the registers asked for: correct "
                "`registers`; `smart-meter-reader registers` lists them by model",
            )
        news = self._absences.note(wanted, answered, now, self._period_of)
        if news:
            names = ", ".join(f"{register_of(register).quantity} ({register})" for register in news)
            self._warn_once(f"the meter does not have {names}; it is asked again now and then")

    def _note_wake_up(self, now: datetime) -> None:
        if self._last_poll is None or now - self._last_poll > _STAYS_AWAKE:
            self._counters.wake_ups += 1
        self._last_poll = now

    def _info(self, identity: Identity) -> Info:
        info = self._new_info()
        info["manufacturer"] = MANUFACTURER
        if model := self._settings.model or identity.model:
            info["model"] = model
        if identity.firmware:
            info["firmware"] = identity.firmware
        if identity.serial_number:
            info["serial_number"] = identity.serial_number
        return info


def _published(value: Value | None) -> Value | None:
    """The value, unless its digits are more than a reader of JSON need take. Raises ValueFormatError."""
    if isinstance(value, Decimal) and not is_bounded(value):
        raise ValueFormatError(f"{value} has more than {LONGEST_NUMBER} digits: no meter counts so far")
    return value


async def _listen_idle(connection: KmpConnection) -> None:
    try:
        await connection.listen_idle()
    except TransportError as error:
        raise _IdleLossError(error) from error
