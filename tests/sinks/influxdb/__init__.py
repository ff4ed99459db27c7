"""Tests of the sink `influxdb`."""
