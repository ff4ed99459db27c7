"""What is said to whoever may not open a port."""

from __future__ import annotations

import grp
from pathlib import Path

from smart_meter_reader.transport.ports import NO_GROUP, how_to_open, in_container


def test_in_a_container_the_group_is_given_from_outside() -> None:
    number = grp.getgrnam("dialout").gr_gid
    assert f"--group-add {number} " in how_to_open("dialout", contained=True)
    assert "--group-add keep-groups " in how_to_open(NO_GROUP, contained=True)
    assert "--group-add 4711 " in how_to_open("4711", contained=True)  # unknown inside, and known outside


def test_elsewhere_the_user_joins_the_group() -> None:
    assert "usermod -aG dialout" in how_to_open("dialout", contained=False)


def test_a_device_of_root_needs_another_owner() -> None:
    for contained in (True, False):
        assert "udev rule" in how_to_open("root", contained=contained)


def test_containers_are_known_by_a_file_or_a_variable(tmp_path: Path) -> None:
    mark = tmp_path / ".containerenv"
    assert not in_container({}, [str(mark)])
    assert not in_container({"container": "lxc"}, [str(mark)])
    assert in_container({"container": "podman"}, [str(mark)])
    mark.touch()
    assert in_container({}, [str(mark)])
