"""What the heads and words of an export are called, and how its numbers and times are written, by language.

Those who read it open it in a spreadsheet of that language: its decimal mark, and a date that it knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from smart_meter_reader.history.rows import RowOrigin

HEADS = (
    "start",
    "end",
    "meter",
    "quantity",
    "counter_start",
    "counter_end",
    "difference",
    "unit",
    "estimated",
    "origin",
)
"""The heads for machines, which never change."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language: ``time`` for ``format``, ``sheet_time`` as XLSX writes the same.

    Between cells its spreadsheets expect a semicolon where the comma is the decimal mark, else a comma.
    """

    heads: tuple[str, ...]
    yes: str
    no: str
    origins: Mapping[RowOrigin, str]
    decimal_mark: str
    time: str
    sheet_time: str

    @property
    def delimiter(self) -> str:
        """What stands between the cells of a CSV file."""
        return ";" if self.decimal_mark == "," else ","


def _origins(measured: str, logger: str, imported: str, by_hand: str) -> Mapping[RowOrigin, str]:
    return MappingProxyType(
        {
            RowOrigin.MEASURED: measured,
            RowOrigin.LOGGER: logger,
            RowOrigin.IMPORTED: imported,
            RowOrigin.BY_HAND: by_hand,
        }
    )


LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        "en": Language(
            (
                "Start",
                "End",
                "Meter",
                "Quantity",
                "Counter at start",
                "Counter at end",
                "Difference",
                "Unit",
                "Estimated",
                "Origin",
            ),
            "yes",
            "no",
            _origins("measured", "logger", "imported", "by hand"),
            ".",
            "%Y-%m-%d %H:%M:%S",
            "yyyy-mm-dd hh:mm:ss",
        ),
        "nl": Language(
            (
                "Begin",
                "Einde",
                "Meter",
                "Grootheid",
                "Meterstand begin",
                "Meterstand einde",
                "Verschil",
                "Eenheid",
                "Geschat",
                "Herkomst",
            ),
            "ja",
            "nee",
            _origins("gemeten", "meterlogboek", "geïmporteerd", "met de hand"),
            ",",
            "%d-%m-%Y %H:%M:%S",
            "dd-mm-yyyy hh:mm:ss",
        ),
        "de": Language(
            (
                "Beginn",
                "Ende",
                "Zähler",
                "Größe",
                "Zählerstand Beginn",
                "Zählerstand Ende",
                "Differenz",
                "Einheit",
                "Geschätzt",
                "Herkunft",
            ),
            "ja",
            "nein",
            _origins("gemessen", "Zählerspeicher", "importiert", "von Hand"),
            ",",
            "%d.%m.%Y %H:%M:%S",
            "dd.mm.yyyy hh:mm:ss",
        ),
        "da": Language(
            (
                "Start",
                "Slut",
                "Måler",
                "Størrelse",
                "Målerstand start",
                "Målerstand slut",
                "Forskel",
                "Enhed",
                "Estimeret",
                "Oprindelse",
            ),
            "ja",
            "nej",
            _origins("målt", "målerens log", "importeret", "manuelt"),
            ",",
            "%d-%m-%Y %H:%M:%S",
            "dd-mm-yyyy hh:mm:ss",
        ),
        "fr": Language(
            (
                "Début",
                "Fin",
                "Compteur",
                "Grandeur",
                "Index au début",
                "Index à la fin",
                "Différence",
                "Unité",
                "Estimé",
                "Origine",
            ),
            "oui",
            "non",
            _origins("mesuré", "mémoire du compteur", "importé", "saisi à la main"),
            ",",
            "%d/%m/%Y %H:%M:%S",
            "dd/mm/yyyy hh:mm:ss",
        ),
    }
)
