"""Fuzzing of the decoders, outside of the normal tests: see scripts/fuzz."""
