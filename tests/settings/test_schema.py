"""From a table to a settings dataclass: every type, its limits, and what is never said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.drivers import other_names
from smart_meter_reader.meters.registry import METERS
from smart_meter_reader.settings.names import nearest
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.settings.schema import Origin, Place, Secret, keys_of, parse, setting
from smart_meter_reader.settings.values import VariableValue, shown
from smart_meter_reader.sinks.registry import SINKS
from tests.settings.drivers import BrokerSettings, Group, HeatSettings, Parity

PLACE = Place({(): Origin("settings.toml", "house", ())}, ("meters", "heat"))


def read(**table: Any) -> HeatSettings:
    settings, problems = parse(HeatSettings, {"port": "/dev/null", **table}, PLACE)
    assert problems == []
    assert settings is not None
    return settings


def refused(**table: Any) -> str:
    """The one problem of a table."""
    settings, problems = parse(HeatSettings, {"port": "/dev/null", **table}, PLACE)
    assert settings is None
    assert len(problems) == 1
    return problems[0]


def test_defaults() -> None:
    settings = read()
    assert settings.interval == Schedule.parse("1h")
    assert settings.groups == {}
    assert settings.encryption_key is None


@pytest.mark.parametrize(
    ("key", "value", "result"),
    [
        ("interval", "at :59", Schedule(minutes=(59,))),
        ("timeout", "1.5s", timedelta(seconds=1.5)),
        ("retries", 0, 0),
        ("retries", VariableValue(3, "3"), 3),
        ("stop_bits", 1, 1),
        ("parity", "even", Parity.EVEN),
        ("factor", 0.1, Decimal("0.1")),
        ("factor", 10, Decimal(10)),
        ("factor", "0.10", Decimal("0.10")),
        ("mains_powered", True, True),
        ("serial_number", "007", "007"),
        ("serial_number", VariableValue(7, "007"), "007"),
        ("serial_number", "", ""),
        ("recording", "/tmp/x", Path("/tmp/x")),  # noqa: S108
        ("encryption_key", "0" * 32, Secret("0" * 32)),
        ("encryption_key", VariableValue(1 * 10**31, "1" + "0" * 31), Secret("1" + "0" * 31)),
    ],
)
def test_takes(key: str, value: object, result: object) -> None:
    found = getattr(read(**{key: value}), key)
    assert found == result
    assert type(found) is type(result)


def test_takes_tables_of_tables() -> None:
    groups = read(groups={"peaks": {"registers": ["power", 123], "interval": "daily 06:00"}}).groups
    assert groups == {"peaks": Group(registers=("power", 123), interval=Schedule.parse("daily 06:00"))}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("port", "", "text in quotes, not empty"),
        ("port", 7, 'did you mean "7"?'),
        ("port", {}, "found a table"),
        ("interval", 60, 'did you mean "60s", "60min" or "60h"?'),
        ("interval", True, "found true"),
        ("timeout", "2min", "from 100ms to 1min"),
        ("timeout", [], "found a list"),
        ("retries", 10, "a whole number from 0 to 9"),
        ("retries", 1.5, "found 1.5"),
        ("retries", True, "found true"),
        ("retries", "3", "did you mean 3 without quotes?"),
        ("stop_bits", "2", "did you mean 2?"),
        ("stop_bits", True, "allowed: 1, 2"),
        ("parity", "EVEN", 'did you mean "even"?'),
        ("factor", float("nan"), "a number"),
        ("factor", -0.5, "0 or more"),
        ("mains_powered", "on", "did you mean true?"),
        ("groups", [], "a table of names"),
        ("groups", {"a": 1}, "meters.heat.groups.a"),
    ],
)
def test_refuses(key: str, value: object, words: str) -> None:
    problem = refused(**{key: value})
    assert problem.startswith(f"settings.toml [house] meters.heat.{key}")
    assert words in problem


def test_a_missing_key_is_told_with_what_it_is() -> None:
    _, problems = parse(HeatSettings, {}, PLACE)
    assert problems == [
        "settings.toml [house] meters.heat.port: missing; "
        "needed: device path or URL of the infrared head: text in quotes, not empty"
    ]


def test_a_misspelt_key_is_one_problem_not_two() -> None:
    _, problems = parse(HeatSettings, {"prot": "/dev/null"}, PLACE)
    assert len(problems) == 1
    assert problems[0].endswith('did you mean "port"?')


def test_what_the_dataclass_itself_refuses_is_told() -> None:
    _, problems = parse(BrokerSettings, {"host": "h", "ca": "/x"}, PLACE)
    assert problems == ["settings.toml [house] meters.heat: ca needs tls = true"]


def test_passwords_in_urls_are_hidden() -> None:
    assert "sesame" not in refused(retries="mqtt://user:sesame@host")


def test_a_place_is_where_the_key_was_found() -> None:
    origins = {
        (): Origin("settings.toml", "house", ()),
        ("sinks", "homie", "host"): Origin("settings.toml", "default", ("mqtt", "host")),
        ("sinks", "homie"): Origin("settings.toml", "house", ("sinks", "homie")),
    }
    sink = Place(origins) / "sinks" / "homie"
    assert str(sink / "host") == "settings.toml [default] mqtt.host"
    assert str(sink / "port") == "settings.toml [house] sinks.homie.port"
    assert str(Place(origins)) == "settings.toml [house]"
    assert str(Place({}) / "sinks") == "sinks"


def test_secrets_show_nowhere() -> None:
    secret = Secret("sesame")
    assert "sesame" not in f"{secret} {secret!r} {[secret]} {read(encryption_key='a' * 32)}"
    assert secret.reveal() == "sesame"
    assert secret == Secret("sesame")
    assert secret != "sesame"
    assert len({secret, Secret("sesame")}) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    key: Secret = setting("key", pattern="[0-9]+", pattern_help="digits")
    keys: tuple[Secret, ...] = setting("keys", default=())
    choice: Secret | None = setting("one of two", default=None, choices=("left", "right"))


@given(st.sampled_from(["key", "keys", "choice", "kye", "secret"]), st.text("xyz", min_size=4), st.booleans())
def test_no_problem_says_a_secret(key: str, text: str, listed: bool) -> None:
    value = [text, 3] if listed else text
    _, problems = parse(Secrets, {"key": "1", key: value}, PLACE)
    assert text not in "\n".join(problems)


def test_keys_tell_the_reference_what_is_allowed() -> None:
    keys = keys_of(HeatSettings)
    assert keys["port"].required
    assert keys["retries"].allowed == "a whole number from 0 to 9"
    assert keys["retries"].default == 2
    assert keys["groups"].default == {}
    assert keys["serial_number"].allowed == "text in quotes"


plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from([*keys_of(HeatSettings), "other"]), plain))
def test_any_table_is_read_or_refused_with_reasons(table: Mapping[str, Any]) -> None:
    settings, problems = parse(HeatSettings, table, PLACE)
    assert (settings is None) == bool(problems)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mqtt://user:SECRET@house:1883", "mqtt://<hidden>@house:1883"),
        ("user:SEC/R@ET@house", "<hidden>@house"),
        ("http://house:8123", "http://house:8123"),
        ("me@house", "me@house"),
    ],
)
def test_a_login_is_never_shown(text: str, expected: str) -> None:
    assert shown(str, text) == f'"{expected}"'


@pytest.mark.parametrize(
    ("typed", "registry", "meant"),
    [
        ("P1", METERS, "dsmr"),
        ("kmp", METERS, "kamstrup"),
        ("D0", METERS, "iec62056_21"),
        ("EDL21", METERS, "sml"),
        ("openhab", SINKS, "homie"),
        ("hass", SINKS, "home_assistant"),
        ("mqtt", SINKS, "mqtt_json"),
    ],
)
def test_a_protocol_or_program_is_known_by_what_people_call_it(
    typed: str, registry: Mapping[str, str], meant: str
) -> None:
    called = other_names(registry)
    assert nearest(typed, list(registry), called) == f'; did you mean "{meant}"?'
    assert nearest(typed, ("stdin",), called) == ""
