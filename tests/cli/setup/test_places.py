"""The last step of `setup` names a place for every kind of sink."""

from __future__ import annotations

from pathlib import Path

from smart_meter_reader.cli.setup.draft import SettingsDraft
from smart_meter_reader.cli.setup.starting import places
from smart_meter_reader.sinks.registry import SINKS

# What each kind cannot be without, and what is said of it.
NEEDED = {
    "home_assistant": ("", '"Heat meter"'),
    "home_assistant_rest": ('url = "http://ha.local:8123"', "http://ha.local:8123"),
    "homie": ("", "homie/heat"),
    "influxdb": (
        'api = "v2"\ndatabase = "house"\norg = "home"',
        "smart_meter in house at http://localhost:8086",
    ),
    "mqtt_json": ("", "smart-meter-reader/heat/state"),
    "nats": ('servers = ["hub-1"]\ntenant = "acme"\nsite = "hall"', "site hall of acme, by hub-1"),
    "postgresql": ("", "public.smart_meter in meters at localhost"),
    "history": ("", "history show"),
    "stdout": ("", "on the screen"),
    "web": ("", "http://127.0.0.1:8080/"),
}


def test_every_kind_of_sink_is_told_where_to_look(tmp_path: Path) -> None:
    assert set(NEEDED) == set(SINKS)
    sinks = "".join(f"\n[home.sinks.{kind}]\n{keys}\n" for kind, (keys, _) in NEEDED.items())
    meter = '[home.meters.heat]\nclient = "dummy"\n[home.mqtt]\nhost = "broker"\n'
    (tmp_path / "settings.toml").write_text(meter + sinks)
    secrets = '[home.sinks.home_assistant_rest]\ntoken = "t"\n[home.sinks.influxdb]\ntoken = "t"\n'
    (tmp_path / ".secrets.toml").write_text(secrets)
    (tmp_path / ".secrets.toml").chmod(0o600)
    said = "\n".join(places(SettingsDraft.of(tmp_path, None).load(), "on the screen"))
    for kind, (_, wanted) in NEEDED.items():
        assert wanted in said, kind
