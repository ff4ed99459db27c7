"""Rewriting recordings so that they can be given away: every run of bytes as long as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

from smart_meter_reader.recordings.text import FROM_METER, TO_METER, Burst, RecordedEvent


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What a family has made of the events of a recording: nothing in it names a person or a device.

    ``settings`` are those that replaying needs now, as TOML; ``notes`` are sentences on what is not in it.
    """

    events: tuple[RecordedEvent, ...]
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()


Rewrite: TypeAlias = Callable[[bytes, bytes], bytes]
"""From the request before (b"" for none) and all that came after it to as many bytes."""


def rewrite_runs(events: Sequence[RecordedEvent], rewrite: Rewrite) -> Iterator[RecordedEvent]:
    """The events with every run of bursts from the meter rewritten; times and bursts stay as they are."""
    request = b""
    run: list[Burst] = []
    for event in events:
        if isinstance(event, Burst) and event.direction == FROM_METER:
            run.append(event)
            continue
        yield from _rewritten(run, request, rewrite)
        run = []
        if isinstance(event, Burst) and event.direction == TO_METER:
            request = event.payload
        yield event
    yield from _rewritten(run, request, rewrite)


def rewrite_as_they_end(
    events: Sequence[RecordedEvent], take: Callable[[bytes], bytes], finish: Callable[[], bytes]
) -> Iterator[RecordedEvent]:
    """The events with other bursts from the meter: what each completes, as ``take`` gives it.

    ``finish`` gives what stands in the last one without an end. A burst that completes nothing is left out.
    """
    bursts = [
        index
        for index, event in enumerate(events)
        if isinstance(event, Burst) and event.direction == FROM_METER
    ]
    last = bursts[-1] if bursts else -1
    for index, event in enumerate(events):
        if not isinstance(event, Burst) or event.direction != FROM_METER:
            yield event
            continue
        payload = take(event.payload)
        if index == last:
            payload += finish()
        if payload:
            yield replace(event, payload=payload)


def bytes_left_out(count: int) -> Iterator[str]:
    """The note on bytes that belong to no whole frame, where there are any."""
    if count:
        yield f"{count} bytes that belong to no whole frame are left out"


def _rewritten(run: list[Burst], request: bytes, rewrite: Rewrite) -> Iterator[RecordedEvent]:
    if not run:
        return
    whole = b"".join(burst.payload for burst in run)
    written = rewrite(request, whole)
    if len(written) != len(whole):
        raise AssertionError(f"{len(whole)} bytes were rewritten as {len(written)}")
    place = 0
    for burst in run:
        yield replace(burst, payload=written[place : place + len(burst.payload)])
        place += len(burst.payload)
