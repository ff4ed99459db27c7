"""The client `iec62056_21`: reads MULTICAL 66C, III and 401, the 382 and other IEC 62056-21 meters."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from smart_meter_reader.codecs.iec62056_21.capture import Readout, measured_in
from smart_meter_reader.codecs.iec62056_21.codes import without_unit
from smart_meter_reader.codecs.iec62056_21.frame import FrameReader
from smart_meter_reader.codecs.iec62056_21.scaling import Scaling
from smart_meter_reader.codecs.signed_power import SignedPowers
from smart_meter_reader.exceptions import (
    ExplainedError,
    LostError,
    MeterSilentError,
    ProtocolError,
    TransportError,
)
from smart_meter_reader.messages import Publish
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.meters.base import count_in
from smart_meter_reader.meters.iec62056_21.identity import (
    MODELS,
    KnownMeter,
    find_out,
    momentary_readout,
    requests_for,
    unscaled,
)
from smart_meter_reader.meters.iec62056_21.line import MeterLine
from smart_meter_reader.meters.iec62056_21.log.line import LoggerLine
from smart_meter_reader.meters.iec62056_21.log.read_back import ReadBack
from smart_meter_reader.meters.iec62056_21.opening import line_of
from smart_meter_reader.meters.iec62056_21.reading import (
    Confirmed,
    confirmed_answer,
    confirmed_readout,
    holds_a_measured_value,
)
from smart_meter_reader.meters.iec62056_21.settings import (
    DAILY,
    LANDIS_GYR,
    MOMENTARY,
    READOUT,
    Iec62056_21Settings,
)
from smart_meter_reader.meters.info_codes import CODES
from smart_meter_reader.meters.poll_plan import Group
from smart_meter_reader.meters.polling import NO_DISTANCE, PolledClient
from smart_meter_reader.network import stalls
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.settings.durations import format_duration
from smart_meter_reader.settings.schedule import Schedule

_log = logging.getLogger(__name__)

# A readout wakes all of a Landis+Gyr meter.
_DAILY_DISTANCE = timedelta(hours=1)
_MISSES = 3  # readings in a row without an answer to a request, until it is asked no more


class Iec62056_21Client(PolledClient[Iec62056_21Settings]):  # noqa: N801 - 62056-21 is one number
    """Polls one meter at its times; with mode push, listens to one that sends by itself."""

    memory_moves = True

    def __init__(self, meter: str, settings: Iec62056_21Settings) -> None:
        super().__init__(meter, settings, [Group((), settings.interval)])
        self._model: str = settings.model  # as set, or as found
        self._tells_program = True
        self._read_back = ReadBack(meter, settings, self.health)
        self._told: set[str] = set()  # every quantity that the meter ever told
        self._signs = SignedPowers()

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        if not once and self._wears_battery:
            self._warn_of_battery()
        self._times.prove_soon()
        self._info_codes.begin()
        async with line_of(self._settings, self._counters) as line:
            if self._settings.mode == "push":
                await self._listen(line, publish, once=once)
            else:
                await self._serve(line, publish, once=once)

    def _follow(self, schedule: Schedule) -> None:
        """Read at the times that suit the meter that was found, where the settings leave that open."""
        if schedule == self._schedule:
            return
        self._schedule = schedule
        self._times.follow([Group((), schedule)])
        _log.info(
            "%s: it is read every %s, as suits this meter", self.meter, format_duration(schedule.period)
        )

    @property
    def _wears_battery(self) -> bool:
        settings = self._settings
        return settings.mode != "push" and not settings.mains_powered and self._model != "382"

    @property
    def _gentle_distance(self) -> timedelta:
        if not self._wears_battery:
            return NO_DISTANCE
        return _DAILY_DISTANCE if self._model in LANDIS_GYR else super()._gentle_distance

    def _warn_of_daily_battery(self) -> None:
        period = self._times.shortest_period
        if period < DAILY.period:
            self._warn_once(
                f"a reading every {format_duration(period)} empties this meter's battery before its time: "
                'choose interval = "1d", or set mains_powered = true'
            )

    # --- what the meter remembers ---

    @property
    def memory(self) -> Mapping[str, Any]:
        """What of the meter's own memory was read, and what is still to be."""
        return self._read_back.memory

    def recall(self, memory: Mapping[str, Any]) -> None:
        self._read_back.recall(memory)

    def take_receipts(self, receipts: Receipts) -> None:
        self._read_back.receipts = receipts

    def take_keeper(self, keep: Callable[[], Awaitable[None]]) -> None:
        self._read_back.keep = keep

    @property
    def filling(self) -> str:
        return self._read_back.filling

    # --- a meter that is asked ---

    async def _serve(self, line: LoggerLine, publish: Publish, *, once: bool) -> None:
        """Poll over one open line until it ends."""
        known: KnownMeter | None = None
        while True:
            await self._times.wait_until_due(line.listen_idle)
            async with self._in_time():
                # A doubted reading may be another meter's, put in the place of the one that was.
                if known is None or self._times.doubted:
                    known = await self._identify(line, publish)
                await self._poll(line, known, publish)
            if once:
                return
            await self._read_back.follow(line, known, publish, self._times)
            self._count_line()

    async def _identify(self, line: MeterLine, publish: Publish) -> KnownMeter:
        """Find out and publish who the meter is. A meter that is not the expected one is not read."""
        asks = self._tells_program or self._times.doubted
        known = await find_out(line, self._settings, tells_program=asks)
        self._model, self._tells_program = known.model, known.tells_program
        self._expect(known.number, "number")
        self._tell_unknown_scales(known)
        self._follow(self._settings.schedule_of(known.model))
        if known.model in LANDIS_GYR and self._wears_battery:
            self._warn_of_daily_battery()
        await publish(known.introduced(self._new_info()))
        return known

    async def _poll(self, line: MeterLine, known: KnownMeter, publish: Publish) -> None:
        """One reading: every request's confirmed answer, later ones leaving earlier values as they are."""
        measurements: dict[str, Measurement] = {}
        for request in requests_for(known, self._settings):
            if measurements and known.unanswered[request] >= _MISSES:
                continue  # an outage ends the connection, and with it what is known
            try:
                confirmed = await self._ask(line, known, request)
            except (TransportError, ProtocolError) as error:
                # What a readout with its check character has told is not lost for a short request.
                if not measurements or isinstance(error, LostError):
                    raise
                self._note_missing(known, request, error)
                continue
            known.unanswered[request] = 0
            measurements = self._measurements(confirmed, known.scaling) | measurements
        known.readout = None
        self._times.mark_read(datetime.now(UTC))
        await self._publish(measurements, publish)

    def _note_missing(self, known: KnownMeter, request: str, error: ExplainedError) -> None:
        if not isinstance(error, MeterSilentError):
            self._warn_once(f"the values of {request} are missing: {error.detail}")
            return
        known.unanswered[request] += 1
        others = [f'"{other}"' for other in requests_for(known, self._settings) if other != request]
        self._warn_once(
            f"the meter leaves {request} without an answer, though it answers otherwise, so that its values "
            f"are missing: if it never does, set requests = [{', '.join(others)}]"
        )

    async def _ask(self, line: MeterLine, known: KnownMeter, request: str) -> Confirmed:
        if request == MOMENTARY:
            confirmed = known.readout or await momentary_readout(line, known)
            if known.momentary_misses:
                self._warn_once("the meter does not answer /#!: power, flow and temperatures are missing")
            return confirmed
        if request != READOUT:
            return await confirmed_answer(line, request)
        return known.readout or await confirmed_readout(line, line.read_out)

    async def _publish(self, measurements: dict[str, Measurement], publish: Publish) -> None:
        wanted = self._settings.registers
        if not holds_a_measured_value(measurements, wanted):
            raise ProtocolError(
                "registers_unknown",
                f"{self._settings.port}: the meter answers, but tells no measured value that is wanted and "
                "known: correct `registers` or `requests`; `decode iec62056_21` shows what a recording holds",
            )
        model = MODELS[self._model].name if self._model in MODELS else ""
        explained = self._explained(measurements, model, wanted)
        await self._publish_reading(explained, publish)
        untold = [key for key in wanted if key not in self._told]
        if untold:
            self._warn_once(
                f"the meter does not tell {', '.join(untold)}, though `registers` names it: remove it, or "
                "ask for it by `requests`"
            )

    def _measurements(self, confirmed: Confirmed, scaling: Scaling) -> dict[str, Measurement]:
        """What is wanted and what the meter reports; what two answers disagree on is left out and counted."""
        measured = measured_in(confirmed.answer, scaling)
        doubtful = confirmed.doubtful_quantities() & measured.keys()
        sure = {key: item for key, item in measured.items() if key not in doubtful}
        if isinstance(confirmed.answer, Readout):
            self._leave_out("contradictory", self._signs.split(confirmed.answer.announced, sure))
        self._told |= measured.keys() | sure.keys()
        self._tell_missing_units(confirmed)
        wanted = self._settings.registers
        differing = [key for key in doubtful if not wanted or key in wanted]
        self._leave_out("answers differ too much in", differing)
        return {key: item for key, item in sure.items() if not wanted or key in wanted or key in CODES}

    def _leave_out(self, why: str, values: Collection[str]) -> None:
        if values:
            count_in(self.health, "rejected_values", len(values))
            _log.info("%s: %s %s", self.meter, why, ", ".join(sorted(values)))

    def _tell_missing_units(self, confirmed: Confirmed) -> None:
        if isinstance(confirmed.answer, Readout):
            missing = without_unit(confirmed.answer.sets, confirmed.answer.assumed)
            if missing:
                self._warn_once(
                    f"the meter sends no unit with {', '.join(missing)}, which are left out: compare with "
                    "its display and set electricity_power_unit"
                )

    # --- a meter that sends by itself (mode D) ---

    async def _listen(self, line: MeterLine, publish: Publish, *, once: bool) -> None:
        """Publish what comes, at the times of the schedule; what comes between them is read and dropped."""
        introduced = False
        while True:
            await self._times.wait_until_due(line.listen_idle)
            confirmed = await self._next_sent(line)
            known = KnownMeter("generic", self._settings.scaling)
            known.learn(confirmed.answer)
            if not introduced or self._times.doubted:
                self._expect(known.number, "number")
                await publish(known.introduced(self._new_info()))
                introduced = True
            self._times.mark_read(datetime.now(UTC))
            await self._publish(self._measurements(confirmed, known.scaling), publish)
            if once:
                return

    async def _next_sent(self, line: MeterLine) -> Confirmed:
        """The next readout that the meter sends, confirmed by the one after it where it has no checksum."""
        reader = FrameReader()  # a new one, since what came meanwhile was dropped somewhere inside a readout
        limit = self._settings.poll_timeout
        try:
            async with stalls.timeout(limit.total_seconds()):
                return await confirmed_readout(line, lambda: line.listen(reader))
        except TimeoutError:
            raise MeterSilentError(
                "no_answer",
                f"{self._settings.port}: the meter sent no whole readout within {format_duration(limit)}: "
                "check that it sends by itself, the head's place, and `baud`",
            ) from None
        finally:
            self._count_line()

    # --- what is told besides readings ---

    def _tell_unknown_scales(self, known: KnownMeter) -> None:
        """Say which settings are missing, where a short answer is wanted and nothing tells its scale."""
        missing = unscaled(known, self._settings)
        if missing:
            names = ", ".join(f"{name}_decimals" for name in missing)
            self._warn_once(
                f"the meter does not tell the decimals of {', '.join(missing)}, which are left out: compare "
                f"with its display and set {names}"
            )
