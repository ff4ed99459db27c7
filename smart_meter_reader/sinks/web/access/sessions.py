"""Who has logged in: sessions of browsers, how often a password may be tried, and tokens of programs.

Of a session only a hash is kept, here and in the file of the sink's memory: whoever reads that file cannot
log in with it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Mapping
from typing import Any

from smart_meter_reader.settings.values import Secret

# A household has fewer browsers; the oldest one has to log in again.
MOST_SESSIONS = 100
TRIES_A_MINUTE = 5
_MINUTE = 60.0


class LoginRate:
    """How often a password may be tried, by all together. Pure: the time is an argument."""

    def __init__(self) -> None:
        self._tries: deque[float] = deque(maxlen=TRIES_A_MINUTE)

    def take(self, now: float) -> bool:
        """Whether one more may be made now."""
        if len(self._tries) == TRIES_A_MINUTE and now - self._tries[0] < _MINUTE:
            return False
        self._tries.append(now)
        return True


class Sessions:
    """The sessions of browsers by the hash of their cookie, each with its end in seconds since 1970.

    Another password ends all of them.
    """

    def __init__(self, password: str, seconds: float) -> None:
        self._password = hashlib.sha256(password.encode()).hexdigest()
        self._seconds = seconds
        self._ends: dict[str, float] = {}

    def begin(self, now: float) -> str:
        """A new session; what the cookie holds."""
        cookie = secrets.token_urlsafe(32)
        self._ends[_hash(cookie)] = now + self._seconds
        while len(self._ends) > MOST_SESSIONS:
            del self._ends[min(self._ends, key=lambda each: self._ends[each])]
        return cookie

    def holds(self, cookie: str, now: float) -> bool:
        """Whether the cookie is of a session that has not ended."""
        key = _hash(cookie)
        end = self._ends.get(key)
        if end is not None and end <= now:
            del self._ends[key]
        return end is not None and end > now

    def end(self, cookie: str) -> None:
        """Somebody logs out."""
        self._ends.pop(_hash(cookie), None)

    @property
    def memory(self) -> Mapping[str, Any]:
        """What is worth knowing after a restart."""
        return {"password": self._password, "sessions": dict(self._ends)} if self._ends else {}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Take back what ``memory`` gave. Raises ValueError for what it never gave."""
        found = memory.get("sessions", {})
        if not isinstance(found, dict) or not all(isinstance(end, int | float) for end in found.values()):
            raise ValueError("sessions")
        if memory.get("password") == self._password:
            self._ends = dict(list(found.items())[-MOST_SESSIONS:])


def token_name(header: str, tokens: Mapping[str, Secret]) -> str:
    """Whose token an Authorization header holds; "" for nobody's."""
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "bearer":
        return ""
    # All are compared, each in constant time: how long it takes tells nothing.
    digest = hashlib.sha256(given.strip().encode("utf-8", "surrogatepass")).digest()
    found = [
        name
        for name, token in tokens.items()
        if hmac.compare_digest(hashlib.sha256(token.reveal().encode()).digest(), digest)
    ]
    return found[0] if found else ""


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()
