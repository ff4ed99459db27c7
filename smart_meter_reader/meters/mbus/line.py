"""A conversation with meters on one M-Bus: link reset, selection, telegrams, repeats, wake-up.

Usable without settings or pipeline::

    async with await open_transport("/dev/ttyUSB0", BUS_LINE) as transport:
        telegram = await MbusLine(transport).read_out(Primary(7))
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from smart_meter_reader.codecs.mbus.address import Address, Primary, Secondary
from smart_meter_reader.codecs.mbus.frame import ANY, SELECTED, LongFrame, ShortFrame
from smart_meter_reader.codecs.mbus.session import LinkReadout, link_reset
from smart_meter_reader.codecs.mbus.telegram import ApplicationError, MbusTelegram, parse_telegram
from smart_meter_reader.exceptions import (
    MalformedError,
    MeterSilentError,
    ProtocolError,
    UnusableAnswersError,
)
from smart_meter_reader.meters.conversation import LineCounters
from smart_meter_reader.meters.mbus.heard import HeardOnBus
from smart_meter_reader.meters.mbus.silence import explain_silence
from smart_meter_reader.meters.mbus.timing import BusTiming
from smart_meter_reader.transport import Transport

_log = logging.getLogger(__name__)

# EN 13757-3, annex on optical interfaces, and docs of Tasmota's Smart Meter Interface ("Elster F96
# Plus"): 55h for 2.2 s at 8N1, then a rest of 11 to 330 bit times.
_WAKE_UP = b"\x55"
_WAKE_UP_SECONDS = 2.2
_WAKE_UP_REST = 0.35
_TIMING = BusTiming()
_BUSY_PAUSE = 1.0  # before a meter that says that it is busy is asked again


class MbusLine:
    """Asks meters on an open line. ``counters`` are those of the meter that is being read."""

    def __init__(
        self,
        transport: Transport,
        timing: BusTiming = _TIMING,
        *,
        retries: int = 2,
        through_head: bool = False,
        counters: LineCounters | None = None,
    ) -> None:
        self.timing = timing
        self.counters = counters if counters is not None else LineCounters()
        self._transport = transport
        self._retries = retries
        self._through_head = through_head
        self._quiet_at = 0.0

    async def read_out(self, whom: Address, before: MbusTelegram | None = None) -> MbusTelegram:
        """Everything that the meter has to say, its telegrams as one.

        ``before`` is what it said last: a meter whose link could not be reset may say it again. Raises
        TransportError; MeterSilentError or UnusableAnswersError when the repeats did not help; ProtocolError
        for what cannot be read, ApplicationError among them.
        """
        reset = await self._begin(whom)
        # Known scripts for heads ask with FCB 0, and that is what the meters there answer for sure.
        number = whom.number if isinstance(whom, Primary) else SELECTED
        readout = LinkReadout(number, fcb=not self._through_head)
        while not readout.is_over:
            telegram = await self._telegram(readout, whom)
            if readout.is_first and not reset and _is_repeated(telegram, before):
                readout.toggle()
                telegram = await self._telegram(readout, whom)
            readout.take(telegram)
        if isinstance(whom, Secondary):
            if not whom.fits(readout.telegram.header):
                raise UnusableAnswersError(
                    "strange_answers",
                    f"{self._transport.url}: meter {readout.telegram.header.id} answers to {whom}",
                )
            await self.attempt(link_reset(SELECTED), wants_ack=True)
        return readout.telegram

    async def wake(self) -> None:
        """Wake a meter at an optical head. Raises TransportError."""
        transport, line = self._transport, self.timing.line
        self.counters.wake_ups += 1
        self.counters.doing = "waking the meter"
        plain = replace(line, parity="N")
        await transport.change_line(plain)
        await transport.write(_WAKE_UP * (int(_WAKE_UP_SECONDS / plain.seconds(1)) + 1))
        await transport.wait_sent()
        await asyncio.sleep(_WAKE_UP_REST)
        await transport.change_line(line)

    async def attempt(self, frame: ShortFrame | LongFrame, *, wants_ack: bool) -> HeardOnBus:
        """Send once and listen until what is wanted has come, or there is no hope. Raises TransportError."""
        transport, loop = self._transport, asyncio.get_running_loop()
        await asyncio.sleep(self._quiet_at - loop.time())
        self.counters.skipped_bytes += transport.discard_input()
        self.counters.requests += 1
        heard = HeardOnBus(frame, wants_ack)
        await transport.write(frame.encode())
        sent = transport.sent_at
        until, end = sent + self.timing.reaction, sent + self.timing.longest
        while not heard.is_done:
            received = await transport.read_before(min(until, end))
            if not received:
                heard.give_up()
                break
            heard.receive(received)
            until = max(until, loop.time() + self.timing.gap)
        self._note(heard, sent)
        return heard

    async def unasked(self) -> int:
        """How many bytes come in a while in which nothing is asked. Raises TransportError."""
        self._transport.discard_input()
        until = asyncio.get_running_loop().time() + self.timing.reaction
        return len(await self._transport.read_before(until))

    def _note(self, heard: HeardOnBus, sent: float) -> None:
        now = asyncio.get_running_loop().time()
        self._quiet_at = now + self.timing.rest
        self.counters.skipped_bytes += heard.skipped_bytes
        self.counters.damaged_frames += heard.damage is not None
        self.counters.late_answers += heard.strangers
        if heard.is_done:
            self.counters.latency = now - sent
        elif heard.damage is not None:
            _log.debug("%s: damaged: %s, %s", self._transport.url, heard.damage, heard.damage.frame.hex())

    async def _begin(self, whom: Address) -> bool:
        """Wake the meter, reset its link, select it; whether its link is surely reset."""
        if self._through_head:
            # What its link remembers ends with its sleep.
            await self.wake()
            return False
        if isinstance(whom, Primary):
            return await self._reset(whom.number)
        # Whatever was selected before is no more. Nobody answers where nobody was.
        await self.attempt(link_reset(SELECTED), wants_ack=True)
        await self._select(whom)
        return True

    async def _reset(self, number: int) -> bool:
        """SND_NKE, which some meters obey without a word."""
        self.counters.doing = "resetting the meter's link"
        for _ in range(1 + min(1, self._retries)):
            heard = await self.attempt(link_reset(number), wants_ack=True)
            if heard.ack:
                return True
            if heard.is_silent:
                break  # the request tells more, and has repeats of its own
        return False

    async def _select(self, whom: Secondary) -> None:
        tried: list[HeardOnBus] = []
        for number in range(1 + self._retries):
            self.counters.retries += number > 0
            self.counters.doing = self._asking("selecting the meter", number)
            tried.append(await self.attempt(whom.selection(), wants_ack=True))
            if tried[-1].ack:
                return
        raise await self._explained(tried, whom)

    async def _telegram(self, readout: LinkReadout, whom: Address) -> MbusTelegram:
        """The next telegram, whatever it takes within the repeats."""
        tried: list[HeardOnBus] = []
        failure: ProtocolError | None = None
        for number in range(1 + self._retries):
            self.counters.retries += number > 0
            self.counters.doing = self._asking("waiting for the meter's answer", number)
            heard = await self.attempt(readout.request, wants_ack=False)
            tried.append(heard)
            if heard.answer is None:
                if heard.is_silent and readout.is_first and self._through_head:
                    readout.toggle()  # on a bus, an answer that is late would then count for another
                continue
            try:
                return parse_telegram(heard.answer)
            except ApplicationError as error:
                if not error.busy:
                    raise self._placed(error) from None
                failure = error
                await asyncio.sleep(_BUSY_PAUSE)
            except MalformedError as error:
                failure = error  # one damaged frame in 256 has a right checksum
            except ProtocolError as error:
                raise self._placed(error) from None
        if failure is not None:
            raise self._placed(failure)
        raise await self._explained(tried, whom)

    def _placed(self, error: ProtocolError) -> ProtocolError:
        return ProtocolError(error.reason, f"{self._transport.url}: {error.detail}")

    def _asking(self, what: str, number: int) -> str:
        return what + (f", time {number + 1} of {1 + self._retries}" if number else "")

    async def _explained(
        self, tried: list[HeardOnBus], whom: Address
    ) -> MeterSilentError | UnusableAnswersError:
        garbled = any(each.is_garbled for each in tried)
        unasked = await self.unasked() if garbled else 0
        return explain_silence(
            tried,
            self._transport.url,
            str(whom),
            any_meter=isinstance(whom, Secondary) or whom.number == ANY,
            unasked=unasked,
            through_head=self._through_head,
        )


def _is_repeated(telegram: MbusTelegram, before: MbusTelegram | None) -> bool:
    """Whether a meter says what it said last, word for word and under the same access number."""
    return (
        before is not None
        and telegram.header.access == before.header.access
        and before.octets.startswith(telegram.octets)
    )
