"""Runs a client while everything that passes its line is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from smart_meter_reader import __version__
from smart_meter_reader.exceptions import ExplainedError, RecordingEndedError
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.base import Client
from smart_meter_reader.recordings.tape import Tape
from smart_meter_reader.recordings.text import Recording
from smart_meter_reader.rooms import as_explained
from smart_meter_reader.settings.keys import setting_values
from smart_meter_reader.settings.schema import Secret, keys_of
from smart_meter_reader.settings.text import as_toml
from smart_meter_reader.settings.values import is_table
from smart_meter_reader.transport import LineSettings, opening_by

SOFTWARE = f"smart-meter-reader {__version__}"

# Where the meter is differs from one computer to the next, and is nobody else's business.
_NOT_RECORDED = frozenset({"port"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded, what the client published meanwhile, and why it ended early (None: it did not)."""

    recording: Recording
    messages: tuple[Message, ...]
    error: ExplainedError | None
    full: bool = False

    def readings(self, meter: str) -> int:
        """How many readings of this meter there were."""
        return _count(self.messages, meter)

    def why_no_reading(self) -> str:
        """A sentence on why there was none, as far as it is known."""
        if self.error is not None:
            return self.error.by_hand
        for message in self.messages:
            if message["type"] == "status" and message["state"] == "alert":
                return message["detail"]
        return "nothing complete came in time"


class _Enough(Exception):  # noqa: N818 - not an error: ends the client from inside its publishing
    """All readings that were wanted have come."""


async def record_client(
    name: str,
    client: Client,
    settings: Any,
    *,
    count: int | None,
    seconds: float,
    stop: asyncio.Event | None = None,
    at_alert: bool = False,
) -> Recorded:
    """Run a client until it has published ``count`` readings or time is up (count None: until then).

    ``stop`` ends it before, and what was recorded is kept. ``name`` and ``settings`` are what the recording
    says of it. With a count, a polled meter is read without a pause. ``at_alert`` ends at the first alert,
    such as that of a wrong key: all that comes after is more of the same.
    """
    tape = Tape()
    messages: list[Message] = []

    async def note(message: Message) -> None:
        messages.append(message)
        if at_alert and message["type"] == "status" and message["state"] == "alert":
            raise _Enough
        if count is None or message["type"] != "reading" or message["meter"] != client.meter:
            return
        if _count(messages, client.meter) >= count > 1:
            raise _Enough
        client.read_now()

    error: ExplainedError | None = None
    try:
        with opening_by(tape.open):
            await _until(stop, client.run(note, once=count == 1), seconds)
    except (TimeoutError, _Enough):
        pass  # whether that was enough is for the caller to judge
    except ExplainedError as found:
        error = found
    recording = _recording(tape, name, recorded_settings(settings))
    return Recorded(recording, tuple(messages), error, tape.full)


async def record_line(
    port: str, line: LineSettings, seconds: float, stop: asyncio.Event | None = None
) -> Recorded:
    """Record what a meter sends by itself. Raises TransportError when the port cannot be opened."""
    tape = Tape()
    error: ExplainedError | None = None

    async def listen() -> None:
        async with await tape.open(port, line, seconds) as transport:
            while True:
                await transport.read()

    try:
        await _until(stop, listen(), seconds)
    except TimeoutError:
        pass  # the time is what ends it
    except ExplainedError as found:
        if not tape.line:
            raise
        error = None if isinstance(found, RecordingEndedError) else found
    return Recorded(_recording(tape, "", {}), (), error, tape.full)


async def _until(stop: asyncio.Event | None, work: Coroutine[Any, Any, None], seconds: float) -> None:
    """Await ``work``, which ``stop`` or the time's end cancels. Raises what it does, and TimeoutError."""
    async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
        # In a group no error comes out alone: it is taken from the task instead.
        working = group.create_task(_result_of(work), name="recorded work")
        waiting = [working]
        if stop is not None:
            waiting.append(group.create_task(_result_of(stop.wait()), name="stop"))
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
    error = None if working.cancelled() else working.result()
    if error is not None:
        raise error


async def _result_of(work: Coroutine[Any, Any, Any]) -> Exception | None:
    try:
        await work
    except _Enough as error:
        return error
    except Exception as error:  # noqa: BLE001 - what was recorded until then is what a bug report needs
        return as_explained(error)
    return None


def recorded_settings(settings: Any) -> dict[str, str]:
    """The settings that differ from their defaults, as TOML; without port and keys."""
    values = setting_values(settings)
    return {
        name: toml_text(values[name])
        for name, key in keys_of(type(settings)).items()
        if name not in _NOT_RECORDED and values[name] != key.default and not isinstance(values[name], Secret)
    }


def toml_text(value: Any) -> str:
    """A setting as a TOML value; tables stand in braces."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml_text(entry)}" for key, entry in value.items()) + " }"
    if is_table(type(value)):
        return toml_text(
            {
                name: found
                for name, found in setting_values(value).items()
                if found is not None and not isinstance(found, Secret)
            }
        )
    return as_toml(value)


def _recording(tape: Tape, client: str, settings: Mapping[str, str]) -> Recording:
    return Recording(
        events=tape.events(),
        client=client,
        line=tape.line,
        recorded=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        software=SOFTWARE,
        settings=settings,
    )


def _count(messages: list[Message] | tuple[Message, ...], meter: str) -> int:
    return sum(message["type"] == "reading" and message["meter"] == meter for message in messages)
