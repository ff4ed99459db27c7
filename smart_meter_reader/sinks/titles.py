"""What people read on their screens as the name of a meter."""

from __future__ import annotations


def meter_title(meter: str) -> str:
    """'heat' becomes "Heat meter", 'p1-gas' becomes "P1 gas meter", 'water-meter' stays "Water meter"."""
    words = " ".join(meter.replace("-", " ").split())
    title = words[:1].upper() + words[1:]
    return title if title.lower().endswith("meter") else f"{title} meter"
