"""What a P1 client remembers over a restart, and what it makes of a state file that somebody spoilt."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.mbus import Chosen
from smart_meter_reader.exceptions import DecryptionError
from smart_meter_reader.meters.frame_counters import encode_counters, recall_counters
from smart_meter_reader.meters.p1.client import DsmrClient
from smart_meter_reader.meters.p1.memory import decode_memory, encode_chosen
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.settings.schema import Secret

KEY, AK = bytes(range(16)), bytes(range(16, 32))
TITLE = b"SAG5\x00\x00\x00\x01"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def opener_after(*counters: int) -> Opener:
    opener = Opener(KEY, AK)
    for number, counter in enumerate(counters):
        try:
            opener.counters.count(TITLE, counter, NOW + timedelta(seconds=number))
        except DecryptionError:
            pass
    return opener


@pytest.mark.parametrize("counted", [(), (7,), (0xFFFF_FFFF,), (100, 3, 4)])
def test_what_is_remembered_comes_back(counted: tuple[int, ...]) -> None:
    before, after = opener_after(*counted), Opener(KEY, AK)
    recall_counters(after, json.loads(json.dumps(encode_counters(before))))
    assert after.counters.values == before.counters.values


def test_with_other_keys_a_meter_counts_anew() -> None:
    memory = encode_counters(opener_after(7))
    for other in (Opener(AK, AK), Opener(KEY, KEY), Opener(KEY)):
        recall_counters(other, memory)
        assert other.counters.values == {}


def test_no_key_can_be_told_from_what_is_remembered() -> None:
    text = json.dumps(encode_counters(opener_after(7)))
    for key in (KEY, AK):
        assert not any(key.hex()[start : start + 8] in text for start in range(25))


GAS = {"gas": Chosen((0, 1), "G0001", counted=True)}


def test_the_device_that_counts_is_remembered_with_and_without_a_key() -> None:
    for settings in (
        DsmrSettings(port="/dev/null"),
        DsmrSettings(port="/dev/null", key=Secret("00" * 16)),
    ):
        client = DsmrClient("power", settings)
        client.recall(json.loads(json.dumps(encode_chosen(GAS))))
        assert decode_memory(client.memory) == ({}, GAS)


@pytest.mark.parametrize(
    "devices",
    [
        [],
        {"gas": 1},
        {"gas": {"group": [0, 1], "serial_number": "1"}},
        {"gas": {"group": [0], "serial_number": "1", "counted": True}},
        {"gas": {"group": [0, "1"], "serial_number": "1", "counted": True}},
        {"gas": {"group": [0, 1], "serial_number": 1, "counted": True}},
        {"gas": {"group": [0, 1], "serial_number": "1" * 1000, "counted": True}},
        {"gas": {"group": [0, 1], "serial_number": "1", "counted": 1}},
        {f"{name}": {"group": [0, 1], "serial_number": "1", "counted": True} for name in range(100)},
    ],
)
def test_a_spoilt_device_is_refused(devices: object) -> None:
    with pytest.raises(ValueError, match=r"M-Bus"):
        DsmrClient("power", DsmrSettings(port="/dev/null")).recall({"devices": devices})


def test_a_client_without_a_key_remembers_nothing() -> None:
    client = DsmrClient("power", DsmrSettings(port="/dev/null"))
    assert client.memory == {}
    client.recall(encode_counters(opener_after(7)))
    assert client.memory == {}


GOOD = encode_counters(opener_after(100, 3, 4))
ROW = GOOD["frame_counters"][TITLE.hex()]["fall"]


@pytest.mark.parametrize(
    "counters",
    [
        None,
        [],
        {"": {"last": 1}},
        {"00" * 9: {"last": 1}},
        {"0G" * 8: {"last": 1}},
        {"0A" * 8: {"last": 1}},
        {TITLE.hex(): 7},
        {TITLE.hex(): {}},
        {TITLE.hex(): {"last": "7"}},
        {TITLE.hex(): {"last": True}},
        {TITLE.hex(): {"last": 7.0}},
        {TITLE.hex(): {"last": -1}},
        {TITLE.hex(): {"last": 1 << 32}},
        {TITLE.hex(): {"last": 10**4000}},
        {TITLE.hex(): {"last": 7, "more": 1}},
        {TITLE.hex(): {"last": 7, "fall": None}},
        {TITLE.hex(): {"last": 7, "fall": {}}},
        {TITLE.hex(): {"last": 2, "fall": ROW}},
        {TITLE.hex(): {"last": 100, "fall": {**ROW, "since": "now"}}},
        {TITLE.hex(): {"last": 100, "fall": {**ROW, "since": 7}}},
        {TITLE.hex(): {"last": 100, "fall": {**ROW, "since": "2026-03-01T12:00:00"}}},
        {TITLE.hex(): {"last": 100, "fall": {**ROW, "since": "0001-01-01T00:00:00+00:00"}}},
        {TITLE.hex(): {"last": 100, "fall": {**ROW, "seen": "2020-01-01T00:00:00+00:00"}}},
        {f"{number:016x}": {"last": 1} for number in range(17)},
    ],
)
def test_what_was_never_written_is_refused(counters: Any) -> None:
    opener = opener_after(7)
    with pytest.raises(ValueError, match=r"frame counter|title|time"):
        recall_counters(opener, {**GOOD, "frame_counters": counters})
    assert opener.counters.values == opener_after(7).counters.values


def test_keys_that_were_never_written_are_refused() -> None:
    memories: list[dict[str, Any]] = [{"frame_counters": {}}, {"keys": ""}, {**GOOD, "more": 1}]
    for memory in memories:
        with pytest.raises(ValueError, match="frame counters"):
            recall_counters(Opener(KEY, AK), memory)


def test_a_client_gives_out_what_it_was_given() -> None:
    settings = DsmrSettings(port="/dev/null", key=Secret(KEY.hex()), authentication_key=Secret(AK.hex()))
    client = DsmrClient("power", settings)
    client.recall(GOOD)
    assert client.memory == GOOD
