"""Encrypted telegrams: frames of general-glo-ciphering, their keys, and the counters that tell repeated ones."""
