"""Names that people type, beside those that the history has: a sentence for what is not among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click


def require_stored(what: str, named: Iterable[str], known: Sequence[str]) -> None:
    """Raise click.UsageError for a name that nothing is stored of; ``what``: meter or quantity."""
    for name in named:
        if name not in known:
            raise click.UsageError(f"there is no {what} {name} in the history; stored is: {listed(known)}")


def listed(names: Iterable[str]) -> str:
    """Names with commas between them, each once."""
    return ", ".join(dict.fromkeys(names)) or "nothing yet"
