"""The argument ENV of several commands, which the shell completes from settings.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import click

from smart_meter_reader.files import read_small_text

# Tables that belong to every environment and are none themselves.
_SHARED = frozenset({"default", "global"})


def environments(directory: Path) -> list[str]:
    """The environments that settings.toml in ``directory`` has, in its order; none when it cannot be read."""
    try:
        content = tomllib.loads(read_small_text(directory / "settings.toml"))
    except (OSError, ValueError, RecursionError):
        return []  # said by `check`; a shell that completes has nowhere to say it
    return [name for name, table in content.items() if isinstance(table, dict) and name not in _SHARED]


def complete_environment(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """What fits behind ``incomplete``. Reads the file itself: loading the settings would run config.py."""
    return [name for name in environments(Path()) if name.startswith(incomplete)]
