"""`init`: writes commented starter settings into the working directory; never overwrites."""

from __future__ import annotations

import os
import sys
from importlib import resources
from pathlib import Path

import click

from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE, EXIT_USAGE

# File, its template in smart_meter_reader/templates, and its mode.
_FILES = (
    ("config.py", "config.py.template", 0o644),
    ("settings.toml", "settings.toml.template", 0o644),
    (".secrets.toml", "secrets.toml.template", 0o600),
)


@click.command()
def init() -> int:
    """Write config.py, settings.toml and .secrets.toml into the working directory.

    A file that exists stays as it is; the exit code is then 64.
    """
    kept: list[str] = []
    for name, template, mode in _FILES:
        content = resources.files("smart_meter_reader").joinpath("templates", template).read_bytes()
        try:
            _write_new(Path(name), content, mode)
        except FileExistsError:
            kept.append(name)
        except OSError as error:
            print(f"{name}: cannot be written here: {error.strerror}", file=sys.stderr)
            return EXIT_UNAVAILABLE
        else:
            print(f"wrote {name}")
    for name in kept:
        print(f"{name} exists and was left as it is", file=sys.stderr)
    if len(kept) == len(_FILES):
        return EXIT_USAGE
    print("\nTry it:        ENV_FOR_DYNACONF=dummy smart-meter-reader")
    print("Your meter:    edit settings.toml, then: smart-meter-reader check kamstrup_403")
    return EXIT_USAGE if kept else EXIT_OK


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Create a file that does not exist yet. Raises FileExistsError, also for a dangling link."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError:  # a full disk; half a file would be left alone the next time
        path.unlink()
        raise
