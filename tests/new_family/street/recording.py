"""What recordings of street meters need: comments, and numbers made up."""

from __future__ import annotations

from collections.abc import Sequence

from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.recordings.pseudonyms import Pseudonyms
from smart_meter_reader.recordings.rewriting import Rewritten, rewrite_runs
from smart_meter_reader.recordings.text import FROM_METER, Burst, RecordedEvent
from tests.new_family.street.codec import FRAME, decode, encode


def comment(burst: Burst) -> str:
    """The energy in an answer."""
    found = FRAME.fullmatch(burst.payload)
    return f"{decode(found[0]).energy} kWh" if burst.direction == FROM_METER and found else ""


def redact(events: Sequence[RecordedEvent], names: Pseudonyms, settings: ClientSettings | None) -> Rewritten:
    """The answers under other numbers, their sums right."""

    def rewrite(request: bytes, received: bytes) -> bytes:
        def answer(frame: bytes) -> bytes:
            told = decode(frame)
            return encode(told._replace(number=names.of(told.number)))

        return FRAME.sub(lambda found: answer(found[0]), received)

    return Rewritten(tuple(rewrite_runs(events, rewrite)))
