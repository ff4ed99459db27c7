"""The app's folder against the Supervisor's grammar and the rules of the community's linter.

Those are facts of home-assistant/supervisor (`addons/validate.py`, `options.py`) and
frenck/action-addon-linter (`config.schema.json`, `lint.py`): which keys there are, which must not be set to
their default, what is obsolete.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import pytest
from dynaconf.vendor.ruamel.yaml import YAML  # a whole one, without a package more

from smart_meter_reader import __version__
from smart_meter_reader.cli.home_assistant_app.options import INGRESS_PORT, tables_of
from smart_meter_reader.meters.registry import METERS
from tests.cli.program import ROOT

REPOSITORY = ROOT / "packaging" / "home_assistant"
APP = REPOSITORY / "smart_meter_reader"
LANGUAGES = ("da", "de", "en", "fr", "nl")
# Keys of which the linter wants that they are left out where they have this value.
DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(
        (
            *("advanced", "audio", "auth_api", "devicetree", "docker_api", "full_access", "gpio"),
            *("hassio_api", "homeassistant_api", "host_dbus", "host_ipc", "host_network", "host_pid"),
            *("host_uts", "ingress", "ingress_stream", "journald", "kernel_modules", "legacy", "realtime"),
            *("stdin", "tmpfs", "uart", "udev", "usb", "video"),
        ),
        False,
    ),
    **dict.fromkeys(("apparmor", "init", "panel_admin"), True),
    "backup": "hot",
    "boot": "auto",
    "hassio_role": "default",
    "ingress_port": 8099,
    "options": {},
    "panel_icon": "mdi:puzzle",
    "schema": {},
    "stage": "stable",
    "startup": "application",
    "timeout": 10,
    "ulimits": {},
}
OTHERS = {
    *("arch", "backup_exclude", "backup_pre", "backup_post", "breaking_versions", "description", "devices"),
    *("discovery", "environment", "homeassistant", "image", "ingress_entry", "machine", "map", "name"),
    *("panel_title", "ports", "ports_description", "privileged", "services", "slug", "url", "version"),
}
# The Supervisor's types of options, `?` for those that may be left out.
TYPE = re.compile(
    r"(str|password)(\(\d*,\d*\))?\??|(int|float)(\(-?[\d.]*,-?[\d.]*\))?\??|(bool|email|url|port)\??"
    r"|match\(.*\)\??|list\(.+\)\??|device(\(subsystem=[a-z]+\))?\??"
)


def loaded(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    found: dict[str, Any] = loaded(APP / "config.yaml")
    return found


def test_the_linter_would_find_nothing(config: dict[str, Any]) -> None:
    assert set(config) <= set(DEFAULTS) | OTHERS
    assert {"arch", "description", "name", "slug", "version"} <= set(config)
    assert not [key for key, default in DEFAULTS.items() if key in config and config[key] == default]
    assert set(config["arch"]) == {"aarch64", "amd64"}
    for service in config["services"]:
        assert re.fullmatch("(mqtt|mysql):(provide|want|need)", service)
    for folder in config["map"]:
        assert folder["type"] == "addon_config"
        assert set(folder) <= {"type", "read_only", "path"}
    assert isinstance(config["tmpfs"], bool)


def test_every_option_has_a_type_of_the_supervisor(config: dict[str, Any]) -> None:
    schema = dict(config["schema"])
    (meter,) = schema.pop("meters")
    for kind in (*schema.values(), *meter.values()):
        assert TYPE.fullmatch(kind), kind
    assert set(config["options"]) <= set(config["schema"])
    # What has no default has to be optional: the form would refuse to be saved.
    assert {key for key, kind in schema.items() if not kind.endswith("?")} <= set(config["options"])


def test_the_protocols_are_ours_and_the_page_is_where_it_is_looked_for(config: dict[str, Any]) -> None:
    (meter,) = config["schema"]["meters"]
    # All but those for trying things out.
    assert set(meter["client"][5:-1].split("|")) == set(METERS) - {"dummy", "replay"}
    assert config.get("ingress_port", DEFAULTS["ingress_port"]) == INGRESS_PORT
    assert config["version"] == __version__
    assert tables_of(config["options"], None, "").settings["sinks"]["web"]["port"] == INGRESS_PORT


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_is_explained_in_every_language(config: dict[str, Any], language: str) -> None:
    told = loaded(APP / "translations" / f"{language}.yaml")["configuration"]
    assert set(told) == set(config["schema"])
    fields = told["meters"].pop("fields")
    assert set(fields) == set(config["schema"]["meters"][0])
    for each in (*told.values(), *fields.values()):
        assert set(each) == {"name", "description"}
        assert all(isinstance(text, str) and text for text in each.values())


def test_the_folder_has_what_the_store_shows() -> None:
    assert set(loaded(REPOSITORY / "repository.yaml")) <= {"name", "url", "maintainer"}
    for name in ("DOCS.md", "README.md", "CHANGELOG.md", "Dockerfile", "apparmor.txt"):
        assert (APP / name).read_text("utf-8").strip()
    for name, size in (("icon.png", (128, 128)), ("logo.png", (250, 100))):
        head = (APP / name).read_bytes()[:24]
        assert head.startswith(b"\x89PNG")
        assert struct.unpack(">II", head[16:24]) == size


def test_profile_and_app_have_one_name(config: dict[str, Any]) -> None:
    assert f"profile {config['slug']} " in (APP / "apparmor.txt").read_text("utf-8")
