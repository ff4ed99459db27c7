"""The lists of emulated meters that push DLMS: made up, in the layout of real models, as APDUs.

Sources of layouts and lists: those of ``codecs.dlms``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from smart_meter_reader.codecs.dlms.axdr import (
    ARRAY,
    ENUM,
    INT8,
    INT16,
    OCTETS,
    STRUCTURE,
    UINT16,
    UINT32,
    VISIBLE,
    Item,
    encode_item,
)
from smart_meter_reader.codecs.dlms.date_time import encode_date_time

_AHEAD = timedelta(hours=1)  # standard time all year: an emulated meter needs no zone


@dataclass(frozen=True, slots=True, kw_only=True)
class PushingHousehold:
    """What the emulated meter measures now: energies in Wh, voltages in tenths of a volt, currents in mA."""

    time: datetime
    watts: int
    imported: int
    exported: int
    volts: tuple[int, int, int]
    milliamperes: tuple[int, int, int]


def _octets(text: bytes) -> Item:
    return Item(OCTETS, text)


def _code(code: str) -> Item:
    groups, _, reduced = code.partition(":")
    return _octets(bytes([*map(int, groups.split("-")), *map(int, reduced.split(".")), 255]))


def _number(value: int) -> Item:
    return Item(UINT32, value)


def _scaled(code: str, value: Item, scaler: int, unit: int) -> Item:
    return Item(STRUCTURE, [_code(code), value, _scaler_unit(scaler, unit)])


def _scaler_unit(scaler: int, unit: int) -> Item:
    return Item(STRUCTURE, [Item(INT8, scaler), Item(ENUM, unit)])


def _local(home: PushingHousehold) -> datetime:
    return (home.time + _AHEAD).replace(tzinfo=None, microsecond=0)


def _clock(home: PushingHousehold) -> Item:
    return _octets(encode_date_time(_local(home)))


def _notification(body: Item, time: bytes) -> bytes:
    return b"\x0f\x40\0\0\0" + time + encode_item(body)


def _timed(home: PushingHousehold) -> bytes:
    return b"\x0c" + encode_date_time(_local(home))


def aidon_list(home: PushingHousehold, *, hourly: bool) -> bytes:
    """Aidon, Norway: codes, scalers and units; ``hourly`` with clock and counters."""
    items = [
        Item(STRUCTURE, [_code("1-1:0.2.129"), Item(VISIBLE, b"AIDON_V0001")]),
        Item(STRUCTURE, [_code("0-0:96.1.0"), Item(VISIBLE, b"7359992800000001")]),
        Item(STRUCTURE, [_code("0-0:96.1.7"), Item(VISIBLE, b"6534")]),
        _scaled("1-0:1.7.0", _number(home.watts), 0, 27),
        _scaled("1-0:2.7.0", _number(0), 0, 27),
        _scaled("1-0:3.7.0", _number(home.watts // 8), 0, 29),
        _scaled("1-0:4.7.0", _number(0), 0, 29),
        *(
            _scaled(f"1-0:{c}.7.0", Item(INT16, current // 100), -1, 33)
            for c, current in zip((31, 51, 71), home.milliamperes, strict=True)
        ),
        *(
            _scaled(f"1-0:{c}.7.0", Item(UINT16, volts), -1, 35)
            for c, volts in zip((32, 52, 72), home.volts, strict=True)
        ),
    ]
    if hourly:
        items += [
            Item(STRUCTURE, [_code("0-0:1.0.0"), _clock(home)]),
            _scaled("1-0:1.8.0", _number(home.imported // 10), 1, 30),
            _scaled("1-0:2.8.0", _number(home.exported // 10), 1, 30),
        ]
    return _notification(Item(ARRAY, items), b"\0")


def kaifa_list(home: PushingHousehold, *, hourly: bool) -> bytes:
    """Kaifa, Norway: without codes; ``hourly`` with clock and counters."""
    items = [
        *map(_octets, (b"KFM_001", b"6970631400000003", b"MA304H3E")),
        *map(_number, (home.watts, 0, 0, home.watts // 8, *home.milliamperes, *home.volts)),
    ]
    if hourly:
        items += [_clock(home), *map(_number, (home.imported, home.exported, 0, home.imported // 9))]
    return _notification(Item(STRUCTURE, items), b"\x09" + _timed(home))


def kamstrup_list(home: PushingHousehold, step: int, type_number: bytes, *, hourly: bool) -> bytes:
    """Kamstrup, Norway and Sweden; ``step``: Wh of one step of the counters."""
    items = [
        Item(VISIBLE, b"Kamstrup_V0001"),
        *(_code("1-1:0.0.5"), Item(VISIBLE, b"5706567000000011")),
        *(_code("1-1:96.1.1"), Item(VISIBLE, type_number)),
    ]
    for code, value in (
        *(("1-1:1.7.0", home.watts), ("1-1:2.7.0", 0), ("1-1:3.7.0", 0), ("1-1:4.7.0", home.watts // 8)),
        *((f"1-1:{c}.7.0", mA // 10) for c, mA in zip((31, 51, 71), home.milliamperes, strict=True)),
    ):
        items += [_code(code), _number(value)]
    for c, volts in zip((32, 52, 72), home.volts, strict=True):
        items += [_code(f"1-1:{c}.7.0"), Item(UINT16, volts // 10)]
    if hourly:
        items += [_code("0-1:1.0.0"), _clock(home)]
        for code, value in (("1-1:1.8.0", home.imported), ("1-1:2.8.0", home.exported)):
            items += [_code(code), _number(value // step)]
    return _notification(Item(STRUCTURE, items), _timed(home))


def kamstrup_denmark_list(home: PushingHousehold, *, hourly: bool) -> bytes:
    """Kamstrup, Denmark: counters in steps of 10 Wh in each list."""
    items = [Item(VISIBLE, b"Kamstrup_V0001")]
    for code, value in (
        *(("1-1:1.8.0", home.imported // 10), ("1-1:2.8.0", home.exported // 10)),
        *(("1-1:0.0.1", 12340011), ("1-1:1.7.0", home.watts), ("1-1:2.7.0", 0)),
    ):
        items += [_code(code), _number(value)]
    items += [_code("0-1:1.0.0"), _clock(home)]
    for c, volts in zip((32, 52, 72), home.volts, strict=True):
        items += [_code(f"1-1:{c}.7.0"), Item(UINT16, volts // 10)]
    for c, current in zip((31, 51, 71), home.milliamperes, strict=True):
        items += [_code(f"1-1:{c}.7.0"), _number(current // 10)]
    return _notification(Item(STRUCTURE, items), _timed(home))


def swiss_list(home: PushingHousehold, name: bytes, tenths: int) -> bytes:
    """Landis+Gyr and Iskra, Switzerland: the first value lists what follows. ``tenths``: of a volt."""
    codes = (
        *("1-1:1.8.0", "1-1:2.8.0", "1-0:1.7.0", "1-0:2.7.0"),
        *("1-0:32.7.0", "1-0:52.7.0", "1-0:72.7.0", "1-0:31.7.0", "1-0:51.7.0", "1-0:71.7.0"),
    )
    objects = [(40, _octets(bytes.fromhex("0006190900ff"))), (1, _code("0-0:42.0.0"))]
    objects += [(3, _code(code)) for code in codes]
    pushed = Item(
        ARRAY,
        [
            Item(STRUCTURE, [Item(UINT16, number), code, Item(INT8, 2), Item(UINT16, 0)])
            for number, code in objects
        ],
    )
    values = [
        _octets(name),
        *map(_number, (home.imported, home.exported, home.watts, 0)),
        *(Item(UINT16, volts // tenths) for volts in home.volts),
        *(Item(UINT16, current // 10) for current in home.milliamperes),
    ]
    return _notification(Item(STRUCTURE, [pushed, *values]), _timed(home))


def iskra_slovenia_list(home: PushingHousehold, *, hourly: bool) -> bytes:
    """Iskra, Slovenia: two lists without codes."""
    items = [_octets(b"ISK1030700000031")]
    if hourly:
        total = home.imported
        items += [_octets(b"16820006"), Item(ENUM, 1), _octets(b"\0\1")]
        items += map(_number, (total, total // 3, total - total // 3, home.exported, 0, home.exported, 0, 0))
    else:
        third = home.watts // 3
        items += [_octets(b"16820005"), *map(_number, (home.watts, 0, 0, home.watts // 8))]
        items += [Item(UINT16, volts) for volts in home.volts]
        items += [Item(UINT16, current // 10) for current in home.milliamperes]
        items += map(_number, (third, third, home.watts - 2 * third, 0, 0, 0))
    return _notification(Item(STRUCTURE, items), _timed(home))


def austria_list(home: PushingHousehold) -> bytes:
    """Kaifa and Sagemcom, Austria: codes, values, scalers and units in one row."""
    items = [_clock(home)]
    for code, value, scaler, unit in (
        *(("1-0:1.8.0", home.imported, 0, 30), ("1-0:2.8.0", home.exported, 0, 30)),
        *(("1-0:3.8.0", home.imported // 9, 0, 32), ("1-0:4.8.0", 4711, 0, 32)),
        *(("1-0:1.7.0", home.watts, 0, 27), ("1-0:2.7.0", 0, 0, 27)),
        *(("1-0:3.7.0", home.watts // 8, 0, 29), ("1-0:4.7.0", 0, 0, 29)),
        *((f"1-0:{c}.7.0", v, -1, 35) for c, v in zip((32, 52, 72), home.volts, strict=True)),
        *((f"1-0:{c}.7.0", mA // 10, -2, 33) for c, mA in zip((31, 51, 71), home.milliamperes, strict=True)),
        ("1-0:13.7.0", 980, -3, 255),
    ):
        number = _number(value) if unit in (27, 29, 30, 32) else Item(UINT16, value)
        items += [_code(code), number, _scaler_unit(scaler, unit)]
    return _notification(Item(STRUCTURE, [*items, _octets(b"181220000009")]), _timed(home))


def xt211_list(home: PushingHousehold) -> bytes:
    """Descriptors without tags, which no value can be made of."""

    def described(interface_class: int, code: str, attribute: int, value: Item) -> bytes:
        head = b"\x02\x02" + interface_class.to_bytes(2, "big") + _code(code).octets + bytes([attribute])
        return head + encode_item(value)

    third = home.watts // 3
    values = [
        described(1, "0-0:42.0.0", 2, _octets(b"EGD012345")),
        described(1, "0-0:96.1.0", 2, _octets(b"0123456789")),
        described(70, "0-0:96.3.10", 3, Item(ENUM, 1)),
        described(1, "0-0:96.14.0", 2, _octets(b"T1")),
        *(
            described(3, code, 2, _number(value))
            for code, value in (
                *(("1-0:1.7.0", home.watts), ("1-0:21.7.0", third), ("1-0:41.7.0", third)),
                *(("1-0:61.7.0", home.watts - 2 * third), ("1-0:2.7.0", 0)),
                *(("1-0:1.8.0", home.imported), ("1-0:1.8.1", home.imported), ("1-0:2.8.0", home.exported)),
            )
        ),
    ]
    return b"\x0f\0\0\0\1\0\x02\x02\x16\x01\x01" + bytes([len(values)]) + b"".join(values)
