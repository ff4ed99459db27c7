"""Tests of the family `sml`."""
