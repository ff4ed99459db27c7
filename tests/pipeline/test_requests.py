"""Requests for readings: handed on, counted, and refusals told once by log and status, however many come."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from smart_meter_reader.exceptions import TransportError
from smart_meter_reader.messages import Health, Message, Publish, Reading, Reply, Status
from smart_meter_reader.meters.base import Client
from smart_meter_reader.pipeline.requests import ServiceRequests
from smart_meter_reader.pipeline.supervisor import MeterSupervisor
from smart_meter_reader.sinks.requests import NOTHING_TO_ASK, Requests

FLOOD = 10_000


class Asked(Client):
    """Reads once, then waits; takes every request while ``refusal`` is None."""

    answers_requests = True

    def __init__(self, meter: str = "heat") -> None:
        self.meter = meter
        self.health: Health = {"valid_readings": 0}
        self.refusal: Reply | None = None
        self.requests = 0
        self.doubts = 0
        self.fault: TransportError | None = None

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        if self.fault:
            raise self.fault
        reading: Reading = {
            "type": "reading",
            "meter": self.meter,
            "time": datetime.now(UTC),
            "measurements": {},
        }
        await publish(reading)
        await asyncio.Event().wait()

    def read_now(self) -> None:
        self.doubts += 1

    def request_reading(self) -> Reply:
        self.requests += 1
        return self.refusal or Reply(taken=True)


class Bench:
    """One meter under its supervisor, and what is published of it."""

    def __init__(self, client: Asked) -> None:
        self.client = client
        self.central: asyncio.Queue[Message | None] = asyncio.Queue(1000)
        self.supervisor = MeterSupervisor(client, self.central.put)
        self.requests = ServiceRequests([self.supervisor], self.central)
        self.sink = self.requests.from_sinks()
        self.task = asyncio.create_task(self.supervisor.run())

    async def until(self, kind: str, reason: str = "") -> Message:
        """The first message of a kind from now on."""
        async with asyncio.timeout(20):
            while True:
                message = await self.central.get()
                if message and message["type"] == kind and (kind == "reading" or message["reason"] == reason):  # type: ignore[typeddict-item]
                    return message

    def waiting(self) -> list[Message | None]:
        return [self.central.get_nowait() for _ in range(self.central.qsize())]

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def too_soon(seconds: float) -> Reply:
    return Reply(False, "read_too_soon", "too soon", datetime.now(UTC) + timedelta(seconds=seconds))


async def test_a_request_that_is_taken_is_counted_and_says_nothing_else() -> None:
    bench = Bench(Asked())
    await bench.until("reading")
    assert bench.sink.request_reading("heat").taken
    assert (bench.client.requests, bench.client.health["read_now_used"]) == (1, 1)
    assert bench.waiting() == []
    await bench.end()


async def test_a_flood_of_refused_requests_is_one_status_and_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    bench = Bench(Asked())
    await bench.until("reading")
    bench.client.refusal = too_soon(3600)
    for _ in range(FLOOD):
        assert not bench.sink.request_reading("heat").taken
    told = bench.waiting()
    assert [(m["state"], m["reason"], m["detail"]) for m in told if m and m["type"] == "status"] == [
        ("online", "read_too_soon", "too soon")
    ]
    assert len(told) == 1
    assert bench.client.health["read_now_refused"] == FLOOD
    assert [r.message for r in caplog.records if "not read now" in r.message] == [
        "meter heat is not read now: too soon"
    ]
    await bench.end()


async def test_the_refusal_is_taken_back_when_a_request_is_possible_again() -> None:
    bench = Bench(Asked())
    await bench.until("reading")
    bench.client.refusal = too_soon(0.05)
    bench.sink.request_reading("heat")
    refused = await bench.until("status", "read_too_soon")
    over = await bench.until("status", "")
    assert refused["type"] == over["type"] == "status"
    assert (over["state"], over["detail"]) == ("online", "readings arrive")
    await bench.end()


async def test_in_an_outage_the_answer_is_why_the_meter_is_offline_and_nothing_is_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    client = Asked()
    client.fault = TransportError("port_missing", "there is no port")
    bench = Bench(client)
    await bench.until("status", "port_missing")
    for _ in range(FLOOD):
        assert bench.sink.request_reading("heat").reason == "port_missing"
    assert client.requests == 0
    assert client.health["read_now_refused"] == FLOOD
    told = [m for m in bench.waiting() if m and m["type"] == "status"]
    assert [(m["state"], m["reason"]) for m in told] == [("offline", "port_missing")]
    assert len([r for r in caplog.records if "not read now" in r.message]) == 1
    await bench.end()


async def test_a_request_beside_a_reading_under_way_has_its_answer_in_that() -> None:
    bench = Bench(Asked())
    await bench.until("reading")
    bench.client.refusal = Reply(False, "under_way", "it is being read already")
    for _ in range(FLOOD):
        bench.sink.request_reading("heat")
    assert bench.waiting() == []
    assert bench.client.health["read_now_refused"] == FLOOD
    await bench.end()


async def test_a_full_queue_costs_the_status_and_nothing_else() -> None:
    bench = Bench(Asked())
    await bench.until("reading")
    status: Status | None = bench.supervisor.status()
    while not bench.central.full():
        bench.central.put_nowait(status)
    bench.client.refusal = too_soon(3600)
    assert not bench.sink.request_reading("heat").taken
    assert bench.client.health["read_now_refused"] == 1
    await bench.end()


async def test_a_doubt_of_the_guard_is_no_request() -> None:
    bench = Bench(Asked())
    await bench.until("reading")
    bench.requests.read_again("heat")
    bench.requests.read_again("unknown")
    assert (bench.client.doubts, bench.client.requests) == (1, 0)
    assert "read_now_used" not in bench.client.health
    await bench.end()


async def test_all_are_asked_at_a_signal_but_sinks_ask_those_to_whom_it_makes_a_difference() -> None:
    polled, pushing = Asked("heat"), Asked("p1")
    pushing.answers_requests = False
    central: asyncio.Queue[Message | None] = asyncio.Queue(1000)
    requests = ServiceRequests([MeterSupervisor(each, central.put) for each in (polled, pushing)], central)
    assert requests.from_sinks().meters == ("heat",)
    requests.read_all()
    assert (polled.requests, polled.doubts) == (1, 0)
    assert (pushing.requests, pushing.doubts) == (0, 1)
    assert "read_now_used" not in pushing.health


@pytest.mark.parametrize("requests", [NOTHING_TO_ASK, Requests({"heat": lambda: Reply(taken=True)})])
def test_a_foreign_name_is_refused(requests: Requests) -> None:
    reply = requests.request_reading("nobody")
    assert (reply.taken, reply.reason) == (False, "unknown_meter")
