"""The question costs: by contracts as people write them, what a year will cost, and what lacks a price."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.history.costs.contracts import TimeSlot
from smart_meter_reader.messages import Message
from smart_meter_reader.settings.schema import Origin, Place, parse
from smart_meter_reader.sinks.web.contract_settings import ContractSettings, expected_pairs, time_slot
from smart_meter_reader.sinks.web.questions import QuestionError
from tests.history.homes import energy, reading
from tests.sinks.web.questions.asking import AMSTERDAM, ask, ask_entered, at, home

NOW = "2026-03-10T18:00"
HEAT = ContractSettings(
    meter="heat",
    price=Decimal("0.10"),
    fixed_per_month=Decimal("31.00"),
    tax_percent=Decimal(25),
    valid_from="2025-01-01",
)
GRID = ContractSettings(
    meter="power",
    tariffs={"1": Decimal("0.20"), "2": Decimal("0.40")},
    feed_in=Decimal("0.07"),
    fixed_per_day=Decimal("0.50"),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Since 1 January 2025, every 6 hours: heat with 1.5 kWh, electricity with 1 and 2 in, and 3 out."""
    first, messages = at("2025-01-01T00:00"), list[Message]()
    for step in range((at("2026-03-10T18:00") - first) // 21600 + 1):
        time = first + 21600 * step
        messages.append(energy(time, Decimal("10.000") + step * Decimal("1.5")))
        values = {
            "active_energy_import_tariff_1": (Decimal(step), "kWh"),
            "active_energy_import_tariff_2": (Decimal(2 * step), "kWh"),
            "active_energy_export": (Decimal(3 * step), "kWh"),
        }
        messages.append(reading(time, values, "power"))
    return home(tmp_path_factory.mktemp("home") / "h", messages)


def test_a_month_by_day_in_money(house: Path) -> None:
    told = ask_entered(house, "costs", NOW, {"district": HEAT}, view="month")
    assert (told["meter"], told["medium"], told["contracts"]) == ("heat", "heat", ["district"])
    assert (told["currency"], told["unit"], told["period"]) == ("EUR", "kWh", "day")
    first = told["bars"][0]
    assert first == {
        "begin": datetime(2026, 3, 1, tzinfo=AMSTERDAM),
        "end": datetime(2026, 3, 2, tzinfo=AMSTERDAM),
        "label": "2026-03-01",
        "used": Decimal("6.0"),
        "energy": Decimal("0.75"),
        # A month of 743 hours: what had passed of it after the first day, cut to ten decimals.
        "fixed": Decimal("1.0013458950") * Decimal("1.25"),
        "feed_in": 0,
        "total": Decimal("0.75") + Decimal("1.0013458950") * Decimal("1.25"),
        "unpriced": 0,
    }
    assert told["bars"][20]["total"] is None
    assert told["total"] == sum(bar["total"] for bar in told["bars"] if bar["total"] is not None)
    assert told["energy"] + told["fixed"] - told["feed_in"] == told["total"]
    assert told["view"]["running"]


def test_a_whole_month_costs_what_the_contract_says(house: Path) -> None:
    told = ask_entered(house, "costs", NOW, {"district": HEAT}, view="year", date="2025-05-05")
    assert [bar["fixed"] for bar in told["bars"]] == [Decimal("38.75")] * 12
    assert told["bars"][0]["energy"] == 31 * 6 * Decimal("0.125")


def test_registers_and_what_is_fed_in(house: Path) -> None:
    told = ask_entered(house, "costs", NOW, {"grid": GRID}, view="day", date="2026-03-09", period="day")
    (bar,) = told["bars"]
    assert (bar["used"], bar["energy"], bar["feed_in"]) == (12, Decimal("4.00"), Decimal("0.84"))
    assert (bar["fixed"], bar["total"]) == (Decimal("0.5"), Decimal("3.66"))


def test_the_year_to_come_is_the_last_at_the_prices_of_today(house: Path) -> None:
    old = ContractSettings(meter="heat", price=Decimal(9), valid_to="2025-12-31")
    new = ContractSettings(
        meter="heat", price=Decimal("0.2"), valid_from="2026-01-01", fixed_per_year=Decimal(100)
    )
    told = ask_entered(house, "costs", NOW, {"old": old, "new": new})
    assert told["year"]["from"] == date(2025, 3, 10)
    assert told["year"]["energy"] == 365 * 6 * Decimal("0.2")
    assert told["year_expected"] == 365 * 6 * Decimal("0.2") + 100
    too_early = ask_entered(house, "costs", "2025-11-01T00:00", {"new": HEAT})
    assert too_early["year_expected"] is too_early["year"] is None


def test_two_contracts_for_one_meter_add_up(house: Path) -> None:
    both = {"supply": GRID, "net": ContractSettings(meter="power", price=Decimal("0.1"))}
    day = {"view": "day", "date": "2026-03-09", "period": "day"}
    assert ask_entered(house, "costs", NOW, both, **day)["energy"] == Decimal("4.00") + Decimal("1.2")
    assert ask_entered(house, "costs", NOW, both, contract="net", **day)["energy"] == Decimal("1.2")


def test_what_has_no_price_is_said(house: Path) -> None:
    late = ContractSettings(meter="heat", price=Decimal("0.1"), valid_from="2026-03-03")
    told = ask_entered(house, "costs", NOW, {"late": late}, view="month")
    assert [bar["unpriced"] for bar in told["bars"][:3]] == [Decimal("6.0"), Decimal("6.0"), 0]
    assert told["unpriced"] == 12


def test_prices_of_a_file(house: Path, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    lines = [f"2026-03-09T{hour:02}:00:00+01:00,{hour * 10}" for hour in range(24)]
    file.write_text("\n".join(lines))
    moving = ContractSettings(meter="heat", price_file=file, source_unit="MWh", surcharge=Decimal("0.01"))
    day = {"view": "day", "date": "2026-03-09", "period": "hour"}
    told = ask_entered(house, "costs", NOW, {"moving": moving}, **day)
    assert [bar["energy"] for bar in told["bars"]] == [
        Decimal("0.25") * (hour * Decimal("0.01") + Decimal("0.01")) for hour in range(24)
    ]
    assert told["problems"] == []
    file.write_text("2026-03-09,cheap")
    told = ask_entered(house, "costs", NOW, {"moving": moving}, **day)
    assert told["unpriced"] == 6
    assert f"contract moving: {file}, line 1: '2026-03-09' has no offset" in told["problems"][0]["text"]


def test_gas_that_is_billed_by_the_kwh(tmp_path: Path) -> None:
    first = at("2026-03-09T00:00")
    readings = [
        reading(first + 3600 * hour, {"gas_volume": (Decimal("100.000") + hour, "m³")}, "gas")
        for hour in range(25)
    ]
    path = home(tmp_path / "h", readings)
    file = tmp_path / "prices.csv"
    file.write_text("2026-03-09T00:00+01:00,50\n")
    gas = ContractSettings(meter="gas", price=Decimal("0.1"), kwh_per_m3=Decimal("10.5"))
    moving = ContractSettings(meter="gas", price_file=file, source_unit="MWh", kwh_per_m3=Decimal("10.5"))
    day = {"view": "day", "date": "2026-03-09"}
    told = ask_entered(path, "costs", NOW, {"gas": gas}, **day)
    assert (told["unit"], told["energy"]) == ("m³", 24 * Decimal("1.05"))
    told = ask_entered(path, "costs", NOW, {"gas": moving}, **day)
    # For the first hour alone there is a price.
    assert (told["energy"], told["unpriced"]) == (Decimal("0.525"), 23)


def test_contracts_that_do_not_add_up(house: Path) -> None:
    odd = ContractSettings(meter="heat", price=Decimal(1), unit="GJ")
    told = ask_entered(house, "costs", NOW, {"district": HEAT, "odd": odd})
    assert told["contracts"] == ["district"]
    assert [each["text"] for each in told["problems"]] == [
        "contract odd: it is left out: it is in EUR per GJ, and district in EUR per kWh"
    ]


def test_without_a_contract_it_is_said_what_to_do(house: Path) -> None:
    with pytest.raises(QuestionError, match=r"write what you pay into a table such as \[home.sinks.web"):
        ask(house, "costs", NOW)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"meter": "gas"}, "meter: nothing is stored of 'gas'; stored is: heat, power"),
        ({"meter": "power"}, "meter: there is no contract for power in the settings"),
        ({"contract": "grid"}, "contract: of heat there is no contract 'grid'; there are: district"),
        ({"medium": "cooling"}, "medium: there is no contract for 'cooling' of heat"),
    ],
)
def test_what_cannot_be_meant_gets_a_sentence(house: Path, words: dict[str, str], said: str) -> None:
    with pytest.raises(QuestionError) as refused:
        ask_entered(house, "costs", NOW, {"district": HEAT}, **words)
    assert said in refused.value.detail


def test_a_contract_for_what_is_not_counted(house: Path) -> None:
    gas = ContractSettings(meter="heat", medium="gas", unit="m³", price=Decimal(1))
    with pytest.raises(QuestionError, match="heat counts no gas, for which mine is"):
        ask_entered(house, "costs", NOW, {"mine": gas})
    wrong = ContractSettings(meter="heat", unit="m³", price=Decimal(1))
    with pytest.raises(QuestionError, match="cannot be told in m³; write the unit of the prices"):
        ask_entered(house, "costs", NOW, {"mine": wrong})


def test_slots_are_read_as_they_are_written() -> None:
    assert time_slot("mon-fri 07:00-23:00 0.29") == TimeSlot(frozenset(range(5)), 420, 1380, Decimal("0.29"))
    assert time_slot("sat-mon  00:00-24:00 -1").weekdays == {5, 6, 0}
    assert time_slot("wed 07:30-08:00 1").weekdays == {2}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "meter: missing"),
        ({"price": "dear"}, 'price: found "dear"; allowed: a number'),
        ({"slots": ["mon 7-23 1"]}, 'slots.1: found "mon 7-23 1"; allowed: text such as "mon-fri'),
        (
            {"slots": ["mon 23:00-07:00 1"]},
            "slots: 'mon 23:00-07:00 1' ends before it begins; write one until",
        ),
        ({"valid_from": "2026-02-30"}, "valid_from: there is no day 2026-02-30"),
        ({"valid_from": "2026-02-02", "valid_to": "2026-02-01"}, "valid_to: 2026-02-01 is before 2026-02-02"),
        ({"valid_to": "9999-12-31"}, "valid_to: 9999-12-31 is in another age"),
        ({"tariffs": {"low": 1}}, "tariffs: 'low' is no number of a register"),
        ({"tariffs": {"1": 1}, "slots": ["mon 00:00-24:00 1"]}, "tariffs and slots: a contract has one"),
        ({"feed_in_by_source": True}, "feed_in_by_source: there is no `price_file` and no `price_topic`"),
        ({"price": 1, "price_file": "p.csv"}, "price and price_file: what is added"),
        ({"price": 0.12345678901}, "price: 0.12345678901 has more than 10 decimals"),
        (
            {"unit": "GJ", "price_file": "p.csv", "source_unit": "kWh"},
            "source_unit: a price per kWh cannot be told per GJ without rounding",
        ),
        ({"unit": "m³", "kwh_per_m3": 10.5}, 'kwh_per_m3: it is for prices per kWh, and `unit` is "m³"'),
        ({"unit": "kwh"}, 'unit: found "kwh"; allowed: "kWh"'),
    ],
)
def test_settings_say_what_is_wrong(table: dict[str, object], said: str) -> None:
    place = Place({(): Origin("settings.toml", "home", ())}, ("sinks", "web", "contracts", "mine"))
    meter = {"meter": "heat"} if table else {}
    found, problems = parse(ContractSettings, {**meter, **table}, place)
    assert found is None
    assert said in problems[0]


def test_the_works_table() -> None:
    assert expected_pairs({"66": Decimal(35), "60": Decimal(39)}) == tuple(
        (Decimal(flow), Decimal(back)) for flow, back in ((60, 39), (66, 35))
    )
    with pytest.raises(ValueError, match="'warm' is no flow temperature"):
        expected_pairs({"warm": Decimal(39)})
