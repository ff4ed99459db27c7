"""Redacts a whole recording by the client that made it, and says what it had to leave out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from smart_meter_reader.cli.diagnose.settings_redaction import NUMBERS, redact_places, redact_setting
from smart_meter_reader.codecs.p1.cipher import Opener
from smart_meter_reader.meters.iec62056_21.redaction import redact_iec
from smart_meter_reader.meters.kmp.redaction import redact_kmp
from smart_meter_reader.meters.p1.redaction import PUBLIC_AUTHENTICATION_KEY, PUBLIC_KEY, redact_p1
from smart_meter_reader.recordings.pseudonyms import Pseudonyms, leaks
from smart_meter_reader.recordings.text import Burst, Recording


@dataclass(frozen=True, slots=True)
class Redacted:
    """A recording that may be given away; ``notes`` are sentences on what is not in it."""

    recording: Recording
    notes: tuple[str, ...] = ()


def redact(
    recording: Recording, names: Pseudonyms, *, secrets: Iterable[str] = (), opener: Opener | None = None
) -> Redacted:
    """Replace what names a person or a device. ``opener`` decrypts P1 telegrams; ``secrets`` never stay.

    Should a number or secret be left in spite of that, the bytes are left out and a note says so.
    """
    settings = {key: _setting(key, value, names) for key, value in recording.settings.items()}
    notes: list[str] = []
    match recording.client:
        case "kamstrup":
            events = tuple(redact_kmp(recording.events, names))
        case "iec62056_21":
            events = tuple(redact_iec(recording.events, names))
        case "dsmr":
            stream = redact_p1(recording.events, names, opener)
            events = stream.events
            if stream.encrypted_anew:
                settings["key"] = json.dumps(PUBLIC_KEY.hex())
                settings["authentication_key"] = json.dumps(PUBLIC_AUTHENTICATION_KEY.hex())
                notes.append("telegrams are encrypted with public keys, which stand in the recording")
            if stream.left_out:
                notes.append(f"{stream.left_out} encrypted telegrams without a fitting key are left out")
        case _:
            events = ()
            notes.append(f"nothing is known about the bytes of {recording.client!r}: they are left out")
    sent = b"".join(event.payload for event in events if isinstance(event, Burst))
    if leaks(sent, [*names.originals, *secrets]):
        events = ()
        notes.append("a number could not be replaced everywhere: the bytes are left out")
    return Redacted(replace(recording, events=events, settings=settings), tuple(notes))


def _setting(key: str, value: str, names: Pseudonyms) -> str:
    """A setting as TOML; texts and numbers of TOML are JSON too."""
    if key in NUMBERS:
        try:
            written = json.loads(value)
        except (ValueError, RecursionError):  # of a recording that somebody wrote by hand
            written = value
        return json.dumps(redact_setting(key, written, names))
    return redact_places(value)
