"""`history note`: what a person knows better than the readings, kept beside them; it can be taken back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import click

from smart_meter_reader.cli.history.place import existing_history
from smart_meter_reader.cli.history.stored import require_stored
from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.history.questions.effects import Change, effects
from smart_meter_reader.history.questions.record import History, Note
from smart_meter_reader.history.questions.supposing import SupposedHistory
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.history.typed_times import typed_time
from smart_meter_reader.text import printable

_MOST_DAYS = 10
_STAMP = "%Y-%m-%d %H:%M:%S"
_TIME_HELP = "By the clock of the house: 2026-03-01T14:30, or 2026-03-01 alone; or with an offset."

_environment = click.option(
    "--env", "environment", metavar="ENV", shell_complete=complete_environment, help="The environment."
)
_dry_run = click.option("--dry-run", is_flag=True, help="Only say what would change.")


@click.group()
def note() -> None:
    """Correct the history: a meter was replaced, or values are wrong.

    A note is kept beside the readings, which stay as they are, and counts in everything that is shown. It can
    be taken back at any time.
    """


@note.command()
@click.argument("meter")
@click.argument("text", required=False, default="")
@click.option("--at", required=True, metavar="TIME", help=f"When. {_TIME_HELP}")
@_environment
@_dry_run
def replaced(meter: str, text: str, at: str, environment: str | None, dry_run: bool) -> int:
    """Note that METER was replaced: its counters begin anew there.

    TEXT says why, for whoever reads it later. What the meter showed before and after is no longer compared.
    """
    path = existing_history(environment)
    house = _house(path)
    when = _typed(at, house, end=False)
    return _note(path, meter, "", "replaced", when, when, text, dry_run=dry_run)


@note.command()
@click.argument("meter")
@click.argument("text", required=False, default="")
@click.option("--from", "since", required=True, metavar="TIME", help=f"The first one. {_TIME_HELP}")
@click.option("--to", "until", required=True, metavar="TIME", help="The last one; of a day alone its end.")
@click.option(
    "--quantity", default="", help="Only this quantity, such as heat_energy; else all of the meter."
)
@_environment
@_dry_run
def wrong(
    meter: str, text: str, since: str, until: str, quantity: str, environment: str | None, dry_run: bool
) -> int:
    """Note that what METER told from a time to a time is wrong, both included.

    TEXT says why, for whoever reads it later. What was counted meanwhile follows from the readings before and
    after.
    """
    path = existing_history(environment)
    house = _house(path)
    begin, end = _typed(since, house, end=False), _typed(until, house, end=True)
    if end < begin:
        raise click.UsageError(f"--to {until} is before --from {since}")
    return _note(path, meter, quantity, "wrong", begin, end, text, dry_run=dry_run)


@note.command("list")
@_environment
def list_notes(environment: str | None) -> int:
    """List all notes, those that were taken back too."""
    with History(existing_history(environment)) as history:
        notes, house = history.notes(), history.house
    for each in notes:
        gone = "" if each.taken_back is None else f"  [taken back {house.local(each.taken_back):{_STAMP}}]"
        print(f"{each.number}  {_sentence(each, house)}{gone}")
    if not notes:
        print("There are no notes.")
    return EXIT_OK


@note.command()
@click.argument("number", type=int)
@_environment
@_dry_run
def undo(number: int, environment: str | None, dry_run: bool) -> int:
    """Take back the note NUMBER, as `history note list` numbers them."""
    path = existing_history(environment)
    with History(path) as history, SupposedHistory(path) as then:
        found = next((each for each in history.notes() if each.number == number), None)
        if found is None:
            raise click.UsageError(f"there is no note {number}: `history note list` lists them")
        if found.taken_back is not None:
            raise click.UsageError(f"note {number} is taken back already")
        then.suppose_taken_back(number)
        keys = _quantities(history, found.meter, found.quantity)
        _tell_effects(history, then, found.meter, keys, found.since, found.until)
        print(("would take back: " if dry_run else "taken back: ") + _sentence(found, history.house))
    if not dry_run:
        store = Store(path)
        store.open()
        try:
            store.take_back(number)
        finally:
            store.close()
    return EXIT_OK


def _note(
    path: Path, meter: str, quantity: str, kind: str, since: int, until: int, text: str, *, dry_run: bool
) -> int:
    with History(path) as history, SupposedHistory(path) as then:
        keys = _quantities(history, meter, quantity)
        then.suppose_note(meter, quantity, kind, since, until)
        _tell_effects(history, then, meter, keys, since, until)
        told = _sentence(Note(0, meter, quantity, kind, since, until, text, None), history.house)
    if dry_run:
        print(f"would be noted: {told}")
        return EXIT_OK
    store = Store(path)
    store.open()
    try:
        number = store.note(meter, quantity, kind, since, until, text)
    finally:
        store.close()
    print(f"noted as {number}: {told}")
    print(f"`history note undo {number}` takes it back.")
    return EXIT_OK


def _tell_effects(
    history: History, then: History, meter: str, quantities: Sequence[str], since: int, until: int
) -> None:
    try:
        found = list(effects(history, then, meter, quantities, since, until))
    except ValueFormatError as error:
        raise click.UsageError(str(error)) from None
    for line in _shown(found):
        print(line)


def _shown(found: Sequence[Change]) -> Iterator[str]:
    if not found:
        yield "No total of any day changes."
    for quantity in dict.fromkeys(change.quantity for change in found):
        changes = [change for change in found if change.quantity == quantity]
        days = [change for change in changes if change.day is not None]
        for change in days[:_MOST_DAYS]:
            yield f"{quantity}: the total of {change.day} changes from {_from_to(change)}"
        if len(days) > _MOST_DAYS:
            yield f"{quantity}: so do those of {len(days) - _MOST_DAYS} other days"
        for change in changes:
            if change.day is None:
                yield f"{quantity}: the total of all time changes from {_from_to(change)}"


def _from_to(change: Change) -> str:
    before, after = (
        "unknown" if value is None else f"{value:f} {change.unit}".rstrip()
        for value in (change.before, change.after)
    )
    return f"{before} to {after}"


def _sentence(each: Note, house: LocalCalendar) -> str:
    what = f"{each.meter}, {each.quantity}" if each.quantity else each.meter
    since, until = (f"{house.local(time):{_STAMP} %z}" for time in (each.since, each.until))
    when = f"replaced at {since}" if each.kind == "replaced" else f"wrong from {since} to {until}"
    return f"{what} {when}" + (f": {printable(each.text)}" if each.text else "")


def _quantities(history: History, meter: str, quantity: str) -> list[str]:
    """The counters that a note is about. Raises click.UsageError for a name that nothing is stored of."""
    require_stored("meter", [meter], history.meters())
    kept = [each.quantity for each in history.kept(meter) if each.kind == "counter"]
    if quantity and quantity not in kept:
        raise click.UsageError(f"there is no counter {quantity} of {meter}; stored is: {', '.join(kept)}")
    return [quantity] if quantity else kept


def _house(path: Path) -> LocalCalendar:
    with History(path) as history:
        return history.house


def _typed(text: str, house: LocalCalendar, *, end: bool) -> int:
    try:
        found = typed_time(text, house, end=end)
    except ValueFormatError as error:
        raise click.UsageError(str(error)) from None
    if found > time.time() + timedelta(days=1).total_seconds():
        raise click.UsageError(f"{text} is yet to come")
    return found
