"""Redacted recordings of pushing meters: nothing that names one is left, and they say the same as before."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smart_meter_reader.codecs.ciphering.keys import parse_key
from smart_meter_reader.codecs.dlms.cipher import DlmsOpener
from smart_meter_reader.codecs.dlms.identity import NAMING
from smart_meter_reader.codecs.dlms.telegram import DlmsTelegram
from smart_meter_reader.meters.dlms.comments import comment
from smart_meter_reader.meters.dlms.redaction import redact
from smart_meter_reader.meters.dlms.settings import DlmsSettings
from smart_meter_reader.recordings.pseudonyms import Pseudonyms, leaks
from smart_meter_reader.recordings.rewriting import Rewritten
from smart_meter_reader.recordings.text import FROM_METER, Burst, LineChange, RecordedEvent
from smart_meter_reader.settings.schema import Secret
from tests.codecs.dlms.vectors import BY_ID, VECTORS, Vector, opener, read, telegrams, wire


def settings_of(vector: Vector) -> DlmsSettings:
    keys: dict[str, Any] = {
        name: Secret(vector[there])
        for name, there in (("key", "key_hex"), ("authentication_key", "auth_key_hex"))
        if there in vector
    }
    return DlmsSettings(port="/dev/x", **keys)


def redacted(vector: Vector, piece: int | None = None) -> tuple[bytes, Rewritten, Pseudonyms]:
    stream, names = wire(vector), Pseudonyms()
    size = piece or len(stream)
    pieces = [stream[begin : begin + size] for begin in range(0, len(stream), size)]
    bursts = [Burst(number * 100, FROM_METER, each) for number, each in enumerate(pieces)]
    written = redact(bursts, names, settings_of(vector))
    payload = b"".join(event.payload for event in written.events if isinstance(event, Burst))
    return payload, written, names


def opener_of(written: Rewritten) -> DlmsOpener | None:
    if "key" not in written.settings:
        return None
    keys = [parse_key(json.loads(written.settings[name])) for name in ("key", "authentication_key")]
    return DlmsOpener(keys[0], keys[1], "warn")


def naming(telegram: DlmsTelegram) -> list[str]:
    found = [
        str(each["value"])
        for code, each in telegram.objects.items()
        if code.partition(":")[2].partition("*")[0] in NAMING
    ]
    return [*found, telegram.identity.serial_number]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
@pytest.mark.parametrize("piece", [None, 11])
def test_what_is_given_away_says_the_same_and_names_nobody(vector: Vector, piece: int | None) -> None:
    before = telegrams(read(wire(vector), opener(vector)))
    payload, written, names = redacted(vector, piece)
    after = telegrams(read(payload, opener_of(written)))
    assert [dict(each.measurements) for each in after] == [dict(each.measurements) for each in before]
    assert [each.identity.model for each in after] == [each.identity.model for each in before]
    own = {text for each in before for text in naming(each)}
    # Numbers that are nothing but zeros and one tell nobody: they may be what stands for another.
    telling = [text for text in own if len(text.strip("0")) >= 3 and "BN" not in text]
    assert not leaks(payload, telling)
    assert not leaks(payload, [each for each in names.originals if len(each) > 8])
    titles = {each.envelope.system_title for each in before if each.envelope.system_title}
    assert not any(title in payload for title in titles)


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("hdlc-kamstrup-undecryptable", "1 encrypted telegrams without a fitting key are left out"),
        ("hdlc-kamstrup-bitflip-bad-fcs", "1 damaged frames or telegrams are left out"),
        ("hdlc-kamstrup-dk-glo30", "telegrams are encrypted with public keys, which stand in the recording"),
    ],
)
def test_what_the_person_must_know(name: str, note: str) -> None:
    payload, written, _ = redacted(BY_ID[name])
    assert note in written.notes
    assert bool(payload) == (name == "hdlc-kamstrup-dk-glo30")


XT211 = wire("raw-egd-xt211-spec")
# A notification as other programs print it: without its frame, which no line has.
BARE = wire("hdlc-kaifa-no-list2-it-net")[17:-3]


@pytest.mark.parametrize(
    ("stream", "kept", "damaged", "outside"),
    [
        (XT211 + XT211, 2 * len(XT211), 0, 0),
        (BARE, 0, 0, len(BARE)),
        (XT211 + b"\x00\x11" + XT211, 2 * len(XT211), 0, 2),
        (XT211 + XT211[:-5], len(XT211), 1, len(XT211) - 5),  # the recording ends within it
        (b"\x00" + XT211[:40], 0, 1, 41),
    ],
)
@pytest.mark.parametrize("piece", [5000, 11])
def test_nothing_is_left_out_without_a_word(
    stream: bytes, kept: int, damaged: int, outside: int, piece: int
) -> None:
    pieces = [stream[begin : begin + piece] for begin in range(0, len(stream), piece)]
    events: list[RecordedEvent] = [Burst(number, FROM_METER, each) for number, each in enumerate(pieces)]
    events.append(LineChange(99, "2400 Bd 8E1"))
    written = redact(events, Pseudonyms(), None)
    assert sum(len(event.payload) for event in written.events if isinstance(event, Burst)) == kept
    assert written.events[-1] == LineChange(99, "2400 Bd 8E1")
    told = [f"{damaged} damaged frames or telegrams are left out"] * bool(damaged)
    told += [f"{outside} bytes that belong to no whole frame are left out"] * bool(outside)
    assert list(written.notes) == told


def test_comments_say_what_a_burst_is() -> None:
    told = comment(Burst(0, FROM_METER, wire("hdlc-aidon-no-list1")))
    assert told == "hdlc 44 bytes, active_power_import=11112W"
    assert "damaged" in comment(Burst(0, FROM_METER, wire("hdlc-lg-zmf100-misprint")))
    assert comment(Burst(0, FROM_METER, b"abc")) == ""
