"""The Homie validator objects to what the convention forbids; else its silence would prove nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.validators.homie import HomieValidator, Publish, fits

GOOD = {
    "$state": "init",
    "$homie": "4.0.0",
    "$name": "Heat meter",
    "$extensions": "org.homie.legacy-firmware:0.1.1:[4.x]",
    "$localip": "192.0.2.2",
    "$mac": "A1:B2:C3:D4:E5:F6",
    "$fw/name": "reader",
    "$fw/version": "1.0",
    "$nodes": "heat",
    "heat/$name": "Heat",
    "heat/$type": "heat",
    "heat/$properties": "power",
    "heat/power/$name": "Power",
    "heat/power/$datatype": "float",
    "heat/power/$unit": "kW",
    "heat/power": "7.60",
}


def traffic(topics: dict[str, str], *later: tuple[str, str]) -> list[Publish]:
    pairs = [*topics.items(), ("$state", "ready"), *later]
    return [Publish(f"homie/heat/{topic}", payload, 1, True) for topic, payload in pairs]


def problems(messages: list[Publish]) -> str:
    return "\n".join(HomieValidator().feed(messages).problems)


def test_good_traffic_passes() -> None:
    later = [("heat/power", "7"), ("$state", "alert"), ("$state", "ready"), ("$state", "disconnected")]
    assert problems(traffic(GOOD, *later)) == ""


@pytest.mark.parametrize(
    "missing", [topic for topic in GOOD if topic not in ("heat/power/$unit", "heat/power")]
)
def test_every_mandatory_topic_is_missed(missing: str) -> None:
    assert problems(traffic({topic: payload for topic, payload in GOOD.items() if topic != missing}))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"$homie": "3.0.1"}, "not 4.0.0"),
        ({"$name": ""}, "is empty"),
        ({"$state": "starting"}, "no state"),
        ({"$mac": "NoMAC"}, "no MAC address"),
        ({"$extensions": ""}, "is empty"),
        ({"$extensions": "firmware"}, "no extension that we know"),
        ({"$serial": "1"}, "no attribute"),
        ({"$fw/checksum": "1"}, "no attribute"),
        ({"heat/power/$datatype": "datetime"}, "no datatype"),
        ({"heat/power/$datatype": "enum"}, "without $format"),
        ({"heat/power": "7,6"}, "is no float"),
        ({"heat/flow_rate": "1"}, "illegal id"),
        ({"heat/power/$settable": "False"}, "no boolean"),
        ({"water/$name": "Water"}, "nothing that was declared"),
        ({"heat/power/part/more": "1"}, "no such level"),
    ],
)
def test_wrong_payloads(change: dict[str, str], complaint: str) -> None:
    assert complaint in problems(traffic(GOOD | change))


@pytest.mark.parametrize(
    ("later", "complaint"),
    [
        (("heat/$properties", "power,flow"), "structure changes in state ready"),
        (("heat/flow", "1"), "before its attributes"),
        (("heat/power", ""), "is no float"),
    ],
)
def test_wrong_order(later: tuple[str, str], complaint: str) -> None:
    assert complaint in problems(traffic(GOOD, later))
    gone = traffic(GOOD, ("$state", "disconnected"), ("heat/power", "1"))
    assert "in state 'disconnected'" in problems(gone)


def test_delivery() -> None:
    message = traffic(GOOD)[1]
    assert "QoS" in problems([replace(message, qos=0)])
    assert "not retained" in problems([replace(message, retain=False)])
    assert "illegal device id" in problems([replace(message, topic="homie/My_Meter/$name")])


@pytest.mark.parametrize(
    ("datatype", "good", "bad"),
    [
        ("integer", ["0", "-7", "9223372036854775807"], ["7.0", "", "+7", "9223372036854775808", " 7"]),
        ("float", ["7", "7.60", "-0.5", "1e-5", "2.5E+3"], ["", "7,6", "NaN", "inf", "7 ", "e5"]),
        ("boolean", ["true", "false"], ["True", "1", ""]),
        ("enum", ["online"], ["Online", "gone", ""]),
        ("string", ["", "anything"], []),
    ],
)
def test_payloads(datatype: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not fits(datatype, "online,offline", text)] == []
    assert [text for text in bad if fits(datatype, "online,offline", text)] == []
