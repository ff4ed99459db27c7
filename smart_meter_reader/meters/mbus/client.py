"""The client `mbus`: reads one meter on a bus at its times, in turns with the others there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from smart_meter_reader.codecs.mbus.measured import measured_in
from smart_meter_reader.codecs.mbus.telegram import MbusTelegram
from smart_meter_reader.exceptions import ProtocolError, WrongMeterError
from smart_meter_reader.messages import Publish
from smart_meter_reader.meters.base import InfoText, tell_texts
from smart_meter_reader.meters.lines import SharedLine, shared_line
from smart_meter_reader.meters.mbus.identity import MbusIdentity, identity_of
from smart_meter_reader.meters.mbus.line import MbusLine
from smart_meter_reader.meters.mbus.settings import MbusSettings
from smart_meter_reader.meters.poll_plan import Group
from smart_meter_reader.meters.polling import NO_DISTANCE, PolledClient
from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.measurement import Measurement

_MOST_NAMED = 8
_SAYS_NOTHING = (Kind.CODE, Kind.TEXT)  # of what flows


class MbusClient(PolledClient[MbusSettings]):
    """Polls one meter. Whoever else is on the same bus has his turn in between."""

    def __init__(self, meter: str, settings: MbusSettings) -> None:
        super().__init__(meter, settings, [Group((), settings.interval)])
        self._before: MbusTelegram | None = None
        self._known: MbusIdentity | None = None
        self._told: set[str] = set()  # every quantity that the meter ever told

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        if not once and self._settings.through_head and not self._settings.mains_powered:
            self._warn_of_battery()
        self._times.prove_soon()
        self._info_codes.begin()
        self._known = None
        async with shared_line(self._settings.port, self._settings.line) as line:
            while True:
                await self._times.wait_until_due(_rest)
                await self._take_turn(line, publish)
                if once:
                    return

    @property
    def _gentle_distance(self) -> timedelta:
        has_battery = self._settings.through_head and not self._settings.mains_powered
        return super()._gentle_distance if has_battery else NO_DISTANCE

    async def _take_turn(self, line: SharedLine, publish: Publish) -> None:
        """One reading. Waiting for the other meters on the bus is not part of what has a limit."""
        if line.is_taken:
            self._counters.doing = "waiting for its turn on the bus"
        async with line.turn() as transport, self._in_time():
            meter = MbusLine(
                transport,
                self._settings.timing,
                retries=self._settings.retries,
                through_head=self._settings.through_head,
                counters=self._counters,
            )
            telegram = await meter.read_out(self._settings.whom, self._before)
        self._before = telegram
        await self._introduce(identity_of(telegram), publish)
        await self._publish(telegram, publish)

    async def _introduce(self, identity: MbusIdentity, publish: Publish) -> None:
        """Say who the meter is, when that is new or doubted. Another one than expected is not read."""
        if identity == self._known and not self._times.doubted:
            return
        self._check(identity)
        self._known = identity
        info = self._new_info()
        told: dict[InfoText, str] = {
            "manufacturer": identity.manufacturer,
            "model": identity.model,
            "serial_number": identity.serial_number,
            "firmware": identity.firmware,
        }
        tell_texts(info, told)
        await publish(info)

    def _check(self, identity: MbusIdentity) -> None:
        """Raise WrongMeterError when none of its numbers is the expected one."""
        failure: WrongMeterError | None = None
        for number in identity.numbers or ("",):
            try:
                self._expect(number, "number")
                return
            except WrongMeterError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    async def _publish(self, telegram: MbusTelegram, publish: Publish) -> None:
        self._times.mark_read(datetime.now(UTC))
        measured = measured_in(telegram)
        self._told |= measured.keys()
        wanted = self._settings.registers
        measurements = {key: each for key, each in measured.items() if not wanted or key in wanted}
        self._note_missing(telegram)
        self._tell_states(telegram.header.states)
        if not self._holds_a_measured_value(measurements):
            raise ProtocolError(
                "registers_unknown",
                f"{self._settings.port}: the meter answers, but tells no measured value that is wanted and "
                "known: correct `registers`; `decode mbus` shows what a recording holds",
            )
        explained = self._explained(measured, telegram.header.model, wanted)
        await self._publish_reading(explained, publish)
        untold = [key for key in wanted if key not in self._told]
        if untold:
            self._warn_once(f"the meter does not tell {', '.join(untold)}, though `registers` names it")

    def _holds_a_measured_value(self, measurements: dict[str, Measurement]) -> bool:
        wanted = self._settings.registers
        return any(key in wanted or QUANTITIES[key].kind not in _SAYS_NOTHING for key in measurements)

    def _note_missing(self, telegram: MbusTelegram) -> None:
        """Values of now that the meter marks as not available: counted, and told once."""
        missing = [each for each in telegram.records if each.value is None and each.storage == 0]
        gone = [f"{each.quantity} ({each.missing})" for each in missing if each.function == "instantaneous"]
        if gone:
            more = f" and {len(gone) - _MOST_NAMED} more" if len(gone) > _MOST_NAMED else ""
            self._reject([f"the meter tells no value for {', '.join(gone[:_MOST_NAMED])}{more}"])

    def _tell_states(self, states: Sequence[str]) -> None:
        if states:
            self._warn_once(
                f"the meter reports {', '.join(states)}: look at its display, or ask whoever owns it"
            )


async def _rest() -> None:
    """Between readings nothing comes: a meter never speaks first, and what others ask is not for us."""
    await asyncio.Event().wait()
