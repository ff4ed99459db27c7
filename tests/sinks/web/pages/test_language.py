"""The languages are complete, and write numbers and dates as people there do."""

from __future__ import annotations

import ast
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from string import Formatter

import pytest

from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.sinks.web import pages
from smart_meter_reader.sinks.web.pages.language import LANGUAGES, language
from smart_meter_reader.sinks.web.questions import hints
from tests.sinks.web.pages.reasons import history_troubles, reasons, refusals

PAGES = Path(pages.__file__).parent
FOLDER = PAGES / "languages"
_WORDS = re.compile(r"(.*\.)?words(\.around)?")
# Together with others that read the whole package: parsed once, in one process.
of_the_source = pytest.mark.xdist_group("architecture")


def _is_refusal(key: str) -> bool:
    return key.startswith("refused.") and key != "refused.otherwise"


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_all_languages_have_the_same_words_with_the_same_places() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(LANGUAGES)
    english = language("en").words
    for code in LANGUAGES:
        # English refusals are those of the service itself.
        words = {key: text for key, text in language(code).words.items() if not _is_refusal(key)}
        assert words.keys() == english.keys(), code
        for key, text in words.items():
            assert places(text) == places(english[key]), f"{code}: {key}"
            assert text.strip() or key == "date.after_day", f"{code}: {key}"


def test_most_is_translated() -> None:
    english = language("en").words
    for code in LANGUAGES[1:]:
        words = language(code).words
        same = [key for key in words if words[key] == english.get(key) and len(words[key]) > 15]
        assert not same, f"{code}: {same}"


def test_every_word_that_the_pages_name_is_there() -> None:
    english = language("en").words
    for path in PAGES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and re.fullmatch(
                r"(.*\.)?words(\.around)?", ast.unparse(node.func)
            ):
                key = node.args[0]
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    assert key.value in english, f"{path.name}: {key.value}"


@of_the_source
def test_every_reason_hint_and_quantity_has_its_words() -> None:
    """Whatever a meter, the guard or the history can tell is told in each language."""
    named = {key for key in language("en").words if key.startswith("hint.") and key.count(".") == 1}
    found = set(re.findall(r'\("(\w+)", _\w+\(', Path(hints.__file__).read_text(encoding="utf-8")))
    assert {f"hint.{kind}" for kind in found} == named
    told = reasons()
    assert len(told) > 80
    for code in LANGUAGES:
        words = language(code)
        assert not [word for word in told if not words.reason(word)], code
        assert not [key for key in named if f"{key}.told" not in words.words], code
        if code != "en":
            assert not [key for key in QUANTITIES if words.named(key, "-") == "-"], code


@of_the_source
def test_every_refusal_is_told_in_each_language() -> None:
    """Whatever cannot be shown, and whatever is wrong with prices, with all facts of the sentence."""
    found = refusals()
    assert len(found) > 70
    for code in LANGUAGES[1:]:
        words = language(code).words
        there = {key.removeprefix("refused.") for key in words if _is_refusal(key)}
        assert there == found.keys(), code
        for kind, facts in found.items():
            told = places(words[f"refused.{kind}"])
            # What an error of the system or of another part says of itself is English.
            assert told <= facts, f"{code}: {kind}"
            assert facts - told <= {"why"}, f"{code}: {kind}"


@of_the_source
def test_every_trouble_of_a_history_is_told_in_each_language() -> None:
    found = history_troubles()
    assert len(found) > 10
    for code in LANGUAGES:
        assert not [word for word in found if not language(code).reason(word)], code


def test_no_two_quantities_are_called_the_same() -> None:
    for code in LANGUAGES:
        names: dict[str, list[str]] = {}
        for key, quantity in QUANTITIES.items():
            names.setdefault(language(code).named(key, quantity.name), []).append(key)
        assert not {name: keys for name, keys in names.items() if len(keys) > 1}, code


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("en", "−1,234,567.890"),
        ("nl", "−1.234.567,890"),
        ("de", "−1.234.567,890"),
        ("da", "−1.234.567,890"),
        ("fr", "−1\u202f234\u202f567,890"),
    ],
)
def test_numbers_keep_their_digits(code: str, told: str) -> None:
    assert language(code).number(Decimal("-1234567.890")) == told


def test_numbers_are_rounded_once_and_only_when_asked() -> None:
    words = language("nl")
    assert words.number(Decimal("0.0049999")) == "0,0049999"
    assert words.number(Decimal("0.0049999"), 2) == "0,00"
    assert words.number(Decimal("-0.001"), 1) == "0,0"
    assert words.number(Decimal("1E+3")) == "1.000"
    assert words.measured(None) == "–"
    assert words.measured(Decimal("1.50"), "kWh") == "1,50\u00a0kWh"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("en", "3 Nov 2026"),
        ("nl", "3 nov 2026"),
        ("de", "3. Nov 2026"),
        ("da", "3. nov 2026"),
        ("fr", "3 nov 2026"),
    ],
)
def test_dates(code: str, told: str) -> None:
    assert language(code).day(date(2026, 11, 3)) == told
    assert re.search(r"2026$", language(code).long_day(date(2026, 11, 3)))
