"""Tests of what sinks share that store elsewhere."""
