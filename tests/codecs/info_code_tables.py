"""The tables of docs/info-codes.md: `.venv/bin/python -m tests.codecs.info_code_tables` renews them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from smart_meter_reader.codecs.info_codes import ADDITIVE, BITS, DIGITS, SHORT, WATER, Family, reports_of

PAGE = Path(__file__).parents[2] / "docs" / "info-codes.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
_ORDER = (BITS, DIGITS, ADDITIVE, SHORT, WATER)


def tables() -> str:
    """All tables, one for each family of models."""
    return "\n".join(line for family in _ORDER for line in _lines(family))


def page() -> str:
    """The page with the tables of today."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def _lines(family: Family) -> Iterator[str]:
    yield f"## {family.title}"
    yield ""
    yield f"How sure: {family.sources}."
    yield ""
    yield f"| {'Display' if family is DIGITS else 'Number'} | Word | The meter reports | What to do |"
    yield "| --- | --- | --- | --- |"
    for number, report in reports_of(family):
        word = f"`{report.key}`" + ("" if report.problem else " (no problem now)")
        yield f"| {number} | {word} | {report.sentence} | {report.advice} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
