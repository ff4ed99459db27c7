"""The tables of VIF as EN 13757-3 has them: each row with the range that it names, and nothing else."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.mbus.meanings import (
    EXTENDED_WORDS,
    EXTENSIONS,
    PRIMARY,
    RECORD_ERRORS,
    Addition,
    Form,
    VifMeaning,
    addition_of,
    meaning_of,
)

# Codes in a row, each ten times the one before: the value of a 1 sent, of the first and of the last.
POWERS = {
    (None, 0x00): ("energy", "Wh", "0.001", "10000"),
    (None, 0x08): ("energy", "J", "1", "10000000"),
    (None, 0x10): ("volume", "m3", "0.000001", "10"),
    (None, 0x18): ("mass", "kg", "0.001", "10000"),
    (None, 0x28): ("power", "W", "0.001", "10000"),
    (None, 0x30): ("power", "J/h", "1", "10000000"),
    (None, 0x38): ("volume flow", "m3/h", "0.000001", "10"),
    (None, 0x40): ("volume flow", "m3/min", "0.0000001", "1"),
    (None, 0x48): ("volume flow", "m3/s", "0.000000001", "0.01"),
    (None, 0x50): ("mass flow", "kg/h", "0.001", "10000"),
    (None, 0x58): ("flow temperature", "degC", "0.001", "1"),
    (None, 0x5C): ("return temperature", "degC", "0.001", "1"),
    (None, 0x60): ("temperature difference", "K", "0.001", "1"),
    (None, 0x64): ("external temperature", "degC", "0.001", "1"),
    (None, 0x68): ("pressure", "bar", "0.001", "1"),
    (None, 0x6E): ("heat cost allocation", "", "1", "1"),
    (None, 0x78): ("fabrication number", "", "1", "1"),
    (None, 0x79): ("enhanced identification", "", "1", "1"),
    (None, 0x7A): ("bus address", "", "1", "1"),
    (None, 0x7E): ("any quantity", "", "1", "1"),
    (0xFB, 0x00): ("energy", "MWh", "0.1", "1"),
    (0xFB, 0x02): ("reactive energy", "kvarh", "1", "10"),
    (0xFB, 0x04): ("apparent energy", "kVAh", "1", "10"),
    (0xFB, 0x08): ("energy", "GJ", "0.1", "1"),
    (0xFB, 0x0C): ("energy", "Mcal", "0.1", "100"),
    (0xFB, 0x10): ("volume", "m3", "100", "1000"),
    (0xFB, 0x14): ("reactive power", "kvar", "0.001", "1"),
    (0xFB, 0x18): ("mass", "t", "100", "1000"),
    (0xFB, 0x1A): ("relative humidity", "%", "0.1", "1"),
    (0xFB, 0x20): ("volume", "ft3", "1", "1"),
    (0xFB, 0x21): ("volume", "ft3", "0.1", "0.1"),
    (0xFB, 0x22): ("volume", "gal", "0.1", "1"),
    (0xFB, 0x24): ("volume flow", "gal/min", "0.001", "0.001"),
    (0xFB, 0x25): ("volume flow", "gal/min", "1", "1"),
    (0xFB, 0x26): ("volume flow", "gal/h", "1", "1"),
    (0xFB, 0x28): ("power", "MW", "0.1", "1"),
    (0xFB, 0x2A): ("phase of voltage to voltage", "deg", "0.1", "0.1"),
    (0xFB, 0x2B): ("phase of voltage to current", "deg", "0.1", "0.1"),
    (0xFB, 0x2C): ("frequency", "Hz", "0.001", "1"),
    (0xFB, 0x30): ("power", "GJ/h", "0.1", "1"),
    (0xFB, 0x34): ("apparent power", "kVA", "0.001", "1"),
    (0xFB, 0x58): ("flow temperature", "degF", "0.001", "1"),
    (0xFB, 0x5C): ("return temperature", "degF", "0.001", "1"),
    (0xFB, 0x60): ("temperature difference", "degF", "0.001", "1"),
    (0xFB, 0x64): ("external temperature", "degF", "0.001", "1"),
    (0xFB, 0x70): ("cold or warm temperature limit", "degF", "0.001", "1"),
    (0xFB, 0x74): ("cold or warm temperature limit", "degC", "0.001", "1"),
    (0xFB, 0x78): ("cumulative maximum power", "W", "0.001", "10000"),
    (0xFD, 0x00): ("credit", "currency", "0.001", "1"),
    (0xFD, 0x04): ("debit", "currency", "0.001", "1"),
    (0xFD, 0x40): ("voltage", "V", "0.000000001", "1000000"),
    (0xFD, 0x50): ("current", "A", "0.000000000001", "1000"),
    (0xFD, 0x71): ("signal level", "dBm", "1", "1"),
    (0xFD, 0x74): ("remaining battery life", "days", "1", "1"),
}
# Codes in a row for one duration, with the unit of the first and of the last.
UNITS = ("seconds", "minutes", "hours", "days", "months", "years")
DURATIONS = {
    (None, 0x20): ("on time", "seconds", "days"),
    (None, 0x24): ("operating time", "seconds", "days"),
    (None, 0x70): ("averaging duration", "seconds", "days"),
    (None, 0x74): ("actuality duration", "seconds", "days"),
    (0xFD, 0x24): ("storage interval", "seconds", "years"),
    (0xFD, 0x2C): ("duration since last readout", "seconds", "days"),
    (0xFD, 0x31): ("duration of tariff", "minutes", "days"),
    (0xFD, 0x34): ("period of tariff", "seconds", "years"),
    (0xFD, 0x3C): ("period of nominal transmissions", "seconds", "days"),
    (0xFD, 0x68): ("duration since last cumulation", "hours", "years"),
    (0xFD, 0x6C): ("operating time of battery", "hours", "years"),
}
FORMS = {
    (None, 0x6C): ("date", Form.DATE),
    (None, 0x6D): ("date time", Form.DATE),
    (None, 0x7C): ("text", Form.TEXT_UNIT),
    (None, 0x7F): ("manufacturer specific", Form.MAKERS),
    (0xFD, 0x17): ("error flags", Form.FLAGS),
    (0xFD, 0x18): ("error mask", Form.FLAGS),
    (0xFD, 0x1A): ("digital output", Form.FLAGS),
    (0xFD, 0x1B): ("digital input", Form.FLAGS),
    (0xFD, 0x30): ("start of tariff", Form.DATE),
    (0xFD, 0x65): ("time of day change", Form.DATE),
    (0xFD, 0x70): ("date of battery change", Form.DATE),
}
# Numbers and texts without a unit, behind FD: codes in a row.
NAMES = {
    0x08: "access number, medium, manufacturer, parameter set, model or version, hardware version, "
    "firmware version, software version, customer location, customer, access code of user, "
    "access code of operator, access code of system operator, access code of developer, password",
    0x1C: "baud rate, response delay time, retry, remote control, first storage number, last storage number, "
    "size of storage block",
    0x3A: "dimensionless, wireless M-Bus container",
    0x60: "reset counter, cumulation counter, control signal, day of week, week number",
    0x66: "state of parameter activation, special supplier information",
}
# VIFE that say why there is no value, those that only name what the value is, and those behind FC.
ERRORS = {
    0x01: "too many DIFE, storage number not implemented, subunit not implemented, tariff not implemented, "
    "function not implemented, data class not implemented, data size not implemented",
    0x0B: "too many VIFE, illegal VIF group, illegal VIF exponent, VIF and DIF do not fit, "
    "unimplemented action",
    0x15: "no data available, data overflow, data underflow, data error",
    0x1C: "premature end of record",
}
WORDS = {
    0x20: "per second, per minute, per hour, per day, per week, per month, per year, per revolution, "
    "per pulse of input 0, per pulse of input 1, per pulse of output 0, per pulse of output 1, per litre, "
    "per m3, per kg, per K, per kWh, per GJ, per kW, per K and litre, per V, per A, times s, times s/V, "
    "times s/A",
    0x3A: "uncorrected unit, only positive, only negative",
    0x3E: "at base conditions",
    0x40: "lower limit",
    0x48: "upper limit",
    0x68: "during exceed of lower limit, leakage",
    0x6C: "during exceed of upper limit, overflow",
    0x7E: "future value",
}
BEHIND_FC = {
    0x01: "phase L1, phase L2, phase L3, neutral, L1 to L2, L2 to L3, L3 to L1, quadrant Q1, quadrant Q2, "
    "quadrant Q3, quadrant Q4, import less export",
    0x10: "both directions",
}


def in_a_row(words: dict[int, str]) -> dict[int, str]:
    return {code: each for first, row in words.items() for code, each in enumerate(row.split(", "), first)}


def rows() -> dict[tuple[int | None, int], VifMeaning]:
    """Every code of the tables above."""
    codes: dict[tuple[int | None, int], VifMeaning] = {}
    for (extension, first), (quantity, unit, least, most) in POWERS.items():
        exponents = range(Decimal(least).adjusted(), Decimal(most).adjusted() + 1)
        for code, exponent in enumerate(exponents, first):
            codes[extension, code] = VifMeaning(quantity, unit, exponent)
    for (extension, first), (quantity, begin, end) in DURATIONS.items():
        for code, unit in enumerate(UNITS[UNITS.index(begin) : UNITS.index(end) + 1], first):
            codes[extension, code] = VifMeaning(quantity, unit)
    return codes | {place: VifMeaning(quantity, form=form) for place, (quantity, form) in FORMS.items()}


@pytest.mark.parametrize("extension", [None, 0xFB, 0xFD])
def test_each_code_means_what_its_row_says_and_no_other_means_anything(extension: int | None) -> None:
    table = dict(PRIMARY if extension is None else EXTENSIONS[extension])
    named = {code: VifMeaning(words) for code, words in in_a_row(NAMES).items()} if extension == 0xFD else {}
    assert table == named | {
        code: meaning for (behind, code), meaning in rows().items() if behind == extension
    }


def test_every_vife_that_only_names() -> None:
    """Table 15; what scales, and what makes a date or a count of a value, is in test_records.py."""
    assert dict(RECORD_ERRORS) == in_a_row(ERRORS)
    assert dict(EXTENDED_WORDS) == in_a_row(BEHIND_FC)
    only_named = {vife: added for vife in range(0x80) if (added := addition_of(vife)) and added.unit is None}
    scaling = {vife: Addition(exponent=vife - 0x76) for vife in range(0x70, 0x78)} | {
        0x7D: Addition(exponent=3)
    }
    correcting = dict.fromkeys(range(0x78, 0x7C), Addition("additive correction"))
    named = {vife: Addition(words) for vife, words in in_a_row(WORDS).items()}
    assert only_named == named | scaling | correcting


@pytest.mark.parametrize(
    ("vife", "added"),
    [
        (0x39, Addition("start", unit="", form=Form.DATE)),
        (0x3D, None),
        (0x3F, None),
        (0x41, Addition("times below lower limit", unit="")),
        (0x49, Addition("times above upper limit", unit="")),
        (0x4F, Addition("date of end of last exceed of upper limit", unit="", form=Form.DATE)),
        (0x50, Addition("duration of first exceed of lower limit", unit="seconds")),
        (0x5F, Addition("duration of last exceed of upper limit", unit="days")),
        (0x60, Addition("duration of first", unit="seconds")),
        (0x67, Addition("duration of last", unit="days")),
        (0x42, Addition("date of begin of first exceed of lower limit", unit="", form=Form.DATE)),
        (0x44, None),
        (0x45, None),
        (0x4C, None),
        (0x4D, None),
        (0x6A, Addition("date of begin of first", unit="", form=Form.DATE)),
        (0x6F, Addition("date of end of last", unit="", form=Form.DATE)),
        (0x7C, None),
        (0x7F, None),
        (0x1F, None),
    ],
)
def test_vife_at_the_bounds_of_their_rows(vife: int, added: Addition | None) -> None:
    assert addition_of(vife) == added


def test_what_no_table_has_is_named_by_its_octets() -> None:
    assert meaning_of(0x6F, None) == VifMeaning("unknown VIF 6F")
    assert meaning_of(0x3F, 0xFB) == VifMeaning("unknown VIF FB 3F")
    assert meaning_of(0x06, None) == VifMeaning("energy", "Wh", 3)
    assert set(EXTENSIONS) == {0xFB, 0xFD}
