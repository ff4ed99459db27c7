"""Every recording in tests/data/recordings gives what stands beside it, and still does when redacted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smart_meter_reader.cli.diagnose.recording_redaction import redact
from smart_meter_reader.meters.p1.redaction import PUBLIC_AUTHENTICATION_KEY, PUBLIC_KEY
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.recordings.pseudonyms import Pseudonyms
from smart_meter_reader.recordings.text import format_recording, parse_recording
from smart_meter_reader.settings.schema import Secret
from tests.recordings.recorded import FOLDER, expected_file, read_recording

RECORDINGS = sorted(FOLDER.glob("*.rec"))


def test_there_are_recordings_of_every_protocol() -> None:
    assert {parse_recording(file.read_text()).client for file in RECORDINGS} == {
        "kamstrup",
        "iec62056_21",
        "dsmr",
        "dlms",
        "sml",
    }


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
async def test_a_recording_gives_what_it_gave(file: Path) -> None:
    assert await read_recording(file) == json.loads(expected_file(file).read_text())


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
async def test_a_redacted_recording_gives_the_same_measurements(file: Path, tmp_path: Path) -> None:
    keys = (PUBLIC_KEY, PUBLIC_AUTHENTICATION_KEY)
    key, authentication_key = (Secret(each.hex()) for each in keys)
    settings = DsmrSettings(port="/dev/null", key=key, authentication_key=authentication_key)
    redacted = redact(parse_recording(file.read_text()), Pseudonyms(), settings=settings).recording
    copy = tmp_path / file.name
    copy.write_text(format_recording(redacted))
    before, after = json.loads(expected_file(file).read_text()), await read_recording(copy)
    assert [_numbers(message) for message in after] == [_numbers(message) for message in before]


def _numbers(message: dict[str, dict[str, dict[str, object]]]) -> dict[str, object]:
    """The values that are numbers, and none that names a device."""
    return {
        key: item["value"]
        for key, item in message.get("measurements", {}).items()
        if not isinstance(item["value"], str) and not key.endswith("_number")
    }
