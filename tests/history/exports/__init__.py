"""Tests of what is exported from a history."""
