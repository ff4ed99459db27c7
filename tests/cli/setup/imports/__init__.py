"""The settings of other programs."""
