"""Names of settings and of their sources: the nearest known one, and which sources hold secrets."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path


def nearest(name: str, known: Sequence[str]) -> str:
    """'; did you mean "..."?' or nothing."""
    near = get_close_matches(name.lower(), known, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def holds_secrets(source: str) -> bool:
    """Whether a source of settings is meant for secrets: .secrets.toml, the credentials file, a variable."""
    return "secrets" in Path(source).name or source.startswith("variable ")
