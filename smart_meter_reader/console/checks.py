"""What an environment needs to run, looked at one thing after the other: each fine, doubtful or wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How a check came out; the worst decides the exit code."""

    OK = 0
    WARNING = 1
    UNAVAILABLE = 2  # port, meter or broker cannot be reached
    SETTINGS = 3  # the settings cannot be used


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the diagnosis: what was looked at, what was seen, and what to do."""

    level: Level
    subject: str
    text: str


def ok(subject: str, text: str) -> Check:
    return Check(Level.OK, subject, text)


def warning(subject: str, text: str) -> Check:
    return Check(Level.WARNING, subject, text)


def unavailable(subject: str, text: str) -> Check:
    return Check(Level.UNAVAILABLE, subject, text)
