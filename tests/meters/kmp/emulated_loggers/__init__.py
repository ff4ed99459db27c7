"""The loggers of emulated meters."""
