"""DLMS as meters push it."""
