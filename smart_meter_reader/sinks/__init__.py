"""Sinks: one task per destination, from messages to the outside world."""
