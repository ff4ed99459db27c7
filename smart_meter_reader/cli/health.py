"""`health`: asks the running service whether readings still come; for what watches containers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.console.environments import complete_environment, required


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option("--alive", is_flag=True, help="Only whether a restart would help, as the watchdog sees it.")
@click.option("--json", "as_json", is_flag=True, help="The service's whole answer, as the page's /health.")
def health(environment: str | None, alive: bool, as_json: bool) -> int:
    """Ask the running service of ENV whether readings still come.

    Exit code 0 while those of all meters are fresh; else 69, and the meters that are not are named, or the
    service that does not answer. A meter is fresh until two of its readings are missed and the third is late.
    With --alive a meter that sleeps or is unplugged is well, too: only what hangs is not.
    """
    from smart_meter_reader.pipeline.health_answers import asked_health

    answer = asked_health(required(Path(), environment), os.environ)
    failing = answer["hanging"] if alive else answer["not_fresh"]
    if as_json:
        import json

        print(json.dumps(answer))
    else:
        for name in failing or answer["meters"]:
            print(f"{name}: {_told(answer['meters'][name], hangs=name in answer['hanging'])}")
    return EXIT_UNAVAILABLE if failing else EXIT_OK


def _told(meter: dict[str, Any], *, hangs: bool) -> str:
    """One meter in words."""
    from datetime import timedelta

    from smart_meter_reader.settings.durations import format_duration

    reason = f" ({meter['reason']})" if meter["reason"] else ""
    age = meter["age_seconds"]
    last = "no reading yet" if age is None else f"last reading {format_duration(timedelta(seconds=age))} ago"
    return f"{meter['state']}{reason}, {last}" + ("; its task hangs" if hangs else "")
