"""Where the settings come from: settings.toml and .secrets.toml beside this file, and DYNACONF_ variables.

The tables are environments; the variable ENV_FOR_DYNACONF says which one runs. More about this object:
https://www.dynaconf.com/configuration/
"""

from pathlib import Path

from dynaconf import Dynaconf

_here = Path(__file__).parent

settings = Dynaconf(
    # Whole paths: for a bare name dynaconf also looks in the folders above.
    settings_files=[str(_here / "settings.toml"), str(_here / ".secrets.toml")],
    environments=True,
    envvar_prefix="DYNACONF",
)
