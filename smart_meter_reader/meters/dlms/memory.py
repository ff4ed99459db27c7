"""What is remembered of the scale of numbers over a restart, as JSON: what seemed wrong, with which steps.

Without it, each start would publish a counter again that is known to be wrong until the next look at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from smart_meter_reader.codecs.dlms.plausibility import ScaleDoubt, Subject
from smart_meter_reader.codecs.dlms.scales import OwnSteps
from smart_meter_reader.guard.remembered import table_in

_SCALE: Final = "scale"
_SUBJECTS: Final[Mapping[str, Subject]] = {"voltage": "voltage", "energy": "energy", "power": "power"}
_FACTORS: Final = ("10", "0.1")


def encode_doubts(doubts: Mapping[Subject, ScaleDoubt], own_steps: OwnSteps) -> dict[str, Any]:
    """What to remember; empty where nothing seems wrong."""
    if not doubts:
        return {}
    factors = {subject: str(doubt.factor) for subject, doubt in doubts.items()}
    return {_SCALE: {"steps": _steps(own_steps), "doubts": factors}}


def decode_doubts(
    memory: Mapping[str, Any], own_steps: OwnSteps
) -> tuple[dict[str, Any], dict[Subject, ScaleDoubt]]:
    """What was remembered beside the scale, and the doubts; none where the settings have other steps now.

    Raises ValueError for what ``encode_doubts`` does not write.
    """
    rest = {key: content for key, content in memory.items() if key != _SCALE}
    if _SCALE not in memory:
        return rest, {}
    scale = table_in(memory[_SCALE], "the scale of numbers", {"steps", "doubts"})
    doubts = scale["doubts"]
    if not isinstance(doubts, dict) or not doubts.keys() <= _SUBJECTS.keys():
        raise ValueError("a doubt of a scale that is none")
    if any(factor not in _FACTORS for factor in doubts.values()):
        raise ValueError("a factor of a scale that is none")
    if scale["steps"] != _steps(own_steps):
        return rest, {}
    return rest, {_SUBJECTS[key]: ScaleDoubt(_SUBJECTS[key], Decimal(each)) for key, each in doubts.items()}


def _steps(own_steps: OwnSteps) -> list[str]:
    return ["" if step is None else str(step) for step in own_steps]
