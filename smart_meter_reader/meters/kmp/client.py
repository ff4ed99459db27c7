"""The client `kamstrup`: reads a KMP meter at its times and publishes who it is and what it answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from smart_meter_reader.codecs.info_codes import BITS, family_of
from smart_meter_reader.codecs.kmp.meters import MANUFACTURER
from smart_meter_reader.codecs.kmp.registers import register_of, resolve_register
from smart_meter_reader.exceptions import ProtocolError, TransportError, WrongMeterError
from smart_meter_reader.messages import Info, Publish
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.meters.backfill.plan import Planner
from smart_meter_reader.meters.backfill.session import Backfill
from smart_meter_reader.meters.base import InfoText, tell_texts
from smart_meter_reader.meters.info_codes import CODES, JUDGED
from smart_meter_reader.meters.kmp.absences import Absences
from smart_meter_reader.meters.kmp.connection import KmpConnection, Timing
from smart_meter_reader.meters.kmp.identity import Identity, read_identity
from smart_meter_reader.meters.kmp.loggers.source import KmpLogs
from smart_meter_reader.meters.kmp.reading import read_measurements
from smart_meter_reader.meters.kmp.settings import (
    DEFAULT_REGISTERS,
    ELECTRICITY_REGISTERS,
    OPTIONAL_REGISTERS,
    KamstrupSettings,
)
from smart_meter_reader.meters.poll_plan import Group
from smart_meter_reader.meters.polling import NO_DISTANCE, PolledClient
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.text import bounded_number

_log = logging.getLogger(__name__)

_TIMING = Timing()
# The optical circuit of the meter is awake for a while after a request; later the next request wakes it.
_STAYS_AWAKE = timedelta(seconds=30)
# A connection that lived for less has a reason to be told; an older one was closed for being idle.
_IDLE_LIFE = 60.0
_REOPEN_PAUSE = 1.0


_ELECTRICITY = tuple(resolve_register(quantity).id for quantity in ELECTRICITY_REGISTERS)
_OPTIONAL = frozenset(resolve_register(quantity).id for quantity in OPTIONAL_REGISTERS)
_INFO_EVENTS = "info_event_count"
_INFO_BITS = resolve_register("info_bits").id
_INFO_CODE = resolve_register("info_code").id
_INFO_CODES = frozenset(resolve_register(quantity).id for quantity in CODES)


class _IdleLossError(Exception):
    """The port went while nothing was asked."""

    def __init__(self, loss: TransportError) -> None:
        super().__init__(str(loss))
        self.loss = loss


class KamstrupClient(PolledClient[KamstrupSettings]):
    """Polls one meter at its times, in as few frames as possible; what the meter lacks is left alone."""

    memory_moves = True

    def __init__(self, meter: str, settings: KamstrupSettings) -> None:
        super().__init__(meter, settings, settings.plan)
        self._absences = Absences()
        self._beside = _asked_beside(settings.plan)
        self._last_poll: datetime | None = None
        self._tells_type = True
        self._model = ""
        self._is_electricity = False  # a 382, as its answers have shown
        self._serial_number = ""
        self._info_events: int | None = None  # as the last reading that told had them
        patience = settings.answer_timeout.total_seconds()
        self._logs = KmpLogs(settings.line_cost, settings.log_registers, settings.zone, patience)
        planner = Planner(self._logs.cost, daily=settings.daily_budget, every_hour=settings.every_hour)
        self._backfill = Backfill(meter, planner, self.health, self._logs.zone)

    @property
    def memory(self) -> Mapping[str, Any]:
        """What is known of the meter's loggers, and what of them is still to be read."""
        return self._backfill.memory

    def recall(self, memory: Mapping[str, Any]) -> None:
        self._backfill.recall(memory)

    def take_receipts(self, receipts: Receipts) -> None:
        self._backfill.receipts = receipts

    def take_keeper(self, keep: Callable[[], Awaitable[None]]) -> None:
        self._backfill.keep = keep

    @property
    def filling(self) -> str:
        return self._backfill.filling

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        if not once and not self._settings.mains_powered:
            self._warn_of_battery()
        self._times.prove_soon()
        self._info_codes.begin()
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

    @property
    def _gentle_distance(self) -> timedelta:
        on_mains = self._settings.mains_powered or self._is_electricity
        return NO_DISTANCE if on_mains else super()._gentle_distance

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
        self._absences.forget_pauses(but=self._optional)
        identified = False
        while True:
            await self._times.wait_until_due(lambda: _listen_idle(connection))
            async with self._in_time():
                # A doubted reading may be another meter's, put in the place of the one that was.
                if not identified or self._times.doubted:
                    await self._identify(connection, publish)
                    identified = True
                await self._poll(connection, publish)
            if once:
                return
            await self._read_loggers(connection, publish)

    async def _read_loggers(self, connection: KmpConnection, publish: Publish) -> None:
        """In the wake-up of a live reading, and until the next one: what its loggers have."""
        if not self._settings.logger or self._is_electricity:
            return
        self._backfill.note_reading(datetime.now(UTC), self._times.shortest_period, self._info_events)
        identity = Identity(model=self._model, serial_number=self._serial_number)
        source = self._logs.over(connection, identity)
        try:
            await self._backfill.run(source, self._serial_number, publish, self._times.seconds_left)
        except WrongMeterError as other:
            _log.info("%s: %s", self.meter, other.detail)
            self._times.read_now()
        self._count_line()

    async def _identify(self, connection: KmpConnection, publish: Publish) -> None:
        """Ask and publish who the meter is. A meter that is not the expected one is not read."""
        self._note_wake_up(datetime.now(UTC))
        identity = await read_identity(connection, ask_type=self._tells_type)
        # Not asked for again at every reconnection: the meter just showed that it answers, but not that.
        self._tells_type = bool(identity.model)
        self._expect(identity.serial_number, "serial number")
        if identity.serial_number != self._serial_number:
            self._info_events = None
        self._serial_number = identity.serial_number
        await publish(self._info(identity))

    async def _poll(self, connection: KmpConnection, publish: Publish) -> None:
        """One reading of all groups that are due."""
        now = datetime.now(UTC)
        self._note_wake_up(now)
        due = self._times.registers_due(now)
        wanted = self._absences.present(list(_ELECTRICITY) if self._is_electricity else due, now)
        if any(map(_is_judged, wanted)):
            wanted += self._absences.present(self._beside, now)
        wanted = [register for register in wanted if register not in self._lacking]
        doubtful = {each for each in self._optional if not self._absences.has_answered(each)}
        # A second time when nothing came: that can be a meter without any of these, or one in trouble.
        answered = await connection.read_registers(
            wanted, doubtful=doubtful
        ) or await connection.read_registers(wanted, doubtful=doubtful)
        if not answered and self._has_default_registers:
            wanted = list(_ELECTRICITY)
            answered = await connection.read_registers(wanted)
            self._is_electricity = bool(answered)
        self._times.mark_read(now)
        self._note_absent(wanted, answered, now)
        measurements, left_out = read_measurements(wanted, answered)
        self._reject(left_out)
        self._note_events(measurements)
        if measurements:
            await self._publish_reading(self._explained(measurements, self._model), publish)

    def _note_events(self, measurements: Mapping[str, Measurement]) -> None:
        """Of a meter whose count of info events is another one, the info logger is read."""
        if _INFO_EVENTS in measurements:
            count = bounded_number(measurements[_INFO_EVENTS]["value"])
            self._info_events = None if count is None or not 0 <= count < 2**32 else int(count)

    def _period_of(self, register: int) -> timedelta:
        nobodys = self._is_electricity or register in self._beside
        return self._times.shortest_period if nobodys else self._times.period_of(register)

    @property
    def _has_default_registers(self) -> bool:
        return self._settings.registers == DEFAULT_REGISTERS and not self._settings.groups

    @property
    def _optional(self) -> frozenset[int]:
        """What nobody asked for by name: it is read where it is there, and its lack is no news."""
        return _OPTIONAL if self._has_default_registers else frozenset(self._beside)

    @property
    def _lacking(self) -> frozenset[int]:
        """What a meter of this model has not, so that nobody has to ask."""
        family = family_of(self._model)
        without = _INFO_BITS in self._optional and family is not None and family is not BITS
        return frozenset({_INFO_BITS}) if without else frozenset()

    def _note_absent(self, wanted: Sequence[int], answered: Mapping[int, object], now: datetime) -> None:
        if wanted and not answered and not self.health.get("valid_readings"):
            raise ProtocolError(
                "registers_unknown",
                f"{self._settings.port}: the meter answers, but has none of the registers asked for: correct "
                "`registers`; `smart-meter-reader registers` lists them by model",
            )
        news = self._absences.note(wanted, answered, now, self._period_of)
        if news := [register for register in news if register not in self._optional]:
            names = ", ".join(f"{register_of(register).quantity} ({register})" for register in news)
            self._warn_once(f"the meter does not have {names}; it is asked again now and then")

    def _note_wake_up(self, now: datetime) -> None:
        if self._last_poll is None or now - self._last_poll > _STAYS_AWAKE:
            self._counters.wake_ups += 1
        self._last_poll = now

    def _info(self, identity: Identity) -> Info:
        info = self._new_info()
        self._model = self._settings.model or identity.model or self._model
        told: dict[InfoText, str] = {
            "manufacturer": MANUFACTURER,
            "model": self._model,
            "firmware": identity.firmware,
            "type_code": identity.type_code,
            "serial_number": identity.serial_number,
        }
        tell_texts(info, told)
        return info


def _is_judged(register: int) -> bool:
    return register_of(register).quantity in JUDGED


def _asked_beside(plan: Sequence[Group]) -> tuple[int, ...]:
    """What no setting names and is read all the same: whether temperatures, flow and power were measured."""
    registers = {register for group in plan for register in group.registers}
    unjudged = any(map(_is_judged, registers)) and registers.isdisjoint(_INFO_CODES)
    return (_INFO_CODE, _INFO_BITS) if unjudged else ()


async def _listen_idle(connection: KmpConnection) -> None:
    try:
        await connection.listen_idle()
    except TransportError as error:
        raise _IdleLossError(error) from error
