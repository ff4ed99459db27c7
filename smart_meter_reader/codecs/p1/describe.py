"""Telegrams of a capture as plain dicts, for `decode`, bug reports and golden files."""

from __future__ import annotations

from collections.abc import Iterator

from smart_meter_reader.codecs.capture import Description, error_told
from smart_meter_reader.codecs.ciphering.described import described_telegrams
from smart_meter_reader.codecs.p1.devices import SubMeter
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.garbage import EXPLANATIONS, recognise
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.codecs.parity import strip_parity
from smart_meter_reader.exceptions import ChecksumError, FrameError
from smart_meter_reader.text import LONGEST_NAME, printable


def describe_capture(
    capture: bytes, opener: Opener | None = None, *, dialect: str = ""
) -> Iterator[Description]:
    """One dict per telegram or failed frame, in their order; a failed one has the key ``error``.

    A capture without any telegram gives one dict with an error that says what it seems to be.
    """
    reader = P1Reader(opener, dialect=dialect, one_meter=False, lenient=True)
    reader.receive_data(capture)
    reader.finish()
    found = False
    lost: list[Description] = []  # held back: ends of telegrams show through parity as well
    for description in described_telegrams(reader, "p1", describe_telegram, _describe_damage):
        if not found and "error" in description:
            lost.append(description)
            continue
        found = True
        yield from lost
        lost.clear()
        yield description
    if not found:
        kind = recognise(reader.unrecognised)
        if kind == "parity":
            # As the service does, which takes it off the line.
            yield from describe_capture(strip_parity(capture), opener, dialect=dialect)
            return
        if lost:
            yield from lost
            return
        detail = EXPLANATIONS[kind] if capture else "the capture is empty"
        yield {
            "protocol": "p1",
            "error": {"kind": "no_telegram" if kind == "unknown" else kind, "detail": detail},
        }


def describe_telegram(telegram: Telegram) -> Description:
    """Everything that a telegram says. Lists that would be empty are left out."""
    identity = telegram.identity
    description: Description = {
        "protocol": "p1",
        "header": telegram.header,
        "dialect": identity.dialect,
        "checksum": telegram.checksum,
        "authentication": telegram.authentication,
        "frame_counter": telegram.frame_counter,
        "time": telegram.time,
        "serial_number": identity.serial_number,
        "objects": telegram.objects,
        "measurements": telegram.measurements,
        "meters": {medium: _describe_meter(meter) for medium, meter in telegram.meters.items()},
    }
    if telegram.dead_meters:
        description["dead_meters"] = [
            {"medium": meter.medium, **_describe_meter(meter)} for meter in telegram.dead_meters
        ]
    if telegram.bad_lines:
        description["bad_lines"] = list(telegram.bad_lines)
    return description


def _describe_meter(meter: SubMeter) -> Description:
    return {
        "channel": meter.channel,
        "device_type": meter.device_type,
        "serial_number": meter.serial_number,
        "measurements": meter.measurements,
    }


def _describe_damage(error: FrameError) -> Description:
    description: Description = {"protocol": "p1"}
    if error.frame[:1] == b"/":
        header = error.frame[1:].partition(b"\n")[0].decode("latin-1")
        description["header"] = printable(header.rstrip("\r"), LONGEST_NAME)
    if isinstance(error, ChecksumError):
        description["checksum"] = "bad"
    return {**description, "error": error_told(error)}
