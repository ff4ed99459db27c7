"""`history backup` and `history restore`: a copy of a history, and back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from smart_meter_reader.cli.history.place import existing_of, history_settings, path_for_restore
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.console import EXIT_DATA, EXIT_INTERRUPTED, EXIT_OK
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.console.output_file import check_writable
from smart_meter_reader.console.progress import progress_line
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.history.errors import DamagedHistoryError, HistoryBusyError
from smart_meter_reader.history.places import backup_file
from smart_meter_reader.history.storage.backups import BackupStoppedError, back_up, prune
from smart_meter_reader.history.storage.backups import restore as put_back
from smart_meter_reader.pipeline.environment_lock import AlreadyRunError, held

_KEEP = 2


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file; else one beside the history, named by the time.",
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=None,
    help=f"How many of those beside the history stay, the newest ones; 0: all.  [default: {_KEEP}]",
)
def backup(environment: str | None, output: Path | None, keep: int | None) -> int:
    """Write a copy of the history, also while the service runs.

    The copy is one file, checked, and there whole or not at all. It needs three times the size of the
    history as free room while it is made. The recent single readings are not in it.
    """
    if output is not None:
        if keep is not None:
            raise click.UsageError("--keep is for the backups beside the history, -o for one elsewhere")
        check_writable(output)
    settings = load_settings(environment=environment).settings
    path = existing_of(history_settings(settings), settings.environment)
    target = output or backup_file(path, datetime.now())  # noqa: DTZ005 - a file name for a person here
    with _interruptible(), progress_line("copying the history") as progress:
        back_up(path, target, progress)
    print(f"{target} is written: {target.stat().st_size / 1e6:.1f} MB")
    if output is None:
        for old in prune(path, _KEEP if keep is None else keep):
            print(f"{old.name} is deleted: --keep says how many stay")
    return EXIT_OK


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
def restore(file: Path, environment: str | None) -> int:
    """Put the backup FILE in the place of the history.

    FILE is checked first, and stays. The history that is there is set aside, not deleted. Stop the service
    before.
    """
    settings = load_settings(environment=environment).settings
    path = path_for_restore(history_settings(settings), settings.environment)
    if path.exists() and path.samefile(file):
        raise click.UsageError(f"{file} is the history itself: name a backup")
    try:
        with (
            _unless_run(settings.environment),
            _interruptible(),
            progress_line("copying the backup") as progress,
        ):
            aside = put_back(file, path, datetime.now(), progress)  # noqa: DTZ005 - a file name again
    except DamagedHistoryError as error:
        tell(error.detail)
        return EXIT_DATA
    print(f"{path} is what {file} was")
    if aside is not None:
        print(f"The one before is set aside as {aside.name}; delete it when all is well.")
    return EXIT_OK


@contextmanager
def _unless_run(environment: str) -> Iterator[None]:
    try:
        with held(environment, os.environ):
            yield
    except AlreadyRunError as error:
        who = error.detail.partition(":")[0]
        raise HistoryBusyError("history_in_use", f"{who}, and nothing was changed: stop it first") from None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends the command with its own exit code; what was begun is gone by then."""
    try:
        yield
    except (BackupStoppedError, KeyboardInterrupt):
        tell("stopped; nothing was changed")
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
