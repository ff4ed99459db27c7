"""The argument ENV of several commands: completed from settings.toml, and not needed where there is one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.files.config_file import elsewhere
from smart_meter_reader.settings.files.toml_text import read_toml
from smart_meter_reader.settings.names import is_environment

_WRITER = "writer"


def environments(directory: Path) -> list[str]:
    """The environments that settings.toml in ``directory`` has, in its order; none when it cannot be read."""
    try:
        content = read_toml(directory / "settings.toml")
    except (OSError, SettingsError):
        return []  # said by `check`; a shell that completes has nowhere to say it
    return [
        name for name, table in content.items() if isinstance(table, dict) and is_environment(name, table)
    ]


def is_writer(table: Mapping[str, object] | None) -> bool:
    """Whether what settings.toml says in [writer] is for the writer of a fleet, and no environment."""
    return table is not None and not is_environment(_WRITER, table)


def complete_environment(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """What fits behind ``incomplete``. Reads the file itself: loading the settings would run config.py."""
    return [name for name in environments(Path()) if name.startswith(incomplete)]


def typed(directory: Path, environment: str) -> str:
    """What stands behind a command that means ``environment``: nothing where there is no other."""
    alone = [name.lower() for name in environments(directory)] == [environment.lower()]
    return "" if alone or os.environ.get("ENV_FOR_DYNACONF") else f" {environment}"


def required(directory: Path, environment: str | None) -> str:
    """The environment that is meant: the one typed, the one ENV_FOR_DYNACONF names, or the only one there is.

    Raises click.UsageError.
    """
    found = environments(directory)
    named = environment or os.environ.get("ENV_FOR_DYNACONF") or (found[0] if len(found) == 1 else "")
    if not named:
        here = elsewhere("settings.toml", directory) or "there is none in settings.toml here"
        known = f"settings.toml has: {', '.join(found)}" if found else here
        raise click.UsageError(f"which environment (ENV)? {known}")
    return named
