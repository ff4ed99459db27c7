"""The emulated meter that sends SML: what it sends is what its model sends, and its faults are faults."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.sml.describe import describe_capture
from smart_meter_reader.codecs.sml.frame import SmlFrame
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.meters.sml.emulated_models import MODELS
from smart_meter_reader.meters.sml.emulator import FAULTS, SmlMeter, split_recording
from tests.codecs.sml.test_frame import only, read, values_of
from tests.codecs.sml.vectors import wire


@pytest.mark.parametrize("model", MODELS)
def test_telegrams_are_right_and_none_is_like_another(model: str) -> None:
    emulated = SmlMeter(model, interval=10)
    telegrams = [emulated.next_telegram() for _ in range(50)]
    assert len(set(telegrams)) == 50
    assert all(len(read(telegram)) == 1 and len(telegram) % 4 == 0 for telegram in telegrams)
    assert {only(telegram).checksum for telegram in telegrams} == {MODELS[model].checksum}


@pytest.mark.parametrize("model", MODELS)
def test_without_pin_there_are_whole_kilowatt_hours_and_no_power(model: str) -> None:
    (telegram,) = describe_capture(SmlMeter(model, pin=False).next_telegram())
    assert telegram["pin"] == "missing"
    assert telegram["measurements"]["active_energy_import"]["value"] == 16_824_000


def test_the_affected_dzg_sends_what_its_firmware_makes_of_a_power() -> None:
    emulated = SmlMeter("dzg-dvs74", interval=1)
    seen = set()
    for _ in range(300):
        frame = only(emulated.next_telegram())
        (power,) = [entry for entry in values_of(frame).entries if entry.code.reduced == "16.7.0"]
        seen.add(isinstance(power.value, Decimal) and power.value < 0)
        assert power.octets <= 3
    assert seen == {True, False}


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_is_one(kind: str) -> None:
    emulated, well = SmlMeter(faults=parse_faults([kind], FAULTS)), SmlMeter()
    sent = [emulated.next_telegram() for _ in range(5)]
    true = [well.next_telegram() for _ in range(5)]
    assert sent != true
    good = [frame for telegram in sent for frame in read(telegram) if isinstance(frame, SmlFrame)]
    if kind in ("crc", "cut", "lose", "drop", "silence"):
        assert not good
    else:
        assert len(good) >= 5


def test_a_recording_is_cut_where_telegrams_begin() -> None:
    first, second = wire("sml-iskra-mt175"), wire("sml-dzg-7420")
    assert split_recording(b"\x00\xff" + first + second + first[:50]) == [first, second, first[:50]]
    with pytest.raises(ValueError, match="holds no SML"):
        split_recording(b"/ISK5")


def test_a_recording_that_ends_behind_a_start_is_sent_as_it_is() -> None:
    cut = bytes.fromhex("1b1b1b1b01010101760700")
    assert SmlMeter(recording=split_recording(cut)).next_telegram() == cut
