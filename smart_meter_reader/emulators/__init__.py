"""Emulated meters that speak their protocol over a real stream, with faults on demand."""
