"""What the container of the app runs: options to settings, the same `check`, then the service."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn, Self

from smart_meter_reader.cli.home_assistant_app.broker import Broker, SupervisorError, ask_for_broker
from smart_meter_reader.cli.home_assistant_app.options import (
    ENVIRONMENT,
    INGRESS_PORT,
    as_options,
    page_table,
    tables_of,
    toml_of,
)
from smart_meter_reader.cli.home_assistant_app.user import become_user, give_to_user
from smart_meter_reader.console import EXIT_SETTINGS
from smart_meter_reader.console.environments import environments
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.files import read_small, write_whole
from smart_meter_reader.settings.files.toml_text import decode_text, read_toml

_FILES = ("config.py", "settings.toml", ".secrets.toml")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the Supervisor hands over, and where. The variables are for trying it out elsewhere."""

    data: Path
    own: Path  # the folder in which somebody may write a settings.toml
    place: Path  # where the settings are put together
    supervisor: str
    token: str = field(repr=False)
    page_port: int
    keeps_root: bool

    @classmethod
    def of(cls, variables: MutableMapping[str, str]) -> Self:
        """Takes the token away: the service has no use for it, but as it stands in its settings."""
        return cls(
            Path(variables.get("APP_DATA", "/data")),
            Path(variables.get("APP_CONFIG", "/config")),
            Path(variables.get("APP_SETTINGS", "/run/smart_meter_reader")),
            variables.get("APP_SUPERVISOR", "http://supervisor"),
            variables.pop("SUPERVISOR_TOKEN", ""),
            int(variables.get("APP_PAGE_PORT", INGRESS_PORT)),
            os.geteuid() != 0 or variables.get("APP_USER") == "root",
        )


def main() -> None:
    """Write the settings, check them, and become the service. Exits with 78 when they cannot be used."""
    variables = os.environ
    around = Surroundings.of(variables)
    broker = _broker(around)
    shutil.rmtree(around.place, ignore_errors=True)
    around.place.mkdir(mode=0o700, parents=True)
    try:
        if (around.own / "settings.toml").is_file():
            _say(f"{around.own / 'settings.toml'} is used, and nothing of the options")
            environment = _take_own(around, broker, variables)
        else:
            environment = _take_options(around, broker)
    except SettingsError as error:
        _refuse(*error.problems)
    except (ValueError, OSError) as error:
        _refuse(str(error))
    variables.setdefault("STATE_DIRECTORY", str(around.data))
    if not around.keeps_root:
        give_to_user([around.place, around.data])
        become_user()
    os.chdir(around.place)
    _check(environment)
    alone = ["-I"] if sys.flags.isolated else []
    os.execv(  # noqa: S606 - this program again, without what was needed only until here
        sys.executable, [sys.executable, *alone, "-m", "smart_meter_reader", "run", environment]
    )


def _broker(around: Surroundings) -> Broker | None:
    try:
        return ask_for_broker(around.supervisor, around.token)
    except SupervisorError as error:
        _say(f"the Supervisor does not tell of a broker: {error}")
        return None


def _take_options(around: Surroundings, broker: Broker | None) -> str:
    """Write what the options mean; the environment. Raises ValueError and OSError."""
    tables = tables_of(_options(around.data / "options.json"), broker, around.token, around.page_port)
    if not tables.settings["meters"]:
        raise ValueError(f"option meters: add a meter. {_ports()}")
    for remark in tables.remarks:
        _say(remark)
    write_whole(around.place / "config.py", _template())
    write_whole(around.place / "settings.toml", toml_of(tables.settings))
    write_whole(around.place / ".secrets.toml", toml_of(tables.secrets))
    return ENVIRONMENT


def _options(path: Path) -> dict[str, Any]:
    """What the Supervisor wrote of the form. Raises ValueError, and OSError."""
    try:
        options = json.loads(read_small(path))
        json.dumps(options, ensure_ascii=False).encode()  # half a character is no UTF-8
    except (ValueError, RecursionError):
        raise ValueError(f"{path}: it is no JSON; save the options of the app once more") from None
    if not isinstance(options, dict):
        raise ValueError(f"{path}: it holds no options; save the options of the app once more")
    return options


def _take_own(around: Surroundings, broker: Broker | None, variables: MutableMapping[str, str]) -> str:
    """Take the files of somebody who writes settings.toml; the environment.

    Raises SettingsError, ValueError and OSError.
    """
    for name in _FILES:
        if (around.own / name).is_file():
            write_whole(around.place / name, decode_text(read_small(around.own / name), name))
    if not (around.place / "config.py").exists():
        write_whole(around.place / "config.py", _template())
    written = read_toml(around.place / "settings.toml")
    tables = {name: table for name, table in written.items() if isinstance(table, dict)}
    extra = {f"SINKS__web__{key}": value for key, value in page_table(around.page_port).items()}
    if broker is not None and not any("mqtt" in table for table in tables.values()):
        extra |= {f"MQTT__{key}": value for key, value in broker.settings.items()}
    variables.update({f"DYNACONF_{key}": json.dumps(value) for key, value in extra.items()})
    names = environments(around.place)
    return variables.get("ENV_FOR_DYNACONF") or (names[0] if len(names) == 1 else ENVIRONMENT)


def _check(environment: str) -> None:
    """As `check`, before anything runs: what is wrong is told in the words of the form."""
    from smart_meter_reader.cli.settings import load_settings

    try:
        load_settings(environment=environment)
    except SettingsError as error:
        _refuse(*as_options(error.problems))


def _template() -> str:
    return (
        resources.files("smart_meter_reader").joinpath("templates", "config.py.template").read_text("utf-8")
    )


def _ports() -> str:
    """The serial ports that there are, for whoever looks for a name."""
    from smart_meter_reader.transport.ports import serial_ports

    names = [port.by_id or port.device for port in serial_ports()]
    return f"Serial ports here: {', '.join(names)}" if names else "There is no serial port here: plug it in"


def _refuse(*problems: str) -> NoReturn:
    for problem in problems:
        _say(problem)
    _say("nothing is read until this is put right in the app's configuration; then start it again")
    sys.exit(EXIT_SETTINGS)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
