"""The composition root: settings -> running tasks; start order, signals, ordered stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.drivers import imported
from smart_meter_reader.guard.guard import Guard, MeterPolicy
from smart_meter_reader.guard.memory import origin_of
from smart_meter_reader.guard.state import StateFile, state_path
from smart_meter_reader.messages import Message
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.lines import sharing_lines
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.meters.turns import taking_turns
from smart_meter_reader.network.outages import Outages
from smart_meter_reader.network.stalls import watch_stalls
from smart_meter_reader.pipeline.environment_lock import held
from smart_meter_reader.pipeline.health_answers import answer_health, health_path
from smart_meter_reader.pipeline.health_report import report_hourly
from smart_meter_reader.pipeline.kept_faults import FaultFile, fault_path
from smart_meter_reader.pipeline.memories import Memories, recall
from smart_meter_reader.pipeline.requests import ServiceRequests
from smart_meter_reader.pipeline.router import queue_for, route
from smart_meter_reader.pipeline.signals import answer_signals
from smart_meter_reader.pipeline.sink_memory import SinkMemory
from smart_meter_reader.pipeline.sink_supervisor import SinkSupervisor
from smart_meter_reader.pipeline.supervisor import MeterSupervisor
from smart_meter_reader.pipeline.tasks import cancel, leave, start_task
from smart_meter_reader.rooms import Room, outcome
from smart_meter_reader.service.notify import Notifier, Pulse, report_to_manager
from smart_meter_reader.settings.loading import MeterSettings, ServiceSettings
from smart_meter_reader.sinks.base import Sink
from smart_meter_reader.sinks.registry import sink_driver

if TYPE_CHECKING:
    from smart_meter_reader.pipeline.leased import Leasing

_log = logging.getLogger(__name__)

LEASING = "smart_meter_reader.pipeline.leased:Leasing"
# The whole stop takes 5 s at most; the sinks get what is left when the clients have closed their ports.
CLIENT_STOP_SECONDS = 1.5
SINK_STOP_SECONDS = 2.5
LEASES_STOP_SECONDS = 0.4
# What has not stopped by then never will; the process ends all the same.
LAST_RESORT_SECONDS = 4.7
# A run that takes one reading waits so much longer for its sinks, which may just have begun to connect.
ONCE_PATIENCE_SECONDS = 10.0
# After a fault in what goes on beside the meters.
BACKGROUND_PAUSE = 60.0
# What readings are made of has no circles and is soon gone by itself. By its usual thresholds (700, 10, 10)
# the collector looks at it meanwhile, and of a thousand meters at all else: for 4 % of the CPU.
GARBAGE_THRESHOLDS = (10_000, 20, 50)
# The central queue is emptied as fast as it fills; its size only bounds a bug.
CENTRAL_QUEUE_SIZE = 1000


class Service:
    """All tasks of one environment, and their common start and stop."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._central: asyncio.Queue[Message | None] = asyncio.Queue(CENTRAL_QUEUE_SIZE)
        self._stop = asyncio.Event()
        self._room = Room("service")
        self._status_changed = asyncio.Event()
        self._notifier = Notifier.from_environment()
        sinks: list[Sink] = [
            imported(sink_driver(sink.sink).sink)(name, sink.driver) for name, sink in settings.sinks.items()
        ]
        self._receipts = Receipts([sink.name for sink in sinks if sink.takes_past])
        self._queues = {sink.name: queue_for(sink, settings.queue_size, self._receipts) for sink in sinks}
        self.sinks = [SinkSupervisor(sink, self._queues[sink.name]) for sink in sinks]
        outages = Outages()
        for each in self.sinks:
            each.sink.share_outages(outages)
            each.sink.take_receipts(self._receipts.of(each.sink.name))
        _share_history([each.sink for each in self.sinks])
        path = fault_path(settings.environment, os.environ)
        keep = FaultFile(path).add_aside if path else None
        # Imported, with the client of the servers, where a meter has a lease.
        leasing: Leasing | None = (
            imported(LEASING)(settings, outages) if settings.leases is not None else None
        )
        self._leasing = leasing
        self.meters = [
            MeterSupervisor(
                imported(meter_driver(meter.client).client)(name, meter.driver),
                leasing.publish_of(name, self._publish) if leasing else self._publish,
                keep,
            )
            for name, meter in settings.meters.items()
        ]
        for meter in self.meters:
            meter.client.take_receipts(self._receipts)
        path = health_path(settings.environment, os.environ)
        self._answer_health = partial(answer_health, path, self.meters)
        self._requests = ServiceRequests(self.meters, self._central)
        for each in self.sinks:
            each.sink.take_requests_to(self._requests.from_sinks())
        kept_in = state_path(settings.environment, os.environ)
        self._state_file = StateFile(kept_in) if kept_in else None
        memory = self._state_file.load() if self._state_file else {}
        clients = {meter.meter: meter.client for meter in self.meters}
        policies = {name: _policy(meter) for name, meter in settings.meters.items()}
        self._guard = Guard(policies, memory, self._requests.read_again, partial(_line_of, clients))
        origins = {name: policy.origin for name, policy in policies.items()}
        for name, client in clients.items():
            give_back = partial(recall, client, origins[name], memory)
            self._room.contain(give_back, None, f"the meter {name} begins without memory")
        self._memories = Memories(self._guard, list(clients.values()), origins)
        if self._state_file:
            self._memories.keep_in(self._state_file)
        self._sink_memory = SinkMemory(settings.environment, os.environ, [each.sink for each in self.sinks])
        self._room.contain(partial(self._sink_memory.recall, clients), None, "sinks begin without memory")

    def stop(self) -> None:
        """Ask for the ordered stop."""
        self._stop.set()

    def read_now(self) -> None:
        """Ask every meter for a reading now, as a sink can for one of them."""
        self._requests.read_all()

    async def run(self, *, once: bool = False) -> int:
        """Run until stopped, or take one reading of every meter; the exit code of the process."""
        if once:
            self._stay_available()
        with taking_turns(), sharing_lines():
            return await self._run(once=once)

    async def _run(self, *, once: bool) -> int:
        async with asyncio.TaskGroup() as group:
            sinks = [start_task(group, sink.sink.name, self._run_sink(sink)) for sink in self.sinks]
            router = group.create_task(
                route(self._central, self._queues, self._guard.check, self._unjudged, self._receipts),
                name="router",
            )
            work = self._leasing.work if self._leasing else {}
            leases = [start_task(group, name, self._keep_going(name, each)) for name, each in work.items()]
            clients = [
                start_task(group, meter.meter, runner.run_once() if once else runner.run())
                for meter in self.meters
                for runner in (self._leasing.runner(meter) if self._leasing else meter,)
            ]
            background = self._start_background(group)
            await self._until_done(clients, sinks)
            self._notifier.stopping()
            for task in background:
                task.cancel()
            patience = ONCE_PATIENCE_SECONDS if once and not self._stop.is_set() else 0.0
            last_resort = asyncio.get_running_loop().call_later(LAST_RESORT_SECONDS + patience, leave)
            await cancel(clients, CLIENT_STOP_SECONDS)
            await cancel(leases, LEASES_STOP_SECONDS)
            await self._central.put(None)
            await router
            if self._state_file:
                save = partial(self._state_file.save, self._memories)
                self._room.contain(save, None, "what the meters told is forgotten")
            self._room.contain(self._sink_memory.save, None, "what the sinks knew is forgotten")
            await self._finish_sinks(sinks, patience)
        last_resort.cancel()
        failed = [task for task in clients if not task.cancelled() and task.result() is False]
        return EXIT_UNAVAILABLE if once and (self._tell_undelivered() or failed) else EXIT_OK

    def _start_background(self, group: asyncio.TaskGroup) -> list[asyncio.Task[object]]:
        queues, rejected = self._queues.values(), self._guard.rejected
        work: dict[str, Callable[[], Awaitable[object]]] = {
            "hourly report": lambda: report_hourly(self.meters, queues, rejected, self.sinks),
            "stalls": watch_stalls,
            "answers on health": self._answer_health,
            "memory of the sinks": self._sink_memory.keep,
            "service manager": lambda: report_to_manager(self._notifier, self._pulses, self._status_changed),
        }
        if self._state_file:
            work["state file"] = partial(self._state_file.keep, self._memories)
        return [start_task(group, name, self._keep_going(name, each)) for name, each in work.items()]

    async def _keep_going(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """What goes on beside the meters must not end them either."""
        while (error := await outcome(work, name)) is not None:
            self._room.note(error, f"the {name} begins anew")
            await asyncio.sleep(BACKGROUND_PAUSE)

    async def _publish(self, message: Message) -> None:
        if message["type"] == "status":
            self._status_changed.set()
        await self._central.put(message)

    def _pulses(self) -> list[Pulse]:
        return [meter.pulse() for meter in self.meters]

    def _stay_available(self) -> None:
        """Values of a run from cron are not taken back at its end."""
        for supervisor in self.sinks:
            supervisor.sink.stay_available()

    def _unjudged(self, message: Message, error: BaseException) -> list[Message]:
        """The guard failed on a message: its meter's status says so. A status still passes."""
        name = message["meter"]
        told: list[Message] = [each.unjudged(name, error) for each in self.meters if each.knows(name)]
        return [message] if message["type"] == "status" else told

    async def _run_sink(self, supervisor: SinkSupervisor) -> None:
        await supervisor.run()
        self._queues[supervisor.sink.name].close()

    async def _until_done(
        self, clients: list[asyncio.Task[object]], sinks: list[asyncio.Task[object]]
    ) -> None:
        """Wait for a stop, the end of all clients (recordings end), or of all sinks (closed pipes)."""
        stop = asyncio.create_task(self._stop.wait(), name="stop")
        waiting = [
            stop,
            asyncio.ensure_future(asyncio.wait(clients)),
            asyncio.ensure_future(asyncio.wait(sinks)),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    def _tell_undelivered(self) -> bool:
        """Name the sinks whose readings did not arrive, for there is no next reading to make up for it."""
        undelivered = [each.sink.name for each in self.sinks if not each.sink.delivered]
        for name in undelivered:
            _log.error("sink %s: what was read did not arrive", name)
        return bool(undelivered)

    async def _finish_sinks(self, sinks: list[asyncio.Task[object]], patience: float) -> None:
        """Let the sinks deliver what they hold; cancel those that do not manage in time, or on a signal."""
        if patience:
            stop = asyncio.ensure_future(self._stop.wait())
            delivered = asyncio.ensure_future(asyncio.wait(sinks))
            await asyncio.wait([stop, delivered], timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            delivered.cancel()
        await asyncio.wait(sinks, timeout=SINK_STOP_SECONDS)
        await cancel([task for task in sinks if not task.done()], 0.3)
        for queue in self._queues.values():
            queue.report_remaining_drops()
            if len(queue):
                _log.warning("sink %s: %d messages could not be delivered", queue.sink, len(queue))


def run_service(settings: ServiceSettings, *, once: bool = False) -> int:
    """Run an environment until SIGTERM, SIGINT or SIGHUP; returns the exit code.

    The first signal begins the ordered stop, a second SIGTERM or SIGINT ends the process at once. Raises
    AlreadyRunError when another process runs the environment.
    """
    with held(settings.environment, os.environ):
        return asyncio.run(_run(settings, once=once))


async def _run(settings: ServiceSettings, *, once: bool) -> int:
    service = Service(settings)
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    answer_signals(service.stop, service.read_now)
    _log.info(
        "environment %s: %s -> %s",
        settings.environment,
        ", ".join(settings.meters),
        ", ".join(settings.sinks),
    )
    return await service.run(once=once)


def _share_history(sinks: Sequence[Sink]) -> None:
    """Tell the sinks that show a history where the environment keeps one."""
    places = [place for sink in sinks if (place := sink.history) is not None]
    for sink in sinks:
        for place in places[:1]:
            sink.share_history(place)


def _policy(meter: MeterSettings) -> MeterPolicy:
    """How the guard judges one meter by its settings; what its line lets through it asks the client."""
    driver = meter_driver(meter.client)
    return MeterPolicy(
        settings=meter.guard,
        checksummed=driver.checksummed,
        counter_digits=driver.counter_digits,
        simulated=driver.simulated,
        origin=origin_of(meter.client, meter.driver.reads_from),
    )


def _line_of(clients: Mapping[str, Client], meter: str) -> bool | None:
    """Whether this meter's line tells damaged bytes from good ones, where that can change: for the guard."""
    return clients[meter].checksummed if meter in clients else None
