"""What a capture of frames holds, as dicts for people and programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from smart_meter_reader.exceptions import ExplainedError

Description: TypeAlias = dict[str, Any]
"""One frame, telegram or answer; ``error`` with ``kind`` and ``detail`` where it cannot be read."""


@dataclass(frozen=True, slots=True)
class FrameCapture:
    """All frames of a capture. ``skipped_bytes`` counts what lies outside of them."""

    frames: tuple[Description, ...]
    skipped_bytes: int

    @property
    def damaged(self) -> int:
        """How many of the frames cannot be read."""
        return sum("error" in frame for frame in self.frames)


def error_told(error: ExplainedError) -> Description:
    """What stands under ``error``."""
    return {"kind": error.reason, "detail": error.detail}
