"""What an info code says: every bit, known or not, is told once and by a stable word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.info_codes import (
    ADDITIVE,
    BITS,
    DIGITS,
    FAMILIES,
    SHORT,
    WATER,
    Family,
    family_of,
    reports,
    reports_of,
)
from tests.codecs.info_code_tables import PAGE, page

NUMBERS = st.integers(0, 2**32 - 1)


def keys(model: str, code: int | None, bits: int | None = None) -> list[str]:
    return [report.key for report in reports(model, code, bits)]


def bits_of(number: int) -> list[int]:
    return [1 << place for place in range(number.bit_length()) if number >> place & 1]


@given(NUMBERS)
def test_each_of_the_32_bits_is_told_once_in_order_and_none_is_dropped(number: int) -> None:
    known = {int(text): report.key for text, report in reports_of(BITS)}
    assert keys("", 0, number) == [known.get(bit, f"info_code_{bit}") for bit in bits_of(number)]


@given(NUMBERS, st.sampled_from([ADDITIVE, SHORT]))
def test_a_sum_is_told_bit_by_bit(number: int, family: Family) -> None:
    known = {int(text): report.key for text, report in reports_of(family)}
    assert keys(family.models[0], number) == [known.get(bit, f"info_code_{bit}") for bit in bits_of(number)]


@given(NUMBERS)
def test_a_water_meters_code_is_what_is_and_what_was(number: int) -> None:
    told = keys("MULTICAL 21", number)
    now = [key for bit, key in ((1, "dry"), (2, "reverse"), (4, "leak"), (8, "burst")) if number & bit]
    lately = [
        f"{key}_lately"
        for place, key in enumerate(("dry", "reverse", "leak", "burst"))
        if number >> 4 + 3 * place & 7 and key not in now
    ]
    assert told == now + lately + [f"info_code_{bit}" for bit in bits_of(number >> 16 << 16)]
    problems = [report.key for report in reports("MULTICAL 21", number & 0xFFFF) if report.problem]
    assert problems == now


@given(st.integers(0, 99_999_999))
def test_each_digit_of_the_display_is_told(code: int) -> None:
    shown = f"{code:08d}"
    known = {text: report.key for text, report in reports_of(DIGITS)}
    expected = []
    for place, digit in enumerate(shown):
        if digit != "0":
            key = known.get("·" * place + digit + "·" * (7 - place), f"info_code_{digit}{'0' * (7 - place)}")
            expected += [key] if key not in expected else []
    assert keys("MULTICAL 603", code) == expected


@given(
    NUMBERS | st.none(), NUMBERS | st.none(), st.sampled_from(["", "MULTICAL 403", "602", "66-CDE", "flowIQ"])
)
def test_sentences_can_be_joined_and_parted(code: int | None, bits: int | None, model: str) -> None:
    told = reports(model, code, bits)
    sentences = [report.sentence for report in told]
    assert ("; ".join(sentences).split("; ") if told else []) == sentences
    assert len({report.key for report in told}) == len(told)
    assert all(report.key.replace("_", "").isalnum() and report.advice for report in told)


def test_the_documents_examples() -> None:
    # 5512-931, 6.11.2: both temperature sensors outside their range are 12.
    assert keys("MULTICAL 602", 12) == ["t2_out_of_range", "t1_out_of_range"]
    # 5512-1739, section 5: the display "1 0 2 0 0 0 9 0".
    assert keys("MULTICAL 403", 10_200_090) == ["supply_cut_off", "t2_low", "input_a_alarm"]
    # A MULTICAL 21 that is dry, and has been for 22 to 31 days: 0071.
    assert keys("MULTICAL 21", 0x71) == ["dry"]
    assert [report.sentence for report in reports("MULTICAL 21", 0x70)] == [
        "no water in the meter for 22 to 31 days in the last month, and not now"
    ]


def test_that_the_supply_was_cut_off_is_no_problem_now() -> None:
    assert [report.problem for report in reports("MULTICAL 602", 1)] == [False]


@pytest.mark.parametrize("model", ["MULTICAL 62", "MULTICAL 302", "meter type 6020", ""])
@pytest.mark.parametrize("code", [4, -4, 10**20])
def test_what_no_source_explains_is_told_by_its_number(model: str, code: int) -> None:
    (report,) = reports(model, code)
    assert report.sentence == f"info code {code}, which no source explains"
    assert report.problem


def test_the_bits_say_themselves_whose_they_are_but_for_a_water_meter() -> None:
    assert keys("meter type 3403", 0, 2) == ["battery_low"]
    assert keys("flowIQ 2200", 2, 2) == ["reverse"]
    assert keys("meter type 3403", 12_345_678, 0) == []


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("MULTICAL 601 (Pt500)", ADDITIVE),
        ("MULTICAL 402", ADDITIVE),
        ("MULTICAL 403", BITS),
        ("Kamstrup MULTICAL® 803", BITS),
        ("MULTICAL 66-CDE", SHORT),
        ("flowIQ 2200", WATER),
        ("MULTICAL 21", WATER),
        ("MULTICAL 4031", None),
    ],
)
def test_the_family_of_a_model(model: str, family: Family | None) -> None:
    assert family_of(model) is family


def test_every_table_says_how_sure_it_is() -> None:
    for family in (*FAMILIES, DIGITS):
        assert "documented" in family.sources or "display" in family.sources
        assert list(reports_of(family))


def test_the_page_for_people_has_these_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "renew it: python -m tests.codecs.info_code_tables"
