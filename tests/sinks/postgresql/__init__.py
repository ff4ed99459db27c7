"""Tests of the sink `postgresql`."""
