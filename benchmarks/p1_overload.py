"""More P1 meters than one core can read: 2,000 at a telegram a second, the service pinned to one core.

What is wanted is proportion: every meter is heard, with about the same share of its telegrams, its status and
identity arrive, and nobody is told that a cable is broken because this computer is slow.
"""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, alone
from benchmarks.processes import child, first_line, last_words, service, start_meters

# A line and a descriptor each, and some for the rest.
_FILES = 8192
# Reasons of statuses that have nothing to do with the meters' lines.
_HARMLESS = frozenset({"", "starting"})


def rows(*, quick: bool) -> Iterator[Row]:
    """The share of the telegrams that arrive, how even it is, and what was told wrongly."""
    size, seconds = (3, 1.0) if quick else (2000, 30.0)
    sent, messages = overload(size, seconds)
    heard = Counter(each["meter"] for each in messages if each["type"] == "reading")
    per_meter = [heard[f"m{index:04}"] for index in range(size)]
    told = {(each["meter"], each["type"]) for each in messages if each.get("state") != "offline"}
    missing = sum((f"m{i:04}", kind) not in told for i in range(size) for kind in ("status", "info"))
    wrong = sum(each["type"] == "status" and each["reason"] not in _HARMLESS for each in messages)
    name = f"P1 overload, {size} meters on one core"
    yield alone(f"{name}: readings of {sent} telegrams", "%", [100 * sum(per_meter) / sent])
    yield alone(f"{name}: meters never heard", "meters", [per_meter.count(0)], 0)
    yield alone(f"{name}: readings of a meter", "readings", per_meter)
    yield alone(f"{name}: statuses online and identities missing", "messages", [missing], 0)
    yield alone(f"{name}: statuses that blame a line", "statuses", [wrong], 0)


def overload(size: int, seconds: float) -> tuple[int, list[dict[str, str]]]:
    """How many telegrams were sent, and what the service wrote, from its first words on for so long."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(_FILES, hard)), hard))
    with tempfile.TemporaryDirectory() as folder, child(start_meters("p1_meters", str(size))) as meters:
        out = Path(folder, "out")
        with (
            out.open("wb") as output,
            service("fleet", settings(json.loads(first_line(meters))), output=output) as process,
        ):
            os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
            until = time.monotonic() + 60
            while not out.stat().st_size:
                assert time.monotonic() < until, "nothing was written"
                time.sleep(0.1)
            time.sleep(seconds)
        sent = sum(map(len, json.loads(last_words(meters))))
        return sent, [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def settings(ports: list[int]) -> str:
    """An environment with a meter on each port; every telegram is published."""
    meters = "".join(
        f'[fleet.meters.m{index:04}]\nclient = "dsmr"\nport = "socket://127.0.0.1:{port}"\ninterval = "0s"\n'
        for index, port in enumerate(ports)
    )
    return f'[default]\nlog_level = "ERROR"\n[fleet.sinks.stdout]\n{meters}'
