"""What avahi-browse prints, and what anybody in the network could make it print."""

from __future__ import annotations

import pytest

from smart_meter_reader.cli.setup.announced import HOME_ASSISTANT, MQTT, Neighbour, parse_announced


def test_brokers_and_home_assistants_are_found() -> None:
    text = (
        "+;eth0;IPv4;Mosquitto;_mqtt._tcp;local\n"
        '=;eth0;IPv6;Mosquitto;_mqtt._tcp;local;pi.local;fe80::1;1883;""\n'
        '=;eth0;IPv4;Mosquitto\\032on\\032pi;_mqtt._tcp;local;pi.local;192.168.1.5;1883;"a;b"\n'
        '=;eth0;IPv4;Home;_home-assistant._tcp;local;ha.local;192.168.1.6;8123;"base_url=http://x"\n'
    )
    assert list(parse_announced(text)) == [
        Neighbour(MQTT, "Mosquitto\\032on\\032pi", "192.168.1.5", 1883),
        Neighbour(HOME_ASSISTANT, "Home", "192.168.1.6", 8123),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "",
        ";;;;;;;;;",
        "=;eth0;IPv4;x;_mqtt._tcp;local;pi.local;192.168.1.5;",
        "=;eth0;IPv4;x;_mqtt._tcp;local;pi.local;$(reboot);1883;",
        "=;eth0;IPv4;x;_mqtt._tcp;local;pi.local;192.168.1.5\n;1883;",
        "=;eth0;IPv4;x;_mqtt._tcp;local;pi.local;192.168.1.5;٣;",
        "=;eth0;IPv4;x;_ssh._tcp;local;pi.local;192.168.1.5;22;",
    ],
)
def test_what_is_no_address_is_left_out(line: str) -> None:
    assert list(parse_announced(line)) == []


def test_a_name_cannot_steer_the_terminal() -> None:
    (found,) = parse_announced("=;eth0;IPv4;\x1b[2J;_mqtt._tcp;local;pi.local;192.168.1.5;1883;")
    assert found.name.isprintable()
