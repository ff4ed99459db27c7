"""Telegrams of a capture as plain dicts, for `decode`, bug reports and golden files."""

from __future__ import annotations

from collections.abc import Iterator

from smart_meter_reader.codecs.capture import Description, error_told
from smart_meter_reader.codecs.ciphering.described import described_telegrams
from smart_meter_reader.codecs.dlms.axdr import ARRAY, STRUCTURE, Item
from smart_meter_reader.codecs.dlms.bare import find_notifications
from smart_meter_reader.codecs.dlms.cipher import DlmsOpener
from smart_meter_reader.codecs.dlms.framing.hdlc import FLAG
from smart_meter_reader.codecs.dlms.framing.mbus_frame import START
from smart_meter_reader.codecs.dlms.reader import DlmsReader
from smart_meter_reader.codecs.dlms.telegram import DlmsTelegram
from smart_meter_reader.codecs.dlms.values import item_text
from smart_meter_reader.codecs.seen import other_content
from smart_meter_reader.exceptions import FrameError

_FRAMINGS = {FLAG: "hdlc", START: "mbus"}
_NOTHING = (
    "no telegram of DLMS: no HDLC frame (7E A...), no M-Bus frame with DLMS in it (68 .. .. 68 53) and no "
    "notification without frames, with a right checksum"
)


def describe_capture(capture: bytes, opener: DlmsOpener | None = None) -> Iterator[Description]:
    """One dict per telegram or failed frame, in their order; a failed one has the key ``error``.

    Where there is no frame at all, notifications that stand alone are read (see ``bare``). A capture without
    any gives one dict with an error.
    """
    reader = DlmsReader(opener)
    reader.receive_data(capture)
    found = False
    for description in _drain(reader):
        found = True
        yield description
    reader.finish()
    for description in _drain(reader):
        found = True
        yield description
    if not found:
        for apdu in find_notifications(capture):
            found = True
            reader.take_bare(apdu)
            yield from _drain(reader)
    if not found:
        other = other_content(capture)
        detail = f"{_NOTHING}; {other}" if other else _NOTHING if capture else "the capture is empty"
        yield {"protocol": "dlms", "error": {"kind": "no_telegram", "detail": detail}}


def _drain(reader: DlmsReader) -> Iterator[Description]:
    return described_telegrams(reader, "dlms", describe_telegram, _describe_damage)


def describe_telegram(telegram: DlmsTelegram) -> Description:
    """Everything that a telegram says. Lists that would be empty are left out."""
    identity, time = telegram.identity, telegram.time
    description: Description = {
        "protocol": "dlms",
        "framing": telegram.envelope.framing,
        "authentication": telegram.envelope.authentication,
        "frame_counter": telegram.envelope.frame_counter,
        # As the meter writes it: local time, with its distance from UTC where the meter tells that.
        "time": None if time is None else time.moment.isoformat(),
        "layout": telegram.layout,
        "manufacturer": identity.manufacturer,
        "model": identity.model,
        "serial_number": identity.serial_number,
        "objects": dict(telegram.objects),
        "measurements": dict(telegram.measurements),
    }
    if telegram.unscaled:
        description["unscaled"] = list(telegram.unscaled)
    if telegram.unread:
        description["unread"] = [
            {"code": str(each.code), "attribute": each.attribute, **_raw(each.value)}
            for each in telegram.unread
        ]
    if telegram.unknown_list:
        description["unknown_list"] = list(map(_raw, telegram.unknown_list))
    return description


def _describe_damage(error: FrameError) -> Description:
    framing = _FRAMINGS.get(error.frame[0]) if error.frame else None
    told = {"framing": framing} if framing else {}
    return {"protocol": "dlms", **told, "error": error_told(error)}


def _raw(item: Item) -> Description:
    """A value of which nobody knows what it is, with its type; of structures and arrays each part so."""
    value = list(map(_raw, item.items)) if item.tag in (ARRAY, STRUCTURE) else item_text(item)
    return {"type": item.type_name, "value": value}
