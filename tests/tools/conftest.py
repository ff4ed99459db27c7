"""The broker fixtures: `make_broker`, `certificates`."""

from tests.mosquitto import certificates, make_broker

__all__ = ["certificates", "make_broker"]
