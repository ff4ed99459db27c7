"""KMP meters: the model that a GetType answer names.

Sources: Kamstrup 5512-447, section 6.2.1 (meter types of the MULTICAL 601 and its modules); the type of the
MULTICAL 402 from emontnemery/domoticz_kamstrup_mqtt.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MANUFACTURER: Final = "Kamstrup"

# By the four hexadecimal digits of GetType.
_MODELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "0001": "MULTICAL 601 (Pt500)",
        "0004": "MULTICAL 601 (Pt100)",
        "0005": "MULTICAL 601 (Pt500, 4 wires)",
        "1101": "MULTICAL 402",
        "1501": "MULTICAL 601 (Pt500) by a 67-05 top module",
        "1504": "MULTICAL 601 (Pt100) by a 67-05 top module",
        "1505": "MULTICAL 601 (Pt500, 4 wires) by a 67-05 top module",
    }
)
# By the first two digits: modules, which answer under an address of their own.
_MODULES: Final[Mapping[str, str]] = MappingProxyType({"09": "top module", "16": "base module"})


def model_of(meter_type: str) -> str | None:
    """The model that a GetType answer's meter type stands for; None when no source tells."""
    return _MODELS.get(meter_type) or _MODULES.get(meter_type[:2])
