"""Which IEC 62056-21 meter answers: model, number, units and decimals, found out once per connection."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from smart_meter_reader.codecs.iec62056_21 import landis_gyr
from smart_meter_reader.codecs.iec62056_21.capture import Readout, scaling_of_answer
from smart_meter_reader.codecs.iec62056_21.frame import Identification
from smart_meter_reader.codecs.iec62056_21.message import manufacturer_name
from smart_meter_reader.codecs.iec62056_21.multical import SINGLE_LINE, ShortAnswer
from smart_meter_reader.codecs.iec62056_21.scaling import Scaling, scaling_of_readout
from smart_meter_reader.codecs.iec62056_21.serials import serial_number
from smart_meter_reader.exceptions import (
    LostError,
    MeterSilentError,
    ProtocolError,
    TransportError,
)
from smart_meter_reader.messages import Info
from smart_meter_reader.meters.base import InfoText, tell_texts
from smart_meter_reader.meters.iec62056_21.line import MeterLine
from smart_meter_reader.meters.iec62056_21.reading import Confirmed, confirmed_answer, confirmed_readout
from smart_meter_reader.meters.iec62056_21.settings import MOMENTARY, READOUT, Iec62056_21Settings

_log = logging.getLogger(__name__)

_MISSES = 2  # times that /#! may stay unanswered, until the connection is made anew

READOUT_QUANTITIES = frozenset({"heat_energy", "volume", "operating_hours", "serial_number"})
"""What the readout of a MULTICAL holds."""


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """How a model is read: the name it is told by, and what is asked for at each reading."""

    name: str
    requests: tuple[str, ...]
    # Whether it answers #2 with its program number, which tells units and decimals.
    has_program: Literal["yes", "perhaps", "no"] = "no"


MODELS: Mapping[str, ModelPlan] = {
    "multical_66c": ModelPlan("MULTICAL 66-CDE", ("#1",), has_program="yes"),
    "multical_iii": ModelPlan("MULTICAL III", ("#1",), has_program="perhaps"),
    # Its program number is of another table, so units and decimals come from the readout.
    "multical_401": ModelPlan("MULTICAL 401", ("readout", "#1")),
    "382": ModelPlan("382", ("readout",)),
    "uh50": ModelPlan("UH50", (MOMENTARY,)),
    "t550": ModelPlan("T550", (MOMENTARY,)),
    "2wr5": ModelPlan("2WR5", (MOMENTARY,)),
    "generic": ModelPlan("", ("readout",)),
}


def model_of(identification: Identification | None) -> str:
    """The model that an identification tells (5511-634 §4: MC; 5512-091 §12: MCC; 382: its type number)."""
    if identification is None:
        return "generic"
    ident = identification.ident.upper()
    if identification.manufacturer.upper() == landis_gyr.MANUFACTURER:
        return next((model for model in ("2wr5", "t550") if model.upper() in ident), "uh50")
    if identification.manufacturer.upper() != "KAM":
        return "generic"
    if ident == "MCC":
        return "multical_401"
    if ident == "MC":
        return "multical_66c"
    return "382" if "382" in ident else "generic"


@dataclass(slots=True)
class KnownMeter:
    """What one connection has found out about its meter."""

    model: str
    scaling: Scaling
    manufacturer: str = ""
    ident: str = ""
    number: str = ""
    readout: Confirmed | None = None  # taken while finding out, and still to be published
    momentary_misses: int = 0  # how often /#! brought nothing, in succession
    tells_program: bool = True  # False where #2 stays unanswered, and nothing of it was needed
    unanswered: Counter[str] = field(default_factory=Counter)  # readings in a row without it, by request

    @property
    def plan(self) -> ModelPlan:
        return MODELS[self.model]

    def learn(self, answer: Readout | ShortAnswer) -> None:
        """Take number, units and decimals from an answer; what was known before stays."""
        if isinstance(answer, ShortAnswer):
            self.number = self.number or answer.fields.get("customer_no", "").lstrip("0")
            self.scaling = self.scaling.completed_by(scaling_of_answer(answer))
            return
        if answer.identification is not None:
            self.manufacturer = answer.identification.manufacturer.upper()
            self.ident = answer.identification.ident
        self.number = serial_number(answer.sets, answer.announced) or self.number
        self.scaling = self.scaling.completed_by(scaling_of_readout(answer.sets))

    def introduced(self, info: Info) -> Info:
        """An info with what the meter says of itself."""
        manufacturer = self.manufacturer or ("" if self.model == "generic" else "KAM")
        told: dict[InfoText, str] = {
            "manufacturer": manufacturer_name(manufacturer) if manufacturer else "",
            "model": self.plan.name or self.ident,
            "serial_number": self.number,
        }
        tell_texts(info, told)
        return info


async def find_out(
    line: MeterLine, settings: Iec62056_21Settings, *, tells_program: bool = True
) -> KnownMeter:
    """Ask who the meter is, and what its numbers mean. Raises TransportError and ProtocolError.

    Units and decimals come from the settings first (somebody looked at the display), then from the readout,
    which writes them out, then from the program number. ``tells_program``: False of a meter that did without
    one before, for which nobody waits again.
    """
    if settings.model == "auto":
        known = await _sign_on(line, settings)
    else:
        known = KnownMeter(settings.model, settings.scaling)
    known.tells_program = tells_program
    if known.plan.has_program != "no" and tells_program:
        await _ask_program(line, known, settings)
    if _needs_readout(known, settings):
        await _take_readout(line, known, settings)
    return known


async def _ask_program(line: MeterLine, known: KnownMeter, settings: Iec62056_21Settings) -> None:
    try:
        known.learn((await confirmed_answer(line, "#2")).answer)
    except (TransportError, ProtocolError) as error:
        needed = known.scaling.unknown() or settings.serial_number is not None
        if isinstance(error, LostError):
            raise
        if known.plan.has_program == "yes" and needed:
            raise await _without_program(line, error) from None
        known.tells_program = not isinstance(error, MeterSilentError)
        _log.info("%s: no program number to learn units from (%s)", line.port, error)


async def _without_program(
    line: MeterLine, error: TransportError | ProtocolError
) -> TransportError | ProtocolError:
    """What to tell of a meter without a program number: one that answers #1 is awake and well seen."""
    if not isinstance(error, MeterSilentError):
        return error
    try:
        await line.ask_short("#1")
    except (TransportError, ProtocolError):
        return error
    try:
        await line.ask_short("#2")
    except (TransportError, ProtocolError):
        pass
    else:
        return error  # the silence was of the line, and is over
    return MeterSilentError(
        "no_answer",
        f"{line.port}: the meter answers #1, but not #2, which tells its number and what its digits mean: "
        "compare with its display, set energy_unit and the decimals of energy, volume, flow and power, and "
        "leave serial_number out",
    )


async def _sign_on(line: MeterLine, settings: Iec62056_21Settings) -> KnownMeter:
    try:
        readout = await confirmed_readout(line, line.read_out)
    except MeterSilentError:
        # A head that cannot be heard at 300 Bd, or a meter that answers short requests only, perhaps not all.
        await line.ask_short("#1")
        return KnownMeter("multical_66c", settings.scaling)
    assert isinstance(readout.answer, Readout)
    known = KnownMeter(model_of(readout.answer.identification), settings.scaling)
    known.learn(readout.answer)
    known.readout = readout
    return known


def _needs_readout(known: KnownMeter, settings: Iec62056_21Settings) -> bool:
    requests = requests_for(known, settings)
    if MOMENTARY in requests:
        return True
    if known.readout is not None:
        return False
    lacks_scale = known.scaling.energy is None or known.scaling.volume is None
    return READOUT in requests or (lacks_scale and any(request != READOUT for request in requests))


async def _take_readout(line: MeterLine, known: KnownMeter, settings: Iec62056_21Settings) -> None:
    """Take the readout; a MULTICAL that has none, and is not read by it, is read without."""
    if MOMENTARY in requests_for(known, settings):
        known.readout = await momentary_readout(line, known)
        known.learn(known.readout.answer)
        return
    try:
        known.readout = await confirmed_readout(line, line.read_out)
    except (TransportError, ProtocolError) as error:
        if READOUT in requests_for(known, settings) or isinstance(error, LostError):
            raise
        _log.info("%s: no readout to learn units from (%s)", line.port, error)
    else:
        known.learn(known.readout.answer)


async def momentary_readout(line: MeterLine, known: KnownMeter) -> Confirmed:
    """The readout with power, flow and temperatures; the plain one of a meter that does not know ``/#!``."""
    if known.momentary_misses < _MISSES:
        try:
            confirmed = await confirmed_readout(line, lambda: line.read_out(momentary=True))
        except LostError:
            raise
        except (TransportError, ProtocolError) as error:
            known.momentary_misses += 1
            _log.info("%s: no momentary values (%s)", line.port, error)
        else:
            known.momentary_misses = 0
            return confirmed
    return known.readout or await confirmed_readout(line, line.read_out)


def requests_for(known: KnownMeter, settings: Iec62056_21Settings) -> tuple[str, ...]:
    """What is asked for at each reading: no request for quantities that nobody wants."""
    if settings.requests:
        return settings.requests
    wanted = frozenset(settings.registers)
    if wanted and READOUT in known.plan.requests and wanted <= READOUT_QUANTITIES:
        return (READOUT,)
    return known.plan.requests


def unscaled(known: KnownMeter, settings: Iec62056_21Settings) -> list[str]:
    """What short answers are wanted for and nothing tells the scale of: "energy", "volume" and so on."""
    measures = {
        field.measure.value
        for request in requests_for(known, settings)
        for field in SINGLE_LINE.get(request, ())
        if field.quantity and (not settings.registers or field.quantity in settings.registers)
    }
    return [name for name in known.scaling.unknown() if name in measures]
