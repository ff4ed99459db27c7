"""What one step of a number is worth: by the settings first, then by make and model."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.dlms.scales import KAIFA, NO_OWN_STEPS, UNKNOWN, NumberSteps, OwnSteps
from smart_meter_reader.quantities import Kind


def test_what_the_settings_say_goes_before_the_table() -> None:
    own = OwnSteps(energy=Decimal(10), voltage=Decimal(1))
    assert KAIFA.overridden(own) == NumberSteps(
        energy=Decimal(10), voltage=Decimal(1), current=Decimal("0.001"), power_factor=Decimal("0.001")
    )
    assert KAIFA.overridden(NO_OWN_STEPS) is KAIFA


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        (Kind.ENERGY, "1"),
        (Kind.REACTIVE_ENERGY, "1"),
        (Kind.POWER, "1"),
        (Kind.REACTIVE_POWER, "1"),
        (Kind.APPARENT_POWER, "1"),
        (Kind.VOLTAGE, "0.1"),
        (Kind.CURRENT, "0.001"),
        (Kind.POWER_FACTOR, "0.001"),
        (Kind.TEMPERATURE, None),
    ],
)
def test_the_step_of_a_quantity_is_that_of_its_kind(kind: Kind, step: str | None) -> None:
    assert KAIFA.of(kind) == (None if step is None else Decimal(step))
    assert UNKNOWN.of(Kind.VOLTAGE) is None
