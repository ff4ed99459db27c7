"""The question before something is done that is not easily undone."""

from __future__ import annotations

import sys

import click


def confirm(question: str, *, default: bool = False) -> bool:
    """The answer. Raises click.UsageError when nobody is there to give one, click.Abort at Ctrl-C."""
    if sys.stdin is not None:
        try:
            return click.confirm(question, default=default)
        except click.Abort as abort:
            if not isinstance(abort.__context__, EOFError):
                raise
    raise click.UsageError("there is no answer at standard input: --yes does it without asking")
