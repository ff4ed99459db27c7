"""Assembles Debian packages: the locked wheels and our own, with unit, settings, man page. Run by build-deb.

What a package holds and its scripts are in packaging/debian/. Nothing of the machine that builds gets in: a
package for another release of Debian, or another kind of computer, is made as well.
"""

import argparse
import fcntl
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from email.utils import formatdate
from pathlib import Path
from typing import Any

from locked_requirements import Target, has_wheel, requirement, wanted_by

ROOT = Path(__file__).parent.parent
DEBIAN = ROOT / "packaging" / "debian"
PACKAGE = ROOT / "smart_meter_reader"
HOME = "usr/lib/smart-meter-reader"
SETTINGS = "etc/smart_meter_reader"
# Of a package that nobody has published; who does says --maintainer.
NOBODY = "unpublished build of smart_meter_reader <maintainers@users.noreply.github.com>"
_MAINTAINER = re.compile(r"[^<>,@\n]+ <[^<>@\s]+@[^<>@\s]+>")


class PackageError(Exception):
    """A package cannot be made; the text says why."""


@dataclass(frozen=True)
class Release:
    """A release of Debian: its number, its Python, and its glibc (2.x)."""

    number: int
    python: tuple[int, int]
    glibc: int


@dataclass(frozen=True)
class Made:
    """Which build of a version it is, and who answers for it."""

    revision: str
    maintainer: str


RELEASES = {"bookworm": Release(12, (3, 11), 36), "trixie": Release(13, (3, 13), 41)}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "armhf": "armv7l"}
USUAL = [f"{release}/{architecture}" for release in RELEASES for architecture in ("amd64", "arm64")]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    parser.add_argument(
        "--revision", default="1", help="of the package; the version is that of pyproject.toml"
    )
    parser.add_argument(
        "--maintainer",
        default=NOBODY,
        metavar="'NAME <ADDRESS>'",
        help="who answers for the packages; to be said by whoever publishes them",
    )
    parser.add_argument("targets", nargs="*", metavar="RELEASE/ARCHITECTURE")
    options = parser.parse_args()
    if not _MAINTAINER.fullmatch(options.maintainer):
        parser.error(
            "--maintainer is a name without a comma, and an address in < >: 'Anna Example <anna@example.org>'"
        )
    if options.maintainer == NOBODY:
        print(
            "build-deb: nobody answers for these packages; who publishes them says --maintainer",
            file=sys.stderr,
        )
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        for target in options.targets or USUAL:
            release, _, architecture = target.partition("/")
            if release not in RELEASES or architecture not in MACHINES:
                raise PackageError(f"{target} is none of: {', '.join(USUAL)}")
            made = Made(options.revision, options.maintainer)
            print(build(release, architecture, made, options.cache, options.output))
    except PackageError as error:
        sys.exit(f"build-deb: {error}")


def build(release: str, architecture: str, made: Made, cache: Path, output: Path) -> Path:
    """Make one package; the file. Raises PackageError."""
    debian = RELEASES[release]
    target = Target(debian.python, MACHINES[architecture], debian.glibc)
    version = f"{project()['version']}-{made.revision}+deb{debian.number}"
    with tempfile.TemporaryDirectory(prefix="build-deb-") as name:
        root = Path(name, "root")
        site = root / HOME / "lib" / f"python{debian.python[0]}.{debian.python[1]}" / "site-packages"
        install_python(target, site, cache, Path(name))
        write_environment(root / HOME, debian)
        write_files(root, site, version, made.maintainer)
        write_control(root, version, architecture, debian, made.maintainer)
        clean(root)
        file = output / f"smart-meter-reader_{version}_{architecture}.deb"
        # One thread: several cut the content elsewhere. Under its name stands a whole package or none.
        unfinished = file.with_name(f"{file.name}.part")
        command = ["dpkg-deb", "--root-owner-group", "--threads-max=1", "-Zxz", "--build"]
        run([*command, str(root), str(unfinished)])
        unfinished.replace(file)
    return file


def install_python(target: Target, site: Path, cache: Path, scratch: Path) -> None:
    """The locked packages and our own, each file checked by its hash, without byte code."""
    # A package has no extras to choose, and nobody can add to it with pip.
    groups = {"main", "extras"}
    packages = list(wanted_by(target, groups))
    with_wheel = [package for package in packages if has_wheel(package, target.tags())]
    built = [package for package in packages if package not in with_wheel]
    hopeless = [package["name"] for package in built if not is_pure(package)]
    if hopeless:
        raise PackageError(
            f"poetry.lock has no wheel of {', '.join(hopeless)} for {target.machine}, and a compiler for it "
            "is no part of this: install with pipx on such a computer, which compiles it there"
        )
    wheels = cache / "wheels" / f"{target.machine}-cp{target.python[0]}{target.python[1]}"
    sources = cache / "wheels" / "sources"
    chosen = [
        *("--only-binary=:all:", "--python-version", ".".join(map(str, target.python))),
        *(word for platform in target.platforms() for word in ("--platform", platform)),
    ]
    pinned = requirements(with_wheel, scratch / "wheels.txt", wheels=True)
    fetch(pinned, wheels, chosen)
    pinned_sources = requirements(built, scratch / "sources.txt", wheels=False)
    fetch(pinned_sources, sources, ["--no-binary=:all:", "--no-build-isolation"])

    ours = scratch / "ours"
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(ours)]
    if built:
        checked = ["--require-hashes", "--no-binary=:all:", "--find-links", str(sources)]
        pip("wheel", *offline, *checked, "-r", str(pinned_sources))
    copy = scratch / "source"
    copy_source(copy)
    pip("wheel", *offline, str(copy))

    put = ["--no-index", "--no-deps", "--no-compile", "--target", str(site), *chosen]
    pip("install", *put, "--require-hashes", "--find-links", str(wheels), "-r", str(pinned))
    names = [f"{package['name']}=={package['version']}" for package in (*built, project())]
    pip("install", *put, "--find-links", str(ours), *names)
    shutil.rmtree(site / "bin", ignore_errors=True)  # commands of the build's own Python
    for path in list(site.rglob("__pycache__")):
        shutil.rmtree(path)  # published by mistake in one of them


def is_pure(package: dict[str, Any]) -> bool:
    """Whether it can be built for any computer: no wheel is published, or none that is for one kind."""
    names = [file["file"] for file in package["files"] if file["file"].endswith(".whl")]
    return all(name.endswith("-none-any.whl") for name in names)


def requirements(packages: Sequence[dict[str, Any]], path: Path, *, wheels: bool) -> Path:
    """A file of pinned requirements with their hashes; the markers are decided already."""
    lines = [requirement({**package, "markers": ""}, {"main", "extras"}, wheels) for package in packages]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def fetch(pinned: Path, place: Path, how: Sequence[str]) -> None:
    """Have the files of these requirements in ``place``; what is there already is not asked for again."""
    done = place / f"{hashlib.sha256(pinned.read_bytes()).hexdigest()}.complete"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        # Two that build at the same time fetch one after the other: a file that is half there is none.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists():
            return
        if pinned.stat().st_size:
            options = ["--no-deps", "--require-hashes", "--dest", str(place), *how]
            pip("download", *options, "-r", str(pinned), online=True)
        done.touch()


def copy_source(place: Path) -> None:
    """What the wheel is made of, without what lies around in a folder where somebody works."""
    place.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, place / name)
    shutil.copytree(PACKAGE, place / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))


def write_environment(home: Path, debian: Release) -> None:
    """A virtual environment of Debian's Python, as the venv module makes it, without pip."""
    version = ".".join(map(str, debian.python))
    (home / "bin").mkdir()
    (home / "bin" / "python").symlink_to(f"../../../bin/python{version}")
    (home / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {version}\n"
    )


def write_files(root: Path, site: Path, version: str, maintainer: str) -> None:
    """Everything that is not Python packages."""
    command = f'#!/bin/sh\nexec /{HOME}/bin/python -I -m smart_meter_reader "$@"\n'
    write(root / "usr/bin/smart-meter-reader", command, 0o755)

    for unit in (
        "smart_meter_reader@.service",
        "smart_meter_reader_web.service",
        "smart_meter_reader_writer.service",
    ):
        text = packaged_unit((PACKAGE / "etc" / unit).read_text("utf-8"))
        write(root / "usr/lib/systemd/system" / unit, text)
    rule = "99-smart-meter-reader.rules"
    write(root / "usr/lib/udev/rules.d" / rule, (PACKAGE / "etc" / rule).read_text("utf-8"))

    templates = PACKAGE / "templates"
    write(root / SETTINGS / "config.py", (templates / "config.py.template").read_text("utf-8"))
    # Not the one of `init`: whenever this text changes, dpkg asks each owner of other settings what to do.
    write(root / SETTINGS / "settings.toml", (DEBIAN / "settings.toml").read_text("utf-8"))
    documents = root / "usr/share/doc/smart-meter-reader"
    for name, template in (
        ("settings.examples.toml", "settings.examples.toml.template"),
        ("secrets.example.toml", "secrets.toml.template"),
    ):
        write(documents / "examples" / name, (templates / template).read_text("utf-8"))
    write(documents / "copyright", copyright_text(site))
    compress(documents / "changelog.Debian.gz", changelog(version, maintainer))
    compress(documents / "changelog.gz", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    manual = (DEBIAN / "smart-meter-reader.1").read_text("utf-8")
    compress(root / "usr/share/man/man1/smart-meter-reader.1.gz", manual)
    write(root / "usr/share/lintian/overrides/smart-meter-reader", (DEBIAN / "lintian-overrides").read_text())

    for shell, place in (
        ("bash", "usr/share/bash-completion/completions/smart-meter-reader"),
        ("zsh", "usr/share/zsh/vendor-completions/_smart-meter-reader"),
        ("fish", "usr/share/fish/vendor_completions.d/smart-meter-reader.fish"),
    ):
        write(root / place, completion(site, shell))


def packaged_unit(text: str) -> str:
    """The project's unit with the places of the package. Raises PackageError when it has none to replace."""
    changes = [("/opt/smart_meter_reader/bin/python", f"/{HOME}/bin/python")]
    if "%i" in text:
        # All environments are in one settings.toml.
        changes += [
            (r"^WorkingDirectory=/etc/smart_meter_reader/%i$", "WorkingDirectory=/etc/smart_meter_reader"),
            (
                r"secrets.toml:/etc/smart_meter_reader/%i/.secrets.toml$",
                f"secrets.toml:/{SETTINGS}/.secrets.toml",
            ),
        ]
    return changed(text, changes)


def changed(text: str, changes: Sequence[tuple[str, str]]) -> str:
    """The text with each pattern replaced. Raises PackageError when one is not there exactly once."""
    for old, new in changes:
        text, count = re.subn(old, new, text, flags=re.M)
        if count != 1:
            raise PackageError(f"what is packaged has {count} times {old}")
    return text


def completion(site: Path, shell: str) -> str:
    """What `completion` of the program that is packaged prints."""
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); sys.dont_write_bytecode = True\n"
        f"from smart_meter_reader.cli import main\nsys.exit(main(['completion', {shell!r}]))"
    )
    return run([sys.executable, "-I", "-c", code]) + "\n"


def changelog(version: str, maintainer: str) -> str:
    """One entry; what has changed is in CHANGELOG.md, beside it."""
    date = formatdate(source_date(), localtime=False)
    return (
        f"smart-meter-reader ({version}) unstable; urgency=medium\n\n"
        f"  * See changelog.gz.\n\n -- {maintainer}  {date}\n"
    )


def copyright_text(site: Path) -> str:
    """The licence of the program and those that the packages inside say they have."""
    licence = (ROOT / "LICENSE").read_text("utf-8").strip().splitlines()
    holder = next(line for line in licence if line.startswith("Copyright")).removeprefix("Copyright ")
    body = "".join(f" {line}\n" if line else " .\n" for line in licence)
    inside = "".join(
        f" {name} {version}: {terms}\n"
        for name, version, terms in sorted(licences(site))
        if name != "smart-meter-reader"
    )
    return (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        "Upstream-Name: smart_meter_reader\n"
        "Comment:\n"
        " Inside are these Python packages, as published, with their licences in\n"
        f" /{HOME}/lib/python3*/site-packages/*.dist-info:\n .\n{inside}\n"
        f"Files: *\nCopyright: {holder}\n"
        f"License: Expat\n{body}"
    )


def licences(site: Path) -> Iterator[tuple[str, str, str]]:
    """Name, version and licence of each package, as its own metadata say."""
    for path in site.glob("*.dist-info/METADATA"):
        told = HeaderParser().parsestr(path.read_text("utf-8"))
        named = told["License-Expression"] or (told["License"] or "").partition("\n")[0]
        classified = [line for line in told.get_all("Classifier", []) if line.startswith("License ::")]
        terms = named or ", ".join(line.rpartition(" :: ")[2] for line in classified)
        yield told["Name"], told["Version"], terms or "see its files"


def write_control(root: Path, version: str, architecture: str, debian: Release, maintainer: str) -> None:
    """What dpkg wants to know, and the scripts it runs."""
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    values = {
        "VERSION": version,
        "ARCHITECTURE": architecture,
        "MAINTAINER": maintainer,
        "INSTALLED_SIZE": str(sum(-(-path.stat().st_size // 1024) for path in files)),
        "PYTHON": ".".join(map(str, debian.python)),
        "NEXT_PYTHON": f"{debian.python[0]}.{debian.python[1] + 1}",
        "GLIBC": f"2.{debian.glibc}",
    }
    control = (DEBIAN / "control.in").read_text("utf-8")
    write(root / "DEBIAN/control", re.sub(r"@(\w+)@", lambda found: values[found[1]], control))
    settings = sorted(f"/{path.relative_to(root)}" for path in files if path.is_relative_to(root / "etc"))
    write(root / "DEBIAN/conffiles", "".join(f"{path}\n" for path in settings))
    sums = sorted(
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root)}\n"
        for path in files
        if not path.is_relative_to(root / "etc")
    )
    write(root / "DEBIAN/md5sums", "".join(sums))
    for script in ("postinst", "prerm", "postrm"):
        write(root / "DEBIAN" / script, (DEBIAN / script).read_text("utf-8"), 0o755)


def clean(root: Path) -> None:
    """Modes and times that do not depend on who builds when."""
    for path in (root, *root.rglob("*")):
        if path.is_symlink():
            continue
        script = path.parent in (root / "usr/bin", root / "DEBIAN") and path.read_bytes()[:2] == b"#!"
        path.chmod(0o755 if path.is_dir() or script else 0o644)
    for path in (root, *root.rglob("*")):
        os.utime(path, (source_date(), source_date()), follow_symlinks=False)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(mode)


def compress(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def project() -> dict[str, Any]:
    """The table [project] of pyproject.toml."""
    found: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return found["project"]


def source_date() -> int:
    """Of which time the package is, in seconds since 1970."""
    return int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))


def pip(command: str, *arguments: str, online: bool = False) -> None:
    """Raises PackageError. Offline no configuration of this computer is obeyed: the files are all there."""
    alone = [] if online else ["--isolated"]
    run([sys.executable, "-m", "pip", "--disable-pip-version-check", *alone, command, "--quiet", *arguments])


def run(command: Sequence[str]) -> str:
    """Raises PackageError with what the command said."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise PackageError(f"{' '.join(command[:6])} ... failed:\n{result.stderr or result.stdout}")
    return result.stdout.strip()


if __name__ == "__main__":
    main()
