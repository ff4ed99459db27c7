"""Where readings go: Home Assistant, openHAB, JSON over MQTT, and their broker; tried at once."""

from __future__ import annotations

import asyncio
import re

from smart_meter_reader.cli.mqtt.test import tested
from smart_meter_reader.cli.setup.announced import (
    HOME_ASSISTANT,
    MQTT,
    THIS_COMPUTER,
    Neighbour,
    announced,
    answers_here,
)
from smart_meter_reader.cli.setup.draft import SettingsDraft
from smart_meter_reader.cli.setup.talk import Talk
from smart_meter_reader.cli.setup.toml_editing import TomlValue
from smart_meter_reader.console.checks import Level
from smart_meter_reader.drivers import imported
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.sinks.registry import sink_driver

_MQTT_SINKS = ("home_assistant", "homie", "mqtt_json")
_HOST = re.compile(r"([^\s/@:]+)(?::([0-9]{1,5}))?")
_URL = re.compile(r"https?://[^/\s@?#]+(/[^\s?#]*)?")


def choose_home_assistant(talk: Talk, draft: SettingsDraft) -> SettingsDraft:
    """The step: by MQTT discovery, by the REST API, or not."""
    by_mqtt, by_rest = draft.has_sink("home_assistant"), draft.has_sink("home_assistant_rest")
    options = [
        "over its MQTT broker: every meter becomes a device by itself",
        "over its REST API, without a broker: needs a token of Home Assistant",
        "not to Home Assistant",
    ]
    chosen = talk.choose("How", options, 0 if by_mqtt else 1 if by_rest else 2)
    if chosen != 0:
        draft = draft.without_sink("home_assistant")
    if chosen != 1:
        draft = draft.without_sink("home_assistant_rest")
    if chosen == 0 and not by_mqtt:
        draft = draft.put(("sinks", "home_assistant"), {})
    return _rest(talk, draft) if chosen == 1 else draft


def _rest(talk: Talk, draft: SettingsDraft) -> SettingsDraft:
    """The address and the token of Home Assistant, tried at once."""
    path = ("sinks", "home_assistant_rest")
    usual = str(draft.table(*path).get("url") or "http://homeassistant.local:8123")
    there = next((each for each in _announced(talk) if each.service == HOME_ASSISTANT), None)
    if there is not None and "url" not in draft.table(*path):
        usual = f"http://{there.host}:{there.port}"
    changed = draft
    while True:
        url = talk.ask("Its address", usual, _no_url)
        known = changed.has_secret(*path, "token")
        talk.say("The token: in Home Assistant, your profile, Security, Long-lived access tokens.")
        token = talk.secret("Token, empty for the one that is there" if known else "Token")
        changed = changed.put(path, {"url": url})
        if token:
            changed = changed.put_secrets(path, {"token": token})
        if _takes_token(talk, changed):
            return changed
        chosen = talk.choose("And now", ["change it", "keep it all the same", "go on without"])
        if chosen == 1:
            return changed
        if chosen == 2:
            return draft.without_sink("home_assistant_rest")
        usual = url


def _no_url(text: str) -> str:
    return "" if _URL.fullmatch(text) else "as in the browser, such as http://homeassistant.local:8123"


def _without_meter(talk: Talk, draft: SettingsDraft) -> bool:
    if draft.target.meters:
        return False
    talk.say("It is tried as soon as there is a meter.")
    return True


def _takes_token(talk: Talk, draft: SettingsDraft) -> bool:
    if _without_meter(talk, draft):
        return True
    try:
        sinks = draft.load().settings.sinks.values()
    except SettingsError as error:
        for problem in error.problems:
            talk.say(problem)
        return False

    async def examined() -> bool:
        good = True
        for sink in sinks:
            if sink.sink == "home_assistant_rest":
                async for check in imported(sink_driver(sink.sink).examine)(sink.name, sink.driver):
                    talk.say(check.text)
                    good = good and check.level <= Level.WARNING
        return good

    return asyncio.run(examined())


def choose_openhab(talk: Talk, draft: SettingsDraft) -> SettingsDraft:
    """The step: Homie, which openHAB finds by itself."""
    return _sink(talk, draft, "homie", "Publish for openHAB, by the convention Homie 4 over MQTT?")


def choose_json_topics(talk: Talk, draft: SettingsDraft) -> SettingsDraft:
    """The step: JSON for everything else that knows MQTT."""
    return _sink(
        talk, draft, "mqtt_json", "Publish JSON over MQTT, for Node-RED, ioBroker, Telegraf and others?"
    )


def _sink(talk: Talk, draft: SettingsDraft, kind: str, question: str) -> SettingsDraft:
    there = draft.has_sink(kind)
    wanted = talk.agree(question, default=there)
    if wanted == there:
        return draft
    return draft.put(("sinks", kind), {}) if wanted else draft.without_sink(kind)


def choose_broker(talk: Talk, draft: SettingsDraft) -> SettingsDraft:
    """The step: where the broker is and who we are there, tried at once as `mqtt test` does."""
    sinks = draft.table("sinks")
    shared = [
        name
        for name, table in sinks.items()
        if isinstance(table, dict) and table.get("type", name) in _MQTT_SINKS and "host" not in table
    ]
    if not shared:
        talk.say("None is needed.")
        return draft
    usual, changed = _usual_broker(talk, draft), draft
    while True:
        changed = _asked(talk, changed, usual)
        if _tried(talk, changed):
            return changed
        chosen = talk.choose("And now", ["change it", "keep it all the same", "go on without MQTT"])
        if chosen == 1:
            return changed
        if chosen == 2:
            for name in shared:
                draft = draft.without(("sinks", name))
            return draft
        usual = _address(changed)


def _usual_broker(talk: Talk, draft: SettingsDraft) -> str:
    """What stands there, else who announces itself, else Home Assistant's computer, else this one."""
    if "host" in draft.table("mqtt"):
        return _address(draft)
    found = _announced(talk)
    for service in (MQTT, HOME_ASSISTANT):
        for each in found:
            if each.service == service:
                return f"{each.host}:{each.port}" if service == MQTT else each.host
    return THIS_COMPUTER if answers_here() else ""


def _announced(talk: Talk) -> list[Neighbour]:
    found = announced()
    for each in found:
        what = "a broker" if each.service == MQTT else "Home Assistant"
        talk.say(f"  {each.name}: {what} at {each.host}:{each.port}")
    return found


def _address(draft: SettingsDraft) -> str:
    table = draft.table("mqtt")
    port = table.get("port", 0)
    return f"{table['host']}:{port}" if port else str(table["host"])


def _asked(talk: Talk, draft: SettingsDraft, usual: str) -> SettingsDraft:
    """With the answers to four questions: address, TLS, name, password."""
    table = draft.table("mqtt")
    wrong = "a name or address, and a port where it is not the usual one: 192.168.1.10:1883"
    answer = talk.ask(
        "Address of the broker",
        usual,
        lambda text: "" if (match := _HOST.fullmatch(text)) and int(match[2] or 1) <= 65535 else wrong,
    )
    match = _HOST.fullmatch(answer)
    assert match is not None
    values: dict[str, TomlValue] = {"host": match[1]}
    if match[2] or table.get("port"):
        values["port"] = int(match[2] or 0)
    tls = talk.agree("Does it speak TLS?", default=bool(table.get("tls", match[2] == "8883")))
    if tls or "tls" in table:
        values["tls"] = tls
    if tls and not table.get("insecure"):
        ca = talk.ask(
            "PEM file of its CA, - for those of this system", str(table.get("ca", "-")), lambda text: ""
        )
        if ca != "-":
            values["ca"] = ca
    username = talk.ask("Your user name there, - for no login", str(table.get("username") or "-"))
    if username == "-":
        draft = draft.put(("mqtt",), values).drop(("mqtt",), ("username", "password"))
        # What [default] has counts for others, too.
        return draft.put(("mqtt",), {"username": ""}) if draft.table("mqtt").get("username") else draft
    draft = draft.put(("mqtt",), {**values, "username": username})
    known = draft.has_secret("mqtt", "password")
    password = talk.secret("Password there, empty for the one that is set" if known else "Password there")
    return draft.put_secrets(("mqtt",), {"password": password}) if password else draft


def _tried(talk: Talk, draft: SettingsDraft) -> bool:
    if _without_meter(talk, draft):
        return True
    try:
        return tested(draft.load().settings)
    except SettingsError as error:
        for problem in error.problems:
            talk.say(problem)
        return False
