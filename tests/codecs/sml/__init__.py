"""Tests of the SML codec."""
