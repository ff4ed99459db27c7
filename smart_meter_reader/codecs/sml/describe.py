"""Telegrams of a capture as plain dicts, for `decode`, bug reports and golden files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from smart_meter_reader.codecs.capture import Description, error_told
from smart_meter_reader.codecs.sml.frame import FrameReader, SmlFrame
from smart_meter_reader.codecs.sml.garbage import explain
from smart_meter_reader.codecs.sml.identity import text_of
from smart_meter_reader.codecs.sml.measure import SmlSender, maker_of
from smart_meter_reader.codecs.sml.telegram import ValueList
from smart_meter_reader.exceptions import ChecksumError, FrameError

_MOST_METERS: Final = 64  # whose telegrams before this one are remembered


def describe_capture(capture: bytes, *, public_key: bool = False) -> Iterator[Description]:
    """One dict per telegram or failed frame, in their order; a failed one has the key ``error``.

    ``server_id`` and objects of octets are text where they are such, else ``0x`` and hexadecimal digits. A
    frame whose value lists are of several meters gives a dict for each. A capture without any telegram gives
    one dict with an error that says what it seems to be. ``public_key``: tell that, too.
    """
    reader = FrameReader()
    reader.receive_data(capture)
    meters: dict[bytes, SmlSender] = {}
    found = False
    for frame in _frames(reader):
        found = True
        if isinstance(frame, FrameError):
            yield _describe_damage(frame)
            continue
        lists = [message.values for message in frame.messages if message.values is not None]
        if not lists:
            yield {"protocol": "sml", "error": {"kind": "no_values", "detail": "a frame without value list"}}
        for values in lists:
            if values.server_id not in meters and len(meters) == _MOST_METERS:
                meters.clear()
            if (meter := meters.get(values.server_id)) is None:
                meter = meters[values.server_id] = SmlSender(values.server_id, maker=maker_of(values))
            yield _describe(frame, values, meter, public_key=public_key)
    if not found:
        detail = explain(capture) if capture else "the capture is empty"
        yield {"protocol": "sml", "error": {"kind": "no_telegram", "detail": detail}}


def _frames(reader: FrameReader) -> Iterator[SmlFrame | FrameError]:
    ended = False
    while True:
        try:
            if (frame := reader.next_frame()) is not None:
                yield frame
                continue
            if ended:
                return
            ended = True
            reader.end_of_data()
        except FrameError as error:
            ended = False  # a start inside what was given up is read on from
            yield error


def _describe(frame: SmlFrame, values: ValueList, meter: SmlSender, *, public_key: bool) -> Description:
    told = meter.read(values, public_key=public_key)
    description: Description = {
        "protocol": "sml",
        "server_id": text_of(values.server_id) if values.server_id else "",
        "checksum": frame.checksum,
        "manufacturer": meter.identity.manufacturer,
        "serial_number": meter.identity.serial_number,
        "objects": told.objects,
        "measurements": told.measurements,
    }
    if told.pin_missing is not None:
        description["pin"] = "missing" if told.pin_missing else "entered"
    if values.unread:
        description["unread"] = list(values.unread)
    if told.corrected:
        description["corrected"] = list(told.corrected)
    if told.contradictory:
        description["contradictory"] = list(told.contradictory)
    return description


def _describe_damage(error: FrameError) -> Description:
    checksum = {"checksum": "bad"} if isinstance(error, ChecksumError) else {}
    return {"protocol": "sml", **checksum, "error": error_told(error)}
