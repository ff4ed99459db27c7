"""The Home Assistant presenter: what it says in any course of events is accepted, and says the truth."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.messages import Current, Info, Reading, Status
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.measurement import Measurement, Value
from smart_meter_reader.sinks.home_assistant.mqtt import (
    HomeAssistantPresenter,
    HomeAssistantSettings,
    HomeAssistantSink,
)
from smart_meter_reader.sinks.wording import meter_title
from tests.validators.home_assistant import HomeAssistant
from tests.validators.homie import Publish

NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
BIRTH = ("homeassistant/status", b"online")
CONFIG = "homeassistant/device/smart_meter_reader_heat/config"
MEASURED = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=0, max_value=10**9)


def reading(meter: str = "heat", /, **measurements: tuple[Value, str]) -> Reading:
    values: dict[str, Measurement] = {
        key: {"value": value, "unit": unit} for key, (value, unit) in measurements.items()
    }
    return {"type": "reading", "meter": meter, "time": NOON, "measurements": values}


def status(
    state: Literal["online", "offline", "alert"], reason: str = "", detail: str = "", meter: str = "heat"
) -> Status:
    return {
        "type": "status",
        "meter": meter,
        "time": NOON,
        "state": state,
        "reason": reason,
        "detail": detail,
        "health": {"valid_readings": 3, "rejected_values": 1, "requests_24h": 24, "last_valid": NOON},
    }


INFO: Info = {
    "type": "info",
    "meter": "heat",
    "time": NOON,
    "manufacturer": "Kamstrup",
    "model": "MULTICAL 403",
    "serial_number": "12345678",
    "firmware": "C1",
    "interval": 3600,
}
HEAT = reading(heat_energy=(Decimal("227.450"), "GJ"), volume_flow=(Decimal(74), "l/h"), info_code=(0, ""))


class House:
    """A presenter and a Home Assistant that hears everything it says and never has cause to complain."""

    def __init__(self, **settings: Any) -> None:
        self.presenter = HomeAssistantPresenter(HomeAssistantSettings(**settings), NOON)
        self.home = HomeAssistant()
        self.see(self.presenter.announce())

    def tell(self, *messages: Current) -> list[Publish]:
        return self.see(told for message in messages for told in self.presenter.present(message))

    def hear(self, topic: str, payload: bytes) -> list[Publish]:
        again = self.presenter.received(topic, payload)
        return self.see(self.presenter.announce() if again else [])

    def sensors(self) -> dict[str, str]:
        """The states of the meters' sensors; beside them are the service's, and what is on or off."""
        states = self.home.states().items()
        return {at: state for at, state in states if at.startswith("sensor.") and "meter_reader" not in at}

    def see(self, messages: Iterable[MqttMessage]) -> list[Publish]:
        seen = [Publish(m.topic, str(m.payload), m.qos, m.retain) for m in messages]
        assert all(
            message.qos == 1 and message.retain == ("_ha/heat/event/" not in message.topic)
            for message in seen
        )
        self.home.feed(seen)
        assert self.home.problems == []
        return seen


def test_a_meter_from_first_word_to_states() -> None:
    house = House(service="kamstrup_403")
    house.tell(INFO, status("online"), HEAT)
    assert house.sensors() == {
        "sensor.heat_heat_energy": "227.450",
        "sensor.heat_volume_flow": "74",
        "sensor.heat_info_code": "0",
        "sensor.heat_last_reading": "2026-02-01T12:00:00Z",
        "sensor.heat_status": "online",
        "sensor.heat_status_reason": "none",
        "sensor.heat_status_detail": "none",
        "sensor.heat_valid_readings": "3",
        "sensor.heat_rejected_values": "1",
        "sensor.heat_requests_24h": "24",
    }


def test_the_discovery_payload() -> None:
    house = House(service="kamstrup_403")
    house.tell(INFO)
    (config,) = [m for m in house.tell(HEAT) if m.topic == CONFIG]
    payload = json.loads(config.payload)
    assert payload.keys() == {"dev", "o", "cmps", "avty", "avty_mode", "stat_t", "qos"}
    assert payload["dev"] == {
        "ids": ["smart_meter_reader_heat"],
        "name": "Heat meter",
        "mf": "Kamstrup",
        "mdl": "MULTICAL 403",
        "sn": "12345678",
        "sw": "C1",
        "via_device": "smart_meter_reader_service_kamstrup_403",
    }
    assert payload["o"]["name"] == "smart-meter-reader"
    assert payload["avty_mode"] == "all"
    assert payload["avty"] == [
        {"t": "smart_meter_reader_ha/availability/kamstrup_403"},
        {"t": "smart_meter_reader_ha/heat/availability"},
        {
            "t": "smart_meter_reader_ha/heat/state",
            "val_tpl": "{{ 'online' if (value_json.last_reading | default('') | as_timestamp(0)) + 10860"
            " > as_timestamp(now()) else 'offline' }}",
        },
    ]
    assert payload["cmps"]["heat_energy"] == {
        "p": "sensor",
        "uniq_id": "smart_meter_reader_heat_heat_energy",
        "def_ent_id": "sensor.heat_heat_energy",
        "name": "Heat energy",
        "stat_t": "smart_meter_reader_ha/heat/state",
        "qos": 1,
        "val_tpl": "{{ value_json.heat_energy | default(None) }}",
        "dev_cla": "energy",
        "stat_cla": "total_increasing",
        "unit_of_meas": "GJ",
        "sug_dsp_prc": 3,
        "exp_aft": 10860,
    }


def test_digits_are_the_meters() -> None:
    house = House()
    house.tell(reading(heat_energy=(Decimal("7.60"), "GJ"), power=(Decimal("1E+3"), "W"), volume=(7, "m³")))
    states = house.home.states()
    assert states["sensor.heat_heat_energy"] == "7.60"
    assert states["sensor.heat_power"] == "1000"
    assert states["sensor.heat_volume"] == "7"


def test_a_reading_without_a_slow_quantity_leaves_it_known() -> None:
    house = House()
    house.tell(HEAT, reading(volume_flow=(Decimal(75), "l/h")))
    assert house.home.states()["sensor.heat_heat_energy"] == "227.450"
    assert house.home.states()["sensor.heat_volume_flow"] == "75"


def test_discovery_is_published_only_when_it_changes() -> None:
    house = House()
    house.tell(INFO, HEAT)
    assert [message.topic for message in house.tell(HEAT)] == ["smart_meter_reader_ha/heat/state"]
    assert CONFIG in [message.topic for message in house.tell(reading(power=(Decimal(1), "kW")))]
    assert house.tell(INFO) == []


def test_a_meter_that_changes_its_unit_keeps_its_entity() -> None:
    house = House()
    house.tell(HEAT, reading(heat_energy=(Decimal("63.179"), "MWh")))
    assert house.home.config("sensor.heat_heat_energy")["unit_of_meas"] == "MWh"
    assert house.home.states()["sensor.heat_heat_energy"] == "63.179"


def test_values_go_with_the_meter_and_diagnostics_stay() -> None:
    house = House()
    house.tell(INFO, HEAT, status("offline", "no_answer", "The meter does not answer."))
    states = house.home.states()
    assert states["sensor.heat_heat_energy"] == "unavailable"
    assert states["sensor.heat_status"] == "offline"
    assert states["sensor.heat_status_reason"] == "no_answer"
    assert states["sensor.heat_last_reading"] == "2026-02-01T12:00:00Z"
    house.tell(status("online"), HEAT)
    assert house.home.states()["sensor.heat_heat_energy"] == "227.450"
    house.tell(status("alert", "no_key", "There is no key."))
    assert house.home.states()["sensor.heat_heat_energy"] == "unavailable"


def test_the_will_and_the_farewell_take_everything_away() -> None:
    house = House()
    house.tell(INFO, status("online"), HEAT)
    assert house.presenter.will is not None
    assert house.presenter.farewell() == [house.presenter.will]
    house.see(house.presenter.farewell())
    assert set(house.home.states().values()) == {"unavailable"}
    house.see(house.presenter.announce())
    assert "unavailable" not in house.home.states().values()


def test_everything_again_at_the_birth_of_home_assistant() -> None:
    house = House()
    house.tell(INFO, status("online"), HEAT)
    before = house.home.states()
    house.home = HomeAssistant()  # a new one, without anything retained
    seen = house.hear(*BIRTH)
    assert house.home.states() == before
    assert seen[-1].payload == "online"  # the service's availability is the last word
    assert house.hear("homeassistant/status", b"offline") == []
    assert house.hear("something/else", b"online") == []


def test_expiry_follows_the_interval_in_whole_minutes() -> None:
    house = House()
    house.tell(HEAT)
    assert "exp_aft" not in house.home.config("sensor.heat_heat_energy")
    for interval, expiry in ((1, 60), (10, 60), (11, 120), (3600, 10860), (86400, 259260)):
        house.tell({**INFO, "interval": interval}, HEAT)
        assert house.home.config("sensor.heat_heat_energy")["exp_aft"] == expiry
    assert "exp_aft" not in house.home.config("sensor.heat_last_reading")


def test_what_is_old_by_its_own_time_stays_unavailable_when_home_assistant_starts_again() -> None:
    """allangood/rtlamr2mqtt#200, and a run by cron that died: the broker plays the old state back as new."""
    house = House()
    house.tell({**INFO, "interval": 5}, status("online"), HEAT)
    told = house.see(house.presenter.announce())
    for seconds, available in ((0, True), (59, True), (64, False)):
        home = HomeAssistant(now=NOON + timedelta(seconds=seconds)).feed(told)
        assert home.problems == []
        assert (home.states()["sensor.heat_heat_energy"] != "unavailable") is available
        # When it was taken last stays known: it says why.
        assert home.states()["sensor.heat_last_reading"] == "2026-02-01T12:00:00Z"


def test_a_state_without_its_time_is_too_old() -> None:
    house = House()
    told = house.tell({**INFO, "interval": 5}, status("online"), HEAT)
    old = [replace(m, payload='{"heat_energy":"1.0"}') if m.topic.endswith("/state") else m for m in told]
    assert HomeAssistant(now=NOON).feed(old).states()["sensor.heat_heat_energy"] == "unavailable"


def test_sub_meters_are_devices_of_their_own_behind_their_meter() -> None:
    house = House()
    sub: Info = {"type": "info", "meter": "p1-gas", "time": NOON, "via": "p1", "serial_number": "G42"}
    gas = reading("p1-gas", gas_volume=(Decimal("1234.567"), "m³"))
    gas["measurements"]["gas_volume"]["measured_at"] = NOON
    # The child first: Home Assistant must not hear of its parent before the parent is announced.
    house.tell(sub, gas)
    assert "via_device" not in house.home.devices["smart_meter_reader_p1-gas"]
    house.tell(reading("p1", active_power_import=(Decimal("0.512"), "kW")), gas)
    assert house.home.devices["smart_meter_reader_p1-gas"]["via_device"] == "smart_meter_reader_p1"
    assert house.home.states()["sensor.p1_gas_measured_at"] == "2026-02-01T12:00:00Z"
    house.home = HomeAssistant()
    house.see(house.presenter.announce())
    assert house.home.devices["smart_meter_reader_p1-gas"]["via_device"] == "smart_meter_reader_p1"


class TestEarlierRuns:
    """What an earlier run announced, and this one does not bring any more."""

    def earlier(self) -> bytes:
        house = House()
        (config,) = [m for m in house.tell(reading(power=(Decimal(1), "kW"))) if m.topic == CONFIG]
        return config.payload.encode()

    def later(self) -> House:
        house = House()
        house.home.feed([Publish(CONFIG, self.earlier().decode(), 1, True)])
        house.tell(INFO)  # its discovery is asked for by name as soon as it is heard of
        return house

    def test_it_is_removed_once_it_is_clear_that_it_does_not_come(self) -> None:
        house = self.later()
        house.hear(CONFIG, self.earlier())
        for _ in range(2):
            house.tell(HEAT)
            assert "sensor.heat_power" in house.home.states()
        house.tell(HEAT)
        assert house.home.removed == ["smart_meter_reader_heat_power"]
        assert "sensor.heat_power" not in house.home.states()

    def test_also_when_the_broker_tells_of_it_late(self) -> None:
        house = self.later()
        house.tell(HEAT, HEAT, HEAT)
        house.hear(CONFIG, self.earlier())
        house.tell(HEAT)
        assert house.home.removed == ["smart_meter_reader_heat_power"]

    def test_our_own_words_coming_back_change_nothing(self) -> None:
        house = self.later()
        house.hear(CONFIG, self.earlier())
        house.tell(HEAT, HEAT)
        echo = [m for m in house.tell(HEAT) if m.topic == CONFIG]
        assert house.hear(CONFIG, echo[0].payload.encode()) == []
        assert house.hear(CONFIG, self.earlier()) == []

    def test_it_may_come_back(self) -> None:
        house = self.later()
        house.hear(CONFIG, self.earlier())
        house.tell(HEAT, HEAT, HEAT, reading(power=(Decimal("1.5"), "kW")))
        assert house.home.states()["sensor.heat_power"] == "1.5"

    def test_what_another_service_announced_is_not_taken_away(self) -> None:
        """rtlamr2mqtt#312: two services, each with a meter of the same name."""
        other = House(service="cellar")
        (config,) = [m for m in other.tell(reading(power=(Decimal(1), "kW"))) if m.topic == CONFIG]
        house = House(service="house")
        house.tell(INFO)
        house.hear(CONFIG, config.payload.encode())
        house.tell(HEAT, HEAT, HEAT)
        (config,) = [m for m in house.see(house.presenter.announce()) if m.topic == CONFIG]
        assert '"power"' not in config.payload

    def test_of_an_earlier_base_it_is_ours_all_the_same(self) -> None:
        earlier = House(service="house", base="before")
        (config,) = [m for m in earlier.tell(reading(power=(Decimal(1), "kW"))) if m.topic == CONFIG]
        house = House(service="house")
        house.tell(INFO)
        house.hear(CONFIG, config.payload.encode())
        house.tell(HEAT, HEAT, HEAT)
        (config,) = [m for m in house.see(house.presenter.announce()) if m.topic == CONFIG]
        assert '"power":{"p":"sensor"}' in config.payload

    def test_what_is_not_ours_is_left_alone(self) -> None:
        house = House()
        foreign = {"dev": {}, "o": {"name": "x"}, "cmps": {"a": {"p": "sensor", "uniq_id": "other_a"}}}
        for payload in (
            json.dumps(foreign).encode(),
            b"",
            b"\xff",
            b"[]",
            b'{"cmps": []}',
            b'{"cmps":{"a":1}}',
        ):
            assert house.hear(CONFIG, payload) == []
            house.tell(HEAT)
            assert house.hear(CONFIG, payload) == []
        assert house.home.removed == []

    @pytest.mark.parametrize(
        "payload",
        [
            b'{"cmps":{"x\\ud800":{"uniq_id":"smart_meter_reader_heat_x\\ud800","p":"sensor"}}}',
            b'{"cmps":{"x y":{"uniq_id":"smart_meter_reader_heat_x y","p":"sensor"}}}',
            b'{"cmps":{"x":{"uniq_id":"smart_meter_reader_heat_x","p":"button"}}}',
            b'{"cmps":{"x":{"uniq_id":"smart_meter_reader_heat_x","p":["sensor"]}}}',
            b'{"cmps":{"x":{"uniq_id":"smart_meter_reader_heat_x","p":"sensor","y":NaN}}}',
            b'{"cmps":{"x":{"uniq_id":"smart_meter_reader_heat_x","p":"sensor","y":' + b"9" * 5000 + b"}}}",
            '{"cmps":{"x":{"uniq_id":"smart_meter_reader_heat_x","p":"sensor"}}}'.encode("utf-16"),
            b'{"cmps":{"' + b"x" * 100 + b'":{"uniq_id":"smart_meter_reader_heat_' + b"x" * 100 + b'"}}}',
            b"[" * 100_000,
            b'{"cmps":' * 100_000,
            b'{"cmps":{"' + b'\\"' * 100_000,
            b"null",
            b'{"cmps":{"x":null}}',
            b'"cmps"',
        ],
    )
    def test_what_others_write_there_goes_no_further(self, payload: bytes) -> None:
        house = House()
        house.tell(INFO, HEAT)
        assert house.hear(CONFIG, payload) == []
        house.tell(HEAT, HEAT, HEAT)
        assert house.home.removed == []
        assert "ud800" not in house.presenter.announce()[0].payload

    def test_of_what_looks_like_ours_only_the_key_goes_further_and_few_of_them(self) -> None:
        house = House()
        house.tell(INFO, HEAT)
        avty = [{"t": "smart_meter_reader_ha/availability"}]
        for number in range(100):
            keys = [f"k{number}_{i}" for i in range(50)]
            more = {"uniq_id": "", "p": "sensor", "unit_of_meas": "evil", "a": [{"b": "evil"}]}
            found = {key: more | {"uniq_id": f"smart_meter_reader_heat_{key}"} for key in keys}
            house.hear(CONFIG, json.dumps({"cmps": found, "dev": {"name": "evil"}, "avty": avty}).encode())
            (config,) = [m for m in house.presenter.announce() if m.topic == CONFIG]
            assert "evil" not in config.payload
            house.tell(HEAT)
        (config,) = [m for m in house.presenter.announce() if m.topic == CONFIG]
        removals = [each for each in json.loads(config.payload)["cmps"].values() if each == {"p": "sensor"}]
        assert len(removals) == 500


def test_only_its_own_topics_are_asked_for_by_name() -> None:
    house = House(service="home")
    house.tell(INFO, HEAT, reading("p1-gas", gas_volume=(Decimal("1.5"), "m³")))
    assert list(house.presenter.subscriptions) == ["homeassistant/status"] + [
        f"homeassistant/{form.format(device)}/config"
        for device in (
            "smart_meter_reader_service_home",
            "smart_meter_reader_heat",
            "smart_meter_reader_p1-gas",
        )
        for form in ("device/{}", "sensor/{}/+", "binary_sensor/{}/+", "event/{}/+", "button/{}/+")
    ]
    assert (
        house.hear("homeassistant/device/smart_meter_reader_other/config", TestEarlierRuns().earlier()) == []
    )


def test_a_second_unit_and_a_volume_of_gas_for_heat() -> None:
    house = House(heat_energy_unit="kWh", gas_equivalent=Decimal("31.65"))
    house.tell(reading(heat_energy=(Decimal("227.445"), "GJ"), cooling_energy=(Decimal("1.0"), "GJ")))
    states = house.home.states()
    assert states["sensor.heat_heat_energy"] == "227.445"
    assert states["sensor.heat_heat_energy_in_kwh"] == "63179.17"
    assert states["sensor.heat_heat_energy_gas_equivalent"] == "7198.634"
    assert states["sensor.heat_cooling_energy_in_kwh"] == "278"
    assert house.home.config("sensor.heat_heat_energy_gas_equivalent")["dev_cla"] == "gas"
    assert house.home.config("sensor.heat_heat_energy_in_kwh")["name"] == "Heat energy in kWh"


def test_no_second_entity_for_the_meters_own_unit() -> None:
    house = House(heat_energy_unit="GJ")
    house.tell(HEAT)
    assert [key for key in house.home.states() if "_in_" in key] == []


@pytest.mark.parametrize(
    ("key", "value", "state"),
    [
        ("text_message", "x" * 300, "x" * 255),
        ("last_power_failure_end", "2026-01-31T12:00:00+01:00", "2026-01-31T11:00:00Z"),
        ("serial_number", 12345678, "12345678"),
        ("power", Decimal("NaN"), "unknown"),
        ("power", "12,5", "unknown"),
        ("info_code", Decimal("16"), "16"),
    ],
)
def test_states_that_home_assistant_takes(key: str, value: Value, state: str) -> None:
    house = House()
    house.tell(reading(**{key: (value, "")}))
    assert house.home.states()[f"sensor.heat_{key}"] == state


def test_a_clock_without_zone_is_text_and_with_one_a_timestamp() -> None:
    timestamps = [key for key, quantity in QUANTITIES.items() if quantity.kind is Kind.TIMESTAMP]
    house = House()
    house.tell(reading(**{timestamps[0]: ("2026-01-31T12:00:00", "")}))
    assert house.home.states()[f"sensor.heat_{timestamps[0]}"] == "2026-01-31T12:00:00"
    assert "dev_cla" not in house.home.config(f"sensor.heat_{timestamps[0]}")


def test_an_empty_text_has_no_entity_until_it_says_something() -> None:
    house = House()
    house.tell(reading(text_message=("", "")))
    assert "sensor.heat_text_message" not in house.home.states()
    house.tell(reading(text_message=("hello", "")))
    assert house.home.states()["sensor.heat_text_message"] == "hello"
    house.tell(reading(text_message=("", "")))
    assert house.home.states()["sensor.heat_text_message"] == "unknown"


def test_a_key_outside_the_catalogue_is_shown_as_a_diagnostic() -> None:
    house = House()
    house.tell(reading(register_1234=(Decimal("1.5"), "GJ"), vendor_word=("abc", "")))
    assert house.home.states()["sensor.heat_register_1234"] == "1.5"
    assert house.home.config("sensor.heat_register_1234")["ent_cat"] == "diagnostic"
    assert house.home.states()["sensor.heat_vendor_word"] == "abc"


def test_a_ratio_shows_the_decimals_it_came_with() -> None:
    house = House()
    house.tell(reading(cop=(Decimal("3.2"), ""), power_failures=(4, "")))
    assert house.home.config("sensor.heat_cop")["sug_dsp_prc"] == 1
    assert house.home.config("sensor.heat_power_failures")["sug_dsp_prc"] == 0


def test_times_are_told_in_utc() -> None:
    house = House()
    there = HEAT.copy()
    there["time"] = NOON.astimezone(timezone(timedelta(hours=2)))
    house.tell(there)
    assert house.home.states()["sensor.heat_last_reading"] == "2026-02-01T12:00:00Z"


def test_how_far_a_telegram_can_be_trusted() -> None:
    house = House()
    house.tell({**HEAT, "authentication": "verified"})
    assert house.home.states()["sensor.heat_authentication"] == "verified"


@pytest.mark.parametrize("key", QUANTITIES)
def test_every_quantity_becomes_an_entity_with_a_state(key: str) -> None:
    quantity = QUANTITIES[key]
    texts = {
        Kind.DATE: "2026-01-31",
        Kind.TIME_OF_DAY: "12:00:00",
        Kind.TIMESTAMP: "2026-01-31T12:00:00+01:00",
    }
    value: Value = texts.get(quantity.kind, "7")
    value = value if quantity.kind in {*texts, Kind.TEXT, Kind.CODE} else Decimal(value)
    house = House()
    house.tell(reading(**{key: (value, "")}))
    states = house.sensors()
    assert states.keys() == {f"sensor.heat_{key}", "sensor.heat_last_reading"}
    assert "unknown" not in states.values()
    config = house.home.config(f"sensor.heat_{key}")
    assert not config["name"].lower().startswith(meter_title("heat").lower())
    assert ("ent_cat" in config) == quantity.diagnostic


VALUES = st.one_of(MEASURED, st.integers(0, 2**70), st.text(max_size=5), st.just(Decimal("NaN")))
READINGS = st.tuples(
    st.sampled_from(["heat", "heat-gas"]),
    st.dictionaries(
        st.sampled_from(sorted(QUANTITIES)),
        st.tuples(VALUES, st.sampled_from(["", "kWh", "GJ", "m3", "Mvarh"])),
        max_size=5,
    ),
).map(lambda pair: reading(pair[0], **pair[1]))
SUB_METER: Info = {"type": "info", "meter": "heat-gas", "time": NOON, "via": "heat"}
EVENTS = st.one_of(
    READINGS,
    st.sampled_from([status("online"), status("offline", "gone", "x"), status("online", meter="heat-gas")]),
    st.sampled_from([INFO, SUB_METER]),
    st.sampled_from(["reconnect", "birth", "retained"]),
)


@given(st.lists(EVENTS, max_size=12))
def test_home_assistant_never_complains(events: list[Current | str]) -> None:
    house = House(heat_energy_unit="kWh", gas_equivalent=Decimal(32))
    earlier = TestEarlierRuns().earlier()
    for event in events:
        if event == "reconnect":
            house.see(house.presenter.announce())
        elif event == "birth":
            house.hear(*BIRTH)
        elif isinstance(event, str):
            house.hear(CONFIG, earlier)
        else:
            house.tell(event)


def test_where_the_sink_keeps_what_it_retained() -> None:
    sink = HomeAssistantSink("home_assistant", HomeAssistantSettings())
    assert sink.retained_topics("heat") == (CONFIG, "smart_meter_reader_ha/heat/+")


@pytest.mark.parametrize(
    ("meter", "title"),
    [
        ("heat", "Heat meter"),
        ("p1-gas", "P1 gas meter"),
        ("water-meter", "Water meter"),
        ("a--b", "A b meter"),
    ],
)
def test_names_for_people(meter: str, title: str) -> None:
    assert meter_title(meter) == title


def test_what_is_published_for_trial_leaves_no_trace() -> None:
    sink, home = HomeAssistantSink("home", HomeAssistantSettings()), HomeAssistant()
    topics = [topic.replace("+", "mqtt-test") for topic in sink.retained_topics("mqtt-test")]
    home.feed(Publish(topic, sink.harmless_payload("mqtt-test", topic), 1, False) for topic in topics)
    assert (home.problems, home.entities) == ([], {})
