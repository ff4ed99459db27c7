"""Each layout by its structure alone: what is an entry, a scaler or a push object, and what is none."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.dlms.axdr import (
    ARRAY,
    ENUM,
    INT8,
    NULL,
    OCTETS,
    STRUCTURE,
    UINT8,
    UINT16,
    UINT32,
    VISIBLE,
    Item,
)
from smart_meter_reader.codecs.dlms.layouts import (
    CodedValue,
    PushedList,
    ScalerUnit,
    read_layout,
    unknown_list,
)
from smart_meter_reader.codecs.dlms.notification import Notification
from smart_meter_reader.codecs.obis import ObisCode

IMPORT, EXPORT, PUSH = (
    ObisCode(*bytes.fromhex(each)) for each in ("0100010800ff", "0100020800ff", "0000190900ff")
)
FIVE, SIX, NAME = Item(UINT32, 5), Item(UINT32, 6), Item(OCTETS, b"KFM_001")
KILO = Item(STRUCTURE, [Item(INT8, 3), Item(ENUM, 30)])


def code(of: ObisCode) -> Item:
    return Item(OCTETS, bytes(of))


def entry(*parts: Item, tag: int = STRUCTURE) -> Item:
    return Item(tag, list(parts))


def pushed(*objects: tuple[int, ObisCode, int], more: int = 0) -> Item:
    return Item(
        ARRAY,
        [
            entry(
                Item(UINT16, kind),
                code(of),
                Item(INT8, attribute),
                Item(UINT16, 0),
                *[Item(NULL, None)] * more,
            )
            for kind, of, attribute in objects
        ],
    )


def layout(*items: Item) -> PushedList:
    return read_layout(Notification(1, None, False, Item(STRUCTURE, list(items)), (), 0))


def test_values_without_codes_stand_in_their_order() -> None:
    assert layout(FIVE, SIX) == PushedList("positional", (), (FIVE, SIX))
    assert layout(NAME, NAME) == PushedList("positional", (), (NAME, NAME))
    # A value alone is a list of itself; what is nested stands one after the other where nobody knows it.
    assert read_layout(Notification(1, None, False, FIVE, (), 0)) == PushedList("positional", (), (FIVE,))
    nested = (FIVE, entry(SIX, entry(NAME, tag=ARRAY)), entry())
    assert layout(*nested) == PushedList("positional", (), nested)
    assert unknown_list(nested) == PushedList("unknown", (), (FIVE, SIX, NAME, entry()))
    assert unknown_list((FIVE, SIX)) == PushedList("positional", (), (FIVE, SIX))


@pytest.mark.parametrize(
    ("third", "scaler_unit"),
    [
        (KILO, ScalerUnit(3, 30)),
        (entry(Item(INT8, 3), Item(ENUM, 30), tag=ARRAY), None),
        (entry(Item(ENUM, 30), Item(INT8, 3)), None),
        (entry(Item(INT8, 3), Item(UINT8, 30)), None),
        (entry(Item(INT8, 3)), None),
        (entry(Item(INT8, 3), Item(ENUM, 30), Item(ENUM, 30)), None),
        (FIVE, None),
    ],
)
def test_scaler_and_unit_are_a_structure_of_both(third: Item, scaler_unit: ScalerUnit | None) -> None:
    found = layout(entry(code(IMPORT), FIVE, third), entry(code(EXPORT), SIX))
    assert found == PushedList("list", (CodedValue(IMPORT, FIVE, scaler_unit), CodedValue(EXPORT, SIX)), ())
    # One after another, what is no scaler stands for itself, and then it is no such list.
    flat = layout(code(IMPORT), FIVE, third, code(EXPORT), SIX)
    assert (flat.layout == "flat") == (scaler_unit is not None)
    assert (flat.entries[:1] == (CodedValue(IMPORT, FIVE, scaler_unit),)) == (scaler_unit is not None)


@pytest.mark.parametrize(
    "first",
    [
        entry(code(IMPORT), FIVE, tag=ARRAY),
        entry(code(IMPORT)),
        entry(code(IMPORT), FIVE, KILO, KILO),
        entry(Item(VISIBLE, bytes(IMPORT)), FIVE),
        entry(Item(OCTETS, b"1-0:18"), FIVE),
        entry(Item(OCTETS, bytes(IMPORT)[:5]), FIVE),
    ],
)
def test_what_is_no_entry_is_in_no_list(first: Item) -> None:
    assert layout(first, entry(code(EXPORT), SIX), entry(code(IMPORT), FIVE)).layout == "positional"


BOTH = (code(IMPORT), FIVE, code(EXPORT), SIX)
ENTRIES = (CodedValue(IMPORT, FIVE), CodedValue(EXPORT, SIX))


@pytest.mark.parametrize(
    ("items", "found"),
    [
        (BOTH, PushedList("flat", ENTRIES, ())),
        ((NAME, *BOTH), PushedList("flat", ENTRIES, (NAME,))),
        ((*BOTH, NAME), PushedList("flat", ENTRIES, (NAME,))),
        ((*BOTH, Item(NULL, None)), PushedList("flat", ENTRIES, (Item(NULL, None),))),
        ((*BOTH, code(PUSH)), PushedList("flat", ENTRIES, (code(PUSH),))),
        ((code(IMPORT), FIVE), PushedList("flat", ENTRIES[:1], ())),
        # Flat, and then structures; a code before those is the list's own name.
        ((*BOTH[:2], entry(*BOTH[2:])), PushedList("list", ENTRIES, ())),
        (
            (code(PUSH), entry(*BOTH[:2]), entry(*BOTH[2:])),
            PushedList("list", ENTRIES, (code(PUSH),)),
        ),
        # One value that looks like a code beside others, a number without a code, codes that begin again.
        ((NAME, code(IMPORT), FIVE), PushedList("positional", (), (NAME, code(IMPORT), FIVE))),
        ((FIVE, *BOTH), PushedList("positional", (), (FIVE, *BOTH))),
        (
            (*BOTH[:2], NAME, *BOTH[2:]),
            PushedList("positional", (), (*BOTH[:2], NAME, *BOTH[2:])),
        ),
    ],
)
def test_codes_and_values_one_after_another(items: tuple[Item, ...], found: PushedList) -> None:
    assert layout(*items) == found


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, True), (2, True), (3, False)])
def test_a_push_object_has_four_to_six_parts(more: int, fits: bool) -> None:
    found = layout(pushed((3, IMPORT, 2), (3, EXPORT, 2), more=more), FIVE, SIX)
    assert found == PushedList("push objects", ENTRIES, ()) if fits else found.layout == "positional"


@pytest.mark.parametrize(
    "objects",
    [
        Item(ARRAY, [entry(Item(UINT16, 3), Item(OCTETS, b"123456"), Item(INT8, 2), Item(UINT16, 0))]),
        Item(ARRAY, [entry(Item(UINT16, 3), code(IMPORT), Item(INT8, 2))]),
        Item(ARRAY, [entry(Item(UINT8, 3), code(IMPORT), Item(INT8, 2), Item(UINT16, 0))]),
        Item(ARRAY, []),
    ],
)
def test_what_is_no_list_of_push_objects(objects: Item) -> None:
    assert layout(objects, FIVE).layout == "positional"


@pytest.mark.parametrize(
    ("objects", "values", "codes"),
    [
        ([(40, PUSH, 2), (3, IMPORT, 2)], [FIVE], [IMPORT]),
        ([(40, PUSH, 2), (3, IMPORT, 2)], [NAME, FIVE], [PUSH, IMPORT]),
        # One value fewer and no list among them, or two of which either may be this one.
        ([(3, IMPORT, 2), (3, EXPORT, 2)], [FIVE], None),
        ([(40, PUSH, 1), (3, EXPORT, 2)], [FIVE], None),
        ([(40, PUSH, 2), (40, PUSH, 2), (3, IMPORT, 2)], [NAME, FIVE], None),
        ([(40, PUSH, 2), (3, IMPORT, 2), (3, EXPORT, 2)], [FIVE], None),
        ([(3, IMPORT, 2)], [FIVE, SIX], None),
    ],
)
def test_each_push_object_has_its_value_but_for_the_list_itself(
    objects: list[tuple[int, ObisCode, int]], values: list[Item], codes: list[ObisCode] | None
) -> None:
    found = layout(pushed(*objects), *values)
    if codes is None:
        assert (found.layout, found.entries, found.nameless[-1]) == ("unknown", (), values[-1])
        assert found.nameless[:2] == (Item(UINT16, objects[0][0]), code(objects[0][1]))
        return
    assert found == PushedList("push objects", tuple(map(CodedValue, codes, values)), ())


@pytest.mark.parametrize(
    ("objects", "values", "entries"),
    [
        ([(3, IMPORT, 2), (3, IMPORT, 3)], [FIVE, KILO], [CodedValue(IMPORT, FIVE, ScalerUnit(3, 30))]),
        ([(3, IMPORT, 3), (3, IMPORT, 2)], [KILO, FIVE], [CodedValue(IMPORT, FIVE, ScalerUnit(3, 30))]),
        ([(3, IMPORT, 3), (3, EXPORT, 2)], [KILO, FIVE], [CodedValue(EXPORT, FIVE)]),
        # What is no scaler is a value of its own, and a scaler is of the value alone.
        (
            [(3, IMPORT, 2), (70, IMPORT, 3)],
            [FIVE, SIX],
            [CodedValue(IMPORT, FIVE), CodedValue(IMPORT, SIX, None, 3)],
        ),
        ([(3, IMPORT, 5), (3, IMPORT, 3)], [FIVE, KILO], [CodedValue(IMPORT, FIVE, None, 5)]),
    ],
)
def test_a_scaler_that_is_pushed_goes_to_the_value_of_its_register(
    objects: list[tuple[int, ObisCode, int]], values: list[Item], entries: list[CodedValue]
) -> None:
    assert layout(pushed(*objects), *values) == PushedList("push objects", tuple(entries), ())
