"""The composition root: settings -> running tasks; start order, signals, ordered stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.drivers import load
from smart_meter_reader.guard.guard import Guard, MeterPolicy
from smart_meter_reader.guard.state import StateFile, state_path
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.meters.turns import taking_turns
from smart_meter_reader.mqtt.outages import Outages
from smart_meter_reader.network.stalls import watch_stalls
from smart_meter_reader.pipeline.health_report import report_hourly
from smart_meter_reader.pipeline.kept_faults import FaultFile, fault_path
from smart_meter_reader.pipeline.memories import Memories, recall
from smart_meter_reader.pipeline.router import SinkQueue, route
from smart_meter_reader.pipeline.supervisor import MeterSupervisor, SinkSupervisor
from smart_meter_reader.rooms import Room, outcome
from smart_meter_reader.service.notify import Notifier, Pulse, report
from smart_meter_reader.settings.loading import MeterSettings, ServiceSettings
from smart_meter_reader.sinks.registry import sink_driver

_log = logging.getLogger(__name__)

# The whole stop takes 5 s at most; the sinks get what is left when the clients have closed their ports.
CLIENT_STOP_SECONDS = 1.5
SINK_STOP_SECONDS = 2.5
# What has not stopped by then never will; the process ends all the same.
LAST_RESORT_SECONDS = 4.7
# A run that takes one reading waits so much longer for its sinks, which may just have begun to connect.
ONCE_PATIENCE_SECONDS = 10.0
# After a fault in what goes on beside the meters.
BACKGROUND_PAUSE = 60.0
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
        self._queues = {name: SinkQueue(name, settings.queue_size) for name in settings.sinks}
        self.sinks = [
            SinkSupervisor(load(sink_driver(sink.sink).sink)(name, sink.driver), self._queues[name])
            for name, sink in settings.sinks.items()
        ]
        outages = Outages()
        for each in self.sinks:
            each.sink.share_outages(outages)
        path = fault_path(settings.environment, os.environ)
        keep = FaultFile(path).add_aside if path else None
        self.meters = [
            MeterSupervisor(load(meter_driver(meter.client).client)(name, meter.driver), self._publish, keep)
            for name, meter in settings.meters.items()
        ]
        self._state_file = _state_file(settings.environment)
        memory = self._state_file.load() if self._state_file else {}
        clients = {meter.meter: meter.client for meter in self.meters}
        policies = {name: _policy(meter) for name, meter in settings.meters.items()}
        self._guard = Guard(policies, memory, self._reread, partial(_line_of, clients))
        origins = {name: policy.origin for name, policy in policies.items()}
        for name, client in clients.items():
            give_back = partial(recall, client, origins[name], memory)
            self._room.contain(give_back, None, f"the meter {name} begins without memory")
        self._memories = Memories(self._guard, list(clients.values()), origins)

    def stop(self) -> None:
        """Ask for the ordered stop."""
        self._stop.set()

    def read_now(self) -> None:
        """Ask every polled meter for a reading at once."""
        for meter in self.meters:
            meter.read_now()

    async def run(self, *, once: bool = False) -> int:
        """Run until stopped, or take one reading of every meter; the exit code of the process."""
        if once:
            self._stay_available()
        with taking_turns():
            return await self._run(once=once)

    async def _run(self, *, once: bool) -> int:
        async with asyncio.TaskGroup() as group:
            sinks = [_start(group, sink.sink.name, self._run_sink(sink)) for sink in self.sinks]
            router = group.create_task(
                route(self._central, self._queues, self._guard.check, self._unjudged), name="router"
            )
            clients = [
                _start(group, meter.meter, meter.run_once() if once else meter.run()) for meter in self.meters
            ]
            background = self._start_background(group)
            await self._until_done(clients, sinks)
            self._notifier.stopping()
            for task in background:
                task.cancel()
            patience = ONCE_PATIENCE_SECONDS if once and not self._stop.is_set() else 0.0
            last_resort = asyncio.get_running_loop().call_later(LAST_RESORT_SECONDS + patience, _leave)
            await _cancel(clients, CLIENT_STOP_SECONDS)
            await self._central.put(None)
            await router
            if self._state_file:
                save = partial(self._state_file.save, self._memories)
                self._room.contain(save, None, "what the meters told is forgotten")
            await self._finish_sinks(sinks, patience)
        last_resort.cancel()
        failed = [task for task in clients if not task.cancelled() and task.result() is False]
        return EXIT_UNAVAILABLE if once and (self._tell_undelivered() or failed) else EXIT_OK

    def _start_background(self, group: asyncio.TaskGroup) -> list[asyncio.Task[object]]:
        queues, rejected = self._queues.values(), self._guard.rejected
        work: dict[str, Callable[[], Awaitable[object]]] = {
            "hourly report": lambda: report_hourly(self.meters, queues, rejected, self.sinks),
            "stalls": watch_stalls,
            "service manager": lambda: report(self._notifier, self._pulses, self._status_changed),
        }
        if self._state_file:
            work["state file"] = partial(self._state_file.keep, self._memories)
        return [_start(group, name, self._keep_going(name, each)) for name, each in work.items()]

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

    def _reread(self, name: str) -> None:
        for meter in self.meters:
            if meter.meter == name:
                meter.read_now()

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
        await _cancel([task for task in sinks if not task.done()], 0.3)
        for queue in self._queues.values():
            queue.report_remaining_drops()
            if len(queue):
                _log.warning("sink %s: %d messages could not be delivered", queue.sink, len(queue))


def run_service(settings: ServiceSettings, *, once: bool = False) -> int:
    """Run an environment until SIGTERM, SIGINT or SIGHUP; returns the exit code.

    The first signal begins the ordered stop, a second SIGTERM or SIGINT ends the process at once.
    """
    return asyncio.run(_run(settings, once=once))


async def _run(settings: ServiceSettings, *, once: bool) -> int:
    service = Service(settings)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(partial(_on_loop_error, Room("a callback")))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, number, service.stop, [])
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        # A terminal that is closed may send it twice.
        loop.add_signal_handler(signal.SIGHUP, service.stop)
    loop.add_signal_handler(signal.SIGUSR1, service.read_now)
    _log.info(
        "environment %s: %s -> %s",
        settings.environment,
        ", ".join(settings.meters),
        ", ".join(settings.sinks),
    )
    return await service.run(once=once)


def _on_loop_error(room: Room, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a callback raises has no task to go to; asyncio would log it with all that it holds."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        room.note(error, "the service goes on")
    else:
        _log.error("asyncio: %s", context.get("message"))


def _on_signal(number: signal.Signals, stop: Callable[[], None], seen: list[int]) -> None:
    if seen:
        # No clean-up: whoever asks twice wants the process gone, whatever hangs.
        os._exit(128 + number)
    seen.append(number)
    _log.info("%s: stopping; once more ends at once", number.name)
    stop()


def _start(
    group: asyncio.TaskGroup, name: str, work: Coroutine[object, object, object]
) -> asyncio.Task[object]:
    return group.create_task(work, name=name)


async def _cancel(tasks: list[asyncio.Task[object]], seconds: float) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        _, hanging = await asyncio.wait(tasks, timeout=seconds)
        for task in hanging:
            _log.warning("%s takes long to stop", task.get_name())


def _leave() -> None:
    _log.error("something does not stop; leaving it behind")
    logging.shutdown()
    os._exit(EXIT_OK)


def _state_file(environment: str) -> StateFile | None:
    path = state_path(environment, os.environ)
    return StateFile(path) if path else None


def _policy(meter: MeterSettings) -> MeterPolicy:
    """How the guard judges one meter by its settings; what its line lets through it asks the client."""
    driver = meter_driver(meter.client)
    return MeterPolicy(
        settings=meter.guard,
        checksummed=driver.checksummed,
        counter_digits=driver.counter_digits,
        simulated=driver.simulated,
        origin=f"{meter.client} {meter.driver.reads_from}",
    )


def _line_of(clients: Mapping[str, Client], meter: str) -> bool | None:
    """Whether this meter's line tells damaged bytes from good ones, where that can change: for the guard."""
    return clients[meter].checksummed if meter in clients else None
