"""The step that writes: shows each file as it is to become, asks, and can put everything back."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smart_meter_reader.cli.init import STARTER_FILES, starter
from smart_meter_reader.cli.setup.draft import CONFIG, LOCAL, SECRETS, SETTINGS, SettingsDraft
from smart_meter_reader.cli.setup.talk import AgainError, Talk
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.service.steps import Step, difference, write_step

AGAIN = "begin again at the first step, with these answers, and change some"
_HIDDEN = "(not shown)"
_NAMES = (*(name for name, *_ in STARTER_FILES), LOCAL)


class SettingsFiles:
    """The files of one directory: as they were when the conversation began, and as it last left them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._before = {name: _content(directory / name) for name in _NAMES}
        self._last = dict(self._before)

    def write(self, talk: Talk, draft: SettingsDraft) -> SettingsDraft:
        """The step. Settings that cannot be used are not written: the person goes back."""
        try:
            loaded = draft.load()
        except SettingsError as error:
            if not draft.target.meters:
                talk.say("There is no meter yet, and without one there is nothing to write.")
            else:
                talk.say("This cannot be used yet:")
                for problem in error.problems:
                    talk.say(f"  {problem}")
            if talk.choose("And now", [AGAIN, "write nothing"]) == 0:
                raise AgainError from None
            return draft
        for warning in loaded.warnings:
            talk.say(f"warning: {warning}")
        steps = [step for step in self._steps(draft) if step.changed is not None]
        if not steps:
            talk.say("Nothing changes: the files say all this already.")
            return draft
        for step in steps:
            talk.show(step.shown)
        if not talk.agree("Write this?"):
            talk.say("Nothing was written.")
            return draft
        self._require_unchanged()
        for step in steps:
            step.do()
        self._last = {name: _content(self._directory / name) for name in _NAMES}
        talk.say("Written. `undo` puts the files back as they were.")
        return draft

    def hold(self, draft: SettingsDraft) -> bool:
        """Whether the files say what the draft does."""
        return all(step.changed is None for step in self._steps(draft))

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return self._last != self._before

    def put_back(self) -> None:
        """Every file as it was when the conversation began. Raises ServiceError."""
        for name, content in self._before.items():
            path = self._directory / name
            if content == self._last[name]:
                continue
            if content is None:
                path.unlink(missing_ok=True)
            else:
                write_step(_target(path), content, _mode(path, name), shown=name).do()
        self._last = dict(self._before)

    def _steps(self, draft: SettingsDraft) -> Iterator[Step]:
        texts = {SETTINGS: draft.settings, SECRETS: draft.secrets}
        for name, template, _ in STARTER_FILES:
            path = self._directory / name
            needed = name != SECRETS or draft.is_new or bool(tomllib.loads(draft.secrets))
            if not needed and self._last[name] is None:
                continue  # nobody needs a file without secrets
            if name in texts:
                content = texts[name].encode()
                shown = self._secrets_shown(draft) if name == SECRETS else difference(path, content)
                yield write_step(_target(path), content, _mode(path, name), shown)
            elif self._last[name] is None and (name == CONFIG or draft.is_new):
                yield write_step(path, starter(template), shown="(as `smart-meter-reader init` writes it)")

    def _secrets_shown(self, draft: SettingsDraft) -> str:
        """Which secrets change; none is shown."""
        before = tomllib.loads((self._last[SECRETS] or b"").decode())
        old, new = dict(_leaves(before, ())), dict(_leaves(tomllib.loads(draft.secrets), ()))
        lines = [
            f"[{'.'.join(path[:-1])}] {path[-1]} = {_HIDDEN}" for path in new if old.get(path) != new[path]
        ]
        lines += [f"without [{'.'.join(path[:-1])}] {path[-1]}" for path in old if path not in new]
        return "\n".join(lines) or "(no secrets)"

    def _require_unchanged(self) -> None:
        for name in (SETTINGS, LOCAL, SECRETS):
            if _content(self._directory / name) != self._last[name]:
                raise SettingsError(
                    [f"{name}: somebody has changed it meanwhile; nothing was written: start again"]
                )


def _leaves(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, (*path, key))
    else:
        yield path, node


def _target(path: Path) -> Path:
    """The file itself, where a link leads to it: the link stays."""
    return path.resolve() if path.is_symlink() else path


def _mode(path: Path, name: str) -> int:
    """As it is; a new file is for everybody to read, but for the secrets, which never are."""
    if name == SECRETS:
        return 0o600
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
