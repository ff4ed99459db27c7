"""Quantities of heat, cooling and water meters (names after EN 1434)."""

from __future__ import annotations

from collections.abc import Iterator

from smart_meter_reader.quantities.quantity import Kind, Quantity


def _total(key: str, name: str, kind: Kind = Kind.ENERGY, *, diagnostic: bool = False) -> Quantity:
    return Quantity(key, name, kind, cumulative=True, diagnostic=diagnostic)


def _about_meter(key: str, name: str, kind: Kind = Kind.CODE, *, identifies: bool = False) -> Quantity:
    return Quantity(key, name, kind, diagnostic=True, identifies=identifies)


def _setup(key: str, name: str, kind: Kind = Kind.CODE) -> Quantity:
    return Quantity(key, name, kind, diagnostic=True, setup=True)


_ENERGIES = (
    _total("heat_energy", "Heat energy"),
    _total("heat_energy_high_resolution", "Heat energy (high resolution)"),
    _total("heat_energy_test", "Heat energy for tests (high resolution)"),
    _total("heat_energy_y", "Heat energy Y (E7)"),
    _total("heat_energy_a1", "Heat energy with discount (A1)"),
    _total("heat_energy_a2", "Heat energy with surcharge (A2)"),
    _total("cooling_energy", "Cooling energy"),
    _total("cooling_energy_high_resolution", "Cooling energy (high resolution)"),
    _total("flow_energy", "Flow energy (E4)"),
    _total("return_energy", "Return energy (E5)"),
    _total("control_energy", "Control energy (E2)"),
    _total("tap_water_energy", "Tap water energy (E6)"),
    _total("energy_tariff_2", "Energy tariff 2"),
    _total("energy_tariff_3", "Energy tariff 3"),
    _total("energy_tariff_4", "Energy tariff 4"),
    # These two are differences between a flow and a return side: they may fall.
    Quantity("differential_energy_de", "Differential energy (dE)", Kind.ENERGY),
    Quantity("control_energy_ce", "Control energy (cE)", Kind.ENERGY),
    _total("volume_times_flow_temperature", "Volume × flow temperature (E8)", Kind.VOLUME_TEMPERATURE),
    _total("volume_times_return_temperature", "Volume × return temperature (E9)", Kind.VOLUME_TEMPERATURE),
    _total("energy_e10", "E10, volume × temperature", Kind.VOLUME_TEMPERATURE),
    _total("energy_e11", "E11, volume × temperature", Kind.VOLUME_TEMPERATURE),
)

_VOLUMES = (
    _total("volume", "Volume", Kind.VOLUME),
    _total("volume_2", "Volume V2", Kind.VOLUME),
    _total("volume_high_resolution", "Volume (high resolution)", Kind.VOLUME),
    _total("volume_extra_digit", "Volume (one more digit)", Kind.VOLUME),
    _total("volume_test", "Volume for tests (high resolution)", Kind.VOLUME),
    _total("reverse_volume", "Reverse volume", Kind.VOLUME),
    Quantity("differential_volume_dv", "Differential volume (dV)", Kind.VOLUME),
    Quantity("control_volume_cv", "Control volume (cV)", Kind.VOLUME),
    _total("mass", "Mass", Kind.MASS),
    _total("mass_2", "Mass M2", Kind.MASS),
    # What hangs on a pulse input is the owner's choice: water, electricity, gas.
    _total("pulse_input_a", "Pulse input A", Kind.COUNT),
    _total("pulse_input_b", "Pulse input B", Kind.COUNT),
    _total("pulse_input_a2", "Pulse input A2", Kind.COUNT),
    _total("pulse_input_b2", "Pulse input B2", Kind.COUNT),
)

_MOMENTARY = (
    Quantity("power", "Power", Kind.POWER),
    Quantity("power_input_b1", "Power of input B1", Kind.POWER),
    Quantity("volume_flow", "Flow", Kind.VOLUME_FLOW),
    Quantity("volume_flow_2", "Flow V2", Kind.VOLUME_FLOW),
    Quantity("flow_temperature", "Flow temperature", Kind.TEMPERATURE),
    Quantity("return_temperature", "Return temperature", Kind.TEMPERATURE),
    Quantity("temperature_difference", "Temperature difference", Kind.TEMPERATURE_DIFFERENCE),
    Quantity("flow_temperature_one_decimal", "Flow temperature (one decimal)", Kind.TEMPERATURE),
    Quantity("return_temperature_one_decimal", "Return temperature (one decimal)", Kind.TEMPERATURE),
    Quantity(
        "temperature_difference_one_decimal",
        "Temperature difference (one decimal)",
        Kind.TEMPERATURE_DIFFERENCE,
    ),
    Quantity("temperature_t3", "Temperature T3", Kind.TEMPERATURE),
    Quantity("temperature_t4", "Temperature T4", Kind.TEMPERATURE),
    Quantity("water_temperature", "Water temperature", Kind.TEMPERATURE),
    Quantity("ambient_temperature", "Ambient temperature", Kind.TEMPERATURE),
    Quantity("flow_pressure", "Flow pressure", Kind.PRESSURE),
    Quantity("return_pressure", "Return pressure", Kind.PRESSURE),
    Quantity("cop", "Coefficient of performance", Kind.COUNT),
    Quantity("cop_month", "Month's coefficient of performance", Kind.COUNT),
    Quantity("cop_year", "Year's coefficient of performance", Kind.COUNT),
)


def _peaks() -> Iterator[Quantity]:
    """Highest and lowest flow and power of this day, month and year, with their dates."""
    for key, name, kind in (("volume_flow", "flow", Kind.VOLUME_FLOW), ("power", "power", Kind.POWER)):
        for extreme, word in (("maximum", "highest"), ("minimum", "lowest")):
            for period in ("month", "year"):
                peak, label = f"{key}_{extreme}_{period}", f"{period.capitalize()}'s {word} {name}"
                yield Quantity(peak, label, kind)
                yield Quantity(f"{peak}_date", f"{label}, date", Kind.DATE)
                yield Quantity(f"{peak}_time", f"{label}, time", Kind.TIME_OF_DAY)
    yield Quantity("volume_flow_maximum_day", "Today's highest flow", Kind.VOLUME_FLOW)
    yield Quantity("volume_flow_minimum_day", "Today's lowest flow", Kind.VOLUME_FLOW)


def _landis_gyr() -> Iterator[Quantity]:
    """What a T550 (UH50) tells of the year and of the year before: old totals are no totals that count on."""
    for side in ("Flow", "Return"):
        key = f"{side.lower()}_temperature_maximum"
        name = f"{side.lower()} temperature, highest"
        yield Quantity(f"{key}_year", f"Year's {name}", Kind.TEMPERATURE)
        yield Quantity(f"{key}_previous_year", f"Last year's {name}", Kind.TEMPERATURE)
    yield Quantity("heat_energy_previous_year", "Last set day, heat energy", Kind.ENERGY)
    yield Quantity("volume_previous_year", "Last set day, volume", Kind.VOLUME)
    yield Quantity("power_maximum_previous_year", "Last year's highest power", Kind.POWER)
    yield Quantity("volume_flow_maximum_previous_year", "Last year's highest flow", Kind.VOLUME_FLOW)
    yield Quantity("error_hours_previous_year", "Last set day, error hours", Kind.DURATION, diagnostic=True)


def _averages() -> Iterator[Quantity]:
    temperatures = (("flow_temperature", "flow temperature"), ("return_temperature", "return temperature"))
    for key, name in temperatures:
        for period in ("hour", "day", "month", "year", "interval"):
            yield _average(key, name, period, Kind.TEMPERATURE)
    for period in ("hour", "day"):
        yield _average("temperature_t3", "temperature T3", period, Kind.TEMPERATURE)
        yield _average("flow_pressure", "flow pressure", period, Kind.PRESSURE)
        yield _average("return_pressure", "return pressure", period, Kind.PRESSURE)


def _average(key: str, name: str, period: str, kind: Kind) -> Quantity:
    return Quantity(f"{key}_average_{period}", f"{period.capitalize()} average, {name}", kind)


def _flow_histogram() -> Iterator[Quantity]:
    """How much water went through at which flow, in thirteen ranges."""
    for number in range(1, 14):
        yield _total(f"volume_in_flow_range_{number}", f"Volume in flow range {number}", Kind.VOLUME)
        yield _setup(f"flow_range_{number}", f"Flow range {number}", Kind.VOLUME_FLOW)


_ABOUT_METER = (
    _about_meter("info_code", "Info code"),
    _about_meter("info_code_text", "Info code meaning", Kind.TEXT),
    _about_meter("info_bits", "Info bits"),
    _about_meter("water_info_code", "Info code (water)"),
    _about_meter("data_quality", "Data quality"),
    _about_meter("reported_problems", "Reported problems", Kind.TEXT),
    _total("info_event_count", "Info events", Kind.COUNT, diagnostic=True),
    _total("config_change_count", "Changes of configuration", Kind.COUNT, diagnostic=True),
    _total("operating_hours", "Operating hours", Kind.DURATION, diagnostic=True),
    _total("error_hours", "Error hours", Kind.DURATION, diagnostic=True),
    _total("flow_hours", "Hours with flow", Kind.DURATION, diagnostic=True),
    _about_meter("error_code", "Error code"),
    _about_meter("battery_remaining", "Battery remaining", Kind.DURATION),
    _about_meter("serial_number", "Serial number", Kind.TEXT, identifies=True),
    _about_meter("customer_number", "Customer number", Kind.TEXT, identifies=True),
    _about_meter("customer_number_low", "Low digits of customer number", Kind.TEXT, identifies=True),
    _about_meter("customer_number_high", "High digits of customer number", Kind.TEXT, identifies=True),
    _about_meter("meter_number_input_a", "Input A meter number", Kind.TEXT, identifies=True),
    _about_meter("meter_number_input_b", "Input B meter number", Kind.TEXT, identifies=True),
    _about_meter("din_meter_id", "DIN meter identification", Kind.TEXT, identifies=True),
    _setup("meter_type", "Meter type", Kind.TEXT),
    _setup("meter_type_text", "Meter type (text)", Kind.TEXT),
    _setup("type_number", "Type number", Kind.TEXT),
    _setup("program_number", "Program number"),
    _setup("config_number_1", "Configuration 1"),
    _setup("config_number_2", "Configuration 2"),
    _setup("config_number_3", "Configuration 3"),
    _setup("config_number_4", "Configuration 4"),
    _setup("config_number_xyz", "Configuration XYZ"),
    _setup("software_edition", "Software edition"),
    _setup("software_checksum", "Software checksum"),
    _setup("module_software_revision", "Module software revision"),
    _setup("operation_mode", "Operation mode"),
    _setup("top_module_id", "Top module identification"),
    _setup("base_module_id", "Base module identification"),
    _setup("base_module_id_2", "Base module 2 identification"),
    _setup("extension_module_id", "Extension module identification"),
    _setup("mbus_primary_address_module_1", "Module 1 M-Bus primary address"),
    _setup("mbus_secondary_address_module_1", "Module 1 M-Bus secondary address"),
    _setup("mbus_primary_address_module_2", "Module 2 M-Bus primary address"),
    _setup("mbus_secondary_address_module_2", "Module 2 M-Bus secondary address"),
    _setup("mbus_primary_address_extension_module", "Extension module M-Bus primary address"),
    _setup("mbus_secondary_address_extension_module", "Extension module M-Bus secondary address"),
    _setup("wireless_mbus_interval", "Wireless M-Bus transmission interval", Kind.DURATION),
    _setup("tariff_limit_2", "Limit of tariff 2", Kind.COUNT),
    _setup("tariff_limit_3", "Limit of tariff 3", Kind.COUNT),
    _setup("temperature_t5_limit", "Limit of temperature T5", Kind.TEMPERATURE),
    _setup("pulse_input_a_litres_per_pulse", "Input A litres per pulse", Kind.COUNT),
    _setup("pulse_input_b_litres_per_pulse", "Input B litres per pulse", Kind.COUNT),
    _setup("pulse_value_v1", "Pulse value of V1", Kind.COUNT),
    _setup("pulse_value_v2", "Pulse value of V2", Kind.COUNT),
    _setup("nominal_volume_flow", "Nominal flow", Kind.VOLUME_FLOW),
    _setup("nominal_volume_flow_2", "Nominal flow V2", Kind.VOLUME_FLOW),
    _setup("averaging_time", "Averaging time of peaks", Kind.DURATION),
    _about_meter("clock", "Time of day", Kind.TIME_OF_DAY),
    _about_meter("date", "Date", Kind.DATE),
    _about_meter("date_and_time", "Date and time", Kind.TIMESTAMP),
    _setup("target_date", "Target date", Kind.DATE),
    _setup("target_date_1", "Target date 1", Kind.DATE),
    _setup("target_date_2", "Target date 2", Kind.DATE),
)

HEAT: tuple[Quantity, ...] = (
    *_ENERGIES,
    *_VOLUMES,
    *_MOMENTARY,
    *_peaks(),
    *_landis_gyr(),
    *_averages(),
    *_flow_histogram(),
    *_ABOUT_METER,
)
