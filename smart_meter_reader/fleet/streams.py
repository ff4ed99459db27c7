"""The streams of a fleet and their consumers, as the servers should have them; made only where that is asked.

Live readings, what comes late, and states each have a stream, so that none waits behind another. A message
leaves its stream when a writer has acknowledged it; a full stream refuses (``discard new``), so that the edge
keeps what it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import nats.errors
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, BadRequestError, NoStreamResponseError, NotFoundError

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.fleet.subjects import DEAD, PREFIX, LetterKind

# Of one publisher's ids. It lives in the servers' memory; what comes later is caught by the database's key.
DUPLICATE_SECONDS: Final = 600.0
ACK_WAIT_SECONDS: Final = 30.0
# What is not acknowledged yet holds back what follows; a writer takes 500 at once.
MOST_UNACKNOWLEDGED: Final = 5000
_DAY: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Lane:
    """A stream and the consumer that all writers share; ``days`` until what nobody took is dropped."""

    stream: str
    kinds: tuple[LetterKind, ...]
    days: int = 7
    consumer: str = "writer"

    @property
    def subjects(self) -> list[str]:
        """What it keeps, of all tenants and sites."""
        return [f"{PREFIX}.*.*.{kind}.*" for kind in self.kinds]


READINGS: Final = Lane("READINGS", ("reading",))
HISTORY: Final = Lane("HISTORY", ("history",))
STATES: Final = Lane("STATES", ("status", "info", "event"))
LANES: Final = (READINGS, STATES, HISTORY)
DEAD_STREAM: Final = "DEAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How large each stream may become, and on how many servers it is."""

    replicas: int = 3
    most_bytes: int = 4 << 30


def stream_config(lane: Lane, limits: StreamLimits) -> StreamConfig:
    """What the stream of a lane should be."""
    return StreamConfig(
        name=lane.stream,
        subjects=lane.subjects,
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_bytes=limits.most_bytes,
        max_age=lane.days * _DAY,
        num_replicas=limits.replicas,
        duplicate_window=DUPLICATE_SECONDS,
    )


def consumer_config(lane: Lane) -> ConsumerConfig:
    """What its consumer should be. How often it delivers has no limit: see ``writer.batches``."""
    return ConsumerConfig(
        durable_name=lane.consumer,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_SECONDS,
        max_ack_pending=MOST_UNACKNOWLEDGED,
    )


def dead_config(limits: StreamLimits) -> StreamConfig:
    """Where messages stay that the database does not take: a month, and the oldest goes when it is full."""
    return StreamConfig(
        name=DEAD_STREAM,
        subjects=[f"{DEAD}.>"],
        storage=StorageType.FILE,
        max_bytes=max(limits.most_bytes // 16, 1 << 20),
        max_age=30 * _DAY,
        num_replicas=limits.replicas,
    )


async def make_streams(streams: JetStreamContext, limits: StreamLimits) -> Sequence[str]:
    """Make what is not there, and leave alone what is; one sentence for each stream. Raises SinkError."""
    said = []
    for lane in LANES:
        said.append(await _make(streams, stream_config(lane, limits)))
        await _make_consumer(streams, lane)
    said.append(await _make(streams, dead_config(limits)))
    return said


async def _make(streams: JetStreamContext, wanted: StreamConfig) -> str:
    name = str(wanted.name)
    try:
        found = (await streams.stream_info(name)).config
        if found.discard is not DiscardPolicy.NEW and wanted.discard is DiscardPolicy.NEW:
            return f"stream {name}: it is there, but drops the oldest when it is full: set discard to new"
        return f"stream {name}: it is there"
    except NotFoundError:
        pass
    except (nats.errors.Error, TimeoutError) as error:
        raise _refused(name, error) from error
    try:
        await streams.add_stream(wanted)
    except (nats.errors.Error, TimeoutError) as error:
        raise _refused(name, error) from error
    return f"stream {name}: made"


async def _make_consumer(streams: JetStreamContext, lane: Lane) -> None:
    try:
        await streams.add_consumer(lane.stream, consumer_config(lane))
    except BadRequestError as error:
        raise NeedsAPersonError(
            "consumer_refused",
            f"the consumer {lane.consumer} of the stream {lane.stream} is there with other settings "
            f"({error.description}): remove it, and it is made anew",
        ) from error
    except (nats.errors.Error, TimeoutError) as error:
        raise _refused(lane.stream, error) from error


def _refused(stream: str, error: Exception) -> SinkError:
    if isinstance(error, NoStreamResponseError | nats.errors.NoRespondersError):
        return NeedsAPersonError(
            "no_jetstream",
            f"stream {stream}: nothing answers for streams in this account: `jetstream: enabled` belongs "
            "into its table in the servers' configuration",
        )
    if isinstance(error, APIError):
        return SinkError(
            "stream_refused", f"stream {stream}: refused ({error.err_code}: {error.description})"
        )
    if isinstance(error, TimeoutError):
        return SinkError(
            "stream_unanswered",
            f"stream {stream}: no answer in time: the servers have no leader now, or this key may not "
            "publish to $JS.API.>",
        )
    return SinkError("stream_failed", f"stream {stream}: {error}")
