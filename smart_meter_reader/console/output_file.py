"""The file that a command writes at its end: whether it can be written is found out at its begin."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import click


def check_writable(path: Path, *, replace: bool = False, instead: str = "choose another name") -> None:
    """Raise click.UsageError unless the file can be written; ``instead`` is what to do when it exists."""
    try:
        path.stat()
    except FileNotFoundError:
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise click.UsageError(
                f"nothing can be written into {path.parent}: choose another directory"
            ) from None
        return
    except OSError as error:  # in a folder that is closed to us, or with a name that is too long
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None
    if not replace:
        raise click.UsageError(f"{path} exists: {instead}")
    if not os.access(path, os.W_OK):
        raise click.UsageError(f"{path} cannot be written: {os.strerror(errno.EACCES)}")


def write_output(path: Path, text: str, *, replace: bool = False) -> None:
    """Write the file; one that has come into being since ``check_writable`` is not replaced.

    Raises click.UsageError.
    """
    try:
        with path.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None
