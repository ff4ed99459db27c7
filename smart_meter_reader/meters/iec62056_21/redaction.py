"""Redacts IEC 62056-21: customer and device numbers, addresses; block checks and parity as they were."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from smart_meter_reader.codecs.iec62056_21.bcc import Bcc, judge_bcc, sum_bcc, usual_bcc, xor_bcc
from smart_meter_reader.codecs.parity import (
    add_parity,
    carries_parity,
    count_parity_errors,
    strip_parity,
)
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.recordings.data_sets import redact_data_sets, redact_fragments, redact_name
from smart_meter_reader.recordings.pseudonyms import Pseudonyms
from smart_meter_reader.recordings.rewriting import Rewritten, rewrite_runs
from smart_meter_reader.recordings.text import TO_METER, Burst, RecordedEvent

_BLOCK = re.compile(rb"\x02([^\x02\x03]*\x03)(.)", re.DOTALL)
_SIGN_ON = re.compile(rb"(/\?)([0-9A-Za-z ]{1,32})(!)")
_IDENTIFICATION = re.compile(rb"/(?![?#])[^\r\n/]{0,64}")
_SHORT_LINE = re.compile(rb"(?:[0-9-]{1,32} {1,4}){2,}[0-9-]{0,32}")
_FIELD = re.compile(rb"[0-9]+")
# 5511-634 §4: these begin with the customer number, the only field of 11 digits.
_CUSTOMER_FIRST = (b"/#2", b"/#3", b"/#D")
_LONGEST_OTHER_FIELD = 9


def redact(events: Sequence[RecordedEvent], names: Pseudonyms, settings: ClientSettings | None) -> Rewritten:
    """The conversation with the numbers of customers and devices replaced."""
    return Rewritten(tuple(_redacted_events(events, names)))


def _redacted_events(events: Sequence[RecordedEvent], names: Pseudonyms) -> Iterator[RecordedEvent]:
    """The events with numbers of customers and devices replaced."""
    for event in rewrite_runs(events, lambda request, run: _run(request, run, names)):
        if isinstance(event, Burst) and event.direction == TO_METER:
            yield replace(event, payload=_sign_on(event.payload, names))
        else:
            yield event


def _run(request: bytes, run: bytes, names: Pseudonyms) -> bytes:
    """What came after one request, with parity in the eighth bit or not."""
    if not carries_parity(run):
        return _text(request, run, names)
    text = strip_parity(run)
    written = add_parity(_text(request, text, names, damaged=bool(count_parity_errors(run))))
    # A byte with wrong parity keeps it: that is what the recording is there to show.
    wrong = (read ^ right for read, right in zip(run, add_parity(text), strict=True))
    return bytes(byte ^ (flipped & 0x80) for byte, flipped in zip(written, wrong, strict=True))


def _text(request: bytes, text: bytes, names: Pseudonyms, *, damaged: bool = False) -> bytes:
    written = bytearray()
    place = 0
    usual = Bcc.SUM
    for block in _BLOCK.finditer(text):
        for identification in _IDENTIFICATION.finditer(text, place, block.start()):
            usual = usual_bcc(identification[0][1:4].decode("latin-1"))
        written += _lines(request, text[place : block.start()], names, damaged=damaged)
        written += _block(block[1], block[2][0], names, usual, damaged=damaged)
        place = block.end()
    # What has begun as a block and does not end was cut off.
    cut = b"\x02" in text[place:]
    return bytes(written + _lines(request, text[place:], names, damaged=damaged or cut))


def _block(block: bytes, bcc: int, names: Pseudonyms, usual: Bcc, *, damaged: bool) -> bytes:
    verdict = judge_bcc(block, bcc, usual)
    written = redact_data_sets(block, names)
    if damaged or verdict is Bcc.BAD:
        written = redact_fragments(written)
    if verdict is Bcc.SUM:
        bcc = sum_bcc(written)
    elif verdict is Bcc.XOR:
        bcc = xor_bcc(written)
    else:
        good = (sum_bcc(written), xor_bcc(written))
        bcc = next(other for other in (bcc, bcc ^ 1, bcc ^ 2) if other not in good)
    return b"\x02" + written + bytes([bcc])


def _lines(request: bytes, text: bytes, names: Pseudonyms, *, damaged: bool) -> bytes:
    """Identifications, short answers, data sets without a block, echoes."""
    text = _sign_on(text, names)
    text = _IDENTIFICATION.sub(lambda found: redact_name(found[0], names), text)
    text = _SHORT_LINE.sub(lambda found: _short_line(request, found[0], names), text)
    text = redact_data_sets(text, names)
    return redact_fragments(text) if damaged else text


def _short_line(request: bytes, line: bytes, names: Pseudonyms) -> bytes:
    first = request.startswith(_CUSTOMER_FIRST)

    def field(found: re.Match[bytes]) -> bytes:
        if len(found[0]) <= _LONGEST_OTHER_FIELD and not (first and found.start() == 0):
            return found[0]
        return names.of(found[0].decode("ascii")).encode("ascii")

    return _FIELD.sub(field, line)


def _sign_on(text: bytes, names: Pseudonyms) -> bytes:
    return _SIGN_ON.sub(
        lambda found: found[1] + names.of(found[2].decode("ascii")).encode("ascii") + found[3], text
    )
