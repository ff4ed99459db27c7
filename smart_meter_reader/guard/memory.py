"""What the guard remembers of each meter over a restart, and its form as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from smart_meter_reader.guard.remembered import time_in
from smart_meter_reader.guard.rules import DOUBTS, Ceiling, Total, is_possible, judge
from smart_meter_reader.text import LONGEST_NAME, printable

VERSION = 1
_MOST_DIGITS = 40  # of a total; what a meter may count has half of them


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row of doubted readings that agree with each other."""

    since: datetime
    last: Total
    count: int = 1


@dataclass(frozen=True, slots=True)
class MeterMemory:
    """A meter's last accepted totals, what may follow them, and its serial number by where it was told.

    ``client`` is what the meter's client wants to remember, as JSON has it; nobody else looks into it.

    With the candidates a doubted value can be confirmed by runs that read once each, as cron makes them.
    """

    origin: str = ""
    serials: Mapping[str, str] = field(default_factory=dict)
    totals: Mapping[str, Total] = field(default_factory=dict)
    candidates: Mapping[str, Candidate] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict)

    def is_of(self, origin: str, *, moved: bool = False) -> bool:
        """Whether this is of the meter that is read at ``origin``; ``moved``: by its client, at any port."""
        if moved:
            return self.origin.partition(" ")[0] == origin.partition(" ")[0]
        return self.origin == origin


Memory = Mapping[str, MeterMemory]


def origin_of(client: str, port: str) -> str:
    """By which client a meter is read, and where."""
    return f"{client} {port}"


def put_back(
    totals: Mapping[str, Total], candidates: Mapping[str, Candidate], now: datetime, rhythm: timedelta
) -> tuple[dict[str, Total], dict[str, Candidate]]:
    """The same once the clock was put back to ``now``: what lies ahead is as old as the meter's rhythm.

    Otherwise a row of doubts would last until the old time comes again, and a rise since the last reading
    would be a jump: as it seems, no time has passed.
    """
    before = now - rhythm

    def aged(total: Total) -> Total:
        return total._replace(time=before) if total.time >= now else total

    return (
        {key: aged(total) for key, total in totals.items()},
        {
            key: replace(each, since=min(each.since, now), last=aged(each.last))
            for key, each in candidates.items()
        },
    )


def encode(memory: Memory) -> str:
    """The memory as JSON."""
    meters = {
        name: {
            "origin": meter.origin,
            "serials": dict(meter.serials),
            "totals": {key: _encode_total(total) for key, total in meter.totals.items()},
            "candidates": {
                key: {"since": each.since.isoformat(), "count": each.count, **_encode_total(each.last)}
                for key, each in meter.candidates.items()
            },
            "client": dict(meter.client),
        }
        for name, meter in memory.items()
        if meter.totals or meter.client
    }
    return json.dumps({"version": VERSION, "meters": meters}, ensure_ascii=False, indent=1) + "\n"


def decode(raw: bytes) -> dict[str, MeterMemory]:
    """The reverse of ``encode``. Raises ValueError for anything that it does not write."""
    try:
        content = json.loads(raw)
        json.dumps(content, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("a text that is none") from None
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise ValueError(f"not version {VERSION} of this file")
    return {name: _decode_meter(meter) for name, meter in _table(content.get("meters")).items()}


def _encode_total(total: Total) -> dict[str, str]:
    return {"value": str(total.value), "unit": total.unit, "time": total.time.isoformat()}


def _decode_meter(content: Any) -> MeterMemory:
    meter = _table(content)
    serials = {
        source: printable(_text(serial), LONGEST_NAME)
        for source, serial in _table(meter.get("serials")).items()
    }
    totals = {key: _decode_total(total) for key, total in _table(meter.get("totals")).items()}
    candidates = {key: _decode_candidate(each) for key, each in _table(meter.get("candidates", {})).items()}
    client = _table(meter.get("client", {}))
    return MeterMemory(_text(meter.get("origin")), serials, totals, candidates, client)


def _decode_candidate(content: Any) -> Candidate:
    candidate = _table(content)
    count = candidate.get("count")
    if not isinstance(count, int) or count < 1:
        raise ValueError("a count that is none")
    return Candidate(time_in(candidate.get("since")), _decode_total(candidate), count)


def _decode_total(content: Any) -> Total:
    total = _table(content)
    try:
        value = Decimal(_text(total.get("value")))
    except InvalidOperation:
        raise ValueError("a value that is no number") from None
    if not value.is_finite() or not is_possible(value) or len(value.as_tuple().digits) > _MOST_DIGITS:
        raise ValueError("a value that cannot be")
    return Total(value, _text(total.get("unit")), time_in(total.get("time")))


def _table(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ValueError("a table is missing")
    return content


def _text(content: Any) -> str:
    if not isinstance(content, str):
        raise ValueError("a text is missing")
    return content


def continued(candidate: Candidate | None, new: Total, ceiling: Ceiling, now: datetime) -> Candidate:
    """The row of doubted readings with ``new`` at its end, or a row that begins with it."""
    if candidate is None or judge(candidate.last, new, ceiling) in DOUBTS:
        return Candidate(now, new)
    return Candidate(candidate.since, new, candidate.count + 1)
