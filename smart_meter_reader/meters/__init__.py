"""Meters: a room for each family, with its client (one task a meter), emulator, probe and redaction."""
