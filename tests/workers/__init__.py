"""Processes that run tests: forks of one that has collected all of them."""
