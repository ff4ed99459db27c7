"""The KMP registers: id, quantity, the models on which it was seen, and how sure that is.

Sources: Kamstrup 5512-447, sections 5.2 (601) and 5.3 (801), the technical descriptions 5512-1334 (302),
5512-742 (402) and 5512-1036 (MULTICAL 62), and the register lists of public projects; docs/references.md
names them and says where they disagree. ``proven`` lists the models from which a captured answer of this
register exists.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.aliases import ALIASES, folded, meant_by

_LARGEST_ID: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Register:
    """One register. ``quantity`` is its key in settings, topics and readings."""

    id: int
    quantity: str
    name: str
    kind: Kind | None
    models: tuple[str, ...] = ()
    proven: tuple[str, ...] = ()
    note: str = ""


def register_of(register_id: int) -> Register:
    """The register of an id; one that no source names has the quantity ``register_<id>`` and no kind."""
    known = REGISTERS.get(register_id)
    return known or Register(register_id, f"register_{register_id}", f"Register {register_id}", None)


def resolve_register(text: str | int) -> Register:
    """The register that a person means: a quantity key, ``register_60``, ``60`` or ``0x3C``, or an alias.

    Raises ValueError with a suggestion for what is none of these.
    """
    wanted = folded(str(text))
    if (known := _BY_QUANTITY.get(wanted) or _BY_QUANTITY.get(meant_by(wanted))) is not None:
        return known
    number = re.fullmatch(r"(?:register_)?(?:0x([0-9a-f]{1,8})|([0-9]{1,9}))", wanted)
    if number is None:
        raise ValueError(f"unknown register {str(text)!r}{_suggestion(wanted)}")
    register_id = int(number[1], 16) if number[1] else int(number[2])
    if register_id > _LARGEST_ID:
        raise ValueError(f"register {text} is out of range: ids go up to {_LARGEST_ID}")
    return register_of(register_id)


def _suggestion(wanted: str) -> str:
    near = difflib.get_close_matches(wanted, [*ALIASES, *_BY_QUANTITY], n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return "; give an id like 60 or 0x3C or a quantity that `smart-meter-reader registers` lists"


def _row(register: int, quantity: str, models: str, *, proven: str = "", note: str = "") -> Register:
    entry = QUANTITIES[quantity]
    return Register(
        register, quantity, entry.name, entry.kind, tuple(models.split()), tuple(proven.split()), note
    )


def _flow_histogram() -> Iterable[Register]:
    """Volume by flow, read from a 303/603 and not documented: thirteen volumes, then thirteen flows."""
    note = "undocumented; looks like a histogram of the flow"
    volumes = (692, *range(697, 709))
    for number, register in enumerate(volumes, start=1):
        yield _row(register, f"volume_in_flow_range_{number}", "303/603", note=note)
    for number, register in enumerate(range(709, 722), start=1):
        yield _row(register, f"flow_range_{number}", "303/603", note=note)


_NAMED: Final = (
    _row(1, "active_energy_import", "382", proven="382"),
    _row(2, "active_energy_export", "382"),
    _row(13, "active_energy_import_high_resolution", "382", proven="382"),
    _row(14, "active_energy_export_high_resolution", "382"),
    _row(19, "active_energy_import_tariff_1", "382", proven="382"),
    _row(23, "active_energy_import_tariff_2", "382", proven="382"),
    _row(27, "active_energy_import_tariff_3", "382", proven="382"),
    _row(31, "active_energy_import_tariff_4", "382", proven="382"),
    _row(39, "active_power_import_maximum", "382"),
    _row(51, "meter_number_1", "382"),
    _row(52, "meter_number_2", "382"),
    _row(53, "meter_number_3", "382"),
    _row(60, "heat_energy", "302 303/603 402 403 601 602 801", proven="403"),
    _row(61, "flow_energy", "303/603 601 801"),
    _row(62, "return_energy", "303/603 601 801"),
    _row(63, "cooling_energy", "302 303/603 402 403 601 801"),
    _row(64, "energy_tariff_2", "303/603 402 601 801"),
    _row(65, "energy_tariff_3", "303/603 402 601 801"),
    _row(66, "tariff_limit_2", "303/603 402 601 801"),
    _row(67, "tariff_limit_3", "303/603 402 601 801"),
    _row(68, "volume", "21 62 302 303/603 402 403 601 602 801", proven="21 403"),
    _row(69, "volume_2", "303/603 601 801"),
    _row(72, "mass", "303/603 601 801"),
    _row(73, "mass_2", "303/603 601 801"),
    _row(74, "volume_flow", "21 62 302 303/603 402 403 601 602 801", proven="403"),
    _row(75, "volume_flow_2", "303/603 601 801"),
    _row(80, "power", "302 303/603 402 403 601 602 801", proven="403"),
    _row(84, "pulse_input_a", "62 303/603 402 601 801"),
    _row(85, "pulse_input_b", "62 303/603 402 601 801"),
    _row(86, "flow_temperature", "302 303/603 402 403 601 602 801", proven="403"),
    _row(87, "return_temperature", "302 303/603 402 403 601 602 801"),
    _row(88, "temperature_t3", "303/603 601 801"),
    _row(89, "temperature_difference", "302 303/603 402 403 601 602 801", proven="403"),
    _row(91, "flow_pressure", "303/603 601 801"),
    _row(92, "return_pressure", "303/603 601 801", note="one project calls it P1; it is P2"),
    _row(94, "control_energy", "303/603 601 801", note='"heat energy E2" on 303/603'),
    _row(95, "tap_water_energy", "303/603 601 801"),
    _row(96, "heat_energy_y", "303/603 601 801", note='"tap water energy E7" on 303/603'),
    _row(97, "volume_times_flow_temperature", "302 303/603 402 403 601 801"),
    _row(98, "target_date", "62 302 303/603 402 601 801"),
    _row(99, "info_code", "21 62 302 303/603 402 403 601 801"),
    _row(104, "meter_number_input_b", "62 303/603 601 801"),
    _row(110, "volume_times_return_temperature", "302 303/603 402 403 601 801"),
    _row(112, "customer_number_high", "302 303/603 402 601 801"),
    _row(
        113, "info_event_count", "62 302 303/603 402 403 601 801", note="counts events; the code itself is 99"
    ),
    _row(114, "meter_number_input_a", "62 303/603 402 601 801"),
    _row(122, "temperature_t4", "303/603 601 801"),
    _row(123, "volume_flow_maximum_year_date", "302 303/603 402 403 601 801", proven="403"),
    _row(124, "volume_flow_maximum_year", "302 303/603 402 403 601 801"),
    _row(125, "volume_flow_minimum_year_date", "303/603 402 403 601 801"),
    _row(126, "volume_flow_minimum_year", "303/603 402 403 601 801"),
    _row(127, "power_maximum_year_date", "302 303/603 402 403 601 801"),
    _row(128, "power_maximum_year", "302 303/603 402 403 601 801"),
    _row(129, "power_minimum_year_date", "303/603 402 403 601 801"),
    _row(130, "power_minimum_year", "303/603 402 403 601 801"),
    _row(
        138,
        "volume_flow_maximum_month_date",
        "302 303/603 402 403 601 801",
        proven="403",
        note='one print of 5512-447 says "this year"; it is the month',
    ),
    _row(
        139,
        "volume_flow_maximum_month",
        "302 303/603 402 403 601 801",
        proven="403",
        note='one print of 5512-447 says "this year"; it is the month',
    ),
    _row(140, "volume_flow_minimum_month_date", "303/603 402 403 601 801"),
    _row(141, "volume_flow_minimum_month", "303/603 402 403 601 801", proven="403"),
    _row(142, "power_maximum_month_date", "302 303/603 402 403 601 801"),
    _row(143, "power_maximum_month", "302 303/603 402 403 601 801", proven="403"),
    _row(144, "power_minimum_month_date", "303/603 402 403 601 801"),
    _row(145, "power_minimum_month", "303/603 402 403 601 801", proven="403"),
    _row(146, "flow_temperature_average_year", "302 303/603 402 403 601 801"),
    _row(147, "return_temperature_average_year", "302 303/603 402 403 601 801"),
    _row(149, "flow_temperature_average_month", "302 303/603 402 403 601 801"),
    _row(150, "return_temperature_average_month", "302 303/603 402 403 601 801"),
    _row(152, "program_number", "303/603 402 601 801"),
    _row(153, "config_number_1", "302 303/603 402 601 801"),
    _row(154, "software_checksum", "62 302 303/603 402 601 801"),
    _row(155, "heat_energy_test", "402 601 801", note="no answer on 403: use 266 there"),
    _row(157, "top_module_id", "62 601 801"),
    _row(158, "base_module_id", "62 601 801"),
    _row(168, "config_number_2", "302 303/603 402 601 801"),
    _row(171, "base_module_id_2", "801"),
    _row(172, "extension_module_id", "801"),
    _row(175, "error_hours", "62 303/603 601 801"),
    _row(178, "differential_energy_de", "303/603"),
    _row(179, "control_energy_ce", "303/603"),
    _row(180, "differential_volume_dv", "303/603"),
    _row(181, "control_volume_cv", "303/603"),
    _row(184, "mbus_primary_address_module_1", "302 303/603 801"),
    _row(185, "mbus_secondary_address_module_1", "302 303/603 801"),
    _row(218, "mbus_primary_address_module_2", "303/603 801"),
    _row(219, "mbus_secondary_address_module_2", "303/603 801"),
    _row(220, "mbus_primary_address_extension_module", "801"),
    _row(221, "mbus_secondary_address_extension_module", "801"),
    _row(222, "config_change_count", "303/603"),
    _row(223, "volume_test", "402"),
    _row(224, "pulse_input_a2", "303/603"),
    _row(225, "pulse_input_b2", "303/603"),
    _row(228, "config_number_3", "303/603"),
    _row(229, "flow_temperature_average_interval", "302 303/603"),
    _row(230, "return_temperature_average_interval", "302 303/603"),
    _row(234, "pulse_input_a_litres_per_pulse", "62 303/603 601 801", note="litres per pulse"),
    _row(235, "pulse_input_b_litres_per_pulse", "62 303/603 601 801", note="litres per pulse"),
    _row(239, "volume_high_resolution", "62 302 303/603"),
    _row(241, "volume_flow_maximum_day", "303/603"),
    _row(242, "volume_flow_minimum_day", "303/603"),
    _row(243, "reverse_volume", "21"),
    _row(254, "type_number", "303/603"),
    _row(257, "pulse_value_v1", "303/603"),
    _row(258, "pulse_value_v2", "303/603"),
    _row(
        259, "nominal_volume_flow", "303/603", note="undocumented; matches the diagnostics display of a 603"
    ),
    _row(
        260, "nominal_volume_flow_2", "303/603", note="undocumented; matches the diagnostics display of a 603"
    ),
    _row(266, "heat_energy_high_resolution", "302 303/603 402 403"),
    _row(267, "cooling_energy_high_resolution", "302 303/603 402"),
    _row(268, "averaging_time", "303/603"),
    _row(279, "din_meter_id", "303/603"),
    _row(292, "water_temperature", "21"),
    _row(299, "ambient_temperature", "21"),
    _row(327, "target_date_1", "303/603", note="a KWM2231 water meter sends something else"),
    _row(328, "target_date_2", "303/603"),
    _row(338, "data_quality", "303/603", note="seen in a logger only; what its numbers mean is not known"),
    _row(346, "module_software_revision", "303/603"),
    _row(347, "customer_number", "303/603"),
    _row(348, "date_and_time", "303/603", note="7 bytes, unit 4Fh"),
    _row(355, "cop_year", "303/603"),
    _row(362, "energy_tariff_4", "303/603"),
    _row(364, "heat_energy_a1", "303/603"),
    _row(365, "heat_energy_a2", "303/603"),
    _row(366, "temperature_t5_limit", "303/603"),
    _row(367, "cop_month", "303/603"),
    _row(368, "config_number_4", "303/603"),
    _row(
        369, "info_bits", "303/603 403", note="403: its manual has the bits; the register was not seen there"
    ),
    _row(371, "cop", "303/603"),
    _row(372, "power_input_b1", "303/603"),
    _row(379, "flow_temperature_average_day", "303/603"),
    _row(380, "return_temperature_average_day", "303/603"),
    _row(381, "flow_temperature_average_hour", "303/603"),
    _row(382, "return_temperature_average_hour", "303/603"),
    _row(383, "volume_flow_maximum_year_time", "303/603", note="belongs to 123"),
    _row(384, "volume_flow_minimum_year_time", "303/603", note="belongs to 125"),
    _row(385, "power_maximum_year_time", "303/603", note="belongs to 127"),
    _row(386, "power_minimum_year_time", "303/603", note="belongs to 129"),
    _row(387, "volume_flow_maximum_month_time", "303/603", note="belongs to 138"),
    _row(388, "volume_flow_minimum_month_time", "303/603", note="belongs to 140"),
    _row(389, "power_maximum_month_time", "303/603", note="belongs to 142"),
    _row(390, "power_minimum_month_time", "303/603", note="belongs to 144"),
    _row(394, "config_number_xyz", "303/603"),
    _row(398, "flow_temperature_one_decimal", "303/603"),
    _row(399, "return_temperature_one_decimal", "303/603"),
    _row(400, "temperature_difference_one_decimal", "303/603", note="undocumented; shown so by a 603"),
    _row(404, "meter_type", "303/603"),
    _row(458, "water_info_code", "KWM2231", note="seen in a logger only"),
    _row(473, "energy_e10", "303/603", note="unit and meaning not proved"),
    _row(474, "energy_e11", "303/603", note="unit and meaning not proved"),
    _row(477, "temperature_t3_average_day", "303/603"),
    _row(478, "temperature_t3_average_hour", "303/603"),
    _row(505, "flow_pressure_average_day", "303/603"),
    _row(506, "return_pressure_average_day", "303/603"),
    _row(507, "flow_pressure_average_hour", "303/603"),
    _row(508, "return_pressure_average_hour", "303/603"),
    _row(
        582, "battery_remaining", "flowIQ-2200 303/603", proven="flowIQ-2200", note="also on 303/603 of 2026"
    ),
    _row(622, "volume_extra_digit", "303/603"),
    _row(640, "meter_type_text", "KWM2231", note="seen on a KWM2231 water meter"),
    _row(675, "wireless_mbus_interval", "303/603", note="undocumented; matches a 303"),
    _row(1001, "serial_number", "21 302 303/603 382 402 403 601 801", proven="303/603 382"),
    _row(1002, "clock", "62 302 303/603 382 402 403 601 801", proven="382 403"),
    _row(1003, "date", "62 302 303/603 382 402 601 801", proven="382"),
    _row(
        1004,
        "operating_hours",
        "21 62 302 303/603 382 402 403 601 801",
        proven="382 601",
        note="unit 33h instead of 2Eh on MULTICAL 21",
    ),
    _row(1005, "software_edition", "62 302 303/603 382 402 601 801"),
    _row(1010, "customer_number_low", "302 303/603 382 402 601 801"),
    _row(1023, "active_power_import", "382"),
    _row(1032, "operation_mode", "303/603"),
    _row(1033, "active_power_import_peak", "382", proven="382"),
    _row(1036, "active_power_import_peak_2", "382", proven="382"),
    _row(1047, "rtc", "382", proven="382", note="8 bytes, unit 35h"),
    _row(1049, "active_power_import_peak_time", "382", proven="382", note="8 bytes, unit 35h"),
    _row(1054, "voltage_l1", "382"),
    _row(1055, "voltage_l2", "382"),
    _row(1056, "voltage_l3", "382"),
    _row(1076, "current_l1", "382"),
    _row(1077, "current_l2", "382"),
    _row(1078, "current_l3", "382"),
    _row(1080, "active_power_import_l1", "382"),
    _row(1081, "active_power_import_l2", "382"),
    _row(1082, "active_power_import_l3", "382"),
    _row(1344, "active_power_export_l1", "382"),
    _row(1345, "active_power_export_l2", "382"),
    _row(1346, "active_power_export_l3", "382"),
    *_flow_histogram(),
)

# Registers of the MULTICAL 382 of which sources tell the unit but not the meaning.
_ONLY_KIND_KNOWN: Final[Mapping[Kind, tuple[int, ...]]] = MappingProxyType(
    {
        Kind.ENERGY: (17, 18, 20, 24, 28, 32, 1031, *range(1059, 1067), 1121),
        Kind.REACTIVE_ENERGY: (
            *(3, 4, 5, 6, 15, 16, 21, 22, 25, 26, 29, 30, 33, 34),
            *range(1067, 1075),
        ),
        Kind.POWER: (35, 36, 40, 43, 44, 1024, 1039),
        Kind.REACTIVE_POWER: (37, 38, 41, 42, 45, 46, 1025, 1026),
        Kind.CODE: (
            *(50, 54, 55, 56, 57, 58, 1021, 1029, 1030, 1045, 1075, 1083, 1084, 1086, 1092, 1189),
            *range(1202, 1210),
        ),
        Kind.TIME_OF_DAY: (1027, 1034, 1037),
        Kind.DATE: (1028, 1035, 1038),
        Kind.TIMESTAMP: (1050, 1051, 1181),
        Kind.TEXT: (1058, 1126),
        Kind.TEMPERATURE_DIFFERENCE: (1079,),
        Kind.DURATION: (1112, 1113, 1114, 1115),
    }
)
_PROVEN_UNNAMED: Final = frozenset({58, 1045, 1050, 1051})


def _unnamed() -> Iterable[Register]:
    for kind, registers in _ONLY_KIND_KNOWN.items():
        for register in registers:
            proven = ("382",) if register in _PROVEN_UNNAMED else ()
            note = (
                "called power in, power out or reactive power by different sources"
                if register == 1024
                else ""
            )
            yield Register(
                register, f"register_{register}", f"Register {register}", kind, ("382",), proven, note
            )


REGISTERS: Final[Mapping[int, Register]] = MappingProxyType(
    {entry.id: entry for entry in sorted((*_NAMED, *_unnamed()), key=lambda entry: entry.id)}
)
_BY_QUANTITY: Final[Mapping[str, Register]] = MappingProxyType(
    {entry.quantity: entry for entry in REGISTERS.values()}
)
