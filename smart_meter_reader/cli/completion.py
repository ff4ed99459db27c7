"""`completion`: the script that lets a shell complete commands, options and environments."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import click
from click.shell_completion import get_completion_class

from smart_meter_reader.console import COMPLETION_VARIABLE, EXIT_OK, PROGRAM

_PLACES: Mapping[str, str] = {
    "bash": f"~/.local/share/bash-completion/completions/{PROGRAM}",
    "zsh": f"a directory of your $fpath (it lists them: print -l $fpath), under the name _{PROGRAM}",
    "fish": f"~/.config/fish/completions/{PROGRAM}.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(tuple(_PLACES)))
def completion(shell: str) -> int:
    """Print the script that completes commands in your shell.

    Commands, options and the environments of settings.toml are completed with the Tab key.

    \b
    bash:  smart-meter-reader completion bash \\
             > ~/.local/share/bash-completion/completions/smart-meter-reader
    zsh:   smart-meter-reader completion zsh > DIRECTORY/_smart-meter-reader
           where DIRECTORY is one of $fpath
    fish:  smart-meter-reader completion fish \\
             > ~/.config/fish/completions/smart-meter-reader.fish

    The script is printed to standard output; where to put it is said on standard error.
    """
    from smart_meter_reader.cli.commands import cli

    script_of = get_completion_class(shell)
    assert script_of is not None
    click.echo(script_of(cli, {}, PROGRAM, COMPLETION_VARIABLE).source())
    print(f"Save this as {_PLACES[shell]}, then open a new shell.", file=sys.stderr)
    return EXIT_OK
