"""Prices that others publish: what is one, what is kept, and what the past cost afterwards."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.history.costs.told_prices import ToldPrice, ToldPrices, keep_prices
from smart_meter_reader.history.places import HistoryPlace, prices_file
from smart_meter_reader.sinks.web.contract_settings import ContractSettings
from smart_meter_reader.sinks.web.prices.listening import _kept
from smart_meter_reader.sinks.web.prices.payloads import PriceMessageError, prices_in
from smart_meter_reader.sinks.web.prices.settings import PriceBrokerSettings
from smart_meter_reader.sinks.web.settings import WebSettings
from smart_meter_reader.sinks.web.sink import WebSink
from tests.history.homes import energy
from tests.peers.mosquitto import Mosquitto
from tests.peers.mqtt_recorder import recording
from tests.peers.ports import free_port
from tests.sinks.web.questions.asking import ask_entered, at, home
from tests.sinks.web.running import Page, listening

TOPIC = "prices/now"
NOW = 1_700_000_000
FLAT = ContractSettings(meter="heat", price_topic=TOPIC)


def entry(since: int, value: object, **more: object) -> dict[str, object]:
    return {"start": datetime.fromtimestamp(since, UTC).isoformat(), "value": value, **more}


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (b"0.2317", [ToldPrice(NOW, 604800, Decimal("0.2317"))]),
        (b'"0.2317"', [ToldPrice(NOW, 604800, Decimal("0.2317"))]),
        (b"-3", [ToldPrice(NOW, 604800, Decimal(-3))]),
        (
            json.dumps([entry(NOW + 900, 0.3), entry(NOW, "0.25")]).encode(),
            [ToldPrice(NOW, 3600, Decimal("0.25")), ToldPrice(NOW + 900, 3600, Decimal("0.3"))],
        ),
        (
            json.dumps({"rates": [{"start": NOW, "value": 1, "end": NOW + 7200}]}).encode(),
            [ToldPrice(NOW, 7200, Decimal(1))],
        ),
    ],
)
def test_a_number_or_a_list_is_a_price(payload: bytes, found: list[ToldPrice]) -> None:
    assert prices_in(payload, NOW) == found


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "'' is no JSON"),
        (b"cheap", "'cheap' is no JSON"),
        (b"NaN", "'NaN' is no JSON"),
        (b"null", "it is no price"),
        (b"true", "it is no price"),
        (b"1e99999999", "it is no price"),
        (b"[]", "its list has 0 prices"),
        (b"[0.2]", "number 1 of its list has no `start` and `value`"),
        (b'[{"start": "2023-11-14T22:13:20", "value": 1}]', "`start` of number 1 has no offset"),
        (b'[{"start": 1700000000000, "value": 1}]', "is more than 400 days from now"),
        (json.dumps([entry(NOW, "a lot")]).encode(), "`value` of number 1 is no price: 'a lot'"),
        (json.dumps([entry(NOW, 1), entry(NOW, 2)]).encode(), "number 2 of its list begins when another"),
        (json.dumps([entry(NOW, 1, end=NOW)]).encode(), "number 1 of its list ends before it begins"),
        (b"[" * 100_000, "is no JSON"),
        (b" " * 300_000, "it has 292 KiB"),
    ],
)
def test_what_is_none_gets_one_sentence(payload: bytes, why: str) -> None:
    with pytest.raises(PriceMessageError) as refused:
        prices_in(payload, NOW)
    assert why in refused.value.detail
    assert "\n" not in refused.value.detail
    assert "a message is such as 0.2317" in refused.value.detail


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_anything_is_prices_or_refused(payload: bytes) -> None:
    try:
        found = prices_in(payload, NOW)
    except PriceMessageError:
        return
    assert all(each.longest > 0 and each.price.is_finite() for each in found)


def test_a_price_of_the_past_that_is_known_stays(tmp_path: Path) -> None:
    path = tmp_path / "home.prices.sqlite"
    first = [ToldPrice(NOW + step * 3600, 3600, Decimal(step)) for step in (-1, 1)]
    assert keep_prices(path, TOPIC, first, NOW) == 0
    again = [ToldPrice(NOW + step * 3600, 3600, Decimal("9.5")) for step in (-2, -1, 1)]
    assert keep_prices(path, TOPIC, again, NOW) == 1
    curve = ToldPrices().prices(path, TOPIC, Decimal(1)).curve(NOW - 7200, NOW + 10800, Decimal(0))
    assert list(zip(curve.moments, curve.prices, strict=True)) == [
        (NOW - 7200, 95),  # it was missing
        (NOW - 3600, -10),  # it was known
        (NOW, None),
        (NOW + 3600, 95),  # it was to come
        (NOW + 7200, None),
    ]


def test_a_number_holds_until_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "home.prices.sqlite"
    for seconds, text in ((0, b"0"), (5, b"0.2"), (600, b"0.2"), (7200, b"0.3"), (9000, b"0.30")):
        assert _kept(path, TOPIC, text, NOW + seconds) == 0
    told = ToldPrices().prices(path, TOPIC, Decimal(1))
    # The nought of the first seconds was none; what says the same again is not kept.
    assert list(told.begins) == [NOW, NOW + 7200, NOW + 7200 + 7 * 86400]
    assert list(told.prices) == [2, 3, None]


def test_what_was_used_costs_what_was_told(tmp_path: Path) -> None:
    begin = at("2026-03-10T00:00")
    path = home(tmp_path / "h.history.sqlite", [energy(begin + 3600 * hour, str(hour)) for hour in range(13)])
    told = ask_entered(path, "costs", "2026-03-10T12:00", {"flat": FLAT}, view="day")
    assert [each["text"] for each in told["problems"]] == [
        f"contract flat: nothing was published on {TOPIC} yet"
    ]
    prices = [ToldPrice(begin + 3600 * hour, 3600, Decimal(hour)) for hour in range(10)]
    keep_prices(prices_file(path), TOPIC, prices, begin + 86400)
    told = ask_entered(path, "costs", "2026-03-10T12:00", {"flat": FLAT}, view="day")
    assert (told["energy"], told["unpriced"], told["problems"]) == (45, 2, [])
    per_mwh = replace(FLAT, source_unit="MWh", surcharge=Decimal("0.1"))
    told = ask_entered(path, "costs", "2026-03-10T12:00", {"flat": per_mwh}, view="day")
    assert told["energy"] == Decimal("0.045") + 10 * Decimal("0.1")


async def test_prices_come_from_a_broker_and_bad_ones_are_counted(broker: Mosquitto, tmp_path: Path) -> None:
    now = int(time.time())
    begin = now - now % 3600 - 7200
    path = home(tmp_path / "h.history.sqlite", [energy(begin + 900 * step, str(step)) for step in range(9)])
    port = free_port()
    settings = WebSettings(
        port=port,
        contracts={"flat": FLAT},
        price_broker=PriceBrokerSettings(host="127.0.0.1", port=broker.port),
    )
    sink = WebSink("web", settings)
    sink.share_history(HistoryPlace(path, None, "Europe/Amsterdam"))
    with recording(broker.port) as other:
        # Retained, as those do who publish once a day: it is there when we come.
        other.publish(TOPIC, json.dumps([entry(begin, 0.5), entry(begin + 3600, 0.25)]), retain=True)
        await other.sees(TOPIC, json.dumps([entry(begin, 0.5), entry(begin + 3600, 0.25)]))
        async with aiohttp.ClientSession() as browser:
            running = Page(sink, port, "http", browser)
            task = asyncio.create_task(sink.run(running.messages()))
            await listening(port, task)
            question = f"/api/v1/costs?from={datetime.fromtimestamp(begin - 86400, UTC).date()}"
            async with asyncio.timeout(30):
                while (await running.get(question)).json["energy"] != 3:
                    await asyncio.sleep(0.05)
            other.publish(TOPIC, "soon")
            async with asyncio.timeout(30):
                while not (problems := (await running.get(question)).json["problems"]):
                    await asyncio.sleep(0.05)
            assert (
                f"the last message of {TOPIC} was left out (1 until now): 'soon' is no JSON"
                in problems[0]["text"]
            )
            assert problems[0]["facts"]["shown"] == "'soon'"
            counted = (await running.get("/metrics")).text
            assert f'smart_meter_price_messages_refused_total{{topic="{TOPIC}"}} 1.0' in counted
            assert (await running.get(question)).json["energy"] == 3
            running.end()
            async with asyncio.timeout(20):
                await task


def test_what_does_not_go_together_is_said() -> None:
    with pytest.raises(ValueError, match="price_file and price_topic: a contract has one of them"):
        ContractSettings(meter="heat", price_file=Path("p.csv"), price_topic=TOPIC)
    with pytest.raises(ValueError, match="price and price_topic: what is added"):
        ContractSettings(meter="heat", price=Decimal(1), price_topic=TOPIC)
