"""Settings that somebody else can change: root refuses them, config.py being a program; others are warned."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.files.ownership import ROOT, Weakness, weakness


def examine_owners(directory: Path, names: Sequence[str], user: int | None = None) -> list[str]:
    """Lines to warn of files that other users can change; ``names`` are those in ``directory``.

    ``user`` is who reads them, None: this process. Raises SettingsError with such lines for root. What root
    alone can change on the way does not change afterwards either: what was examined is what is read.
    """
    user = os.geteuid() if user is None else user
    found = list(dict.fromkeys(_weaknesses(directory, names, ROOT | {user})))
    if user == 0 and found:
        raise SettingsError([_refusal(each, directory) for each in found])
    return [
        f"{each.place} can be changed by {each.who}, and so can what this program does; run: {each.mend}"
        for each in found
    ]


def _weaknesses(directory: Path, names: Sequence[str], trusted: frozenset[int]) -> Iterator[Weakness]:
    for path in (directory, *(directory / name for name in names)):
        found = weakness(path, trusted)
        if found is not None:
            yield found


def _refusal(found: Weakness, directory: Path) -> str:
    if found.place.parent == directory:
        advice = f"if its content is right, run: {found.mend}"
    else:
        advice = (
            "run this as the user whose settings they are, without sudo, or keep them where root alone can "
            "write, such as /etc/smart_meter_reader"
        )
    return f"{found.place} can be changed by {found.who}, and root would do what it says; {advice}"
