"""The sink ``home_assistant_rest``: states posted to Home Assistant's RESTful API, for setups without MQTT.

MQTT discovery (the sink ``home_assistant``) is better wherever there is a broker: states that are posted
have no device and no unique id, cannot be edited, and are gone after every restart of Home Assistant, until
this sink posts them again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from smart_meter_reader.exceptions import LoginRefusedError, SinkError
from smart_meter_reader.messages import Message
from smart_meter_reader.network import stalls
from smart_meter_reader.network.loopback import is_this_computer
from smart_meter_reader.network.off_loop import in_daemon_thread
from smart_meter_reader.rooms import Room, left_out
from smart_meter_reader.settings.hosts import URL_HELP, URL_PATTERN, require_url
from smart_meter_reader.settings.schema import DriverSettings, Secret, setting
from smart_meter_reader.sinks.base import Sink
from smart_meter_reader.sinks.home_assistant.api import Api
from smart_meter_reader.sinks.home_assistant.rest_states import States

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

# Each attempt with a wrong token is a notification in Home Assistant, and may end in a ban of our address.
_REFUSED_PAUSE = 300.0
# A name lookup has no timeout of its own, a trickling server outlasts any: so many steps, and it is enough.
_STEPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistantRestSettings(DriverSettings):
    """Settings of the sink ``home_assistant_rest``."""

    url: str = setting(
        "address of Home Assistant, as in the browser",
        default="http://homeassistant.local:8123",
        pattern=URL_PATTERN,
        pattern_help=URL_HELP,
        identifies=True,
    )
    token: Secret = setting("long-lived access token, from your profile in Home Assistant (Security)")
    ca: Path | None = setting(
        "PEM file of the CA that signed Home Assistant's certificate", default=None, identifies=False
    )
    insecure: bool = setting("do NOT verify who Home Assistant is (with https)", default=False)
    timeout: timedelta = setting(
        "how long each step of a request may take",
        default=timedelta(seconds=10),
        minimum=timedelta(milliseconds=100),
        maximum=timedelta(minutes=1),
    )
    check_interval: timedelta = setting(
        "how often to look whether Home Assistant has restarted and lost the states",
        default=timedelta(seconds=30),
        minimum=timedelta(milliseconds=100),
        maximum=timedelta(hours=1),
    )

    def __post_init__(self) -> None:
        require_url("url", self.url)
        if not self.url.startswith("https:") and (self.ca or self.insecure):
            raise ValueError("`ca` and `insecure` are about TLS: let `url` begin with https://")
        if not self.token.reveal().strip().isascii() or len(self.token.reveal().split()) != 1:
            raise ValueError("`token` is not a token: copy it whole, on one line and without blanks")

    @property
    def sent_openly(self) -> str:
        """Which secret goes to another computer unencrypted, and what to do about it; "" for none."""
        if self.url.startswith("https:") or is_this_computer(urlsplit(self.url).hostname or ""):
            return ""
        return (
            f"the token goes to {self.url} unencrypted, and anybody on the way, or who answers to that name, "
            "can take it: let `url` begin with https://, or run this service on Home Assistant's own computer"
        )

    def shown_at(self, meters: Sequence[str], printed: str) -> Iterator[str]:
        yield f"Home Assistant: {self.url}, Developer tools, States: sensor.{meters[0]}_..."


class HomeAssistantRestSink(Sink):
    """Posts what is new, newest wins per entity; everything again when Home Assistant has lost it.

    The requests are made one after another in a thread, so that a host that hangs delays nobody else. At the
    stop every entity becomes ``unavailable``, except after a run that takes one reading.
    """

    def __init__(self, name: str, settings: HomeAssistantRestSettings) -> None:
        self.name = name
        self._settings = settings
        self._states = States()
        self._api = self._new_api()
        self._wake = asyncio.Event()
        self._ended = False
        self._stays_available = False
        self._all_posted = False
        self._posted: set[str] = set()  # entities that Home Assistant has had since it was last asked
        self._rejected: set[str] = set()
        self._try_again_at = float("-inf")
        self._room = Room(f"sink {name}")

    @property
    def internal_errors(self) -> int:
        """How many messages were left out for a fault of this program."""
        return self._room.errors

    @property
    def delivered(self) -> bool:
        """Whether, after ``run``, Home Assistant has everything and refused nothing."""
        return self._all_posted and not self._rejected

    def stay_available(self) -> None:
        """Leave the states at the stop as they are; see ``Sink``."""
        self._stays_available = True

    async def run(self, messages: AsyncIterator[Message]) -> None:
        # A new one each time: a request that hangs may still sit in the thread of the last.
        self._api = self._new_api()
        try:
            async with asyncio.TaskGroup() as group:
                taking = group.create_task(self._take(messages), name=f"{self.name} takes")
                await self._deliver()
                taking.cancel()
        except BaseExceptionGroup as errors:
            # Not `except*`: in the 3.11.2 of Debian 12, what is raised there leaves in a group.
            refused, others = errors.split(SinkError)
            if refused is None or others is not None:
                raise
            raise _single(refused) from None
        finally:
            self._api.close()

    def _new_api(self) -> Api:
        settings = self._settings
        return Api(
            settings.url,
            settings.token.reveal().strip(),
            ca=settings.ca,
            insecure=settings.insecure,
            timeout=settings.timeout.total_seconds(),
        )

    async def _take(self, messages: AsyncIterator[Message]) -> None:
        """Keep the newest of everything, however long Home Assistant takes."""
        async for message in messages:
            if message["type"] == "past":
                continue  # states are of now
            self._room.contain(partial(self._states.take, message), None, left_out(message))
            self._wake.set()
        self._ended = True
        self._wake.set()

    async def _deliver(self) -> None:
        """Post whatever is new until the messages end. Raises SinkError."""
        if not await self._may_try():
            return
        await self._call(self._api.check)
        _log.info("sink %s: Home Assistant at %s takes the token", self.name, self._api.url)
        self._forget()
        while True:
            await self._post_pending()
            if self._ended:
                if not self._stays_available:
                    self._states.part()
                    await self._post_pending()
                self._all_posted = True
                return
            self._wake.clear()
            if self._states.pending():
                continue
            try:
                async with asyncio.timeout(self._settings.check_interval.total_seconds()):
                    await self._wake.wait()
            except TimeoutError:
                await self._look_for_restart()

    async def _may_try(self) -> bool:
        """Wait until a refused token may be tried again; False when the messages end before that."""
        loop = asyncio.get_running_loop()
        while not self._ended and loop.time() < self._try_again_at:
            self._wake.clear()
            try:
                async with asyncio.timeout_at(self._try_again_at):
                    await self._wake.wait()
            except TimeoutError:
                return True
        return loop.time() >= self._try_again_at

    async def _post_pending(self) -> None:
        """One request for each entity with something new. Raises SinkError; the rest stays pending."""
        for entity_id, state in self._states.pending():
            payload = self._room.contain(state.payload, None, f"the state of {entity_id} is not posted")
            if payload is None:
                self._states.delivered(entity_id, state)
                continue
            created = await self._call(partial(self._api.post, entity_id, payload))
            self._states.delivered(entity_id, state)
            if created is None:
                self._reject(entity_id)
            elif created and entity_id in self._posted:
                _log.info("sink %s: Home Assistant has restarted; all states are posted again", self.name)
                self._forget()
                self._states.delivered(entity_id, state)
            self._posted.add(entity_id)

    async def _look_for_restart(self) -> None:
        """Ask for one entity that was posted: gone means that all are."""
        known = next((at for at in self._states.entity_ids if at in self._posted - self._rejected), None)
        if known is not None and not await self._call(partial(self._api.knows, known)):
            _log.info("sink %s: Home Assistant has lost the states; they are posted again", self.name)
            self._forget()

    def _forget(self) -> None:
        """Everything is posted again."""
        self._posted.clear()
        self._states.all_again()

    def _reject(self, entity_id: str) -> None:
        if entity_id not in self._rejected:
            self._rejected.add(entity_id)
            _log.warning("sink %s: Home Assistant refuses the state of %s", self.name, entity_id)

    async def _call(self, request: Callable[[], _Result]) -> _Result:
        """Make a request in a thread. Raises SinkError."""
        seconds = self._settings.timeout.total_seconds() * _STEPS
        try:
            async with stalls.timeout(seconds):
                return await in_daemon_thread(request, abandon=lambda result: None)
        except TimeoutError:
            raise SinkError("timeout", f"{self._api.url} does not answer within {seconds:g} s") from None
        except LoginRefusedError:
            self._try_again_at = asyncio.get_running_loop().time() + _REFUSED_PAUSE
            raise


def _single(errors: BaseExceptionGroup[SinkError]) -> SinkError:
    first = errors.exceptions[0]
    return _single(first) if isinstance(first, BaseExceptionGroup) else first
