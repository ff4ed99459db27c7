"""The import rules of the house, checked on the source: nothing runs back up, codecs are pure."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

# What follows reads the whole package: parsed once, in one process.
pytestmark = pytest.mark.xdist_group("architecture")

PACKAGE = Path(__file__).parent.parent / "smart_meter_reader"
OURS = "smart_meter_reader"
MODULES = sorted(PACKAGE.rglob("*.py"))
IMPURE = {"asyncio", "logging", "time", "socket", "threading", "serial", "serial_asyncio", "selectors"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree_of(path)))


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Every module that the file imports, also inside functions, as absolute names."""
    names: list[str] = []
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            names += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            names += [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
    return tuple(names)


def below(part: str) -> list[Path]:
    return [path for path in MODULES if path.is_relative_to(PACKAGE / part)]


# From below to above: a room imports its own modules and those of rooms that stand below it.
LAYERS = (
    ("__init__", "text", "files", "json_text", "process_lock"),
    ("exceptions", "log"),
    ("quantities",),
    ("messages",),
    ("rooms", "network"),
    ("codecs",),
    ("transport", "recordings"),  # a recording is played as a port: imported when one is opened
    ("drivers", "settings"),
    ("console", "emulators", "guard", "history"),
    ("mqtt", "spool", "fleet"),
    ("meters",),
    ("meters.kmp", "meters.p1", "meters.iec62056_21", "meters.dlms", "meters.mbus", "meters.sml"),
    ("sinks",),
    ("writer",),
    ("service",),
    ("pipeline",),
    ("app",),
    ("cli",),
    ("__main__",),
)
HEIGHT = {room: height for height, layer in enumerate(LAYERS) for room in layer}
BESIDE = {("transport", "recordings"), ("recordings", "transport"), ("settings", "drivers")}


def room_of(module: str) -> str:
    """The room of a module of ours: the first part of its name, of the meters' rooms the first two."""
    parts = module.removeprefix(f"{OURS}.").split(".") if module != OURS else ["__init__"]
    family = ".".join(parts[:2])
    return family if family in HEIGHT else parts[0]


def dotted(path: Path) -> str:
    return ".".join((OURS, *path.relative_to(PACKAGE).with_suffix("").parts))


def imports_that_run_back_up(path: Path) -> Iterator[str]:
    room = room_of(dotted(path).removesuffix(".__init__"))
    for name in imported(path):
        if not name.startswith(OURS) or name in (f"{OURS}.__version__", f"{OURS}.__homepage__"):
            continue
        other = room_of(name)
        if other == room or (room, other) in BESIDE:
            continue
        if HEIGHT[other] >= HEIGHT[room]:
            yield f"{path.relative_to(PACKAGE)} imports {name}"


def test_no_import_runs_back_up() -> None:
    assert [found for path in MODULES for found in imports_that_run_back_up(path)] == []


def test_the_root_has_few_modules() -> None:
    loose = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert len(loose) <= 9, sorted(loose)


TESTS = Path(__file__).parent
# Tests of what no single room does, and what tests are made of.
ACROSS = {"container", "data", "faults", "fuzz", "new_family", "packages", "peers", "validators"}
# Rooms whose tests stand with those of their users: each family, the history, the service and the page.
WITH_USERS = {"meters/push", "history/imports/formats", "cli/service"}


def rooms_below(folder: Path) -> set[str]:
    found = {path.parent.relative_to(folder) for path in folder.rglob("*.py")}
    return {str(room) for room in found} - {"."}


def test_the_tests_mirror_the_package() -> None:
    package = rooms_below(PACKAGE)
    modules = {str(path.relative_to(PACKAGE).with_suffix("")) for path in MODULES}
    tests = {room for room in rooms_below(TESTS) if room.partition("/")[0] not in ACROSS}
    assert tests <= package | modules, "tests of a room that is not there"
    without = {room for room in package if room not in tests and (PACKAGE / room / "__init__.py").exists()}
    assert without == WITH_USERS


def test_codecs_are_functions_of_bytes() -> None:
    allowed = ("codecs", "exceptions", "quantities", "text")
    for path in below("codecs"):
        names = set(imported(path))
        assert not {name.partition(".")[0] for name in names} & IMPURE, path
        for name in names:
            if name.startswith(f"{OURS}."):
                assert name.split(".")[1] in allowed, f"{path} imports {name}"


def test_the_package_says_its_job_in_every_first_line() -> None:
    for path in MODULES:
        docstring = ast.get_docstring(tree_of(path))
        assert docstring, f"{path} has no docstring"


def test_tasks_outside_app_and_programs_live_in_a_task_group() -> None:
    # Emulators and commands are programs of their own; a sink's connections are a TaskGroup inside its task.
    free = {PACKAGE / "app.py", PACKAGE / "sinks" / "mqtt_sink.py"}
    for path in MODULES:
        if path in free or path.is_relative_to(PACKAGE / "emulators") or path.is_relative_to(PACKAGE / "cli"):
            continue
        for node in nodes_of(path):
            if isinstance(node, ast.Attribute) and node.attr in {"create_task", "ensure_future"}:
                # In a group a task can neither be forgotten nor outlive its maker.
                assert isinstance(node.value, ast.Name), path
                assert node.value.id == "group", f"{path}:{node.lineno} creates a task outside a group"


def test_dynaconf_is_imported_by_config_py_alone() -> None:
    for path in MODULES:
        if path.parent.name == "templates":
            continue
        assert "dynaconf" not in {name.partition(".")[0] for name in imported(path)}, path


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("chosen", "unwanted"),
    [
        ("smart_meter_reader.meters.kmp.client", ["dsmr_parser", "cryptography", "homie", "paho", "click"]),
        ("smart_meter_reader.meters.p1.client", ["dsmr_parser", "cryptography", "homie", "paho", "click"]),
        ("smart_meter_reader.meters.sml.client", ["dsmr_parser", "cryptography", "homie", "paho", "click"]),
        ("smart_meter_reader.meters.p1.emulator", ["dsmr_parser", "cryptography", "homie", "paho", "click"]),
        ("smart_meter_reader.sinks.stdout", ["dsmr_parser", "homie", "paho", "serial", "click"]),
        ("smart_meter_reader.cli.start", ["dsmr_parser", "homie", "paho", "serial", "click", "dynaconf"]),
        ("smart_meter_reader.cli.start", [f"{OURS}.history.storage.store", "sqlite3", "zoneinfo", "ctypes"]),
        # What writes a history need not be able to answer questions.
        (
            "smart_meter_reader.sinks.history.sink",
            ["smart_meter_reader.history.questions.counters", "zoneinfo", "ctypes"],
        ),
    ],
)
def test_a_driver_pays_only_for_itself(chosen: str, unwanted: list[str]) -> None:
    for name in unwanted:  # one that is no longer there is imported by nobody
        assert find_spec(name), name
    code = f"import sys, {chosen}; print(*[m for m in {unwanted!r} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


# Words that are compared as what they are, what a person was told: of messages, and of what was said before.
TOLD_WORDS = {
    "network/tls.py": "error.reason == 'KEY_VALUES_MISMATCH'",  # OpenSSL's, which has no class for it
    "network/outages.py": "failure.reason in row.told",
    "pipeline/supervisor.py": "refused.reason == self._last_reason",
    "service/notify.py": "self.reason == INTERNAL_ERROR",
}


def reads_reason(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr == "reason" for part in ast.walk(node))


def branches_on_words(path: Path) -> Iterator[str]:
    allowed = TOLD_WORDS.get(str(path.relative_to(PACKAGE)), "")
    for node in nodes_of(path):
        if isinstance(node, ast.Compare):
            text, deciding = ast.unparse(node), reads_reason(node)
        elif isinstance(node, ast.Match):
            text, deciding = ast.unparse(node.subject), reads_reason(node.subject)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            text, deciding = ast.unparse(node), reads_reason(node.slice)
        else:
            continue
        told = text == allowed or text.startswith("(told.state, told.reason) ")
        if deciding and not told:
            yield f"{path.relative_to(PACKAGE)}:{node.lineno}: {text}"


def test_callers_branch_on_classes_of_errors() -> None:
    assert [found for path in MODULES for found in branches_on_words(path)] == []


def raised_words() -> Iterator[tuple[str, str, str]]:
    """Every error made with a word that is written out: the word, the class, and where."""
    for path in MODULES:
        for node in nodes_of(path):
            if not isinstance(node, ast.Call):
                continue
            # The class is called, or passed on to what calls it.
            names = [part.id for part in (node.func, *node.args[:1]) if isinstance(part, ast.Name)]
            words = [part.value for part in node.args[:2] if isinstance(part, ast.Constant)]
            errors = [name for name in names if name.endswith("Error")]
            if errors and words and isinstance(words[0], str):
                yield words[0], errors[0], f"{path.relative_to(PACKAGE)}:{node.lineno}"


def test_an_error_of_one_word_is_of_one_class() -> None:
    # Else a caller that branches on the class would miss some of them.
    bases = {"TransportError", "ProtocolError", "FrameError", "DecryptionError", "SinkError"}
    classes: dict[str, str] = {}
    for path in MODULES:
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
                classes[node.name] = ast.unparse(node.bases[0])
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for word, kind, place in raised_words():
        base = kind
        while base in classes and base not in bases:
            base = classes[base]
        if base in bases:
            other, before = found.setdefault((word, base), (kind, place))
            assert kind == other, f"{word} is a {kind} at {place} and a {other} at {before}"
    assert len(found) > 60


# What each codec has by its contract (``codecs``), under the same name in each.
OF_EACH_CODEC = {"FrameReader"}


def test_a_name_of_a_class_means_one_thing() -> None:
    places: dict[str, list[str]] = {}
    for path in MODULES:
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name.lstrip("_"), []).append(str(path.relative_to(PACKAGE)))
    shared = {name: found for name, found in places.items() if len(found) > 1}
    assert shared.keys() <= OF_EACH_CODEC, shared
    assert all(path.startswith("codecs/") for name in OF_EACH_CODEC for path in places[name])


def aliases(path: Path) -> Iterator[tuple[str, str]]:
    """The types that a module gives a name, and what each is."""
    for node in tree_of(path).body:
        match node:
            case ast.AnnAssign(ast.Name(name), ast.Name("TypeAlias"), value) if value is not None:
                yield name, ast.unparse(value)
            case ast.Assign([ast.Name(name)], ast.Subscript() | ast.BinOp() as value) if name[:1].isupper():
                if not name.isupper():
                    yield name, ast.unparse(value)


def test_a_name_of_a_type_means_one_thing() -> None:
    """But for those of one codec alone, which has the words of its protocol."""
    modules = [path for path in MODULES if not path.is_relative_to(PACKAGE / "codecs")]
    meant: dict[str, set[str]] = {}
    for path in modules:
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef):
                meant[node.name] = {"a class"}
    for path in modules:
        for name, what in aliases(path):
            meant.setdefault(name, set()).add(what)
    assert {name: found for name, found in meant.items() if len(found) > 1 and name[0] != "_"} == {}


# Objects of others, and fields of our dataclasses by the names that the dataclass itself gives.
LOOKED_UP_BY_NAME = {
    "drivers.py",  # import strings
    "settings/files/config_file.py",  # dynaconf's objects
    "settings/keys.py",  # fields of settings
    "transport/tcp.py",  # options that only some systems have
}


def test_nothing_is_decided_by_whether_an_object_has_an_attribute() -> None:
    found = set()
    for path in MODULES:
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in nodes_of(path):
            if isinstance(node, ast.Name) and node.id in {"getattr", "hasattr"}:
                found.add(str(path.relative_to(PACKAGE)))
                assert "  # " in lines[node.lineno - 1], f"{path}:{node.lineno} does not say why"
    assert found == LOOKED_UP_BY_NAME
