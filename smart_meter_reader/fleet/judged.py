"""What is right and wrong with the servers of a fleet, by what they tell of themselves. Pure.

Sources: NATS 2.10, `/varz` of the monitoring port, and the JetStream API's STREAM.INFO.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from smart_meter_reader.console.checks import Check, ok, unavailable, warning

# The first that is both able to sync each write and does not lose streams when it is killed.
OLDEST: Final = (2, 10, 27)
# Of a refusal (server/errors.json), "no suitable peers for placement": fewer servers than replicas, or three
# that were started at once.
NO_SUITABLE_PEERS: Final = 10005
# A lease ends 10 s before it can be gone, and readings of two machines are told apart by their times.
MOST_CLOCK_SECONDS: Final = 5.0
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


def judge_version(subject: str, server: str, version: str) -> Check:
    """``version`` as the server says it when somebody connects."""
    found = _VERSION.match(version)
    if found is None:
        return warning(subject, f"{server} does not say which NATS it is ({version!r:.20})")
    if tuple(map(int, found.groups())) < OLDEST:
        return unavailable(
            subject,
            f"{server} is NATS {version}, which is too old: it cannot keep each message on its disk before "
            "it acknowledges it, and may lose streams when it is killed. Install 2.10.27 or newer, as in "
            "Debian 13",
        )
    return ok(subject, f"{server} is NATS {version}")


def judge_jetstream(subject: str, server: str, *, there: bool) -> Iterator[Check]:
    """``there``: whether the server says that it keeps streams. Only what is wrong is told."""
    if not there:
        yield unavailable(
            subject,
            f"{server} keeps no streams: `jetstream {{ ... }}` belongs into its configuration, as in "
            "etc/fleet/hub.conf",
        )


def judge_sync(subject: str, server: str, varz: Mapping[str, Any]) -> Check:
    """How a server keeps what it acknowledges; ``varz``: what its monitoring port tells."""
    config = varz.get("jetstream", {}).get("config")
    if not config:
        return next(judge_jetstream(subject, server, there=False))
    if config.get("sync_always"):
        return ok(subject, f"{server} has on its disk what it acknowledges (sync_interval: always)")
    seconds = config.get("sync_interval", 120e9) / 1e9
    return unavailable(
        subject,
        f"{server} acknowledges up to {seconds:g} s before it is on the disk: a power cut of the hub loses "
        "that. Write `sync_interval: always` into `jetstream { ... }` of its configuration, and restart it",
    )


def judge_clock(subject: str, server: str, told: str, now: datetime) -> Iterator[Check]:
    """``told``: the time as the server said it, in RFC 3339; ``now``: ours, in the middle of the question."""
    try:
        theirs = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", told)).astimezone(UTC)
    except ValueError:
        return
    ahead = (now - theirs).total_seconds()
    if abs(ahead) <= MOST_CLOCK_SECONDS:
        yield ok(subject, f"the clocks of this computer and of {server} agree")
        return
    word = "ahead of" if ahead > 0 else "behind"
    yield unavailable(
        subject,
        f"this computer's clock is {abs(ahead):.0f} s {word} that of {server}: readings get wrong times, and "
        "leases end too early or too late. Let NTP set both: sudo timedatectl set-ntp true",
    )


def judge_stream(subject: str, name: str, config: Mapping[str, Any], servers: int) -> Iterator[Check]:
    """One stream, by its ``config`` as STREAM.INFO has it; ``servers``: how many the cluster has."""
    replicas = config.get("num_replicas", 1)
    if config.get("discard") != "new":
        yield unavailable(
            subject,
            f"stream {name} throws the oldest readings away when it is full (discard: old): set its discard "
            "to new; or stop the edges, let the writers empty it, remove it, and run "
            "`smart-meter-reader writer --prepare`",
        )
    if servers >= 3 > replicas:
        yield warning(
            subject,
            f"stream {name} is on {replicas} of {servers} servers: it is gone with that one. Set its "
            "replicas to 3",
        )
    if config.get("discard") == "new" and not servers >= 3 > replicas:
        yield ok(subject, f"stream {name}: on {replicas} of {servers} servers, and refuses when it is full")


def judge_placement(subject: str, code: int, description: str) -> Check:
    """Servers that refuse a stream of three replicas; ``code``: the err_code of the refusal."""
    if code == NO_SUITABLE_PEERS:
        return unavailable(
            subject,
            "the servers place no stream on three of them (error 10005): are all of them up, and do they "
            "know each other (routes)? Three that were started at once may refuse for ever: restart them one "
            "by one",
        )
    return unavailable(subject, f"the servers make no stream of three replicas: {description} ({code})")
