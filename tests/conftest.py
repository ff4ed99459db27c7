"""For all tests: Hypothesis measures no time, since a busy machine would fail tests that are right."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
