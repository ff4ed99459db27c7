"""The question heat: temperatures weighted by volume, what the works expects, nights, and hints as hints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.history.storage.raw import BlockWriter
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Message
from smart_meter_reader.sinks.web.questions import QuestionError
from smart_meter_reader.sinks.web.questions.warmth import expected_return
from tests.history.homes import energy, reading
from tests.sinks.web.questions.asking import AMSTERDAM, ask, ask_entered, at, home

# Lemvig Varmeværk: what must come back at which flow temperature.
LEMVIG = {"60": Decimal(39), "66": Decimal(35), "70": Decimal(32), "72": Decimal(30)}
PAIRS = tuple((Decimal(flow), back) for flow, back in LEMVIG.items())
NOW = "2026-03-10T12:00"


def heat(time: int, volume: Decimal, e8: Decimal, e9: Decimal, **others: tuple[str, str]) -> Message:
    values: dict[str, tuple[str | Decimal, str]] = {
        "heat_energy": ((e8 - e9) / 1000, "GJ"),
        "volume": (volume, "m³"),
        "volume_times_flow_temperature": (e8, "m³·°C"),
        "volume_times_return_temperature": (e9, "m³·°C"),
    }
    return reading(time, {**values, **others})


def flowing(
    begin: str, hours: int, water: Callable[[int], tuple[str, int, int]], **others: tuple[str, str]
) -> Iterable[Message]:
    """By the hour: m³ of this hour, and at which flow and return temperature."""
    volume, e8, e9 = Decimal("100.000"), Decimal("7000.000"), Decimal("4000.000")
    first = at(begin)
    yield heat(first, volume, e8, e9, **others)
    for hour in range(hours):
        cubic, flow, back = water(hour)
        volume, e8, e9 = volume + Decimal(cubic), e8 + Decimal(cubic) * flow, e9 + Decimal(cubic) * back
        yield heat(first + 3600 * (hour + 1), volume, e8, e9, **others)


def told(path: Path, **words: str) -> dict[str, Any]:
    return ask_entered(path, "heat", NOW, LEMVIG, **words)


def kinds(answer: dict[str, Any]) -> Sequence[str]:
    return [hint["kind"] for hint in answer["hints"]]


def test_the_manuals_year(tmp_path: Path) -> None:
    # MULTICAL 403 and 803, technical descriptions 7.1.2 and 7.1.5: from 236.87 to 534.26 m³.
    path = home(
        tmp_path / "h",
        [
            heat(at("2025-01-01T00:00"), Decimal("236.87"), Decimal(20123), Decimal(7651)),
            heat(at("2026-01-01T00:00"), Decimal("534.26"), Decimal(48236), Decimal(18654)),
        ],
    )
    year = told(path, view="year", date="2025-06-01", period="year")
    assert year["periods"] == [{**year["total"], "label": "2025"}]
    assert year["total"] == {
        "begin": datetime(2025, 1, 1, tzinfo=AMSTERDAM),
        "end": datetime(2026, 1, 1, tzinfo=AMSTERDAM),
        "label": "",
        "volume": Decimal("297.39"),
        "flow": Decimal("94.53"),
        "return": Decimal("36.99"),
        "cooling": Decimal("57.54"),
        "expected_return": Decimal(30),
        "energy": Decimal("17.110"),
        "estimated": False,
    }
    assert (year["unit"], year["meter"], year["hints"], year["night"]) == ("GJ", "heat", [], None)


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        ("60", "39"),
        ("63", "37"),
        ("66", "35"),
        ("69", "32.75"),
        ("71", "31"),
        ("72", "30"),
        ("50", "39"),
        ("90", "30"),
    ],
)
def test_what_the_works_expects(flow: str, expected: str) -> None:
    assert expected_return(PAIRS, Decimal(flow)) == Decimal(expected)


def test_without_a_table_nothing_is_expected() -> None:
    assert expected_return((), Decimal(60)) is None
    assert expected_return(PAIRS, None) is None


def test_a_display_that_counts_in_tens(tmp_path: Path) -> None:
    # Of a display with 0.001 m³ E8 and E9 are counted in tens (the same sections of the manuals).
    first = at("2026-03-01T00:00")
    messages = [
        heat(
            first + 3600 * hour,
            Decimal(hour),
            Decimal(7 * hour),
            Decimal(4 * hour),
            flow_temperature=("69.5", "°C"),
        )
        for hour in range(200)
    ]
    total = told(home(tmp_path / "h", messages), view="month")["total"]
    assert (total["flow"], total["return"], total["cooling"]) == (70, 40, 30)
    assert total["expected_return"] == 32


def test_where_hardly_anything_flowed_there_is_no_temperature(tmp_path: Path) -> None:
    first = at("2026-03-01T00:00")
    day = 86400
    path = home(
        tmp_path / "h",
        [
            heat(first, Decimal("1.00"), Decimal(70), Decimal(40)),
            heat(first + day, Decimal("1.20"), Decimal(84), Decimal(48)),
            heat(first + 2 * day, Decimal("3.20"), Decimal(224), Decimal(128)),
        ],
    )
    one, two, three = told(path, view="month")["periods"][:3]
    assert (one["volume"], one["flow"], one["cooling"]) == (Decimal("0.20"), None, None)
    assert (two["volume"], two["flow"], two["cooling"]) == (Decimal("2.00"), 70, 30)
    assert three["volume"] is None


def test_the_lowest_hour_of_the_nights(tmp_path: Path) -> None:
    def water(hour: int) -> tuple[str, int, int]:
        # By day less than at night, so that only a look at the nights finds this one.
        return ("0.004" if hour == 9 * 24 + 3 else "0.010" if 6 <= hour % 24 < 22 else "0.020"), 70, 40

    path = home(tmp_path / "h", flowing("2026-02-28T00:00", 24 * 10 + 10, water))
    answer = told(path, view="month")
    assert answer["night"] == {
        "begin": datetime(2026, 3, 9, 3, tzinfo=AMSTERDAM),
        "volume": Decimal("0.004"),
    }
    (hint,) = answer["hints"]
    assert hint["kind"] == "leak_or_bypass"
    assert hint["text"] == (
        "In none of the last 7 nights was there an hour without flow; the least was 0.004 m³, from 03:00 on "
        "2026-03-09. Where the heating is off at night, that may be a bypass that stays open, or a leak."
    )


def test_one_quiet_hour_is_enough(tmp_path: Path) -> None:
    def water(hour: int) -> tuple[str, int, int]:
        return ("0.000" if hour == 5 * 24 + 2 else "0.020"), 70, 40

    path = home(tmp_path / "h", flowing("2026-02-28T00:00", 24 * 10 + 10, water))
    answer = told(path, view="month")
    assert answer["night"]["volume"] == 0
    assert kinds(answer) == []


def test_a_night_that_is_not_over_does_not_count(tmp_path: Path) -> None:
    def water(hour: int) -> tuple[str, int, int]:
        return ("0.000" if hour == 10 * 24 + 2 else "0.020"), 70, 40

    path = home(tmp_path / "h", flowing("2026-02-28T00:00", 24 * 10 + 4, water))
    answer = ask(path, "heat", "2026-03-10T04:00", view="month")
    assert answer["night"]["volume"] == Decimal("0.020")


def test_a_meter_that_is_read_by_the_day_has_no_nights(tmp_path: Path) -> None:
    path = home(tmp_path / "h", list(flowing("2026-02-20T00:00", 24 * 17, lambda _: ("0.02", 70, 40)))[::24])
    answer = told(path, view="month")
    assert (answer["night"], answer["hints"]) == (None, [])


def test_warm_water_that_comes_back_warm(tmp_path: Path) -> None:
    def water(hour: int) -> tuple[str, int, int]:
        cubic = "0.000" if hour % 24 == 2 else "0.060"
        return cubic, 70, 64 if hour >= 24 * 50 else 40

    path = home(tmp_path / "h", flowing("2026-01-11T00:00", 24 * 58, water))
    answer = told(path, view="month")
    assert kinds(answer) == ["valve_open"]
    assert answer["hints"][0]["text"] == (
        "In the last seven days 9.660 m³ flowed, no less than usual, and came back only 6.0 K cooler than it "
        "came. A valve may be stuck open, or a bypass too wide."
    )
    # The same while less flows than usual is what a heating does in spring.
    little = home(
        tmp_path / "little",
        flowing(
            "2026-01-11T00:00", 24 * 58 + 10, lambda hour: ("0.02" if hour >= 24 * 50 else "0.06", 70, 64)
        ),
    )
    assert kinds(told(little, view="month")) == ["leak_or_bypass"]


def test_cooling_that_falls_against_the_year_before(tmp_path: Path) -> None:
    def water(hour: int) -> tuple[str, int, int]:
        return ("0.000" if hour % 24 == 2 else "0.060"), 70, 40 if hour < 24 * 300 else 45

    path = home(tmp_path / "h", flowing("2025-02-01T00:00", 24 * 402, water))
    answer = told(path, view="month")
    assert kinds(answer) == ["falling_cooling"]
    assert "cooled by 25.0 K, and by 30.0 K in the same weeks a year before" in answer["hints"][0]["text"]


def test_cooling_that_falls_from_week_to_week(tmp_path: Path) -> None:
    def water(hour: int) -> tuple[str, int, int]:
        return ("0.000" if hour % 24 == 2 else "0.060"), 70, 40 + 2 * (hour // (24 * 7))

    path = home(tmp_path / "h", flowing("2026-02-10T00:00", 24 * 28, water))
    (hint,) = told(path, view="month")["hints"]
    assert hint["kind"] == "falling_cooling"
    assert "by 30.0 K four weeks ago, by 24.0 K now" in hint["text"]


def test_the_meters_own_word_comes_first(tmp_path: Path) -> None:
    path = home(tmp_path / "h", flowing("2026-02-28T00:00", 24 * 10 + 10, lambda _: ("0.020", 70, 40)))
    store = Store(path, path.with_suffix(".recent"), 31 * 86400)
    store.open()
    for hours, code, meaning in ((30, "4", "leak"), (2, "16", "burst"), (1, "2", "air in the water")):
        writer = BlockWriter()
        values: dict[str, tuple[str | Decimal, str]] = {"info_code": (code, "")}
        told_ = reading(at(NOW) - 3600 * hours, values)
        told_["measurements"]["info_code_text"] = {"value": meaning, "unit": ""}
        writer.add(told_["time"], told_["measurements"])
        store.write([], [writer.finish("heat")])
    store.close()
    answer = told(path, view="month")
    assert kinds(answer) == ["info_code", "leak_or_bypass"]
    assert answer["hints"][0]["text"] == ("The meter itself reports: air in the water.")
    later = (datetime.fromisoformat(NOW) + timedelta(days=2)).isoformat()
    assert "info_code" not in kinds(ask(path, "heat", later, view="month"))


def test_what_counts_no_heat_has_no_heat_page(tmp_path: Path) -> None:
    path = home(tmp_path / "h", [reading(at("2026-03-01T00:00"), {"gas_volume": ("1", "m³")}, "gas")])
    with pytest.raises(QuestionError, match="nothing is stored of a meter that counts heat"):
        told(path)
    with pytest.raises(QuestionError, match="meter: gas counts no heat"):
        told(path, meter="gas")
    only_energy = home(
        tmp_path / "e", [energy(at("2026-03-01T00:00") + 3600 * each, str(each)) for each in range(9)]
    )
    total = told(only_energy, view="month", unit="MJ")["total"]
    assert (total["volume"], total["flow"], total["energy"]) == (None, None, Decimal("28.8"))
    with pytest.raises(QuestionError, match="unit: what is counted in kWh"):
        told(only_energy, unit="m³")
