"""What happened to a meter, as events: another one was put in its place, a value of it was not believed.

From the reasons that the guard gives in its statuses. They say what is so; an event is that it has become so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from smart_meter_reader.messages import Status
from smart_meter_reader.sinks.home_assistant.classes import SensorClass
from smart_meter_reader.sinks.home_assistant.entities import Entity, EntityValue
from smart_meter_reader.sinks.home_assistant.icons import icon_about
from smart_meter_reader.sinks.wording import utc_text


def _event(key: str, name: str, *types: str) -> Entity:
    return Entity(
        key,
        name,
        "status",
        SensorClass(),
        diagnostic=True,
        without_meter=True,
        options=types,
        platform="event",
        icon=icon_about(key),
    )


_EVENTS = (
    _event("meter_replaced", "Meter replaced", "meter_replaced"),
    _event("value_rejected", "Value rejected", "implausible_value", "new_baseline"),
)
_BY_REASON: Mapping[str, Entity] = MappingProxyType(
    {reason: event for event in _EVENTS for reason in event.options}
)


def events_of(status: Status, reason_before: str) -> Iterator[EntityValue]:
    """Every event entity of a meter, with the value "" when nothing has happened with this status."""
    reason = status["reason"]
    happened = _BY_REASON.get(reason) if reason != reason_before else None
    for event in _EVENTS:
        if event is happened:
            attributes = {"event_type": reason, "detail": status["detail"]}
            yield EntityValue(event, utc_text(status["time"]), attributes=attributes)
        else:
            yield EntityValue(event, "")
