"""KMP meters: the model that a GetType answer names, and what its info codes mean.

Sources: Kamstrup 5512-447, section 6.2.1 (meter types of the MULTICAL 601 and its modules); the type of the
MULTICAL 402 from emontnemery/domoticz_kamstrup_mqtt. Info codes: Kamstrup 5512-931 (MULTICAL 602 technical
description), section 6.11.2. A 403 or 603 shows one digit per sensor instead, and how that travels in
register 99 is not settled by any source: of these the code alone is told.
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

_INFO_CODES: Final[Mapping[str, Mapping[int, str]]] = MappingProxyType(
    {
        "602": MappingProxyType(
            {
                1: "the supply voltage was cut off",
                4: "temperature T2 is out of range",
                8: "temperature T1 is out of range",
                16: "flow sensor V1 does not communicate",
                32: "temperature T3 is out of range",
                64: "leak in the cold water system",
                128: "flow sensor V2 has the wrong pulse figure",
                256: "leak in the heating system",
                512: "burst in the heating system",
                1024: "flow sensor V2 does not communicate",
                2048: "flow sensor V1 has the wrong pulse figure",
                4096: "flow sensor V1: signal too low (air)",
                8192: "flow sensor V2: signal too low (air)",
                16384: "flow sensor V1: wrong flow direction",
                32768: "flow sensor V2: wrong flow direction",
            }
        )
    }
)


def model_of(meter_type: str) -> str | None:
    """The model that a GetType answer's meter type stands for; None when no source tells."""
    return _MODELS.get(meter_type) or _MODULES.get(meter_type[:2])


def info_code_meanings(model: str, info_code: int) -> tuple[str, ...] | None:
    """What an info code says, one sentence for each of its bits; () for 0.

    ``model`` is the number in the model's name ("602"). None when no source tells for this model, or when the
    code has a bit that its source does not know.
    """
    meanings = _INFO_CODES.get(model)
    if meanings is None or info_code & ~sum(meanings):
        return None
    return tuple(meaning for bit, meaning in meanings.items() if info_code & bit)
