"""The stand-in for Home Assistant complains where the real one does; else its silence proves nothing."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.validators.home_assistant import HomeAssistant
from tests.validators.homie import Publish

SENSOR: dict[str, Any] = {
    "p": "sensor",
    "uniq_id": "m_power",
    "def_ent_id": "sensor.m_power",
    "name": "Power",
    "stat_t": "m/state",
    "val_tpl": "{{ value_json.power | default(None) }}",
    "dev_cla": "power",
    "stat_cla": "measurement",
    "unit_of_meas": "kW",
    "sug_dsp_prc": 3,
}
DEVICE: dict[str, Any] = {
    "dev": {"ids": ["m"], "name": "M"},
    "o": {"name": "test"},
    "cmps": {"power": SENSOR},
    "avty": [{"t": "m/service"}, {"t": "m/meter"}],
    "avty_mode": "all",
}
AVAILABLE = [Publish("m/service", "online", 1, True), Publish("m/meter", "online", 1, True)]


def discovery(payload: dict[str, Any], object_id: str = "m") -> Publish:
    return Publish(f"homeassistant/device/{object_id}/config", json.dumps(payload), 1, True)


def state(text: str) -> Publish:
    return Publish("m/state", text, 1, True)


def home(*messages: Publish) -> HomeAssistant:
    return HomeAssistant().feed([discovery(DEVICE), *AVAILABLE, *messages])


def changed(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    payload = copy.deepcopy(DEVICE)
    table = payload
    for key in path[:-1]:
        table = table[key]
    if value is None:
        del table[path[-1]]
    else:
        table[path[-1]] = value
    return payload


def test_a_good_device_has_its_state() -> None:
    good = home(state('{"power":"7.60"}'))
    assert good.problems == []
    assert good.states() == {"sensor.m_power": "7.60"}


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("val_tpl",), "x", "unknown key val_tpl"),
        (("o", "name"), None, "no origin name"),
        (("o", "host"), "x", "unknown key o.host"),
        (("dev", "colour"), "x", "unknown key dev.colour"),
        (("dev", "ids"), None, "no identifiers"),
        (("dev", "name"), None, "without a name"),
        (("dev", "via_device"), "nobody", "does not exist"),
        (("cmps",), None, "no components"),
        (("avty_t",), "m/service", "avty and avty_t"),
        (("cmps", "power", "p"), None, "platform None"),
        (("cmps", "power", "uniq_id"), None, "no uniq_id"),
        (("cmps", "power", "uniq_id"), "serial_power", "not stable"),
        (("cmps", "power", "unit_of_meas"), "KW", "not valid for power"),
        (("cmps", "power", "dev_cla"), "heat", "unknown device class"),
        (("cmps", "power", "stat_cla"), "total_increasing", "not valid for power"),
        (("cmps", "power", "stat_cla"), "sum", "unknown state class"),
        (("cmps", "power", "sug_dsp_prc"), -1, "negative precision"),
        (("cmps", "power", "sug_dsp_prc"), None, "no precision"),
        (("cmps", "power", "ops"), ["a"], "options and enum"),
        (("cmps", "power", "ent_cat"), "config", "entity category"),
        (("cmps", "power", "exp_aft"), "60", "no integer"),
        (("cmps", "power", "stat_t"), None, "no state topic"),
        (("cmps", "power", "def_ent_id"), "m_power", "no default entity id"),
        (("cmps", "power", "devcla"), "power", "is dropped"),
        (("cmps", "power", "val_tpl"), "{{ value_json.power }}", "warns of a missing key"),
        (("cmps", "power", "json_attr_tpl"), "{{ value_json.x }}", "warns of a missing key"),
        (("cmps", "power", "name"), None, "no name"),
    ],
)
def test_bad_discovery(path: tuple[str, ...], value: Any, complaint: str) -> None:
    heard = HomeAssistant()
    payload = changed(path, value)
    # Only what the complaint is about: a missing state topic is looked at before anything is subscribed.
    if path[-1] == "stat_t":
        payload["stat_t"] = ""
    heard.feed([discovery(payload)])
    assert complaint in "\n".join(heard.problems)


@pytest.mark.parametrize("text", ['{"power":"12,5"}', '{"power":"NaN"}', '{"power":"unknown"}', "7.6", "{"])
def test_bad_states(text: str) -> None:
    bad = home(state('{"power":"1"}'), state(text))
    assert bad.problems
    assert bad.states() == {"sensor.m_power": "1"}


@pytest.mark.parametrize(
    ("device_class", "text"), [("timestamp", "2026-01-31T12:00:00"), ("date", "31.1.2026")]
)
def test_bad_times(device_class: str, text: str) -> None:
    plain = {k: v for k, v in SENSOR.items() if k not in ("stat_cla", "unit_of_meas", "sug_dsp_prc")}
    payload = changed(("cmps", "power"), {**plain, "dev_cla": device_class})
    assert HomeAssistant().feed([discovery(payload)]).problems == []
    assert HomeAssistant().feed([discovery(payload), state(json.dumps({"power": text}))]).problems


def test_missing_and_null_are_unknown_without_a_word() -> None:
    for text in ('{"power":null}', "{}"):
        quiet = home(state(text))
        assert quiet.problems == []
        assert quiet.states() == {"sensor.m_power": "unknown"}


def test_all_topics_must_be_online() -> None:
    offline = Publish("m/service", "offline", 1, True)
    assert home(state('{"power":"1"}'), offline).states() == {"sensor.m_power": "unavailable"}
    assert HomeAssistant().feed([discovery(DEVICE)]).states() == {"sensor.m_power": "unavailable"}


def test_removal() -> None:
    assert home(discovery(changed(("cmps", "power"), {"p": "sensor"}))).states() == {}
    assert home(Publish("homeassistant/device/m/config", "", 1, True)).states() == {}


def test_addresses() -> None:
    assert "illegal" in HomeAssistant().feed([discovery(DEVICE, "a.b")]).problems[0]
    assert (
        "not JSON"
        in HomeAssistant().feed([Publish("homeassistant/device/m/config", "{", 1, True)]).problems[0]
    )
    twice = changed(("cmps",), {"power": SENSOR, "more": SENSOR | {"uniq_id": "m_more"}})
    assert "entity id sensor.m_power exists" in HomeAssistant().feed([discovery(twice)]).problems[0]
