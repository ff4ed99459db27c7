"""For all tests: Hypothesis measures no time, since a busy machine would fail tests that are right.

Variables that change how Python or the program works are removed, for the processes that tests start as well.
"""

import os
import signal

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# PYTHONUNBUFFERED, for one, hides what a full buffer does to the end of a process.
for name in list(os.environ):
    if (name.startswith("PYTHON") and name != "PYTHONPATH") or "DYNACONF" in name:
        del os.environ[name]

# A shell ignores Ctrl-C for what it runs in the background, and so would all that tests start there.
signal.signal(signal.SIGINT, signal.default_int_handler)
