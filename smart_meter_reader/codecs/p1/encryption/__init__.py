"""Encrypted telegrams: general-glo-ciphering, its keys, and the counters that tell repeated frames."""
