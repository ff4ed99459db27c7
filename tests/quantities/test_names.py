"""Names for people: what is cut off at the end of a narrow card must not be what tells two of them apart."""

from __future__ import annotations

from collections import Counter

import pytest

from smart_meter_reader.quantities import QUANTITIES, Quantity
from smart_meter_reader.quantities.electricity import ELECTRICITY

# "Active energy impo..." (field, M20: Home Assistant's device page at the width of a telephone).
NARROW = 18
# The longest names, of registers that hardly anybody asks for, need a card of ordinary width.
ORDINARY = 24


def shown(quantity: Quantity, width: int) -> str:
    name = quantity.name
    return name if len(name) <= width else f"{name[:width]}..."


@pytest.mark.parametrize(("quantities", "width"), [(ELECTRICITY, NARROW), (QUANTITIES.values(), ORDINARY)])
def test_no_two_names_look_alike_where_they_are_cut_off(quantities: tuple[Quantity, ...], width: int) -> None:
    seen = Counter(shown(quantity, width) for quantity in quantities)
    assert [name for name, times in seen.items() if times > 1] == []


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("active_energy_import", "Total import energy"),
        ("active_energy_import_tariff_1", "Tariff 1 import energy"),
        ("active_energy_export_tariff_2", "Tariff 2 export energy"),
        ("reactive_energy_import_tariff_1", "Tariff 1 import, reactive energy"),
        ("active_power_import_l1", "L1 import power"),
        ("apparent_power_export_l3", "L3 export, apparent power"),
        ("voltage_l2", "L2 voltage"),
        ("active_energy_import_tariff_1_month_end", "Tariff 1 import at month end"),
    ],
)
def test_the_distinguishing_word_comes_first(key: str, name: str) -> None:
    assert QUANTITIES[key].name == name
