"""Receipts: safe when all have confirmed, lost when one dropped it, forgotten with whoever held them."""

from __future__ import annotations

import asyncio
import gc

from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.messages.receipts import NO_RECEIPTS, Receipts

SINKS = ("history", "mqtt", "postgresql")


async def test_it_is_safe_when_the_last_taker_has_confirmed() -> None:
    receipts = Receipts(SINKS)
    assert receipts.takers == 3
    receipt = receipts.issue()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(receipt.settled())
        for sink in SINKS:
            await asyncio.sleep(0)
            assert not receipt.is_safe
            assert not waiting.done()
            receipts.of(sink).confirm(receipt.key)
            receipts.of(sink).confirm(receipt.key)
    assert waiting.result() is True
    assert receipt.is_safe
    assert not receipt.is_lost


async def test_what_one_taker_drops_is_lost_and_never_safe_by_itself() -> None:
    receipts = Receipts(SINKS)
    receipt = receipts.issue()
    receipts.of("mqtt").lose(receipt.key)
    assert await receipt.settled() is False
    assert receipt.is_lost
    receipts.of("history").confirm(receipt.key)
    receipts.of("postgresql").confirm(receipt.key)
    assert not receipt.is_safe


async def test_what_was_confirmed_is_not_lost_by_what_is_dropped_later() -> None:
    receipts = Receipts(["history"])
    receipt = receipts.issue()
    receipts.of("history").confirm(receipt.key)
    receipts.of("history").lose(receipt.key)
    assert await receipt.settled() is True
    assert not receipt.is_lost


def test_what_reaches_no_sink_is_lost() -> None:
    receipts = Receipts(SINKS)
    first, second = receipts.issue(), receipts.issue()
    receipts.lose(second.key)
    assert (first.is_lost, second.is_lost) == (False, True)


def test_a_sink_that_is_no_taker_changes_nothing() -> None:
    receipts = Receipts(["history"])
    receipt = receipts.issue()
    receipts.of("stdout").confirm(receipt.key)
    receipts.of("stdout").lose(receipt.key)
    assert not receipt.is_safe
    assert not receipt.is_lost


def test_what_nobody_holds_is_forgotten() -> None:
    receipts = Receipts(["history"])
    keys = [receipts.issue().key for _ in range(1000)]
    held = receipts.issue()
    gc.collect()
    for key in [*keys, "never issued"]:
        receipts.of("history").confirm(key)
    assert len(set(keys)) == 1000
    assert not held.is_safe


def test_without_takers_there_is_nothing_to_read_back() -> None:
    assert NO_RECEIPTS.takers == 0
    assert NO_RECEIPTS.issue().is_safe


@given(st.lists(st.tuples(st.sampled_from(SINKS), st.booleans())))
def test_it_is_safe_only_if_each_taker_confirmed_and_lost_only_if_one_did_not_have_it(
    told: list[tuple[str, bool]],
) -> None:
    receipts = Receipts(SINKS)
    receipt = receipts.issue()
    lost, confirmed = False, set[str]()
    for sink, confirms in told:
        if confirms:
            receipts.of(sink).confirm(receipt.key)
            confirmed.add(sink)
        else:
            receipts.of(sink).lose(receipt.key)
            lost |= sink not in confirmed
    assert receipt.is_lost == lost
    assert receipt.is_safe == (confirmed == set(SINKS) and not lost)
