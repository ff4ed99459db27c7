"""Icons of what Home Assistant has no device class for: without one, everything wears the same eye."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from smart_meter_reader.quantities import Kind, Quantity

# Names of Material Design Icons, which Home Assistant brings along.
_BY_KIND: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.REACTIVE_ENERGY: "mdi:lightning-bolt",
        Kind.APPARENT_ENERGY: "mdi:lightning-bolt",
        Kind.ANGLE: "mdi:angle-acute",
        Kind.MASS: "mdi:weight",
        Kind.VOLUME_TEMPERATURE: "mdi:thermometer-water",
        Kind.COUNT: "mdi:counter",
        Kind.TIME_OF_DAY: "mdi:clock-outline",
        Kind.TIMESTAMP: "mdi:clock-outline",
        Kind.CODE: "mdi:numeric",
        Kind.TEXT: "mdi:text",
    }
)
_OTHERWISE = "mdi:gauge"
_BY_KEY: Mapping[str, str] = MappingProxyType(
    {
        "info_code": "mdi:alert-circle-outline",
        "info_code_text": "mdi:alert-circle-outline",
        "reported_problems": "mdi:alert-circle-outline",
        "error_code": "mdi:alert-circle-outline",
        "serial_number": "mdi:identifier",
        "tariff": "mdi:tag",
        "cop": "mdi:heat-pump",
        "status": "mdi:list-status",
        "status_reason": "mdi:information-outline",
        "status_detail": "mdi:information-outline",
        "authentication": "mdi:shield-check",
        "model": "mdi:meter-electric",
        "meter_replaced": "mdi:swap-horizontal",
        "value_rejected": "mdi:shield-alert",
    }
)
_COUNTED = "mdi:counter"


def icon_of(quantity: Quantity, device_class: str | None) -> str:
    """The icon of a quantity; "" where its device class brings one."""
    if device_class is not None:
        return ""
    return _BY_KEY.get(quantity.key) or _BY_KIND.get(quantity.kind, _OTHERWISE)


def icon_about(key: str) -> str:
    """The icon of what is told about a meter or its line."""
    return _BY_KEY.get(key, _COUNTED)
