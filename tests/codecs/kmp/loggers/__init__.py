"""Tests of the loggers of KMP meters."""
