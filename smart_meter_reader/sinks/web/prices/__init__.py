"""Prices that others publish on MQTT topics: what they write, and who listens."""
