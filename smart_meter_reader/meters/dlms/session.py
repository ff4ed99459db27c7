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
from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.meters.base import count_in
from smart_meter_reader.meters.dlms.messages import DlmsMessages, KnownValues
from smart_meter_reader.meters.dlms.settings import DlmsSettings
from smart_meter_reader.meters.dlms.watch import DlmsWatch, what_else
from smart_meter_reader.meters.push.known import KnownLine
from smart_meter_reader.meters.push.session import EncryptedPushSession
from smart_meter_reader.transport import Transport

_log = logging.getLogger(__name__)

# A list is a few hundred bytes; what is less is noise, and says nothing of the line.
_ENOUGH_TO_JUDGE: Final = 40
_MOST_SHOWN: Final = 8  # values of an unknown list in the log


@dataclass(slots=True)
class KnownPusher(KnownLine):
    """What a client knows longer than one connection."""

    opener: DlmsOpener | None
    lasting: KnownValues = field(default_factory=KnownValues)


class DlmsSession(EncryptedPushSession[DlmsWatch, KnownPusher]):
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
        now = asyncio.get_running_loop().time()
        watch = DlmsWatch(settings.port, now, settings.patience, known.interval, for_one=once)
        super().__init__(meter, settings, transport, publish, health, watch, known, once=once)
        self._settings = settings
        self._reader = self._new_reader()
        self._messages = DlmsMessages(meter, settings.transformer_ratio, known.lasting)

    @property
    def _line_reader(self) -> DlmsReader:
        return self._reader

    def _feed(self, received: bytes) -> None:
        self._reader.receive_data(received, datetime.now(UTC))

    async def _take(self, now: float) -> bool:
        """Deal with whatever became complete; True when something was published."""
        published = False
        while True:
            try:
                telegram = self._reader.next_telegram()
            except FrameError as error:
                self._note_damaged(error)
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
        self._known.checksummed = telegram.envelope.framing != "none"
        self._note_healthy(now, self._reader.warning)

    async def _publish_telegram(self, telegram: DlmsTelegram, now: float) -> bool:
        time = datetime.now(UTC)
        if telegram.unknown_list:
            self._tell_unknown(telegram, now)
            return False
        self._tell_left_out(telegram, now)
        if not self._is_due(self._due, now):
            self._messages.note(telegram, time, now)
            return False
        for message in self._messages.of(telegram, time, now, self._published_every):
            if message["type"] == "status" and message["reason"]:
                _log.warning("%s: %s", self._meter, message["detail"])
            await self._publish(message)
        if held_back := self._known.lasting.held_back:
            count_in(self._health, "rejected_values", held_back)
        for key in self._known.lasting.too_old:
            _log.info("%s: %s has not come for long, and is left out", self._meter, key)
        self._due = self._due_after(self._due, now)
        return True

    def _tell_unknown(self, telegram: DlmsTelegram, now: float) -> None:
        """A list without codes that is in no table: as it is, so that a person can report it."""
        types = [item.type_name for item in telegram.unknown_list]
        count_in(self._health, "rejected_values", len(types))
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
            count_in(self._health, "rejected_values", len(telegram.unread))
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

    # --- the line ---

    async def _look_at_line(self, now: float, *, heard_all: bool) -> None:
        """Bytes without any frame: try the next speed or format, but for what is clearly something else."""
        if now < self._trial_ends:
            return
        enough = self._trial_received >= _ENOUGH_TO_JUDGE and not what_else(self._reader.unrecognised)
        self._begin_trial(now)
        lines = self._settings.lines
        if len(lines) > 1 and enough:
            await self._change_line(lines, "frame")
            self._reader = self._new_reader()

    def _new_reader(self) -> DlmsReader:
        return DlmsReader(self._known.opener, self._settings.own_steps)
