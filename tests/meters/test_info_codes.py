"""What an info code does to a reading: words beside it, and no value that was not measured."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.meters.info_codes import InfoCodes
from smart_meter_reader.quantities.measurement import Measurement

USUAL = {
    "power": ("7.1", "kW"),
    "volume_flow": ("210", "l/h"),
    "flow_temperature": ("63.40", "°C"),
    "return_temperature": ("33.10", "°C"),
    "temperature_difference": ("30.30", "K"),
    "heat_energy": ("227.445", "GJ"),
}


def measured(**values: str) -> dict[str, Measurement]:
    """The usual values with others in their places."""
    told: dict[str, Measurement] = {
        key: {"value": Decimal(values.get(key, value)), "unit": unit} for key, (value, unit) in USUAL.items()
    }
    return told | {key: {"value": Decimal(v), "unit": ""} for key, v in values.items() if key not in USUAL}


@pytest.mark.parametrize(
    ("model", "values", "gone"),
    [
        # 5512-1689, 7.7.3: disconnected is 185.00 °C, short-circuited 0.00 °C, and no power then.
        (
            "MULTICAL 403",
            {
                "info_bits": "8",
                "flow_temperature": "185.00",
                "temperature_difference": "151.9",
                "power": "0.0",
            },
            {"flow_temperature", "temperature_difference", "power"},
        ),
        (
            "MULTICAL 403",
            {
                "info_bits": "64",
                "return_temperature": "0.00",
                "temperature_difference": "0.00",
                "power": "0.0",
            },
            {"return_temperature", "temperature_difference", "power"},
        ),
        ("MULTICAL 403", {"info_bits": "256", "volume_flow": "0", "power": "0.0"}, {"volume_flow", "power"}),
        ("MULTICAL 403", {"info_bits": "512", "volume_flow": "0", "power": "0.0"}, {"volume_flow", "power"}),
        # As the display shows it.
        ("MULTICAL 603", {"info_code": "1000000", "flow_temperature": "185.00"}, None),
        ("MULTICAL 602", {"info_code": "8", "flow_temperature": "185.00", "power": "0"}, None),
        ("MULTICAL 66-CDE", {"info_code": "4", "return_temperature": "0.00", "power": "0"}, None),
        # Nothing is wrong, so that these were measured.
        ("MULTICAL 403", {"info_bits": "0", "volume_flow": "0", "power": "0.0"}, set()),
        ("MULTICAL 403", {"info_bits": "0", "flow_temperature": "0.00"}, set()),
        # Another sensor's trouble, or a value that is believable again.
        ("MULTICAL 403", {"info_bits": "8", "return_temperature": "0.00", "volume_flow": "0"}, set()),
        ("MULTICAL 403", {"info_bits": "8"}, set()),
        # 5512-1689, 7.7.3: an erroneous difference alone is no sensor error, and V1 > qs goes on measuring.
        ("MULTICAL 403", {"info_bits": "128", "temperature_difference": "0.00", "power": "0.0"}, set()),
        ("MULTICAL 403", {"info_bits": "2048", "power": "0.0"}, set()),
        ("MULTICAL 21", {"info_code": "1", "volume_flow": "0"}, set()),
    ],
)
def test_what_a_broken_sensor_answers_is_no_value(
    model: str, values: dict[str, str], gone: set[str] | None
) -> None:
    if gone is None:  # all that these values say otherwise, and the difference that comes of them
        gone = {key for key in values if key in USUAL} | {"temperature_difference"}
    before = measured(**values)
    left, sentences = InfoCodes().judge(before, model)
    assert before.keys() - left.keys() == gone
    assert len(sentences) == len(gone)
    assert all("is left out: the meter reports " in sentence for sentence in sentences)
    assert left["heat_energy"] == before["heat_energy"]


def test_a_reading_without_the_code_goes_by_the_last_one() -> None:
    codes = InfoCodes()
    codes.judge(measured(info_bits="8"), "MULTICAL 403")
    left, _ = codes.judge(measured(flow_temperature="185.00"), "MULTICAL 403")
    assert "flow_temperature" not in left
    assert "info_code_text" not in left
    codes.judge(measured(info_bits="0"), "MULTICAL 403")
    assert "flow_temperature" in codes.judge(measured(flow_temperature="185.00"), "MULTICAL 403")[0]


def test_the_words_beside_the_code() -> None:
    told, _ = InfoCodes().judge(measured(info_bits="259"), "")
    assert told["info_code_text"]["value"] == (
        "the supply voltage was cut off; the battery is low, or the meter runs on its backup battery; "
        "flow sensor V1: signal too low (air)"
    )
    assert told["reported_problems"]["value"] == "battery_low v1_air"


def test_news_are_told_once_and_again_after_a_new_connection() -> None:
    codes = InfoCodes()
    codes.judge(measured(info_bits="0"), "")
    assert codes.news() is None
    codes.judge(measured(info_bits="2"), "")
    told = codes.news()
    assert told is not None
    assert told.startswith("the meter reports: the battery is low")
    assert codes.news() is None
    codes.begin()
    assert codes.news() == told
    codes.judge(measured(info_bits="1"), "")
    assert codes.news() == ""


def test_a_meter_without_a_code_is_left_alone() -> None:
    before = measured(power="0.0")
    assert InfoCodes().judge(before, "MULTICAL 403") == (before, [])
