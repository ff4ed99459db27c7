"""Who a list says that its meter is: maker, model, number, and what else tells what its numbers are worth."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from smart_meter_reader.codecs.dlms.axdr import Item
from smart_meter_reader.codecs.dlms.codes import meaning_of
from smart_meter_reader.codecs.dlms.layouts import VALUE, CodedValue, Layout
from smart_meter_reader.codecs.dlms.scales import Telling
from smart_meter_reader.codecs.dlms.values import item_text
from smart_meter_reader.text import LONGEST_NAME, printable

_LIST_VERSION: Final = "0.2.129"
_MODEL: Final = "96.1.7"
_DEVICE_NAME: Final = "42.0.0"
_TYPE_NUMBER: Final = "96.1.1"
# The likelier one first to be the number on the meter. Kamstrup writes 0.0.5 (GS1) and 0.0.1.
_SERIALS: Final = ("96.1.0", "0.0.5", "0.0.1", _DEVICE_NAME, _TYPE_NUMBER)
NAMING: Final = frozenset(_SERIALS)
"""The reduced codes whose values tell one meter from another."""
_WANTED: Final = NAMING | {_LIST_VERSION, _MODEL}
_SHORTEST_NUMBER: Final = 8  # a meter's number behind the last value, in digits
MAKERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AID": "Aidon",
        "ELS": "Landis+Gyr",
        "ISK": "Iskraemeco",
        "KAM": "Kamstrup",
        "KFM": "Kaifa",
        "LGZ": "Landis+Gyr",
        "LSE": "Landis+Gyr",
        "SAG": "Sagemcom",
    }
)
"""By the three letters that DLMS UA gives out (FLAG), as they begin system titles and device names."""


class DlmsIdentity(NamedTuple):
    """Who a list says that its meter is; "" for what it does not say.

    ``serial_code`` is where the serial number stands, since a meter's other list may have another one there.
    """

    manufacturer: str = ""
    model: str = ""
    serial_number: str = ""
    serial_code: str = ""
    list_name: str = ""


def naming_texts(entries: tuple[CodedValue, ...]) -> dict[str, str]:
    """What stands behind codes that may name the meter, by reduced code."""
    texts: dict[str, str] = {}
    for entry in entries:
        reduced = meaning_of(entry.code).reduced
        if reduced in _WANTED and entry.attribute == VALUE:
            value = item_text(entry.value)
            if value is not None and not str(value).startswith("0x"):
                texts.setdefault(reduced, str(value).strip())
    return {code: text for code, text in texts.items() if text}


def telling_of(
    texts: dict[str, str], nameless: tuple[Item, ...], title: bytes, make: str, layout: Layout
) -> Telling:
    device_name = texts.get(_DEVICE_NAME, "")
    names = [text for item in nameless[:1] if isinstance(text := item_text(item), str)]
    list_name = texts.get(_LIST_VERSION) or next((name for name in names if "_V" in name), "")
    letters = device_name[:3] or title[:3].decode("latin-1") or list_name[:3]
    return Telling(list_name, device_name, texts.get(_TYPE_NUMBER, ""), letters.upper(), make, layout)


def identity_of(texts: dict[str, str], nameless: tuple[Item, ...], telling: Telling) -> DlmsIdentity:
    kamstrup = telling.list_name.startswith("Kamstrup")
    model = telling.type_number if kamstrup else texts.get(_MODEL, "")
    serial, serial_code = _number_behind(nameless), ""
    for code in reversed(_SERIALS):
        if code in texts and not (kamstrup and code == _TYPE_NUMBER):
            serial, serial_code = texts[code], code
    maker = MAKERS.get(telling.manufacturer, "") or _maker_of(telling.make)
    return DlmsIdentity(maker, printable(model, LONGEST_NAME), serial, serial_code, telling.list_name)


def _maker_of(make: str) -> str:
    return {"kaifa": "Kaifa", "iskra": "Iskraemeco", "landis+gyr": "Landis+Gyr"}.get(make, "")


def _number_behind(nameless: tuple[Item, ...]) -> str:
    """The meter's number, as Kaifa and Sagemcom in Austria write it behind the last value."""
    text = item_text(nameless[-1]) if nameless else None
    return text if isinstance(text, str) and text.isdecimal() and len(text) >= _SHORTEST_NUMBER else ""
