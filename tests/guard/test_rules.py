"""The guard's rules themselves: which quantity has which bound, and where exactly the bounds lie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from smart_meter_reader.guard.rules import (
    Ceiling,
    MeterPolicy,
    Range,
    Rule,
    Total,
    Verdict,
    is_possible,
    judge,
    never_counts,
    rule_for,
    sentence,
)
from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.quantities import QUANTITIES, Kind, Quantity

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
# Every number another one, so that none can stand in for another.
SETTINGS = GuardSettings(
    energy_per_hour=Decimal(11),
    volume_per_hour=Decimal(13),
    energy_threshold=Decimal(17),
    volume_threshold=Decimal(19),
    temperature_min=Decimal(-23),
    temperature_max=Decimal(29),
    flow_max=Decimal(31),
    power_max=Decimal(37),
)


def total(value: str, unit: str = "kWh", after: timedelta = timedelta(0)) -> Total:
    return Total(Decimal(value), unit, NOON + after)


@pytest.mark.parametrize(
    ("kind", "ceiling"),
    [
        (Kind.ENERGY, Ceiling("kWh", Decimal(11), Decimal(17))),
        (Kind.REACTIVE_ENERGY, Ceiling("kvarh", Decimal(11), Decimal(17))),
        (Kind.APPARENT_ENERGY, Ceiling("kVAh", Decimal(11), Decimal(17))),
        (Kind.VOLUME, Ceiling("m³", Decimal(13), Decimal(19))),
        (Kind.WATER, Ceiling("m³", Decimal(13), Decimal(19))),
        (Kind.GAS, Ceiling("m³", Decimal(13), Decimal(19))),
        (Kind.MASS, Ceiling("t", Decimal(13))),
        (Kind.VOLUME_TEMPERATURE, Ceiling("m³·°C", Decimal(13 * 29))),
        (Kind.DURATION, Ceiling("h", Decimal(2))),
        (Kind.COUNT, Ceiling()),
    ],
)
def test_each_kind_of_counter_has_its_ceiling(kind: Kind, ceiling: Ceiling) -> None:
    counter = Quantity("a_counter", "A counter", kind, cumulative=True)
    assert rule_for(counter, SETTINGS, checksummed=True, every_counter=True) == ceiling
    rolling = [
        rule_for(
            Quantity(key, "A counter", kind, cumulative=True), SETTINGS, checksummed=True, every_counter=True
        )
        for key in ("a_high_resolution", "a_extra_digit", "a_test")
    ]
    # Mass, volume times temperature and hours have no such registers.
    rolls = kind not in (Kind.MASS, Kind.VOLUME_TEMPERATURE, Kind.DURATION)
    assert [isinstance(each, Ceiling) and each.rolling for each in rolling] == [rolls] * 3


@pytest.mark.parametrize(
    ("kind", "bounds"),
    [
        (Kind.TEMPERATURE, Range("°C", Decimal(-23), Decimal(29))),
        (Kind.TEMPERATURE_DIFFERENCE, Range("K", Decimal(-52), Decimal(52))),
        (Kind.VOLUME_FLOW, Range("m³/h", Decimal(-31), Decimal(31))),
        (Kind.POWER, Range("kW", Decimal(-37), Decimal(37))),
        (Kind.VOLTAGE, None),
    ],
)
def test_each_kind_of_other_value_has_its_range(kind: Kind, bounds: Range | None) -> None:
    quantity = Quantity("a_value", "A value", kind)
    assert rule_for(quantity, SETTINGS, checksummed=True, every_counter=False) == bounds


@pytest.mark.parametrize(
    ("checksummed", "energy", "volume"),
    [(True, Decimal(1000), Decimal(100)), (False, Decimal(250), Decimal(25))],
)
def test_ceilings_that_nobody_set(checksummed: bool, energy: Decimal, volume: Decimal) -> None:
    def ceiling(key: str) -> Rule | None:
        return rule_for(QUANTITIES[key], GuardSettings(), checksummed=checksummed, every_counter=False)

    assert ceiling("heat_energy") == Ceiling("kWh", energy)
    assert ceiling("volume") == Ceiling("m³", volume)


def test_counters_that_are_no_totals_are_judged_only_when_all_are() -> None:
    """All are where the settings say so, and on a protocol without checksum."""
    assert "operating_hours" not in MeterPolicy().rules()
    assert MeterPolicy().rules().keys() > {"heat_energy", "volume", "flow_temperature"}
    for policy in (MeterPolicy(GuardSettings(mode="all")), MeterPolicy(checksummed=False)):
        assert "operating_hours" in policy.rules()


def test_digits_of_the_meter_are_those_of_its_counters() -> None:
    rules = MeterPolicy(counter_digits=8).rules()
    assert {rule.digits for rule in rules.values() if isinstance(rule, Ceiling)} == {8}
    assert rules["flow_temperature"] == Range("°C", Decimal(-50), Decimal(200))


@pytest.mark.parametrize("mode", ["auto", "all", "off"])
@pytest.mark.parametrize("simulated", [True, False])
def test_nothing_is_judged_of_what_is_not_real_unless_asked(mode: str, simulated: bool) -> None:
    policy = MeterPolicy(GuardSettings(mode=mode), simulated=simulated)  # type: ignore[arg-type]
    assert policy.active == (mode == "all" or (mode == "auto" and not simulated))
    assert (policy.rules() == {}) != policy.active


@pytest.mark.parametrize("ratio", [2, 100])
def test_behind_current_transformers_energies_and_powers_may_be_so_much_more(ratio: int) -> None:
    policy = MeterPolicy(SETTINGS, checksummed=False)  # so that every counter is judged
    plain, multiplied = policy.rules(), policy.rules(Decimal(ratio))
    assert multiplied["active_energy_import"] == Ceiling("kWh", Decimal(11 * ratio), Decimal(17 * ratio))
    assert multiplied["active_power_import"] == Range("kW", Decimal(-37 * ratio), Decimal(37 * ratio))
    changed = {QUANTITIES[key].kind for key, rule in plain.items() if multiplied[key] != rule}
    assert changed == {Kind.ENERGY, Kind.REACTIVE_ENERGY, Kind.POWER}
    assert multiplied.keys() == plain.keys()


@pytest.mark.parametrize(
    ("value", "unit", "inside"),
    [
        ("-37", "kW", True),
        ("37", "kW", True),
        ("37.001", "kW", False),
        ("-37.001", "kW", False),
        ("37000", "W", True),
        ("37001", "W", False),
        ("-37000", "W", True),
        ("-37001", "W", False),
        ("99999", "°C", True),  # of another dimension: not for this rule to judge
    ],
)
def test_bounds_of_a_range_are_inside(value: str, unit: str, inside: bool) -> None:
    assert Range("kW", Decimal(-37), Decimal(37)).contains(Decimal(value), unit) is inside


@pytest.mark.parametrize(
    ("value", "possible"), [("9999999999999999", True), ("1E+16", False), ("1E-20", True), ("1E-21", False)]
)
def test_bounds_of_what_a_counter_can_show(value: str, possible: bool) -> None:
    assert is_possible(Decimal(value)) is possible


@pytest.mark.parametrize(
    ("last", "new", "ceiling", "verdict"),
    [
        # A step of exactly the threshold, of one more.
        (total("10.0"), total("10.5"), Ceiling(step=Decimal("0.5")), Verdict.BELIEVED),
        (total("10.0"), total("10.6"), Ceiling(step=Decimal("0.5")), Verdict.JUMPED),
        # 12 an hour: 1 in the shortest pause of five minutes, and one in the last place more.
        (total("10.0"), total("11.1"), Ceiling("kWh", Decimal(12)), Verdict.BELIEVED),
        (total("10.0"), total("11.2"), Ceiling("kWh", Decimal(12)), Verdict.JUMPED),
        (
            total("10.0"),
            total("22.1", after=timedelta(hours=1)),
            Ceiling("kWh", Decimal(12)),
            Verdict.BELIEVED,
        ),
        (total("10.0"), total("22.2", after=timedelta(hours=1)), Ceiling("kWh", Decimal(12)), Verdict.JUMPED),
        # The same in another unit than the ceiling's; nothing known of the rate; a unit that it cannot judge.
        (total("10000", "Wh"), total("11001", "Wh"), Ceiling("kWh", Decimal(12)), Verdict.BELIEVED),
        (total("10000", "Wh"), total("11002", "Wh"), Ceiling("kWh", Decimal(12)), Verdict.JUMPED),
        (total("10"), total("99999"), Ceiling("kWh"), Verdict.BELIEVED),
        (total("10", "m³"), total("99999", "m³"), Ceiling("kWh", Decimal(12)), Verdict.BELIEVED),
        # The same, also in other words.
        (total("10"), total("10"), Ceiling("kWh", Decimal(12)), Verdict.BELIEVED),
        (total("10"), total("10.0"), Ceiling("kWh", Decimal(12)), Verdict.BELIEVED),
        (total("10"), total("10000", "Wh"), Ceiling("kWh", Decimal(12)), Verdict.BELIEVED),
        # Another unit or number of decimals: down by one step of the coarser, and by more.
        (total("10"), total("9.0"), Ceiling("kWh"), Verdict.ROUNDED),
        (total("10"), total("8.9"), Ceiling("kWh"), Verdict.FELL),
        (total("10"), total("9000", "Wh"), Ceiling("kWh"), Verdict.ROUNDED),
        (total("10"), total("8999", "Wh"), Ceiling("kWh"), Verdict.FELL),
        (total("1"), total("0.0"), Ceiling("kWh"), Verdict.ZERO),
        # Zero, told coarser: what there was is less than a step of it (whole kWh without the PIN), and not.
        (total("746.4", "Wh"), total("0E+3", "Wh"), Ceiling("kWh"), Verdict.ROUNDED),
        (total("0.0", "Wh"), total("0E+3", "Wh"), Ceiling("kWh"), Verdict.BELIEVED),
        (total("746.4", "Wh"), total("0", "kWh"), Ceiling("kWh"), Verdict.ROUNDED),
        (total("1000.0", "Wh"), total("0E+3", "Wh"), Ceiling("kWh"), Verdict.ZERO),
        (total("1E+3", "Wh"), total("0E+3", "Wh"), Ceiling("kWh"), Verdict.ZERO),
        (total("746.4", "Wh"), total("0.0", "Wh"), Ceiling("kWh"), Verdict.ZERO),
        (total("0.7", "kWh"), total("0", "Wh"), Ceiling("kWh"), Verdict.ZERO),
        (total("10"), total("10", "m³"), Ceiling("kWh"), Verdict.UNIT_CHANGED),
        # Down: a rolling register, all digits used up, and what only looks like it.
        (total("10"), total("2"), Ceiling("kWh", rolling=True), Verdict.ROLLED_OVER),
        (total("9999.999"), total("0000.012"), Ceiling("kWh", Decimal(12)), Verdict.ROLLED_OVER),
        (total("9999.999"), total("0001.000"), Ceiling("kWh", Decimal(12)), Verdict.ROLLED_OVER),
        (total("9999.999"), total("0001.001"), Ceiling("kWh", Decimal(12)), Verdict.FELL),
        (total("999.999"), total("0.012"), Ceiling("kWh", Decimal(12)), Verdict.FELL),
        (total("8999.999"), total("0000.012"), Ceiling("kWh", Decimal(12000)), Verdict.FELL),
        (total("9999.999"), total("0000.000"), Ceiling("kWh", Decimal(12)), Verdict.ZERO),
        (total("9999.999"), total("0000.012"), Ceiling("kWh"), Verdict.FELL),
        (total("9999.999", "m³"), total("0000.012", "m³"), Ceiling("kWh", Decimal(12)), Verdict.FELL),
    ],
)
def test_where_the_bounds_of_a_verdict_lie(
    last: Total, new: Total, ceiling: Ceiling, verdict: Verdict
) -> None:
    assert judge(last, new, ceiling) is verdict


@pytest.mark.parametrize(
    ("verdict", "new", "never"),
    [
        (Verdict.UNIT_CHANGED, total("1", "k\x17h"), True),
        (Verdict.UNIT_CHANGED, total("1", "°C"), True),
        (Verdict.UNIT_CHANGED, total("1", "m³"), False),
        (Verdict.FELL, total("1", "k\x17h"), False),
    ],
)
def test_only_a_unit_of_no_total_never_counts(verdict: Verdict, new: Total, never: bool) -> None:
    assert never_counts(verdict, new) is never


def test_a_sentence_names_what_was_what_is_and_what_to_wait_for() -> None:
    assert sentence(
        "heat_energy", Verdict.FELL, total("10.0"), total("9.0"), GuardSettings(confirmations=4)
    ) == (
        "heat_energy 9.0 kWh held back: a total does not fall; it was 10.0 kWh at 2026-01-01 12:00 UTC. "
        "It counts when 4 readings in a row agree"
    )
    assert sentence("heat_energy", Verdict.UNIT_CHANGED, total("10"), total("9", ""), GuardSettings()) == (
        "heat_energy 9 held back: another unit; it was 10 kWh at 2026-01-01 12:00 UTC. "
        "It never counts, for this is no unit that a total is known to have"
    )
