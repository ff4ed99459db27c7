"""Files of somebody else's, for tests that run as root and as anybody."""

from __future__ import annotations

import os
from pathlib import Path

# A user who is nobody here.
STRANGER = 4242
# Whom a test trusts that shall find files of a stranger's: as anybody the test's own are those.
TRUSTED = frozenset({0})


def give_away(*paths: Path) -> None:
    """Make the files somebody else's than root's, who alone is trusted: as anybody they are that already."""
    if os.geteuid() == 0:
        for path in paths:
            os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


def own() -> frozenset[int]:
    """Whom to trust so that the test's own files are fine."""
    return frozenset({0, os.geteuid()})
