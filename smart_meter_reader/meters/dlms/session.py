"""One open connection to a pushing meter: reads, finds out the line, publishes, gives up a dead line."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from smart_meter_reader.codecs.dlms.cipher import DlmsOpener
from smart_meter_reader.codecs.dlms.reader import DlmsReader
from smart_meter_reader.codecs.dlms.telegram import DlmsTelegram
from smart_meter_reader.codecs.dlms.values import item_text
from smart_meter_reader.exceptions import DecryptionError, FrameError
from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.meters.base import count_reading
from smart_meter_reader.meters.closed_frames import closed_alert
from smart_meter_reader.meters.dlms.messages import DlmsMessages, KnownValues
from smart_meter_reader.meters.dlms.settings import DlmsSettings
from smart_meter_reader.meters.dlms.watch import DlmsWatch, what_else
from smart_meter_reader.meters.turns import current_turns
from smart_meter_reader.network import stalls
from smart_meter_reader.transport import LineSettings, Transport

_log = logging.getLogger(__name__)

# A line that brings bytes and no frame for so long is set to the next one.
LINE_TRIAL: Final = 12.0
# A list is a few hundred bytes; what is less is noise, and says nothing of the line.
_ENOUGH_TO_JUDGE: Final = 40
_SUMMARY: Final = 60.0
_TOLD_IN_AN_HOUR: Final = 100
_MOST_SHOWN: Final = 8  # values of an unknown list in the log


@dataclass(slots=True)
class KnownPusher:
    """What a client knows longer than one connection."""

    line: LineSettings  # the one that brought telegrams last, or the first to try
    opener: DlmsOpener | None  # with the frame counters
    interval: float = 0.0  # the meter's own, in seconds; 0: not known
    checksummed: bool = True
    lasting: KnownValues = field(default_factory=KnownValues)
    complaints: Seldom = field(default_factory=lambda: Seldom(different=_TOLD_IN_AN_HOUR))


class DlmsSession:
    """Listens on ``transport`` and counts into ``health``; with ``once`` until something was published."""

    def __init__(
        self,
        meter: str,
        settings: DlmsSettings,
        transport: Transport,
        publish: Publish,
        health: Health,
        known: KnownPusher,
        *,
        once: bool = False,
    ) -> None:
        self._meter = meter
        self._settings = settings
        self._transport = transport
        self._publish = publish
        self._health = health
        self._known = known
        self._once = once
        self._loop = asyncio.get_running_loop()
        self._turns = current_turns()
        now = self._loop.time()
        timeout = None if settings.timeout is None else settings.timeout.total_seconds()
        self._watch = DlmsWatch(settings.port, now, timeout, known.interval, for_one=once)
        self._reader = self._new_reader()
        self._interval = settings.interval.total_seconds()
        self._messages = DlmsMessages(meter, settings.transformer_ratio, known.lasting)
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

    def publish_next(self) -> None:
        """Publish the next telegram whatever the interval."""
        self._due = self._loop.time()

    async def listen(self) -> None:
        """Read until the line is dead. Raises NoTelegramError: silence, damage, or what comes instead."""
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
            text = self._watch.sum_up(now, max(_SUMMARY, self._interval))
            if text:
                _log.warning("%s: %s", self._meter, text)
            if not self._watch.proven and now >= self._trial_ends:
                await self._try_next_line(now)

    async def _receive(self, received: bytes) -> float:
        """Take bytes in when it is this line's turn, and say when that was."""
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

    async def _take(self, now: float) -> bool:
        """Deal with whatever became complete; True when something was published."""
        published = False
        while True:
            try:
                telegram = self._reader.next_telegram()
            except FrameError as error:
                self._count_damaged()
                self._watch.note_damaged(error)
                _log.debug("%s: %s", self._meter, error)
                continue
            except DecryptionError as error:
                await self._note_closed(error, now)
                continue
            if telegram is None:
                return published
            self._note_good(telegram, now)
            published = await self._publish_telegram(telegram, now) or published

    def _note_good(self, telegram: DlmsTelegram, now: float) -> None:
        self._watch.note_good(now)
        self._known.interval = self._watch.interval
        self._known.line = self._transport.line
        self._known.checksummed = telegram.envelope.framing != "none"
        count_reading(self._health, datetime.now(UTC))
        self._turns.count(1, 0)
        self._failures = 0
        if self._alert:
            self._alert = ""
            self._due = now  # the end of an alert is told by a reading: do not let it wait
        warning = self._reader.warning
        if warning is not None and self._known.complaints.first(warning.detail, now):
            _log.warning("%s: %s", self._meter, warning.detail)

    async def _publish_telegram(self, telegram: DlmsTelegram, now: float) -> bool:
        time = datetime.now(UTC)
        if telegram.unknown_list:
            self._tell_unknown(telegram, now)
            return False
        self._tell_left_out(telegram, now)
        if self._interval and now < self._due - self._watch.interval / 2:
            self._messages.note(telegram, time, now)
            return False
        interval = max(self._interval, self._watch.usual_interval)
        for message in self._messages.of(telegram, time, now, interval):
            if message["type"] == "status" and message["reason"]:
                _log.warning("%s: %s", self._meter, message["detail"])
            await self._publish(message)
        self._count_rejected(self._known.lasting.held_back)
        for key in self._known.lasting.too_old:
            _log.info("%s: %s has not come for long, and is left out", self._meter, key)
        self._due = max(self._due, now - self._interval) + self._interval
        return True

    def _tell_unknown(self, telegram: DlmsTelegram, now: float) -> None:
        """A list without codes that is in no table: as it is, so that a person can report it."""
        types = [item.type_name for item in telegram.unknown_list]
        self._count_rejected(len(types))
        if self._known.complaints.first(tuple(types), now):
            shown = ", ".join(
                f"{item.type_name} {item_text(item)}"
                for item in telegram.unknown_list[:_MOST_SHOWN]
                if not item.octets  # texts may name the household
            )
            _log.warning(
                "%s: a list of %d values without codes is in no table, and nothing of it is published (%s); "
                "please report what `record` writes",
                self._meter,
                len(types),
                shown,
            )

    def _tell_left_out(self, telegram: DlmsTelegram, now: float) -> None:
        """Numbers of which nothing tells what they are worth, and what is no number or text."""
        if telegram.unread:
            self._count_rejected(len(telegram.unread))
            names = tuple(f"{each.code} ({each.value.type_name})" for each in telegram.unread)
            if self._known.complaints.first(names, now):
                _log.warning(
                    "%s: nothing tells what these are, and they are left out: %s; `decode dlms` shows them "
                    "in what `record` writes",
                    self._meter,
                    ", ".join(names[:_MOST_SHOWN]),
                )
        if telegram.unscaled and self._known.complaints.first(telegram.unscaled, now):
            _log.warning(
                "%s: nothing tells what the numbers of %s are worth: set voltage_step and current_step",
                self._meter,
                ", ".join(telegram.unscaled),
            )

    async def _note_closed(self, error: DecryptionError, now: float) -> None:
        """A frame that does not open: an alert when it is no single accident; listening goes on."""
        self._count_damaged()
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
        summary = self._watch.next_summary(max(_SUMMARY, self._interval))
        return summary if self._watch.proven else min(summary, self._trial_ends)

    def _judge_silence(self, now: float, *, stalled: bool) -> None:
        """All that came is read: raise what there is to say when the line is dead."""
        if now >= self._watch.deadline and not (stalled and self._watch.excuse(now)):
            raise self._watch.death(self._reader.unrecognised, now)

    async def _try_next_line(self, now: float) -> None:
        """Bytes without any frame: try the next speed or format, but for what is clearly something else."""
        lines = list(self._settings.lines)
        enough = self._trial_received >= _ENOUGH_TO_JUDGE and not what_else(self._reader.unrecognised)
        self._trial_ends = now + LINE_TRIAL
        self._trial_received = 0
        if len(lines) == 1 or not enough:
            return
        before = self._transport.line
        await self._transport.change_line(lines[(lines.index(before) + 1) % len(lines)])
        _log.info("%s: no frame at %s, trying %s", self._meter, before, self._transport.line)
        self._reader = self._new_reader()

    def _new_reader(self) -> DlmsReader:
        return DlmsReader(self._known.opener, self._settings.own_steps)

    def _count_damaged(self) -> None:
        self._health["damaged_frames"] = self._health.get("damaged_frames", 0) + 1

    def _count_rejected(self, count: int) -> None:
        if count:
            self._health["rejected_values"] = self._health.get("rejected_values", 0) + count
