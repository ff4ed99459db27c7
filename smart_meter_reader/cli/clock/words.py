"""What a meter's clock says beside this computer's, and what setting it does, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta, tzinfo

from smart_meter_reader.cli.logs.table import local_text
from smart_meter_reader.meters.backfill.stamps import clock_error, standard_offset
from smart_meter_reader.meters.by_hand import ClockReading

# Below that, what the seconds cut off and the line let nobody tell.
_NOTHING = 2
_SMALL = 60
_WRONG = 1800


def drift_of(told: ClockReading, zone: tzinfo) -> int:
    """How many seconds the meter's clock is ahead of this computer's."""
    return round(clock_error(told.standard, told.at, zone).total_seconds())


def clock_lines(told: ClockReading, zone: tzinfo) -> Iterator[str]:
    """Both clocks, one under the other, and how far apart they are."""
    hours = standard_offset(zone, told.standard.year) / timedelta(hours=1)
    shown = f"; its display adds {told.dst_minutes} min of summer time" if told.dst_minutes else ""
    yield f"meter          {told.standard}  standard time (UTC{hours:+g} h){shown}"
    here = told.at.astimezone(UTC) + standard_offset(zone, told.standard.year)
    local = local_text(told.at.replace(microsecond=0), zone, seconds=True)
    yield f"this computer  {here.replace(tzinfo=None, microsecond=0)}  ({local})"
    yield f"drift          {drift_text(drift_of(told, zone))}"


def drift_text(drift: int) -> str:
    """``the meter's clock is 95 s ahead``."""
    if abs(drift) < _NOTHING:
        return "the meter's clock is right, to a second or two"
    return f"the meter's clock is {_apart(drift)}"


def _apart(drift: int) -> str:
    return f"{abs(drift)} s {'ahead' if drift > 0 else 'behind'}"


def meaning(drift: int) -> str:
    """What that drift does to the rows of its hours."""
    if abs(drift) < _SMALL:
        return "Its hours are right: what counts as an hour begins and ends within a minute of it."
    minutes = round(abs(drift) / 60)
    when = "before" if drift > 0 else "after"
    if abs(drift) <= _WRONG:
        return (
            f"Each hour and day that it logs begins and ends {minutes} min {when} the true one. They are "
            "taken for hours and days of its own clock; nothing is lost by it."
        )
    return (
        f"Its hours begin and end {minutes} min {when} those that its stamps name, as if its clock had "
        "another zone's time. What is read back is put right by that; if its display shows the right time, "
        "give the zone by --zone, and in settings.toml by logger_zone."
    )


def consequences(drift: int) -> Iterator[str]:
    """What setting the clock does, for who is about to."""
    if drift > 0:
        yield (
            f"The clock goes back by {drift} s: stamps of its loggers then overlap, since that time comes "
            "twice."
        )
    else:
        yield f"The clock jumps forward by {-drift} s: in its loggers that time is missing."
    yield "Searches in its loggers by time become doubtful there; entries made before keep their stamps."
    yield (
        "The utility may regard this as a change of a sealed meter, and the meter may count it as one: ask "
        "the utility first unless the meter is yours."
    )
    yield "It is set to standard time, without summer time, as its loggers want it."


def done(acknowledged: bool, before: int, after: int | None) -> tuple[bool, str]:
    """Whether the clock is set now, and what there is to say of that."""
    if after is None:
        said = "acknowledged the command" if acknowledged else "did not acknowledge the command"
        return False, f"the meter {said}, and then did not tell its clock: look again with `clock`"
    if abs(after) <= _NOTHING and (acknowledged or abs(before) > _NOTHING):
        word = "" if acknowledged else ", although it did not acknowledge the command"
        return True, f"the clock is set{word}: {drift_text(after)}; it was {_apart(before)}"
    if acknowledged:
        return False, f"the meter acknowledged the command, but its clock was not set: {drift_text(after)}"
    return False, (
        "the meter did not acknowledge the command, and its clock is what it was: "
        f"{drift_text(after)}. This meter cannot be set through its optical head by that command"
    )
