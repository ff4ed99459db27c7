"""`init`: writes commented starter settings into the working directory; never overwrites."""

from __future__ import annotations

import os
import sys
from importlib import resources
from pathlib import Path

import click

from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE, EXIT_USAGE, PROGRAM

# File, its template in smart_meter_reader/templates, and its mode. The program never reads the examples.
STARTER_FILES = (
    ("config.py", "config.py.template", 0o644),
    ("settings.toml", "settings.toml.template", 0o644),
    ("settings.examples.toml", "settings.examples.toml.template", 0o644),
    (".secrets.toml", "secrets.toml.template", 0o600),
)


@click.command()
def init() -> int:
    """Write config.py, settings.toml and .secrets.toml into the working directory.

    settings.toml is short, with the environment home; settings.examples.toml has an example of each kind of
    meter, to copy from. A file that exists stays as it is; the exit code is then 64.
    """
    written = write_missing(Path())
    if written is None:
        return EXIT_UNAVAILABLE
    kept = [name for name, *_ in STARTER_FILES if name not in written]
    for name in kept:
        print(f"{name} exists and was left as it is", file=sys.stderr)
    if not written:
        return EXIT_USAGE
    print(f"\nNext, with the meter plugged in:  {PROGRAM} scan --write")
    print(f"Or edit settings.toml, and then:  {PROGRAM} check")
    return EXIT_USAGE if kept else EXIT_OK


def write_missing(directory: Path) -> list[str] | None:
    """Write the files that are not there yet, and say so; their names. None when one cannot be written."""
    written: list[str] = []
    for name, template, mode in STARTER_FILES:
        content = starter(template)
        try:
            _write_new(directory / name, content, mode)
        except FileExistsError:
            continue
        except OSError as error:
            print(f"{name}: cannot be written here: {error.strerror}", file=sys.stderr)
            return None
        print(f"wrote {name}")
        written.append(name)
    return written


def starter(template: str) -> bytes:
    """What a file begins with."""
    return resources.files("smart_meter_reader").joinpath("templates", template).read_bytes()


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Create a file that does not exist yet. Raises FileExistsError, also for a dangling link."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError:  # a full disk; half a file would be left alone the next time
        path.unlink()
        raise
