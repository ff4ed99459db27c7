"""Tests of reading the loggers of KMP meters."""
