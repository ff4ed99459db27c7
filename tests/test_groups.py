"""Tests of one group run in one process, and one process collects for all: else only the time would show it.

With pytest 9.2, pytest-xdist 3.8 lost the groups without a word.
"""

from __future__ import annotations

import os

import pytest

from tests.workers import collected


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="all tests are in one process")
@pytest.mark.xdist_group("kept together")
def test_a_group_is_kept_together(request: pytest.FixtureRequest) -> None:
    # By this ending the tests are given out; without it each process makes what the group was to share.
    assert request.node.nodeid.endswith("@kept together")


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="all tests are in one process")
@pytest.mark.skipif("COVERAGE_PROCESS_CONFIG" in os.environ, reason="coverage.py measures no fork")
def test_this_process_is_a_fork_of_one_that_has_collected() -> None:
    assert collected.take_part is not None
