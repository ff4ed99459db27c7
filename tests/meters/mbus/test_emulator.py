"""Emulated M-Bus meters: whatever the seed and however long they run, what they send is whole."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.mbus.describe import describe_capture
from smart_meter_reader.codecs.mbus.frame import FCB
from smart_meter_reader.meters.mbus.emulated_meters import MODELS
from smart_meter_reader.meters.mbus.emulator import meter_of

_CENTURY = 36_524 * 86_400.0


@pytest.mark.parametrize("seconds", [0.0, _CENTURY])
@pytest.mark.parametrize("seed", [0, 7, -(10**12), 10**26])
@pytest.mark.parametrize("model", MODELS)
def test_any_seed_has_counted_what_its_registers_hold(model: str, seed: int, seconds: float) -> None:
    described = describe_capture(meter_of(model, seed=seed).telegram(FCB, seconds, ignores_fcb=False))
    (frame,) = described.frames
    assert "error" not in frame
    assert all(each["value"] >= 0 for each in frame["measurements"].values() if each["unit"])
