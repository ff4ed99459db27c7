"""Runs the benchmarks and prints what came out: `python -m benchmarks [--quick] [--json FILE] [NAME...]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.measure import Row, as_objects, table

BENCHMARKS = {
    "kmp_codec": "encode and decode beside PyKMP; frames full of stuffed bytes",
    "kmp_line": "a reading over 1200 Bd against the physical limit; its CPU beside PyKMP",
    "kmp_loggers": "hours, days and months out of a meter's loggers over 1200 Bd against the physical limit",
    "dlms_codec": "pushed lists beside amshan; blocks and encryption alone",
    "mbus_codec": "answers beside pymbusparser",
    "p1_codec": "telegrams beside dsmr-parser; memory, noise",
    "sml_codec": "telegrams beside pysml; memory, junk",
    "mqtt_publish": "publishing at QoS 1 beside aiomqtt",
    "homie_publish": "a reading as Homie properties beside Homie4's own client",
    "json_text": "a reading as JSON text",
    "history": "ten years of five meters: size, questions, what a day hands to the kernel",
    "questions": "what the page asks of ten years of five meters",
    "footprint": "memory, start and idle CPU of the running service",
    "page": "the page in the browser: memory and CPU beside the service without it",
    "p1_fleet": "1, 10, 100 and 1,000 P1 meters in one process, to a broker",
    "p1_overload": "2,000 P1 meters on one core: who is heard, and how evenly",
    "kmp_fleet": "200 KMP meters over TCP, polled every 10 s, to a broker",
}


def run(names: list[str], *, quick: bool) -> Iterator[Row]:
    """The rows of these benchmarks, each as soon as it is measured."""
    for name in names:
        yield from import_module(f"benchmarks.{name}").rows(quick=quick)


def machine() -> dict[str, Any]:
    """What the numbers depend on, without anything that tells one machine from its like."""
    models = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    ]
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "kernel": platform.release().partition("-")[0],
        "time": datetime.now(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z",
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Benchmarks beside the rivals. Exit code 1 when a goal was missed.",
        epilog="\n".join(f"{name:14}{what}" for name, what in BENCHMARKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these; default: all, some 12 minutes")
    parser.add_argument("--quick", action="store_true", help="so few rounds that only errors show")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there as well")
    options = parser.parse_args()
    unknown = set(options.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    rows = []
    for row in run(options.names or list(BENCHMARKS), quick=options.quick):
        print(f"{row.what}: {row.ours} {row.unit}", file=sys.stderr, flush=True)
        rows.append(row)
    where = machine()
    print(f"{where['processor']}, {where['cores']} cores, Python {where['python']}, {where['time']}\n")
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps({"machine": where, "rows": as_objects(rows)}, indent=1) + "\n")
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
