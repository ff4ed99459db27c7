"""Tries the tests that pytest noted as failed once more, one after the other; says which pass alone.

Exit code 0 only when all of them do. ``scripts/test`` calls it: it runs several tests a core, and on a
computer that is busy with other things as well, what is late may be later than a test allows.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

NOTED = Path(".pytest_cache/v/cache/lastfailed")
MOST = 5  # more than these is no matter of a busy computer
# What pytest-xdist puts behind the name of a test that stays in one process with others.
_GROUP = re.compile(r"@[^\]@/]+\Z")


def main() -> int:
    """Run them; the exit code."""
    noted = json.loads(NOTED.read_text("utf-8")) if NOTED.exists() else {}
    names = [_GROUP.sub("", name) for name in noted]
    if not 0 < len(names) <= MOST:
        return 1
    _say(f"{len(names)} failed among the others, tried once more alone:", names)
    if (code := pytest.main(["-n", "0", *names])) != 0:
        return int(code)
    _say(
        "failed among the others, passed alone: weak tests, or a fault that comes seldom. Look at them:",
        names,
    )
    return 0


def _say(sentence: str, names: list[str]) -> None:
    sys.stderr.write("".join(f"test: {line}\n" for line in [sentence, *names]))


if __name__ == "__main__":
    sys.exit(main())
