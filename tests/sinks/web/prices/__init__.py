"""Prices from MQTT topics."""
