"""Who an M-Bus meter is, by what it says: maker, model, numbers, firmware. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.mbus.header import (
    COOLING,
    ELECTRICITY,
    GAS,
    HEAT,
    KAMSTRUP,
    WATER,
    Header,
)
from smart_meter_reader.codecs.mbus.records import Record
from smart_meter_reader.codecs.mbus.telegram import MbusTelegram
from smart_meter_reader.text import LONGEST_NAME, plain, printable

# FLAG's registered letters (dlms.com/flag-id).
MAKERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ABB": "ABB",
        "ACW": "Itron",
        "AMT": "Aquametro",
        "BMT": "BMETERS",
        "DME": "Diehl Metering",
        "EFE": "Engelmann",
        "ELS": "Elster",
        "ELV": "Elvaco",
        "EMH": "EMH",
        "HYD": "Diehl Metering (Hydrometer)",
        "ISK": "Iskraemeco",
        "ITW": "Itron",
        KAMSTRUP: "Kamstrup",
        "LSE": "Siemens",
        "LUG": "Landis+Gyr",
        "PAD": "PadMess",
        "QDS": "Qundis",
        "REL": "Relay",
        "SEN": "Sensus",
        "SLB": "Itron (Schlumberger)",
        "SON": "Sontex",
        "SPX": "Sensus",
        "TCH": "Techem",
        "ZRI": "Zenner",
        "ZRM": "Minol",
    }
)
_SERIAL: Final = ("0f",)


@dataclass(frozen=True, slots=True)
class MbusIdentity:
    """``numbers``: every number that the meter calls its own; ``serial_number`` the one that is its alone."""

    manufacturer: str
    model: str
    numbers: tuple[str, ...]
    firmware: str
    kind: str  # what it measures, and the meter's name in settings: heat, water
    serial_number: str = ""


def identity_of(telegram: MbusTelegram) -> MbusIdentity:
    """Who says this."""
    header = telegram.header
    made = tuple(dict.fromkeys(_made(telegram)))
    # On a MULTICAL the identification number is the customer's: over KMP it is not the serial number either.
    own = made if header.maker == KAMSTRUP or not header.id else (*made, header.id)
    return MbusIdentity(
        manufacturer=MAKERS.get(header.maker, header.maker),
        model=header.model or (f"{_named(header)} (version {header.version})" if header.maker else ""),
        numbers=tuple(dict.fromkeys((*made, *([header.id] if header.id else [])))),
        firmware=next(_told(telegram.records, "firmware version"), ""),
        kind=kind_of(header),
        serial_number=own[0] if own else "",
    )


def kind_of(header: Header) -> str:
    """What the meter measures, as a word for its table in the settings."""
    for media, kind in ((HEAT, "heat"), (COOLING, "cooling"), (WATER, "water")):
        if header.medium in media:
            return kind
    return {ELECTRICITY: "electricity", GAS: "gas"}.get(header.medium, "meter")


def _named(header: Header) -> str:
    kind = kind_of(header)
    return "meter" if kind == "meter" else f"{kind} meter"


def _made(telegram: MbusTelegram) -> Iterator[str]:
    """The numbers that the meter was made with."""
    yield from _told(telegram.records, "fabrication number")
    if telegram.header.maker == KAMSTRUP:
        for record in telegram.records:
            if record.quantity == "manufacturer specific" and record.modifiers == _SERIAL and record.value:
                yield plain(record.value)


def _told(records: tuple[Record, ...], quantity: str) -> Iterator[str]:
    for record in records:
        if record.quantity == quantity and record.value is not None and not record.storage:
            value = record.value
            yield plain(value) if isinstance(value, Decimal) else printable(value, LONGEST_NAME)
