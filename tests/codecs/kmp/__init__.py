"""Tests of the KMP codec."""
