"""The link's session, addresses and the search: which request is next, whatever the meters do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.mbus.address import Primary, Secondary, address_of
from smart_meter_reader.codecs.mbus.encode import answer, integer_record
from smart_meter_reader.codecs.mbus.header import Header, encode_maker, maker_letters
from smart_meter_reader.codecs.mbus.search import Search
from smart_meter_reader.codecs.mbus.session import MOST_TELEGRAMS, LinkReadout, link_reset
from smart_meter_reader.codecs.mbus.telegram import MbusTelegram, parse_telegram
from smart_meter_reader.exceptions import UnusableAnswersError

FIRST, SECOND = "107b058016", "105b056016"


def telegram(vif: int, *, more: bool = False, number: str = "12345678", value: int = 1) -> MbusTelegram:
    records = [integer_record(value, bytes([vif])), *([b"\x1f"] if more else [])]
    return parse_telegram(answer(Header(number, "KAM", 0x34, 4), records, 5))


def test_the_frame_count_bit_changes_after_a_good_answer_only() -> None:
    readout = LinkReadout(5)
    assert link_reset(5).encode().hex() == "1040054516"
    assert readout.request.encode().hex() == FIRST
    assert readout.request.encode().hex() == FIRST  # asked again: nothing usable had come
    readout.take(telegram(0x06, more=True))
    assert readout.request.encode().hex() == SECOND
    readout.take(telegram(0x13))
    assert bool(readout.is_over)
    assert [record.quantity for record in readout.telegram.records] == ["energy", "volume"]


def test_a_telegram_that_comes_twice_is_taken_once_and_asked_behind() -> None:
    readout = LinkReadout(5)
    readout.take(telegram(0x06, more=True))
    readout.take(telegram(0x06, more=True, value=2))  # late, or its frame count bit was lost
    assert readout.request.encode().hex() == SECOND
    readout.take(telegram(0x13, more=True))
    readout.take(telegram(0x2B))
    assert readout.is_over
    assert len(readout.telegram.records) == 3


def test_a_meter_that_does_not_look_at_the_bit_is_not_asked_for_ever() -> None:
    readout = LinkReadout(5)
    for _ in range(5):
        assert not readout.is_over
        readout.take(telegram(0x06, more=True))
    assert readout.is_over
    assert len(readout.telegram.records) == 1


def test_the_first_request_may_have_either_bit() -> None:
    assert LinkReadout(5, fcb=False).request.encode().hex() == SECOND
    readout = LinkReadout(5)
    readout.toggle()
    assert readout.request.encode().hex() == SECOND
    readout.toggle()
    assert readout.request.encode().hex() == FIRST


def test_a_readout_of_one_telegram_is_over_at_once() -> None:
    readout = LinkReadout(5)
    assert (readout.is_first, bool(readout.is_over)) == (True, False)
    readout.take(telegram(0x06))
    assert (readout.is_first, bool(readout.is_over)) == (False, True)


def test_repetitions_are_counted_anew_behind_each_telegram() -> None:
    readout = LinkReadout(5)
    for vif in (0x06, 0x13, 0x2B):
        for _ in range(4):
            readout.take(telegram(vif, more=True))
            assert not readout.is_over
    readout.take(telegram(0x2B, more=True))
    assert readout.is_over


@pytest.mark.parametrize(("first", "second"), [("12345678", ""), ("", "12345678"), ("", "")])
def test_a_telegram_without_a_number_is_of_no_other_meter(first: str, second: str) -> None:
    readout = LinkReadout(5)
    for number, vif, more in ((first, 0x06, True), (second, 0x13, False)):
        told = telegram(vif, more=more)
        readout.take(replace(told, header=replace(told.header, id=number)))
    assert readout.is_over


def test_after_sixteen_telegrams_it_is_enough() -> None:
    readout = LinkReadout(5)
    for number in range(MOST_TELEGRAMS):
        assert not readout.is_over
        readout.take(telegram(number, more=True))
    assert readout.is_over


def test_another_meter_in_between_ends_the_readout() -> None:
    readout = LinkReadout(5)
    readout.take(telegram(0x06, more=True))
    with pytest.raises(UnusableAnswersError, match="meter 87654321 answers in the middle") as caught:
        readout.take(telegram(0x13, number="87654321"))
    assert caught.value.reason == "strange_answers"


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("0", Primary(0)),
        ("250", Primary(250)),
        ("254", Primary(254)),
        ("251", None),
        ("255", None),
        ("007", None),
        ("1234567", None),
        ("12345678", Secondary("12345678")),
        ("12ffffff", Secondary("12FFFFFF")),
        ("123456782C2D3404", Secondary("12345678", "2C2D3404")),
        ("123456782c2d3404", Secondary("12345678", "2C2D3404")),
        (" 5 ", Primary(5)),
        ("253", None),
        ("1234567812", None),
        ("1234567A", None),
        ("", None),
        ("\u0663", None),
    ],
)
def test_addresses_as_people_type_them(typed: str, address: Primary | Secondary | None) -> None:
    assert address_of(typed) == address


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (Primary(5), "address 5"),
        (Primary(254), "address 254 (any meter)"),
        (Secondary("12345678"), "secondary address 12345678"),
        (Secondary("12345678", "2D2C3404"), "secondary address 123456782D2C3404"),
    ],
)
def test_an_address_in_words(address: Primary | Secondary, words: str) -> None:
    assert str(address) == words


def test_a_secondary_address_selects_whom_it_fits() -> None:
    header = Header("12345678", "KAM", 0x34, 4)
    assert Secondary("123FFFFF").fits(header)
    assert Secondary("FFFFFFF8", "2D2CFFFF").fits(header)
    assert not Secondary("FFFFFFFF", "FFFF3504").fits(header)
    assert not Secondary("1234567F", "FFFFFF07").fits(header)
    assert Secondary("22345678").fits(header) is False
    # Who tells no number is not refused for it; who tells no maker has that of octets FF.
    assert Secondary("22345678").fits(Header("", "KAM", 0x34, 4))
    assert Secondary("12345678").fits(Header("12345678"))
    assert not Secondary("12345678", "2D2CFFFF").fits(Header("12345678"))
    assert not Secondary("12345678", "FFFEFFFF").fits(Header("12345678"))
    assert Secondary("1FFFFFFF").selection().encode().hex() == "680b0b6873fd52ffffff1fffffffffda16"


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3))
def test_makers_come_back(letters: str) -> None:
    assert maker_letters(encode_maker(letters)) == letters


@given(st.sets(st.integers(0, 99_999_999), max_size=12), st.data())
def test_a_search_finds_every_number_and_asks_no_more_than_it_must(
    numbers: set[int], data: st.DataObject
) -> None:
    there = {f"{number:08d}" for number in numbers}
    search, found, asked = Search(Secondary("FFFFFFFF")), set(), 0
    progress = 0.0
    while (selected := search.next) is not None:
        asked += 1
        fitting = {each for each in there if selected.fits(Header(each))}
        if not fitting:
            search.none()
        elif len(fitting) == 1:
            found |= fitting
            search.one()
        else:
            search.several()
        assert progress <= search.progress <= 1.0000001
        progress = search.progress
    assert found == there
    assert search.stuck == []
    assert progress == pytest.approx(1)
    assert asked <= 1 + 10 * 8 * max(1, len(there))


def test_a_search_goes_from_digit_to_digit_and_tells_how_far_it_is() -> None:
    search = Search(Secondary("1FFFFFFF", "2D2CFFFF"))
    went = []
    for step in (search.several, search.none, search.one, search.several, search.none):
        went.append((search.next.digits if search.next else "", round(search.progress, 6)))
        step()
    assert went == [("1FFFFFFF", 0), ("10FFFFFF", 0), ("11FFFFFF", 0.1), ("12FFFFFF", 0.2), ("120FFFFF", 0.2)]
    assert search.next == Secondary("121FFFFF", "2D2CFFFF")
    assert search.progress == pytest.approx(0.21)


def test_a_search_for_a_whole_number_asks_once() -> None:
    for came, stuck in ((Search.none, 0), (Search.one, 0), (Search.several, 1)):
        search = Search(Secondary("12345678"))
        came(search)
        assert (search.next, search.progress, len(search.stuck)) == (None, 1, stuck)


def test_two_meters_with_one_number_are_told_and_end_the_search_there() -> None:
    search = Search(Secondary("1234567F"))
    search.several()
    for _ in range(5):
        search.none()
    search.several()
    assert [each.digits for each in search.stuck] == ["12345675"]
    assert search.next == Secondary("12345676")
