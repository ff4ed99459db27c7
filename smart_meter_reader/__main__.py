"""Entry of ``python -m smart_meter_reader`` and of the console script: hands over to cli."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command line; without arguments run what the environment configures."""
    # Asks for a reading at once (see ``app``). Before anybody can obey, it must not end us.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    from smart_meter_reader.cli import main as command_line

    sys.exit(command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
