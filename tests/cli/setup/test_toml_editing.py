"""Files of settings changed as a person would: comments and order stay, and the meaning is what was meant."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.cli.init import starter
from smart_meter_reader.cli.setup.toml_editing import comment_out, remove_keys, remove_table, set_keys
from smart_meter_reader.exceptions import SettingsError

TEXT = """\
# mine
[home.mqtt]
host = "a"    # in the cellar

# what it is for
[home.sinks.homie]

[default.mqtt]
port = 1884
"""
STARTER = starter("settings.toml.template").decode()
VALUES = st.one_of(st.booleans(), st.integers(0, 65535), st.text(), st.lists(st.text(), max_size=3))
KEYS = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)


def test_a_key_that_is_there_keeps_its_remark() -> None:
    changed = set_keys(TEXT, ("home", "mqtt"), {"host": "b"}, "settings.toml")
    assert changed == TEXT.replace('"a"', '"b"')


def test_a_new_key_comes_behind_the_others_of_its_table() -> None:
    changed = set_keys(TEXT, ("home", "mqtt"), {"tls": True}, "settings.toml")
    assert changed == TEXT.replace("cellar\n", "cellar\ntls = true\n")


def test_a_new_table_comes_at_the_end() -> None:
    changed = set_keys(TEXT, ("home", "sinks", "web"), {"port": 8080}, "settings.toml")
    assert changed == f"{TEXT}\n[home.sinks.web]\nport = 8080\n"


def test_a_table_is_put_behind_signs_and_is_gone() -> None:
    changed = comment_out(TEXT, ("home", "sinks", "homie"), "settings.toml")
    assert changed == TEXT.replace("[home.sinks.homie]", "# [home.sinks.homie]")
    assert comment_out(changed, ("home", "sinks", "homie"), "settings.toml") == changed


def test_what_was_added_is_taken_out_without_a_trace() -> None:
    remark = "# a remark on it\n"
    changed = set_keys(TEXT, ("home", "sinks", "web"), {"port": 8080}, "settings.toml")
    changed = changed.replace("[home.sinks.web]", f"{remark}[home.sinks.web]")
    assert remove_table(changed, ("home", "sinks", "web"), "settings.toml") == TEXT


def test_keys_are_removed() -> None:
    text = '[home.mqtt]\nusername = "a"\npassword = "b"\n# the rest\n'
    removed = remove_keys(text, ("home", "mqtt"), ("password", "other"), ".secrets.toml")
    assert tomllib.loads(removed) == {"home": {"mqtt": {"username": "a"}}}
    assert removed.endswith("# the rest\n")


@pytest.mark.parametrize(
    "text", ['[home]\nmqtt = { host = "a" }\n', '[home]\nmqtt.host = "a"  # b\n', 'home.mqtt.host = "a"\n']
)
def test_tables_without_a_header_are_changed_too(text: str) -> None:
    changed = set_keys(text, ("home", "mqtt"), {"tls": True}, "settings.toml")
    assert tomllib.loads(changed) == {"home": {"mqtt": {"host": "a", "tls": True}}}
    assert "# b" in changed or "# b" not in text


def test_what_would_come_to_something_else_is_refused() -> None:
    text = '[home.mqtt]\nhost = """\n[home.mqtt]\n"""\n[[home.sinks]]\nname = "a"\n'
    with pytest.raises(SettingsError, match=r"\[home.sinks.homie\] cannot be changed as it is written there"):
        set_keys(text, ("home", "sinks", "homie"), {}, "settings.toml")


@given(st.sampled_from([TEXT, STARTER, ""]), st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_whatever_is_set_is_read_again(text: str, values: dict[str, bool | int | str | list[str]]) -> None:
    path = ("home", "mqtt")
    changed = set_keys(text, path, values, "settings.toml")
    found = tomllib.loads(changed)
    assert {key: found["home"]["mqtt"][key] for key in values} == values
    remarks = [line for line in text.splitlines() if line.startswith("#")]
    assert [line for line in changed.splitlines() if line.startswith("#")][: len(remarks)] == remarks
