"""A spool's file is one process's: two would deliver each other's entries as their own, and delete them."""

from __future__ import annotations

import os
from pathlib import Path

from smart_meter_reader.exceptions import NeedsAPersonError
from smart_meter_reader.process_lock import HeldElsewhereError, hold


class SpoolTakenError(NeedsAPersonError):
    """Another process has the file."""


class SpoolLock:
    """Held by a file beside the spool, which stays there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> None:
        """Hold it, unless it is held already. Raises SpoolTakenError, and OSError."""
        if self._descriptor is not None:
            return
        try:
            self._descriptor = hold(self._path.with_suffix(".lock"))
        except HeldElsewhereError as error:
            raise SpoolTakenError(
                "spool_taken",
                f"{self._path} is the spool of {error.owner}: each would send readings of the other as its "
                "own, so this sink does not run; give each environment a `spool_name`, or a "
                "`spool_directory`, of its own",
            ) from None

    def release(self) -> None:
        """Let it go."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
