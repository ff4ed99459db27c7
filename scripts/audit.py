"""Asks a database of advisories about every version in poetry.lock. usage: audit.py [SERVICE]

SERVICE speaks the API of OSV (https://google.github.io/osv.dev/post-v1-querybatch/). It is sent names and
versions of the packages, nothing else. The exit code is 1 when a version that users get has an advisory; 0
when none has, and also when the service cannot be reached, which is said.
"""

import http.client
import json
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

SERVICE = "https://api.osv.dev"
TIMEOUT = 20.0
# No answer at all, one that breaks off or is no HTTP, and one that is another than the documented.
NO_ANSWER = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError)


def locked_packages(lock: Path) -> list[tuple[str, str, bool]]:
    """Name, version, and whether users get it, of every package in the lock."""
    content = tomllib.loads(lock.read_text(encoding="utf-8"))
    return [(entry["name"], entry["version"], "main" in entry["groups"]) for entry in content["package"]]


def advisories(service: str, packages: list[tuple[str, str, bool]]) -> list[list[str]]:
    """The ids of the advisories on each package, in order. Raises one of ``NO_ANSWER``."""
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version, _ in packages
    ]
    if not service.startswith(("https://", "http://")):
        raise ValueError("the service is no web address")
    request = urllib.request.Request(  # noqa: S310 - checked above
        f"{service}/v1/querybatch",
        data=json.dumps({"queries": queries}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - checked above
        results: list[dict[str, Any]] = json.load(answer)["results"]
    if len(results) != len(packages):
        raise ValueError("another number of answers than of questions")
    return [[str(advisory["id"]) for advisory in result.get("vulns", [])] for result in results]


def main(service: str = SERVICE) -> int:
    packages = locked_packages(Path("poetry.lock"))
    try:
        found = advisories(service, packages)
    except NO_ANSWER as error:
        reason = getattr(error, "reason", error)
        print(f"audit: left out, since {service} does not answer ({reason})", file=sys.stderr)
        return 0
    told = [
        f"audit: {name} {version}{'' if in_main else ' (development only)'}: {', '.join(ids)}"
        for (name, version, in_main), ids in zip(packages, found, strict=True)
        if ids
    ]
    print("\n".join(told) or f"audit: no advisories on the {len(packages)} packages of poetry.lock")
    return int(any(ids and in_main for (_, _, in_main), ids in zip(packages, found, strict=True)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
