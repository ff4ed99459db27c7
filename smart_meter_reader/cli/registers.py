"""The command `registers`: the table of KMP registers."""

from __future__ import annotations

import shutil
import sys

import click

from smart_meter_reader.codecs.kmp.registers import REGISTERS, Register, resolve_register
from smart_meter_reader.console.wrapping import wrapped
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.quantities.aliases import names_for

_HEADINGS = ("id", "quantity", "kind", "models", "proven on", "also called", "note")
_NARROW = 3  # so many columns have room in a line of a terminal; the others follow below, by their heading


@click.command
@click.argument("wanted", nargs=-1, metavar="[REGISTER...]")
@click.option("--model", help="Only registers seen on this model, as in the table: 403, 303/603, ...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per register and line.")
def registers(wanted: tuple[str, ...], model: str | None, as_json: bool) -> None:
    """List the registers of Kamstrup meters: id, quantity, kind of unit, models.

    With REGISTER (an id like 60 or 0x3C, or a quantity like heat_energy) only those. A meter can know more
    registers than the table tells; any id can be read, as register_<id>.

    "also called" are names of other programs and of manuals, which are taken for the quantity.

    "proven on" names the models from which a captured answer exists; "models" those that a document or a
    project lists.
    """
    rows = _chosen(wanted, model)
    if as_json:
        for row in rows:
            click.echo(dumps_for(sys.stdout, _object(row)))
        return
    cells = [_cells(row) for row in rows]
    table = _table(cells)
    columns = shutil.get_terminal_size().columns
    if sys.stdout.isatty() and max(map(len, table)) > columns:
        table = _narrow(cells, columns)
    for line in table:
        click.echo(line)


def _chosen(wanted: tuple[str, ...], model: str | None) -> list[Register]:
    try:
        rows = [resolve_register(text) for text in wanted] or list(REGISTERS.values())
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if model is None:
        return rows
    models = {name for row in REGISTERS.values() for name in row.models}
    # 303 and 603 are listed together; either finds both.
    chosen = {name for name in models if model in (name, *name.split("/"))}
    if not chosen:
        raise click.UsageError(
            f"no register is known of a model {model!r}; there are {', '.join(sorted(models))}"
        )
    return [row for row in rows if chosen.intersection(row.models)]


def _object(row: Register) -> dict[str, object]:
    return {
        "id": row.id,
        "hex": f"0x{row.id:04X}",
        "quantity": row.quantity,
        "name": row.name,
        "kind": row.kind,
        "models": row.models,
        "proven": row.proven,
        "aliases": names_for(row.quantity),
        **({"note": row.note} if row.note else {}),
    }


def _cells(row: Register) -> tuple[str, ...]:
    kind = row.kind.value.replace("_", " ") if row.kind else ""
    names = " ".join(names_for(row.quantity))
    return (str(row.id), row.quantity, kind, " ".join(row.models), " ".join(row.proven), names, row.note)


def _narrow(rows: list[tuple[str, ...]], columns: int) -> list[str]:
    """The table for a terminal of ``columns``: what has no room in a line stands below it, set in."""
    heads, *first = _table([row[:_NARROW] for row in rows], _HEADINGS[:_NARROW])
    lines = [heads]
    for row, line in zip(rows, first, strict=True):
        lines.append(line)
        told = (
            f"{heading}: {cell}"
            for heading, cell in zip(_HEADINGS[_NARROW:], row[_NARROW:], strict=True)
            if cell
        )
        lines.append(wrapped("      " + "; ".join(told), columns, "      "))
    return lines


def _table(rows: list[tuple[str, ...]], headings: tuple[str, ...] = _HEADINGS) -> list[str]:
    table = [headings, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
