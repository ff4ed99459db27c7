"""What may name a person, a household or a device is decided where it is declared, for all there is."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.cli.diagnose.settings_redaction import redact_problem, redact_settings
from smart_meter_reader.drivers import imported
from smart_meter_reader.fleet.leases import DRIVER as LEASES
from smart_meter_reader.fleet.settings import NatsSettings
from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.messages import Info
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.meters.registry import METERS
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.recordings.pseudonyms import HIDDEN, Pseudonyms
from smart_meter_reader.settings.common import CommonSettings, MeterCommonSettings
from smart_meter_reader.settings.schema import Key, keys_of, setting
from smart_meter_reader.settings.values import is_table
from smart_meter_reader.sinks.registry import SINKS
from smart_meter_reader.sinks.web.together.settings import PageSettings
from smart_meter_reader.writer.settings import WriterSettings

# Text that says of which make a meter is, not which one it is.
NAMES_NOBODY = {"meter_type", "meter_type_text", "type_number", "info_code_text", "reported_problems"}
_TELLING = re.compile(r".*(number|_id|identif|address|customer|message)(_.*|s)?")


# What is neither a meter's nor a sink's: of every environment, of leases, and of the two lone services.
OTHERS: dict[str, type[Any]] = {
    "environment": CommonSettings,
    "meters": MeterCommonSettings,
    "guard": GuardSettings,
    "leases": imported(LEASES.settings),
    "mqtt": BrokerSettings,
    "nats": NatsSettings,
    "writer": WriterSettings,
    "page": PageSettings,
}


def every_key() -> Iterator[tuple[str, Key]]:
    def keys(settings: type[Any], place: str) -> Iterator[tuple[str, Key]]:
        for name, key in keys_of(settings).items():
            yield f"{place}.{name}", key
            kinds = (key.annotation, *getattr(key.annotation, "__args__", ()))
            inner = [kind for kind in kinds if is_table(kind)]
            for kind in inner:
                yield from keys(kind, f"{place}.{name}")

    for name, path in {**METERS, **SINKS}.items():
        yield from keys(imported(imported(path).settings), name)
    for name, settings in OTHERS.items():
        yield from keys(settings, name)


KEYS = dict(every_key())


def test_every_key_of_free_text_says_whether_it_names_somebody() -> None:
    undecided = [place for place, key in KEYS.items() if key.is_free_text and key.limits.identifies is None]
    assert undecided == [], "setting(..., identifies=True or False)"


def test_every_number_that_may_name_somebody_by_its_name_says_whether_it_does() -> None:
    for place, key in KEYS.items():
        if _TELLING.fullmatch(key.name) and not key.is_free_text:
            assert key.limits.identifies is not None, place


def test_keys_that_name_somebody_by_their_name_do() -> None:
    told = {place for place, key in KEYS.items() if key.identifies}
    for place, key in KEYS.items():
        if _TELLING.fullmatch(key.name) and key.is_free_text:
            assert place in told, place
    assert {place.rpartition(".")[2] for place in told} >= {"serial_number", "username", "client_id", "host"}


@pytest.mark.parametrize("quantity", [each for each in QUANTITIES.values() if each.kind is Kind.TEXT])
def test_every_quantity_that_is_text_names_somebody_or_is_known_not_to(quantity: Any) -> None:
    assert quantity.identifies != (quantity.key in NAMES_NOBODY)


def test_quantities_that_are_numbers_of_somebody_say_so() -> None:
    of_the_make = re.compile(r"(config|program|type)_number(_.*)?|.*_module_id(_2)?|mbus_.*_address_.*")
    for quantity in QUANTITIES.values():
        if _TELLING.fullmatch(quantity.key) and not of_the_make.fullmatch(quantity.key):
            assert quantity.identifies, quantity.key


def test_every_field_of_an_info_is_decided() -> None:
    harmless = {"type", "meter", "time", "manufacturer", "model", "firmware", "dialect", "interval", "via"}
    harmless |= {"transformer_ratio", "p1_version", "type_code"}
    assert set(Info.__annotations__) == {"serial_number"} | harmless


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    plate: str = setting("who lives here", default="")  # nobody has decided: taken for telling


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Unheard(ClientSettings):
    """A client whose keys nobody has listed."""

    server_id: str = setting("of the meter", default="")
    number: int = setting("of its door", default=1, identifies=True)
    door: Door = setting("a table", default=Door())
    speed: int = setting("of the line", default=9600)
    file: Path | None = setting("somewhere", default=None, identifies=False)


def test_a_key_that_nobody_has_listed_shows_nothing() -> None:
    settings = Unheard(server_id="0901454D48", number=4321, door=Door(plate="Maartje"), speed=300)
    redacted = redact_settings(settings, Pseudonyms())
    assert redacted.server_id == "0000000001"
    assert redacted.number == 2
    assert redacted.door.plate.strip("0") == "3" or redacted.door.plate == HIDDEN
    assert redacted.speed == 300


@pytest.mark.parametrize(
    ("problem", "shown"),
    [
        ('s.toml [h] meters.m.server_id: found "0901"; allowed: text', "0901"),
        ('s.toml [h] meters.m.serial_number: found "X1"; allowed: digits; did you mean "X"?', "X1"),
        ('s.toml [h] meters.m.baud: found "fast"; allowed: a number', ""),
    ],
)
def test_problems_show_values_of_harmless_keys_alone(problem: str, shown: str) -> None:
    redacted = redact_problem(problem)
    assert "allowed: " in redacted
    if shown:
        assert shown not in redacted
        assert "did you mean" not in redacted
    else:
        assert redacted == problem
