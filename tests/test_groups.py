"""Tests of one group run in one process: with pytest 9.2, pytest-xdist 3.8 lost the groups without a word."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="all tests are in one process")
@pytest.mark.xdist_group("kept together")
def test_a_group_is_kept_together(request: pytest.FixtureRequest) -> None:
    # By this ending the tests are given out; without it each process makes what the group was to share.
    assert request.node.nodeid.endswith("@kept together")
