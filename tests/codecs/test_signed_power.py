"""Power with a sign under a code of import: what is told of it, and what is not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.signed_power import SignedPowers
from smart_meter_reader.quantities.measurement import Measurement

Q3D = "ESY5Q3DA1024 V3.02"
OTHER = "XYZ5METER"


def powers(**watts: str) -> dict[str, Measurement]:
    return {f"active_power_{key}": {"value": Decimal(value), "unit": "W"} for key, value in watts.items()}


def written(measurements: dict[str, Measurement]) -> dict[str, str]:
    return {key.removeprefix("active_power_"): f"{item['value']}" for key, item in measurements.items()}


@pytest.mark.parametrize("phase", ["", "_l1", "_l2", "_l3"])
@pytest.mark.parametrize(
    ("sent", "taken", "given"),
    [("-115.94", "0.00", "115.94"), ("46.04", "46.04", "0.00"), ("0", "0", "0")],
)
def test_import_and_export_are_the_two_sides(phase: str, sent: str, taken: str, given: str) -> None:
    found = powers(**{f"import{phase}": sent})
    assert SignedPowers().split(Q3D, found) == []
    assert written(found) == {f"import{phase}": taken, f"export{phase}": given, f"net{phase}": sent}


def test_a_net_power_of_its_own_stays() -> None:
    found = powers(**{"import": "-3", "net": "-2.9"})
    SignedPowers().split(OTHER, found)
    assert written(found) == {"import": "0", "export": "3", "net": "-2.9"}


def test_a_meter_shows_by_a_negative_power_that_its_powers_are_net() -> None:
    """From then on: the export before it would stay for ever where the next power is an import again."""
    signs = SignedPowers()
    first = powers(import_l1="5")
    assert signs.split(OTHER, first) == []
    assert written(first) == {"import_l1": "5"}
    signs.split(OTHER, powers(**{"import": "-1"}))
    then = powers(import_l1="5")
    signs.split(OTHER, then, negative=False)
    assert written(then) == {"import_l1": "5", "export_l1": "0", "net_l1": "5"}
    another = powers(import_l1="5")
    signs.split("XYZ5ANOTHER", another)
    assert written(another) == {"import_l1": "5"}


@pytest.mark.parametrize("meter", [Q3D, OTHER])
def test_two_codes_need_no_sign(meter: str) -> None:
    both = powers(**{"import": "5", "export": "0"})
    assert SignedPowers().split(meter, both) == []
    assert written(both) == {"import": "5", "export": "0"}


@pytest.mark.parametrize(
    ("sent", "left", "told"),
    [
        ({"import": "-5", "export": "5"}, {"export": "5"}, ["active_power_import is negative"]),
        ({"import": "5", "export": "-5"}, {"import": "5"}, ["active_power_export is negative"]),
        ({"export": "-5"}, {}, ["active_power_export is negative"]),
    ],
)
def test_what_contradicts_itself_is_not_told(
    sent: dict[str, str], left: dict[str, str], told: list[str]
) -> None:
    found = powers(**sent)
    assert SignedPowers().split(OTHER, found) == told
    assert written(found) == left


def test_other_quantities_may_be_negative() -> None:
    found: dict[str, Measurement] = {"active_power_net": {"value": Decimal(-5), "unit": "W"}}
    assert SignedPowers().split(Q3D, found) == []
    assert written(found) == {"net": "-5"}
