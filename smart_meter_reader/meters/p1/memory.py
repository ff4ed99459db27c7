"""What is remembered of the devices behind a P1 port over a restart, as JSON, beside the frame counters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_meter_reader.codecs.p1.mbus import MOST_IN_USE, Chosen
from smart_meter_reader.guard.remembered import name_in, table_in

_DEVICES = "devices"


def encode_chosen(chosen: Mapping[str, Chosen]) -> dict[str, Any]:
    """What to remember of the chosen devices; empty where there are none."""
    if not chosen:
        return {}
    devices = {
        name: {"group": list(device.group), "serial_number": device.serial_number, "counted": device.counted}
        for name, device in chosen.items()
    }
    return {_DEVICES: devices}


def decode_memory(memory: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Chosen]]:
    """What was remembered of counters, for ``recall_counters``, and of devices.

    Raises ValueError for devices as ``encode_chosen`` does not write them.
    """
    counters = {key: content for key, content in memory.items() if key != _DEVICES}
    devices = memory.get(_DEVICES, {})
    if not isinstance(devices, dict) or len(devices) > MOST_IN_USE:
        raise ValueError("the devices on M-Bus are no table of names")
    return counters, {name: _chosen(content) for name, content in devices.items()}


def _chosen(content: Any) -> Chosen:
    device = table_in(content, "a device on M-Bus", {"group", "serial_number", "counted"})
    group, counted = device["group"], device["counted"]
    if not isinstance(group, list) or [type(part) for part in group] != [int, int]:
        raise ValueError("a channel on M-Bus that is none")
    if not isinstance(counted, bool):
        raise ValueError("a device on M-Bus that is none")
    return Chosen((group[0], group[1]), name_in(device["serial_number"], "a device on M-Bus"), counted)
