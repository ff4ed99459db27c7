"""What Prometheus reads, read with Prometheus' own parser."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from smart_meter_reader.messages import Info, Message
from smart_meter_reader.quantities.units import UNITS
from smart_meter_reader.sinks.web.live import Live
from smart_meter_reader.sinks.web.metrics import exposition
from smart_meter_reader.sinks.web.unit_names import unit_name
from tests.sinks.web.running import page, reading, status


def told(*messages: tuple[Message, float], now: float = 100.0) -> dict[str, Metric]:
    live = Live()
    live.expect(["heat"])
    for message, at in messages:
        live.take(message, at)
    text = exposition(live.meters, now).decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def values(metric: Metric) -> dict[str, float]:
    return {each.labels["meter"]: each.value for each in metric.samples if not each.name.endswith("_created")}


def info(**more: object) -> Info:
    return {"type": "info", "meter": "heat", "time": reading()["time"], **more}  # type: ignore[typeddict-item]


def test_values_have_their_unit_and_kind_in_the_name() -> None:
    found = told(
        (reading(heat_energy="12.50 GJ", power="7.1 kW", flow_temperature="61.20 °C"), 99),
        (reading("p1", active_energy_import="1234.567 kWh", active_power_import="0.250 kW"), 99),
        (reading("old", heat_energy="3.472 MWh"), 99),
        (status(), 99),
        (status("p1"), 99),
        (status("old"), 99),
    )
    counter = found["smart_meter_heat_energy_gigajoules"]
    assert counter.type == "counter"
    assert counter.samples[0].name == "smart_meter_heat_energy_gigajoules_total"
    assert values(counter) == {"heat": 12.5}
    assert values(found["smart_meter_heat_energy_megawatt_hours"]) == {"old": 3.472}
    assert found["smart_meter_power_kilowatts"].type == "gauge"
    assert values(found["smart_meter_flow_temperature_celsius"]) == {"heat": 61.2}
    assert values(found["smart_meter_active_energy_import_kilowatt_hours"]) == {"p1": 1234.567}


def test_what_is_old_is_not_told() -> None:
    messages = ((info(interval=10), 0.0), (reading(power="7.1 kW"), 10.0), (status(), 10.0))
    assert "smart_meter_power_kilowatts" in told(*messages, now=69)
    found = told(*messages, now=71)
    assert "smart_meter_power_kilowatts" not in found
    assert values(found["smart_meter_fresh"]) == {"heat": 0}
    assert values(found["smart_meter_reading_age_seconds"]) == {"heat": 61}


def test_an_old_value_of_a_fresh_meter_is_not_told() -> None:
    first, second = reading(power="7.1 kW"), reading(heat_energy="5 GJ")
    first["time"] -= timedelta(seconds=61)
    found = told((info(interval=10), 0), (first, 39.0), (second, 100.0), (status(), 100.0))
    assert "smart_meter_power_kilowatts" not in found
    assert "smart_meter_heat_energy_gigajoules" in found


def test_states_and_counts_of_each_meter() -> None:
    found = told(
        (info(model="MULTICAL 403", serial_number='6"\n1'), 1),
        (status(state="alert", valid_readings=7, latency_ms=120, requests_24h=24), 1),
        (status("p1", "offline", valid_readings=3), 1),
    )
    state = {
        (each.labels["meter"], each.labels["state"]): each.value
        for each in found["smart_meter_state"].samples
    }
    assert state["heat", "alert"] == state["p1", "offline"] == 1
    assert sum(state.values()) == 2
    assert values(found["smart_meter_valid_readings"]) == {"heat": 7, "p1": 3}
    assert values(found["smart_meter_latency_milliseconds"]) == {"heat": 120}
    assert values(found["smart_meter_requests_24h"]) == {"heat": 24}
    (about,) = found["smart_meter_info"].samples
    assert (about.labels["model"], about.labels["serial_number"]) == ("MULTICAL 403", '6"\n1')


def test_a_meter_without_any_reading_is_there_and_not_fresh() -> None:
    found = told()
    assert values(found["smart_meter_fresh"]) == {"heat": 0}
    assert not found["smart_meter_reading_age_seconds"].samples


def test_every_unit_has_a_name_of_its_own() -> None:
    names = {unit: unit_name(unit) for unit in UNITS}
    assert len(set(names.values())) == len(names)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for unit, name in names.items() if unit)
    assert (unit_name("m3"), unit_name("l/h"), unit_name("")) == ("cubic_metres", "litres_per_hour", "")
    assert unit_name("Imp./kWh") == "imp_kwh"


async def test_it_is_served_as_prometheus_wants_it() -> None:
    async with page(reading(power="7.1 kW"), status()) as running:
        answer = await running.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert Decimal(str(values(found["smart_meter_power_kilowatts"])["heat"])) == Decimal("7.1")
