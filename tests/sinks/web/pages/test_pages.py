"""Every page in a real browser: nothing bars anybody, comes from elsewhere or is too wide."""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from benchmarks.made_up_home import HOUSE
from smart_meter_reader.messages import Info, Message, Reading
from smart_meter_reader.settings.values import Secret
from smart_meter_reader.sinks.web.access.passwords import written
from smart_meter_reader.sinks.web.pages import render
from smart_meter_reader.sinks.web.pages.language import LANGUAGES, language
from smart_meter_reader.sinks.web.static_files import static_files
from tests.history.homes import energy, keep
from tests.sinks.web.pages.looking import DESKTOP, PHONE, looking
from tests.sinks.web.pages.neighbours import LONG, one, state, told
from tests.sinks.web.pages.serving import Home, nothing_stored, served

pytestmark = pytest.mark.xdist_group("browser")

PAGES = (
    "",
    "?range=day",
    "history?meter=p1&view=month",
    "history?meter=heat&view=year&compare=year",
    "history?meter=heat&view=all",
    "heat",
    "costs",
    "costs?meter=p1-gas",
    "meters",
    "download",
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")])
def test_a_page_bars_nobody_and_fits(
    browser: Browser, home: Home, path: str, size: tuple[int, int], scheme: str
) -> None:
    with looking(browser, size, color_scheme=scheme) as looked:
        looked.open(home.address + path)
        for button in looked.page.locator(".toggle").all():
            button.click()
        assert looked.barriers() == []
        assert looked.overflow() <= 0
        assert looked.complaints == []
        assert all(url.startswith(home.address) for url in looked.requested if not url.startswith("data:"))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_small(home: Home, path: str) -> None:
    name, _, query = path.partition("?")
    asked = dict(pair.split("=") for pair in query.split("&") if pair)
    text = render(name or "now", asked, home.questions.ask, home.now(), "en")
    files = re.findall(r'(?:src|href)="static/([^"]+)"', text)
    assert len(files) + 1 <= 5
    weight = len(gzip.compress(text.encode())) + sum(len(static_files()[file].gzipped) for file in files)
    assert weight <= 60_000
    assert not re.search(r"(?:src|href|action)=\"(?:https?:|//|/)", text)
    assert not re.search(r"<[^>]* (?:style|on\w+)=", text)


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_page_shows_a_key(home: Home, code: str) -> None:
    keys = [key for key in language("en").words if "." in key]
    for path in ("now", "history", "heat", "costs", "meters", "download", "login"):
        text = render(path, {"lang": code, "view": "month"}, home.questions.ask, home.now(), code)
        seen = re.sub(r"<[^>]*>", " ", text)
        found = [key for key in keys if re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", seen)]
        assert not found, f"{path}: {found}"
        assert f'<html lang="{code}">' in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_hint_is_told_with_dates_as_the_language_writes_them(home: Home, code: str) -> None:
    facts: tuple[tuple[str, dict[str, object]], ...] = (
        (
            "leak_or_bypass",
            {"nights": 7, "volume": Decimal("0.017"), "time": datetime(2026, 11, 22, 22, tzinfo=UTC)},
        ),
        ("info_code", {"meaning": "air in the water"}),
    )
    hints = [{"kind": kind, "text": "Told on 2026-11-22.", "facts": each} for kind, each in facts]

    def ask(question: str, query: Mapping[str, str]) -> Any:
        told = home.questions.ask(question, query)
        return told | {"hints": hints} if question == "heat" else told

    page = render("heat", {"lang": code}, ask, home.now(), code)
    seen = re.sub(r"<[^>]*>", " ", page)
    assert language(code)("hint.leak_or_bypass") in seen
    assert re.search(r"\b22\b.*2026", seen)
    assert "air in the water" in seen
    assert not re.search(r"\d{4}-\d\d-\d\d", seen)


@pytest.mark.parametrize("name", ["now", "history", "heat", "costs", "meters", "download"])
def test_an_address_that_nobody_wrote_is_a_page_all_the_same(home: Home, name: str) -> None:
    now = home.now()
    for key in ("view", "date", "meter", "compare", "range", "unit", "quantity", "page", "self"):
        for value in ("", "<x-typed>", "0001-01-01", "9999-12-31", "\x00"):
            text = render(name, {key: value}, home.questions.ask, now, "en")
            assert "<h1>" in text
            assert "<x-typed>" not in text  # a tag that no page of ours has


def test_with_script_off_the_numbers_are_there(browser: Browser, home: Home) -> None:
    with looking(browser, PHONE, java_script_enabled=False) as looked:
        page = looked.page
        page.goto(home.address + "history?meter=p1&view=month")
        expect(page.locator("table")).to_be_visible()
        expect(page.locator(".plot")).to_be_hidden()
        assert page.locator("tbody tr").count() >= 28
        page.goto(home.address)
        expect(page.locator("[data-meter=p1] .value")).to_contain_text("kW")
        expect(page.locator("[data-meter=p1] table")).to_be_visible()


def test_keys_move_along_a_chart_and_go_deeper(browser: Browser, home: Home) -> None:
    with looking(browser) as looked:
        looked.open(home.address + "history?meter=p1&view=year")
        plot, readout = looked.page.locator(".plot").first, looked.page.locator(".readout").first
        plot.focus()
        plot.press("Home")
        expect(readout).to_contain_text(f"January {datetime.now(UTC).year}")
        plot.press("ArrowRight")
        expect(readout).to_contain_text("February")
        plot.press("ArrowLeft")
        expect(readout).to_contain_text("January")
        plot.press("Enter")
        looked.page.wait_for_url("**view=month**")
        expect(looked.page.locator(".between h2")).to_contain_text("January")


def test_what_happened_is_marked_on_a_curve_and_read_by_keys(browser: Browser, home: Home) -> None:
    """The made-up home says of each meter when it ends; a reading came after that."""
    told = "All before this moment is made up"
    with looking(browser) as looked:
        card = looked.open(home.address).page.locator("[data-meter=heat]")
        plot, readout = card.locator(".plot"), card.locator(".readout")
        plot.focus()
        plot.press("Home")
        expect(readout).not_to_contain_text(told)
        plot.press("End")
        expect(readout).to_contain_text(told)
        assert readout.get_attribute("aria-live") == "polite"
        expect(card.locator(".hatched")).to_contain_text("A mark above the curve")
    with looking(browser, java_script_enabled=False) as looked:
        looked.page.goto(home.address)
        rows = looked.page.locator("[data-meter=heat] tbody tr", has_text=told)
        expect(rows).to_have_count(1)
        expect(rows.first).to_be_visible()


def test_a_click_on_a_bar_goes_deeper_and_back_comes_back(browser: Browser, home: Home) -> None:
    with looking(browser) as looked:
        page = looked.page
        looked.open(home.address + "history?meter=heat&view=year")
        box = page.locator(".u-over").first.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 24, box["y"] + box["height"] - 5)
        page.mouse.click(box["x"] + box["width"] / 24, box["y"] + box["height"] - 5)
        page.wait_for_url("**view=month**")
        page.go_back()
        expect(page.locator("[aria-current=true]", has_text="Year").first).to_be_visible()


def test_times_are_those_of_the_house_wherever_one_looks(browser: Browser, home: Home) -> None:
    told = []
    for zone in ("Europe/Amsterdam", "Pacific/Auckland", "America/St_Johns"):
        with looking(browser, timezone_id=zone) as looked:
            looked.open(home.address + "?range=day")
            page = looked.page
            first = page.evaluate(
                "JSON.parse(document.querySelector('[data-meter=p1] figure').dataset.curve).times[0]"
            )
            page.locator("[data-meter=p1] .plot").press("Home")
            readout = page.locator("[data-meter=p1] .readout b").first
            expect(readout).to_have_text(f"{datetime.fromtimestamp(first, HOUSE):%H:%M:%S}  ")
            read = page.locator("[data-meter=heat] .age time")
            time = datetime.fromisoformat(read.get_attribute("datetime") or "")
            expect(read).to_have_text(f"{time.astimezone(HOUSE):%H:%M:%S}")
            told.append(page.locator("[data-meter=p1-gas] tbody").inner_text())
    assert told[0] == told[1] == told[2]


def test_a_value_renews_itself_and_an_end_is_told(browser: Browser, tmp_path: Path) -> None:
    place = nothing_stored(tmp_path)
    with served(Home(place, [_power("1.500"), state("p1")])) as home, looking(browser) as looked:
        page = looked.open(home.address).page
        value, doing = page.locator(".value"), page.locator(".doing")
        expect(value).to_have_text("1.500\u00a0kW")
        home.tell(_power("0.250"))
        expect(value).to_have_text("0.250\u00a0kW")
        expect(doing).to_have_text("Takes 0.250\u00a0kW from the grid.")
        # Another sentence: the card is fetched anew.
        home.tell(_power("0.000", "2.000"))
        expect(doing).to_have_text("Feeds 2.000\u00a0kW into the grid.")
        expect(page.locator(".lost")).to_be_hidden()
        home.tell(None)
        expect(page.locator(".lost")).to_contain_text(re.compile(r"No live values since \d\d:\d\d:\d\d"))


def _power(power: str, export: str = "0.000") -> Reading:
    both = one("active_power_import", power, "kW") | one("active_power_export", export, "kW")
    return told("p1", both)


def test_a_reading_is_asked_for_and_the_answer_stands_beside(browser: Browser, home: Home) -> None:
    with looking(browser) as looked:
        page = looked.open(home.address + "meters").page
        page.get_by_role("button", name="Read now").click()
        expect(page.locator("form [role=status]")).to_have_text(
            "Asked. The reading appears when it has come."
        )
        assert home.asked == ["heat"]


def test_text_from_a_meter_stays_text(browser: Browser, tmp_path: Path) -> None:
    evil = "<img src=x onerror=document.title='taken'>"
    who: Info = {
        "type": "info",
        "meter": evil,
        "time": datetime.now(UTC),
        "model": evil,
        "serial_number": evil,
    }
    values = told(evil, {"text_message": {"value": evil, "unit": ""}, **one("power", "1", evil)})
    messages: list[Message] = [who, values, state(evil, "alert", "odd", evil)]
    with served(Home(nothing_stored(tmp_path), messages)) as home, looking(browser) as looked:
        for path in ("", "meters"):
            page = looked.open(home.address + path).page
            home.tell(values)
            expect(page.locator("h2")).to_contain_text(evil)
            assert page.locator("img").count() == 0
            assert "taken" not in page.title()
        assert looked.complaints == []


def test_without_anything_each_page_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    with served(Home(nothing_stored(tmp_path), [])) as home, looking(browser, PHONE) as looked:
        for path in ("", "history", "heat", "costs", "meters", "download"):
            page = looked.open(home.address + path).page
            expect(page.locator(".notice")).to_be_visible()
            assert looked.barriers() == []
        assert looked.complaints == []


def test_a_meter_that_is_down_says_since_when_and_what_to_do(browser: Browser, home: Home) -> None:
    with looking(browser, PHONE) as looked:
        page = looked.open(home.address).page
        card = page.locator(f"[data-meter={LONG}]")
        expect(card.locator(".doing")).to_contain_text("Does not answer since")
        expect(card.locator(".doing")).to_contain_text("infrared head")
        expect(page.locator("[data-meter=new] .doing")).to_have_text("Waiting for its first reading.")


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_word_above_a_figure_is_broken_on_a_phone(browser: Browser, home: Home, code: str) -> None:
    with looking(browser, PHONE) as looked:
        page = looked.open(f"{home.address}heat?lang={code}").page
        too_wide = page.evaluate(
            "[...document.querySelectorAll('.figures dt')].filter((each) => {"
            " each.style.overflowWrap = 'normal'; each.style.hyphens = 'manual';"
            " return each.scrollWidth > each.clientWidth; }).map((each) => each.textContent)"
        )
    assert too_wide == []


def test_of_many_meters_those_that_are_down_are_named_above_all(browser: Browser, tmp_path: Path) -> None:
    heard: list[Message] = []
    for number in range(50):
        heard.append(told(f"house-{number}", one("active_power_import", "0.5", "kW")))
        down = number % 3 == 2
        heard.append(state(f"house-{number}", *(("offline", "silent", "no answer") if down else ())))
    with served(Home(nothing_stored(tmp_path), heard)) as home, looking(browser, PHONE) as looked:
        page = looked.open(home.address).page
        above = page.locator(".down")
        expect(above).to_contain_text("16 of 50 meters do not answer: house-2 · house-5")
        expect(above).to_contain_text("house-35 · and 4 more")
        above.get_by_text("house-35").click()
        expect(page.locator("[data-meter=house-35]")).to_be_in_viewport()
        assert (looked.barriers(), looked.overflow(), looked.complaints) == ([], 0, [])
        for code in LANGUAGES:
            assert (
                "16"
                in re.findall(
                    r'class="down">([^<]+)', render("now", {}, home.questions.ask, home.now(), code)
                )[0]
            )


def test_of_a_few_meters_none_is_named_twice(home: Home) -> None:
    assert 'class="down"' not in render("now", {}, home.questions.ask, home.now(), "en")


def test_a_meter_that_never_answered_shows_nothing_from_before(home: Home) -> None:
    silent = {**home.now()["meters"][0], "meter": "silent", "state": "offline", "reason": "silent"}
    before = language("en")("doing.before")
    for values, there in ((silent["measurements"], True), ({}, False)):
        now = {**home.now(), "meters": [{**silent, "measurements": values}]}
        assert (before in render("now", {}, home.questions.ask, now, "en")) is there


def test_where_curves_take_too_long_the_page_is_there_without_them(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    heat = next(each for each in home.now()["meters"] if each["meter"] == "heat")
    now = {**home.now(), "meters": [heat] * 6}
    page = sys.modules["smart_meter_reader.sinks.web.pages.present"]
    for seconds, curves in ((60.0, 6), (0.0, 3)):
        monkeypatch.setattr(page, "_CURVES_SECONDS", seconds)
        text = render("now", {}, home.questions.ask, now, "en")
        assert (text.count("data-curve"), text.count("data-meter=")) == (curves, 6)


def test_estimated_bars_say_from_when_to_when(home: Home) -> None:
    day = (datetime.now(UTC) - timedelta(days=10)).date()
    query = {"meter": "heat", "view": "month", "date": day.isoformat()}
    text = render("history", query, home.questions.ask, home.now(), "nl")
    assert re.search(
        r'<tr class="estimated">.*?Geschat: er is niets gelezen van \d+ \w+ \d{4} \d\d:\d\d tot', text
    )
    assert "Gearceerd" in text


def test_a_single_reading_is_a_page_all_the_same(browser: Browser, tmp_path: Path) -> None:
    place, now = nothing_stored(tmp_path), int(datetime.now(UTC).timestamp())
    keep(place.file, [energy(now - 60, "5.000")])
    with served(Home(place, [told("heat", one("heat_energy", "5.000", "kWh"))])) as home:
        with looking(browser, PHONE) as looked:
            for path in ("", "history", "history?view=all&compare=year", "heat", "costs", "meters"):
                looked.open(home.address + path)
                assert looked.overflow() <= 0
            assert looked.complaints == []
        text = render("heat", {}, home.questions.ask, home.now(), "en")
    assert "E8 and E9" in text


def test_links_keep_the_language_and_the_view(home: Home) -> None:
    query = {"meter": "p1", "view": "month", "lang": "da"}
    text = render("history", query, home.questions.ask, home.now(), "da")
    links = re.findall(r'href="([^"]+)"', text)
    assert all("lang=" in link for link in links if not link.startswith(("static", "data", "#")))
    assert "history?meter=p1&amp;view=year&amp;lang=da".replace("view=year&amp;lang=da", "") in "".join(links)


def test_the_password_is_asked_for_and_one_can_leave(browser: Browser, tmp_path: Path) -> None:
    kept = Secret(written("correct horse battery"))
    with (
        served(Home(nothing_stored(tmp_path), [_power("1")], kept)) as home,
        looking(browser, PHONE) as looked,
    ):
        page = looked.open(home.address).page
        page.wait_for_url("**/login")
        assert looked.barriers() == []
        assert looked.complaints == []
        field = page.get_by_label("Password")
        field.fill("not that")
        field.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("That was not the password")
        assert looked.barriers() == []
        field.fill("correct horse battery")
        field.press("Enter")
        expect(page.locator(".value")).to_contain_text("kW")
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login")
