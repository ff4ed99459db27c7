"""Redacts a whole recording by the client that made it, and says what it had to leave out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from smart_meter_reader.cli.diagnose.settings_redaction import redact_number, redact_places
from smart_meter_reader.drivers import imported
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.meters.registry import METERS, meter_driver
from smart_meter_reader.recordings.pseudonyms import HIDDEN, Pseudonyms, leaks
from smart_meter_reader.recordings.rewriting import Rewritten
from smart_meter_reader.recordings.text import Burst, Recording
from smart_meter_reader.settings.schema import Key, keys_of


@dataclass(frozen=True, slots=True)
class Redacted:
    """A recording that may be given away; ``notes`` are sentences on what is not in it."""

    recording: Recording
    notes: tuple[str, ...] = ()


def redact(
    recording: Recording,
    names: Pseudonyms,
    *,
    secrets: Iterable[str] = (),
    settings: ClientSettings | None = None,
) -> Redacted:
    """Replace what names a person or a device. ``settings`` have the keys of encrypted meters.

    Should a number or one of the ``secrets`` be left in spite of that, the bytes are left out and a note
    says so.
    """
    driver = meter_driver(recording.client) if recording.client in METERS else None
    known = keys_of(imported(driver.settings)) if driver is not None else {}
    own = {key: _setting(known.get(key), value, names) for key, value in recording.settings.items()}
    if driver is not None and driver.redact:
        rewritten: Rewritten = imported(driver.redact)(recording.events, names, settings)
    else:
        unknown = f"nothing is known about the bytes of {recording.client!r}: they are left out"
        rewritten = Rewritten((), notes=(unknown,))
    events, notes = rewritten.events, rewritten.notes
    sent = b"".join(event.payload for event in events if isinstance(event, Burst))
    if leaks(sent, [*names.originals, *secrets]):
        events = ()
        notes = (*notes, "a number could not be replaced everywhere: the bytes are left out")
    return Redacted(replace(recording, events=events, settings={**own, **rewritten.settings}), notes)


def _setting(key: Key | None, value: str, names: Pseudonyms) -> str:
    """A setting as TOML; texts and numbers of TOML are JSON too. A key that nobody knows tells nothing."""
    if key is None:
        return f'"{HIDDEN}"'
    if key.identifies:
        try:
            written = json.loads(value)
        except (ValueError, RecursionError):  # of a recording that somebody wrote by hand
            written = value
        return json.dumps(redact_number(written, names))
    return redact_places(value)
