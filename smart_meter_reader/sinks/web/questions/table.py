"""All questions: what each is called, what may be said with it, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from smart_meter_reader.history.exports.words import LANGUAGES
from smart_meter_reader.history.periods import Period
from smart_meter_reader.history.questions.overview import PeriodShown
from smart_meter_reader.sinks.web.questions import (
    counted,
    download,
    known,
    money,
    peak,
    recent,
    shares,
    spread,
    told,
    warmth,
)
from smart_meter_reader.sinks.web.questions.asked import Inquiry


@dataclass(frozen=True, slots=True)
class Parameter:
    """One word that may be said with a question, as text; ``format``: date, date-time, integer or ""."""

    name: str
    help: str
    choices: tuple[str, ...] = ()
    format: str = ""


@dataclass(frozen=True, slots=True)
class QuestionKind:
    """One question. ``answer`` blocks, and raises QuestionError and HistoryError."""

    summary: str
    parameters: tuple[Parameter, ...]
    shape: type[Any]
    answer: Callable[[Inquiry], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class DownloadKind:
    """The question that is answered by a file."""

    summary: str
    parameters: tuple[Parameter, ...]
    content_types: tuple[str, ...]


METER = Parameter("meter", "the meter; without it the first one")
QUANTITY = Parameter("quantity", "the counter, such as heat_energy; without it the meter's main one")
UNIT = Parameter("unit", "the unit, such as kWh or GJ; without it the meter's own")
STRETCH = (
    Parameter("view", "the stretch in which `date` lies; without it the day", tuple(PeriodShown)),
    Parameter("date", "a local day in the view; without it today", format="date"),
    Parameter("from", "instead of a view: the first local day", format="date"),
    Parameter("to", "instead of a view: the day after the last one", format="date"),
    Parameter(
        "period",
        "how long a bar is; without it what suits the stretch; a longer one is taken where bars are too many",
        tuple(Period),
    ),
)
DAYS = (
    Parameter("from", "the first local day; without it 31 days before `to`", format="date"),
    Parameter("to", "the day after the last one; without it tomorrow", format="date"),
)
TARIFFS = Parameter("tariffs", "whether the registers of the tariffs are told as well", ("no", "yes"))

QUESTIONS: Mapping[str, QuestionKind] = MappingProxyType(
    {
        "meters": QuestionKind(
            "The meters that something is stored of, and what of each", (), known.MetersAnswer, known.meters
        ),
        "bars": QuestionKind(
            "What a counter has counted, bar by bar",
            (METER, QUANTITY, UNIT, *STRETCH, TARIFFS),
            counted.BarsAnswer,
            counted.bars,
        ),
        "compare": QuestionKind(
            "The same beside the period before, and beside the same one a year before",
            (METER, QUANTITY, UNIT, *STRETCH, TARIFFS),
            counted.CompareAnswer,
            counted.compare,
        ),
        "recent": QuestionKind(
            "Single readings of the last days as curves",
            (
                Parameter("meter", "the meter"),
                Parameter("quantities", "up to six, with commas between; without it the powers and the flow"),
                Parameter("minutes", "so many minutes, up to 2880; without it 60", format="integer"),
                Parameter("until", "up to this moment; without it up to now", format="date-time"),
                Parameter("points", "how many times at most, up to 5000; without it 600", format="integer"),
            ),
            recent.RecentAnswer,
            recent.recent,
        ),
        "spreads": QuestionKind(
            "Lowest, highest and mean of a gauge, such as power",
            (METER, Parameter("quantity", "the gauge, such as power; without it the power"), *STRETCH),
            spread.SpreadsAnswer,
            spread.spreads,
        ),
        "peaks": QuestionKind(
            "The highest quarter of an hour of each of twelve months, as capacity tariffs bill them",
            (METER, Parameter("date", "a day in the last month; without it today", format="date")),
            peak.PeaksAnswer,
            peak.peaks,
        ),
        "balance": QuestionKind(
            "Import against export, and own use",
            (METER, Parameter("production", "the meter that counts what is produced here"), *STRETCH),
            shares.BalanceAnswer,
            shares.shares,
        ),
        "heat": QuestionKind(
            "Volume, temperatures weighted by it, and energy of a heat meter, with hints",
            (Parameter("meter", "the meter; without it the first one of heat"), UNIT, *STRETCH),
            warmth.HeatAnswer,
            warmth.heat,
        ),
        "costs": QuestionKind(
            "What it cost by the contracts of the settings, and what a year will",
            (
                Parameter("meter", "the meter; without it the first one with a contract"),
                Parameter("medium", "what the contracts are for; without it that of the first one"),
                Parameter("contract", "only this one; without it all of the meter together"),
                *STRETCH,
            ),
            money.CostsAnswer,
            money.costs,
        ),
        "gaps": QuestionKind(
            "When a counter was not read, and why", (METER, QUANTITY, *DAYS), told.GapsAnswer, told.gaps
        ),
        "events": QuestionKind(
            "What happened",
            (Parameter("meter", "the meter; without it all"), *DAYS),
            told.EventsAnswer,
            told.events,
        ),
    }
)
"""The questions by name."""

DOWNLOAD = DownloadKind(
    "What is stored as a file, or a copy of the whole history",
    (
        Parameter(
            "kind",
            "csv is for machines, csv-people and xlsx are for spreadsheets, backup is the whole history",
            tuple(download.FileKind),
        ),
        Parameter("meters", "only these, with commas between"),
        Parameter("quantities", "only these, with commas between"),
        Parameter("from", "the first local day", format="date"),
        Parameter("to", "the day after the last one", format="date"),
        Parameter(
            "step",
            "how long a line lasts; without it a day; readings: from one stored reading to the next",
            download.STEPS,
        ),
        Parameter("language", "of csv-people and xlsx", tuple(LANGUAGES)),
    ),
    tuple(dict.fromkeys(download.CONTENT_TYPES.values())),
)
"""What `download` may be asked."""
