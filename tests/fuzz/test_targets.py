"""That the fuzzer itself works: every capture, whole and byte by byte, and a short round of damage."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import fuzz
from tests.fuzz.inputs import seeds
from tests.fuzz.targets import TARGETS, Pieces, protocol_of


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_round_finds_nothing(name: str) -> None:
    fuzz(TARGETS[name], seeds(), 25, protocol_of(name))


def test_what_is_raised_is_found_and_made_small() -> None:
    def breaks_at_a_brace(pieces: Pieces) -> None:
        if b"{" in b"".join(pieces):
            raise UnicodeDecodeError("ascii", b"{", 0, 1, "an error that is not ours")

    with pytest.raises(UnicodeDecodeError) as found:
        fuzz(breaks_at_a_brace, [b"a{b"], 200)
    assert any("pieces=" in note for note in found.value.__notes__)
