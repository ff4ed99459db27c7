"""The addresses that this computer tells of itself are real ones of an interface."""

from __future__ import annotations

import re
import socket

import pytest

from smart_meter_reader.sinks.homie import own_address
from smart_meter_reader.sinks.homie.own_address import LOOPBACK_IP, NO_MAC, local_ip, mac_address


def test_the_address_is_one_of_ours() -> None:
    with socket.socket() as ours:
        ours.bind((local_ip(), 0))  # refused for an address of somebody else


def test_the_mac_is_that_of_the_interface() -> None:
    assert re.fullmatch("([0-9A-F]{2}:){5}[0-9A-F]{2}", mac_address(local_ip()))
    assert mac_address(LOOPBACK_IP) == NO_MAC
    assert mac_address("203.0.113.1") == NO_MAC


def test_without_a_network_there_is_still_the_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    # "Cannot assign requested address", as without a route.
    monkeypatch.setattr(own_address, "_ELSEWHERE", ("255.255.255.255", 9))
    assert local_ip() == LOOPBACK_IP
