"""Which entities a meter has in Home Assistant, and what each message of the queue tells of them.

The one model that both ways share. Pure and without memory: what was told before is kept by those who present
it, and the little that a message cannot be understood without is ``Known``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.messages import AUTHENTICATIONS, STATES, Current, Info, Reading, Status
from smart_meter_reader.quantities import QUANTITIES, Kind, Quantity
from smart_meter_reader.quantities.measurement import Measurement, Value
from smart_meter_reader.quantities.units import canonical, convert_energy, converts_energy, gas_equivalent
from smart_meter_reader.sinks.home_assistant.classes import UNITS, SensorClass, sensor_class
from smart_meter_reader.sinks.home_assistant.entities import NO_EXTRAS, OFF, ON, Entity, EntityValue, Extras
from smart_meter_reader.sinks.home_assistant.events import events_of
from smart_meter_reader.sinks.home_assistant.icons import icon_about, icon_of
from smart_meter_reader.sinks.home_assistant.states import LONGEST_STATE, decimals, parsed_time
from smart_meter_reader.sinks.wording import Count, counted, utc_text
from smart_meter_reader.text import bounded_number

# The quantities that get a second unit and a gas equivalent.
HEAT_TOTALS = ("heat_energy", "cooling_energy")

_IDENTITY = ("manufacturer", "model", "serial_number", "firmware")
# The one thing about the meter's state that a reading tells of, too.
PROBLEM_KEY = "problem"
# By these a meter says itself that something is wrong with it: a code that is not 0, unless there are words
# for it, since not all that a code tells is a problem now.
_FAULT_CODES = ("info_code", "error_code")
_PROBLEMS, _NO_PROBLEM = "reported_problems", "none"
# Good for a look when a line is bad: there for who switches it on.
_SELDOM_WANTED = frozenset(
    {"valid_readings", "retries", "late_answers", "skipped_bytes", "reconnects", "latency_ms"}
)

_TIMESTAMP = SensorClass(device_class="timestamp")
_TEXT = SensorClass()
_ENUM = SensorClass(device_class="enum")

_LAST_READING = Entity("last_reading", "Last reading", "reading", _TIMESTAMP, True, without_meter=True)
_MEASURED_AT = Entity("measured_at", "Measured at", "reading", _TIMESTAMP, True, aside=True)
_AUTHENTICATION = Entity(
    "authentication",
    "Authentication",
    "reading",
    _ENUM,
    diagnostic=True,
    options=AUTHENTICATIONS,
    icon=icon_about("authentication"),
)
_STATUS = Entity(
    "status",
    "Status",
    "status",
    _ENUM,
    diagnostic=True,
    without_meter=True,
    options=STATES,
    icon=icon_about("status"),
)
_STATUS_REASON = Entity(
    "status_reason",
    "Status reason",
    "status",
    _TEXT,
    diagnostic=True,
    without_meter=True,
    aside=True,
    attributes=("detail",),
    icon=icon_about("status_reason"),
)
_STATUS_DETAIL = Entity(
    "status_detail",
    "Status detail",
    "status",
    _TEXT,
    diagnostic=True,
    without_meter=True,
    aside=True,
    icon=icon_about("status_detail"),
)
_CONNECTED = Entity(
    "connected",
    "Connected",
    "status",
    SensorClass(device_class="connectivity"),
    diagnostic=True,
    without_meter=True,
    platform="binary_sensor",
)
_PROBLEM = Entity(
    PROBLEM_KEY,
    "Problem",
    "status",
    SensorClass(device_class="problem"),
    diagnostic=True,
    without_meter=True,
    platform="binary_sensor",
)
_MODEL = Entity(
    "model", "Model", "info", _TEXT, diagnostic=True, without_meter=True, icon=icon_about("model")
)


@dataclass(frozen=True, slots=True)
class Known:
    """What earlier messages of a meter said that the next one is understood by."""

    alert: bool = False
    fault: bool = False  # by the meter's own code
    reason: str = ""

    def after(self, message: Current) -> Known:
        """What is known with one more message."""
        if message["type"] == "status":
            return replace(self, alert=message["state"] == "alert", reason=message["reason"])
        if message["type"] == "reading":
            codes = _fault_codes(message)
            return replace(self, fault=any(codes)) if codes else self
        return self


NOTHING_KNOWN = Known()


def entity_values(message: Current, before: Known, extras: Extras = NO_EXTRAS) -> Iterator[EntityValue]:
    """All that one message tells, in the order in which it is shown; ``before`` is known of its meter."""
    if message["type"] == "reading":
        yield from _of_reading(message, before, extras)
    elif message["type"] == "status":
        yield from _of_status(message, before)
    else:
        yield from _of_info(message)


def _of_reading(reading: Reading, before: Known, extras: Extras) -> Iterator[EntityValue]:
    measured_at = []
    for key, measurement in reading["measurements"].items():
        quantity = QUANTITIES.get(key) or unknown_quantity(key, measurement["value"])
        yield _measured(quantity, measurement)
        if "measured_at" in measurement:
            measured_at.append(measurement["measured_at"])
        if key in HEAT_TOTALS:
            yield from _extras_of(quantity, measurement, extras)
    yield EntityValue(_LAST_READING, utc_text(reading["time"]))
    if measured_at:
        yield EntityValue(_MEASURED_AT, utc_text(max(measured_at)))
    if authentication := reading.get("authentication"):
        # Of a meter that does not encrypt there is nothing to say; "none" after "verified" says much.
        yield EntityValue(_AUTHENTICATION, authentication, needless=authentication == "none")
    if _fault_codes(reading):
        yield _problem(before.after(reading))


def _fault_codes(reading: Reading) -> list[bool]:
    """Of each thing by which a meter tells of a fault, whether it does."""
    measurements = reading["measurements"]
    codes = [key for key in _FAULT_CODES if key in measurements]
    if _PROBLEMS not in measurements:
        return [_is_fault(measurements[key]["value"]) for key in codes]
    problems = measurements[_PROBLEMS]["value"] != _NO_PROBLEM
    return [problems, *(_is_fault(measurements[key]["value"]) for key in codes if key != "info_code")]


def _is_fault(code: Value) -> bool:
    number = bounded_number(code)
    return bool(str(code).strip("0 ")) if number is None else bool(number)


def _problem(known: Known) -> EntityValue:
    return EntityValue(_PROBLEM, ON if known.alert or known.fault else OFF)


def _of_status(status: Status, before: Known) -> Iterator[EntityValue]:
    reason, detail = status["reason"][:LONGEST_STATE], status["detail"]
    yield EntityValue(_STATUS, status["state"], attributes={"reason": reason, "detail": detail})
    yield EntityValue(_STATUS_REASON, reason or "none", attributes={"detail": detail})
    yield EntityValue(_STATUS_DETAIL, detail[:LONGEST_STATE] or "none")
    yield EntityValue(_CONNECTED, ON if status["state"] == "online" else OFF)
    yield _problem(before.after(status))
    for key, count, value in counted(status):
        yield EntityValue(_counter(key, count), value)
    yield from events_of(status, before.reason)


def _counter(key: str, count: Count) -> Entity:
    sensor = _count_class(count)
    return Entity(
        key,
        count.name,
        "status",
        sensor,
        diagnostic=True,
        without_meter=True,
        aside=True,
        icon="" if sensor.device_class else icon_about(key),
        enabled=key not in _SELDOM_WANTED,
    )


def _of_info(info: Info) -> Iterator[EntityValue]:
    """Who the meter is, for where there is no device that could tell it."""
    told = {key: text for key in _IDENTITY if isinstance(text := info.get(key), str)}
    words = " ".join(told[key] for key in ("manufacturer", "model") if key in told)
    yield EntityValue(_MODEL, words, attributes=told)


def _measured(quantity: Quantity, measurement: Measurement) -> EntityValue:
    value, unit = measurement["value"], measurement["unit"]
    entity = _entity(quantity, sensor_of(quantity, value, unit))
    if "measured_at" not in measurement:
        return EntityValue(entity, value, unit)
    return EntityValue(entity, value, unit, {"measured_at": utc_text(measurement["measured_at"])})


# A P1 meter tells the same dozens of quantities every second.
@lru_cache(maxsize=512)
def _entity(quantity: Quantity, sensor: SensorClass) -> Entity:
    return Entity(
        quantity.key,
        quantity.name,
        "reading",
        sensor,
        quantity.diagnostic,
        icon=icon_of(quantity, sensor.device_class),
        enabled=not quantity.setup,
    )


def sensor_of(quantity: Quantity, value: Value, unit: str) -> SensorClass:
    """The classes of a quantity, as far as its first value bears them out."""
    sensor = sensor_class(quantity, unit, decimals(value))
    if sensor.device_class == "timestamp" and parsed_time(str(value)) is None:
        # A clock of a meter that does not know its zone: text, since Home Assistant wants an offset.
        return SensorClass()
    return sensor


def unknown_quantity(key: str, value: Value) -> Quantity:
    """A quantity that the catalogue does not have, of a meter that tells more than we know."""
    kind = Kind.TEXT if isinstance(value, str) else Kind.COUNT
    return Quantity(key, key.replace("_", " ").capitalize(), kind, diagnostic=True)


def _count_class(count: Count) -> SensorClass:
    if count.total:
        return SensorClass(state_class="total_increasing", precision=0)
    device_class = "duration" if count.unit in UNITS["duration"] else None
    return SensorClass(device_class, "measurement", count.unit or None, precision=0)


def _extras_of(total: Quantity, measurement: Measurement, extras: Extras) -> Iterator[EntityValue]:
    """The total in the second unit, and as a volume of gas, as far as asked for and possible."""
    unit, wanted = measurement["unit"], extras.heat_energy_unit
    if not converts_energy(unit, "GJ"):
        return
    value = bounded_number(measurement["value"])
    if value is None:
        return  # not a number: the total itself is shown as unknown
    try:
        if wanted and wanted != canonical(unit):
            quantity = replace(
                total, key=f"{total.key}_in_{wanted.lower()}", name=f"{total.name} in {wanted}"
            )
            yield _measured(quantity, {"value": convert_energy(value, unit, wanted), "unit": wanted})
        if extras.cubic_metres_per_gj:
            name = f"{total.name} as gas"
            quantity = replace(total, key=f"{total.key}_gas_equivalent", name=name, kind=Kind.GAS)
            gas = gas_equivalent(value, unit, extras.cubic_metres_per_gj)
            yield _measured(quantity, {"value": gas, "unit": "m³"})
    except ValueFormatError:
        return  # too long for a number: the total itself is shown
