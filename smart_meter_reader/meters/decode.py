"""What the commands that decode a capture have in common: options, what is printed of each, the exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import click

from smart_meter_reader.codecs.capture import Description, FrameCapture
from smart_meter_reader.console import EXIT_DATA
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.text import plain

_Command = TypeVar("_Command", bound=Callable[..., Any])
Lines = Callable[[Description], Iterator[str]]
"""Of one description, the lines for a person."""


def json_option(what: str = "telegram or failed frame") -> Callable[[_Command], _Command]:
    """``--json``: argument as_json."""
    return click.option("--json", "as_json", is_flag=True, help=f"One JSON object per {what} and line.")


def authentication_option(unlooked: str) -> Callable[[_Command], _Command]:
    """``--authentication``; ``unlooked``: what a wrong tag means where nobody looks at it."""
    return click.option(
        "--authentication",
        type=click.Choice(["require", "warn", "off"]),
        default="require",
        help=f"What a wrong tag means: the frame fails, a remark, or {unlooked}.",
    )


def show_telegrams(
    context: click.Context, described: Iterable[Description], lines: Lines, *, as_json: bool
) -> None:
    """Print each; the exit code tells whether one failed."""
    failed = 0
    for description in described:
        failed += "error" in description
        _show(description, lines, as_json=as_json)
    if failed:
        context.exit(EXIT_DATA)


def show_frames(
    context: click.Context, described: FrameCapture, lines: Lines, nothing: str, damage: str, *, as_json: bool
) -> None:
    """Print each, and what is to be said of all; the exit code tells of damage, and of no frame.

    ``nothing``: what a frame looks like, where there is none. ``damage``: of frames that cannot be read.
    """
    for frame in described.frames:
        _show(frame, lines, as_json=as_json)
    if not described.frames:
        click.echo(nothing, err=True)
    if described.damaged:
        click.echo(f"{_counted(described.damaged, 'frame')} of {len(described.frames)} {damage}", err=True)
    if described.skipped_bytes:
        click.echo(f"{_counted(described.skipped_bytes, 'byte')} outside of frames skipped", err=True)
    if described.damaged or not described.frames:
        context.exit(EXIT_DATA)


def _show(description: Description, lines: Lines, *, as_json: bool) -> None:
    click.echo(dumps_for(sys.stdout, description) if as_json else "\n".join(lines(description)))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def value_text(value: object, unit: str) -> str:
    """A value with its unit, where it has one."""
    return f"{plain(value)} {unit}".rstrip()


def in_columns(rows: Iterable[tuple[str, str]], indent: str = "  ") -> Iterator[str]:
    """Names and values below each other."""
    listed = list(rows)
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        yield f"{indent}{name:<{width}}  {value}".rstrip()
