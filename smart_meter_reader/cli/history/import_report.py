"""What `history import` says of a file: what is in it, what of it is new, and where that goes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from smart_meter_reader.history.imports.formats.home_assistant import Statistic
from smart_meter_reader.history.imports.formats.sniffing import ImportProgram
from smart_meter_reader.history.imports.placing import SeriesPlan
from smart_meter_reader.history.imports.planning import MeterPlan
from smart_meter_reader.history.imports.staging import StagedRow
from smart_meter_reader.history.imports.taking import Taken
from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.text import printable

_WHAT = {
    ImportProgram.CSV: "CSV",
    ImportProgram.DSMR_READER: "an export of DSMR-reader",
    ImportProgram.P1MONITOR: "the history of P1 Monitor",
    ImportProgram.HOME_ASSISTANT: "the statistics of Home Assistant",
}


def import_lines(
    taken: Taken,
    program: ImportProgram,
    remarks: Sequence[str],
    house: LocalCalendar,
    meters: Collection[str],
    *,
    written: bool,
) -> Iterator[str]:
    """Line by line."""
    yield f"It is {_WHAT[program]}."
    yield from (f"Note: {remark}." for remark in remarks)
    new = 0
    for plan in taken.plans:
        new += plan.new
        if plan.meter not in meters and any(each.rows for each in plan.series):
            yield f"Note: no meter in the settings is called {printable(plan.meter)}."
        for series in plan.series:
            yield from _series(plan, series, house, written=written)
        yield from _devices(plan, house)
    if taken.backup is not None:
        yield f"A backup was made before: {taken.backup}"
    if not new:
        yield "There is nothing new in it."
    elif written:
        yield f"{_amount(new, 'reading')} {'was' if new == 1 else 'were'} written."
    else:
        amount = _amount(new, "reading")
        yield f"Nothing is written yet: the same with --write takes in {amount}, after a backup."


def listing(found: Sequence[Statistic]) -> str:
    """What can be imported from a database of Home Assistant, and how."""
    if not found:
        return "This database has no statistic that counts."
    lines = ["These statistics count; say by --map which of them is which counter:"]
    for each in found:
        since, until = (f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d}" for time in (each.since, each.until))
        lines.append(
            f"  {printable(each.id)}  {printable(each.unit)}, {each.rows} hours from {since} to {until}"
        )
    lines.append(f"such as --map {printable(found[0].id)}=METER.QUANTITY, where QUANTITY is heat_energy,")
    lines.append("active_energy_import_tariff_1, gas_volume ...; :sum behind it takes what Home Assistant")
    lines.append("has added up instead of what the sensor showed, for sensors that begin anew.")
    return "\n".join(lines)


def _series(plan: MeterPlan, each: SeriesPlan, house: LocalCalendar, *, written: bool) -> Iterator[str]:
    if each.first is None or each.last is None:
        return
    name = f"{printable(plan.meter)}, {each.series.quantity}"
    amount = f"{_amount(each.rows, 'reading')} on {_amount(each.days, 'day')}"
    yield f"{name}: {amount}, {_range(each.first, each.last, each, house)}"
    verb = "went" if written else "would go"
    for count, sentence in (
        (each.earlier, f"{verb} before what is stored" if each.stored_first else f"{verb} in as new"),
        (each.filling, f"{verb} into gaps of what is stored"),
        (each.later, f"{verb} behind what is stored"),
        (each.stored_already, "lie where readings are stored already, which stay as they are"),
        (each.differing, "of these say something else than what is stored"),
        (each.contradicting, "are left out: they do not fit between the readings that are stored"),
        (each.between_devices, "are left out: they lie between two devices that are stored"),
        (each.running, "are left out: they are newer than the newest one of the running service"),
    ):
        if count:
            yield f"  {count} {sentence}"
    if each.new and each.stored_unit != each.unit:
        yield f"  It is stored in {each.unit}, beside {each.stored_unit}: between the two nothing is counted"


def _devices(plan: MeterPlan, house: LocalCalendar) -> Iterator[str]:
    for device in sorted(plan.devices.values(), key=lambda each: each.since):
        if device.segment is not None:
            yield f"  They join the present device of {printable(plan.meter)}: its counters go on from them."
        elif device.why != "imported":
            yield (
                f"  From {house.local(device.since):%Y-%m-%d %H:%M} on it is a device of its own "
                f"({device.why.removeprefix('imported: ')}): between the two nothing is counted."
            )


def _range(first: StagedRow, last: StagedRow, each: SeriesPlan, house: LocalCalendar) -> str:
    since, until = (f"{house.local(row.time):%Y-%m-%d %H:%M}" for row in (first, last))
    return (
        f"from {since} ({_shown(first.value)} {each.series.unit}) "
        f"to {until} ({_shown(last.value)} {each.series.unit})"
    )


def _amount(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _shown(value: Decimal) -> str:
    return f"{value:f}"
