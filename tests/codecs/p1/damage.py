"""What a flipped bit in every telegram does to meters without checksum; `python -m tests.codecs.p1.damage`.

Real telegrams of meters that send none, with energies that rise by the power beside them and a power that a
household has. Each is damaged in one bit, goes through reader and agreement as in the client, and what is
confirmed is compared with what the meter had sent: this number in this telegram, or, for the middle one of
three, in the one before or behind.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from smart_meter_reader.codecs.p1.agreement import Agreement
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.quantities.measurement import Measurement
from tests.codecs.p1.vectors import BY_ID, wire

# DSMR 2.2, 3 and their kin, with gas and without; the ACE4000, which calls itself XMX; Q3D; Aidon's example.
_INTERVALS: Mapping[str, float] = {
    "nb-nocrc14": 10.0,
    "nb-nocrc16": 10.0,
    "gejanssen-nocrc1": 10.0,
    "nl-dsmr30-spec": 10.0,
    "nl-dsmr22-lg-e350": 10.0,
    "nb-nocrc15": 10.0,
    "de-easymeter-q3d-b1024": 1.0,
    "se-aidon-2": 10.0,
}
# Of some the licence allows no copy here: they are read where they are.
METERS = {vector: interval for vector, interval in _INTERVALS.items() if vector in BY_ID}
_NUMBER = re.compile(rb"(:(?:[1-4]\.8\.[0-4]|[1-9][0-9]?\.7\.0)(?:\*255)?)\(([0-9]+)\.([0-9]+)\*(\w+)\)")
Shown = tuple[str, str]


@dataclass
class Outcome:
    """What became of so many telegrams.

    ``between`` are numbers between two true ones, ``near`` those that a meter could as well have shown then:
    within a quarter of a true one, a total within what 100 kW bring. No reader can tell either. ``wrong``
    names the rest: two telegrams in a row that were damaged alike.
    """

    sent: int = 0
    published: int = 0
    values: int = 0
    wrong_units: int = 0
    between: int = 0
    near: int = 0
    wrong: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"{self.sent} telegrams, {self.published} published with {self.values} values: "
            f"{self.wrong_units} wrong units, {self.wrong.total()} wrong numbers {dict(self.wrong)}, "
            f"{self.between} between two true ones, {self.near} near one"
        )


def household(vector: str, interval: float, count: int, random: Random) -> Iterator[bytes]:
    """``count`` telegrams of a meter, ``interval`` seconds apart."""
    template = wire(vector)
    watts = 400.0
    energies: dict[bytes, Decimal] = {}
    for _ in range(count):
        watts = _next_load(watts, random)

        def advance(match: re.Match[bytes], watts: float = watts) -> bytes:
            code, before, after, unit = match.groups()
            number = Decimal((before + b"." + after).decode())
            scale = 1 if unit[:1] in b"WVA" and unit != b"VAr" else 1000
            if b".8." in code:
                number = energies.get(code, number)
                if code.startswith((b":1.8.1", b":1.8.0", b":4.8")):
                    number += Decimal(watts * interval / 3600 / scale)
                energies[code] = number
            elif unit == b"V":
                number = Decimal(225 + random.random() * 10)
            elif number:
                number = Decimal(watts / scale if unit != b"A" else watts / 230)
            digits = int(number.scaleb(len(after)))
            text = b"%0*d" % (len(before) + len(after), digits)
            return code + b"(" + text[: len(before)] + b"." + text[len(before) :] + b"*" + unit + b")"

        yield _NUMBER.sub(advance, template)


def _next_load(watts: float, random: Random) -> float:
    """A load that wavers, and now and then is another one altogether: somebody boils water."""
    if random.random() < 0.05:
        return random.choice((90.0, 400.0, 2300.0, 3600.0, 7400.0))
    return max(20.0, watts * random.uniform(0.97, 1.03))


def damaged(telegram: bytes, random: Random) -> bytes:
    """The telegram with one bit turned over, but not in what fills the line behind it."""
    end = telegram.index(b"\n!") + 4
    position = random.randrange(8 * end)
    spoilt = bytearray(telegram)
    spoilt[position // 8] ^= 1 << position % 8
    return bytes(spoilt)


def run(vector: str, count: int, *, seed: int = 0, one_in: int = 1) -> Outcome:
    """Damage one in so many of ``count`` telegrams of a meter, and judge what is published of them."""
    random = Random(f"{vector} {seed}")
    interval = METERS[vector]
    sent = list(household(vector, interval, count, random))
    honest = P1Reader()
    truth = [_true(honest, telegram) for telegram in sent]
    outcome = Outcome(sent=count)
    reader, agreement = P1Reader(), Agreement()
    whole: list[int] = []  # the telegrams that looked well
    for index, telegram in enumerate(sent):
        reader.receive_data(damaged(telegram, random) if index % one_in == 0 else telegram)
        for received in _received(reader):
            judged = agreement.take(received, index * interval)
            whole.append(index)
            if judged.confirmed is not None:
                confirmed = round(judged.received_at / interval)
                first = whole[max(0, whole.index(confirmed) - 3)]
                elapsed = (index + 1 - first) * interval
                _judge(judged.confirmed, truth[first : index + 1], elapsed, outcome)
                del whole[:-8]
    return outcome


def _true(reader: P1Reader, telegram: bytes) -> Telegram:
    """What a reader makes of it that never meets a damaged one."""
    reader.receive_data(telegram)
    found = reader.next_telegram()
    assert found is not None
    return found


def _received(reader: P1Reader) -> Iterator[Telegram]:
    while True:
        try:
            telegram = reader.next_telegram()
        except FrameError:
            continue
        if telegram is None:
            return
        yield telegram


def _judge(published: Telegram, near: list[Telegram], elapsed: float, outcome: Outcome) -> None:
    outcome.published += 1
    told = [dict(_values(telegram)) for telegram in near]
    for key, item in _values(published):
        outcome.values += 1
        true = [each.get(key) for each in told]
        if item in true:
            continue
        known = [each for each in true if each is not None]
        if not known or item["unit"] != known[0]["unit"]:
            outcome.wrong_units += 1
            continue
        numbers = [each["value"] for each in known if isinstance(each["value"], Decimal)]
        value = item["value"]
        if not isinstance(value, Decimal) or len(numbers) < len(known):
            outcome.wrong[key] += 1
        elif min(numbers) <= value <= max(numbers):
            outcome.between += 1
        elif min(abs(value - number) for number in numbers) <= _plausible(item, elapsed):
            outcome.near += 1
        else:
            outcome.wrong[key] += 1


def _plausible(item: Measurement, elapsed: float) -> Decimal:
    value = item["value"]
    assert isinstance(value, Decimal)
    if item["unit"].lower() in ("kwh", "kvarh", "m3", "m³"):
        return Decimal(100 * elapsed / 3600)
    return max(abs(value) / 4, Decimal(20).scaleb(int(value.as_tuple().exponent)))


def _values(telegram: Telegram) -> Iterator[tuple[str, Measurement]]:
    """Every number, unit and text that is told of a meter, and who it is."""
    yield from telegram.measurements.items()
    for code, line in telegram.objects.items():
        for number, item in enumerate(line if isinstance(line, list) else [line]):
            yield f"{code} {number}", item
    for medium, device in telegram.meters.items():
        yield f"{medium} serial number", {"value": device.serial_number, "unit": ""}
        for key, item in device.measurements.items():
            yield f"{medium} {key}", item
    identity = telegram.identity
    yield "identity", {"value": f"{telegram.header} {identity.serial_number} {identity.dialect}", "unit": ""}


def main() -> None:
    """Print each meter's outcome, with every telegram damaged and with one in ten."""
    telegrams = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for share in (1, 10):
        for meter in METERS:
            outcome = run(meter, telegrams // len(METERS), one_in=share)
            sys.stdout.write(f"1 in {share}, {meter}: {outcome}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
