"""What to attach to a bug report: one text with versions, settings, line health, captures, all redacted."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from smart_meter_reader import __version__, json_text
from smart_meter_reader.cli.diagnose.recording_redaction import redact
from smart_meter_reader.cli.diagnose.settings_redaction import redact_places, redact_problem, redact_settings
from smart_meter_reader.cli.record.comments import comment_for
from smart_meter_reader.cli.record.recorder import Recorded
from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.messages import Message
from smart_meter_reader.pipeline.kept_faults import FaultFile, KeptFault
from smart_meter_reader.recordings.pseudonyms import HIDDEN, Pseudonyms, scrub
from smart_meter_reader.recordings.text import FROM_METER, Burst, Recording, format_recording
from smart_meter_reader.rooms import fault_of
from smart_meter_reader.settings.keys import setting_values
from smart_meter_reader.settings.loading import LoadedSettings, MeterSettings, ServiceSettings
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.settings.text import settings_text

_PACKAGE = "smart-meter-reader"
_PACKAGES = (
    "click",
    "cryptography",
    "dsmr-parser",
    "dynaconf",
    "Homie4",
    "paho-mqtt",
    "pyserial",
    "pyserial-asyncio",
)
# A meter's model can be its header without the first letters, and so a number without its first digits.
_LONG_NUMBER = re.compile("[0-9]{5,}")
_RESULT_OF_READING = ("valid_readings", "last_valid")


@dataclass(frozen=True, slots=True)
class RecordedMeter:
    """One meter and what was recorded of it; ``session`` is None for a client that has no line."""

    meter: str
    client: str
    settings: Any
    session: Recorded | None
    health: Mapping[str, Any]


class Report:
    """Collects the sections; everything that is told goes through the same pseudonyms."""

    def __init__(self) -> None:
        self._names = Pseudonyms()
        self._secrets: list[str] = []
        self._sections: list[str] = []
        self._recordings: list[str] = []
        self._called: Mapping[str, str] = {}

    def add_names(self, called: Mapping[str, str]) -> None:
        """What people say that meters are called, whose type codes nobody knows yet."""
        self._called = called

    def add_versions(self) -> None:
        """Versions of the program, of Python, of the packages, and the system."""
        self._add("versions", _versions())

    def add_settings(self, loaded: LoadedSettings) -> None:
        """The effective settings without secrets, and the warnings about them."""
        settings = loaded.settings
        drivers = [meter.driver for meter in settings.meters.values()]
        drivers += [sink.driver for sink in settings.sinks.values()]
        drivers += [settings.leases] if settings.leases else []
        for driver in drivers:
            self._secrets += secrets_of(driver)
        text = settings_text(replace(loaded, settings=self._redacted(settings)))
        self._add("settings", [text.rstrip(), *(f"warning: {warning}" for warning in loaded.warnings)])

    def add_problems(self, problems: Iterable[str]) -> None:
        """What is wrong with the settings, where they cannot be loaded."""
        self._add("settings cannot be used", map(redact_problem, problems))

    def add_capture(self, capture: RecordedMeter) -> None:
        """The line health of a meter and one reading of it, redacted."""
        if capture.session is None:
            self._add(f"meter {capture.meter}", [f"{capture.client}: nothing to capture"])
            return
        recording = capture.session.recording
        redacted = redact(recording, self._names, secrets=self._secrets, settings=capture.settings)
        types = type_codes(capture.session.messages, self._called)
        lines = [*_health(capture, recording), *types, *redacted.notes]
        self._add(f"meter {capture.meter}", lines)
        text = format_recording(redacted.recording, comment_for(capture.client))
        self._recordings.append(f"== recording of {capture.meter} ==\n\n{text}")

    def add_faults(self, file: FaultFile, settings: ServiceSettings) -> None:
        """What the service kept of its own faults in ``file``, redacted; nothing when there is none."""
        try:
            faults = file.load()
        except OSError as error:
            self._add("internal errors", [f"{file.path.name} cannot be read: {error.strerror}"])
            return
        for fault in faults:
            self._add_fault(fault, settings)

    def _add_fault(self, fault: KeptFault, settings: ServiceSettings) -> None:
        meter = settings.meters.get(fault.meter)
        lines = [f"{fault.time}: {fault.kind} in {fault.place}", *fault.trace]
        if meter is None:
            lines.append("the settings have no such meter any more: what it had sent is left out")
        elif fault.received:
            lines += self._add_received(fault, meter)
        self._add(f"internal error of {fault.meter}", lines)

    def _add_received(self, fault: KeptFault, meter: MeterSettings) -> Iterable[str]:
        """The last bytes before a fault as a recording, where they can be redacted; sentences on them."""
        recording = Recording(events=(Burst(0, FROM_METER, fault.received),), client=meter.client)
        try:
            redacted = redact(recording, self._names, secrets=self._secrets, settings=meter.driver)
        except Exception as error:  # noqa: BLE001 - what broke a decoder may break the redaction too
            return [f"what it had sent cannot be redacted ({fault_of(error)}): it is left out"]
        text = format_recording(redacted.recording, comment_for(meter.client))
        self._recordings.append(f"== received from {fault.meter} before {fault.kind} ==\n\n{text}")
        return [f"{len(fault.received)} bytes had come before it", *redacted.notes]

    def add_section(self, title: str, lines: Iterable[str]) -> None:
        """Lines that name nobody; what a capture shows to be a serial number is taken out of them too."""
        self._add(title, lines)

    def add_interruption(self, meter: str) -> None:
        """Where somebody did not want to wait any longer."""
        self._add("interrupted", [f"by the user, at meter {meter}; those after it were not read"])

    def text(self) -> str:
        """The whole report. Only now: a number that one capture told is taken out of all sections."""
        heading = [
            "For a bug report on smart-meter-reader. Keys, passwords, serial and customer numbers have been",
            "taken out; look through it all the same before you give it away. The recordings at the end",
            "replay: `smart-meter-reader read replay:FILE` takes the first one.",
            "",
        ]
        originals = [*self._names.originals, *self._secrets]
        told = scrub("\n".join([*heading, *self._sections]), originals)
        return redact_places(told) + "\n".join(self._recordings)

    def _add(self, title: str, lines: Iterable[str]) -> None:
        self._sections.append("\n".join([f"== {title} ==", "", *lines, ""]))

    def _redacted(self, settings: ServiceSettings) -> ServiceSettings:
        names = self._names
        return replace(
            settings,
            meters={
                name: replace(meter, driver=redact_settings(meter.driver, names))
                for name, meter in settings.meters.items()
            },
            sinks={
                name: replace(sink, driver=redact_settings(sink.driver, names))
                for name, sink in settings.sinks.items()
            },
            leases=settings.leases and redact_settings(settings.leases, names),
        )


def secrets_of(settings: Any) -> Iterator[str]:
    """Every secret in a settings dataclass, also in the tables below it."""
    for value in setting_values(settings).values():
        if isinstance(value, Secret):
            if value.reveal():
                yield value.reveal()
        elif isinstance(value, Mapping):
            for inner in value.values():
                yield from secrets_of(inner) if is_dataclass(inner) else ()
        elif is_dataclass(value):
            yield from secrets_of(value)


def _versions() -> Iterator[str]:
    yield f"{_PACKAGE} {__version__}"
    yield f"Python {platform.python_version()} ({platform.python_implementation()}), {sys.platform}"
    yield f"{_system()}, {platform.machine()}, kernel {platform.release()}"
    for package in _PACKAGES:
        try:
            yield f"{package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            yield f"{package} is not installed"
    yield f"written {datetime.now(UTC).isoformat(timespec='seconds')}"


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()  # a system without /etc/os-release


def _health(capture: RecordedMeter, recording: Recording) -> Iterator[str]:
    session = capture.session
    assert session is not None
    readings = session.readings(capture.meter)
    yield f"client {capture.client}, {readings} reading{'s' * (readings != 1)}"
    if session.error is not None:
        yield _failure(session.error)
    elif not readings:
        yield session.why_no_reading()
    for direction, words in ((">", "to the meter"), ("<", "from it")):
        sizes = [len(burst.payload) for burst in recording.bursts if burst.direction == direction]
        yield f"{sum(sizes)} bytes {words} in {len(sizes)} bursts"
    for key, value in capture.health.items():
        if key not in _RESULT_OF_READING:
            yield f"{key}: {value}"
    for message in session.messages:
        if message["type"] == "status":
            yield f"status {message['state']}: {message['reason']}: {message['detail']}"
        elif message["type"] == "reading":
            yield f"read from {message['meter']}: {', '.join(message['measurements'])}"
        elif message["type"] == "info":
            told = {
                key: _LONG_NUMBER.sub(HIDDEN, message[key])
                for key in ("manufacturer", "model", "firmware", "dialect", "p1_version")
                if key in message
            }
            yield f"meter {message['meter']}: {json_text.dumps(told)}"


def type_codes(messages: Iterable[Message], called: Mapping[str, str]) -> Iterator[str]:
    """A line for each meter that tells its type by a code; nothing in it is about this one device."""
    told: set[str] = set()
    for message in messages:
        if message["type"] != "info" or "type_code" not in message or message["meter"] in told:
            continue
        told.add(message["meter"])
        code, by_itself = message["type_code"], message.get("model", "")
        known = by_itself if by_itself != f"meter type {code}" else ""
        name = called.get(message["meter"]) or known
        unnamed = f"what is it called? diagnose --model {message['meter']}='...'"
        revision = f", revision {message['firmware']}" if "firmware" in message else ""
        yield f"type code {code}{revision}: {_LONG_NUMBER.sub(HIDDEN, name) or unnamed}"


def _failure(error: ExplainedError) -> str:
    return f"failed: {error.reason}: {error.detail}"
