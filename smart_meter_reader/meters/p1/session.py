"""One open connection to a P1 port: reads, finds out the line's speed, publishes, gives up a dead line."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from smart_meter_reader.codecs.p1.agreement import Agreement, Judged
from smart_meter_reader.codecs.p1.devices import SubMeter
from smart_meter_reader.codecs.p1.garbage import EXPLANATIONS, OTHER_FRAMES, recognise
from smart_meter_reader.codecs.p1.obis import CodeTableError
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.exceptions import DecryptionError, FrameError
from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.meters.base import count_reading
from smart_meter_reader.meters.closed_frames import closed_alert
from smart_meter_reader.meters.p1.lasting import Lasting
from smart_meter_reader.meters.p1.messages import Messages
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.meters.p1.watch import P1Watch
from smart_meter_reader.meters.turns import current_turns
from smart_meter_reader.network import stalls
from smart_meter_reader.transport import Transport

_log = logging.getLogger(__name__)

# A line that brings bytes and no telegram for so long is set to the other speed; DSMR 2.2 sends every 10 s.
LINE_TRIAL = 12.0
# One summary of damaged telegrams in this time, however short the interval.
_SUMMARY = 60.0
_LONGEST_CODE = 20  # 255-255:255.255.255


class Session:
    """Listens on ``transport`` and counts into ``health``; with ``once`` until something was published."""

    def __init__(
        self,
        meter: str,
        settings: DsmrSettings,
        transport: Transport,
        publish: Publish,
        health: Health,
        lasting: Lasting,
        *,
        once: bool = False,
    ) -> None:
        self._meter = meter
        self._settings = settings
        self._transport = transport
        self._publish = publish
        self._health = health
        self._lasting = lasting
        self._loop = asyncio.get_running_loop()
        self._turns = current_turns()
        now = self._loop.time()
        timeout = None if settings.timeout is None else settings.timeout.total_seconds()
        self._watch = P1Watch(settings.port, now, timeout, lasting.meter_interval, for_one=once)
        self._once = once
        self._reader = self._new_reader()
        self._interval = settings.interval.total_seconds()
        self._agreement = Agreement()
        self._messages = Messages(meter, settings.transformer_ratio, lasting.in_use)
        self._due = now
        self._trial_ends = now + LINE_TRIAL
        self._trial_received = 0
        self._failures = 0
        self._alert = ""

    @property
    def doing(self) -> str:
        """What it is at, for a person who waits."""
        speed = "" if self._settings.port.startswith("socket://") else f" at {self._transport.line}"
        return f"waiting for a telegram{speed}; {self._watch.tally}"

    async def listen(self) -> None:
        """Read until the line is dead.

        Raises NoTelegramError: silence, damage only, or what the garbage on the line is.
        """
        while True:
            look = min(self._watch.deadline, self._next_look())
            received = await self._transport.read_before(look)
            now = self._loop.time()
            if received:
                now = await self._receive(received)
                if await self._take(now) and self._once:
                    return
            else:
                self._judge_silence(now, stalled=now - look > stalls.LATE_SECONDS)
            self._sum_up(now)
            if not self._watch.proven:
                await self._look_at_line(now, heard_all=not received)

    async def _receive(self, received: bytes) -> float:
        """Take bytes in when it is this line's turn, and say when that was.

        Where there is time for a part of the telegrams only, it is for the newest one of each line.
        """
        await self._turns.take()
        overloaded = self._turns.overloaded
        if overloaded:
            received += self._transport.take_arrived()
        self._watch.received += len(received)
        self._trial_received += len(received)
        self._reader.receive_data(received, datetime.now(UTC))
        if overloaded and (left_out := self._reader.leave_out_older()):
            self._health["left_out"] = self._health.get("left_out", 0) + left_out
            self._turns.count(0, left_out)
        return self._loop.time()

    def publish_next(self) -> None:
        """Publish the next telegram whatever the interval."""
        self._due = self._loop.time()

    # --- telegrams ---

    async def _take(self, now: float) -> bool:
        """Deal with whatever became complete; True when something was published."""
        published = False
        newest: tuple[Telegram, float] | None = None  # and when it was received
        while True:
            try:
                telegram = self._reader.next_telegram()
            except CodeTableError:
                await asyncio.to_thread(self._lasting.further.load)
                continue
            except FrameError as error:
                self._count("damaged_frames")
                self._watch.note_damaged(error)
                _log.debug("%s: %s", self._meter, error)
                continue
            except DecryptionError as error:
                await self._note_closed(error, now)
                continue
            if telegram is None:
                break
            self._lasting.checksummed = telegram.vouched_for
            received_at = now
            if not telegram.vouched_for:
                agreed = self._agree(telegram, now)
                if agreed.confirmed is None:
                    continue
                telegram, received_at = agreed.confirmed, agreed.received_at
            self._note_good(telegram, now)
            newest = telegram, received_at
            if not self._interval:
                await self._publish_telegram(*newest, now)
                published = True
        if newest is not None and self._interval and now >= self._due - self._watch.interval / 2:
            await self._publish_telegram(*newest, now)
            self._due = max(self._due, now - self._interval) + self._interval
            published = True
        return published

    def _agree(self, telegram: Telegram, now: float) -> Judged:
        """The telegram before this one, if this one bears it out: neither has a checksum."""
        self._watch.note_unconfirmed(now)
        judged = self._agreement.take(telegram, now)
        for detail in judged.refused:
            self._count("damaged_frames")
            self._watch.note_contradicted()
            _log.debug("%s: contradicted: %s", self._meter, detail)
        for code in judged.left_out:
            self._count("rejected_values")
            if self._lasting.complaints.first(f"left out {code}", now):
                _log.info(
                    "%s: no other telegram bears out %s: without checksum it is left out", self._meter, code
                )
        return judged

    def _note_good(self, telegram: Telegram, now: float) -> None:
        self._watch.note_good(now, telegram.length)
        self._lasting.meter_interval = self._watch.interval
        self._lasting.line = self._transport.line
        count_reading(self._health, datetime.now(UTC))
        self._turns.count(1, 0)
        self._failures = 0
        if self._alert:
            self._alert = ""
            self._due = now  # the end of an alert is told by a reading: do not let it wait
        if telegram.bad_lines:
            self._health["rejected_values"] = self._health.get("rejected_values", 0) + len(telegram.bad_lines)
            self._tell_bad(telegram.bad_lines, now)
        self._tell_dead(telegram.dead_meters, now)
        for change in self._lasting.take_changes():
            _log.warning("%s: %s", self._meter, change)
        warning = self._reader.warning
        if warning is not None and self._lasting.complaints.first(warning.detail, now):
            _log.warning("%s: %s", self._meter, warning.detail)

    def _tell_bad(self, lines: Iterable[str], now: float) -> None:
        for line in lines:
            # What stands behind the code may be another thing in every telegram.
            if self._lasting.complaints.first(line.partition("(")[0][:_LONGEST_CODE], now):
                _log.warning("%s: a line makes no sense and is left out: %r", self._meter, line[:60])

    def _tell_dead(self, meters: Iterable[SubMeter], now: float) -> None:
        for device in meters:
            text = (
                f"the {device.medium} meter {device.serial_number} on M-Bus channel {device.channel} has no "
                "valid reading, or another one beside it is in use: it is left out"
            )
            if self._lasting.complaints.first(text, now):
                _log.info("%s: %s", self._meter, text)

    async def _publish_telegram(self, telegram: Telegram, received_at: float, now: float) -> None:
        interval = max(self._interval, self._watch.usual_interval)
        time = datetime.now(UTC) - timedelta(seconds=now - received_at)
        for message in self._messages.of(telegram, time, now, interval):
            await self._publish(message)

    async def _note_closed(self, error: DecryptionError, now: float) -> None:
        """A frame that does not open: an alert when it is no single accident; listening goes on."""
        self._count("damaged_frames")
        self._watch.note_closed(now, error)
        self._failures += 1
        status = closed_alert(self._meter, error, self._failures, self._health)
        if status is None:
            _log.debug("%s: %s", self._meter, error)
            return
        if status["reason"] != self._alert:  # what was told is told once
            self._alert = status["reason"]
            await self._publish(status)

    # --- the line ---

    def _next_look(self) -> float:
        looks = [self._watch.next_summary(self._summary_every)]
        if not self._watch.proven:
            looks.append(self._trial_ends)
        return min(looks)

    @property
    def _summary_every(self) -> float:
        return max(_SUMMARY, self._interval)

    def _sum_up(self, now: float) -> None:
        text = self._watch.sum_up(now, self._summary_every)
        if text:
            _log.warning("%s: %s", self._meter, text)

    def _judge_silence(self, now: float, *, stalled: bool) -> None:
        """All that came is read: raise what there is to say when the line is dead."""
        if now >= self._watch.deadline and not (stalled and self._watch.excuse(now)):
            raise self._watch.death(self._reader.unrecognised, now)

    async def _look_at_line(self, now: float, *, heard_all: bool) -> None:
        """Bytes without any telegram: take off parity, or try the other speed."""
        kind = recognise(self._reader.unrecognised)
        self._watch.kind = self._watch.kind if kind == "unknown" else kind
        if kind == "parity" and not self._transport.software_parity:
            _log.info("%s: %s; taken off here", self._meter, EXPLANATIONS["parity"])
            self._transport.software_parity = True
            self._listen_afresh(now)
        elif heard_all and now >= self._trial_ends:
            lines = list(self._settings.lines)
            if len(lines) == 1 or not self._trial_received or kind in OTHER_FRAMES:
                self._trial_ends = now + LINE_TRIAL
                return
            before = self._transport.line
            await self._transport.change_line(lines[(lines.index(before) + 1) % len(lines)])
            _log.info("%s: no telegram at %s, trying %s", self._meter, before, self._transport.line)
            self._listen_afresh(now)

    def _listen_afresh(self, now: float) -> None:
        self._trial_ends = now + LINE_TRIAL
        self._trial_received = 0
        self._reader = self._new_reader()

    def _new_reader(self) -> P1Reader:
        lasting = self._lasting
        return P1Reader(
            lasting.opener, dialect=self._settings.dialect, in_use=lasting.in_use, further=lasting.further
        )

    def _count(self, key: str) -> None:
        # Only keys of Health that are counters are passed.
        self._health[key] = self._health.get(key, 0) + 1  # type: ignore[literal-required, operator]
