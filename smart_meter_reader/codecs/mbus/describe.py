"""Tells an M-Bus capture in plain objects: one for each frame found, in order, damaged ones included.

The objects are what ``smart-meter-reader decode mbus --json`` prints, one a line.
"""

from __future__ import annotations

from collections.abc import Iterator

from smart_meter_reader.codecs.capture import Description, FrameCapture, error_told
from smart_meter_reader.codecs.mbus.frame import (
    FCB,
    RSP_UD_CONTROLS,
    SELECT,
    SND_NKE,
    START_LONG,
    Frame,
    FrameReader,
    LongFrame,
    ShortFrame,
    SingleCharacter,
)
from smart_meter_reader.codecs.mbus.measured import measured_in
from smart_meter_reader.codecs.mbus.records import Record
from smart_meter_reader.codecs.mbus.telegram import MbusTelegram, parse_telegram
from smart_meter_reader.exceptions import FrameError, ProtocolError

_SHORT_NAMES = {SND_NKE: "SND_NKE", 0x5A: "REQ_UD1", 0x7A: "REQ_UD1", 0x5B: "REQ_UD2", 0x7B: "REQ_UD2"}


def describe_capture(capture: bytes) -> FrameCapture:
    """Describe every frame in the bytes of a capture. Raises nothing.

    A description holds ``protocol``, ``frame`` ("ack", "short" or "long"), ``address`` and ``control`` (two
    hexadecimal digits), and of an answer ``id``, ``manufacturer``, ``version``, ``medium``, ``status``,
    ``records`` with the values and units as sent, ``measurements`` by quantity, ``missing`` for the records
    without a value and why, ``manufacturer_data`` in hexadecimal and ``more_follows``. A frame that cannot be
    read has ``error`` with ``kind`` and ``detail`` instead of values, and its ``bytes``; so has an answer in
    which the meter tells an error.
    """
    reader = FrameReader()
    reader.receive_data(capture)
    reader.finish()
    return FrameCapture(tuple(_descriptions(reader)), reader.skipped_bytes)


def describe_frame(frame: Frame) -> Description:
    """Describe one frame; when its content makes no sense the description has an ``error``."""
    if isinstance(frame, SingleCharacter):
        return {"protocol": "mbus", "frame": "ack"}
    described: Description = {
        "protocol": "mbus",
        "frame": "short" if isinstance(frame, ShortFrame) else "long",
        "address": frame.address,
        "control": f"{frame.control:02X}",
    }
    if isinstance(frame, ShortFrame):
        described["request"] = _SHORT_NAMES[frame.control]
    elif frame.from_reader:
        described |= _request(frame)
    else:
        described |= _answer(frame)
    return described


def _descriptions(reader: FrameReader) -> Iterator[Description]:
    skipped = 0
    while True:
        try:
            found = reader.next_frame()
        except FrameError as error:
            yield _damaged(error)
            continue
        if found is None:
            return
        described = describe_frame(found)
        if reader.skipped_bytes > skipped:
            described["skipped_bytes"] = reader.skipped_bytes - skipped
            skipped = reader.skipped_bytes
        yield described


def _damaged(error: FrameError) -> Description:
    return {
        "protocol": "mbus",
        "frame": "long" if error.frame[:1] == bytes([START_LONG]) else "short",
        "error": error_told(error),
        "bytes": error.frame.hex().upper(),
    }


def _request(frame: LongFrame) -> Description:
    described: Description = {"request": "SND_UD", "ci": f"{frame.ci:02X}"}
    if frame.ci == SELECT and len(frame.payload) == 8:
        octets = frame.payload
        return described | {
            "request": "select",
            # As it is typed: digits of the number, maker, version and medium; F stands for any.
            "secondary_address": (octets[3::-1] + octets[4:]).hex().upper(),
        }
    if frame.ci <= 0x1F:  # it comes from a meter that pushes: the whole family of HAN ports
        error = {"kind": "dlms", "detail": "M-Bus frames that carry DLMS: `decode dlms` reads that"}
        described["error"] = error
    return described | {"payload": frame.payload.hex().upper()}


def _answer(frame: LongFrame) -> Description:
    described: Description = {"ci": f"{frame.ci:02X}"}
    try:
        if frame.control not in RSP_UD_CONTROLS:
            raise ProtocolError("control", f"C field {frame.control:02X}h is not that of an answer with data")
        telegram = parse_telegram(frame)
    except ProtocolError as error:
        return described | {"error": error_told(error), "payload": frame.payload.hex().upper()}
    return described | describe_telegram(telegram)


def describe_telegram(telegram: MbusTelegram) -> Description:
    """Who answers and what: the keys of ``describe_capture`` from ``id`` on."""
    header = telegram.header
    told: Description = {}
    if header.id:
        told["id"] = header.id
    if header.maker:
        told |= {"manufacturer": header.maker, "version": header.version}
        if header.model:
            told["model"] = header.model
    told |= {"medium": header.medium_name, "access": header.access, "status": f"{header.status:02X}"}
    if header.states:
        told["states"] = list(header.states)
    told["records"] = [_record(each) for each in telegram.records if each.value is not None]
    if missing := [_missing(each) for each in telegram.records if each.value is None]:
        told["missing"] = missing
    if telegram.makers:
        told["manufacturer_data"] = telegram.makers.hex().upper()
    if telegram.more:
        told["more_follows"] = True
    told["measurements"] = measured_in(telegram)
    return told


def _record(record: Record) -> Description:
    return {"quantity": record.quantity, "value": record.value, "unit": record.unit, **_place(record)}


def _missing(record: Record) -> Description:
    return {"quantity": record.quantity, "why": record.missing, **_place(record)}


def _place(record: Record) -> Description:
    place: Description = {
        "function": record.function,
        "storage": record.storage,
        "tariff": record.tariff,
        "subunit": record.subunit,
        "dif": record.dif.hex().upper(),
        "vif": record.vif.hex().upper(),
    }
    return place | ({"modifiers": list(record.modifiers)} if record.modifiers else {})


def frame_name(frame: Description) -> str:
    """What a frame is, for a person: a request by its name, an answer by who gives it."""
    if frame["frame"] == "ack":
        return "acknowledge (E5)"
    if "request" in frame:
        counted = "" if not int(frame.get("control", "0"), 16) & FCB else ", FCB"
        to = f"{frame['address']}"
        return f"request {frame['request']} to {to}{counted}"
    return "answer"
