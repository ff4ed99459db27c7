"""The bucket of the servers in which leases are: made, asked, set by compare-and-set; refusals told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import nats.errors
from nats.js.api import KeyValueConfig, StorageType
from nats.js.client import JetStreamContext
from nats.js.errors import (
    APIError,
    BucketNotFoundError,
    KeyNotFoundError,
    KeyWrongLastSequenceError,
    NoStreamResponseError,
    NotFoundError,
)
from nats.js.kv import KeyValue

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.fleet.judged import NO_SUITABLE_PEERS
from smart_meter_reader.fleet.leases.settings import LeaseSettings
from smart_meter_reader.json_text import dumps, loads_bounded

# As NO_SUITABLE_PEERS: "replicas > 1 not supported in non-clustered mode": one server keeps one.
NOT_CLUSTERED = 10074
_REPLICAS = 3


class RefusedError(Exception):
    """Another one has the key, or had it since: what the servers say about it now has to be asked."""


@dataclass(frozen=True, slots=True)
class LeaseEntry:
    """What stands in a bucket under a key."""

    holder: str
    session: str
    revision: int


async def open_bucket(streams: JetStreamContext, settings: LeaseSettings) -> KeyValue:
    """The bucket, made where it is not there. Raises SinkError with what to do."""
    wanted = settings.ttl.total_seconds()
    try:
        bucket = await streams.key_value(settings.bucket)
        found = (await bucket.status()).ttl
    except (BucketNotFoundError, NotFoundError):
        return await _make(streams, settings, _REPLICAS)
    except (nats.errors.Error, TimeoutError) as error:
        raise bucket_error(error, settings) from error
    if found is None or abs(found - wanted) > 1:
        raise NeedsAPersonError(
            "lease_ttl_differs",
            f"leases in the bucket {settings.bucket} live {f'{found:g} s' if found else 'for ever'} "
            f"and `ttl` says {wanted:g} s: it has to be the same on all machines; to change it, remove the "
            "bucket",
        )
    return bucket


async def _make(streams: JetStreamContext, settings: LeaseSettings, replicas: int) -> KeyValue:
    config = KeyValueConfig(
        bucket=settings.bucket,
        ttl=settings.ttl.total_seconds(),
        storage=StorageType.FILE,
        replicas=replicas,
    )
    try:
        return await streams.create_key_value(config)
    except APIError as error:
        if replicas > 1 and error.err_code == NOT_CLUSTERED:
            return await _make(streams, settings, 1)
        raise bucket_error(error, settings) from error
    except (nats.errors.Error, TimeoutError) as error:
        raise bucket_error(error, settings) from error


def bucket_error(error: Exception, settings: LeaseSettings) -> SinkError:
    """What a request that failed means, and what to do."""
    bucket = settings.bucket
    if isinstance(error, NoStreamResponseError | nats.errors.NoRespondersError):
        return NeedsAPersonError(
            "no_jetstream",
            "nothing answers for streams in this account: `jetstream: enabled` belongs into its table in the "
            "servers' configuration, or the servers have no leader now",
        )
    if isinstance(error, APIError) and error.err_code == NO_SUITABLE_PEERS:
        return NeedsAPersonError(
            "no_placement",
            f"the servers cannot place the bucket {bucket} on {_REPLICAS} of them (error 10005): are all of "
            "them up? Three that were started at once may refuse for ever: restart them one by one",
        )
    if isinstance(error, APIError):
        return SinkError("lease_refused", f"the servers refuse the bucket {bucket}: {error.description}")
    return SinkError(
        "lease_unanswered",
        f"no answer about the bucket {bucket} in time: the servers elect a leader, or this key may not "
        f"publish to $KV.{bucket}.> and $JS.API.>",
    )


def key_of(site: str, meter: str) -> str:
    """Under which a meter's lease stands: meters of other sites may have the same name."""
    return f"{site}.{meter}"


def lease_value(holder: str, session: str) -> bytes:
    """What stands there, as JSON: {"holder": "pi-7", "session": "b1c2..."}."""
    return dumps({"holder": holder, "session": session}).encode()


async def compare_and_set(bucket: KeyValue, key: str, value: bytes, last: int | None) -> int:
    """Set the key if its last revision is ``last`` (None: if it is not there); the new revision.

    Raises RefusedError when it is another one, nats.errors.Error and TimeoutError when nobody says so.
    """
    try:
        if last is None:
            return await bucket.create(key, value)
        return await bucket.update(key, value, last=last)
    except KeyWrongLastSequenceError as error:
        raise RefusedError from error


async def entry(bucket: KeyValue, key: str) -> LeaseEntry | None:
    """What stands there; None for nothing. Raises as ``compare_and_set``."""
    try:
        found = await bucket.get(key)
    except KeyNotFoundError:
        return None
    told = _read(found.value or b"")
    return LeaseEntry(str(told.get("holder", "")), str(told.get("session", "")), found.revision or 0)


def _read(text: bytes) -> dict[str, Any]:
    # Whoever wrote something else has it all the same, without a name.
    try:
        told = loads_bounded(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
