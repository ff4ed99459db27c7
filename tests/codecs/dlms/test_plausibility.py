"""The plausibility of scales: voltages by range, counters by the power, and which of them is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from smart_meter_reader.codecs.dlms.plausibility import ScaleCheck
from smart_meter_reader.quantities.measurement import Measurement

ASSUMED = frozenset({"active_energy_import", "active_power_import", "voltage_l1", "voltage_l2", "voltage_l3"})


def measured(value: float | Decimal, unit: str) -> Measurement:
    return {"value": Decimal(str(value)), "unit": unit}


def run(
    check: ScaleCheck,
    *,
    watts: float = 1000.0,
    factor: float = 1.0,
    power_factor: float = 1.0,
    seconds: int = 7200,
    every: int = 10,
    counter_every: int = 3600,
    step: Decimal = Decimal(1),
    assumed: frozenset[str] = ASSUMED,
) -> None:
    """A meter whose counter or power is ``factor`` times too high."""
    for now in range(0, seconds + 1, every):
        power = watts * (1.5 if now // 600 % 2 else 0.5)
        energy = (watts * now / 3600) * factor
        found = {"active_power_import": measured(power * power_factor, "W")}
        for phase in ("l1", "l2", "l3"):
            found[f"voltage_{phase}"] = measured(230, "V")
            found[f"current_{phase}"] = measured(round(power / 690, 2), "A")
        if now % counter_every == 0:
            found["active_energy_import"] = measured(int(energy / float(step)) * step, "Wh")
        check.look(found, assumed, step, float(now))


@pytest.mark.parametrize(("every", "counter_every"), [(10, 3600), (10, 900), (5, 5), (60, 60)])
@pytest.mark.parametrize("step", [1, 10])
def test_a_right_counter_is_proven(every: int, counter_every: int, step: int) -> None:
    check = ScaleCheck()
    run(check, every=every, counter_every=counter_every, step=Decimal(step))
    assert (check.proven, check.doubts) == (True, {})


@pytest.mark.parametrize(("factor", "words"), [(10.0, "10x too high"), (0.1, "a tenth of what is right")])
@pytest.mark.parametrize("counter_every", [3600, 10])
def test_a_wrong_counter_is_told(factor: float, words: str, counter_every: int) -> None:
    check = ScaleCheck()
    run(check, factor=factor, counter_every=counter_every)
    assert f"your counter seems {words}" in check.doubts["energy"].words
    assert "energy_step" in check.doubts["energy"].words
    run(check, seconds=14_400)  # somebody has set it right
    assert check.doubts == {}


def test_where_voltage_and_current_say_so_it_is_the_power() -> None:
    check = ScaleCheck()
    run(check, power_factor=10.0)
    assert set(check.doubts) == {"power"}
    assert "your power seems 10x too high" in check.doubts["power"].words


def test_what_the_meter_scales_itself_is_not_doubted() -> None:
    check = ScaleCheck()
    run(check, factor=10.0, assumed=frozenset())
    assert check.doubts == {}


def test_gaps_and_little_energy_say_nothing() -> None:
    for options in ({"every": 600}, {"watts": 1.0, "step": Decimal(10)}):
        check = ScaleCheck()
        run(check, factor=10.0, **options)
        assert check.doubts == {}


@pytest.mark.parametrize(
    ("volts", "factor"),
    [
        ((230, 231, 229), None),
        ((2300, 2310, 2290), "10"),
        ((23, 23, 23), "0.1"),
        ((2392, 0, 2397), "10"),  # an IT net
        ((239, 0, 240), None),
        ((0, 0, 0), None),
        ((120, 121, 119), None),  # low, but no factor of ten makes it right
    ],
)
def test_voltages(volts: tuple[int, int, int], factor: str | None) -> None:
    check = ScaleCheck()
    found = {f"voltage_l{phase}": measured(each, "V") for phase, each in enumerate(volts, 1)}
    check.look(found, ASSUMED, Decimal(1), 0.0)
    doubt = check.doubts.get("voltage")
    assert (None if doubt is None else str(doubt.factor)) == factor
    check.look({"voltage_l1": measured(230, "V")}, ASSUMED, Decimal(1), 1.0)
    assert check.doubts == {}


def risen(
    rise: int,
    *,
    watts: float = 1000.0,
    seconds: int = 3600,
    every: int = 10,
    without: range = range(0),
    apparent: tuple[float, float] | None = None,
    way: str = "import",
    start: int = 0,
    check: ScaleCheck | None = None,
) -> ScaleCheck:
    """What is found of a counter that rises so much in so many seconds, at a power that stays the same."""
    check = ScaleCheck() if check is None else check
    for now in range(0, seconds + 1, every):
        found = {} if now in without else {f"active_power_{way}": measured(watts, "W")}
        if apparent is not None:
            found["voltage_l1"], found["current_l1"] = measured(apparent[0], "V"), measured(apparent[1], "A")
        if now in (0, seconds):
            found[f"active_energy_{way}"] = measured(rise if now else 0, "Wh")
        check.look(found, frozenset({f"active_energy_{way}"}), Decimal(1), float(start + now))
    return check


@pytest.mark.parametrize("way", ["import", "export"])
@pytest.mark.parametrize(
    ("rise", "factor"),
    [
        (143, None),
        (144, "0.1"),
        (900, "0.1"),
        (901, None),
        (1799, None),
        (1800, ""),
        (7200, ""),
        (7201, None),
        (14_399, None),
        (14_400, "10"),
        (90_000, "10"),
        (90_001, None),
    ],
)
def test_which_share_of_the_power_a_counter_may_count(rise: int, factor: str | None, way: str) -> None:
    check = risen(rise, watts=3600.0, way=way)  # ten in each ten seconds
    doubts = {subject: doubt.factor for subject, doubt in check.doubts.items()}
    assert (check.proven, doubts) == (factor == "", {"energy": Decimal(factor)} if factor else {})


@pytest.mark.parametrize(
    ("options", "proven"),
    [
        ({"rise": 20, "watts": 20.0}, True),  # twenty steps
        ({"rise": 19, "watts": 19.0}, False),
        ({"rise": 200, "watts": 12_000.0, "seconds": 60}, True),
        ({"rise": 200, "watts": 12_000.0, "seconds": 50}, False),
        ({"rise": 1000, "every": 120}, True),
        ({"rise": 1000, "every": 121, "seconds": 3630}, False),
        ({"rise": 1000, "without": range(1000, 1350)}, True),  # 360 of 3600 seconds between two powers
        ({"rise": 1000, "without": range(1000, 1360)}, False),
        ({"rise": 1000, "without": range(1000, 1110)}, True),
    ],
)
@pytest.mark.parametrize("start", [0, 1_000_000])
def test_how_much_must_be_known_to_judge(options: dict[str, Any], proven: bool, start: int) -> None:
    assert risen(**options, start=start).proven is proven


def test_a_counter_whose_step_was_set_otherwise_begins_anew() -> None:
    check, power = ScaleCheck(), {"active_power_import": measured(3600, "W")}
    for now in range(0, 3601, 10):
        counted = {0: measured(0, "Wh"), 3600: measured(36_000, "Wh")}.get(now)
        found = power if counted is None else power | {"active_energy_import": counted}
        check.look(found, ASSUMED, Decimal(1 if now < 3600 else 10), float(now))
    assert (check.proven, check.doubts) == (False, {})


def test_a_later_look_says_which_of_both_it_is_after_all() -> None:
    check = risen(36_000, watts=3600.0)
    assert set(check.doubts) == {"energy"}
    risen(36_000, watts=3600.0, apparent=(250, 400.0), start=10_000, check=check)
    assert set(check.doubts) == {"power"}
    risen(36_000, watts=3600.0, apparent=(250, 14.4), start=20_000, check=check)
    assert set(check.doubts) == {"energy"}
    risen(36_000, watts=3600.0, apparent=(250, 400.0), start=30_000, check=check)
    risen(3600, watts=3600.0, start=40_000, check=check)
    assert (check.proven, check.doubts) == (True, {})


@pytest.mark.parametrize(
    ("watts", "apparent", "share", "wrong"),
    [
        # The counter rises by a tenth of the power: is the power ten times too high?
        (1200.0, (200, 2.0), 0.1, "power"),
        (1200.0, (200, 2.01), 0.1, "energy"),
        (3000.0, (200, 1.0), 0.1, "power"),
        (3020.0, (200, 1.0), 0.1, "energy"),
        (300.0, (100, 1.0), 0.1, "energy"),  # too little to tell
        (303.0, (101, 1.0), 0.1, "power"),
        (1200.0, (200, -2.0), 0.1, "power"),
        # The counter rises by ten times the power: is the power a tenth of what is right?
        (130.0, (250, 4.0), 10, "power"),
        (131.0, (250, 4.0), 10, "energy"),
        (10.0, (250, 4.0), 10, "power"),
        (9.9, (250, 4.0), 10, "energy"),
        (1000.0, None, 10, "energy"),
    ],
)
def test_voltage_and_current_tell_which_of_both_is_wrong(
    watts: float, apparent: tuple[float, float] | None, share: float, wrong: str
) -> None:
    check = risen(round(watts * share), watts=watts, apparent=apparent)
    factor = {"energy": "10" if share > 1 else "0.1", "power": "0.1" if share > 1 else "10"}[wrong]
    assert {subject: doubt.factor for subject, doubt in check.doubts.items()} == {wrong: Decimal(factor)}


@pytest.mark.parametrize(
    ("volts", "factor"),
    [
        (1800, "10"),
        (1799, None),
        (2800, "10"),
        (2801, None),
        (18, "0.1"),
        (17.9, None),
        (28, "0.1"),
        (28.1, None),
    ],
)
def test_where_the_range_of_a_voltage_ends(volts: float, factor: str | None) -> None:
    check = ScaleCheck()
    check.look({"voltage_l1": measured(volts, "V")}, ASSUMED, Decimal(1), 0.0)
    doubt = check.doubts.get("voltage")
    assert (None if doubt is None else str(doubt.factor)) == factor
