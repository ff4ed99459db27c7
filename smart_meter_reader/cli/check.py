"""`check`: what an environment sets, secrets hidden, or all that is wrong with it; and what to do next."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import click

from smart_meter_reader.console import EXIT_OK, EXIT_SETTINGS, PROGRAM
from smart_meter_reader.console.environments import complete_environment, typed
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.loading import LoadedSettings
from smart_meter_reader.settings.memories import takes_past, who_takes_past
from smart_meter_reader.sinks.registry import SINKS


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option("--all", "whole", is_flag=True, help="Show the defaults too, and where each key was found.")
def check(environment: str | None, whole: bool) -> int:
    """Check the settings; touch no port and no broker.

    Prints what is set for ENV, or every problem, then with exit code 78; at the end, what to do next. Secrets
    are not printed. ENV is not needed where settings.toml has only one, or ENV_FOR_DYNACONF names it.
    """
    from smart_meter_reader.cli.settings import load_settings
    from smart_meter_reader.settings.text import set_text, settings_text

    try:
        loaded = load_settings(environment=environment)
    except SettingsError as error:
        for problem in error.problems:
            tell(problem)
        tell(_what_is_wrong(len(error.problems)))
        return EXIT_SETTINGS
    for warning in loaded.warnings:
        tell(f"warning: {warning}")
    print(settings_text(loaded) if whole else set_text(loaded))
    sys.stdout.flush()
    for remark in _remarks(loaded):
        tell(remark, sys.stdout)
    tell(_what_is_right(loaded, whole=whole), sys.stdout)
    return EXIT_OK


def _remarks(loaded: LoadedSettings) -> Iterator[str]:
    """What the settings cost, for whoever has a battery to think of, and what they leave out."""
    taken = takes_past({name: sink.driver for name, sink in loaded.settings.sinks.items()})
    for name, meter in loaded.settings.meters.items():
        back = meter.driver.reads_back
        if back and not taken:
            back = (
                "what the meter keeps itself is not read back, as no sink here takes it; "
                f"{who_takes_past(SINKS)} do",
            )
        yield from (f"meter {name}: {remark}." for remark in (*meter.driver.remarks, *back))
    for name, sink in loaded.settings.sinks.items():
        yield from (f"sink {name}: {remark}." for remark in sink.driver.remarks)
    leased = [name for name, meter in loaded.settings.meters.items() if meter.lease]
    if leased:
        yield f"{_named('meter', leased)}: {loaded.settings.leases.explained}."


def _what_is_wrong(count: int) -> str:
    if count == 1:
        return "1 thing is to be put right: do what the line above says, then check again."
    return f"{count} things are to be put right: do what the lines above say, then check again."


def _what_is_right(loaded: LoadedSettings, *, whole: bool) -> str:
    settings = loaded.settings
    name = typed(Path(), settings.environment)
    more = "" if whole else f", `{PROGRAM} check{name} --all` shows the defaults too"
    doubts = len(loaded.warnings)
    verdict = f"can be used (with {doubts} warning{'s' * (doubts > 1)}, above)" if doubts else "are right"
    return (
        f"The settings of {settings.environment} {verdict}: {_named('meter', settings.meters)}; "
        f"{_named('sink', settings.sinks)}. Next: `{PROGRAM} doctor{name}` tries the meters and the sinks, "
        f"`{PROGRAM} run{name}` starts{more}."
    )


def _named(what: str, names: Collection[str]) -> str:
    return f"{what}{'s' * (len(names) > 1)} {', '.join(names)}"
