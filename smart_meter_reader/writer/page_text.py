"""The table of all meters of a fleet as HTML, for a desk and for a telephone, by day and by night. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from html import escape
from typing import Any, Final

from smart_meter_reader.settings.durations import format_duration
from smart_meter_reader.writer.figures import Figures, age_seconds

# On a telephone each meter is a block: its name and age on one line, the rest below.
_STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #fff; --text: #1a1f25; --soft: #515b66; --line: #d5dbe1; --late: #a3221b;
}
@media (prefers-color-scheme: dark) {
  :root { --page: #11161b; --text: #e9edf1; --soft: #a9b4bf; --line: #36414c; --late: #ff9d94; }
}
body { font: 1rem/1.4 system-ui, sans-serif; margin: 1rem; background: var(--page); color: var(--text); }
h1 { font-size: 1.4rem; margin: 0; } p { color: var(--soft); margin: .3rem 0; }
p.trouble { color: var(--late); }
table { border-collapse: collapse; margin: .6rem 0; overflow-wrap: anywhere; }
th, td { padding: .25rem .9rem .25rem 0; text-align: left; vertical-align: top; min-width: 5.5rem; }
th { color: var(--soft); font-weight: 400; } tbody tr { border-top: 1px solid var(--line); }
td.age { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tr.late td.meter, tr.late td.age { color: var(--late); font-weight: 700; }
@media (max-width: 45rem) {
  table, tbody, td { display: block; } thead { display: none; }
  tbody tr { display: grid; grid-template-columns: 1fr auto; column-gap: 1rem; padding: .4rem 0; }
  td { padding: 0; min-width: 0; grid-column: 1 / -1; color: var(--soft); } td:empty { display: none; }
  td.meter { grid-area: 1 / 1; color: var(--text); font-weight: 700; }
  td.age { grid-area: 1 / 2; color: var(--text); } td[data-name]::before { content: attr(data-name) ": "; }
}
"""
# A page that is loaded anew would jump, and lose what somebody is about to copy.
_SCRIPT: Final = """
const trouble = (text) => {
  const told = document.querySelector(".trouble");
  told.textContent = text; told.hidden = !text;
};
const look = async () => {
  try {
    const answer = await fetch(location.href, {cache: "no-store"}), text = await answer.text();
    if (!answer.ok) { trouble(text); return; }
    trouble("");
    if (!getSelection().isCollapsed) return;
    const found = new DOMParser().parseFromString(text, "text/html");
    for (const part of ["#state", "tbody"])
      document.querySelector(part).replaceWith(found.querySelector(part));
  } catch { trouble("The writer does not answer."); } finally { setTimeout(look, 5000); }
};
setTimeout(look, 5000);
"""


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY: Final = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; connect-src 'self'; "
    "img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page: what a meter says of itself can be no script."""

_HEAD: Final = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Fleet</title>
<link rel="icon" href="data:,"><style>{_STYLE}</style></head><body><main><h1>Fleet</h1>
<p class="trouble" role="status" hidden></p>
"""
_COLUMNS: Final = ("Meter", "Tenant", "Site", "Model", "State", "Newest reading")


def page_of(rows: Iterable[Mapping[str, Any]], now: datetime, late: timedelta, figures: Figures) -> str:
    """The page: all meters with the age of the newest reading, late ones marked."""
    found = list(rows)
    ages = [_age(row, now) for row in found]
    heads = "".join(f'<th scope="col">{word}</th>' for word in _COLUMNS)
    lines = "".join(_line(row, age, late) for row, age in zip(found, ages, strict=True))
    told = _told(len(found), sum(_is_late(age, late) for age in ages), late, figures)
    return (
        f'{_HEAD}<div id="state">{told}<p>{now:%Y-%m-%d %H:%M:%S} UTC</p></div>\n'
        f"<table><thead><tr>{heads}</tr></thead><tbody>\n{lines}</tbody></table>\n"
        f"</main><script>{_SCRIPT}</script></body></html>\n"
    )


def _told(shown: int, late_ones: int, late: timedelta, figures: Figures) -> str:
    """What stands above the table: how many meters, how many of them are late, what waits."""
    total = int(figures.counts.get("meters", 0)) if figures.counts else 0
    meters = "1 meter" if shown == 1 else f"{shown} meters"
    which = f"the first {shown} of {total} meters" if total > shown else meters
    sentences = [f"{which}, {late_ones} late: no reading for {format_duration(late)}"]
    if not shown:
        sentences = ["No meter has told anything yet."]
    waiting = [(stream.lower(), each.lag) for stream, each in figures.lanes.items() if each.lag is not None]
    if waiting:
        lags = ", ".join(f"{stream} {lag}" for stream, lag in waiting)
        sentences.append(f"messages that wait to be written: {lags}")
    elif not figures.connected:
        sentences.append("the NATS servers do not answer this writer: see its log")
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def _age(row: Mapping[str, Any], now: datetime) -> timedelta | None:
    newest = row["newest"]
    return None if newest is None else timedelta(seconds=round(age_seconds(newest, now)))


def _coarse(age: timedelta) -> timedelta:
    """Nobody wants to know of a day to the second."""
    unit = timedelta(seconds=1)
    for longer, coarser in (
        (timedelta(hours=1), timedelta(minutes=1)),
        (timedelta(days=1), timedelta(hours=1)),
    ):
        if age >= longer:
            unit = coarser
    return age - age % unit


def _is_late(age: timedelta | None, late: timedelta) -> bool:
    return age is None or age > late


def _line(row: Mapping[str, Any], age: timedelta | None, late: timedelta) -> str:
    mixed = "(two devices of this name)" if row["mixed"] else ""
    state = " ".join(part for part in (row["state"], row["reason"], mixed) if part)
    named = zip(_COLUMNS[1:5], (row["tenant"], row["site"], row["model"], state), strict=True)
    cells = "".join(
        f'<td data-name="{name}">{escape(str(part))}</td>' if part else "<td></td>" for name, part in named
    )
    is_late = _is_late(age, late)
    told = "none yet" if age is None else f"{format_duration(_coarse(age))} ago{', late' if is_late else ''}"
    meter = f'<td class="meter">{escape(str(row["meter"]))}</td>'
    return f'<tr{" class=late" if is_late else ""}>{meter}{cells}<td class="age">{told}</td></tr>\n'
