"""Who else could change a file: the owners and modes of everything on the way to it, links included.

Whoever may write to a file, to the directory it lies in, to one further up, or owns a link on the way,
decides what is read there. The rules are those of sshd for its keys, but that a sticky directory such as
/tmp may be passed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from smart_meter_reader.files import user_name
from smart_meter_reader.text import in_quotes

ROOT = frozenset({0})
# As many as the kernel follows.
_MOST_LINKS = 40
_ACL = "system.posix_acl_access"


@dataclass(frozen=True, slots=True)
class Weakness:
    """A place that somebody else can change: who that is ("user me"), and the command that ends it."""

    place: Path
    who: str
    mend: str


def weakness(path: Path, trusted: Set[int]) -> Weakness | None:
    """The first place on the way to ``path`` that others than the users ``trusted`` can change.

    None also when there is no such file and nobody else could put one there. Of an ordinary user the groups
    are taken for his own, as distributions make them; of root only group 0 is.
    """
    found = list(_places(path))
    # Where root is not known, as in a user namespace, the owner of / stands in for it.
    owners = trusted | {found[0][1].st_uid}
    for place, status in found:
        if status.st_uid not in owners:
            return Weakness(place, f"user {user_name(status.st_uid)}", _chown(place, status, trusted))
        # In a sticky directory each entry stays its owner's; but whoever likes can put new ones there.
        passed = place != found[-1][0] and bool(status.st_mode & stat.S_ISVTX)
        if not stat.S_ISLNK(status.st_mode) and not passed and _is_open(place, status, trusted):
            who = "every user" if status.st_mode & stat.S_IWOTH else f"group {status.st_gid}"
            return Weakness(place, who, f"sudo chmod go-w {in_quotes(place)}")
    return None


def weaknesses_below(top: Path, trusted: Set[int]) -> Iterator[Weakness]:
    """What others can change in a whole tree: the way to it, all in it, and what its links lead to.

    Hidden folders in it are passed over: nothing can be imported from them, and what git keeps in one may be
    of whoever has cloned.
    """
    waiting, seen = [top], set[Path]()
    while waiting:
        tree = waiting.pop()
        found = weakness(tree, trusted)
        if found is not None:
            yield found
            continue  # whoever has the top has all
        seen.add(tree.resolve())
        for folder, directories, files in os.walk(tree.resolve()):
            directories[:] = [name for name in directories if not name.startswith(".")]
            # No Path for each of thousands of files: making one takes five times what looking at it does.
            for place in (f"{folder}/{name}" for name in (*directories, *files)):
                found, target = _in_tree(place, trusted)
                if found is not None:
                    yield found
                elif target is not None and not any(target.is_relative_to(known) for known in seen):
                    waiting.append(target)


def _in_tree(place: str, trusted: Set[int]) -> tuple[Weakness | None, Path | None]:
    """As ``weakness``, the way to ``place`` being known; and the directory that a link leads to."""
    try:
        status = os.lstat(place)
    except FileNotFoundError:
        return None, None  # gone since it was listed
    link = stat.S_ISLNK(status.st_mode)
    if not link and status.st_uid in trusted and not _is_open(place, status, trusted):
        return None, None  # thousands of files take no time so
    path = Path(place)
    found = weakness(path, trusted)
    return found, path.resolve() if link and found is None and path.is_dir() else None


def _places(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Each directory and link that the kernel goes through to ``path``, and its end, as far as they exist."""
    waiting = list(reversed(path.absolute().parts[1:]))
    here, links = Path("/"), 0
    yield here, here.lstat()
    while waiting:
        name = waiting.pop()
        if name == "..":
            here = here.parent
            continue
        there = here / name
        try:
            status = there.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return
        yield there, status
        if not stat.S_ISLNK(status.st_mode):
            here = there
            continue
        links += 1
        if links > _MOST_LINKS:
            return  # whoever opens it is told so
        target = there.readlink()
        if target.is_absolute():
            here = Path("/")
        waiting += reversed(target.parts[1:] if target.is_absolute() else target.parts)


def _is_open(place: Path | str, status: os.stat_result, trusted: Set[int]) -> bool:
    """Whether more than the owner may write there."""
    if status.st_mode & stat.S_IWOTH:
        return True
    if trusted - ROOT or not status.st_mode & stat.S_IWGRP:
        return False
    # The group's bits tell what anybody has got by an access control list, too.
    return status.st_gid != 0 or _has_acl(place)


def _has_acl(place: Path | str) -> bool:
    try:
        return _ACL in os.listxattr(place, follow_symlinks=False)
    except OSError:
        return False  # a file system without


def _chown(place: Path, status: os.stat_result, trusted: Set[int]) -> str:
    owner = "root" if trusted == ROOT else user_name(max(trusted))
    link = "-h " if stat.S_ISLNK(status.st_mode) else ""
    return f"sudo chown {link}{owner}: {in_quotes(place)}"
