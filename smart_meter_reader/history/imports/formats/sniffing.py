"""What a file is: a database or export of a program that is known, or CSV of another origin."""

from __future__ import annotations

import csv
import zipfile
from enum import StrEnum
from pathlib import Path

from smart_meter_reader.history.imports.formats import home_assistant, p1monitor
from smart_meter_reader.history.imports.formats.csv_rows import delimiter_of
from smart_meter_reader.history.imports.formats.databases import MAGIC, table_names
from smart_meter_reader.history.imports.formats.dsmr_reader import is_dsmr_reader
from smart_meter_reader.history.imports.formats.texts import text_lines
from smart_meter_reader.history.imports.found import Findings


class ImportProgram(StrEnum):
    """Where a file comes from."""

    CSV = "csv"
    DSMR_READER = "dsmr-reader"
    P1MONITOR = "p1monitor"
    HOME_ASSISTANT = "home-assistant"


def program_of(path: Path, findings: Findings) -> ImportProgram:
    """Look into a file. Raises OSError, and RefusedFileError for what is none of these."""
    with path.open("rb") as file:
        begin = file.read(len(MAGIC))
        if begin == MAGIC:
            return _of_database(path, findings)
        if zipfile.is_zipfile(path):
            return ImportProgram.P1MONITOR
        file.seek(0)
        head = next(text_lines(file, findings))
    try:
        cells = next(csv.reader([head], delimiter=delimiter_of(head)), [])
    except csv.Error:
        cells = []
    return ImportProgram.DSMR_READER if is_dsmr_reader(cells) else ImportProgram.CSV


def _of_database(path: Path, findings: Findings) -> ImportProgram:
    tables = table_names(path, findings)
    if tables >= home_assistant.TABLES:
        return ImportProgram.HOME_ASSISTANT
    if tables & set(p1monitor.TABLES):
        return ImportProgram.P1MONITOR
    if {"segment", "series", "counter"} <= tables:
        raise findings.give_up("it is a history of this program: `history restore` takes it back")
    raise findings.give_up("it is a database, but neither Home Assistant's nor P1 Monitor's")
