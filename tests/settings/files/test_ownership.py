"""Who could change a file: owners and modes on the whole way, links followed as the kernel does."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from smart_meter_reader.settings.files.ownership import weakness, weaknesses_below
from tests.peers.owners import STRANGER, TRUSTED, give_away, own


def tree(folder: Path) -> Path:
    """A file three directories down."""
    file = folder / "a" / "b" / "file"
    file.parent.mkdir(parents=True)
    file.write_text("x")
    return file


def strangers(file: Path) -> None:
    give_away(file)


def strangers_directory(file: Path) -> None:
    give_away(file.parent)


def strangers_directory_above(file: Path) -> None:
    give_away(file.parent.parent)


@pytest.mark.parametrize("spoil", [strangers, strangers_directory, strangers_directory_above])
def test_what_another_user_owns_on_the_way_is_found(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    file = tree(tmp_path)
    assert weakness(file, own()) is None
    spoil(file)
    found = weakness(file, TRUSTED)
    assert found is not None
    assert found.who.startswith("user ")
    assert found.mend.startswith("sudo chown root: ")


@pytest.mark.parametrize("place", ["a", "a/b", "a/b/file"])
def test_what_every_user_may_write_is_found(tmp_path: Path, place: str) -> None:
    file = tree(tmp_path)
    (tmp_path / place).chmod(0o777)
    found = weakness(file, own())
    assert found is not None
    assert (found.place, found.who) == (tmp_path / place, "every user")
    assert found.mend == f"sudo chmod go-w '{tmp_path / place}'"


def test_a_name_that_a_stranger_has_chosen_stays_one_word_to_a_shell(tmp_path: Path) -> None:
    place = tmp_path / "a'; touch b '"
    place.mkdir()
    place.chmod(0o777)
    found = weakness(place / "file", own())
    assert found is not None
    assert shlex.split(found.mend) == ["sudo", "chmod", "go-w", str(place)]


def test_a_sticky_directory_is_passed_but_is_no_place_of_ones_own(tmp_path: Path) -> None:
    file = tree(tmp_path)
    file.parent.chmod(0o1777)
    assert weakness(file, own()) is None
    assert weakness(file.parent, own()) is not None
    assert weakness(file.parent / "not there", own()) is not None, "anybody could put it there"


def test_a_file_that_is_not_there_is_nobodys(tmp_path: Path) -> None:
    assert weakness(tree(tmp_path).parent / "not there", own()) is None


def test_links_are_followed_step_by_step(tmp_path: Path) -> None:
    file = tree(tmp_path)
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    link = open_to_all / "link"
    link.symlink_to("../a/b")
    (tmp_path / "way").symlink_to(link)
    assert weakness(tmp_path / "way" / "file", own()) is None
    open_to_all.chmod(0o777)
    found = weakness(tmp_path / "way" / "file", own())
    assert found is not None
    assert found.place == open_to_all
    assert weakness(tmp_path / "open" / ".." / "a" / "b" / "file", own()) is not None
    assert weakness(file, own()) is None


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    assert weakness(tmp_path / "one", own()) is None  # whoever opens it is told


def test_a_stranger_s_link_is_found_wherever_it_leads(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/etc/passwd")
    assert weakness(link, own()) is None
    give_away(link)
    found = weakness(link, TRUSTED)
    assert found is not None
    assert found.who.startswith("user ")


def test_a_group_s_write_permission_counts_for_root(tmp_path: Path) -> None:
    """Distributions give each user a group of his own, and umask 002; of root's files only root's may be."""
    file = tree(tmp_path)
    file.chmod(0o664)
    if os.geteuid() == 0:
        assert weakness(file, TRUSTED) is None, "group root"
        os.chown(file, 0, STRANGER)
        found = weakness(file, TRUSTED)
        assert found is not None
        assert found.who == f"group {STRANGER}"
    assert weakness(file, {0, STRANGER}) is None or os.geteuid() != 0
    assert weakness(file, own() | {STRANGER}) is None


def test_a_whole_tree_is_examined_and_what_its_links_lead_to(tmp_path: Path) -> None:
    program, elsewhere = tree(tmp_path / "program"), tree(tmp_path / "elsewhere")
    (program.parent / "package").symlink_to(elsewhere.parent)
    top = tmp_path / "program"
    assert list(weaknesses_below(top, own())) == []
    elsewhere.chmod(0o666)
    assert [found.place for found in weaknesses_below(top, own())] == [elsewhere]
    program.chmod(0o602)
    assert {found.place for found in weaknesses_below(top, own())} == {elsewhere, program}
    assert stat.S_IMODE(top.stat().st_mode) & 0o022 == 0
    (program.parent / "back").symlink_to(top)  # a circle
    assert {found.place for found in weaknesses_below(top, own())} == {elsewhere, program}


def test_folders_that_cannot_be_imported_from_are_passed_over(tmp_path: Path) -> None:
    """What git keeps of a clone may belong to whoever was cloned from: its files are hard links then."""
    tree(tmp_path / "program")
    hidden = tree(tmp_path / "program" / ".git")
    hidden.chmod(0o666)
    assert list(weaknesses_below(tmp_path / "program", own())) == []
