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
from smart_meter_reader.meters.base import count_in
from smart_meter_reader.meters.p1.lasting import Lasting
from smart_meter_reader.meters.p1.messages import Messages
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.meters.p1.watch import P1Watch
from smart_meter_reader.meters.push.session import EncryptedPushSession
from smart_meter_reader.transport import Transport

_log = logging.getLogger(__name__)

_LONGEST_CODE = 20  # 255-255:255.255.255


class P1Session(EncryptedPushSession[P1Watch, Lasting]):
    """Listens on ``transport`` and counts into ``health``; with ``once`` until something was published."""

    def __init__(
        self,
        meter: str,
        settings: DsmrSettings,
        transport: Transport,
        publish: Publish,
        health: Health,
        known: Lasting,
        *,
        once: bool = False,
    ) -> None:
        now = asyncio.get_running_loop().time()
        watch = P1Watch(settings.port, now, settings.patience, known.interval, for_one=once)
        super().__init__(meter, settings, transport, publish, health, watch, known, once=once)
        self._settings = settings
        self._reader = self._new_reader()
        self._agreement = Agreement()
        self._messages = Messages(meter, settings.transformer_ratio, known.in_use)

    @property
    def _line_reader(self) -> P1Reader:
        return self._reader

    def _feed(self, received: bytes) -> None:
        self._reader.receive_data(received, datetime.now(UTC))

    # --- telegrams ---

    async def _take(self, now: float) -> bool:
        """Deal with whatever became complete; True when something was published."""
        published = False
        newest: tuple[Telegram, float] | None = None  # and when it was received
        while True:
            try:
                telegram = self._reader.next_telegram()
            except CodeTableError:
                await asyncio.to_thread(self._known.further.load)
                continue
            except FrameError as error:
                self._note_damaged(error)
                continue
            except DecryptionError as error:
                await self._note_closed(error, now)
                continue
            if telegram is None:
                break
            self._known.checksummed = telegram.vouched_for
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
        if newest is not None and self._interval and self._is_due(self._due, now):
            await self._publish_telegram(*newest, now)
            self._due = self._due_after(self._due, now)
            published = True
        return published

    def _agree(self, telegram: Telegram, now: float) -> Judged:
        """The telegram before this one, if this one bears it out: neither has a checksum."""
        self._watch.note_unconfirmed(now)
        judged = self._agreement.take(telegram, now)
        for detail in judged.refused:
            count_in(self._health, "damaged_frames")
            self._watch.note_contradicted()
            _log.debug("%s: contradicted: %s", self._meter, detail)
        for code in judged.left_out:
            count_in(self._health, "rejected_values")
            if self._known.complaints.first(f"left out {code}", now):
                _log.info(
                    "%s: no other telegram bears out %s: without checksum it is left out", self._meter, code
                )
        return judged

    def _note_good(self, telegram: Telegram, now: float) -> None:
        self._watch.note_good(now, telegram.length)
        self._note_healthy(now, self._reader.warning)
        if telegram.bad_lines:
            count_in(self._health, "rejected_values", len(telegram.bad_lines))
            self._tell_bad(telegram.bad_lines, now)
        self._tell_dead(telegram.dead_meters, now)
        for change in self._known.take_changes():
            _log.warning("%s: %s", self._meter, change)

    def _tell_bad(self, lines: Iterable[str], now: float) -> None:
        for line in lines:
            # What stands behind the code may be another thing in every telegram.
            if self._known.complaints.first(line.partition("(")[0][:_LONGEST_CODE], now):
                _log.warning("%s: a line makes no sense and is left out: %r", self._meter, line[:60])

    def _tell_dead(self, meters: Iterable[SubMeter], now: float) -> None:
        for device in meters:
            text = (
                f"the {device.medium} meter {device.serial_number} on M-Bus channel {device.channel} has no "
                "valid reading, or another one beside it is in use: it is left out"
            )
            if self._known.complaints.first(text, now):
                _log.info("%s: %s", self._meter, text)

    async def _publish_telegram(self, telegram: Telegram, received_at: float, now: float) -> None:
        time = datetime.now(UTC) - timedelta(seconds=now - received_at)
        for message in self._messages.of(telegram, time, now, self._published_every):
            await self._publish(message)

    # --- the line ---

    async def _look_at_line(self, now: float, *, heard_all: bool) -> None:
        """Bytes without any telegram: take off parity, or try the other speed."""
        kind = recognise(self._reader.unrecognised)
        self._watch.kind = self._watch.kind if kind == "unknown" else kind
        if kind == "parity" and not self._transport.software_parity:
            _log.info("%s: %s; taken off here", self._meter, EXPLANATIONS["parity"])
            self._transport.software_parity = True
            self._listen_afresh(now)
        elif heard_all and now >= self._trial_ends:
            lines = self._settings.lines
            if len(lines) > 1 and self._trial_received and kind not in OTHER_FRAMES:
                await self._change_line(lines, "telegram")
                self._listen_afresh(now)
            else:
                self._extend_trial(now)

    def _listen_afresh(self, now: float) -> None:
        self._begin_trial(now)
        self._reader = self._new_reader()

    def _new_reader(self) -> P1Reader:
        known = self._known
        return P1Reader(
            known.opener, dialect=self._settings.dialect, in_use=known.in_use, further=known.further
        )
