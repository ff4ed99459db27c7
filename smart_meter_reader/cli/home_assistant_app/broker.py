"""Asks the Supervisor which MQTT broker there is (developers.home-assistant.io, "Supervisor endpoints")."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

SUPERVISOR_SECONDS = 10.0
_LONGEST = 65_536
# What it answers while no app offers the service ("Service not enabled"), or where it knows of none.
_NONE = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})


class SupervisorError(Exception):
    """The Supervisor gives no usable answer; the text says what it said."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker, as the table ``mqtt`` of an environment."""

    settings: dict[str, Any] = field(repr=False)


def ask_for_broker(supervisor: str, token: str) -> Broker | None:
    """The broker that apps share; None when there is none. Blocks. Raises SupervisorError."""
    request = urllib.request.Request(  # noqa: S310 - the address is the Supervisor's
        f"{supervisor}/services/mqtt", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=SUPERVISOR_SECONDS) as answer:  # noqa: S310
            content = json.loads(answer.read(_LONGEST))
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in _NONE:
            return None
        raise SupervisorError(f"it answers with HTTP status {error.code}") from None
    except urllib.error.URLError as error:
        raise SupervisorError(f"it cannot be reached: {error.reason}") from None
    except HTTPException:
        raise SupervisorError("its answer is cut off or is no HTTP") from None
    except (OSError, ValueError, RecursionError):
        raise SupervisorError("its answer is cut off or is no JSON") from None
    return _broker(content)


def _broker(content: object) -> Broker | None:
    """``{"result": "ok", "data": {"host", "port", "ssl", "username", "password", "protocol"}}``."""
    data = content.get("data") if isinstance(content, Mapping) else None
    if not isinstance(data, Mapping):
        raise SupervisorError("its answer has no data")
    if not data.get("host"):
        return None
    host, port = _text(data, "host"), data.get("port", 0)
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port < 65_536:
        raise SupervisorError("the port in its answer is no number from 0 to 65535")
    login = {key: _text(data, key) for key in ("username", "password") if data.get(key)}
    return Broker({"host": host, "port": port, **({"tls": True} if data.get("ssl") else {}), **login})


def _text(data: Mapping[str, Any], key: str) -> str:
    """A text of the answer; what it is otherwise is not told, since it may be the password."""
    found = data[key]
    # Half a character, which JSON can have, stands in no file of settings.
    if not isinstance(found, str) or re.search("[\0\ud800-\udfff]", found):
        raise SupervisorError(f"the {key} in its answer is no text that can be used")
    return found
