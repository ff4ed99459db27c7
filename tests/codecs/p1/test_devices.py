"""M-Bus devices behind an electricity meter: what each is, what it measures, and which of them are in use."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smart_meter_reader.codecs.p1.devices import DeviceReader, SubMeter
from smart_meter_reader.codecs.p1.mbus import MOST_IN_USE, Chosen, InUse
from smart_meter_reader.codecs.p1.telegram import Telegram, TelegramParser
from smart_meter_reader.codecs.p1.values import LineMemory

NOON = "(210101120000W)"


def parse(*lines: str, in_use: InUse | None = None, parser: TelegramParser | None = None) -> Telegram:
    text = "".join(f"{line}\r\n" for line in ("0-0:1.0.0(210101120500W)", *lines))
    reader = parser or TelegramParser(in_use=in_use)
    return reader.parse(f"/XMX5LGBBFG\r\n\r\n{text}!".encode("latin-1"), "ok")


def device(channel: int, reading: str, kind: str = "003", serial: str = "3131") -> list[str]:
    return [f"0-{channel}:24.1.0({kind})", f"0-{channel}:96.1.0({serial})", f"0-{channel}:24.2.1{reading}"]


def only(telegram: Telegram) -> SubMeter:
    (found,) = telegram.meters.values()
    return found


@pytest.mark.parametrize(
    ("kind", "unit", "medium", "quantity"),
    [
        # EN 13757-3, table of device types; DSMR 5.0.2 P1, 6.12.
        ("002", "kWh", "electricity", "active_energy_import"),
        ("003", "m3", "gas", "gas_volume"),
        ("003", "dm3", "gas", "gas_volume"),
        ("004", "GJ", "heat", "heat_energy"),
        *(("004", unit, "heat", "heat_energy") for unit in ("Wh", "kWh", "GWh", "J", "kJ")),
        ("004", "m3", "heat", "volume"),
        ("004", "m3/h", "heat", "volume_flow"),
        ("004", "l/h", "heat", "volume_flow"),
        ("004", "kW", "heat", "power"),
        ("004", "W", "heat", "power"),
        ("006", "m3", "warm-water", "water_volume"),
        ("007", "m3", "water", "water_volume"),
        ("007", "l", "water", "water_volume"),
        ("008", "kWh", "heat-cost", "heat_energy"),
        ("010", "GJ", "cooling", "cooling_energy"),
        ("011", "GJ", "cooling", "cooling_energy"),
        ("012", "MWh", "heat", "heat_energy"),
        ("013", "MJ", "heat", "heat_energy"),
        ("021", "m3", "hot-water", "water_volume"),
        ("022", "m3", "cold-water", "water_volume"),
        ("023", "m3", "water", "water_volume"),
        # Oil and waste water: no gas, whatever the unit is.
        ("001", "m3", "mbus-1", "volume"),
        ("040", "m3", "mbus-40", "volume"),
        ("255", "GJ", "mbus-255", "heat_energy"),
        ("040", "V", "mbus-40", None),
    ],
)
def test_a_device_is_what_its_type_says(kind: str, unit: str, medium: str, quantity: str | None) -> None:
    telegram = parse(*device(1, f"{NOON}(12.5*{unit})", kind))
    devices = {found.medium: found for found in (*telegram.meters.values(), *telegram.dead_meters)}
    assert devices.keys() == {medium}
    assert list(devices[medium].measurements) == ([] if quantity is None else [quantity])
    assert devices[medium].device_type == int(kind)


@pytest.mark.parametrize(
    ("kind", "unit", "medium"),
    [
        (None, "m3", "gas"),
        (None, "GJ", "heat"),
        (None, "V", None),
        ("000", "m3", "gas"),  # other
        ("014", "GJ", "heat"),  # bus or system
        ("015", "m3", "gas"),  # unknown
        ("256", "m3", "gas"),  # no octet
        ("00003", "GJ", "heat"),
        ("", "m3", "gas"),
        ("A", "GJ", "heat"),
    ],
)
def test_a_device_without_a_type_is_told_by_its_unit(kind: str | None, unit: str, medium: str | None) -> None:
    """As the gas meters of DSMR 2.2 that send no 24.1.0."""
    lines = device(1, f"{NOON}(12.5*{unit})", kind or "")
    telegram = parse(*(lines if kind is not None else lines[1:]))
    assert list(telegram.meters) == ([] if medium is None else [medium])
    assert telegram.dead_meters == ()
    said = int(kind) if kind in ("000", "014", "015") else None
    assert all(found.device_type == said for found in telegram.meters.values())


@pytest.mark.parametrize("kind", ["000", "003", "040"])
def test_a_channel_that_is_only_announced(kind: str) -> None:
    """Of a kind without a name nothing is told; a gas meter is there, and shows nothing yet."""
    telegram = parse(f"0-1:24.1.0({kind})", "0-1:96.1.0()")
    assert telegram.meters == {}
    assert [found.medium for found in telegram.dead_meters] == (["gas"] if kind == "003" else [])


@pytest.mark.parametrize(
    ("kind", "medium"), [("000", []), ("014", ["mbus-14"]), ("015", ["mbus-15"]), ("040", ["mbus-40"])]
)
def test_a_device_of_another_kind_that_never_reported(kind: str, medium: list[str]) -> None:
    telegram = parse(*device(1, "()", kind))
    assert telegram.meters == {}
    assert [found.medium for found in telegram.dead_meters] == medium


def test_what_is_remembered_of_devices_is_bounded() -> None:
    reader = DeviceReader(LineMemory())
    for channel in range(100):
        reader.read((0, channel), {"24.1.0": {"value": "003", "unit": ""}}, None)
        assert len(reader._known) <= 16


def test_only_lines_of_readings_are_readings() -> None:
    assert list(only(parse(*device(1, f"{NOON}(1*m3)", "004"), "0-1:24.9.1(5*GJ)")).measurements) == [
        "volume"
    ]


@pytest.mark.parametrize("code", ["96.1.0", "96.1.1", "0.0.0"])
def test_a_device_has_a_serial_number(code: str) -> None:
    found = only(parse("0-1:24.1.0(003)", f"0-1:{code}(4730303339)", f"0-1:24.2.1{NOON}(1*m3)"))
    assert found.serial_number == "G0039"
    assert (found.group, found.channel, found.prefix) == ((0, 1), 1, "0-1:")


def test_the_first_serial_number_that_says_something_counts() -> None:
    lines = device(1, f"{NOON}(1*m3)", serial="")
    assert only(parse(*lines, "0-1:96.1.1(4730303339)")).serial_number == "G0039"
    assert only(parse(*lines, "0-1:96.2.2(4730303339)")).serial_number == ""


def test_a_relay_on_its_channel_is_not_the_devices() -> None:
    telegram = parse(*device(1, f"{NOON}(1*m3)"), "0-1:96.3.10(1)", *device(11, f"{NOON}(1*m3)", "007"))
    gas = telegram.meters["gas"]
    assert gas.owned(telegram.objects) == ["0-1:24.1.0", "0-1:96.1.0", "0-1:24.2.1"]


def test_a_device_measured_when_its_newest_value_was() -> None:
    later = parse(*device(1, f"{NOON}(1*GJ)", "004"), "0-1:24.2.2(210101120400W)(2*m3)")
    assert only(later).measured_at == datetime(2021, 1, 1, 11, 4, tzinfo=UTC)
    assert only(parse(*device(1, "(1*GJ)", "004"))).measured_at is None


def test_of_two_readings_of_a_quantity_the_first_counts() -> None:
    both = parse(*device(1, f"{NOON}(1.5*m3)"), f"0-1:24.2.3{NOON}(2.5*m3)")
    assert only(both).measurements["gas_volume"]["value"] == Decimal("1.5")


@pytest.mark.parametrize(
    ("time", "reading", "shown", "timed"),
    [
        ("(210102120500W)", "(7*m3)", Decimal(7), True),  # a day ahead of the telegram, as clocks may be
        ("(210102120501W)", "(7*m3)", Decimal(7), False),
        ("(210102120501W)", "(0*m3)", None, False),  # never reported: zero at no possible time
        ("(700101010000W)", "(0*m3)", None, False),
        ("(210101120000W)", "(0*m3)", Decimal(0), True),
        ("", "(0*m3)", Decimal(0), False),
        ("(210101120000W)", "(7)", None, False),
        ("(210101120000W)", "(text*m3)", None, False),
    ],
)
def test_when_a_device_measured(time: str, reading: str, shown: Decimal | None, timed: bool) -> None:
    found = parse(*device(1, time + reading)).meters
    if shown is None:
        assert not found
        return
    item = found["gas"].measurements["gas_volume"]
    assert (item["value"], "measured_at" in item) == (shown, timed)


@pytest.mark.parametrize(
    ("groups", "shown"),
    [
        ("(210101120000)(00)(60)(1)(0-1:24.2.1)(m3)(00012.500)", {"gas_volume": Decimal("12.500")}),
        ("(210101120000)(00)(60)(1)(0-1:24.2.1)(GJ)(00012.500)", {"heat_energy": Decimal("12.500")}),
        ("(210101120000)(00)(60)(0-1:24.2.1)(m3)(00012.500)", {}),  # a group too few: which is the unit?
    ],
)
def test_the_table_of_the_first_meters(groups: str, shown: dict[str, Decimal]) -> None:
    """DSMR 2.2 and 3: 24.3.0, whose last but one group is the unit."""
    telegram = parse("0-1:96.1.0(3131)", f"0-1:24.3.0{groups}")
    values = [
        {key: item["value"] for key, item in found.measurements.items()} for found in telegram.meters.values()
    ]
    assert values == ([shown] if shown else [])


def test_a_valve_is_told_and_is_no_sign_of_life() -> None:
    found = parse(*device(1, f"{NOON}(1*m3)"), "0-1:24.4.0(1)").meters["gas"]
    assert found.measurements["valve_position"] == {"value": 1, "unit": ""}
    assert "valve_position" not in only(parse(*device(1, f"{NOON}(1*m3)"), "0-1:24.4.0(on)")).measurements
    dead = parse(*device(1, "(700101010000W)(0*m3)"), "0-1:24.4.0(1)")
    assert not dead.meters
    assert [found.channel for found in dead.dead_meters] == [1]


def test_an_open_valve_is_no_count() -> None:
    """A new meter that shows zero does not take the place of the one that counted."""
    parser = TelegramParser()
    old = device(1, "(210101080000W)(100*m3)")
    assert parse(*old, parser=parser).meters["gas"].channel == 1
    new = [*device(2, f"{NOON}(0*m3)", serial="3232"), "0-2:24.4.0(1)"]
    assert parse(*old, *new, parser=parser).meters["gas"].channel == 1


def test_lines_that_change_are_read_anew() -> None:
    parser = TelegramParser()
    for serial, expected in (("4730303339", "G0039"), ("4730303338", "G0038"), ("4730303339", "G0039")):
        assert (
            only(parse(*device(1, f"{NOON}(1*m3)", serial=serial), parser=parser)).serial_number == expected
        )


def test_more_devices_than_are_remembered_are_read_all_the_same() -> None:
    parser = TelegramParser(in_use=InUse(by_channel=True))
    lines = [
        line
        for channel in range(1, 41)
        for line in device(channel, f"{NOON}(1*m3)", serial=f"{3000 + channel}")
    ]
    for _ in range(2):
        telegram = parse(*lines, parser=parser)
        assert [found.channel for found in telegram.meters.values()] == list(range(1, 41))
        assert len({found.serial_number for found in telegram.meters.values()}) == 40


# --- which of them are in use ---


def two(first: str, second: str) -> list[str]:
    return [*device(1, first, serial="31"), *device(2, second, serial="32")]


def test_only_channels_of_the_settings_count() -> None:
    lines = two("(210101120000W)(9*m3)", "(210101110000W)(5*m3)")
    telegram = parse(*lines, in_use=InUse(channels=frozenset({2})))
    assert telegram.meters["gas"].channel == 2
    assert [found.channel for found in telegram.dead_meters] == [1]
    assert parse(*lines, in_use=InUse(channels=frozenset({3}))).meters == {}


def test_by_channel_each_device_has_a_name_of_its_own() -> None:
    telegram = parse(*two(f"{NOON}(9*m3)", f"{NOON}(5*m3)"), in_use=InUse(by_channel=True))
    assert {name: found.channel for name, found in telegram.meters.items()} == {"gas-1": 1, "gas-2": 2}
    assert telegram.dead_meters == ()


@pytest.mark.parametrize(
    ("chosen", "anothers"),
    [
        (None, False),
        (Chosen((0, 1), "1", counted=True), False),
        (Chosen((0, 1), "1", counted=False), False),
        (Chosen((0, 1), "2", counted=True), True),
        (Chosen((0, 2), "1", counted=True), True),
        (Chosen((0, 2), "2", counted=False), False),
    ],
)
def test_whether_a_name_is_anothers(chosen: Chosen | None, anothers: bool) -> None:
    found = only(parse(*device(1, f"{NOON}(9*m3)", serial="31")))
    assert found.serial_number == "31"
    in_use = InUse(
        chosen={} if chosen is None else {"gas": chosen._replace(serial_number=f"3{chosen.serial_number}")}
    )
    assert in_use.is_anothers(found) is anothers


@pytest.mark.parametrize(
    ("before", "first", "second", "channel"),
    [
        # The newest, or that of the higher channel; one that tells no time is behind all that do.
        (None, "120000", "120000", 2),
        (None, "120001", "120000", 1),
        (None, "", "", 2),
        (None, "120000", "", 1),
        (None, "", "120000", 2),
        # The one that had the name keeps it, if it is no more than three hours behind.
        (1, "090000", "120000", 1),
        (1, "085959", "120000", 2),
        (2, "120000", "090000", 2),
        (2, "120000", "085959", 1),
        (1, "120000", "110000", 1),
        (2, "110000", "120000", 2),
        (1, "", "120000", 2),
    ],
)
@pytest.mark.parametrize("channels", [frozenset[int](), frozenset({1, 2})])
def test_which_of_two_that_count_has_the_name(
    before: int | None, first: str, second: str, channel: int, channels: frozenset[int]
) -> None:
    chosen = {} if before is None else {"gas": Chosen((0, before), f"3{before}", counted=True)}
    lines = [
        device(number, f"(210101{time}W)(9*m3)" if time else "(9*m3)", serial=f"3{number}")
        for number, time in ((1, first), (2, second))
    ]
    for one, other in (lines, lines[::-1]):
        in_use = InUse(channels=channels, chosen=dict(chosen))
        assert parse(*one, *other, in_use=in_use).meters["gas"].channel == channel


def test_one_that_shows_zero_waits_until_it_counts() -> None:
    parser = TelegramParser()
    assert parse(*two(f"{NOON}(0*m3)", f"{NOON}(5*m3)"), parser=parser).meters["gas"].channel == 2
    parser = TelegramParser()
    # Where none counts, the newer has the name, and hands it over to the first that does.
    assert parse(*two(f"{NOON}(0*m3)", f"{NOON}(0*m3)"), parser=parser).meters["gas"].channel == 2
    assert parse(*two(f"{NOON}(0.001*m3)", f"{NOON}(0*m3)"), parser=parser).meters["gas"].channel == 1
    # Which then keeps it for as long as it is there, though it be alone with zero.
    assert parse(*two("(210101120400W)(0*m3)", f"{NOON}(0*m3)"), parser=parser).meters["gas"].channel == 1


def test_a_zero_does_not_take_the_place_of_one_that_counted_and_is_gone() -> None:
    in_use = InUse()
    parser = TelegramParser(in_use=in_use)
    parse(*device(1, f"{NOON}(7*m3)", serial="31"), parser=parser)
    assert in_use.chosen == {"gas": Chosen((0, 1), "31", counted=True)}
    assert parse(*device(2, f"{NOON}(0*m3)", serial="32"), parser=parser).meters == {}
    assert parse(*device(2, f"{NOON}(0.1*m3)", serial="32"), parser=parser).meters["gas"].channel == 2
    assert in_use.chosen == {"gas": Chosen((0, 2), "32", counted=True)}


def test_a_device_is_remembered_as_counting_from_its_first_count_on() -> None:
    in_use = InUse()
    parser = TelegramParser(in_use=in_use)
    for reading, counted in (("0", False), ("0", False), ("0.1", True), ("0", True)):
        parse(*device(1, f"{NOON}({reading}*m3)", serial="31"), parser=parser)
        assert in_use.chosen["gas"] == Chosen((0, 1), "31", counted=counted)


def test_the_channel_of_other_settings_is_forgotten() -> None:
    chosen = {"gas": Chosen((0, 1), "31", counted=True)}
    in_use = InUse(channels=frozenset({2}), chosen=dict(chosen))
    # It shows zero, and still has the name: the one that counted is not wanted any more.
    assert parse(*two(f"{NOON}(9*m3)", f"{NOON}(0*m3)"), in_use=in_use).meters["gas"].channel == 2
    without = InUse(chosen=dict(chosen))
    assert parse(*two(f"{NOON}(9*m3)", f"{NOON}(0*m3)"), in_use=without).meters["gas"].channel == 1


def test_media_that_are_remembered_are_bounded() -> None:
    full = {f"mbus-{number}": Chosen((0, 1), "31", counted=True) for number in range(MOST_IN_USE - 1)}
    in_use = InUse(chosen=dict(full))
    parse(*device(1, f"{NOON}(7*m3)"), in_use=in_use)
    assert len(in_use.chosen) == MOST_IN_USE
    parse(*device(2, f"{NOON}(7*m3)", "007"), in_use=in_use)
    assert len(in_use.chosen) == MOST_IN_USE
    assert "water" not in in_use.chosen
    # Another device under a name that is known is remembered.
    parse(*device(3, f"{NOON}(8*m3)", serial="3333"), in_use=in_use)
    assert in_use.chosen["gas"].group == (0, 3)
