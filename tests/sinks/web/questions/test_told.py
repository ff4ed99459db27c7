"""Spreads, peaks, import against export, gaps and events: exact figures of small homes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.history.errors import NoHistoryError
from smart_meter_reader.history.rows import EventRow
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Message
from smart_meter_reader.sinks.web.questions import QuestionError, Questions
from tests.history.homes import energy, reading, status
from tests.sinks.web.questions.asking import AMSTERDAM, ask, at, home

NOW = "2026-03-10T18:00"


def test_a_gauge_by_day(tmp_path: Path) -> None:
    first = at("2026-03-01T00:00")
    path = home(
        tmp_path / "h",
        [
            reading(
                first + 1800 * each, {"power": (Decimal(each % 48), "kW"), "heat_energy": (str(each), "kWh")}
            )
            for each in range(96)
        ],
    )
    told = ask(path, "spreads", NOW, view="month")
    assert (told["quantity"], told["name"], told["unit"], told["period"]) == ("power", "Power", "kW", "day")
    assert told["spreads"][0] == {
        "begin": datetime(2026, 3, 1, tzinfo=AMSTERDAM),
        "end": datetime(2026, 3, 2, tzinfo=AMSTERDAM),
        "label": "2026-03-01",
        "n": 48,
        "low": 0,
        "high": 47,
        "mean": Decimal("23.5"),
    }
    assert told["spreads"][2]["mean"] is None
    assert ask(path, "spreads", NOW, date="2026-03-02")["period"] == "hour"
    assert ask(path, "spreads", NOW, view="all")["view"]["earlier"] is False
    for words, said in (
        ({"quantity": "volume_flow"}, "no gauge is stored; stored is: power"),
        ({"period": "quarter"}, "an hour is the shortest that is kept"),
    ):
        with pytest.raises(QuestionError, match=said):
            ask(path, "spreads", NOW, **words)


def test_a_meter_without_gauges_has_no_spreads(tmp_path: Path) -> None:
    path = home(tmp_path / "h", [energy(at("2026-03-01T00:00"), "1")])
    with pytest.raises(QuestionError, match="of the meter heat no gauge is stored"):
        ask(path, "spreads", NOW)


def test_the_peaks_of_twelve_months(tmp_path: Path) -> None:
    first, value = at("2026-01-01T00:00"), Decimal(1000)
    messages: list[Message] = []
    for quarter in range(60 * 96):
        messages.append(reading(first + quarter * 900, {"active_energy_import": (value, "kWh")}, "power"))
        value += Decimal("1.205") if quarter == 1234 else Decimal("0.100")
    told = ask(home(tmp_path / "h", messages), "peaks", "2026-03-01T12:00")
    assert (told["meter"], told["unit"], len(told["months"])) == ("power", "kW", 12)
    january, february, march = told["months"][-3:]
    assert january == {
        "begin": datetime(2026, 1, 1, tzinfo=AMSTERDAM),
        "end": datetime(2026, 2, 1, tzinfo=AMSTERDAM),
        "label": "2026-01",
        "peak": datetime(2026, 1, 13, 20, 30, tzinfo=AMSTERDAM),
        "power": Decimal("4.820"),
        "quarters": 2976,
        "running": False,
    }
    assert february["power"] == march["power"] == Decimal("0.400")
    assert march["running"]
    assert told["months"][0]["power"] is None
    # None counts as less than 2.5 kW.
    assert told["billed"] == Decimal("3.273")


def test_what_counts_no_electricity_has_no_peaks(tmp_path: Path) -> None:
    path = home(tmp_path / "h", [energy(at("2026-03-01T00:00"), "1")])
    for name in ("peaks", "balance"):
        with pytest.raises(QuestionError, match="heat counts no electricity"):
            ask(path, name, NOW)


def test_own_use_of_what_was_produced(tmp_path: Path) -> None:
    first = at("2026-03-01T00:00")

    def of(day: int) -> list[Message]:
        grid = {
            "active_energy_import_tariff_1": (100 + day, "kWh"),
            "active_energy_import_tariff_2": (200 + 2 * day, "kWh"),
            "active_energy_export": (50 + 4 * day, "kWh"),
        }
        return [
            reading(first + 86400 * day, {key: (Decimal(each), unit) for key, (each, unit) in grid.items()}),
            reading(first + 86400 * day, {"active_energy_export": (Decimal(9000 * day), "Wh")}, "solar"),
        ]

    path = home(tmp_path / "h", [message for day in range(5) for message in of(day)])
    told = ask(path, "balance", NOW, view="month", production="solar")
    assert (told["meter"], told["production"], told["unit"]) == ("heat", "solar", "kWh")
    whole = told["total"]
    assert [whole[key] for key in ("imported", "exported", "produced", "net", "own_use", "used")] == [
        12, 16, 36, -4, 20, 32,
    ]  # fmt: skip
    one = told["bars"][1]
    assert (one["label"], one["imported"], one["own_use"], one["used"]) == ("2026-03-02", 3, 5, 8)
    assert told["bars"][9]["imported"] is None
    without = ask(path, "balance", NOW, view="month")["total"]
    assert (without["net"], without["own_use"], without["used"]) == (-4, None, None)
    with pytest.raises(QuestionError, match="production: nothing is stored of 'sun'"):
        ask(path, "balance", NOW, production="sun")


def test_gaps_and_events(tmp_path: Path) -> None:
    first = at("2026-03-01T00:00")
    hours = [0, 1, 2, 3, 10, 11, 12, 13]
    messages: list[Message] = [energy(first + hour * 3600, Decimal(hour)) for hour in hours]
    messages.insert(4, status(first + 3 * 3600 + 1800, "meter_silent", state="offline"))
    path = home(tmp_path / "h", messages)
    told = ask(path, "gaps", NOW)
    assert (told["meter"], told["quantity"], told["left_off"]) == ("heat", "heat_energy", 0)
    assert told["gaps"] == [
        {
            "begin": datetime(2026, 3, 1, 3, tzinfo=AMSTERDAM),
            "end": datetime(2026, 3, 1, 10, tzinfo=AMSTERDAM),
            "reason": "meter_silent",
            "text": "because of meter_silent",
            "counted": True,
            "filled": False,
        }
    ]
    assert ask(path, "gaps", NOW, from_="2026-03-02", to="2026-03-03")["gaps"] == []
    (event,) = ask(path, "events", NOW)["events"]
    assert (event["meter"], event["kind"]) == ("heat", "meter_silent")
    assert event["time"] == datetime(2026, 3, 1, 3, 30, tzinfo=AMSTERDAM)
    assert ask(path, "events", NOW, meter="heat")["events"] == [event]
    for words, said in (
        ({"from_": "2026-03-02", "to": "2026-03-02"}, "to: 2026-03-02 is not after"),
        ({"from_": "2020-03-02"}, "too long; ask for 400 days at most"),
    ):
        with pytest.raises(QuestionError, match=said):
            ask(path, "events", NOW, **words)


def test_an_unknown_meter_is_refused_and_not_one_to_which_nothing_happened(tmp_path: Path) -> None:
    path = home(
        tmp_path / "h", [energy(at("2026-03-01T00:00"), "1"), energy(at("2026-03-01T00:00"), "1", "gas")]
    )
    assert ask(path, "events", NOW, meter="gas") == {"events": [], "left_off": 0}
    for name in ("events", "gaps"):
        with pytest.raises(QuestionError, match="meter: nothing is stored of 'power'; stored is: heat, gas"):
            ask(path, name, NOW, meter="power")


def test_of_a_meter_that_never_answered_it_is_told_what_happened(tmp_path: Path) -> None:
    """No value of it is stored, and there it is least wanted that its name is not known."""
    path = home(tmp_path / "h", [status(at("2026-03-01T00:00"), "no_answer", "gas", state="offline")])
    (event,) = ask(path, "events", NOW, meter="gas")["events"]
    assert (event["meter"], event["kind"]) == ("gas", "no_answer")


def test_nothing_is_stored_of_any_meter_yet(tmp_path: Path) -> None:
    path = home(tmp_path / "h", [])
    assert ask(path, "events", NOW)["events"] == []
    with pytest.raises(NoHistoryError):
        ask(path, "events", NOW, meter="heat")


def test_meters_say_what_they_are(tmp_path: Path) -> None:
    first = at("2026-03-01T00:00")
    path = home(
        tmp_path / "h",
        [
            reading(first, {"active_energy_import_tariff_1": ("1", "kWh")}, "power"),
            reading(first + 900, {"active_energy_import_tariff_1": ("2", "kWh")}, "power"),
            reading(first, {"active_energy_import_tariff_2": ("1", "kWh")}, "power"),
            energy(first, "5.00"),
        ],
        year_begins="06-01",
    )
    told = ask(path, "meters", NOW)
    assert (told["zone"], told["year_begins"]) == ("Europe/Amsterdam", "06-01")
    assert told["newest"] == datetime(2026, 3, 1, 0, 15, tzinfo=AMSTERDAM)
    power, heat = told["meters"]
    assert (power["medium"], power["main"]) == ("electricity", "active_energy_import")
    assert power["mains"][0]["quantities"] == [
        "active_energy_import_tariff_1",
        "active_energy_import_tariff_2",
    ]
    assert power["mains"][0]["last"] == datetime(2026, 3, 1, 0, 15, tzinfo=AMSTERDAM)
    assert heat["quantities"] == [
        {
            "quantity": "heat_energy",
            "name": "Heat energy",
            "unit": "kWh",
            "kind": "counter",
            "decimals": 2,
        }
    ]
    assert heat["devices"][0]["since"].date() == date(2026, 3, 1)
    assert heat["notes"] == []


def test_the_questions_of_one_look_see_the_same(tmp_path: Path) -> None:
    path = home(tmp_path / "h", [energy(at("2026-03-01T00:00"), "1"), energy(at("2026-03-02T00:00"), "2")])
    questions = Questions(path, clock=lambda: at(NOW))
    days = {"from": "2026-03-01", "to": "2026-03-20"}
    with questions.one_look():
        before = questions.ask("events", days)["events"]
        store = Store(path)
        store.open()
        store.write([EventRow("heat", at("2026-03-05T08:00"), "no_answer", "no answer")])
        store.close()
        assert questions.ask("events", days)["events"] == before
    assert len(questions.ask("events", days)["events"]) == len(before) + 1
