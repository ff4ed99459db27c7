"""What of a recorded SML line names a device is replaced, and the telegrams stay right."""

from __future__ import annotations

import random

import pytest

from smart_meter_reader.codecs.sml.frame import SmlFrame
from smart_meter_reader.codecs.sml.identity import identity_of
from smart_meter_reader.codecs.sml.measure import SmlSender
from smart_meter_reader.meters.sml.comments import comment
from smart_meter_reader.meters.sml.redaction import redact
from smart_meter_reader.recordings.pseudonyms import Pseudonyms, leaks
from smart_meter_reader.recordings.text import FROM_METER, Burst
from tests.codecs.sml.test_frame import read, values_of
from tests.codecs.sml.vectors import GOOD, wire

KEY = bytes(range(0x30, 0x60))


def redacted(stream: bytes, names: Pseudonyms | None = None) -> bytes:
    rewritten = redact([Burst(0, FROM_METER, stream)], names or Pseudonyms(), None)
    (burst,) = rewritten.events
    assert isinstance(burst, Burst)
    return burst.payload


@pytest.mark.parametrize("name", GOOD)
def test_a_capture_has_other_numbers_and_the_same_values(name: str) -> None:
    raw, names = wire(name), Pseudonyms()
    written = redacted(raw, names)
    assert len(written) == len(raw)
    before, after = read(raw)[-1], read(written)[-1]
    assert isinstance(before, SmlFrame)
    assert isinstance(after, SmlFrame)
    assert [message.fits_x25() for message in before.messages] == [m.fits_x25() for m in after.messages]
    assert [message.fits_kermit() for message in before.messages] == [m.fits_kermit() for m in after.messages]
    server_id = values_of(before).server_id
    assert KEY not in written
    if any(server_id):
        assert server_id not in written
        assert not leaks(written, names.originals)
        assert identity_of(server_id).flag == identity_of(values_of(after).server_id).flag
    one, other = (SmlSender(b"").read(values_of(frame)) for frame in (before, after))
    assert one.measurements == other.measurements


def test_the_same_number_has_the_same_name_everywhere() -> None:
    raw = wire("sml-iskra-mt175")
    frames = [each for each in read(redacted(raw + raw)) if isinstance(each, SmlFrame)]
    assert frames[0] == frames[1]


@pytest.mark.parametrize("name", ["sml-iskra-mt175", "sml-emh-ehz-hw8", "sml-ebz-dd3"])
def test_damage_is_redacted_too_and_stays_damage(name: str) -> None:
    raw = wire(name)
    for seed in range(20):
        choice = random.Random(seed)
        place = choice.randrange(8, len(raw) - 8)
        for stream in (raw[:place], raw[place:], raw[:place] + raw[place + 1 :], raw[:place] + raw):
            written = redacted(stream)
            assert len(written) == len(stream)
            assert len(read(written)) == len(read(stream))
            assert KEY not in written or b"\x83\x02" + KEY not in stream


def test_what_a_person_sees_behind_the_bytes() -> None:
    text = comment(Burst(0, FROM_METER, wire("sml-iskra-mt631-pin")))
    assert text.startswith("active_energy_import=16824856.5 Wh")
    assert comment(Burst(0, FROM_METER, wire("sml-easymeter-lost-bytes"))) == "damaged: checksum"
    assert comment(Burst(0, FROM_METER, b"\x01\x02")) == ""
