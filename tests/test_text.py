"""Texts and numbers from outside: printable, bounded, strict, wherever they come in."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.cli import main
from smart_meter_reader.cli.diagnose.recording_redaction import redact
from smart_meter_reader.codecs.kmp import RegisterValue
from smart_meter_reader.console import EXIT_SETTINGS
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.serve import run_emulator
from smart_meter_reader.exceptions import ExplainedError, SettingsError, ValueFormatError
from smart_meter_reader.guard.memory import decode
from smart_meter_reader.meters.kmp.emulated_values import read_values
from smart_meter_reader.meters.kmp.emulator import FAULTS, KamstrupMeter
from smart_meter_reader.quantities.units import convert_energy
from smart_meter_reader.recordings.pseudonyms import Pseudonyms
from smart_meter_reader.recordings.text import (
    FROM_METER,
    MAGIC,
    Burst,
    Recording,
    RecordingError,
    parse_recording,
)
from smart_meter_reader.settings.durations import UnfitValueError
from smart_meter_reader.settings.values import Limits, read_leaf
from smart_meter_reader.sinks.home_assistant.classes import SensorClass
from smart_meter_reader.sinks.home_assistant.states import state_of
from smart_meter_reader.text import (
    LONGEST_NUMBER,
    bounded_number,
    is_bounded,
    is_digits,
    is_same_serial,
    plain,
    printable,
)
from tests.fuzz.hostile import BEYOND_LATIN, ESCAPES, NUMBERS, OTHER_DIGITS, fields


@given(st.one_of(fields(), st.text(st.characters(codec=None))), st.integers(1, 300))
def test_printable_text_is_printable_and_bounded(text: str, longest: int) -> None:
    cleaned = printable(text, longest)
    assert cleaned.isprintable()
    assert len(cleaned) == min(len(text), longest)
    cleaned.encode()
    assert all(new == old for new, old in zip(cleaned[:-1], text, strict=False) if old.isprintable())


@pytest.mark.parametrize("text", [*ESCAPES, *BEYOND_LATIN], ids=ascii)
def test_errors_are_made_printable(text: str) -> None:
    assert ExplainedError("reason", f"received {text}").detail.isprintable()
    assert str(ExplainedError("reason", f"received {text}")).isprintable()
    assert str(ValueFormatError(f"received {text}")).isprintable()
    assert all(map(str.isprintable, SettingsError([f"found {text}", text]).problems))


@pytest.mark.parametrize("text", [*OTHER_DIGITS, "", "-1", "+1", " 1", "1 ", "1_0", "1" * 21, "9" * 4301])
def test_what_is_no_digits(text: str) -> None:
    assert not is_digits(text)


@given(fields())
def test_a_bounded_number_is_written_with_twenty_digits_at_most(text: str) -> None:
    number = bounded_number(text)
    if number is not None:
        assert text.isascii()
        assert len(format(number, "f").strip("-").replace(".", "")) <= LONGEST_NUMBER


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_bounded_is_what_the_written_digits_say(number: Decimal) -> None:
    if not number.is_finite():
        assert not is_bounded(number)
    elif abs(number.adjusted()) < 1000:
        written = format(number, "f").strip("-").replace(".", "")
        assert is_bounded(number) == (len(written) <= LONGEST_NUMBER) or number == 0


@pytest.mark.parametrize(
    "text", ["9E99999999", "1E9999999999", *NUMBERS, *OTHER_DIGITS], ids=lambda text: text[:20]
)
def test_a_number_of_home_assistant_is_strict(text: str) -> None:
    """A register of unknown layout is hexadecimal text: 9E99999999 would be written out as 100 MB."""
    state = state_of(SensorClass(precision=3), text)
    assert state is None or len(state) <= LONGEST_NUMBER + 2
    with pytest.raises(UnfitValueError):
        read_leaf(Decimal, f"{text}E5", Limits())


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_that_utc_does_not_have_is_no_state(time: str) -> None:
    assert state_of(SensorClass("timestamp"), time) is None


@pytest.mark.parametrize("number", ["9E99999999", "1E-99999999", "NaN", "Infinity", "1" * 21])
def test_a_number_without_bounds_is_not_converted(number: str) -> None:
    with pytest.raises(ValueFormatError):
        convert_energy(Decimal(number), "GJ", "kWh")


@pytest.mark.parametrize(
    ("client", "payload"),
    [
        ("dsmr", b"/XMX5\r\n\r\n0-0:96.1.1(" + b"9" * 5000 + b")\r\n1-0:1.8.1(1.0*kWh)\r\n!\r\n"),
        ("iec62056_21", b"/KAM0MC\r\n0.0(" + b"9" * 5000 + b")\r\n6.8(1.0*GJ)\r\n!\r\n"),
    ],
)
def test_a_number_of_any_length_is_redacted(client: str, payload: bytes) -> None:
    redacted = redact(Recording((Burst(0, FROM_METER, payload),), client=client), Pseudonyms())
    assert b"9" * 10 not in redacted.recording.bursts[0].payload


def test_a_text_of_blanks_is_redacted() -> None:
    from smart_meter_reader.codecs.kmp import GetRegisterResponse, encode_response

    blanks = RegisterValue(1001, 0x36, 0, b"    ")
    payload = encode_response(GetRegisterResponse((blanks,)))
    redacted = redact(Recording((Burst(0, FROM_METER, payload),), client="kamstrup"), Pseudonyms())
    assert redacted.recording.bursts


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000, "no JSON", '"12345"', "-5"])
def test_a_setting_of_a_recording_is_redacted_whatever_it_is(value: str) -> None:
    redacted = redact(Recording((), client="dsmr", settings={"serial_number": value}), Pseudonyms())
    json.loads(redacted.recording.settings["serial_number"])
    assert "12345" not in redacted.recording.settings["serial_number"]


@pytest.mark.parametrize(
    "line",
    [
        *("client: \x1b[31m", "setting x = \x1b[31m", '0.1 > "\\\x1b"', "\u202e", "\ud800", "0.1 = \x9b31m"),
        *("setting x = " + "1" * 3000, "client: " + "x" * 3000),
    ],
    ids=lambda line: ascii(line)[:24],
)
def test_a_recording_says_what_is_wrong_in_printable_words(line: str) -> None:
    with pytest.raises(RecordingError, match="line 2") as refused:
        parse_recording(f"{MAGIC}\n{line}\n")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "listen", ["9" * 5000, "²³", "١٢٣", "65536", "-1"], ids=lambda text: ascii(text)[:12]
)
def test_a_port_to_listen_on_is_a_number(listen: str) -> None:
    with pytest.raises(SettingsError, match="no port number"):
        run_emulator(KamstrupMeter(), None, print, listen=listen)


@pytest.mark.parametrize(
    "when", ["9" * 5000, "1/" + "9" * 5000, "²", "1/٣"], ids=lambda text: ascii(text)[:12]
)
def test_a_fault_happens_a_bounded_number_of_times(when: str) -> None:
    with pytest.raises(ValueError, match="crc"):
        parse_faults([f"crc:{when}"], FAULTS)


@pytest.mark.parametrize(
    "value", ["9" * 4301, "NaN", "Infinity", '"NaN"', '"9E99999999"', "1e999", "[" * 5000]
)
def test_values_of_an_emulated_meter_are_numbers(value: str, tmp_path: Path) -> None:
    for name in ("heat_energy", "info_code"):
        file = tmp_path / "values.json"
        file.write_text(f'{{"{name}": {value}}}')
        with pytest.raises(SettingsError):
            read_values(file)


def test_the_guard_remembers_printable_serial_numbers() -> None:
    total = {"value": "1", "unit": "kWh", "time": "2026-01-01T00:00:00+00:00"}
    meter = {"origin": "", "serials": {"info": "A\x1b[31m"}, "totals": {"x": total}}
    (memory,) = decode(json.dumps({"version": 1, "meters": {"m": meter}}).encode()).values()
    assert memory.serials["info"].isprintable()


@pytest.mark.parametrize(
    "value",
    ["9" * 5000, "0x" + "F" * 5000, "[" * 5000, '"' + "9" * 5000 + '"', "1e400", '"9E99999999"', '"١٢"'],
)
@pytest.mark.parametrize("key", ["queue_size", "history"])
def test_settings_are_refused_with_a_sentence(
    value: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    capsys.readouterr()
    (tmp_path / "settings.toml").write_text(
        f"[x]\n{key} = {value}\n[x.sinks.stdout]\n"
        f'[x.meters.a]\nclient = "dummy"\n[x.meters.a.guard]\nflow_max = {value}\n'
    )
    assert main(["check", "x"]) == EXIT_SETTINGS
    said = capsys.readouterr()
    assert said.err.startswith("settings.toml")
    assert "Traceback" not in said.err
    assert all(len(line) < 500 for line in said.err.splitlines())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("1E+3"), "1000"),
        (Decimal("0.0000001"), "0.0000001"),
        (Decimal("7.60"), "7.60"),
        (7, "7"),
        ("a", "a"),
    ],
)
def test_a_number_as_text_has_no_exponent(value: object, expected: str) -> None:
    assert plain(value) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("00012345", "12345", True),
        (" 12345 ", "12345", True),
        ("12345", "123450", False),
        ("000", "1", False),
    ],
)
def test_leading_zeros_and_blanks_make_no_other_serial_number(one: str, other: str, same: bool) -> None:
    assert is_same_serial(one, other) is is_same_serial(other, one) is same
