"""What meters of the street sent: each whole, cut, twice, amid garbage and with single bits changed."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.cli.decode.auto import likeliest
from smart_meter_reader.codecs.capture import Description
from smart_meter_reader.codecs.dlms.describe import describe_capture as describe_dlms
from smart_meter_reader.codecs.mbus.describe import describe_capture as describe_mbus
from smart_meter_reader.codecs.sml.describe import describe_capture as describe_sml
from smart_meter_reader.meters.registry import meter_drivers

Capture = dict[str, Any]

_FILE = Path(__file__).parents[1] / "data" / "street" / "captures.json"
CAPTURES: list[Capture] = json.loads(_FILE.read_text(encoding="utf-8"))["entries"]
GOOD = [each for each in CAPTURES if "error" not in each["expected"][0]]
# What begins a frame of any of the three, or a notification without one: garbage without them begins nothing.
_BEGINNINGS = b"\x10\x68\xe5\x7e\x1b\x0f"


def described(family: str, stream: bytes) -> list[Description]:
    if family == "mbus":
        return list(describe_mbus(stream).frames)
    return list((describe_sml if family == "sml" else describe_dlms)(stream))


def wire(capture: Capture) -> bytes:
    return bytes.fromhex(capture["bytes_hex"])


def is_framed(capture: Capture) -> bool:
    """Whether a checksum guards it: some meters push bare notifications."""
    return not (capture["family"] == "dlms" and wire(capture)[:1] == b"\x0f")


FRAMED = [each for each in GOOD if is_framed(each)]


def _text(measured: Mapping[str, Any]) -> str:
    return f"{measured['value']} {measured['unit']}".rstrip()


def _record(record: Mapping[str, Any]) -> str:
    place = [record["quantity"]]
    if record["function"] != "instantaneous":
        place.append(record["function"])
    place += [f"{key} {record[key]}" for key in ("storage", "tariff", "subunit") if record[key]]
    return f"{' '.join(place)}: {_text(record)}"


def told(descriptions: list[Description]) -> list[dict[str, Any]]:
    """As the file has it: texts of value and unit."""
    seen = []
    for each in descriptions:
        if "error" in each:
            seen.append({"error": each["error"]["kind"]})
            continue
        values: dict[str, Any] = {
            "measurements": {
                key: _text(measured)
                for key, measured in each["measurements"].items()
                if key != "reported_problems"
            }
        }
        if "objects" in each:
            values["objects"] = {code: _text(measured) for code, measured in each["objects"].items()}
        if "records" in each:
            values["records"] = [_record(record) for record in each["records"]]
        seen.append(values)
    return seen


def with_values(descriptions: list[Description]) -> list[Description]:
    return [each for each in descriptions if each.get("objects") or each.get("records")]


def name(capture: Capture) -> str:
    return str(capture["id"])


def test_there_are_some_of_each_family() -> None:
    counted = {
        family: sum(each["family"] == family for each in CAPTURES) for family in ("sml", "dlms", "mbus")
    }
    assert all(count >= 15 for count in counted.values()), counted


@pytest.mark.parametrize("capture", CAPTURES, ids=name)
def test_every_capture_is_exact(capture: Capture) -> None:
    assert told(described(capture["family"], wire(capture))) == capture["expected"]


@pytest.mark.parametrize("capture", GOOD, ids=name)
def test_cut_anywhere_gives_no_value(capture: Capture) -> None:
    stream = wire(capture)
    for cut in range(1, len(stream)):
        assert not with_values(described(capture["family"], stream[:cut])), cut
        assert not with_values(described(capture["family"], stream[cut:])), cut


@pytest.mark.parametrize("capture", FRAMED, ids=name)
def test_two_in_a_row_and_amid_garbage(capture: Capture) -> None:
    stream, expected = wire(capture), capture["expected"]
    assert told(with_values(described(capture["family"], stream * 2))) == expected * 2
    source = random.Random(capture["id"])
    junk = bytes(octet for octet in source.randbytes(300) if octet not in _BEGINNINGS)
    assert told(with_values(described(capture["family"], junk + stream + junk))) == expected


@pytest.mark.parametrize("capture", FRAMED, ids=name)
def test_a_single_changed_bit_gives_no_value(capture: Capture) -> None:
    stream = wire(capture)
    source = random.Random(capture["id"])
    for bit in source.sample(range(8 * len(stream)), min(8 * len(stream), 200)):
        changed = bytearray(stream)
        changed[bit // 8] ^= 1 << bit % 8
        assert not with_values(described(capture["family"], bytes(changed))), bit


@pytest.mark.parametrize("capture", CAPTURES, ids=name)
def test_it_is_told_from_other_protocols(capture: Capture) -> None:
    found = likeliest(wire(capture), [driver for driver in meter_drivers().values() if driver.sniff])
    assert found is not None
    assert found.protocol == capture["family"]
