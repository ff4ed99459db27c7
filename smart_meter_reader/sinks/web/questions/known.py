"""Which meters something is stored of: what each counts, its devices, and what people noted of it."""

from __future__ import annotations

from typing import TypedDict

from smart_meter_reader.history.media import medium_of
from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.history.questions.record import Kept, Note, Segment
from smart_meter_reader.sinks.web.questions.asked import Inquiry, Moment
from smart_meter_reader.sinks.web.questions.chosen import counters_of, mains_of, name_of


class QuantityAnswer(TypedDict):
    """One quantity that is stored; kind: counter or gauge."""

    quantity: str
    name: str
    unit: str
    kind: str
    decimals: int


class MainAnswer(TypedDict):
    """What a meter counts of one medium, and from when to when something is known of it."""

    medium: str
    quantity: str
    name: str
    quantities: list[str]
    unit: str
    first: Moment | None
    last: Moment | None


class DeviceAnswer(TypedDict):
    """One device behind a meter's name; until null: it is there still."""

    serial_number: str
    since: Moment
    until: Moment | None
    why: str


class NoteAnswer(TypedDict):
    """What a person noted: a counter replaced, or its values wrong from since to until."""

    number: int
    quantity: str
    kind: str
    since: Moment
    until: Moment
    text: str
    taken_back: Moment | None


class MeterAnswer(TypedDict):
    """One meter; main: its main quantity."""

    meter: str
    medium: str
    main: str | None
    mains: list[MainAnswer]
    quantities: list[QuantityAnswer]
    devices: list[DeviceAnswer]
    notes: list[NoteAnswer]


class MetersAnswer(TypedDict):
    """All meters of the history, and whose days they are counted by."""

    time: Moment
    zone: str
    year_begins: str
    newest: Moment | None
    meters: list[MeterAnswer]


def meters(asked: Inquiry) -> MetersAnswer:
    """All that is stored of, and how it is called."""
    house, newest = asked.house, asked.history.newest()
    notes = asked.history.notes()
    month, day = house.year_begins
    return {
        "time": house.local(asked.now),
        "zone": house.zone.key,
        "year_begins": f"{month:02}-{day:02}",
        "newest": house.local(newest) if newest else None,
        "meters": [
            _meter(asked, name, [note for note in notes if note.meter == name])
            for name in asked.history.meters()
        ],
    }


def _meter(asked: Inquiry, name: str, notes: list[Note]) -> MeterAnswer:
    kept = asked.history.kept(name)
    mains = mains_of(kept)
    return {
        "meter": name,
        "medium": medium_of({each.quantity for each in kept}),
        "main": mains[0].key if mains else None,
        "mains": [_main(asked, name, main.medium, main.key, main.quantities) for main in mains],
        "quantities": [_quantity(each) for each in kept],
        "devices": [_device(asked.house, each) for each in asked.history.segments(name)],
        "notes": [_note(asked.house, each) for each in notes],
    }


def _quantity(kept: Kept) -> QuantityAnswer:
    return {
        "quantity": kept.quantity,
        "name": name_of(kept.quantity),
        "unit": kept.unit,
        "kind": kept.kind,
        "decimals": kept.decimals,
    }


def _device(house: LocalCalendar, segment: Segment) -> DeviceAnswer:
    return {
        "serial_number": segment.serial_number,
        "since": house.local(segment.since),
        "until": None if segment.until is None else house.local(segment.until),
        "why": segment.why,
    }


def _note(house: LocalCalendar, note: Note) -> NoteAnswer:
    return {
        "number": note.number,
        "quantity": note.quantity,
        "kind": note.kind,
        "since": house.local(note.since),
        "until": house.local(note.until),
        "text": note.text,
        "taken_back": None if note.taken_back is None else house.local(note.taken_back),
    }


def _main(asked: Inquiry, meter: str, medium: str, key: str, quantities: tuple[str, ...]) -> MainAnswer:
    counters = counters_of(asked.history, meter, quantities)
    parts = [part for counter in counters for part in counter.parts]
    house = asked.house
    return {
        "medium": medium,
        "quantity": key,
        "name": name_of(key),
        "quantities": list(quantities),
        "unit": counters[0].parts[-1].unit if counters else "",
        "first": house.local(min(part.first.time for part in parts)) if parts else None,
        "last": house.local(max(part.last.time for part in parts)) if parts else None,
    }
