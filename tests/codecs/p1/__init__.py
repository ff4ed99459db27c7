"""Tests of the P1 codec."""
