"""Looks for advisories about every version in poetry.lock. usage: audit.py [--database FILE|DIR] [SERVICE]

SERVICE speaks the API of OSV (https://google.github.io/osv.dev/post-v1-querybatch/). It is sent names and
versions of the packages, nothing else. With --database nobody is asked: FILE is an export as OSV publishes it
(all.zip), or advisories as JSON, one or a list; DIR has such files. The exit code is 1 when a version that
users get has an advisory; 2 when the database cannot be used; 0 when there is none, and also when the service
cannot be reached, which is said.
"""

import argparse
import http.client
import json
import sys
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

SERVICE = "https://api.osv.dev"
TIMEOUT = 20.0
ECOSYSTEM = "PyPI"
# What stays in users' environments: our packages, and the pip that installed them.
FOR_USERS = {"main", "build"}
# No answer at all, one that breaks off or is no HTTP, and one that is another than the documented.
NO_ANSWER = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError)
# No such file, no zip, no JSON, nested without end.
NO_DATABASE = (OSError, zipfile.BadZipFile, ValueError, RecursionError)


class Package(NamedTuple):
    """One entry of poetry.lock."""

    name: str
    version: str
    for_users: bool


class DatabaseError(Exception):
    """The export cannot be used; the text says why."""


def locked_packages(lock: Path) -> list[Package]:
    """Every package in the lock."""
    content = tomllib.loads(lock.read_text(encoding="utf-8"))
    return [
        Package(entry["name"], entry["version"], not FOR_USERS.isdisjoint(entry["groups"]))
        for entry in content["package"]
    ]


def ask(service: str, packages: list[Package]) -> list[list[str]]:
    """The ids of the advisories on each package, in order. Raises one of ``NO_ANSWER``."""
    queries = [
        {"package": {"name": package.name, "ecosystem": ECOSYSTEM}, "version": package.version}
        for package in packages
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


def look_up(database: Path, packages: list[Package]) -> tuple[list[list[str]], str]:
    """The ids of the advisories on each package, in order, and what the database holds.

    Raises DatabaseError when it cannot be used.
    """
    found: list[set[str]] = [set() for _ in packages]
    count, newest = 0, ""
    for advisory in advisories(database):
        concerned = [each for each in tables(advisory, "affected") if about_us(each)]
        if not concerned:
            continue
        count, newest = count + 1, max(newest, str(advisory.get("modified", "")))
        if advisory.get("withdrawn"):
            continue
        for package, ids in zip(packages, found, strict=True):
            if any(concerns(affected, package) for affected in concerned):
                ids.add(str(advisory.get("id")))
    if not count:
        raise DatabaseError(f"no advisory about a package of {ECOSYSTEM} is in it")
    return [sorted(ids) for ids in found], f"{count} advisories, the newest of {newest[:10]}"


def advisories(database: Path) -> Iterator[dict[str, Any]]:
    """Every advisory in a file or directory. Raises DatabaseError."""
    files = sorted(database.rglob("*")) if database.is_dir() else [database]
    for file in files:
        try:
            if file.suffix == ".zip":
                with zipfile.ZipFile(file) as archive:
                    for name in archive.namelist():
                        if name.endswith(".json"):
                            yield from records(json.loads(archive.read(name)))
            elif file == database or file.suffix == ".json":
                yield from records(json.loads(file.read_bytes()))
        except NO_DATABASE as error:
            raise DatabaseError(f"{file} cannot be used ({error})") from None


def records(content: Any) -> list[dict[str, Any]]:
    """The advisories in one file: it is one, or has a list of them, as answers of the service do."""
    listed = content.get("vulns", [content]) if isinstance(content, dict) else content
    if not isinstance(listed, list) or not all(isinstance(each, dict) and "id" in each for each in listed):
        raise ValueError("this is no advisory in the format of OSV")
    return listed


def tables(content: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects of a list that may be missing."""
    return [each for each in content.get(key) or [] if isinstance(each, dict)]


def about_us(affected: dict[str, Any]) -> bool:
    """Whether it is about a package of our ecosystem."""
    package = affected.get("package")
    return isinstance(package, dict) and str(package.get("ecosystem")).partition(":")[0] == ECOSYSTEM


def concerns(affected: dict[str, Any], package: Package) -> bool:
    """Whether this version is affected, by OSV's rule: it is listed, or lies in a range.

    A version that cannot be compared counts: a person has to look.
    """
    if canonicalize_name(str(affected["package"].get("name"))) != canonicalize_name(package.name):
        return False
    if package.version in (affected.get("versions") or []):
        return True
    ranges = [each for each in tables(affected, "ranges") if each.get("type") in ("ECOSYSTEM", "SEMVER")]
    try:
        return any(in_range(Version(package.version), tables(each, "events")) for each in ranges)
    except InvalidVersion:
        return True


def in_range(version: Version, events: list[dict[str, Any]]) -> bool:
    """https://ossf.github.io/osv-schema/#evaluation"""
    steps = [(kind, str(text)) for event in events for kind, text in event.items()]
    limits = [text for kind, text in steps if kind == "limit"]
    if limits and not any(text == "*" or version < Version(text) for text in limits):
        return False
    affected = False
    for kind, text in sorted(steps, key=lambda step: Version("0" if step[1] == "*" else step[1])):
        if kind == "introduced" and (text == "0" or version >= Version(text)):
            affected = True
        elif (kind == "fixed" and version >= Version(text)) or (
            kind == "last_affected" and version > Version(text)
        ):
            affected = False
    return affected


def report(packages: list[Package], found: list[list[str]], source: str) -> int:
    """Tell what was found; the exit code."""
    told = [
        f"audit: {name} {version}{'' if for_users else ' (development only)'}: {', '.join(ids)}"
        for (name, version, for_users), ids in zip(packages, found, strict=True)
        if ids
    ]
    print("\n".join(told) or f"audit: no advisories on the {len(packages)} packages of poetry.lock{source}")
    return int(any(ids and package.for_users for package, ids in zip(packages, found, strict=True)))


def main() -> int:
    parser = argparse.ArgumentParser(usage=(__doc__ or "").partition("usage: ")[2].partition("\n")[0])
    parser.add_argument("service", nargs="?", default=SERVICE, metavar="SERVICE")
    parser.add_argument("--database", type=Path, metavar="FILE|DIR")
    arguments = parser.parse_args()
    packages = locked_packages(Path("poetry.lock"))
    if arguments.database:
        try:
            found, holds = look_up(arguments.database, packages)
        except DatabaseError as error:
            print(f"audit: {arguments.database}: {error}", file=sys.stderr)
            return 2
        return report(packages, found, f" ({arguments.database}: {holds})")
    try:
        found = ask(arguments.service, packages)
    except NO_ANSWER as error:
        reason = getattr(error, "reason", error)
        print(f"audit: left out, since {arguments.service} does not answer ({reason})", file=sys.stderr)
        return 0
    return report(packages, found, "")


if __name__ == "__main__":
    sys.exit(main())
