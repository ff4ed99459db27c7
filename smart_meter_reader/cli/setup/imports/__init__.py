"""The settings of other programs, and what becomes of each key."""
